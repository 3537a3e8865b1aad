"""The vector of a question: made once, waited for no longer than there is time, and never a reason to fail."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from indexer.errors import MeaningError
from indexer.meaning.asking import MOST_WAITING, REMEMBERED, REST_S, Asker
from indexer.meaning.embedder import ModelFacts, Rows

SECRET = "我得了什么病"


class Model:
    """Counts what it is asked, and stops where a test wants it to."""

    def __init__(self) -> None:
        self.facts = ModelFacts("试", 2, "f" * 64)
        self.asked: list[str] = []
        self.may = threading.Event()
        self.may.set()
        self.error: Exception | None = None

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        assert self.may.wait(20)
        self.asked += texts
        if self.error:
            raise self.error
        return np.array([[len(text), 1] for text in texts], np.float32)

    embed_answers = embed_questions


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asker(model: Model, clock: Clock) -> Asker:
    return Asker(lambda: model, clock)


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    return true()


def test_a_question_is_embedded_once(asker: Asker, model: Model) -> None:
    for _ in range(3):
        vector = asker.ask("头痛").vector(20)
        assert vector is not None and vector.tolist() == [2, 1]
    assert model.asked == ["头痛"] and asker.model == model.facts


def test_who_cannot_wait_goes_on_and_what_nobody_waits_for_is_not_made(asker: Asker, model: Model) -> None:
    model.may.clear()
    first, second = asker.ask("头痛"), asker.ask("咳嗽")
    started = time.monotonic()
    assert first.vector(0.01) is None and second.vector(0.0) is None
    assert time.monotonic() - started < 5
    model.may.set()
    assert asker.ask("发烧").vector(20) is not None
    assert model.asked == ["头痛", "发烧"], "the second was given up before its turn"
    assert asker.ask("头痛").vector(0) is not None, "what was late is there the next time"


def test_only_so_many_wait(asker: Asker, model: Model) -> None:
    model.may.clear()
    taken = asker.ask("第一")
    assert until(lambda: not asker._queue)
    waiting = [asker.ask(f"问{number}") for number in range(MOST_WAITING)]
    assert asker.ask("太多").vector(20) is None, "at once, not after twenty seconds"
    model.may.set()
    assert all(each.vector(20) is not None for each in [taken, *waiting])
    assert "太多" not in model.asked


def test_a_model_that_fails_rests_and_is_tried_again(
    asker: Asker, model: Model, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    model.error = MeaningError("接口没有回应。")
    assert asker.ask(SECRET).vector(20) is None
    assert until(lambda: asker.problem == "接口没有回应。")
    model.error = None
    assert asker.ask(SECRET).vector(20) is None and model.asked == [SECRET], "it rests"
    clock.now += REST_S
    assert asker.ask(SECRET).vector(20) is not None
    assert asker.problem == ""
    assert SECRET not in caplog.text and "接口没有回应。" in caplog.text


def test_no_library_error_tells_the_question(asker: Asker, model: Model, caplog: pytest.LogCaptureFixture) -> None:
    model.error = ValueError(f"cannot tokenize {SECRET}")
    with caplog.at_level(logging.DEBUG):
        assert asker.ask(SECRET).vector(20) is None
        assert until(lambda: "ValueError" in asker.problem)
    assert SECRET not in caplog.text + asker.problem


def test_a_model_that_cannot_be_opened_keeps_nobody_waiting(clock: Clock) -> None:
    def missing() -> Model:
        raise MeaningError("没有模型。")

    asker = Asker(missing, clock)
    assert [asker.ask(text).vector(20) for text in ("头痛", "咳嗽")] == [None, None]
    assert asker.problem == "没有模型。" and asker.model is None


def test_only_the_latest_are_remembered(asker: Asker, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.meaning.asking.REMEMBERED", 2)
    assert REMEMBERED > 2
    for text in ("一", "二", "一", "三", "一", "二"):
        assert asker.ask(text).vector(20) is not None
    assert model.asked == ["一", "二", "三", "二"]


def test_a_forked_process_has_a_thread_of_its_own(asker: Asker, model: Model) -> None:
    assert asker.ask("头痛").vector(20) is not None
    child = os.fork()
    if child == 0:  # the parent's thread does not live here
        vector = asker.ask("咳嗽").vector(20)
        os._exit(0 if vector is not None and asker.ask("头痛").vector(20) is not None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asker.ask("发烧").vector(20) is not None


def test_many_threads_get_each_their_own(asker: Asker) -> None:
    found: dict[str, object] = {}

    def ask(text: str) -> None:
        waiting = asker.ask(text)
        vector = waiting.vector(20)
        found[text] = None if vector is None else vector.tolist()

    threads = [threading.Thread(target=ask, args=("字" * length,)) for length in range(1, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"字" * length: [length, 1] for length in range(1, 8)}
