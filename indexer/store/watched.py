"""What people decided, as searches see it: read again when state.sqlite3 has changed, which is cheap to tell."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Generic, TypeVar

from indexer.errors import StateError, cause_of, cause_of_sqlite
from indexer.store.state import FILE_NAME, TIMEOUT_S

Value = TypeVar("Value")

#: where SQLite's file format keeps a counter that every change raises (sqlite.org/fileformat.html, 1.3.9)
_CHANGE_COUNTER = slice(24, 28)
#: the head of a write-ahead log's index, which every commit changes (sqlite.org/walformat.html, 2.1)
_WAL_INDEX_BYTES = 48


class Watched(Generic[Value]):
    """A value that is read from the state database. Safe to share between threads."""

    def __init__(self, data: Path, read: Callable[[sqlite3.Connection], Value], empty: Value) -> None:
        """`read` must do without writing and without tables that nobody has made: a full disk hides nobody's decision.
        `empty` is what holds where there is no state at all.
        """
        self._file = data / FILE_NAME
        self._read = read
        self._empty = empty
        self._known: tuple[tuple[object, ...] | None, Value] = (None, empty)

    def value(self) -> Value:
        """The latest; the same object as long as it is equal. Raises StateError."""
        version = self._version()
        if version is None:
            return self._empty
        seen, known = self._known
        if version != seen:
            value = self._read_again()
            if value != known:  # other parts of the state change more often
                known = value
            self._known = (version, known)
        return known

    def _version(self) -> tuple[object, ...] | None:
        """Another after every change of the file, in either of SQLite's journals; None when there is no file."""
        try:
            with open(self._file, "rb") as database:
                # The time alone would miss a change in the same tick of the clock.
                changed_ns = os.fstat(database.fileno()).st_mtime_ns
                counter = database.read(_CHANGE_COUNTER.stop)[_CHANGE_COUNTER]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"状态库 {self._file} 读不出来：{cause_of(error)}；请检查磁盘和权限。") from error
        try:
            with open(f"{self._file}-shm", "rb") as index:
                return changed_ns, counter, index.read(_WAL_INDEX_BYTES)
        except FileNotFoundError:
            return changed_ns, counter

    def _read_again(self) -> Value:
        try:
            with closing(sqlite3.connect(self._file, timeout=TIMEOUT_S)) as database:
                return self._read(database)
        except sqlite3.Error as error:
            raise StateError(
                f"状态库 {self._file} 无法读写：{cause_of_sqlite(error)}；请检查磁盘空间和权限，或从备份恢复它。"
            ) from error


def has_table(database: sqlite3.Connection, name: str) -> bool:
    """Whether somebody has made it."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
