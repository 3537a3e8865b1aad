"""What analysts ask of the query log: one question, one function, from plain events to plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from webapp.query_log import Event


@dataclass(frozen=True)
class QueryRow:
    """One question and what became of its searches."""

    query: str
    searches: int
    no_result: int  #: how many of the searches found nothing
    median_latency_ms: float


def top_queries(events: Iterable[Event], limit: int) -> tuple[QueryRow, ...]:
    """The questions asked most often."""
    rows = sorted(_rows(events), key=lambda row: (-row.searches, row.query))
    return tuple(rows[:limit])


def no_result_queries(events: Iterable[Event], limit: int) -> tuple[QueryRow, ...]:
    """The questions that found nothing most often: what the corpus lacks, or the search does not understand."""
    rows = [row for row in _rows(events) if row.no_result]
    rows.sort(key=lambda row: (-row.no_result, -row.searches, row.query))
    return tuple(rows[:limit])


def _rows(events: Iterable[Event]) -> list[QueryRow]:
    """Searches grouped by question. Turning a page is not asking again, so only first pages count."""
    asked: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.page == 1:
            asked[event.query].append(event)
    return [
        QueryRow(
            query=query,
            searches=len(searches),
            no_result=sum(event.total == 0 for event in searches),
            median_latency_ms=round(median(event.latency_ms for event in searches), 1),
        )
        for query, searches in asked.items()
    ]
