"""Answers and addresses that must not be shown, in any generation. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import StateError, cause_of, cause_of_sqlite
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import FILE_NAME, TIMEOUT_S, Part, read_state, write_state

TAKE_DOWNS = Part(
    "take_downs",
    (
        "CREATE TABLE IF NOT EXISTS take_downs (key TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL)",
        "ALTER TABLE take_downs ADD COLUMN actor TEXT NOT NULL DEFAULT ''",
    ),
)


@dataclass(frozen=True)
class TakenDown:
    """One entry."""

    key: str  #: an id or an address
    reason: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    actor: str  #: who did it; "" for entries from before that was kept


def take_down(data: Path, key: str, reason: str, actor: str = "") -> None:
    """Hide the answer with this id, or all answers of this address, from now on, and log it. Raises StateError."""
    with write_state(data, [TAKE_DOWNS, ACTS]) as database:
        database.execute(
            "INSERT OR REPLACE INTO take_downs (key, reason, at, actor) VALUES (?, ?, ?, ?)",
            (key, reason, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), actor),
        )
        add_act(database, actor, "下架", key, reason)


def put_back(data: Path, key: str, actor: str = "", reason: str = "") -> bool:
    """Show again what was taken down, and log it; false when it was not. Raises StateError."""
    with write_state(data, [TAKE_DOWNS, ACTS]) as database:
        row = database.execute("SELECT reason FROM take_downs WHERE key = ?", (key,)).fetchone()
        if row is None:
            return False
        database.execute("DELETE FROM take_downs WHERE key = ?", (key,))
        add_act(database, actor, "恢复", key, f"{reason}（原下架原因：{row[0]}）")
    return True


def list_take_downs(data: Path) -> list[TakenDown]:
    """All entries, the latest first. Raises StateError."""
    with read_state(data, TAKE_DOWNS) as database:
        if database is None:
            return []
        rows = database.execute("SELECT key, reason, at, actor FROM take_downs ORDER BY at DESC, rowid DESC").fetchall()
    return [TakenDown(*row) for row in rows]


#: where SQLite's file format keeps a counter that every change raises (sqlite.org/fileformat.html, 1.3.9)
_CHANGE_COUNTER = slice(24, 28)
#: the head of a write-ahead log's index, which every commit changes (sqlite.org/walformat.html, 2.1)
_WAL_INDEX_BYTES = 48


class TakeDowns:
    """The keys taken down, read again when the state database has changed."""

    def __init__(self, data: Path) -> None:
        self._file = data / FILE_NAME
        self._seen: tuple[object, ...] | None = None
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
        """Ids and addresses; the same object as long as they are the same. Raises StateError."""
        version = self._version()
        if version is None:
            return frozenset()
        if version != self._seen:
            keys = self._read()
            if keys != self._keys:  # other parts of the state change more often
                self._keys = keys
            self._seen = version
        return self._keys

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

    def _read(self) -> frozenset[str]:
        """The keys, without a write: an older table has them too, and a full disk hides nobody's take-down."""
        try:
            with closing(sqlite3.connect(self._file, timeout=TIMEOUT_S)) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'take_downs'").fetchone():
                    return frozenset()
                return frozenset(key for (key,) in database.execute("SELECT key FROM take_downs"))
        except sqlite3.Error as error:
            raise StateError(
                f"状态库 {self._file} 无法读写：{cause_of_sqlite(error)}；请检查磁盘空间和权限，或从备份恢复它。"
            ) from error
