"""The data directory itself."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.errors import GenerationDamaged, GenerationMissing, cause_of
from indexer.health.finding import Finding, broken, well
from indexer.settings import Settings
from indexer.store import generations

#: two machines' clocks may differ a little
_CLOCK_TOLERANCE = timedelta(minutes=5)


def access(settings: Settings) -> Iterator[Finding]:
    """Whether it is there and can be written to."""
    data = settings.data
    if not data.is_dir():
        yield (
            broken("data_missing", "数据目录", f"{data} 不存在；请检查 --data，或运行 yiwen build 建立它。")
            if not data.exists()
            else broken("data_no_folder", "数据目录", f"{data} 不是目录；请改用别的 --data。")
        )
        return
    try:
        with tempfile.TemporaryFile(dir=data) as probe:
            probe.write(b"\0")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        yield broken(
            "data_unwritable",
            "数据目录",
            f"{data} 不能写入：{cause_of(error)}；请检查权限（运行医问的用户须可写）、是否只读挂载和磁盘空间。",
        )
        return
    if data.stat().st_mode & stat.S_IWOTH:
        yield broken(
            "data_open_to_all",
            "数据目录",
            f"{data} 任何用户都能写入，索引可能被人替换；请运行 chmod o-w {data}。",
        )
        return
    yield well("data", "数据目录", f"{data} 可以读写。")


def owner(settings: Settings) -> Iterator[Finding]:
    """Whether all of it belongs to one user: what root built, the site's user may be unable to read or replace."""
    if not settings.data.is_dir():
        return
    expected = settings.data.stat().st_uid
    top = [path for path in settings.data.iterdir() if not path.is_symlink()]
    folder = settings.data / "generations"
    below = [path for path in folder.iterdir() if not path.is_symlink()] if folder.is_dir() else []
    for path in sorted([*top, *below]):
        with suppress(FileNotFoundError):  # a running build's
            if (found := path.stat().st_uid) != expected:
                yield broken(
                    "foreign_owner",
                    "属主",
                    f"{path} 属于用户 {found}，数据目录属于用户 {expected}；"
                    f"请运行 chown -R {expected} {settings.data}，并总用同一个用户运行医问。",
                )
                return
    yield well("owner", "属主", "数据目录中的文件属于同一个用户。")


def key(settings: Settings) -> Iterator[Finding]:
    """Whether the secret is whole, and kept to its user."""
    file = settings.data / "key"
    if not generations.list_generations(settings.data):
        return
    try:
        generations.check_key(settings.data)
    except GenerationDamaged as error:
        yield broken("key_damaged" if file.exists() else "key_missing", "密钥", str(error))
        return
    except OSError as error:
        yield broken("key_unreadable", "密钥", f"{file} 读不出来：{cause_of(error)}；请检查它的权限和属主。")
        return
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield broken("key_open", "密钥", f"{file} 其他用户也能读写；请运行 chmod 600 {file}。")
        return
    yield well("key", "密钥", "完好，只有属主能读。")


def lock(settings: Settings) -> Iterator[Finding]:
    """Whether a build runs; or only a child of one that died, which keeps the lock for ever."""
    file = settings.data / "build.lock"
    if not file.exists():
        return
    with open(file) as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _holder_of(file)
        else:
            yield well("lock", "构建锁", "没有正在进行的构建。")
            return
    if pid is None or Path("/proc", str(pid)).exists():
        yield well("lock", "构建锁", f"正在建立索引（进程 {pid or '未知'}）。")
        return
    children = "、".join(map(str, _users_of(file))) or "未知"
    yield broken(
        "lock_orphaned",
        "构建锁",
        f"建立索引的进程 {pid} 已经结束，但它的子进程 {children} 还占着锁，新的构建无法开始；请用 kill 结束这些进程。",
    )


def _holder_of(file: Path) -> int | None:
    """The process that took the lock, as the kernel lists it; it may have ended since."""
    inode = str(file.stat().st_ino)
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode and fields[3] == "WRITE":
                return int(fields[4])
    return None


def _users_of(file: Path) -> list[int]:
    """Processes that have it open."""
    wanted, found = file.stat(), set()
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.path.samestat(opened.stat(), wanted) and (pid := int(opened.parts[2])) != os.getpid():
                found.add(pid)
    return sorted(found)


def leftovers(settings: Settings) -> Iterator[Finding]:
    """Drafts and temporary files of processes that died."""
    if not settings.data.is_dir() or _is_building(settings.data):
        return
    found = generations.leftovers(settings.data)
    if found:
        yield broken(
            "leftovers",
            "残留文件",
            f"中途退出的构建留下了 {'、'.join(path.name for path in found[:5])}{' 等' if len(found) > 5 else ''}；"
            "下一次 yiwen build 或 yiwen prune 会清除，不影响检索。",
        )
        return
    yield well("leftovers", "残留文件", "没有。")


def _is_building(data: Path) -> bool:
    with suppress(OSError), open(data / "build.lock") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def cache(settings: Settings) -> Iterator[Finding]:
    """Whether compiled code and cleaned pages can be kept."""
    folder = settings.data / "cache"
    if not settings.data.is_dir():
        return
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield broken(
            "cache_unwritable",
            "缓存",
            f"{folder} 不是可写的目录，编译结果和更新用的缓存无处存放；请删除它（随时可删），并检查权限。",
        )
        return
    yield well("cache", "缓存", "可以写入。" if folder.exists() else "还没有，用到时会建立。")


def clock(settings: Settings) -> Iterator[Finding]:
    """Whether this machine's time is behind that of the newest generation."""
    for name in reversed(generations.list_generations(settings.data)):
        with suppress(GenerationMissing, GenerationDamaged, ValueError):
            created = datetime.strptime(generations.open_manifest(settings.data, name).created, "%Y-%m-%dT%H:%M:%SZ")
            now = datetime.now(UTC)
            if now + _CLOCK_TOLERANCE < created.replace(tzinfo=UTC):
                yield broken(
                    "clock_behind",
                    "时钟",
                    f"本机时间 {now:%Y-%m-%d %H:%M}（UTC）早于 {name} 的建立时间 {created:%Y-%m-%d %H:%M}；"
                    "请校准时钟（如启用 NTP），时间不对的一代请重建。",
                )
                return
            break
    yield well("clock", "时钟", "不早于最新一代索引。")
