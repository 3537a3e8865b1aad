"""What each day comes to, kept beside the log: reports read days, not searches, so that a million searches are tables
of some thousand rows. A day is counted again as long as it goes on, and some hours longer for clicks that come late;
then once for good, and its sessions are forgotten.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Float, Index, Integer, String, Table, Text, delete, func, select, update

from webapp.log_store.counting import Asked, Day, Opened, Tally, count_day
from webapp.log_store.tables import CLICKS, METADATA, SEARCHES

#: so long after its end a day is counted for good
LATE_CLICKS = timedelta(hours=6)
#: a day that goes on is counted anew when that was so long ago
COUNTED_ANEW_S = 60

_DAY_S = 24 * 60 * 60
_COUNTS = tuple(each.name for each in fields(Tally))


def _table(name: str, *keys: Column[Any], counts: bool = True) -> Table:
    day = Column("day", String(10), primary_key=True)
    tallied = [Column(each, Float if each == "reciprocal_ranks" else Integer, nullable=False) for each in _COUNTS]
    return Table(name, METADATA, day, *keys, *(tallied if counts else ()))


DAYS = _table(
    "days",
    Column("final", Integer, nullable=False),  # 1 when the day was over
    Column("counted_at", Integer, nullable=False),  # seconds since 1970
    Column("sessions", Integer, nullable=False),
    Column("visits", Integer, nullable=False),
    Column("visits_clickable", Integer, nullable=False),
    Column("visits_without_click", Integer, nullable=False),
    counts=False,
)
DAY_GENERATIONS = _table("day_generations", Column("generation", Text, primary_key=True))
DAY_QUERIES = _table(
    "day_queries",
    Column("query", Text, primary_key=True),
    Column("entity", Text),
    Column("sessions", Integer, nullable=False),
    Column("last_total", Integer, nullable=False),
)
Index("day_queries_crowds", DAY_QUERIES.c.sessions, DAY_QUERIES.c.day, DAY_QUERIES.c.query)
Index("day_queries_query", DAY_QUERIES.c.query, DAY_QUERIES.c.day)
DAY_TOPICS = _table(
    "day_topics",
    Column("entity", Text, primary_key=True),
    Column("aspect", Text, primary_key=True),  # "" for none
)
DAY_TOPIC_SESSIONS = _table(
    "day_topic_sessions",
    Column("entity", Text, primary_key=True),
    Column("aspect", Text, primary_key=True),
    Column("sessions", Integer, nullable=False),
    counts=False,
)
DAY_ASPECTS = _table("day_aspects", Column("aspect", Text, primary_key=True))
DAY_CHAINS = _table(
    "day_chains",
    Column("query", Text, primary_key=True),
    Column("next", Text, primary_key=True),
    Column("visits", Integer, nullable=False),
    counts=False,
)
DAY_QUERY_CLICKS = _table(
    "day_query_clicks",
    Column("query", Text, primary_key=True),
    Column("answer_id", Text, primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("clicks", Integer, nullable=False),
    counts=False,
)
DAY_RANKS = _table(
    "day_ranks", Column("rank", Integer, primary_key=True), Column("clicks", Integer, nullable=False), counts=False
)
DAY_CARDS = _table(
    "day_cards", Column("card", Text, primary_key=True), Column("searches", Integer, nullable=False), counts=False
)
DAY_LATENCIES = _table(
    "day_latencies",
    Column("generation", Text, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("ms", Float, primary_key=True),
    Column("searches", Integer, nullable=False),
    counts=False,
)
ROLLUPS = (
    DAYS,
    DAY_GENERATIONS,
    DAY_QUERIES,
    DAY_TOPICS,
    DAY_TOPIC_SESSIONS,
    DAY_ASPECTS,
    DAY_CHAINS,
    DAY_QUERY_CLICKS,
    DAY_RANKS,
    DAY_CARDS,
    DAY_LATENCIES,
)


def days_to_count(connection: Connection, now: datetime) -> list[str]:
    """The days that have searches and are not counted for good, oldest first; today is among them when it has any.
    None of the future: some clock was wrong. `now` in UTC.
    """
    has = {day for (day,) in connection.execute(select(SEARCHES.c.day).distinct())}
    is_fresh = (DAYS.c.final == 1) | (DAYS.c.counted_at > int(now.timestamp()) - COUNTED_ANEW_S)
    done = {day for (day,) in connection.execute(select(DAYS.c.day).where(is_fresh))}
    return sorted(day for day in has - done if day <= f"{now:%Y-%m-%d}")


def roll_up(connection: Connection, day: str, now: datetime, min_sessions: int) -> None:
    """Count a day, in the place of what was counted of it before. Part of the caller's transaction.

    For good, only such chains are kept as `min_sessions` visits have: two questions in a row tell of one person. What
    was opened is counted for questions only that so many sessions asked.
    """
    counted = count_day(_asked_on(connection, day), _opened_on(connection, day))
    for table in ROLLUPS:
        connection.execute(delete(table).where(table.c.day == day))
    is_final = now >= datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1) + LATE_CLICKS
    if is_final:
        counted.chains = Counter({chain: n for chain, n in counted.chains.items() if n >= min_sessions})
    shared = {query for query, tally in counted.queries.items() if tally.sessions >= min_sessions}
    counted.opened = Counter({each: n for each, n in counted.opened.items() if each[0] in shared})
    connection.execute(DAYS.insert(), [_day_row(counted, day, is_final, now)])
    for table, rows in _rows(counted):
        if several := [{"day": day, **row} for row in rows]:
            connection.execute(table.insert(), several)


def forget_sessions(connection: Connection) -> int:
    """Make the sessions of days that were counted for good nobody's, and the time of their searches midnight; how many
    searches that concerns.
    """
    final = select(DAYS.c.day).where(DAYS.c.final == 1)
    gone = connection.execute(
        update(SEARCHES)
        .where(SEARCHES.c.day.in_(final), SEARCHES.c.session.is_not(None))
        .values(session=None, origin=None, at=SEARCHES.c.at - SEARCHES.c.at % _DAY_S)
    )
    return gone.rowcount


def _asked_on(connection: Connection, day: str) -> Iterator[Asked]:
    wanted = select(SEARCHES).where(SEARCHES.c.day == day).order_by(SEARCHES.c.at, SEARCHES.c.id)
    for row in connection.execute(wanted):
        yield Asked(
            token=row.token,
            at=row.at,
            session=row.session,
            origin=row.origin,
            surface=row.surface,
            page=row.page,
            query=row.query,
            entity=row.entity,
            aspects=tuple(json.loads(row.aspects)),
            total=row.total,
            top_score=row.top_score,
            direct=row.direct is not None,
            urgency=row.urgency,
            generation=row.generation,
            remembered=row.remembered,
            latency_ms=row.latency_ms,
            stages_ms=json.loads(row.stages_ms),
        )


def _opened_on(connection: Connection, day: str) -> Iterator[Opened]:
    """Clicks on what was shown that day, also after midnight."""
    wanted = (
        select(CLICKS.c.token, CLICKS.c.rank, CLICKS.c.answer_id)
        .join(SEARCHES, SEARCHES.c.token == CLICKS.c.token)
        .where(SEARCHES.c.day == day)
        .order_by(CLICKS.c.at, CLICKS.c.id)
    )
    return (Opened(*tuple(row)) for row in connection.execute(wanted))


def _day_row(counted: Day, day: str, is_final: bool, now: datetime) -> dict[str, Any]:
    return {
        "day": day,
        "final": int(is_final),
        "counted_at": int(now.timestamp()),
        "sessions": counted.sessions,
        "visits": counted.visits,
        "visits_clickable": counted.visits_clickable,
        "visits_without_click": counted.visits_without_click,
    }


def _rows(counted: Day) -> Iterator[tuple[Table, Iterable[dict[str, Any]]]]:
    yield DAY_GENERATIONS, _tallied(counted.by_generation, lambda name: {"generation": name})
    yield DAY_QUERIES, _tallied(counted.queries, lambda query: {"query": query})
    yield DAY_TOPICS, _tallied(counted.topics, lambda key: {"entity": key[0], "aspect": key[1]})
    asked = counted.topic_sessions.items()
    yield DAY_TOPIC_SESSIONS, ({"entity": entity, "aspect": aspect, "sessions": n} for (entity, aspect), n in asked)
    yield DAY_ASPECTS, _tallied(counted.aspects, lambda aspect: {"aspect": aspect})
    yield DAY_CHAINS, ({"query": a, "next": b, "visits": n} for (a, b), n in counted.chains.items())
    yield (
        DAY_QUERY_CLICKS,
        ({"query": q, "answer_id": a, "rank": rank, "clicks": n} for (q, a, rank), n in counted.opened.items()),
    )
    yield DAY_RANKS, ({"rank": rank, "clicks": n} for rank, n in counted.ranks.items())
    yield DAY_CARDS, ({"card": card, "searches": n} for card, n in counted.cards.items())
    yield (
        DAY_LATENCIES,
        ({"generation": g, "stage": s, "ms": ms, "searches": n} for (g, s, ms), n in counted.latencies.items()),
    )


def _tallied(tallies: Mapping[Any, Tally], keyed: Callable[[Any], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({**keyed(key), **asdict(tally)} for key, tally in tallies.items())


def summed(table: Table, keys: Iterable[str], since: str, until: str, extra: Iterable[str] = ()) -> Any:
    """Select `keys` with the sums of all counts of a table over days, both included; `extra`: further columns."""
    columns = [table.c[key] for key in keys]
    counts = [*(_COUNTS if "clicked" in table.c else ()), *extra]
    sums = [func.sum(table.c[name]).label(name) for name in counts]
    return select(*columns, *sums).where(table.c.day >= since, table.c.day <= until).group_by(*columns)
