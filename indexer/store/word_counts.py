"""How often each word stands in a generation: what spelling and suggestions are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.store import postings
from indexer.store.impacts import Segment, keys_of


def word_counts(segments: Sequence[Segment], wanted: Iterable[str], min_answers: int) -> dict[str, tuple[int, int]]:
    """Words of at least so many answers, and the wanted ones: how many answers and how many questions hold each."""
    every, in_answers, in_questions = np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    for segment in segments:  # one by one: a million answers together take half a gigabyte
        terms, removed = segment.terms["words"], segment.removed
        asked = (terms.frequencies >> postings.QUESTION_SHIFT) > 0
        answers = np.diff(terms.starts)
        questions = np.add.reduceat(asked, terms.starts[:-1], dtype=np.int64) if len(asked) else answers
        if removed:
            answers = answers - removed.answers_with("words", terms.keys)
            questions = questions - removed.questions_with(terms.keys)
        before, every = every, np.union1d(every, terms.keys)
        at, here = np.searchsorted(every, before), np.searchsorted(every, terms.keys)
        in_answers, in_questions = (_spread(each, at, len(every)) for each in (in_answers, in_questions))
        in_answers[here] += answers
        in_questions[here] += questions
    chosen = every[(in_answers >= min_answers) | (np.isin(every, keys_of(list(wanted))) & (in_answers > 0))]
    counts: dict[str, tuple[int, int]] = {}
    for segment in segments:
        here = np.flatnonzero(np.isin(segment.terms["words"].keys, chosen))
        at = np.searchsorted(every, segment.terms["words"].keys[here])
        for word, number in zip(_words_at(segment, here), at.tolist(), strict=True):
            counts[word] = (int(in_answers[number]), int(in_questions[number]))
    return counts


def _spread(values: NDArray[np.int64], places: NDArray[np.intp], length: int) -> NDArray[np.int64]:
    """An array of this length with the values at these places, else zeros."""
    spread = np.zeros(length, np.int64)
    spread[places] = values
    return spread


def _words_at(segment: Segment, places: NDArray[np.intp]) -> Iterator[str]:
    letters = segment.word_codes.tobytes().decode("utf-32-le", "surrogatepass")
    ends = segment.word_ends
    for start, end in zip(ends[places].tolist(), ends[places + 1].tolist(), strict=True):
        yield letters[start:end]
