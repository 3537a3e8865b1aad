"""The log of acts: who changed what, when and why. Kept in the data directory's state.sqlite3, and only added to."""

from __future__ import annotations

import getpass
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.store.state import Part, read_state, write_state

MAX_NAME_CHARS = 64
MAX_OBJECT_CHARS = 500
MAX_DETAIL_CHARS = 2_000

ACTS = Part(
    "acts",
    (
        "CREATE TABLE acts (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,"
        " action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL)",
        "CREATE INDEX acts_at ON acts (at)",
        # Not against one who can write the file, but against a slip of the program.
        "CREATE TRIGGER acts_stay BEFORE UPDATE ON acts BEGIN SELECT RAISE(ABORT, 'acts are only added'); END",
        "CREATE TRIGGER acts_are_kept BEFORE DELETE ON acts BEGIN SELECT RAISE(ABORT, 'acts are only added'); END",
    ),
)


@dataclass(frozen=True)
class Act:
    """One line of the log. The texts hold no control characters and no marks that turn the direction of writing."""

    number: int  #: rises from act to act
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    actor: str  #: the name of a user; "命令行/<user of the operating system>"; "" for the program itself
    action: str  #: what was done, in a few Chinese words
    object: str  #: to what: an id, an address, a user
    detail: str  #: reason, values before and after


@dataclass(frozen=True)
class ActFilter:
    """Which acts are wanted; empty means all."""

    actor: str = ""
    action: str = ""
    object: str = ""  #: a part of it
    since: str = ""  #: YYYY-MM-DD, UTC, included
    until: str = ""  #: YYYY-MM-DD, UTC, included
    before: int | None = None  #: numbers below this one


def add_act(database: sqlite3.Connection, actor: str, action: str, object: str, detail: str = "") -> None:
    """Add a line within a transaction that `write_state` opened with ACTS among its parts."""
    database.execute(
        "INSERT INTO acts (at, actor, action, object, detail) VALUES (?, ?, ?, ?, ?)",
        (
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            plain(actor, MAX_NAME_CHARS),
            plain(action, MAX_NAME_CHARS),
            plain(object, MAX_OBJECT_CHARS),
            plain(detail, MAX_DETAIL_CHARS),
        ),
    )


def record_act(data: Path, actor: str, action: str, object: str, detail: str = "") -> None:
    """Add a line about something that is kept elsewhere. Raises StateError."""
    with write_state(data, [ACTS]) as database:
        add_act(database, actor, action, object, detail)


def read_acts(data: Path, wanted: ActFilter = ActFilter(), limit: int = 100) -> list[Act]:
    """The latest acts, newest first. Raises StateError."""
    conditions, values = _conditions(wanted)
    with read_state(data, ACTS) as database:
        if database is None:
            return []
        rows = database.execute(
            f"SELECT id, at, actor, action, object, detail FROM acts WHERE {conditions} ORDER BY id DESC LIMIT ?",
            (*values, limit),
        ).fetchall()
    return [Act(*row) for row in rows]


def act_names(data: Path) -> tuple[list[str], list[str]]:
    """The actors and the actions that the log has, sorted. Raises StateError."""
    with read_state(data, ACTS) as database:
        if database is None:
            return [], []
        actors, actions = (
            [value for (value,) in database.execute(f"SELECT DISTINCT {column} FROM acts ORDER BY 1")]
            for column in ("actor", "action")
        )
    return actors, actions


def _conditions(wanted: ActFilter) -> tuple[str, Sequence[object]]:
    asked: list[tuple[str, object]] = [
        ("actor = ?", wanted.actor),
        ("action = ?", wanted.action),
        ("instr(object, ?) > 0", wanted.object),
        ("at >= ?", wanted.since),
        ("at < ?", f"{wanted.until}U" if wanted.until else ""),  # "T" comes before "U": the whole day
        ("id < ?", wanted.before),
    ]
    used = [(condition, value) for condition, value in asked if value not in ("", None)]
    return " AND ".join(condition for condition, _ in used) or "1", [value for _, value in used]


def plain(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` characters: what could forge a line, drive a terminal or turn the direction
    of writing (categories C*, Zl, Zp of Unicode) becomes a blank.
    """
    seen = "".join(" " if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" else char for char in text)
    seen = seen.strip()
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def terminal_actor() -> str:
    """Who acts from the command line. No user of the site can have this name, for theirs hold no slash."""
    try:
        return f"命令行/{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        import os

        return f"命令行/{os.getuid()}"
