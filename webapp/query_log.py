"""The query log: what was asked and what came of it, never who asked. The only door to its database.

Nothing here identifies a person: no address, browser or cookie is kept, sessions are numbers that nobody can make again
(log_store/sessions.py), and personal numbers, names and addresses in a question are replaced before it is written.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, select
from sqlalchemy.exc import SQLAlchemyError

from indexer import SearchResult
from indexer.errors import IndexerError
from webapp.log_store.databases import (
    FILE_NAME,
    address_of,
    is_prepared,
    make_tables,
    open_log,
    rewrite,
    take_turns,
)
from webapp.log_store.in_hand import left_by_the_dead
from webapp.log_store.reading import DayReader
from webapp.log_store.rollups import days_to_count, forget_sessions, roll_up
from webapp.log_store.sessions import Visitor
from webapp.log_store.tables import CLICKS, FEEDBACK, LOSSES, METADATA, SEARCHES
from webapp.log_store.writer import LogWriter, cause_of_log
from webapp.scrubbing import scrub
from webapp.scrubbing_words import scrub_words

__all__ = ["Click", "Event", "Feedback", "LogUnreadable", "QueryLog", "Surface", "normalise", "without_persons"]


class LogUnreadable(IndexerError):
    """The log's database is damaged or cannot be had."""


Surface = Literal["page", "api"]

#: so long a writer waits for another process, and a reader for a writer
WRITE_TIMEOUT_S, READ_TIMEOUT_S = 2.0, 5.0
_TOKEN_BITS = 62


@dataclass(frozen=True)
class Event:
    """One search."""

    time: datetime  #: UTC, whole seconds
    query: str  #: normalised and scrubbed
    total: int  #: results on all pages
    latency_ms: float
    generation: str
    surface: Surface
    page: int  #: 1-based; a page above 1 is reading on, not asking again
    token: int = 0  #: random, what a click says it came from; 0: one is made when it is written
    visitor: Visitor | None = None
    words: tuple[str, ...] = ()  #: what is looked for; only words that the scrubbed query still holds
    entity: str | None = None  #: the term that it is mainly about
    aspects: tuple[str, ...] = ()
    corrected: str | None = None  #: what was searched instead, scrubbed
    site: str | None = None  #: the filters
    aspect: str | None = None
    exact: bool = False  #: as typed, slips and all
    shown: tuple[tuple[str, float], ...] = ()  #: ids and scores of the answers of this page
    direct: str | None = None  #: id of the answer quoted above the list
    urgency: str | None = None  #: id of the card
    partial: bool = False  #: time ran out
    remembered: bool = False  #: answered from memory
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        result: SearchResult,
        surface: Surface,
        time: datetime | None = None,
        visitor: Visitor | None = None,
        remembered: bool = False,
    ) -> Event:
        """What is kept of a search; `time` None means now."""
        query = without_persons(result.query.text, result.terms)
        return cls(
            time=(time or datetime.now(UTC)).replace(microsecond=0),
            query=query,
            total=result.total,
            latency_ms=round(result.latency_ms, 1),
            generation=result.generation,
            surface=surface,
            page=result.query.page,
            token=new_token(),
            visitor=visitor,
            words=tuple(word for word in result.words if normalise(word) in query),
            entity=result.entity,
            aspects=result.aspects,
            corrected=without_persons(result.corrected, result.terms) if result.corrected else None,
            site=result.query.site,
            aspect=result.query.aspect,
            exact=result.query.as_typed,
            shown=tuple((hit.answer.id, round(hit.score, 4)) for hit in result.hits),
            direct=result.answer.answer.id if result.answer else None,
            urgency=result.urgency.id if result.urgency else None,
            partial=result.partial,
            remembered=remembered,
            stages_ms={name: round(ms, 2) for name, ms in result.stages_ms.items()},
        )


@dataclass(frozen=True)
class Click:
    """Somebody opened an answer from a list of results."""

    time: datetime  #: UTC, whole seconds
    token: int  #: of the search; a report counts it only when that search showed this answer at this rank
    rank: int  #: 1-based, over all pages
    answer_id: str
    target: Literal["answer", "source"] = "answer"


@dataclass(frozen=True)
class Feedback:
    """What a reader said of an answer."""

    day: date  #: UTC
    answer_id: str
    generation: str
    verdict: str  #: "useful", "useless" or the reason of a report
    note: str  #: scrubbed; "" for most

    @classmethod
    def of(cls, time: datetime, answer_id: str, generation: str, verdict: str, note: str) -> Feedback:
        """What is kept of it."""
        return cls(time.astimezone(UTC).date(), answer_id, generation, verdict, scrub_words(scrub(note)))


def new_token() -> int:
    """A number for a search that nobody can guess."""
    return secrets.randbits(_TOKEN_BITS) + 1


def without_persons(text: str, known: Collection[str] = ()) -> str:
    """A question as it is kept: normalised, and nothing in it that tells of a person. `known`: words of the lexicon in
    it, which are nobody's name.
    """
    return scrub_words(scrub(normalise(text)), known)


def normalise(text: str) -> str:
    """One spelling for questions that differ only in width, case, blanks or the mark at their end."""
    folded = unicodedata.normalize("NFKC", text).lower()
    seen = "".join(" " if unicodedata.category(char).startswith("C") else char for char in folded)
    return " ".join(seen.split()).rstrip(" ?!。.,;~…")


class QueryLog:
    """The log of one data directory. Safe for many threads and processes, also after a fork."""

    def __init__(self, data_dir: Path, address: str = "") -> None:
        """`address`: of another database, as SQLAlchemy has it; "" for the file of the data directory."""
        self.path = data_dir / FILE_NAME
        self._address = address or address_of(data_dir)
        self._writer = LogWriter(self._prepared, data_dir)

    @property
    def lost_events(self) -> int:
        """How many events this process could not write."""
        return self._writer.lost_events

    def record(self, event: Event) -> None:
        """Have an event written soon. Never raises; what cannot be written is counted."""
        self._writer.put(SEARCHES, _row_of(event))

    def record_click(self, click: Click) -> None:
        """The same for a click."""
        row = {"at": int(click.time.timestamp()), "day": f"{click.time:%Y-%m-%d}", "token": click.token}
        self._writer.put(CLICKS, {**row, "rank": click.rank, "answer_id": click.answer_id, "target": click.target})

    def record_feedback(self, feedback: Feedback) -> bool:
        """Write what a reader said; false when that could not be, so that the reader can be told."""
        row = {**vars(feedback), "day": feedback.day.isoformat()}
        try:
            with self._prepared().begin() as connection:
                connection.execute(FEEDBACK.insert(), [row])
        except (SQLAlchemyError, OSError):
            return False
        return True

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Have everything written now that this process has recorded; false when that did not happen in time."""
        return self._writer.flush(timeout_s)

    def read_events(self, since: datetime | None = None) -> list[Event]:
        """The events from `since` on (None: all), oldest first. Raises LogUnreadable."""
        start = int(since.timestamp()) if since else 0
        wanted = select(SEARCHES).where(SEARCHES.c.at >= start).order_by(SEARCHES.c.at, SEARCHES.c.id)
        return [_event_of(row) for row in self._read(wanted)]

    @contextmanager
    def reader(self, min_sessions: int, now: datetime | None = None) -> Iterator[DayReader | None]:
        """What reports read, counted up to now; None where nothing was ever written. Raises LogUnreadable."""
        now = now or datetime.now(UTC)
        self.flush()
        if not self._is_there():
            yield None
            return
        with self._sentences():
            self._note_what_the_dead_held()
            self.count_days(now, min_sessions)
            with self._open_to_read() as connection:
                yield DayReader(connection, min_sessions)

    def count_days(self, now: datetime, min_sessions: int) -> None:
        """Count the days that are not counted for good; the one that goes on, when that was a minute ago. Raises
        SQLAlchemyError.
        """
        engine = self._prepared()
        with engine.connect() as connection:
            days = days_to_count(connection, now)
        for day in days:
            with engine.begin() as connection:
                take_turns(connection)
                roll_up(connection, day, now, min_sessions)
        with engine.begin() as connection:
            forget_sessions(connection)

    def purge(self, before: date) -> int:
        """Delete what is older, and write what is left anew, so that none of its bytes stay (`databases.rewrite`). How
        many rows went. Raises LogUnreadable.
        """
        self.flush()
        if not self._is_there():
            return 0
        with self._sentences():
            engine = self._prepared()
            with engine.begin() as connection:
                gone = sum(
                    connection.execute(delete(table).where(table.c.day < before.isoformat())).rowcount
                    for table in METADATA.sorted_tables
                )
            if gone:
                rewrite(engine)
        return gone

    def look_after(self, now: datetime, min_sessions: int, retention_days: int) -> None:
        """What has to be done from time to time: count days, forget their sessions, purge what is too old. Raises
        LogUnreadable.
        """
        with self.reader(min_sessions, now):
            pass
        self.purge(now.date() - timedelta(retention_days))

    def read_clicks(self) -> list[Click]:
        """All clicks, oldest first. Raises LogUnreadable."""
        return [
            Click(datetime.fromtimestamp(row.at, UTC), row.token, row.rank, row.answer_id, row.target)
            for row in self._read(select(CLICKS).order_by(CLICKS.c.id))
        ]

    def read_feedback(self) -> list[Feedback]:
        """Everything that readers said, oldest first. Raises LogUnreadable."""
        return [
            Feedback(date.fromisoformat(row.day), row.answer_id, row.generation, row.verdict, row.note)
            for row in self._read(select(FEEDBACK).order_by(FEEDBACK.c.id))
        ]

    def _note_what_the_dead_held(self) -> None:
        for events, day in left_by_the_dead(self.path.parent):
            if events:
                with self._prepared().begin() as connection:
                    connection.execute(LOSSES.insert(), [{"day": day, "events": events}])

    def _read(self, statement: Any) -> list[Row[Any]]:
        """Rows; none where nothing was ever written, and nothing is made then."""
        self.flush()
        if not self._is_there():
            return []
        with self._sentences(), self._open_to_read() as connection:
            return list(connection.execute(statement))

    def _is_there(self) -> bool:
        return self._is_elsewhere or self.path.is_file()

    @property
    def _is_elsewhere(self) -> bool:
        return self._address != address_of(self.path.parent)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """What the database says, as a LogUnreadable."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            if self._is_elsewhere:
                told = (
                    f"查询日志的数据库读不出来：{cause_of_log(error)}。请检查设置 log_database，以及数据库是否在运行。"
                )
            else:
                told = f"查询日志 {self.path} 读不出来：{cause_of_log(error)}。请把它移走，之后会重新记录。"
            raise LogUnreadable(told) from error

    def _open_to_read(self) -> Connection:
        engine = open_log(self._address, READ_TIMEOUT_S, writes=False)
        if not is_prepared(engine):
            make_tables(open_log(self._address, READ_TIMEOUT_S, writes=True))
        return engine.connect()

    def _prepared(self) -> Engine:
        engine = open_log(self._address, WRITE_TIMEOUT_S, writes=True)
        make_tables(engine)
        return engine


def _row_of(event: Event) -> dict[str, Any]:
    visitor = event.visitor
    return {
        "token": event.token or new_token(),
        "at": int(event.time.timestamp()),
        "day": f"{event.time.astimezone(UTC):%Y-%m-%d}",
        "session": visitor.session if visitor else None,
        "origin": visitor.origin if visitor else None,
        "surface": event.surface,
        "page": event.page,
        "query": event.query,
        "words": _json(event.words),
        "entity": event.entity,
        "aspects": _json(event.aspects),
        "corrected": event.corrected,
        "site": event.site,
        "aspect": event.aspect,
        "exact": event.exact,
        "total": event.total,
        "top_score": event.shown[0][1] if event.shown and event.page == 1 else None,
        "shown": _json(event.shown),
        "direct": event.direct,
        "urgency": event.urgency,
        "generation": event.generation,
        "partial": event.partial,
        "remembered": event.remembered,
        "latency_ms": event.latency_ms,
        "stages_ms": _json(event.stages_ms),
    }


def _event_of(row: Row[Any]) -> Event:
    return Event(
        time=datetime.fromtimestamp(row.at, UTC),
        query=row.query,
        total=row.total,
        latency_ms=row.latency_ms,
        generation=row.generation,
        surface=row.surface,
        page=row.page,
        token=row.token,
        visitor=Visitor(row.session, row.origin) if row.session is not None else None,
        words=tuple(json.loads(row.words)),
        entity=row.entity,
        aspects=tuple(json.loads(row.aspects)),
        corrected=row.corrected,
        site=row.site,
        aspect=row.aspect,
        exact=row.exact,
        shown=tuple((id_, score) for id_, score in json.loads(row.shown)),
        direct=row.direct,
        urgency=row.urgency,
        partial=row.partial,
        remembered=row.remembered,
        stages_ms=json.loads(row.stages_ms),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
