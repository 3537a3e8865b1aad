"""What the engine needs of an index, and what goes into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.records import Answer

#: The two parts of an answer that are searched, and the three kinds of terms made of each.
PARTS = ("question", "answer")
TERM_KINDS = ("words", "bigrams", "characters")


def field_name(part: str, kind: str) -> str:
    """The field that holds one kind of terms of one part, e.g. "question_words"."""
    return f"{part}_{kind}"


@dataclass(frozen=True)
class Postings:
    """Where a term stands."""

    documents: NDArray[np.int32]  #: document numbers, ascending
    frequencies: NDArray[np.float32]  #: how often in each


class TermSource(Protocol):
    """Where terms stand in documents, which count from 0: Whoosh's postings, or the arrays."""

    @property
    def document_count(self) -> int: ...

    def postings(self, field: str, term: str) -> Postings:
        """Empty for a term or field that is not there."""
        ...

    def lengths(self, field: str) -> NDArray[np.int32]:
        """Number of terms in the field, for each document: shape (document_count,)."""
        ...


class Store(Protocol):
    """The answers of an index. Safe to use from many threads and after a fork; document numbers count from 0."""

    @property
    def document_count(self) -> int: ...

    def ids(self, documents: Sequence[int]) -> list[str]:
        """Answer ids of these documents."""
        ...

    def documents_with(self, field: str, value: str) -> NDArray[np.int32]:
        """Documents whose `id`, `url` or `site` is exactly `value`."""
        ...

    def answer(self, document: int) -> Answer: ...
