"""Reports: plain events in, plain rows out."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from webapp.query_log import Event
from webapp.reports import QueryRow, no_result_queries, top_queries


def event(query: str, total: int = 3, latency_ms: float = 10.0, page: int = 1) -> Event:
    return Event(datetime(2024, 5, 1, tzinfo=UTC), query, total, latency_ms, "gen-000001", "page", page)


EVENTS = (
    event("失眠", latency_ms=10),
    event("失眠", latency_ms=30),
    event("失眠", total=0, latency_ms=20),
    event("罕见病", total=0, latency_ms=5),
    event("罕见病", total=0, latency_ms=8),
    event("湿疹"),
)


def test_top_queries_are_the_most_asked() -> None:
    assert top_queries(EVENTS, 2) == (QueryRow("失眠", 3, 1, 20), QueryRow("罕见病", 2, 2, 6.5))


def test_queries_asked_equally_often_stand_in_a_fixed_order() -> None:
    assert [row.query for row in top_queries([event("b"), event("a"), event("c")], 10)] == ["a", "b", "c"]


def test_no_result_queries_are_those_that_failed_most() -> None:
    assert no_result_queries(EVENTS, 10) == (QueryRow("罕见病", 2, 2, 6.5), QueryRow("失眠", 3, 1, 20))
    assert no_result_queries(EVENTS, 1) == (QueryRow("罕见病", 2, 2, 6.5),)


def test_turning_pages_is_not_asking_again() -> None:
    events = [event("失眠", latency_ms=10), event("失眠", latency_ms=90, page=2), event("湿疹", total=0, page=2)]
    assert top_queries(events, 10) == (QueryRow("失眠", 1, 0, 10),)
    assert no_result_queries(events, 10) == ()


def test_no_events_no_rows() -> None:
    assert top_queries([], 10) == no_result_queries([], 10) == ()


@given(st.lists(st.builds(event, st.sampled_from("甲乙丙"), st.integers(0, 2), page=st.integers(1, 2))))
def test_every_first_page_is_counted_once(events: list[Event]) -> None:
    firsts = [one for one in events if one.page == 1]
    rows = top_queries(events, 100)
    assert sum(row.searches for row in rows) == len(firsts)
    assert sum(row.no_result for row in rows) == sum(one.total == 0 for one in firsts)
