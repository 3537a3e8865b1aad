"""The items of one generation, in a database of their own that is written once and then only read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from indexer.errors import DiskFault, cause_of_sqlite
from indexer.review_queues.finding import Found
from indexer.store.generations import Manifest

FOLDER = "reviews"
#: of what is written below and of the rules in finding.py: another when a file must be made anew
_VERSION = 1
_SCHEMA = """
CREATE TABLE items (
    number INTEGER PRIMARY KEY,  -- rises from the worst to the least of each queue
    queue TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, least INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE TABLE members (item INTEGER NOT NULL, id TEXT NOT NULL, url TEXT, site TEXT NOT NULL);
"""
#: made when all is written, which is faster
_INDEXES = """
CREATE UNIQUE INDEX items_key ON items (queue, key);
CREATE INDEX items_queue ON items (queue, number);
CREATE INDEX members_item ON members (item, site);
CREATE INDEX members_site ON members (site, item);
CREATE INDEX members_id ON members (id);
CREATE INDEX members_url ON members (url);
"""


def file_of(data: Path, manifest: Manifest) -> Path:
    """Where the items of a generation lie. Another index of the same name has another file."""
    return data / "cache" / FOLDER / f"{manifest.generation}-{manifest.fingerprint[:16]}-{_VERSION}.sqlite3"


def write_items(file: Path, found: Iterable[Found]) -> int:
    """Write the items, the worst of each queue first, whole or not at all; gives how many.

    Raises DiskFault, OSError, and what `found` raises.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}.partial")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")  # a draft that is not finished is thrown away
            database.execute("PRAGMA synchronous = OFF")
            database.executescript(_SCHEMA)
            database.execute("BEGIN")
            count = 0
            for count, each in enumerate(found, 1):
                item = each.item
                row = (count, item.queue, item.key, item.digest, each.least, msgspec.json.encode(item))
                database.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", row)
                members = ((count, member.id, member.url, member.site) for member in each.members)
                database.executemany("INSERT INTO members VALUES (?, ?, ?, ?)", members)
            database.execute("COMMIT")
            database.executescript(_INDEXES)
        os.replace(draft, file)
    except sqlite3.Error as error:
        raise DiskFault(f"质检清单 {file} 写不了：{cause_of_sqlite(error)}；请检查磁盘空间和权限。") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return count


def open_items(file: Path) -> sqlite3.Connection:
    """The items, for reading; tables of the connection's own may be added. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True, isolation_level=None)
