"""What ranking looks at of an answer besides its text: one row each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.about import MAX_ENTITIES, About
from indexer.analysis.aspects import ASPECTS
from indexer.records import Answer, Kind
from indexer.verdicts import Flaw

_FLAWS, _KINDS = tuple(Flaw), tuple(Kind)
ANSWER_FACTS = np.dtype(
    [
        ("entities", np.uint64, MAX_ENTITIES),  # `name_key` of each, 0 for none
        ("page", np.uint64),  # equal for answers of one page
        ("date", np.int32),  # days since the year 1, 0 when unknown
        ("aspects", np.uint16),  # a bit for each place in ASPECTS
        ("populations", np.uint64),  # a bit for each name, by `population_bit`
        ("flaws", np.uint16),  # a bit for each place in Flaw
        ("kind", np.uint8),  # place in Kind
        ("has_author", np.bool_),
    ]
)


def answer_facts(answer: Answer, about: About) -> bytes:
    """One row of ANSWER_FACTS."""
    row = np.zeros(1, ANSWER_FACTS)
    row["entities"][0, : len(about.entities)] = [name_key(name) for name in about.entities]
    row["page"] = name_key(answer.page)
    row["date"] = _day(answer.date)
    row["aspects"] = aspect_bits(about.aspects)
    row["populations"] = population_bits(about.populations)
    row["flaws"] = sum(1 << _FLAWS.index(fact.flaw) for fact in answer.quality)
    row["kind"] = _KINDS.index(answer.kind)
    row["has_author"] = bool(answer.author)
    return row.tobytes()


def name_key(name: str) -> int:
    """By which names are compared; never 0."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) or 1


def aspect_bits(aspects: Iterable[str]) -> int:
    """A bit for each aspect."""
    return sum(1 << ASPECTS.index(aspect) for aspect in set(aspects))


def aspects_of(bits: int) -> tuple[str, ...]:
    """The aspects of bits, in the order in which they are told."""
    return tuple(aspect for place, aspect in enumerate(ASPECTS) if bits >> place & 1)


def population_bits(populations: Iterable[str]) -> int:
    """One of 64 bits for each name: the resources may name any."""
    bits = 0
    for name in populations:
        bits |= 1 << name_key(name) % 64
    return bits


def has_flaw(facts: NDArray[np.void], flaws: Sequence[Flaw]) -> NDArray[np.bool_]:
    """Which rows have one of these flaws."""
    return (facts["flaws"] & sum(1 << _FLAWS.index(flaw) for flaw in flaws)) > 0


def is_kind(facts: NDArray[np.void], kind: Kind) -> NDArray[np.bool_]:
    """Which rows are of this kind."""
    return np.asarray(facts["kind"] == _KINDS.index(kind))


def _day(text: str | None) -> int:
    try:
        return date.fromisoformat((text or "")[:10]).toordinal()
    except ValueError:
        return 0
