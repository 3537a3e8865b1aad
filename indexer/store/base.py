"""What the ranking needs of an index. Whoosh is the first that offers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import Terms
from indexer.records import Answer

#: The two parts of an answer that are searched, and the three kinds of terms made of each.
PARTS = ("question", "answer")
TERM_KINDS = ("words", "bigrams", "characters")


def field_name(part: str, kind: str) -> str:
    """The index field that holds one kind of terms of one part, e.g. "question_words"."""
    return f"{part}_{kind}"


@dataclass(frozen=True)
class AnalyzedAnswer:
    """An answer with its terms, as it goes into an index."""

    answer: Answer
    question: Terms
    text: Terms
    fold_key: int  #: equal for an original and its copies (dedupe.fold_key); unsigned 64 bit


@dataclass(frozen=True)
class Postings:
    """Where a term stands."""

    documents: NDArray[np.int32]  #: document numbers, ascending
    frequencies: NDArray[np.float32]  #: how often in each


class Store(Protocol):
    """A readable index. Safe to use from many threads and after a fork; document numbers count from 0."""

    @property
    def document_count(self) -> int: ...

    def postings(self, field: str, term: str) -> Postings:
        """Empty for a term or field that is not there."""
        ...

    def lengths(self, field: str) -> NDArray[np.float32]:
        """Number of terms in the field, for each document: shape (document_count,)."""
        ...

    def ids(self) -> Sequence[str]:
        """Each document's answer id."""
        ...

    def fold_keys(self) -> NDArray[np.uint64]:
        """Each document's `AnalyzedAnswer.fold_key`: shape (document_count,)."""
        ...

    def documents_with(self, field: str, value: str) -> NDArray[np.int32]:
        """Documents whose `id`, `url` or `site` is exactly `value`."""
        ...

    def answer(self, document: int) -> Answer: ...


class StoreWriter(Protocol):
    """Takes answers, once, and makes them searchable when committed."""

    def add(self, analyzed: AnalyzedAnswer) -> None: ...

    def commit(self) -> None: ...

    def cancel(self) -> None: ...
