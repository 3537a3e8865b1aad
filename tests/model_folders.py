"""A folder of a tiny model as authors publish theirs: a real ONNX graph, a real tokenizer, the files beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LETTERS = "头痛发烧咳嗽面肌痉挛：查文问答案"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
VOCABULARY = {token: number for number, token in enumerate([*SPECIAL, *dict.fromkeys(LETTERS)])}
DIMENSION = 6


def table() -> NDArray[np.float32]:
    """What the model knows of each token: shape (tokens, dimension)."""
    return np.random.default_rng(3).normal(size=(len(VOCABULARY), DIMENSION)).astype(np.float32)


def write_model(
    folder: Path,
    graph: str = "model.onnx",
    files: Mapping[str, Any] | None = None,
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    output: str = "last_hidden_state",
) -> Path:
    """The folder; `files` are further JSON files by their paths."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    ends = [("[CLS]", VOCABULARY["[CLS]"]), ("[SEP]", VOCABULARY["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    (folder / graph).parent.mkdir(parents=True, exist_ok=True)
    (folder / graph).write_bytes(graph_bytes(inputs, output))
    tokenizer.save(str(folder / "tokenizer.json"))
    known = {"config.json": {"hidden_size": DIMENSION, "max_position_embeddings": 40, "model_type": "bert"}}
    for path, content in {**known, **(files or {})}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")
    return folder


def graph_bytes(inputs: Sequence[str], output: str) -> bytes:
    """A model that looks each token up in the table, and nothing else (onnx.proto, ONNX 1.13)."""
    values = table()
    weights = _field(1, len(VOCABULARY)) + _field(1, DIMENSION) + _field(2, 1) + _field(8, "table")
    graph = (
        _field(1, _field(1, "table") + _field(1, "input_ids") + _field(2, output) + _field(4, "Gather"))
        + _field(2, "tiny")
        + _field(5, weights + _field(9, values.tobytes()))
        + b"".join(_field(11, _tensor(name, 7, ["texts", "tokens"])) for name in inputs)
        + _field(12, _tensor(output, 1, ["texts", "tokens", DIMENSION]))
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))


def _tensor(name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    """A ValueInfoProto; kinds are 1 float and 7 int64."""
    dims = b"".join(_field(1, _field(2 if isinstance(each, str) else 1, each)) for each in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def _field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protocol buffer's message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + _varint(rest)
