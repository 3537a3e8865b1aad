"""A search that runs out of time says so, and gives what it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_data
from store_builders import spasm_answers

from indexer import Engine, Query, open_engine
from indexer.deadline import Deadline

MANY = 40


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder: Path = tmp_path_factory.mktemp("many")
    return open_engine(build_data(folder, spasm_answers(MANY)))


def test_a_deadline_is_over_when_its_time_is_and_remembers_that_it_was_asked_then() -> None:
    now = [10.0]
    deadline = Deadline(500, clock=lambda: now[0])
    assert not deadline.is_over() and not deadline.cut_short
    now[0] = 10.5
    assert not deadline.cut_short  # nobody has left out anything yet
    assert deadline.is_over() and deadline.cut_short


def test_without_a_budget_there_is_no_end() -> None:
    now = [0.0]
    deadline = Deadline(None, clock=lambda: now[0])
    now[0] = 1e9
    assert not deadline.is_over()


def test_out_of_time_the_results_come_as_bm25_has_them_and_are_called_partial(engine: Engine) -> None:
    late = engine.search(Query("面肌痉挛怎么治", time_budget_ms=0))
    in_time = engine.search(Query("面肌痉挛怎么治"))
    assert late.partial and not in_time.partial
    assert late.total == in_time.total > 10 and len(late.hits) == 10
    assert (late.answer, late.related) == (None, ())
    assert not any(hit.features for hit in late.hits) and all(hit.features for hit in in_time.hits)
    plain = [id_ for id_, _ in engine.retrieve("面肌痉挛怎么治", 10, plain=True)]
    assert [hit.answer.id for hit in late.hits][:1] == plain[:1]
