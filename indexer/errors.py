"""What can go wrong, as sentences for people: what happened, to which thing, and what to do."""

from __future__ import annotations

import errno
import sqlite3

_CAUSES = {
    errno.ENOENT: "文件或目录不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许的操作",
    errno.EISDIR: "这是一个目录",
    errno.ENOTDIR: "路径中有一段不是目录",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EFBIG: "文件超过大小上限",
    errno.EROFS: "文件系统只读",
    errno.EIO: "磁盘读写错误",
    errno.ENAMETOOLONG: "文件名太长",
    errno.ELOOP: "符号链接成环",
}


def cause_of(error: OSError) -> str:
    """What the operating system reports, in Chinese where we know it."""
    return _CAUSES.get(error.errno or 0, error.strerror or str(error))


#: SQLite's primary result codes (sqlite.org/rescode.html)
_SQLITE_CAUSES = {
    3: "没有权限",
    5: "被另一个进程占用",
    6: "被另一个进程占用",
    8: "只能读，不能写",
    10: "磁盘读写错误",
    11: "文件已损坏",
    13: "磁盘已满",
    14: "无法打开",
    26: "不是数据库文件，或已损坏",
}


def cause_of_sqlite(error: sqlite3.Error) -> str:
    """What SQLite reports, in Chinese where we know it."""
    return _SQLITE_CAUSES.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF, str(error))


class IndexerError(Exception):
    """Base of all errors that a caller may show to a person as they are."""


class CorpusError(IndexerError):
    """The corpus is missing or holds nothing that can be read."""


class GenerationMissing(IndexerError):
    """There is no generation to serve, or none of that name."""


class GenerationDamaged(IndexerError):
    """A file of a generation is missing, cut, changed or not ours."""


class GenerationRefused(IndexerError):
    """The quality gate refused a generation, and nobody has overridden it."""


class DiskFault(IndexerError):
    """The disk is full, fails, or cannot be written to; or it has not the room that a build will need."""


class JobRunning(IndexerError):
    """A job of the same kind is going on."""


class BuildRunning(JobRunning):
    """Another build holds the data directory."""


class JobError(IndexerError):
    """A job does not exist, or cannot be started or cancelled."""


class InboxError(IndexerError):
    """A batch or page of the inbox does not exist, or what is asked for cannot be done with it."""


class UploadRefused(InboxError):
    """Something about an upload is wrong or too large; nothing of it is kept."""


class StateError(IndexerError):
    """The state database of a data directory cannot be read or written."""


class ReviewError(IndexerError):
    """A queue or an item of one that there is not, or a note that cannot be kept."""


class RefusedDecision(IndexerError):
    """What an editor asks for cannot be done as it is asked."""


class BadQuery(IndexerError):
    """A query that cannot be searched, such as an empty one."""


class ResourceError(IndexerError):
    """A lexicon, site template or weights file is missing or wrong."""


class SettingError(IndexerError):
    """A setting has a value that cannot be used."""


class EvaluationError(IndexerError):
    """Queries or judgements that cannot be evaluated."""


class MeaningError(IndexerError):
    """The model of meaning is missing, another one than it should be, or does not answer; or vectors are damaged."""


class TooDeep(IndexerError):
    """A page's elements nest deeper than we follow."""
