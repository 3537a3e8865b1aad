"""Builds that go on by themselves: started from the desk or the command line, watched, cancelled, looked up later.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.build import BuildReport, build_generation
from indexer.errors import BuildRunning, IndexerError, JobError, cause_of
from indexer.settings import load_settings
from indexer.store import generations
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state

FOLDER = "jobs"
#: so often a job tells how far it is
_TELL_S = 0.5
_DIED = "进程中途消失了（断电、被杀或内存不足）；原来的一代继续使用，可以重新开始。"
_MAX_LOG_BYTES = 200_000  # as much of a log's end as is shown

JOBS = Part(
    "jobs",
    (
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, corpus TEXT NOT NULL, is_update INTEGER NOT NULL,"
        " actor TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '', status TEXT NOT NULL,"
        " done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, generation TEXT NOT NULL DEFAULT '',"
        " sentence TEXT NOT NULL DEFAULT '')",
    ),
)
_COLUMNS = "id, corpus, is_update, actor, started, ended, status, done, total, generation, sentence"


@dataclass(frozen=True)
class Job:
    """A build, as far as it is known."""

    number: int
    corpus: str  #: absolute path
    is_update: bool  #: only what has changed
    actor: str  #: who started it
    started: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    ended: str  #: the same; "" while it runs, and when its process was killed
    status: str  #: "running", "done", "refused" (by the gate), "failed", "cancelled", or "died"
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
        return "清洗网页" if self.done < self.total else "建立索引并检查"


def start_job(data: Path, corpus: Path, actor: str, update: bool = False) -> Job:
    """Build a corpus in a process of its own, which goes on when this one ends.

    Raises BuildRunning when a build is going on, StateError, or JobError when the process cannot be started.
    """
    with generations.build_lock(data):  # nobody builds at this moment
        pass
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    with write_state(data, [JOBS, ACTS]) as database:
        if any(job.status == "running" for job in _read(database, data, 20)):
            raise BuildRunning("已经有一个建立索引的任务在进行；请等它结束，或先取消它。")
        row = (str(corpus.resolve()), int(update), actor, _now())
        statement = "INSERT INTO jobs (corpus, is_update, actor, started, status) VALUES (?, ?, ?, ?, 'running')"
        number = database.execute(statement, row).lastrowid
        assert number is not None
        add_act(database, actor, "建立索引", str(corpus.resolve()), f"任务 {number}{'，只处理变化' if update else ''}")
        lock = os.open(data / FOLDER / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # the child inherits it, and no moment is without
    try:
        _launch(data, number, lock)
    except (OSError, subprocess.SubprocessError) as error:
        sentence = f"任务 {number} 的进程无法启动：{error}。请检查内存和进程数的限制。"
        _finish(data, number, "failed", sentence)
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


def list_jobs(data: Path, limit: int = 50) -> list[Job]:
    """The latest jobs, newest first. Raises StateError."""
    with read_state(data, JOBS) as database:
        return list(_read(database, data, limit)) if database is not None else []


def find_job(data: Path, number: int) -> Job:
    """One job. Raises JobError when there is none of that number."""
    for job in list_jobs(data, limit=1_000_000):
        if job.number == number:
            return job
    raise JobError(f"没有编号为 {number} 的任务；编号见 yiwen jobs list。")


def read_log(data: Path, number: int) -> str:
    """What a job said, the end of it when that is much."""
    file = data / FOLDER / f"{number}.log"
    if not file.is_file():
        return ""
    with open(file, "rb") as log:
        log.seek(max(file.stat().st_size - _MAX_LOG_BYTES, 0))
        return log.read().decode("utf-8", "replace")


def _read(database: sqlite3.Connection, data: Path, limit: int) -> Iterator[Job]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    for number, corpus, is_update, actor, started, ended, status, *rest in rows:
        if status == "running" and not _is_alive(data, number):
            status, rest = (
                "died",
                [*rest[:3], "进程中途消失了（断电、被杀或内存不足）；原来的一代继续使用，可重新开始。"],
            )
        yield Job(number, corpus, bool(is_update), actor, started, ended, status, *rest)


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
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    job = find_job(data, number)
    status, sentence, generation = _run(data, job)
    _finish(data, number, status, sentence, generation)
    print(sentence, flush=True)


def _run(data: Path, job: Job) -> tuple[str, str, str]:
    """Status, sentence and generation."""
    settings = load_settings({"data": data})
    try:
        report = build_generation(Path(job.corpus), data, settings, _telling(data, job.number), job.is_update)
    except KeyboardInterrupt:
        return "cancelled", "已取消，没有留下半成品；原来的一代继续使用。", ""
    except IndexerError as error:
        return "failed", str(error), ""
    except OSError as error:
        return "failed", f"读写 {error.filename or '文件'} 失败：{cause_of(error)}；原来的一代继续使用。", ""
    except Exception:
        traceback.print_exc()
        return "failed", "程序内部出错，原来的一代继续使用；出错的经过见日志。", ""
    return _outcome(report)


def _outcome(report: BuildReport) -> tuple[str, str, str]:
    manifest = report.manifest
    made = f"{manifest.generation}：{manifest.counts['answers']} 条答案，用时 {report.seconds:.0f} 秒"
    if manifest.objections:
        return "refused", f"{made}。检查没有通过：{' '.join(manifest.objections)}", manifest.generation
    return "done", f"{made}，已启用。", manifest.generation


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


def _finish(data: Path, number: int, status: str, sentence: str, generation: str = "") -> None:
    with _job(data, number) as update:
        update("status = ?, sentence = ?, generation = ?, ended = ?", status, sentence, generation, _now())


@contextmanager
def _job(data: Path, number: int) -> Iterator[Callable[..., None]]:
    with write_state(data, [JOBS]) as database:

        def update(assignments: str, *values: object) -> None:
            database.execute(f"UPDATE jobs SET {assignments} WHERE id = ?", (*values, number))

        yield update


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
