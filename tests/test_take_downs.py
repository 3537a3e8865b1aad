"""Taken down answers: hidden at once, in every generation, and in every later build."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from builders import build_data, built, make_answer
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import open_engine
from indexer.engine import Engine
from indexer.errors import StateError
from indexer.store.generations import roll_back
from indexer.store.take_downs import TakeDowns, put_back, take_down
from indexer.verdicts import Reason

URL = "https://example.com/面肌痉挛/1.html"
ANSWERS = [
    make_answer("a1", "面肌痉挛怎么治", "面肌痉挛可以打肉毒素。", url=URL),
    make_answer("a2", "面肌痉挛会自己好吗", "面肌痉挛很少自己好。", url=URL),
    make_answer("a3", "面肌痉挛要手术吗", "面肌痉挛打针无效时可以手术。", url=URL + "?page=2"),
    make_answer("a4", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶。"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return build_data(tmp_path, ANSWERS)


def shown(engine: Engine) -> set[str]:
    """Ids that a search shows; their number is also the total."""
    result = engine.search("面肌痉挛", limit=100)
    assert result.total == len(result.hits)
    return {hit.answer.id for hit in result.hits}


def test_an_engine_that_is_open_hides_the_answer_at_once(data: Path) -> None:
    engine = open_engine(data)
    assert shown(engine) == {"a1", "a2", "a3", "a4"}
    take_down(data, "a4", "作者要求")
    assert shown(engine) == {"a1", "a2", "a3"}
    assert engine.answer("a4") is None
    kept = engine.answer("a3")
    assert kept is not None and kept.text == ANSWERS[2].text


def test_the_state_changes_with_each_take_down_and_generation(data: Path, tmp_path: Path) -> None:
    engine = open_engine(data)
    before = engine.state
    take_down(data, "a4", "作者要求")
    hidden = engine.state
    take_down(data, "a3", "作者要求")
    assert len({before, hidden, engine.state}) == 3
    take_down(data, "a3", "另一个理由")
    put_back(data, "a3")
    assert engine.state == hidden == open_engine(data).state
    put_back(data, "a4")
    assert engine.state == before
    build_data(tmp_path, ANSWERS)
    assert engine.state != before


def test_the_state_tells_two_indexes_of_one_name_apart(tmp_path: Path) -> None:
    one, other = (open_engine(build_data(tmp_path / str(number), ANSWERS[:number])) for number in (1, 2))
    assert one.generation == other.generation
    assert one.state != other.state


def test_an_address_hides_all_answers_of_exactly_that_address(data: Path) -> None:
    engine = open_engine(data)
    take_down(data, URL, "侵权")
    assert shown(engine) == {"a3", "a4"}
    assert engine.answer("a1") is None and engine.answer("a2") is None


def test_one_take_down_after_another_is_seen(data: Path) -> None:
    engine = open_engine(data)
    left = {answer.id for answer in ANSWERS}
    for answer in ANSWERS:
        take_down(data, answer.id, "逐条下架")
        left.remove(answer.id)
        assert shown(engine) == left


def test_an_older_generation_hides_it_too(tmp_path: Path) -> None:
    data = build_data(tmp_path, ANSWERS)
    build_data(tmp_path, ANSWERS)
    take_down(data, "a1", "内容有误")
    assert roll_back(data).generation == "gen-000001"
    assert shown(open_engine(data)) == {"a2", "a3", "a4"}


def test_the_next_build_rejects_it_and_keeps_the_rest(tmp_path: Path) -> None:
    data = build_data(tmp_path, ANSWERS)
    take_down(data, "a4", "内容有误")
    take_down(data, ANSWERS[2].url or "", "侵权")
    report = built(tmp_path, ANSWERS)
    assert Counter((item.reason, item.path) for item in report.rejected) == {
        (Reason.TAKEN_DOWN, "answers.jsonl:a3"): 1,
        (Reason.TAKEN_DOWN, "answers.jsonl:a4"): 1,
    }
    assert report.manifest.counts["answers"] == 2
    assert report.manifest.counts["rejected_taken_down"] == 2
    engine = open_engine(data)
    assert shown(engine) == {"a1", "a2"}
    assert [engine.count_of(key) for key in ("a4", ANSWERS[2].url or "", "a1")] == [0, 0, 1]
    assert "不必忌口" not in (data / "generations" / "gen-000002" / "pages.jsonl").read_text(encoding="utf-8")


def test_a_key_of_no_answer_hides_nothing_until_there_is_one(tmp_path: Path) -> None:
    data = build_data(tmp_path, ANSWERS)
    engine = open_engine(data)
    for key in ("a5", "a", "A1", URL[:-1], "面肌痉挛"):
        take_down(data, key, "登记在先")
    assert shown(engine) == {"a1", "a2", "a3", "a4"}
    report = built(tmp_path, [*ANSWERS, make_answer("a5", "面肌痉挛传染吗", "面肌痉挛不传染。")])
    assert [(item.reason, item.path) for item in report.rejected] == [(Reason.TAKEN_DOWN, "answers.jsonl:a5")]
    assert shown(engine) == {"a1", "a2", "a3", "a4"}


def test_how_many_answers_a_key_hides_can_be_asked_before_and_after(data: Path) -> None:
    engine = open_engine(data)
    assert [engine.count_of(key) for key in (URL, "a1", "a9")] == [2, 1, 0]
    take_down(data, URL, "侵权")
    assert [engine.count_of(key) for key in (URL, "a1", "a9")] == [2, 1, 0]


def test_reason_and_moment_are_kept_and_a_second_time_replaces_the_reason(tmp_path: Path) -> None:
    data = tmp_path
    take_down(data, "a1", "侵权")
    take_down(data, "a1", "作者要求")
    with closing(sqlite3.connect(data / "state.sqlite3")) as database:
        rows = database.execute("SELECT key, reason, at LIKE '20__-__-__T__:__:__Z' FROM take_downs").fetchall()
    assert rows == [("a1", "作者要求", 1)]


def test_nothing_is_taken_down_in_a_data_directory_without_state(tmp_path: Path) -> None:
    assert TakeDowns(tmp_path / "nowhere").keys() == frozenset()
    assert not (tmp_path / "nowhere").exists()


@given(st.lists(st.text(min_size=1, max_size=8) | st.just("'; DROP TABLE take_downs; --"), max_size=5))
@settings(max_examples=25, deadline=None)
def test_any_key_is_kept_as_it_is(keys: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        known = TakeDowns(Path(folder))
        for number, key in enumerate(keys, 1):
            take_down(Path(folder), key, "原因")
            assert known.keys() == frozenset(keys[:number])


def test_what_is_put_back_is_shown_again_at_once(data: Path) -> None:
    engine = open_engine(data)
    take_down(data, "a4", "作者要求")
    take_down(data, URL, "侵权")
    assert shown(engine) == {"a3"}
    put_back(data, "a4")
    assert shown(engine) == {"a3", "a4"}


def test_what_was_taken_down_can_be_put_back(tmp_path: Path) -> None:
    take_down(tmp_path, "a1", "侵权")
    watch = TakeDowns(tmp_path)
    assert watch.keys() == {"a1"}
    assert put_back(tmp_path, "a1")
    assert watch.keys() == frozenset()
    assert not put_back(tmp_path, "a1")


def test_a_spoilt_state_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(StateError, match=r"state\.sqlite3 无法读写"):
        TakeDowns(tmp_path).keys()
    with pytest.raises(StateError):
        take_down(tmp_path, "a1", "侵权")


def test_a_change_in_the_same_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    watch = TakeDowns(tmp_path)
    for key in ("a1", "a2"):
        take_down(tmp_path, key, "侵权")
        os.utime(file, ns=(0, 0))
        assert key in watch.keys()  # noqa: SIM118 (keys() is the question here)
