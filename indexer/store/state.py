"""The state of a data directory, state.sqlite3: what people decided, which no build can make again.

Each part (take-downs, the log of acts, users) has tables of its own and a version of its own in `schema_versions`.
Connections live for one transaction, so that they cross neither threads nor forks. The journal is SQLite's plain one,
not a write-ahead log: writes are few, and a copy of the one file is a whole backup.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import StateError, cause_of, cause_of_sqlite

FILE_NAME = "state.sqlite3"
#: Writers hold the file for some milliseconds each.
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Part:
    """The tables of one part of the program."""

    name: str
    steps: tuple[str, ...]  #: statements that lead from each version to the next; only ever appended to


@contextmanager
def write_state(data: Path, parts: Sequence[Part]) -> Iterator[sqlite3.Connection]:
    """A connection within a transaction that writes: committed at the end, rolled back when anything is raised.

    The tables of `parts` are there, at their latest version. The file is made when there is none, for its owner only.
    Raises StateError when the file cannot be had, is no database, or was written by a later version of the program.
    """
    file = data / FILE_NAME
    with _sentences(file):
        _make(file)
        with closing(_connect(file)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                for part in parts:
                    _bring_up(database, part, file)
                yield database
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


@contextmanager
def read_state(data: Path, part: Part) -> Iterator[sqlite3.Connection | None]:
    """A connection within a transaction that only reads; None when nothing of this part was ever written, and nothing
    is made then. Tables at an earlier version are brought up first. Raises StateError as `write_state`.
    """
    file = data / FILE_NAME
    with _sentences(file):
        version = _version_of(file, part)
    if version is None:
        yield None
        return
    if version != len(part.steps):
        with write_state(data, [part]):
            pass  # only brought up
    with _sentences(file), closing(_connect(file)) as database:
        database.execute("BEGIN")
        yield database


def _make(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StateError(f"状态库 {file} 无法建立：{cause_of(error)}；请检查目录和权限。") from error


def _connect(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=TIMEOUT_S, isolation_level=None)
    try:
        database.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
        database.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _version_of(file: Path, part: Part) -> int | None:
    if not file.exists():
        return None
    with closing(_connect(file)) as database:
        return _recorded(database, part)


def _recorded(database: sqlite3.Connection, part: Part) -> int | None:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'").fetchone():
        return None
    row = database.execute("SELECT version FROM schema_versions WHERE part = ?", (part.name,)).fetchone()
    return row[0] if row else None


def _bring_up(database: sqlite3.Connection, part: Part, file: Path) -> None:
    version = _recorded(database, part) or 0
    if version == len(part.steps):
        return
    if version > len(part.steps):
        raise StateError(f"状态库 {file} 是由更新的版本写成的；请换用那个版本的程序，或从备份恢复。")
    database.execute("CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version INTEGER NOT NULL)")
    for step in part.steps[version:]:
        database.execute(step)
    database.execute("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)", (part.name, len(part.steps)))
    stat = os.stat(file)
    if stat.st_mode & 0o077 and stat.st_uid == os.geteuid():
        os.chmod(file, 0o600)  # made by an earlier version, when no passwords lay in it


@contextmanager
def _sentences(file: Path) -> Iterator[None]:
    """What SQLite says, as a StateError."""
    try:
        yield
    except sqlite3.Error as error:
        cause = cause_of_sqlite(error)
        raise StateError(f"状态库 {file} 无法读写：{cause}；请检查磁盘空间和权限，或从备份恢复它。") from error
