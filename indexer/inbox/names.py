"""Names of uploaded files: decoded, in one spelling, and refused where they could lead out of their folder."""

from __future__ import annotations

import re
import unicodedata

from indexer.errors import UploadRefused
from indexer.read import reader_for_name

MAX_NAME_BYTES = 255  #: of one part of a path: what file systems take
MAX_PATH_BYTES = 1_000

_DRIVE = re.compile(r"^[A-Za-z]:")
#: archives within archives; `.warc.gz` and `.jsonl.gz` are read as they are
_ARCHIVES = (
    ".zip",
    ".gz",
    ".tgz",
    ".tar",
    ".bz2",
    ".xz",
    ".zst",
    ".7z",
    ".rar",
    ".cab",
    ".iso",
    ".jar",
    ".br",
    ".lzma",
)
_EAST_ASIAN = 0x2E80  # from here on Unicode's blocks are Chinese, Japanese and Korean


def decoded_name(raw: bytes, what: str = "压缩包") -> str:
    """A name in a ZIP without the flag that says UTF-8: UTF-8 all the same, or what Windows writes in China.

    Two GBK characters can be valid UTF-8 by chance, of Latin or Greek letters then, never of Chinese ones. Raises
    UploadRefused for neither.
    """
    for charset in ("ascii", "utf-8", "gb18030"):
        try:
            name = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        if charset != "utf-8" or any(ord(char) >= _EAST_ASIAN for char in name):
            return name
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UploadRefused(
            f"{what}里有一个文件名既不是 UTF-8 也不是 GB18030（{raw[:40]!r}），整批没有收下。"
        ) from None


def safe_path(name: str) -> str:
    """A relative path with forward slashes, in Unicode's composed form. A folder's ends with a slash.

    Raises UploadRefused, naming the file, for one that is absolute or leads upwards, for drive letters, backslashes,
    control characters and names that no file system takes.
    """
    path = unicodedata.normalize("NFC", name)
    parts = path.removesuffix("/").split("/")
    problem = ""
    if not name or (not parts[0] and len(parts) == 1):
        problem = "名称是空的"
    elif any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in path):
        problem = "名称里有控制字符或无效的字符"
    elif "\\" in path:
        problem = "名称里有反斜杠"
    elif path.startswith("/") or _DRIVE.match(path):
        problem = "名称是绝对路径"
    elif ".." in parts:
        problem = "名称里的 .. 会通向目录之外"
    elif "" in parts or "." in parts:
        problem = "名称里有空的一段"
    elif any(len(part.encode()) > MAX_NAME_BYTES for part in parts) or len(path.encode()) > MAX_PATH_BYTES:
        problem = "名称太长"
    if problem:
        raise UploadRefused(f"{shown(name)}：{problem}，整批没有收下。")
    return path


def spelling(path: str) -> str:
    """The same for paths that a file system may take for one."""
    return unicodedata.normalize("NFC", path).casefold()


def is_hidden(path: str) -> bool:
    """Whether builds pass over it: a part begins with a dot, or it is what Apple's ZIPs put beside."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def is_readable(path: str) -> bool:
    """Whether a build reads files of this name."""
    return reader_for_name(path.rpartition("/")[2]) is not None


def is_archive(path: str) -> bool:
    """Whether it is packed in a way that would have to be unpacked once more."""
    return path.lower().endswith(_ARCHIVES) and not is_readable(path)


def shown(name: str) -> str:
    """A name within a sentence: on one line, and not too long."""
    plain = "".join(
        "\ufffd" if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" else char for char in name
    )
    return plain if len(plain) <= 120 else f"{plain[:119]}…"
