"""What can go wrong, as sentences for people: what happened, to which thing, and what to do."""

from __future__ import annotations


class IndexerError(Exception):
    """Base of all errors that a caller may show to a person as they are."""


class CorpusError(IndexerError):
    """The corpus is missing or holds nothing that can be read."""


class GenerationMissing(IndexerError):
    """There is no generation to serve, or none of that name."""


class GenerationDamaged(IndexerError):
    """A file of a generation is missing, cut, changed or not ours."""


class BuildRunning(IndexerError):
    """Another build holds the data directory."""


class GateRefused(IndexerError):
    """A finished generation did not pass the quality gate; the old one goes on being served."""


class BadQuery(IndexerError):
    """A query that cannot be searched, such as an empty one."""


class ResourceError(IndexerError):
    """A lexicon, site template or weights file is missing or wrong."""


class SettingError(IndexerError):
    """A setting has a value that cannot be used."""


class EvaluationError(IndexerError):
    """Queries or judgements that cannot be evaluated."""
