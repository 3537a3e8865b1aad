"""The query log: what was asked and what came of it, never who asked. The only reader and writer of its file.

Nothing here identifies a person: no address, browser, cookie or session, and personal numbers in a question are
replaced before it is written.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import unicodedata
from contextlib import closing
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from indexer import SearchResult
from webapp.scrubbing import scrub

__all__ = ["Event", "Feedback", "QueryLog", "Surface", "normalise", "scrub"]

Surface = Literal["page", "api"]

FILE_NAME = "querylog.sqlite3"

#: Writers hold the file for well under a millisecond each; who waits longer gives the event up.
WRITE_TIMEOUT_S = 0.25
READ_TIMEOUT_S = 5.0
PREPARE_ATTEMPTS = 10

_SCHEMA = """
create table if not exists events (
    time integer not null,      -- seconds since 1970, UTC
    query text not null,        -- normalised and scrubbed
    total integer not null,
    latency_ms real not null,
    generation text not null,
    surface text not null,
    page integer not null
);
create index if not exists events_time on events (time);
create table if not exists feedback (
    day text not null,          -- UTC; no closer, so that it goes with no search
    answer_id text not null,
    generation text not null,
    verdict text not null,      -- useful, useless, or the reason of a report
    note text not null          -- scrubbed
);
"""

_log = logging.getLogger(__name__)


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

    @classmethod
    def of(cls, result: SearchResult, surface: Surface, time: datetime | None = None) -> Event:
        """What is kept of a search; `time` None means now."""
        return cls(
            time=(time or datetime.now(UTC)).replace(microsecond=0),
            query=scrub(normalise(result.query.text)),
            total=result.total,
            latency_ms=round(result.latency_ms, 1),
            generation=result.generation,
            surface=surface,
            page=result.query.page,
        )


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
        return cls(time.astimezone(UTC).date(), answer_id, generation, verdict, scrub(note))


def normalise(text: str) -> str:
    """One spelling for questions that differ only in width, case, blanks or the mark at their end."""
    folded = unicodedata.normalize("NFKC", text).lower()
    seen = "".join(" " if unicodedata.category(char).startswith("C") else char for char in folded)
    return " ".join(seen.split()).rstrip(" ?!。.,;~…")


class QueryLog:
    """The log of one data directory. Safe for many threads and processes, also after a fork."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._local = threading.local()
        self._prepare_lock = threading.Lock()
        self._prepared_by: int | None = None
        self._lost_lock = threading.Lock()
        self._lost_events = 0

    @property
    def lost_events(self) -> int:
        """How many events this process could not write."""
        return self._lost_events

    def record(self, event: Event) -> None:
        """Write one event. A failure is counted, and logged the first time; it never reaches the caller."""
        row = (int(event.time.timestamp()), *astuple(event)[1:])
        self._write("insert into events values (?, ?, ?, ?, ?, ?, ?)", row)

    def record_feedback(self, feedback: Feedback) -> bool:
        """Write what a reader said; false when that could not be, so that the reader can be told."""
        row = (feedback.day.isoformat(), *astuple(feedback)[1:])
        return self._write("insert into feedback values (?, ?, ?, ?, ?)", row)

    def _write(self, statement: str, row: tuple[object, ...]) -> bool:
        try:
            self._writer().execute(statement, row)
        except (sqlite3.Error, OSError, ValueError) as error:
            self._lose(error)
            self._let_go()
            return False
        return True

    def _let_go(self) -> None:
        """Open the file anew next time: a connection made on a full disk stays read-only when there is room again."""
        if getattr(self._local, "process", None) == os.getpid():
            self._local.process = None
            self._local.connection.close()
            self._local.connection = None

    def read_events(self, since: datetime | None = None) -> list[Event]:
        """The events from `since` on (None: all), oldest first. Raises sqlite3.Error when the file is damaged."""
        if not self.path.is_file():
            return []
        start = int(since.timestamp()) if since else 0
        connection = _open(self.path, READ_TIMEOUT_S)
        try:
            rows = connection.execute("select * from events where time >= ? order by time, rowid", (start,)).fetchall()
        finally:
            connection.close()
        return [Event(datetime.fromtimestamp(time, UTC), *rest) for time, *rest in rows]

    def read_feedback(self) -> list[Feedback]:
        """Everything that readers said, oldest first. Raises sqlite3.Error when the file is damaged."""
        if not self.path.is_file():
            return []
        with closing(_open(self.path, READ_TIMEOUT_S)) as connection:
            rows = connection.execute("select * from feedback order by rowid").fetchall()
        return [Feedback(date.fromisoformat(day), *rest) for day, *rest in rows]

    def _writer(self) -> sqlite3.Connection:
        """This thread's connection; a forked child opens its own, for SQLite's must not cross a fork."""
        if getattr(self._local, "process", None) != os.getpid():
            self._local.inherited = getattr(self._local, "connection", None)  # kept, since closing it uses it
            self._prepare()
            self._local.connection = _open(self.path, WRITE_TIMEOUT_S)
            self._local.process = os.getpid()
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _prepare(self) -> None:
        """Make the file with its table, once in each process: turning on the write-ahead log needs it alone."""
        with self._prepare_lock:
            if self._prepared_by == os.getpid():
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            for attempt in range(PREPARE_ATTEMPTS):
                try:
                    _prepare(self.path)
                    break
                except sqlite3.OperationalError:  # another process is at it; SQLite does not wait for this lock
                    if attempt == PREPARE_ATTEMPTS - 1:
                        raise
                    time.sleep(WRITE_TIMEOUT_S / PREPARE_ATTEMPTS)
            self._prepared_by = os.getpid()

    def _lose(self, error: Exception) -> None:
        with self._lost_lock:
            self._lost_events += 1
            first = self._lost_events == 1
        if first:
            _log.warning("查询日志 %s 无法写入，搜索不受影响，但之后的记录可能缺失：%s", self.path, error)


def _prepare(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=WRITE_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(_SCHEMA)


def _open(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
    try:
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma secure_delete = on")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
