"""Writes the arrays of one segment: terms, postings, lengths and texts of up to 65,536 answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.cutting import Dictionary
from indexer.analysis.dictionary import codes_of
from indexer.store import counting
from indexer.store.base import PARTS, TERM_KINDS
from indexer.store.counting import EMPTY, Table
from indexer.store.postings import MAX_SMALL_IN_ANSWER, MAX_SMALL_IN_QUESTION, QUESTION_SHIFT

MAX_DOCUMENTS = 65_536  #: of a segment, so that a document's number takes two bytes
_BATCH_CHARS = 100_000
_PLACES_PER_CHAR = 4  #: words that may begin at a character; where more do, there is more room at the second try


@dataclass(frozen=True)
class CountedTerms:
    """Terms of one kind in the order of their keys, with their postings one after another."""

    order: NDArray[np.intp]  #: the terms by their first appearance
    keys: NDArray[np.uint64]  #: ascending
    starts: NDArray[np.int64]  #: shape (terms + 1,): where the postings of each begin and end
    documents: NDArray[np.uint16]  #: per posting
    in_question: NDArray[np.uint16]  #: per posting: how often in the question
    in_answer: NDArray[np.uint16]


@dataclass(frozen=True)
class CountedSegment:
    """All that was counted of a segment's answers."""

    terms: dict[str, CountedTerms]  #: by kind; of the characters only keys and documents are kept on disk
    lengths: NDArray[np.int32]  #: shape (documents, parts, kinds): number of terms
    units: NDArray[np.uint16]  #: the texts as sequences of characters
    unit_ends: NDArray[np.int64]  #: shape (2 * documents,): of each question and text
    word_codes: NDArray[np.uint32]  #: the words in the order of their keys, as code points one after another
    word_ends: NDArray[np.int64]  #: shape (words + 1,)


class SegmentCounter:
    """Takes normalised questions and texts, then gives what was counted. For one segment."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._tables = {kind: _new_table() for kind in TERM_KINDS}
        self._pool = np.empty(2**18, np.uint32)
        self._pool_ends = np.empty(2**16, np.int64)
        self._units = np.empty(2**20, np.uint16)
        self._unit_ends = np.zeros(2 * MAX_DOCUMENTS, np.int64)
        self._lengths = np.zeros((2 * MAX_DOCUMENTS, len(TERM_KINDS)), np.int32)
        self._texts = 0
        self._waiting: list[str] = []
        self._waiting_chars = 0

    def add(self, question: str, text: str) -> None:
        """Take one answer, both parts normalised."""
        self._waiting += [question, text]
        self._waiting_chars += len(question) + len(text)
        if self._waiting_chars > _BATCH_CHARS:
            self._count()

    def finish(self) -> CountedSegment:
        """What was counted."""
        self._count()
        counted = {kind: _counted(table) for kind, table in self._tables.items()}
        texts, documents = self._texts, self._texts // 2
        word_codes, word_ends = self._words_in(counted["words"].order)
        return CountedSegment(
            counted,
            self._lengths[:texts].reshape(documents, len(PARTS), len(TERM_KINDS)),
            self._units[: self._unit_ends[texts - 1] if texts else 0],
            self._unit_ends[:texts],
            word_codes,
            word_ends,
        )

    def _count(self) -> None:
        texts, self._waiting, self._waiting_chars = self._waiting, [], 0
        places_per_char = _PLACES_PER_CHAR
        while texts:
            codes = codes_of("".join(texts))
            ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
            words, bigrams, characters = (self._tables[kind] for kind in TERM_KINDS)
            done = counting.count(
                words,
                self._pool,
                self._pool_ends,
                bigrams,
                characters,
                self._units,
                self._unit_ends,
                self._lengths,
                self._dictionary,
                codes,
                ends,
                self._texts,
            )
            self._texts += done
            texts = texts[done:]
            places_per_char = _PLACES_PER_CHAR if done else 2 * places_per_char
            if texts:
                self._make_room(places_per_char * len(texts[0]) + 64)

    def _make_room(self, places: int) -> None:
        """For so many more words, each of them new and as long as a word may be on the average."""
        for kind, table in self._tables.items():
            terms, postings = table.used.tolist()
            self._tables[kind] = _grown(table, terms + places, postings + places)
        terms = int(self._tables["words"].used[0])
        letters = int(self._pool_ends[terms - 1]) if terms else 0
        self._pool = _longer(self._pool, letters + 4 * places)
        self._pool_ends = _longer(self._pool_ends, terms + places)
        self._units = _longer(self._units, int(self._unit_ends[self._texts - 1] if self._texts else 0) + 2 * places)

    def _words_in(self, order: NDArray[np.intp]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        ends = self._pool_ends[: len(order)]
        starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        lengths = (ends - starts)[order]
        word_ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(starts[order] - word_ends[:-1], lengths) + np.arange(word_ends[-1])
        return self._pool[places], word_ends


def save_counted(counted: CountedSegment, folder: Path) -> None:
    """Write the arrays of a segment, but for the impacts, which need the average lengths of all segments."""
    folder.mkdir(parents=True)
    arrays: dict[str, NDArray[np.generic]] = {
        "lengths": np.ascontiguousarray(counted.lengths.transpose(2, 0, 1)),
        "units": counted.units,
        "unit_ends": counted.unit_ends,
        "word_codes": counted.word_codes,
        "word_ends": counted.word_ends,
    }
    for kind in ("words", "bigrams"):
        terms = counted.terms[kind]
        small, places, large = _packed(terms.in_question, terms.in_answer)
        arrays |= {
            f"{kind}_keys": terms.keys,
            f"{kind}_starts": terms.starts,
            f"{kind}_documents": terms.documents,
            f"{kind}_frequencies": small,
            f"{kind}_large_places": places,
            f"{kind}_large": large,
        }
    characters = counted.terms["characters"]
    arrays |= {
        "characters_keys": characters.keys,
        "characters_numbers": characters.order.astype(np.int32) + 1,
        "characters_answers": np.diff(characters.starts).astype(np.int32),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)


def _packed(
    in_question: NDArray[np.uint16], in_answer: NDArray[np.uint16]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint16]]:
    """Both frequencies in a byte; the places where they are too large for that, and what they are there."""
    small = np.minimum(in_question, MAX_SMALL_IN_QUESTION) << QUESTION_SHIFT | np.minimum(
        in_answer, MAX_SMALL_IN_ANSWER
    )
    places = np.flatnonzero((in_question >= MAX_SMALL_IN_QUESTION) | (in_answer >= MAX_SMALL_IN_ANSWER))
    return small.astype(np.uint8), places.astype(np.int64), np.column_stack([in_question[places], in_answer[places]])


def _new_table() -> Table:
    slots, postings = 2**16, 2**16
    return Table(
        np.full(slots, EMPTY, np.uint64),
        np.empty(slots, np.int32),
        np.empty(slots // 2, np.uint64),
        np.empty(slots // 2, np.int64),
        np.empty(postings, np.uint16),
        np.empty(postings, np.int32),
        np.empty(postings, np.uint16),
        np.empty(postings, np.uint16),
        np.zeros(2, np.int64),
    )


def _grown(table: Table, terms: int, postings: int) -> Table:
    """With room for so many terms and postings."""
    slots = len(table.slots)
    while slots < 2 * terms:
        slots *= 2
    grown = table._replace(
        keys=_longer(table.keys, slots // 2),
        last=_longer(table.last, slots // 2),
        documents=_longer(table.documents, postings),
        terms=_longer(table.terms, postings),
        in_question=_longer(table.in_question, postings),
        in_answer=_longer(table.in_answer, postings),
    )
    if slots > len(table.slots):
        grown = grown._replace(slots=np.full(slots, EMPTY, np.uint64), numbers=np.empty(slots, np.int32))
        counting.rehash(grown)
    return grown


def _longer(values: NDArray[Any], length: int) -> NDArray[Any]:
    """With room for so many values, and then for half as many again."""
    if length <= len(values):
        return values
    longer: NDArray[Any] = np.empty(max(length, len(values) * 3 // 2), values.dtype)
    longer[: len(values)] = values
    return longer


def _counted(table: Table) -> CountedTerms:
    terms, postings = table.used
    order = np.argsort(table.keys[:terms])
    starts = np.empty(terms + 1, np.int64)
    documents, in_question, in_answer = (np.empty(postings, np.uint16) for _ in range(3))
    counting.grouped(table, order, starts, documents, in_question, in_answer)
    return CountedTerms(order, table.keys[order], starts, documents, in_question, in_answer)
