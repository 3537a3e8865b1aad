"""One thread of a process writes what the others put into a queue, several rows at a time: a search never waits for the
disk, and a kill costs what was put during the last moments.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import util
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from webapp.log_store.in_hand import InHand
from webapp.log_store.tables import LOSSES

Row = tuple[Table, Mapping[str, Any]]

#: rows that wait; what comes when so many wait is lost, and counted
MAX_WAITING = 20_000
#: rows are written so soon, together
EVERY_S = 0.2
#: after a failure it is tried again so much later, so often; then the rows are given up
RETRY_S, MAX_TRIES = 0.5, 6
_LAST_FLUSH_S = 1.0

_log = logging.getLogger(__name__)


class LogWriter:
    """Of one process; a forked child has its own thread. Safe for many threads."""

    _thread: threading.Thread | None
    _engine: Engine | None
    _in_hand: InHand | None

    def __init__(self, prepared: Callable[[], Engine], data_dir: Path) -> None:
        """`prepared` opens the database and makes its tables; called in the writing thread. `data_dir`: where this
        process leaves how much it has in hand.
        """
        self._prepared, self._data_dir = prepared, data_dir
        self._start()
        atexit.register(self._end)

    @property
    def lost_events(self) -> int:
        """How many rows this process could not write."""
        return self._lost

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """Have a row written soon. Takes microseconds, and never raises."""
        if self._process != os.getpid():  # a fork carries what waits in the parent, which will write that itself
            self._start()
            # A process of multiprocessing, as workers are, ends without `atexit`.
            util.Finalize(None, self._end, exitpriority=10)
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                self._lose(1, "写得太慢，等待的太多")
                return
            self._waiting.append((table, row))
            self._tell_in_hand()
            if len(self._waiting) == 1:
                self._changed.notify_all()
            if self._thread is None:
                self._in_hand = self._file_in_hand()
                self._tell_in_hand()
                self._thread = threading.Thread(target=self._run, name="query log", daemon=True)
                self._thread.start()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Have everything written now; false when that did not happen in time."""
        if self._process != os.getpid():
            return True
        end = time.monotonic() + timeout_s
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: not self._waiting and not self._writing, end - time.monotonic())
            self._hurry = False
            return done

    def _end(self) -> None:
        """When the process ends in good order. What a child inherits is its parent's."""
        if self.flush(_LAST_FLUSH_S) and self._process == os.getpid() and self._in_hand:
            with suppress(OSError):  # an empty number is no harm
                self._in_hand.remove()

    def _file_in_hand(self) -> InHand | None:
        """None where it cannot be kept: the log works without."""
        try:
            return InHand(self._data_dir)
        except OSError:
            return None

    def _tell_in_hand(self) -> None:
        if self._in_hand:
            self._in_hand.set(len(self._waiting) + self._writing)

    def _start(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: deque[Row] = deque()
        self._writing = 0
        self._hurry = False
        self._lost = 0
        self._lost_untold = 0  #: not yet in the table of losses
        self._thread = None
        self._engine = None
        self._in_hand = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                self._changed.wait_for(lambda: self._hurry, EVERY_S)
                rows = list(self._waiting)
                self._waiting.clear()
                self._writing = len(rows)
            if rows:
                self._write_patiently(rows)
            with self._changed:
                self._writing = 0
                self._tell_in_hand()
                self._changed.notify_all()

    def _write_patiently(self, rows: list[Row]) -> None:
        for attempt in range(1, MAX_TRIES + 1):
            try:
                self._write(rows)
                return
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                self._engine = None  # a connection made on a full disk stays read-only when there is room again
                if attempt == MAX_TRIES or not _may_pass(error):
                    with self._changed:
                        self._lose(len(rows), cause_of_log(error))
                    return
            time.sleep(RETRY_S)

    def _write(self, rows: list[Row]) -> None:
        if self._engine is None:
            self._engine = self._prepared()
        by_table: dict[Table, list[Mapping[str, Any]]] = {}
        for table, row in rows:
            by_table.setdefault(table, []).append(row)
        untold = self._lost_untold
        with self._engine.begin() as connection:
            for table, several in by_table.items():
                connection.execute(table.insert(), several)
            if untold:
                connection.execute(LOSSES.insert(), [{"day": f"{datetime.now(UTC):%Y-%m-%d}", "events": untold}])
        self._lost_untold -= untold

    def _lose(self, count: int, cause: str) -> None:
        """Count what is lost; said once, until something is written again."""
        if not self._lost_untold:
            _log.warning("查询日志无法写入，搜索不受影响，但有记录丢失：%s", cause)
        self._lost += count
        self._lost_untold += count


def _may_pass(error: Exception) -> bool:
    """Whether it may be mended by waiting: a full disk or another writer; what is no database stays none."""
    return isinstance(error, OperationalError | sqlite3.OperationalError)


def cause_of_log(error: Exception) -> str:
    """What the database says, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error) or type(error).__name__
