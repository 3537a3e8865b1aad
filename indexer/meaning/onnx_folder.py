"""A model in a folder, run by ONNX Runtime with its own tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError
from indexer.meaning.embedder import ModelFacts, Rows, unit_rows
from indexer.meaning.model_folder import ModelFolder, read_model_folder

#: texts that are worked on at once: more take more memory and are no faster on a processor
_BATCH = 16
#: outputs that are vectors of whole texts already
_OF_TEXTS = ("sentence_embedding", "embedding", "embeddings")


class OnnxFolder:
    """The model of a folder."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Loads it. Raises MeaningError when the packages or a file is missing, or it gives no vectors."""
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            raise MeaningError(
                f"运行目录 {folder} 中的模型要有 onnxruntime 和 tokenizers（{error}）；"
                "请运行 pip install 'yiwen[meaning]'。"
            ) from error
        self._model = read_model_folder(folder)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3  # errors only: warnings go past our log
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(self._model.graph), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own kinds, of no common base
            raise MeaningError(f"模型文件 {self._model.graph} 打不开（{_first_line(error)}）；请重新下载。") from error
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(self._model.tokenizer))
        except Exception as error:
            raise MeaningError(f"文件 {self._model.tokenizer} 打不开（{_first_line(error)}）；请重新下载。") from error
        self._tokenizer.enable_truncation(self._model.max_tokens)
        self._tokenizer.no_padding()  # done here, by batch
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._output = _output_of(self._session, self._model)
        dimension = len(self._vectors(["头痛"])[0])
        if self._model.dimension not in (None, dimension):
            raise MeaningError(
                f"目录 {folder} 的 config.json 说向量是 {self._model.dimension} 维，模型给出的却是 {dimension} 维；"
                "请检查两个文件是否属于同一个模型。"
            )
        prefixes = self._model.question_prefix, self._model.answer_prefix
        self.facts = ModelFacts(self._model.name, dimension, self._model.fingerprint, *prefixes)

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension)."""
        return self._embed(texts, self._model.question_prefix)

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension)."""
        return self._embed(texts, self._model.answer_prefix)

    def _embed(self, texts: Sequence[str], prefix: str) -> Rows:
        """Such as are alike in length together, so that little is padded."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = np.zeros((len(texts), self.facts.dimension), np.float32)
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            rows = self._vectors([prefix + texts[place] for place in places])
            found[places] = unit_rows(rows, len(places), self.facts.dimension, self.facts.name)
        return found

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, of any length."""
        encoded = self._tokenizer.encode_batch(list(texts))
        width = max((len(each.ids) for each in encoded), default=0)
        ids, mask, types = (np.zeros((len(texts), width), np.int64) for _ in range(3))
        ids += self._padding()
        for row, each in enumerate(encoded):
            ids[row, : len(each.ids)] = each.ids
            mask[row, : len(each.ids)] = 1
            types[row, : len(each.ids)] = each.type_ids
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        known["position_ids"] = np.broadcast_to(np.arange(width, dtype=np.int64), ids.shape).copy()
        if missing := [name for name in self._inputs if name not in known]:
            raise MeaningError(f"模型文件 {self._model.graph} 要一种没有见过的输入“{missing[0]}”，不能用来检索。")
        try:
            found = np.asarray(self._session.run([self._output], {name: known[name] for name in self._inputs})[0])
        except Exception as error:
            # not its sentence: that may hold what was asked
            raise MeaningError(f"模型 {self._model.name} 计算时出错（{type(error).__name__}）。") from error
        return np.asarray(found if found.ndim == 2 else _pooled(found, mask, self._model.pooling), np.float32)

    def _padding(self) -> int:
        """Whatever stands there is masked; the number must only be one that the model knows."""
        for token in ("[PAD]", "<pad>", "<|endoftext|>"):
            if (number := self._tokenizer.token_to_id(token)) is not None:
                return int(number)
        return 0


def _pooled(found: NDArray[Any], mask: NDArray[np.int64], pooling: str) -> NDArray[Any]:
    """From vectors of tokens, shape (texts, tokens, dimension), to one a text."""
    if pooling == "cls":
        return np.asarray(found[:, 0])
    if pooling == "lasttoken":
        return np.asarray(found[np.arange(len(found)), mask.sum(axis=1) - 1])
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0))


def _output_of(session: Any, model: ModelFolder) -> str:
    """Vectors of texts where there are such, else of tokens. Raises MeaningError when there are neither."""
    outputs = {each.name: len(each.shape or ()) for each in session.get_outputs()}
    for name in _OF_TEXTS:
        if outputs.get(name) == 2:
            return name
    for name, dimensions in outputs.items():
        if dimensions == 3:
            return str(name)
    raise MeaningError(
        f"模型文件 {model.graph} 的输出是 {'、'.join(outputs)}，没有可以用作向量的；请换用为句子向量导出的模型。"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
