"""The state database and the query log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from indexer.errors import cause_of_sqlite
from indexer.health.finding import Finding, broken, well
from indexer.settings import Settings

_BUSY = (5, 6)
#: SQLite moves the write-ahead log into the database at 4 MB; one that grows on is held open by a stuck reader
_MAX_WAL_BYTES = 64_000_000
_CLOCK_TOLERANCE_S = 300


def state(settings: Settings) -> Iterator[Finding]:
    """Take-downs, users, sessions: readable, whole, and free to be written."""
    file = settings.data / "state.sqlite3"
    if not file.exists():
        return
    cure = "请从备份恢复它；没有备份时把它移走，之后须重新登记下架和用户。"
    yield from _database("state", "状态库", file, cure)


def query_log(settings: Settings) -> Iterator[Finding]:
    """Readable, whole, written up, and not of the future."""
    if settings.log_database:
        yield well(
            "query_log", "查询日志", "记在另一个数据库里（log_database），用 yiwen logs volume 看它是否读得出来。"
        )
        return
    file = settings.data / "querylog.sqlite3"
    if not file.exists():
        return
    found = list(_database("query_log", "查询日志", file, "请把它移走，之后会重新记录；搜索不受影响。"))
    if not all(finding.well for finding in found):
        yield from found
        return
    waiting = file.with_name(f"{file.name}-wal")
    if waiting.exists() and (size := waiting.stat().st_size) > _MAX_WAL_BYTES:
        yield broken(
            "query_log_lag",
            "查询日志",
            f"{waiting} 有 {size // 1_000_000} MB 还没有并入日志，多半有程序一直开着它；"
            "请结束读取日志的程序，并重启网站。",
        )
        return
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as database:
            count, newest = _latest(database)
    except sqlite3.Error as error:
        yield broken("query_log_damaged", "查询日志", f"{file} 读不出来：{cause_of_sqlite(error)}；请把它移走。")
        return
    if newest and newest > time.time() + _CLOCK_TOLERANCE_S:
        yield broken(
            "query_log_ahead", "查询日志", f"{file} 的最后一条记录晚于本机时间；请校准时钟，否则按时间的统计不准。"
        )
        return
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(newest)) if newest else "从未"
    yield well("query_log", "查询日志", f"完好，{count} 条，最后记录于 {when}（UTC）。")


def _latest(database: sqlite3.Connection) -> tuple[int, int | None]:
    """How many searches are kept, and when the last one was; a log that nothing was written to has no tables."""
    for table, moment in (("searches", "at"), ("events", "time")):  # the latter is version 1's
        if database.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone():
            found: tuple[int, int | None] = database.execute(f"select count(*), max({moment}) from {table}").fetchone()
            return found
    return 0, None


def _database(name: str, subject: str, file: Path, cure: str) -> Iterator[Finding]:
    try:
        with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as database:
            result = database.execute("pragma quick_check(1)").fetchone()[0]
            if result != "ok":
                yield broken(f"{name}_damaged", subject, f"{file} 已损坏；{cure}")
                return
            database.execute("begin immediate")
            database.execute("rollback")
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in _BUSY:
            yield broken(
                f"{name}_locked", subject, f"{file} 一直被另一个进程占用，无法写入；请找出并结束占用它的程序。"
            )
        elif code in (8, 3, 14):
            yield broken(
                f"{name}_unwritable", subject, f"{file} 无法写入：{cause_of_sqlite(error)}；请检查权限和属主。"
            )
        else:
            yield broken(f"{name}_damaged", subject, f"{file} 无法读取：{cause_of_sqlite(error)}；{cure}")
        return
    yield well(name, subject, "完好，可以写入。")
