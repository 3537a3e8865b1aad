"""Answers and addresses that must not be shown, in any generation. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import StateError, cause_of, cause_of_sqlite

_SCHEMA = "CREATE TABLE IF NOT EXISTS take_downs (key TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL)"


def take_down(data: Path, key: str, reason: str) -> None:
    """Hide the answer with this id, or all answers of this address, from now on. Raises StateError."""
    with _state(data) as database:
        database.execute(
            "INSERT OR REPLACE INTO take_downs VALUES (?, ?, ?)",
            (key, reason, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        )


def put_back(data: Path, key: str) -> bool:
    """Show again what was taken down; false when it was not. Raises StateError."""
    with _state(data) as database:
        return database.execute("DELETE FROM take_downs WHERE key = ?", (key,)).rowcount > 0


@contextmanager
def _state(data: Path) -> Iterator[sqlite3.Connection]:
    """The state database, committed at the end."""
    file = data / "state.sqlite3"
    try:
        with closing(sqlite3.connect(file, timeout=10)) as database, database:
            database.execute(_SCHEMA)
            yield database
    except sqlite3.Error as error:
        raise StateError(
            f"状态库 {file} 无法读写：{cause_of_sqlite(error)}；请检查磁盘空间和权限，或从备份恢复它。"
        ) from error


#: where SQLite's file format keeps a counter that every change raises (sqlite.org/fileformat.html, 1.3.9)
_CHANGE_COUNTER = slice(24, 28)


class TakeDowns:
    """The keys taken down, read again when the state database has changed."""

    def __init__(self, data: Path) -> None:
        self._file = data / "state.sqlite3"
        self._seen: tuple[int, bytes] | None = None
        self._keys: frozenset[str] = frozenset()
        self._revision: tuple[frozenset[str], str] = (self._keys, "")

    @property
    def revision(self) -> str:
        """Stands for what is taken down now: it changes with any of the keys, and is the same when they are."""
        keys, known = self.keys(), self._revision
        if known[0] is not keys:
            listed = json.dumps(sorted(keys)).encode()
            self._revision = known = (keys, hashlib.sha256(listed).hexdigest() if keys else "")
        return known[1]

    def keys(self) -> frozenset[str]:
        """Ids and addresses."""
        try:
            with open(self._file, "rb") as database:
                # The time alone would miss a change in the same tick of the clock.
                version = (
                    os.fstat(database.fileno()).st_mtime_ns,
                    database.read(_CHANGE_COUNTER.stop)[_CHANGE_COUNTER],
                )
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise StateError(f"状态库 {self._file} 读不出来：{cause_of(error)}；请检查磁盘和权限。") from error
        if version != self._seen:
            self._keys = self._read()
            self._seen = version
        return self._keys

    def _read(self) -> frozenset[str]:
        with _state(self._file.parent) as database:
            return frozenset(key for (key,) in database.execute("SELECT key FROM take_downs"))
