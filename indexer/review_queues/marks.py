"""What editors have looked through, by queue and key. Kept in the data directory's state.sqlite3.

A mark is for the text that was seen: it keeps what stands for it, and the item comes back when that has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import ReviewError
from indexer.review_queues.queues import QUEUES
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state

MAX_NOTE_CHARS = 500
_MAX_KEY_CHARS = 2_000
_MAX_DIGEST_CHARS = 64

REVIEWS = Part(
    "reviews",
    (
        "CREATE TABLE reviews (queue TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, note TEXT NOT NULL,"
        " actor TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (queue, key))",
    ),
)


@dataclass(frozen=True)
class Mark:
    """That an item was looked through."""

    key: str
    digest: str  #: of what was seen
    note: str  #: "" for most
    actor: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ


def mark_reviewed(data: Path, queue: str, key: str, digest: str, note: str, actor: str) -> None:
    """Note that an item, as it is now, needs nothing more, and log it. Raises ReviewError for a queue that there is
    not or a text that is too long, StateError.
    """
    label = queue_label(queue)
    _check(key, digest, note)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with write_state(data, [REVIEWS, ACTS]) as database:
        database.execute(
            "INSERT OR REPLACE INTO reviews (queue, key, digest, note, actor, at) VALUES (?, ?, ?, ?, ?, ?)",
            (queue, key, digest, note, actor, at),
        )
        add_act(database, actor, "看过", f"{label}：{key}", note)


def reopen_review(data: Path, queue: str, key: str, actor: str) -> bool:
    """Put an item back into its queue, and log it; false when it was not marked. Raises as `mark_reviewed`."""
    label = queue_label(queue)
    with write_state(data, [REVIEWS, ACTS]) as database:
        if not database.execute("DELETE FROM reviews WHERE queue = ? AND key = ?", (queue, key)).rowcount:
            return False
        add_act(database, actor, "重新打开", f"{label}：{key}")
    return True


def review_marks(data: Path, queue: str) -> dict[str, Mark]:
    """The marks of a queue by key, whatever has become of the text since. Raises StateError."""
    with read_state(data, REVIEWS) as database:
        if database is None:
            return {}
        rows = database.execute("SELECT key, digest, note, actor, at FROM reviews WHERE queue = ?", (queue,)).fetchall()
    return {row[0]: Mark(*row) for row in rows}


@contextmanager
def all_marks(data: Path) -> Iterator[Iterator[tuple[str, str, str]]]:
    """Queue, key and digest of every mark. Raises StateError."""
    with read_state(data, REVIEWS) as database:
        yield iter(database.execute("SELECT queue, key, digest FROM reviews") if database is not None else ())


def queue_label(queue: str) -> str:
    """What a queue is called. Raises ReviewError when there is none of that name."""
    if queue not in QUEUES:
        raise ReviewError(f"没有“{queue}”这个清单；可选的有 {'、'.join(QUEUES)}。")
    return QUEUES[queue].label


def _check(key: str, digest: str, note: str) -> None:
    if not key or len(key) > _MAX_KEY_CHARS or not digest or len(digest) > _MAX_DIGEST_CHARS:
        raise ReviewError("请写明清单里的哪一项。")
    if len(note) > MAX_NOTE_CHARS:
        raise ReviewError(f"备注太长：最多 {MAX_NOTE_CHARS} 个字。")
