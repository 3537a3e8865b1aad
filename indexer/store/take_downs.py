"""Answers and addresses that must not be shown, in any generation. Kept in the data directory's state.sqlite3."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state
from indexer.store.watched import Watched, has_table

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


class TakeDowns:
    """The keys taken down, read again when the state database has changed."""

    def __init__(self, data: Path) -> None:
        self._watched = Watched[frozenset[str]](data, read_keys, frozenset())

    def keys(self) -> frozenset[str]:
        """Ids and addresses; the same object as long as they are the same. Raises StateError."""
        return self._watched.value()


def read_keys(database: sqlite3.Connection) -> frozenset[str]:
    """The keys, without a write: an older table has them too."""
    if not has_table(database, "take_downs"):
        return frozenset()
    return frozenset(key for (key,) in database.execute("SELECT key FROM take_downs"))
