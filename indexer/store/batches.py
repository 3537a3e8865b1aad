"""Batches of the editors' inbox: where their files lie, and what was decided about them.

    inbox/<number>/files/           the pages of a batch that waits
    inbox/<number>/inspected.jsonl  what cleaning made of them, and other facts; kept when the batch is taken in
    pages/<number>/                 the pages of a batch that was taken in: every build reads them

A move of one folder takes a batch in or out. So where the files lie is what a batch's state is, whatever a process that
died had still to write down; neither place: it was discarded.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.errors import InboxError
from indexer.records import BATCHES_PATH
from indexer.store.audit_log import ACTS, add_act
from indexer.store.disk import disk_faults_told
from indexer.store.state import Part, read_state, write_state

INBOX, PAGES, FILES = "inbox", "pages", "files"
MAX_NAME_CHARS = 100
MAX_REASON_CHARS = 500
STATE_LABELS: Mapping[str, str] = {"waiting": "待处理", "taken": "已收进", "discarded": "已丢弃"}

BATCHES = Part(
    "batches",
    (
        "CREATE TABLE batches (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, actor TEXT NOT NULL,"
        " at TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, unread TEXT NOT NULL,"
        " decided_at TEXT NOT NULL DEFAULT '', decided_by TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '')",
        "CREATE TABLE left_out_pages (batch INTEGER NOT NULL REFERENCES batches (id), path TEXT NOT NULL,"
        " reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (batch, path))",
    ),
)
_COLUMNS = "id, name, actor, at, files, bytes, unread, decided_at, decided_by, reason"


@dataclass(frozen=True)
class LeftOutFile:
    """A file of an upload that no build could read, and so was not kept."""

    name: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Pages that came in together."""

    number: int
    name: str
    actor: str  #: who brought them
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    files: int
    bytes: int  #: as they lie on disk
    unread: tuple[LeftOutFile, ...]  #: the first of what was not kept of the upload
    decided_at: str  #: when it was taken in or discarded; ""
    decided_by: str
    reason: str  #: of discarding
    state: str  #: a key of STATE_LABELS

    @property
    def state_label(self) -> str:
        """Its state, in Chinese."""
        return STATE_LABELS[self.state]


def waiting_files(data: Path, number: int) -> Path:
    """Where the pages of a batch lie before it is taken in."""
    return data / INBOX / str(number) / FILES


def taken_files(data: Path, number: int) -> Path:
    """Where they lie afterwards."""
    return data / PAGES / str(number)


def facts_folder(data: Path, number: int) -> Path:
    """Where what was found out about a batch lies."""
    return data / INBOX / str(number)


def files_folder(data: Path, batch: Batch) -> Path:
    """Where its pages are now. Raises InboxError for one that was discarded."""
    if batch.state == "discarded":
        raise InboxError(f"第 {batch.number} 批已经丢弃，文件不在了。")
    return taken_files(data, batch.number) if batch.state == "taken" else waiting_files(data, batch.number)


def path_in_builds(number: int, path: str) -> str:
    """The path of a page of a batch, as builds call it."""
    return f"{BATCHES_PATH}/{number}/{path}"


def taken_in(data: Path) -> list[tuple[int, Path]]:
    """Numbers and folders of the batches that builds read, the latest first: of pages with the same ids the first that
    is met stays, and a page that was collected again is to stand in for what it was.
    """
    folder = data / PAGES
    if not folder.is_dir():
        return []
    found = [(int(path.name), path) for path in folder.iterdir() if path.name.isascii() and path.name.isdecimal()]
    return sorted(((number, path) for number, path in found if path.is_dir()), reverse=True)


def add_batch(
    data: Path, made: Path, name: str, actor: str, sizes: Sequence[int], unread: Sequence[LeftOutFile]
) -> int:
    """Make a batch of a folder in the inbox, which is moved; gives its number. Raises StateError or DiskFault."""
    with _deciding(data, "收下这一批文件") as database:
        told = json.dumps([[each.name, each.reason] for each in unread], ensure_ascii=False)
        number = database.execute(
            "INSERT INTO batches (name, actor, at, files, bytes, unread) VALUES (?, ?, ?, ?, ?, ?)",
            (name, actor, _now(), len(sizes), sum(sizes), told),
        ).lastrowid
        assert number is not None
        add_act(database, actor, "上传到收件箱", f"第 {number} 批", f"{name}，{len(sizes)} 个文件")
        for leftover in (facts_folder(data, number), taken_files(data, number)):  # of a transaction that never ended
            shutil.rmtree(leftover, ignore_errors=True)
        facts_folder(data, number).mkdir(parents=True)
        try:
            os.rename(made, waiting_files(data, number))
        except OSError:
            facts_folder(data, number).rmdir()
            raise
    return number


def list_batches(data: Path, limit: int = 50, before: int | None = None) -> list[Batch]:
    """Batches, the latest first; those with lower numbers than `before`. Raises StateError."""
    with read_state(data, BATCHES) as database:
        if database is None:
            return []
        rows = database.execute(
            f"SELECT {_COLUMNS} FROM batches WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
            (before, before, limit),
        ).fetchall()
    return [_batch(data, row) for row in rows]


def find_batch(data: Path, number: int) -> Batch:
    """One batch. Raises InboxError when there is none of that number, StateError."""
    with read_state(data, BATCHES) as database:
        return _found(data, database, number)


def take_in(data: Path, number: int, actor: str) -> None:
    """From the next build on, its pages are searched. Raises InboxError when it does not wait, StateError."""
    with _deciding(data, f"收进第 {number} 批") as database:
        batch = _found(data, database, number)
        if batch.state != "waiting":
            raise InboxError(f"第 {number} 批{batch.state_label}，不能再收进。")
        _decide(database, number, actor, "")
        left_out = database.execute("SELECT count(*) FROM left_out_pages WHERE batch = ?", (number,)).fetchone()[0]
        add_act(database, actor, "收进一批网页", f"第 {number} 批", f"{batch.name}；留出 {left_out} 页")
        (data / PAGES).mkdir(exist_ok=True)
        os.rename(waiting_files(data, number), taken_files(data, number))


def discard(data: Path, number: int, actor: str, reason: str) -> None:
    """Delete the pages of a batch; one that was taken in is out of the next build. What is known of it stays.

    Raises InboxError when it was discarded before or no reason is given, StateError, DiskFault.
    """
    reason = _checked(reason, "请写明丢弃的原因。")
    with _deciding(data, f"丢弃第 {number} 批") as database:
        batch = _found(data, database, number)
        if batch.state == "discarded":
            raise InboxError(f"第 {number} 批已经丢弃。")
        _decide(database, number, actor, reason)
        action = "撤出一批网页" if batch.state == "taken" else "丢弃一批网页"
        add_act(database, actor, action, f"第 {number} 批", f"{batch.name}：{reason}")
        gone = facts_folder(data, number) / ".gone"
        facts_folder(data, number).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(gone, ignore_errors=True)
        os.rename(files_folder(data, batch), gone)
    shutil.rmtree(gone, ignore_errors=True)


def leave_out(data: Path, number: int, path: str, actor: str, reason: str) -> None:
    """Keep one page of a batch that waits out of the builds that will read it. `path`: within the batch; a record's
    with its id. Raises InboxError or StateError.
    """
    reason = _checked(reason, "请写明不收这一页的原因。")
    with _deciding(data, "留出这一页") as database:
        _require_waiting(data, database, number)
        database.execute(
            "INSERT OR REPLACE INTO left_out_pages (batch, path, reason, actor, at) VALUES (?, ?, ?, ?, ?)",
            (number, path, reason, actor, _now()),
        )
        add_act(database, actor, "不收这一页", f"第 {number} 批 {path}", reason)


def put_in_again(data: Path, number: int, path: str, actor: str) -> None:
    """Take back that a page was left out. Raises InboxError when it was not, or the batch does not wait, StateError."""
    with _deciding(data, "放回这一页") as database:
        _require_waiting(data, database, number)
        if not database.execute("DELETE FROM left_out_pages WHERE batch = ? AND path = ?", (number, path)).rowcount:
            raise InboxError("这一页没有被留出，可能已有人放回了它。")
        add_act(database, actor, "放回这一页", f"第 {number} 批 {path}")


def left_out_pages(data: Path, number: int | None = None) -> dict[tuple[int, str], str]:
    """The pages that were left out, of one batch or all, with their reasons. Raises StateError."""
    with read_state(data, BATCHES) as database:
        if database is None:
            return {}
        rows = database.execute(
            "SELECT batch, path, reason FROM left_out_pages WHERE ? IS NULL OR batch = ?", (number, number)
        ).fetchall()
    return {(batch, path): reason for batch, path, reason in rows}


def left_out_of_builds(data: Path) -> dict[str, str]:
    """Their paths as builds call them, with their reasons. Raises StateError."""
    return {path_in_builds(batch, path): reason for (batch, path), reason in left_out_pages(data).items()}


@contextmanager
def _deciding(data: Path, doing: str) -> Iterator[sqlite3.Connection]:
    """A transaction within which files are moved, as the last thing."""
    with disk_faults_told(data, doing), write_state(data, [BATCHES, ACTS]) as database:
        yield database


def _decide(database: sqlite3.Connection, number: int, actor: str, reason: str) -> None:
    database.execute(
        "UPDATE batches SET decided_at = ?, decided_by = ?, reason = ? WHERE id = ?", (_now(), actor, reason, number)
    )


def _require_waiting(data: Path, database: sqlite3.Connection, number: int) -> None:
    batch = _found(data, database, number)
    if batch.state != "waiting":
        raise InboxError(f"第 {number} 批{batch.state_label}，不能再改。")


def _found(data: Path, database: sqlite3.Connection | None, number: int) -> Batch:
    row = None
    if database is not None and number < 2**63:
        row = database.execute(f"SELECT {_COLUMNS} FROM batches WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise InboxError(f"收件箱里没有第 {number} 批；编号见 yiwen inbox list。")
    return _batch(data, row)


def _batch(data: Path, row: Sequence[Any]) -> Batch:
    number, name, actor, at, files, size, told, decided_at, decided_by, reason = row
    unread = tuple(LeftOutFile(*each) for each in json.loads(told))
    state = "discarded"
    if taken_files(data, number).is_dir():
        state = "taken"
    elif waiting_files(data, number).is_dir():
        state = "waiting"
    return Batch(number, name, actor, at, files, size, unread, decided_at, decided_by, reason, state)


def _checked(reason: str, missing: str) -> str:
    reason = reason.strip()
    if not reason:
        raise InboxError(missing)
    if len(reason) > MAX_REASON_CHARS:
        raise InboxError(f"原因太长：最多 {MAX_REASON_CHARS} 个字。")
    return reason


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
