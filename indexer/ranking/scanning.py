"""Scoring on arrays, compiled: a first pass over rounded impacts, then exact scores of what may be among the best.

The first pass adds integers: a term's weight, rounded to 16 bits, times an impact of 8 bits. Both roundings are bounded
(`fast_bm25.py`), so that no document of the exact best is lost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.native import kernel
from indexer.store.counting import BREAK, next_character
from indexer.store.postings import find, frequencies_at, length_norm, weighted

_BLOCK = 256  # documents whose best score is looked at before they are
_BINS = 1024


class Grams(NamedTuple):
    """The bigrams and characters of a question, found again in sequences of characters."""

    place_of: NDArray[np.int16]  #: per character of the segment: its place in the question, or -1
    characters: NDArray[np.int16]  #: per place: number of the term among the question's characters, or -1
    pairs: NDArray[np.int16]  #: shape (places, places): number of the bigram among the question's bigrams, or -1
    singles: NDArray[np.int16]  #: per place: number of the bigram that is a Latin word alone, or -1


@kernel
def _add(terms: Any, extents: Any, weights: Any, sums: Any) -> None:
    """Add each term's weighted impacts to its documents' sums."""
    documents, impacts = terms.documents, terms.impacts
    for term in range(len(weights)):
        weight = weights[term]
        if weight:
            for posting in range(extents[term, 0], extents[term, 1]):
                sums[documents[posting]] += weight * np.uint32(impacts[posting])


@kernel
def _floor_of_best(sums: Any, depth: Any) -> Any:
    """A bound that at least `depth` sums reach, close below the smallest of the best; 0 when there are fewer."""
    most = np.uint32(0)
    for i in range(len(sums)):
        most = max(most, sums[i])
    if most == 0:
        return np.int64(0)
    shift = 0
    while (most >> np.uint32(shift)) >= _BINS:
        shift += 1
    counts = np.zeros(_BINS, np.int64)
    for i in range(len(sums)):
        counts[sums[i] >> np.uint32(shift)] += 1
    found = 0
    for bin_ in range(_BINS - 1, 0, -1):
        found += counts[bin_]
        if found >= depth:
            return np.int64(bin_) << shift
    return np.int64(0)


@kernel
def first_pass(
    words: Any,
    word_extents: Any,
    word_weights: Any,
    bigrams: Any,
    bigram_extents: Any,
    bigram_weights: Any,
    allowed: Any,
    floor: Any,
    slack: Any,
    drift: Any,
    depth: Any,
    sums: Any,
    documents: Any,
    reached: Any,
) -> Any:
    """Documents of one segment whose sum over the terms is at least `floor - slack - drift * floor`, and not nothing.

    `floor` is what at least `depth` documents of the segments before reached, 0 when that is not known yet; `allowed`
    has a value for each document, or none when all may be found. `sums` is room for one sum a document; `documents` and
    `reached` get what was found. Gives how many, and a floor for the next segment.
    """
    sums[:] = 0
    _add(words, word_extents, word_weights, sums)
    _add(bigrams, bigram_extents, bigram_weights, sums)
    for i in range(len(allowed)):
        if not allowed[i]:
            sums[i] = 0
    if floor == 0:
        floor = _floor_of_best(sums, depth)
    n = 0
    least = np.uint32(max(floor - slack - np.int64(drift * floor), 1))
    for begin in range(0, len(sums), _BLOCK):
        end = min(begin + _BLOCK, len(sums))
        best = np.uint32(0)
        for i in range(begin, end):
            best = max(best, sums[i])
        if best >= least:
            for i in range(begin, end):
                if sums[i] >= least:
                    documents[n] = i
                    reached[n] = sums[i]
                    n += 1
    return n, floor


@kernel
def _posting_of(documents: Any, start: Any, end: Any, document: Any) -> Any:
    """Place of a document among a term's postings from `start` on, or where it would stand."""
    low, high, step = start, start, 1
    while high < end and documents[high] < document:
        low = high + 1
        high = min(high + step, end)
        step *= 2
    while low < high:
        middle = (low + high) >> 1
        if documents[middle] < document:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def score_terms(terms: Any, norms: Any, extents: Any, weights: Any, documents: Any, scores: Any) -> None:
    """Add the exact BM25F of each of these documents, ascending: weights are idf times how often a term counts."""
    k1 = norms.k1_b[0]
    for term in range(len(weights)):
        at, end = extents[term, 0], extents[term, 1]
        for i in range(len(documents)):
            if at >= end:
                break
            at = _posting_of(terms.documents, at, end, documents[i])
            if at < end and terms.documents[at] == documents[i]:
                in_question, in_answer = frequencies_at(terms, at)
                question_norm, answer_norm = length_norm(norms, documents[i], 0), length_norm(norms, documents[i], 1)
                frequency = weighted(norms, question_norm, answer_norm, in_question, in_answer)
                scores[i] += weights[term] * frequency * (k1 + 1) / (frequency + k1)


@kernel
def add_held(terms: Any, extents: Any, weights: Any, documents: Any, held: Any) -> None:
    """Add the weight of each term to the documents, ascending, that hold it."""
    for term in range(len(weights)):
        at, end = extents[term, 0], extents[term, 1]
        for i in range(len(documents)):
            if at >= end:
                break
            at = _posting_of(terms.documents, at, end, documents[i])
            if at < end and terms.documents[at] == documents[i]:
                held[i] += weights[term]


@kernel
def place_characters(keys: Any, numbers: Any, wanted: Any, place_of: Any) -> None:
    """`place_of`, all -1, gets the place of each wanted character that the segment has."""
    for i in range(len(wanted)):
        at = find(keys, wanted[i])
        if at >= 0:
            place_of[numbers[at]] = i


@kernel
def _count_grams(grams: Any, units: Any, start: Any, end: Any, bigrams: Any, characters: Any) -> None:
    """Count the question's bigrams and characters in a sequence of characters."""
    before = np.int64(-1)
    i = start
    while i < end:
        number, i = next_character(units, i)
        place = np.int64(grams.place_of[number]) if number != BREAK else np.int64(-1)
        if place >= 0:
            if grams.characters[place] >= 0:
                characters[grams.characters[place]] += 1
            if grams.singles[place] >= 0:
                bigrams[grams.singles[place]] += 1
            if before >= 0 and grams.pairs[before, place] >= 0:
                bigrams[grams.pairs[before, place]] += 1
        before = place


@kernel
def _score(norms: Any, document: Any, counts: Any, weights: Any) -> Any:
    k1 = norms.k1_b[0]
    question_norm, answer_norm = length_norm(norms, document, 0), length_norm(norms, document, 1)
    score = 0.0
    for term in range(len(weights)):
        if counts[0, term] or counts[1, term]:
            frequency = weighted(norms, question_norm, answer_norm, counts[0, term], counts[1, term])
            score += weights[term] * frequency * (k1 + 1) / (frequency + k1)
    return score


@kernel
def score_grams(
    grams: Any,
    units: Any,
    unit_ends: Any,
    bigram_norms: Any,
    bigram_weights: Any,
    character_norms: Any,
    character_weights: Any,
    documents: Any,
    scores: Any,
) -> None:
    """Exact BM25F over bigrams and over characters of each document: `scores` has a column for each."""
    bigrams = np.zeros((2, len(bigram_weights)), np.int64)
    characters = np.zeros((2, len(character_weights)), np.int64)
    for i in range(len(documents)):
        document = np.int64(documents[i])
        bigrams[:] = 0
        characters[:] = 0
        for part in range(2):
            text = 2 * document + part
            start = unit_ends[text - 1] if text else 0
            _count_grams(grams, units, start, unit_ends[text], bigrams[part], characters[part])
        scores[i, 0] = _score(bigram_norms, document, bigrams, bigram_weights)
        scores[i, 1] = _score(character_norms, document, characters, character_weights)
