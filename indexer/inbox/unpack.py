"""Uploads to the files of a batch: only what a build reads, all of it bounded while it is read.

What is wrong with one file refuses the whole upload: half a batch would look whole.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from indexer.errors import DiskFault, UploadRefused
from indexer.inbox.names import is_archive, is_hidden, is_readable, safe_path, shown, spelling
from indexer.inbox.zips import member_path, opened_zip
from indexer.read import READERS, read_file
from indexer.records import SavedPage
from indexer.settings import Settings
from indexer.store.batches import LeftOutFile
from indexer.store.disk import RESERVE_BYTES

#: what is unpacked may be so many times what was uploaded: of saved pages three to thirty, of a bomb a thousand
MAX_RATIO = 200
#: below this, a ratio is nobody's harm
RATIO_FREE_BYTES = 10_000_000
#: of files that were not kept, so many are listed by name
MAX_LISTED = 200
_CHUNK_BYTES = 1 << 16
_LOOK_AT_DISK_BYTES = 1 << 24
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Upload:
    """A file as it was handed in."""

    name: str  #: as its sender calls it
    file: BinaryIO  #: at its beginning, can be sought in
    bytes: int


@dataclass
class Unpacked:
    """What came of uploads."""

    paths: list[str] = field(default_factory=list)  #: below the folder, in the order of the uploads
    sizes: list[int] = field(default_factory=list)  #: of each, in bytes
    unread: list[LeftOutFile] = field(default_factory=list)  #: the first MAX_LISTED of those that were not kept


def unpack(uploads: Sequence[Upload], into: Path, settings: Settings) -> Unpacked:
    """Write the readable files of uploads below an empty folder.

    Raises UploadRefused with what is wrong with which file, DiskFault when there is no room, or OSError; what lies in
    the folder then is for the caller to remove.
    """
    batch = _Batch(into, settings)
    _refuse_without_room(into, sum(upload.bytes for upload in uploads))
    for upload in uploads:
        path = safe_path(upload.name)
        if path.lower().endswith(".zip"):
            # several ZIPs may hold files of the same names
            batch.take_zip(upload, f"{PurePosixPath(path).with_suffix('')}/" if len(uploads) > 1 else "")
        else:
            batch.take(path, upload.file, upload.bytes)
    for path in batch.found.paths:
        batch.look_into(path)
    if not batch.found.paths:
        raise UploadRefused(f"没有可以读取的文件；可以上传 {'、'.join(READERS)}，或者装着它们的 .zip。")
    return batch.found


class _Batch:
    """What has been written so far, with its bounds."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.found = Unpacked()
        self._folder, self._settings = folder, settings
        self._spellings: set[str] = set()  # of files and their folders
        self._folders: set[str] = set()
        self._files = self._bytes = self._unlooked = 0

    def take(self, path: str, file: IO[bytes], packed_bytes: int) -> None:
        """Write one file, or list it as not kept."""
        self._count_file(path)
        if reason := _why_unread(path):
            self._leave(path, reason)
            return
        self._claim(path)
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with open(target, "xb") as out:
            while chunk := file.read(_CHUNK_BYTES):
                size += len(chunk)
                self._count_bytes(path, len(chunk), size, packed_bytes)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        self.found.paths.append(path)
        self.found.sizes.append(size)

    def take_zip(self, upload: Upload, below: str) -> None:
        """Write the members of a ZIP."""
        before = self._bytes
        with opened_zip(upload.file, upload.name, self._settings.max_unpacked_files) as archive:
            # all of them are looked at before the first is unpacked
            members = [(info, member_path(info, upload.name)) for info in self._counted(archive.infolist(), upload)]
            for info, path in members:
                if path.endswith("/"):
                    continue
                if is_archive(path) and not is_hidden(path):
                    raise UploadRefused(
                        f"{shown(upload.name)} 里的 {shown(path)}：压缩包里不能再有压缩包"
                        "（.warc.gz 和 .jsonl.gz 可以），整批没有收下。"
                    )
                with archive.open(info) as member:
                    self.take(below + path, member, upload.bytes)
                self._refuse_ratio(upload.name, self._bytes - before, upload.bytes)

    def look_into(self, path: str) -> None:
        """Count what a packed file, and the pages of an archive, unpack to; a damaged one is read as far as it goes, by
        cleaning as here.
        """
        file, name = self._folder / path, path.lower()
        packed = file.stat().st_size
        with open(file, "rb") as opened:
            is_packed = opened.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        if is_packed and name.endswith((".gz", ".warc")):
            size = 0
            for count in _gunzipped(file):
                size += count
                self._count_bytes(path, count, size, packed, on_disk=False)
        if name.endswith((".warc", ".warc.gz")):  # whose pages may be packed once more, each by itself
            size = 0
            for saved in read_file(file, path, self._settings.max_page_bytes):
                count = len(saved.data) if isinstance(saved, SavedPage) else 0
                size += count
                self._count_bytes(path, count if size > packed else 0, size, packed, on_disk=False)

    def _counted(self, members: list[zipfile.ZipInfo], upload: Upload) -> Iterator[zipfile.ZipInfo]:
        if self._files + len(members) > self._settings.max_unpacked_files:
            self._refuse_files(upload.name)
        return iter(members)

    def _count_file(self, path: str) -> None:
        self._files += 1
        if self._files > self._settings.max_unpacked_files:
            self._refuse_files(path)

    def _refuse_files(self, name: str) -> None:
        most = self._settings.max_unpacked_files
        raise UploadRefused(f"{shown(name)}：文件太多，一批最多 {most} 个（max_unpacked_files），整批没有收下。")

    def _count_bytes(self, path: str, count: int, size: int, packed: int, on_disk: bool = True) -> None:
        self._bytes += count
        if self._bytes > self._settings.max_unpacked_bytes:
            most = self._settings.max_unpacked_bytes
            raise UploadRefused(
                f"{shown(path)}：解压之后太大，一批最多 {most} 字节（max_unpacked_bytes），整批没有收下。"
            )
        self._refuse_ratio(path, size, packed)
        self._unlooked += count if on_disk else 0
        if self._unlooked > _LOOK_AT_DISK_BYTES:
            self._unlooked = 0
            _refuse_without_room(self._folder, 0)

    def _refuse_ratio(self, path: str, size: int, packed: int) -> None:
        if size > RATIO_FREE_BYTES and size > MAX_RATIO * packed:
            raise UploadRefused(f"{shown(path)}：解压之后超过原来的 {MAX_RATIO} 倍，像是压缩炸弹，整批没有收下。")

    def _claim(self, path: str) -> None:
        """Take a path; refused where another file, or a folder, has it in some spelling."""
        spelt = spelling(path)
        parents = {str(parent) for parent in PurePosixPath(spelt).parents} - {"."}
        if spelt in self._spellings or spelt in self._folders or parents & self._spellings:
            raise UploadRefused(f"{shown(path)}：同名的文件出现了两次，整批没有收下。")
        self._spellings.add(spelt)
        self._folders |= parents

    def _leave(self, path: str, reason: str) -> None:
        if len(self.found.unread) < MAX_LISTED:
            self.found.unread.append(LeftOutFile(shown(path), reason))


def _why_unread(path: str) -> str:
    if is_hidden(path):
        return "隐藏文件"
    if is_archive(path):
        return "这种压缩包读不了，请改用 .zip"
    return "" if is_readable(path) else "不是网页、文本、WARC 或 JSONL"


def _gunzipped(file: Path) -> Iterator[int]:
    """Sizes of what a gzip file unpacks to (RFC 1952), piece by piece, until its end or its first damage."""
    with open(file, "rb") as packed:
        unpacker, rest = zlib.decompressobj(31), b""
        while chunk := rest or packed.read(_CHUNK_BYTES):
            try:
                piece = unpacker.decompress(chunk, _CHUNK_BYTES)
            except zlib.error:
                return
            yield len(piece)
            rest = unpacker.unconsumed_tail
            if unpacker.eof:  # another member may follow
                rest = unpacker.unused_data.lstrip(b"\0")
                unpacker = zlib.decompressobj(31)


def _refuse_without_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + RESERVE_BYTES:
        raise DiskFault(
            f"磁盘空间不够：这一批至少还要 {size} 字节，另须留出 {RESERVE_BYTES} 字节，"
            f"只剩 {free} 字节；请腾出空间后再上传。"
        )
