"""The items of a generation less those that were looked through as they are, or taken down."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from indexer.errors import DiskFault, ReviewError, cause_of_sqlite
from indexer.review_queues.item_file import file_of, open_items
from indexer.review_queues.marks import Mark, all_marks, queue_label, review_marks
from indexer.review_queues.queues import QUEUES, ReviewItem
from indexer.store import generations
from indexer.store.take_downs import TakeDowns

MAX_SITES = 500
#: what SQLite says of a file that is none of its own, or damaged
_SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_OPEN = "gone.item IS NULL AND marks.key IS NULL"
_SEEN = "gone.item IS NULL AND marks.key IS NOT NULL"
_FROM = (
    "items LEFT JOIN gone ON gone.item = items.number LEFT JOIN marks"
    " ON marks.queue = items.queue AND marks.key = items.key AND marks.digest = items.digest"
)
_OF_SITE = "(?1 IS NULL OR EXISTS (SELECT 1 FROM members WHERE members.item = items.number AND members.site = ?1))"


@dataclass(frozen=True)
class Listed:
    """An item, and what is known of its being looked through."""

    item: ReviewItem
    mark: Mark | None  #: the last one; of an earlier text when `is_seen` is false
    is_seen: bool
    hidden: frozenset[str] = frozenset()  #: ids of its answers that are taken down


@dataclass(frozen=True)
class ReviewPage:
    """A part of a queue."""

    total: int  #: of the queue, or of its items of the site that was asked for
    items: tuple[Listed, ...]
    sites: tuple[tuple[str, int], ...]  #: that the queue has items of, most items first


def review_counts(data: Path, generation: str) -> dict[str, int] | None:
    """How many items each queue of pages has open; None when they have not been listed yet (`make_reviews`).

    Raises GenerationMissing, GenerationDamaged, StateError, DiskFault.
    """
    with _opened(data, generation) as database:
        if database is None:
            return None
        rows = database.execute(f"SELECT items.queue, count(*) FROM {_FROM} WHERE {_OPEN} GROUP BY items.queue")
        found = dict(rows.fetchall())
    return {queue.name: found.get(queue.name, 0) for queue in QUEUES.values() if queue.is_of_pages}


def review_page(
    data: Path, generation: str, queue: str, offset: int, limit: int, site: str | None = None, seen: bool = False
) -> ReviewPage | None:
    """Items of a queue, worst first: those that are open, or those that were looked through (`seen`). None when they
    have not been listed yet. Raises as `review_counts`, and ReviewError for a queue that there is not.
    """
    queue_label(queue)
    state = _SEEN if seen else _OPEN
    with _opened(data, generation) as database:
        if database is None:
            return None
        where = f"FROM {_FROM} WHERE items.queue = ?2 AND {state} AND {_OF_SITE}"
        [total] = database.execute(f"SELECT count(*) {where}", (site, queue)).fetchone()
        rows = database.execute(
            f"SELECT items.content {where} ORDER BY items.number LIMIT ?3 OFFSET ?4", (site, queue, limit, offset)
        ).fetchall()
        sites = database.execute(
            f"SELECT members.site, count(DISTINCT items.number) FROM {_FROM} JOIN members ON members.item ="
            f" items.number WHERE items.queue = ? AND {state} GROUP BY members.site ORDER BY 2 DESC, 1 LIMIT ?",
            (queue, MAX_SITES),
        ).fetchall()
        items = [_item(content) for (content,) in rows]
    return ReviewPage(total, _listed(data, queue, items), tuple(sites))


def find_review(data: Path, generation: str, queue: str, key: str) -> Listed:
    """One item, open or not. Raises ReviewError when there is none, or they have not been listed yet; else as
    `review_counts`.
    """
    label = queue_label(queue)
    with _opened(data, generation) as database:
        if database is None:
            raise ReviewError(f"{generation} 的质检清单还没有整理；请先运行 yiwen review list。")
        row = database.execute("SELECT content FROM items WHERE queue = ? AND key = ?", (queue, key)).fetchone()
    if row is None:
        raise ReviewError(f"{generation} 的“{label}”里没有 {key}；它可能已经改好或不在这一代里。")
    return _listed(data, queue, [_item(row[0])])[0]


def _item(content: bytes) -> ReviewItem:
    return msgspec.json.decode(content, type=ReviewItem)


def _listed(data: Path, queue: str, items: list[ReviewItem]) -> tuple[Listed, ...]:
    marks, keys = review_marks(data, queue), TakeDowns(data).keys()
    listed = []
    for item in items:
        mark = marks.get(item.key)
        hidden = frozenset(text.id for text in item.texts if text.id in keys or text.url in keys)
        listed.append(Listed(item, mark, mark is not None and mark.digest == item.digest, hidden))
    return tuple(listed)


@contextmanager
def _opened(data: Path, generation: str) -> Iterator[sqlite3.Connection | None]:
    """The items of a generation, with a table of the marks and one of the items of which nothing is shown any more."""
    file = file_of(data, generations.open_manifest(data, generation))
    if not file.is_file():
        yield None
        return
    try:
        with closing(open_items(file)) as database:
            database.execute("CREATE TEMP TABLE marks (queue, key, digest, PRIMARY KEY (queue, key))")
            database.execute("CREATE TEMP TABLE taken (key PRIMARY KEY)")
            database.execute("CREATE TEMP TABLE gone (item INTEGER PRIMARY KEY)")
            with all_marks(data) as marks:
                database.executemany("INSERT INTO marks VALUES (?, ?, ?)", marks)
            taken = TakeDowns(data).keys()
            database.executemany("INSERT INTO taken VALUES (?)", ((key,) for key in taken))
            database.execute(_FIND_GONE)
            yield database
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in _SPOILT:  # it can be made again
            file.unlink(missing_ok=True)
        raise DiskFault(
            f"质检清单 {file} 读不了：{cause_of_sqlite(error)}；请再试一次，坏了的清单会重新整理。"
        ) from error


#: an item goes when fewer of its answers are shown than it takes to be one: of two copies both, of a flaw the one
_FIND_GONE = """
INSERT INTO gone
SELECT members.item FROM members JOIN items ON items.number = members.item
WHERE members.item IN (
    SELECT item FROM members WHERE id IN (SELECT key FROM taken)
    UNION SELECT item FROM members WHERE url IN (SELECT key FROM taken)
)
GROUP BY members.item
HAVING sum(members.id NOT IN (SELECT key FROM taken) AND coalesce(members.url, '') NOT IN (SELECT key FROM taken))
    < max(items.least)
"""
