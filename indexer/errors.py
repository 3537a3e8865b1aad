"""What can go wrong, as sentences for people: what happened, to which thing, and what to do."""

from __future__ import annotations

import errno

_CAUSES = {
    errno.ENOENT: "文件或目录不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许的操作",
    errno.EISDIR: "这是一个目录",
    errno.ENOTDIR: "路径中有一段不是目录",
    errno.ENOSPC: "磁盘已满",
    errno.EROFS: "文件系统只读",
    errno.EIO: "磁盘读写错误",
    errno.ENAMETOOLONG: "文件名太长",
    errno.ELOOP: "符号链接成环",
}


def cause_of(error: OSError) -> str:
    """What the operating system reports, in Chinese where we know it."""
    return _CAUSES.get(error.errno or 0, error.strerror or str(error))


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


class BuildRunning(IndexerError):
    """Another build holds the data directory."""


class JobError(IndexerError):
    """A job does not exist, or cannot be started or cancelled."""


class StateError(IndexerError):
    """The state database of a data directory cannot be read or written."""


class BadQuery(IndexerError):
    """A query that cannot be searched, such as an empty one."""


class ResourceError(IndexerError):
    """A lexicon, site template or weights file is missing or wrong."""


class SettingError(IndexerError):
    """A setting has a value that cannot be used."""


class EvaluationError(IndexerError):
    """Queries or judgements that cannot be evaluated."""


class TooDeep(IndexerError):
    """A page's elements nest deeper than we follow."""
