"""What reports read: counted days, and only such questions as many people asked.

A question is handed out for a period when at least `min_sessions` sessions of one day of it asked it; nothing else of a
single question leaves this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from webapp.log_store.counting import Tally
from webapp.log_store.rollups import (
    DAY_ASPECTS,
    DAY_CARDS,
    DAY_CHAINS,
    DAY_GENERATIONS,
    DAY_LATENCIES,
    DAY_QUERIES,
    DAY_QUERY_CLICKS,
    DAY_RANKS,
    DAY_TOPIC_SESSIONS,
    DAY_TOPICS,
    DAYS,
    summed,
)
from webapp.log_store.tables import FEEDBACK, LOSSES

_TALLIED = tuple(each.name for each in fields(Tally))


#: nobody asks for earlier days; calendars end somewhere, and a period has another one before it
FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """Days, the first and the last included; UTC."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> Period:
        """As many days right before these."""
        return Period(self.since - timedelta(self.days), self.since - timedelta(1))

    @property
    def bounds(self) -> tuple[str, str]:
        """As the log writes days."""
        return self.since.isoformat(), self.until.isoformat()


@dataclass(frozen=True)
class DayCounts:
    """One day, all questions together."""

    day: date
    tally: Tally
    sessions: int
    visits: int
    visits_clickable: int
    visits_without_click: int


@dataclass(frozen=True)
class QuestionDay:
    """One question on a day that many asked it on; or, without a day, on all others of a period together."""

    day: date | None
    tally: Tally


@dataclass(frozen=True)
class QueryCounts:
    """One question that many asked."""

    query: str
    tally: Tally
    sessions: int  #: of the day on which most asked it
    last_total: int  #: results of its latest search


class DayReader:
    """Reads counted days over an open connection."""

    def __init__(self, connection: Connection, min_sessions: int) -> None:
        self._connection = connection
        self.min_sessions = min_sessions

    def days(self, period: Period) -> list[DayCounts]:
        """Every day of the period in order, also such on which nothing was asked."""
        tallies = {row.day: _tally(row) for row in self._all(summed(DAY_GENERATIONS, ["day"], *period.bounds))}
        since, until = period.bounds
        facts = {row.day: row for row in self._all(select(DAYS).where(DAYS.c.day >= since, DAYS.c.day <= until))}
        found = []
        for number in range(period.days):
            day = period.since + timedelta(number)
            row = facts.get(day.isoformat())
            counts = (row.sessions, row.visits, row.visits_clickable, row.visits_without_click) if row else (0,) * 4
            found.append(DayCounts(day, tallies.get(day.isoformat(), Tally()), *counts))
        return found

    def total(self, period: Period) -> Tally:
        """All searches of the period."""
        return _tally(self._all(summed(DAY_GENERATIONS, [], *period.bounds))[0])

    def generations(self, period: Period) -> dict[str, Tally]:
        """By the generation that answered, in the order of their names."""
        rows = self._all(summed(DAY_GENERATIONS, ["generation"], *period.bounds))
        return {row.generation: _tally(row) for row in sorted(rows, key=lambda row: row.generation)}

    def queries(self, period: Period, shared_in: Period | None = None) -> list[QueryCounts]:
        """The questions that many asked, those asked most first. `shared_in`: the days of which one must have been
        that on which many asked, where it is not the period itself: what is told for a period is compared with before.
        """
        crowds = self._crowds(shared_in or period)
        wanted = summed(DAY_QUERIES, ["query"], *period.bounds).where(DAY_QUERIES.c.query.in_(crowds))
        wanted = wanted.add_columns(func.max(DAY_QUERIES.c.sessions).label("sessions"))
        latest = self._latest_totals(period, crowds)
        found = [QueryCounts(row.query, _tally(row), row.sessions, latest[row.query]) for row in self._all(wanted)]
        return sorted(found, key=lambda each: (-each.tally.searches, each.query))

    def question(self, query: str, period: Period) -> list[QuestionDay]:
        """The days of one question, and what all days come to on which few asked it; nothing unless many did on one."""
        since, until = period.bounds
        c = DAY_QUERIES.c
        wanted = select(DAY_QUERIES).where(c.query == query, c.day >= since, c.day <= until).order_by(c.day)
        rows = self._all(wanted)
        many = [row for row in rows if row.sessions >= self.min_sessions]
        if not many:
            return []
        found = [QuestionDay(date.fromisoformat(row.day), _tally(row)) for row in many]
        rest = together(_tally(row) for row in rows if row.sessions < self.min_sessions)
        return [*found, QuestionDay(None, rest)] if rest.searches else found

    def opened(self, query: str, period: Period) -> list[tuple[str, int, int]]:
        """Answer, rank and first clicks of one question, on days that many asked it on."""
        c = DAY_QUERY_CLICKS.c
        wanted = summed(DAY_QUERY_CLICKS, ["answer_id", "rank"], *period.bounds, ["clicks"]).where(c.query == query)
        if not self.question(query, period):
            return []
        return [(row.answer_id, row.rank, row.clicks) for row in self._all(wanted)]

    def chains(self, period: Period) -> list[tuple[str, str, int]]:
        """A question, the one asked next, and in how many visits; both and their sequence shared by many on one day."""
        since, until = period.bounds
        crowds = self._crowds(period)
        visits = func.sum(DAY_CHAINS.c.visits).label("visits")
        wanted = (
            select(DAY_CHAINS.c.query, DAY_CHAINS.c.next, visits)
            .where(DAY_CHAINS.c.day >= since, DAY_CHAINS.c.day <= until, DAY_CHAINS.c.visits >= self.min_sessions)
            .where(DAY_CHAINS.c.query.in_(crowds), DAY_CHAINS.c.next.in_(crowds))
            .group_by(DAY_CHAINS.c.query, DAY_CHAINS.c.next)
        )
        found = [(row.query, row.next, row.visits) for row in self._all(wanted)]
        return sorted(found, key=lambda each: (-each[2], each[0], each[1]))

    def topics(self, period: Period) -> dict[tuple[str, str], Tally]:
        """By entity and aspect ("" for none): words of the lexicon, which tell of nobody."""
        rows = self._all(summed(DAY_TOPICS, ["entity", "aspect"], *period.bounds))
        return {(row.entity, row.aspect): _tally(row) for row in rows}

    def shared_topics(self, period: Period) -> dict[tuple[str, str], Tally]:
        """Those of `topics` that many asked for: on one day, as with questions."""
        since, until = period.bounds
        c = DAY_TOPIC_SESSIONS.c
        wanted = select(c.entity, c.aspect).where(c.sessions >= self.min_sessions, c.day >= since, c.day <= until)
        shared = {(row.entity, row.aspect) for row in self._all(wanted.distinct())}
        return {topic: tally for topic, tally in self.topics(period).items() if topic in shared}

    def aspects(self, period: Period) -> dict[str, Tally]:
        """By aspect."""
        return {row.aspect: _tally(row) for row in self._all(summed(DAY_ASPECTS, ["aspect"], *period.bounds))}

    def ranks(self, period: Period) -> dict[int, int]:
        """First clicks by rank."""
        rows = self._all(summed(DAY_RANKS, ["rank"], *period.bounds, ["clicks"]))
        return {row.rank: row.clicks for row in sorted(rows, key=lambda row: row.rank)}

    def cards(self, period: Period) -> dict[str, int]:
        """Searches by urgency card."""
        rows = self._all(summed(DAY_CARDS, ["card"], *period.bounds, ["searches"]))
        return {row.card: row.searches for row in rows}

    def latencies(self, period: Period) -> dict[tuple[str, str], dict[float, int]]:
        """(generation, stage) -> milliseconds -> searches; what was answered from memory is not among them."""
        found: defaultdict[tuple[str, str], dict[float, int]] = defaultdict(dict)
        for row in self._all(summed(DAY_LATENCIES, ["generation", "stage", "ms"], *period.bounds, ["searches"])):
            found[row.generation, row.stage][row.ms] = row.searches
        return dict(found)

    def feedback(self, period: Period) -> dict[str, int]:
        """What readers said, by verdict or reason."""
        since, until = period.bounds
        wanted = (
            select(FEEDBACK.c.verdict, func.count().label("readers"))
            .where(FEEDBACK.c.day >= since, FEEDBACK.c.day <= until)
            .group_by(FEEDBACK.c.verdict)
        )
        return {row.verdict: row.readers for row in self._all(wanted)}

    def losses(self, period: Period) -> int:
        """Searches and clicks that could not be written."""
        since, until = period.bounds
        wanted = select(func.sum(LOSSES.c.events)).where(LOSSES.c.day >= since, LOSSES.c.day <= until)
        return self._connection.execute(wanted).scalar() or 0

    def _crowds(self, period: Period) -> Select[Any]:
        since, until = period.bounds
        c = DAY_QUERIES.c
        # Of a long tail few rows have so many sessions: they are found by their number, for which SQLite would not
        # use its index while it could go by day.
        day = c.day.concat("")
        return select(c.query).where(c.sessions >= self.min_sessions, day >= since, day <= until)

    def _latest_totals(self, period: Period, crowds: Select[Any]) -> dict[str, int]:
        """Results of the latest search of each question."""
        since, until = period.bounds
        c = DAY_QUERIES.c
        days = select(c.query, c.last_total).where(c.day >= since, c.day <= until, c.query.in_(crowds)).order_by(c.day)
        return {row.query: row.last_total for row in self._all(days)}  # the last one stays

    def _all(self, statement: Select[Any]) -> list[Row[Any]]:
        return list(self._connection.execute(statement))


def _tally(row: Row[Any]) -> Tally:
    return Tally(**{name: getattr(row, name) or 0 for name in _TALLIED})


def together(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    total = Tally()
    for tally in tallies:
        for name in _TALLIED:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
    return total
