"""Who served a generation that the quality gate had refused, and why. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import StateError

_SCHEMA = "CREATE TABLE IF NOT EXISTS gate_overrides (generation TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL)"


@dataclass(frozen=True)
class Override:
    """One of them."""

    generation: str
    reason: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ


def record_override(data: Path, generation: str, reason: str) -> None:
    """Keep that a refused generation is served, and why. Raises StateError."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with _state(data) as database:
        database.execute("INSERT INTO gate_overrides VALUES (?, ?, ?)", (generation, reason, at))


def overrides(data: Path) -> list[Override]:
    """All of them, oldest first. Raises StateError."""
    if not (data / "state.sqlite3").is_file():
        return []
    with _state(data) as database:
        return [Override(*row) for row in database.execute("SELECT * FROM gate_overrides ORDER BY rowid")]


@contextmanager
def _state(data: Path) -> Iterator[sqlite3.Connection]:
    """The state database, committed at the end."""
    file = data / "state.sqlite3"
    try:
        with closing(sqlite3.connect(file, timeout=10)) as database, database:
            database.execute(_SCHEMA)
            yield database
    except sqlite3.Error as error:
        raise StateError(f"状态库 {file} 无法读写：{error}；请检查权限，或从备份恢复它。") from error
