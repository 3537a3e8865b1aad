"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str  #: stable, for programs: of what was looked at, or of the state that is broken
    subject: str
    well: bool
    sentence: str  #: what is the matter, and the cure


def well(name: str, subject: str, sentence: str) -> Finding:
    """A thing that is as it should be."""
    return Finding(name, subject, True, sentence)


def broken(name: str, subject: str, sentence: str) -> Finding:
    """A broken state, with its cure."""
    return Finding(name, subject, False, sentence)
