"""Work that goes on by itself: builds and what else takes longer than a click. Started from the desk or the command
line, watched, cancelled, looked up later.

What is known of a job stands in the data directory's state.sqlite3, what it said in jobs/<number>.log. Its process
holds a lock on jobs/<number>.lock as long as it lives: a job whose process was killed is known to be dead, whatever
has that process id by now.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

from indexer.errors import IndexerError, JobError, JobRunning, cause_of
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state

FOLDER = "jobs"
#: so often a job tells how far it is
_TELL_S = 0.5
_DIED = "进程中途消失了（断电、被杀或内存不足）；使用中的一代不受影响，可以重新开始。"
_CANCELLED = "已取消，没有留下半成品；使用中的一代不受影响。"
_MAX_LOG_BYTES = 200_000  # as much of a log's end as is shown

JOBS = Part(
    "jobs",
    (
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, corpus TEXT NOT NULL, is_update INTEGER NOT NULL,"
        " actor TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '', status TEXT NOT NULL,"
        " done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, generation TEXT NOT NULL DEFAULT '',"
        " sentence TEXT NOT NULL DEFAULT '')",
        "ALTER TABLE jobs RENAME COLUMN corpus TO subject",
        "ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'build'",
    ),
)
_COLUMNS = "id, kind, subject, is_update, actor, started, ended, status, done, total, generation, sentence"


@dataclass(frozen=True)
class Kind:
    """A kind of work. At most one job of each kind runs at a time."""

    label: str  #: in Chinese, as the lists and the log of acts name it
    home: str  #: the module whose `run` does it
    is_logged: bool = False  #: starting it is an editor's act


STATUS_LABELS: Mapping[str, str] = {
    "running": "进行中",
    "done": "完成",
    "refused": "未通过检查",
    "failed": "失败",
    "cancelled": "已取消",
    "died": "中断",
}
KINDS: Mapping[str, Kind] = {
    "build": Kind("建立索引", "indexer.build_job", is_logged=True),
    "preview": Kind("预览词表和规则的修改", "indexer.preview_job"),
    "inspect": Kind("检查收件箱", "indexer.inbox.inspecting"),
    "review": Kind("整理质检清单", "indexer.review_queues.making"),
    "rule_effects": Kind("预览站点规则", "indexer.rule_effects"),
    "compare": Kind("比较两代索引", "indexer.comparisons"),
    "replay": Kind("重放问题", "indexer.replaying"),
    "vectors": Kind("生成意思向量", "indexer.meaning.background"),
}


@dataclass(frozen=True)
class Job:
    """A piece of work, as far as it is known."""

    number: int
    kind: str  #: one of KINDS
    subject: str  #: what it works on; of a build, the absolute path of the corpus
    is_update: bool  #: of a build: only what has changed
    actor: str  #: who started it
    started: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    ended: str  #: the same; "" while it runs, and when its process was killed
    status: str  #: a key of STATUS_LABELS; "refused" by the gate
    done: int  #: files that were cleaned
    total: int  #: of so many; 0 before they are counted
    generation: str  #: what it made; "" until then
    sentence: str  #: what came of it

    @property
    def stage(self) -> str:
        """What it is doing, in Chinese; "" when it has ended."""
        if self.status != "running":
            return ""
        if not self.total:
            return "准备"
        if self.kind != "build":
            return self.label
        return "清洗网页" if self.done < self.total else "建立索引并检查"

    @property
    def label(self) -> str:
        """Its kind, in Chinese."""
        return KINDS[self.kind].label

    @property
    def status_label(self) -> str:
        """Its status, in Chinese."""
        return STATUS_LABELS[self.status]


@dataclass(frozen=True)
class Outcome:
    """What came of a job that came to its end."""

    sentence: str
    status: str = "done"  #: or "refused"
    generation: str = ""  #: what a build made


class Run(Protocol):
    """What does the work of a kind. What it raises of IndexerError is the sentence of a failure."""

    def __call__(self, data: Path, job: Job, progress: Callable[[int, int], None]) -> Outcome: ...


def start_task(data: Path, kind: str, subject: str, actor: str, update: bool = False) -> Job:
    """Do a piece of work in a process of its own, which goes on when this one ends.

    Raises JobRunning when one of its kind is going on, StateError, or JobError when the process cannot be started.
    """
    label = KINDS[kind].label
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    with write_state(data, [JOBS, ACTS]) as database:
        if any(job.status == "running" for job in _read(database, data, 20, kind)):
            raise JobRunning(f"已经有一个“{label}”的任务在进行；请等它结束，或先取消它。")
        row = (kind, subject, int(update), actor, _now())
        statement = (
            "INSERT INTO jobs (kind, subject, is_update, actor, started, status) VALUES (?, ?, ?, ?, ?, 'running')"
        )
        number = database.execute(statement, row).lastrowid
        assert number is not None
        if KINDS[kind].is_logged:
            add_act(database, actor, label, subject, f"任务 {number}{'，只处理变化' if update else ''}")
        lock = os.open(data / FOLDER / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # the child inherits it, and no moment is without
    try:
        _launch(data, number, lock)
    except (OSError, subprocess.SubprocessError) as error:
        sentence = f"任务 {number} 的进程无法启动：{error}。请检查内存和进程数的限制。"
        _finish(data, number, Outcome(sentence, "failed"))
        raise JobError(sentence) from error
    finally:
        os.close(lock)
    return find_job(data, number)


def _launch(data: Path, number: int, lock: int) -> None:
    """The process forks once more and its parent ends, so that nobody has to wait for it."""
    code = "import sys; from indexer.jobs import main; main(sys.argv[1:])"
    with open(data / FOLDER / f"{number}.log", "ab") as log:
        subprocess.run(
            [sys.executable, "-c", code, str(data.resolve()), str(number), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
            check=True,
        )


def cancel_job(data: Path, number: int, actor: str) -> None:
    """Ask a job to stop; it removes what it has made so far. Raises JobError when it is not running."""
    if find_job(data, number).status != "running":
        raise JobError(f"任务 {number} 没有在进行，不用取消。")
    with write_state(data, [JOBS, ACTS]) as database:
        add_act(database, actor, "取消任务", f"任务 {number}")
    try:
        os.kill(int((data / FOLDER / f"{number}.lock").read_text()), signal.SIGINT)
    except (OSError, ValueError) as error:
        raise JobError(f"任务 {number} 无法取消：{error}；请稍后再试。") from error


def list_jobs(data: Path, limit: int = 50, kind: str | None = None) -> list[Job]:
    """The latest jobs, of one kind or all, newest first. Raises StateError."""
    with read_state(data, JOBS) as database:
        return list(_read(database, data, limit, kind)) if database is not None else []


def find_job(data: Path, number: int) -> Job:
    """One job. Raises JobError when there is none of that number."""
    with read_state(data, JOBS) as database:
        found = next(_read(database, data, 1, number=number), None) if database is not None else None
    if found is None:
        raise JobError(f"没有编号为 {number} 的任务；编号见 yiwen jobs list。")
    return found


def read_log(data: Path, number: int) -> str:
    """What a job said, the end of it when that is much."""
    file = data / FOLDER / f"{number}.log"
    if not file.is_file():
        return ""
    with open(file, "rb") as log:
        log.seek(max(file.stat().st_size - _MAX_LOG_BYTES, 0))
        return log.read().decode("utf-8", "replace")


def _read(
    database: sqlite3.Connection, data: Path, limit: int, kind: str | None = None, number: int | None = None
) -> Iterator[Job]:
    asked = (kind, kind, number, number, limit)
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR id = ?) ORDER BY id DESC LIMIT ?",
        asked,
    ).fetchall()
    for number, kind, subject, is_update, actor, started, ended, status, *rest in rows:
        if status == "running" and not _is_alive(data, number):
            status, rest = "died", [*rest[:3], _DIED]
        yield Job(number, kind, subject, bool(is_update), actor, started, ended, status, *rest)


def _is_alive(data: Path, number: int) -> bool:
    """Whether a process holds the job's lock."""
    try:
        with open(data / FOLDER / f"{number}.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# the process of a job


def main(arguments: list[str]) -> None:
    """Run the job of a data directory; `arguments`: directory, number, descriptor of the lock that is held."""
    data, number, lock = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)  # from here on it may be cancelled
    outcome = _run(data, number)
    _finish(data, number, outcome)
    print(outcome.sentence, flush=True)


def _run(data: Path, number: int) -> Outcome:
    try:
        job = find_job(data, number)
        run: Run = import_module(KINDS[job.kind].home).run
        return run(data, job, _telling(data, job.number))
    except KeyboardInterrupt:
        return Outcome(_CANCELLED, "cancelled")
    except IndexerError as error:
        return Outcome(str(error), "failed")
    except OSError as error:
        sentence = f"读写 {error.filename or '文件'} 失败：{cause_of(error)}；使用中的一代不受影响。"
        return Outcome(sentence, "failed")
    except Exception:
        traceback.print_exc()
        return Outcome("程序内部出错，使用中的一代不受影响；出错的经过见日志。", "failed")


def _telling(data: Path, number: int) -> Callable[[int, int], None]:
    """A progress that is written down now and then."""
    told_at = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        if done == total or time.monotonic() - told_at >= _TELL_S:
            told_at = time.monotonic()
            with _job(data, number) as update:
                update("done = ?, total = ?", done, total)

    return tell


def _finish(data: Path, number: int, outcome: Outcome) -> None:
    with _job(data, number) as update:
        values = (outcome.status, outcome.sentence, outcome.generation, _now())
        update("status = ?, sentence = ?, generation = ?, ended = ?", *values)


@contextmanager
def _job(data: Path, number: int) -> Iterator[Callable[..., None]]:
    with write_state(data, [JOBS]) as database:

        def update(assignments: str, *values: object) -> None:
            database.execute(f"UPDATE jobs SET {assignments} WHERE id = ?", (*values, number))

        yield update


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
