"""Answers and addresses that must not be shown, in any generation. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = "CREATE TABLE IF NOT EXISTS take_downs (key TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL)"


def take_down(data: Path, key: str, reason: str) -> None:
    """Hide the answer with this id, or all answers of this address, from now on."""
    data.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(data / "state.sqlite3", timeout=10)) as database, database:
        database.execute(_SCHEMA)
        database.execute(
            "INSERT OR REPLACE INTO take_downs VALUES (?, ?, ?)",
            (key, reason, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        )


class TakeDowns:
    """The keys taken down, read again when the state database has changed."""

    def __init__(self, data: Path) -> None:
        self._file = data / "state.sqlite3"
        self._seen: tuple[int, int] | None = None
        self._keys: frozenset[str] = frozenset()

    def keys(self) -> frozenset[str]:
        """Ids and addresses."""
        try:
            facts = self._file.stat()
        except FileNotFoundError:
            return frozenset()
        if (facts.st_mtime_ns, facts.st_size) != self._seen:
            self._keys = self._read()
            self._seen = (facts.st_mtime_ns, facts.st_size)
        return self._keys

    def _read(self) -> frozenset[str]:
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            database.execute(_SCHEMA)
            return frozenset(key for (key,) in database.execute("SELECT key FROM take_downs"))
