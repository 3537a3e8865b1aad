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
from indexer.store.directory import characters_at, lengths_at, terms_at, texts_at
from indexer.store.postings import Norms, find, frequencies_at, length_norm, weighted

_BLOCK = 256  # documents whose best score is looked at before they are
_FEW = 32  # so many of the best are bounded by the blocks' best, which saves a look at all
_BINS = 1024
_MAX_DOCUMENTS = 65_536  # of a segment


class Grams(NamedTuple):
    """The bigrams and characters of a question, found again in sequences of characters."""

    keys: NDArray[np.uint64]  #: of the different characters of both, in places
    characters: NDArray[np.int16]  #: per place: number of the term among the question's characters, or -1
    pairs: NDArray[np.int16]  #: shape (places, places): number of the bigram among the question's bigrams, or -1
    singles: NDArray[np.int16]  #: per place: number of the bigram that is a Latin word alone, or -1


@kernel
def _add(terms: Any, extents: Any, weights: Any, sums: Any) -> None:
    """Add each term's weighted impacts to its documents' sums."""
    for term in range(len(weights)):
        weight = weights[term]
        if weight:
            # slices, whose places begin at 0, are read without a look at the sign of the place
            documents = terms.documents[extents[term, 0] : extents[term, 1]]
            impacts = terms.impacts[extents[term, 0] : extents[term, 1]]
            for posting in range(len(documents)):
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
    directory: Any,
    word_extents: Any,
    word_weights: Any,
    bigram_extents: Any,
    bigram_weights: Any,
    allowed: Any,
    depth: Any,
    slack: Any,
    drifts: Any,
) -> Any:
    """Documents, ascending, that are among the best `depth` by their sums over the terms, and a few more: those down to
    `slack` below the least of the best, and in a segment to its share `drifts` of that.

    `allowed` has a value for each document, or none at all when all may be found.
    """
    bases = directory.bases
    documents, reached = np.empty(bases[-1], np.int64), np.empty(bases[-1], np.uint32)
    all_sums, all_tops = np.empty(_MAX_DOCUMENTS, np.uint32), np.empty(_MAX_DOCUMENTS // _BLOCK, np.uint32)
    floor = np.int64(0)
    n = 0
    for segment in range(len(bases) - 1):
        base = bases[segment]
        sums = all_sums[: bases[segment + 1] - base]
        sums[:] = 0
        _add(terms_at(directory, segment, 0), word_extents[segment], word_weights, sums)
        _add(terms_at(directory, segment, 1), bigram_extents[segment], bigram_weights, sums)
        if len(allowed):
            for i in range(len(sums)):
                if not allowed[base + i]:
                    sums[i] = 0
        tops = _tops(sums, all_tops)
        if floor == 0:
            floor = _floor_of_tops(tops, depth) if depth <= _FEW else _floor_of_best(sums, depth)
        before = n
        n = _collect(sums, tops, _least(floor, slack, drifts[segment]), base, documents, reached, n)
        if floor and n > before:
            floor = max(floor, _floor_of_best(reached[:n], depth))
            n = _kept(documents, reached, n, bases, floor, slack, drifts)
    if floor == 0:
        floor = _floor_of_best(reached[:n], depth)
        n = _kept(documents, reached, n, bases, floor, slack, drifts)
    return documents[:n].copy()


@kernel
def _least(floor: Any, slack: Any, drift: Any) -> Any:
    return max(floor - slack - np.int64(drift * floor), 1)


@kernel
def _tops(sums: Any, tops: Any) -> Any:
    """The best sum of each block of documents."""
    blocks = (len(sums) + _BLOCK - 1) // _BLOCK
    for block in range(blocks):
        best = np.uint32(0)
        for each in sums[block * _BLOCK : min((block + 1) * _BLOCK, len(sums))]:
            best = max(best, each)
        tops[block] = best
    return tops[:blocks]


@kernel
def _floor_of_tops(tops: Any, depth: Any) -> Any:
    """A bound that at least `depth` sums reach, each in a block of its own; 0 when there are fewer blocks."""
    return np.int64(np.sort(tops)[len(tops) - depth]) if depth <= len(tops) else np.int64(0)


@kernel
def _collect(sums: Any, tops: Any, least: Any, base: Any, documents: Any, reached: Any, n: Any) -> Any:
    """Append the documents whose sum is not below `least`; gives how many there are then."""
    for block in range(len(tops)):
        if tops[block] >= least:
            for i in range(block * _BLOCK, min((block + 1) * _BLOCK, len(sums))):
                if sums[i] >= least:
                    documents[n] = base + i
                    reached[n] = sums[i]
                    n += 1
    return n


@kernel
def _kept(documents: Any, reached: Any, n: Any, bases: Any, floor: Any, slack: Any, drifts: Any) -> Any:
    """Leave out the documents that a higher floor has left below; gives how many remain."""
    kept = 0
    segment = 0
    for i in range(n):
        while documents[i] >= bases[segment + 1]:
            segment += 1
        if reached[i] >= _least(floor, slack, drifts[segment]):
            documents[kept] = documents[i]
            reached[kept] = reached[i]
            kept += 1
    return kept


@kernel
def posting_of(documents: Any, start: Any, end: Any, document: Any) -> Any:
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
def _score_terms(terms: Any, norms: Any, extents: Any, weights: Any, documents: Any, base: Any, scores: Any) -> None:
    """Add the exact BM25F of documents, ascending, of a segment: weights are idf times how often a term counts."""
    held_by, frequencies, large_places, large = terms.documents, terms.frequencies, terms.large_places, terms.large
    k1, b = norms.k1_b
    question_weight, answer_weight = norms.weights
    question_average, answer_average = norms.averages
    lengths = norms.lengths
    for term in range(len(weights)):
        at, end = extents[term, 0], extents[term, 1]
        for i in range(len(documents)):
            if at >= end:
                break
            document = documents[i] - base
            at = posting_of(held_by, at, end, document)
            if at < end and held_by[at] == document:
                in_question, in_answer = frequencies_at(frequencies, large_places, large, at)
                question_norm = length_norm(lengths[document, 0], question_average, b)
                answer_norm = length_norm(lengths[document, 1], answer_average, b)
                frequency = weighted(in_question, question_weight, question_norm, in_answer, answer_weight, answer_norm)
                scores[i] += weights[term] * frequency * (k1 + 1) / (frequency + k1)


@kernel
def _add_held(terms: Any, extents: Any, weights: Any, documents: Any, base: Any, held: Any) -> None:
    """Add the weight of each term to the documents, ascending, of a segment that hold it."""
    held_by = terms.documents
    for term in range(len(weights)):
        at, end = extents[term, 0], extents[term, 1]
        for i in range(len(documents)):
            if at >= end:
                break
            at = posting_of(held_by, at, end, documents[i] - base)
            if at < end and held_by[at] == documents[i] - base:
                held[i] += weights[term]


@kernel
def end_of(documents: Any, first: Any, after: Any) -> Any:
    """Where the documents, ascending from place `first`, reach the number `after`."""
    last = first
    while last < len(documents) and documents[last] < after:
        last += 1
    return last


@kernel
def placed(directory: Any, segment: Any, wanted: Any) -> Any:
    """For each character of a segment its place among the wanted ones, or -1."""
    keys, numbers, _ = characters_at(directory, segment)
    place_of = np.full(len(keys) + 1, -1, np.int16)
    for i in range(len(wanted)):
        at = find(keys, wanted[i])
        if at >= 0:
            place_of[numbers[at]] = i
    return place_of


@kernel
def _count_grams(grams: Any, place_of: Any, units: Any, start: Any, end: Any, bigrams: Any, characters: Any) -> None:
    """Count the question's bigrams and characters in a sequence of characters."""
    of_characters, pairs, singles = grams.characters, grams.pairs, grams.singles
    before = np.int64(-1)
    i = start
    while i < end:
        number, i = next_character(units, i)
        place = np.int64(place_of[number]) if number != BREAK else np.int64(-1)
        if place >= 0:
            if of_characters[place] >= 0:
                characters[of_characters[place]] += 1
            if singles[place] >= 0:
                bigrams[singles[place]] += 1
            if before >= 0 and pairs[before, place] >= 0:
                bigrams[pairs[before, place]] += 1
        before = place


@kernel
def _score(norms: Any, document: Any, counts: Any, weights: Any) -> Any:
    k1, b = norms.k1_b
    question_weight, answer_weight = norms.weights
    question_norm = length_norm(norms.lengths[document, 0], norms.averages[0], b)
    answer_norm = length_norm(norms.lengths[document, 1], norms.averages[1], b)
    score = 0.0
    for term in range(len(weights)):
        in_question, in_answer = counts[0, term], counts[1, term]
        if in_question or in_answer:
            frequency = weighted(in_question, question_weight, question_norm, in_answer, answer_weight, answer_norm)
            score += weights[term] * frequency * (k1 + 1) / (frequency + k1)
    return score


@kernel
def _score_grams(
    directory: Any,
    segment: Any,
    grams: Any,
    bigram_norms: Any,
    bigram_weights: Any,
    character_norms: Any,
    character_weights: Any,
    documents: Any,
    scores: Any,
) -> None:
    """Exact BM25F over bigrams and over characters of documents of a segment: the last two columns of `scores`."""
    units, unit_ends = texts_at(directory, segment)
    place_of = placed(directory, segment, grams.keys)
    bigrams = np.zeros((2, len(bigram_weights)), np.int64)
    characters = np.zeros((2, len(character_weights)), np.int64)
    for i in range(len(documents)):
        document = documents[i] - directory.bases[segment]
        bigrams[:] = 0
        characters[:] = 0
        for part in range(2):
            text = 2 * document + part
            start = unit_ends[text - 1] if text else np.int64(0)
            _count_grams(grams, place_of, units, start, unit_ends[text], bigrams[part], characters[part])
        scores[i, 1] = _score(bigram_norms, document, bigrams, bigram_weights)
        scores[i, 2] = _score(character_norms, document, characters, character_weights)


@kernel
def score(
    directory: Any,
    averages: Any,
    part_weights: Any,
    k1_b: Any,
    word_extents: Any,
    word_weights: Any,
    grams: Any,
    bigram_weights: Any,
    character_weights: Any,
    held_extents: Any,
    held_weights: Any,
    documents: Any,
    scores: Any,
    held: Any,
) -> None:
    """Exact scores of documents, ascending: `scores`, zeros of shape (documents, kinds), gets BM25F over words, bigrams
    and characters; `held`, zeros, the weights of the words that each document holds.
    """
    first = 0
    for segment in range(len(directory.bases) - 1):
        last = end_of(documents, first, directory.bases[segment + 1])
        if last == first:
            continue
        here, base = documents[first:last], directory.bases[segment]
        words = terms_at(directory, segment, 0)
        norms = Norms(lengths_at(directory, segment, 0), averages[0], part_weights, k1_b)
        _score_terms(words, norms, word_extents[segment], word_weights, here, base, scores[first:last, 0])
        _add_held(words, held_extents[segment], held_weights, here, base, held[first:last])
        if len(bigram_weights) or len(character_weights):
            _score_grams(
                directory,
                segment,
                grams,
                Norms(lengths_at(directory, segment, 1), averages[1], part_weights, k1_b),
                bigram_weights,
                Norms(lengths_at(directory, segment, 2), averages[2], part_weights, k1_b),
                character_weights,
                here,
                scores[first:last],
            )
        first = last
