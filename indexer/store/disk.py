"""Room on disk: what a build will need, and what is said when a disk fails."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import DiskFault, IndexerError, cause_of
from indexer.store import generations
from indexer.store.generations import Manifest

#: name of the count in a manifest: how large the corpus was that the generation was built from
CORPUS_BYTES = "corpus_bytes"
#: a generation, per byte of its corpus: 14.3 for the demonstration corpus, 12.4 for 100,000 records of 90 MB
_FIRST_BYTES_PER_BYTE = 14.0
#: resources and the compiled dictionary, whatever the corpus
_FIRST_FIXED_BYTES = 40_000_000
#: cleaned pages in the cache and answers that wait to be written, while a build runs: per byte of the generation
_TEMPORARY_SHARE = 0.6
#: an update that changes more than a fifth writes all anew (indexing._MAX_CHANGED_SHARE); one that does not, so much
_UPDATE_SHARE = 0.5
#: what a packed page takes when it is unpacked: text in gzip
_UNPACKED_PER_PACKED = 6
#: a disk that is filled to the last byte stops logs and databases
RESERVE_BYTES = 50_000_000
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
_ERRNO = re.compile(r"\[Errno (\d+)\]")
#: numpy's sentence for a short write, an OSError that lost its errno
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")


@dataclass(frozen=True)
class Need:
    """What a build takes at its largest, temporary files included."""

    bytes: int
    corpus_bytes: int
    estimated_from: str | None  #: the generation whose size it is reckoned by; None for the stated ratio


def corpus_size(files: Iterable[tuple[Path, str]]) -> int:
    """Bytes of a corpus as they are read: those of packed files many times. Files that vanish count nothing."""
    total = 0
    for file, _ in files:
        with suppress(OSError):
            total += file.stat().st_size * (_UNPACKED_PER_PACKED if file.suffix == ".gz" else 1)
    return total


def need_of(corpus_bytes: int, last: Manifest | None, update: bool = False) -> Need:
    """What a build of so many bytes will take, by what the last generation took per byte of its own corpus."""
    if last is None or not last.counts.get(CORPUS_BYTES):
        size = _FIRST_FIXED_BYTES + _FIRST_BYTES_PER_BYTE * corpus_bytes
    else:
        fixed = sum(
            facts["bytes"] for path, facts in last.files.items() if path.startswith(("resources/", "analysis/"))
        )
        rest = sum(facts["bytes"] for facts in last.files.values()) - fixed
        size = fixed + rest * corpus_bytes / last.counts[CORPUS_BYTES]
    share = (_UPDATE_SHARE if update else 1) + _TEMPORARY_SHARE
    known = last is not None and bool(last.counts.get(CORPUS_BYTES))
    return Need(int(size * share) + RESERVE_BYTES, corpus_bytes, last.generation if last and known else None)


def refuse_without_room(data: Path, need: Need) -> None:
    """Raises DiskFault, naming path, need and free space, when a build cannot fit."""
    free = shutil.disk_usage(data).free
    if free >= need.bytes:
        return
    basis = f"按 {need.estimated_from} 的大小估算" if need.estimated_from else "按语料大小估算"
    raise DiskFault(
        f"{data} 所在磁盘放不下新的一代索引：约需 {_megabytes(need.bytes)} MB（{basis}，含临时文件），"
        f"只剩 {_megabytes(free)} MB；请腾出空间（可用 yiwen prune 删去旧的各代），或用 --data 换一个磁盘。"
    )


@contextmanager
def disk_faults_told(data: Path, doing: str) -> Iterator[None]:
    """A disk that is full, fails or is read-only ends what is done in one sentence. Raises DiskFault."""
    try:
        yield
    except IndexerError:
        raise
    except OSError as raised:
        error = _first_of_copying(raised) if isinstance(raised, shutil.Error) else raised
        if not is_disk_fault(error):
            raise
        raise DiskFault(_sentence(data, doing, error)) from raised


def _first_of_copying(error: shutil.Error) -> OSError:
    """What `shutil.copytree` met first; it goes on to the end, and then tells all of it as texts."""
    for source, target, text in error.args[0] if error.args and isinstance(error.args[0], list) else ():
        if found := _ERRNO.match(str(text)):
            return OSError(int(found[1]), os.strerror(int(found[1])), str(target or source))
    return error


def is_disk_fault(error: OSError) -> bool:
    """Whether the disk failed, and not a name or a permission."""
    return error.errno in _DISK_ERRORS or (error.errno is None and bool(_SHORT_WRITE.search(str(error))))


def _sentence(data: Path, doing: str, error: OSError) -> str:
    cause = cause_of(error) if error.errno else "写入中断，多半是磁盘已满"
    place = f"写 {error.filename} 时" if isinstance(error.filename, str) and error.filename else ""
    with suppress(OSError):
        cause += f"（{data} 所在磁盘还有 {_megabytes(shutil.disk_usage(data).free)} MB）"
    return f"{doing}没有完成：{place}{cause}；{_serving(data)}请腾出空间或检查磁盘后重试。"


def _serving(data: Path) -> str:
    with suppress(IndexerError, OSError):
        return f"正在使用的仍是完好的 {generations.open_manifest(data, generations.current(data)).generation}，"
    return ""


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f}" if size >= 10_000_000 else f"{size / 1_000_000:.1f}"


def generation_sizes(data: Path, names: Sequence[str]) -> dict[str, int]:
    """Bytes that go when these generations are deleted together, of each: files that others share stay on disk.

    A file that several of them share counts for the last.
    """
    links: dict[tuple[int, int], int] = {}
    sizes = {}
    for name in names:
        sizes[name] = 0
        for path in (data / "generations" / name).rglob("*"):
            stat = path.lstat()
            if not path.is_file() or path.is_symlink():
                continue
            file = (stat.st_dev, stat.st_ino)
            links[file] = links.get(file, 0) + 1
            if links[file] == stat.st_nlink:
                sizes[name] += stat.st_blocks * 512
    return sizes
