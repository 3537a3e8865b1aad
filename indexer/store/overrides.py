"""Who served a generation that the quality gate had refused, and why. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.store.state import Part, read_state, write_state

OVERRIDES = Part(
    "overrides",
    ("CREATE TABLE gate_overrides (generation TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL)",),
)


@dataclass(frozen=True)
class Override:
    """One of them."""

    generation: str
    reason: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ


def record_override(data: Path, generation: str, reason: str) -> None:
    """Keep that a refused generation is served, and why. Raises StateError."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with write_state(data, [OVERRIDES]) as database:
        database.execute("INSERT INTO gate_overrides VALUES (?, ?, ?)", (generation, reason, at))


def overrides(data: Path) -> list[Override]:
    """All of them, oldest first. Raises StateError."""
    with read_state(data, OVERRIDES) as database:
        if database is None:
            return []
        return [Override(*row) for row in database.execute("SELECT * FROM gate_overrides ORDER BY rowid")]
