"""The members of a ZIP (PKWARE APPNOTE 6.3.10), each looked at before a byte of it is unpacked.

What the headers say is never relied on for a bound: sizes are counted while members are read, and the directory, which
Python's `zipfile` reads at once, is read through a file that gives no more than it may.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from indexer.errors import UploadRefused
from indexer.inbox.names import decoded_name, safe_path, shown
from indexer.store.disk import is_disk_fault

#: of a directory, per member that a batch may have: 46 and the name, and what programs put beside it
_DIRECTORY_BYTES_PER_FILE = 512
#: `zipfile` looks for a directory's end in so many last bytes
_END_BYTES = 1 << 17
_UTF8_FLAG, _ENCRYPTED_FLAG, _STRONG_FLAG, _MASKED_FLAG = 0x800, 0x1, 0x40, 0x2000
#: other methods unpack much at once whatever is asked of them (bzip2), or ask for gigabytes first (LZMA)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError)


class _Bounded:
    """A file of which no one reading gives more than so many bytes."""

    def __init__(self, file: BinaryIO, most: int, name: str) -> None:
        self._file, self._most, self._name = file, most, name

    def read(self, size: int = -1) -> bytes:
        """As a file's. Raises UploadRefused."""
        read = self._file.read(min(size, self._most + 1) if size >= 0 else self._most + 1)
        if len(read) > self._most:
            raise UploadRefused(f"{shown(self._name)}：目录太大，里面的文件太多，整批没有收下。")
        return read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As a file's."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As a file's."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True


@contextmanager
def opened_zip(file: BinaryIO, name: str, max_files: int) -> Iterator[zipfile.ZipFile]:
    """A ZIP; damage, wherever it is met, refuses it. Raises UploadRefused."""
    bounded = _Bounded(file, max(_DIRECTORY_BYTES_PER_FILE * max_files, _END_BYTES), name)
    try:
        with zipfile.ZipFile(cast(IO[bytes], bounded)) as archive:
            yield archive
    except _DAMAGE as error:
        raise UploadRefused(f"{shown(name)}：压缩包损坏，或不是 ZIP（{error}），整批没有收下。") from error
    except OSError as error:
        if is_disk_fault(error) or error.filename is not None:
            raise
        raise UploadRefused(f"{shown(name)}：压缩包损坏（{error}），整批没有收下。") from error


def member_path(info: zipfile.ZipInfo, archive: str) -> str:
    """The safe path of a member that may be unpacked; a folder's ends with a slash.

    Raises UploadRefused, naming it, for what is encrypted, a link, a device, packed by another method than deflate, or
    would lead elsewhere.
    """
    name = _name_of(info, archive)
    path = safe_path(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    problem = ""
    if kind == stat.S_IFLNK:
        problem = "是符号链接"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "是设备或管道一类的特殊文件"
    elif info.flag_bits & (_ENCRYPTED_FLAG | _STRONG_FLAG | _MASKED_FLAG):
        problem = "加了密码"
    elif info.compress_type not in _METHODS:
        problem = f"压缩方法（{info.compress_type}）不支持，请用普通的 ZIP 压缩"
    if problem:
        raise UploadRefused(f"{shown(archive)} 里的 {shown(name)}：{problem}，整批没有收下。")
    return path


def _name_of(info: zipfile.ZipInfo, archive: str) -> str:
    if info.flag_bits & _UTF8_FLAG:
        return info.orig_filename
    return decoded_name(info.orig_filename.encode("cp437"), shown(archive))  # as `zipfile` decoded it
