"""How a question's characters lie in an answer's, compiled: what `features.py` makes its likenesses of.

Texts are sequences of characters (`counting.next_character`); a Latin word or a number counts as one. The head of an
answer is its question, or without one its beginning.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.native import kernel
from indexer.ranking.scanning import end_of, placed, posting_of
from indexer.store.counting import BREAK, next_character
from indexer.store.directory import terms_at, texts_at
from indexer.store.postings import frequencies_at

#: columns of what `measure` gives; shares are of the question's weight
MEASURES = (
    "longest_run",  # share of the longest piece of the question that stands in the answer letter by letter
    "covered",  # share of its characters
    "pairs",  # share of its pairs of neighbouring characters
    "in_order",  # share that the answer's beginning holds in the question's order, with gaps
    "density",  # share of the answer that is pairs of the question
    "first",  # where the first such pair stands, in characters
    "head_longest_run",
    "head_covered",
    "head_pairs",
    "head_in_order",
    "head_density",
    "head_alike",  # Dice's coefficient over pairs
    "near_30",  # the greatest share within so many characters
    "near_80",
    "head_length",  # in characters
    "length",
)
_OF_HEAD = MEASURES.index("head_longest_run")
_ALIKE, _NEAR, _LENGTHS = MEASURES.index("head_alike"), MEASURES.index("near_30"), MEASURES.index("head_length")
_SPANS = (30, 80)
_HEAD_CHARS = 40  # of an answer without a question
_ORDER_CHARS = 120  # so far `in_order` looks
_MAX_HITS = 4096


class Pattern(NamedTuple):
    """A question as a sequence of places in the list of its different characters."""

    keys: NDArray[np.uint64]  #: of the different characters, shape (places,)
    place_weights: NDArray[np.float64]  #: shape (places,)
    sequence: NDArray[np.int16]  #: shape (length,)
    weights: NDArray[np.float64]  #: of each character, 0 to 1, shape (length,)
    pair_weights: NDArray[np.float64]  #: of each with the one before it; 0 for the first, shape (length,)


@kernel
def _read(units: Any, start: Any, end: Any, place_of: Any, text: Any, n: Any) -> Any:
    """Append the places of a text's characters, -1 for what is none of the question's."""
    i = start
    while i < end:
        number, i = next_character(units, i)
        if number != BREAK:
            text[n] = place_of[number]
            n += 1
    return n


@kernel
def _compare(
    text: Any,
    pattern_sequence: Any,
    weights: Any,
    pair_weights: Any,
    sums: Any,
    runs: Any,
    order: Any,
    held: Any,
    pairs: Any,
    out: Any,
) -> Any:
    """Fill the first measures of one text; gives how many of its characters end a pair of the question."""
    n = len(pattern_sequence)
    runs[:] = 0
    order[:] = 0
    held[:] = False
    pairs[:] = False
    best, ends, first = 0.0, 0, len(text)
    clean = True
    for at in range(len(text)):
        place = text[at]
        if place < 0:
            if not clean:
                runs[:] = 0
                clean = True
            continue
        clean = False
        ends_pair = False
        for i in range(n - 1, -1, -1):
            if pattern_sequence[i] == place:
                length = runs[i] + 1
                runs[i + 1] = length
                held[i] = True
                if length >= 2:
                    pairs[i] = True
                    ends_pair = True
                    if first == len(text) and pair_weights[i] > 0:
                        first = at - 1
                best = max(best, sums[i + 1] - sums[i + 1 - length])
            else:
                runs[i + 1] = 0
        ends += ends_pair
        if at < _ORDER_CHARS:
            before = 0.0
            for i in range(n):
                old = order[i + 1]
                if pattern_sequence[i] == place:
                    order[i + 1] = max(before + weights[i], old)
                order[i + 1] = max(order[i + 1], order[i])
                before = old
    covered = in_pairs = of_pairs = 0.0
    for i in range(n):
        covered += weights[i] * held[i]
        in_pairs += pair_weights[i] * pairs[i]
        of_pairs += pair_weights[i]
    whole = max(sums[n], 1e-9)
    out[0] = best / whole
    out[1] = covered / whole
    out[2] = in_pairs / max(of_pairs, 1e-9)
    out[3] = order[n] / whole
    out[4] = ends / max(len(text) - 1, 1)
    return first


@kernel
def _nearest(text: Any, place_weights: Any, span: Any, counts: Any, hits: Any) -> Any:
    """Greatest weight of different characters of the question within `span` characters of a text."""
    counts[:] = 0
    best = total = 0.0
    first = n = 0
    for at in range(len(text)):
        place = text[at]
        if place < 0:
            continue
        if n == len(hits):
            break
        hits[n] = at
        n += 1
        if counts[place] == 0:
            total += place_weights[place]
        counts[place] += 1
        while at - hits[first] > span:
            gone = text[hits[first]]
            counts[gone] -= 1
            if counts[gone] == 0:
                total -= place_weights[gone]
            first += 1
        best = max(best, total)
    return best


@kernel
def _alike(pattern_pairs: Any, pairs: Any, length: Any) -> Any:
    """Dice's coefficient of a question with so many pairs, of which these stand in a text of this length."""
    common = 0
    for i in range(len(pairs)):
        common += pairs[i]
    return min(2.0 * common / max(pattern_pairs + max(length - 1, 0), 1), 1.0)


@kernel
def measure(directory: Any, pattern: Any, documents: Any, measures: Any) -> None:
    """`measures`, shape (documents, MEASURES), of documents, ascending."""
    keys, place_weights, sequence, weights, pair_weights = pattern
    n = len(sequence)
    sums = np.zeros(n + 1)
    for i in range(n):
        sums[i + 1] = sums[i] + weights[i]
    runs, order = np.zeros(n + 1, np.int32), np.zeros(n + 1)
    held, pairs = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    counts, hits = np.zeros(len(keys), np.int32), np.empty(_MAX_HITS, np.int32)
    whole = max(place_weights.sum(), 1e-9)
    at = 0
    for segment in range(len(directory.bases) - 1):
        base, after = directory.bases[segment], directory.bases[segment + 1]
        if at == len(documents) or documents[at] >= after:
            continue
        units, unit_ends = texts_at(directory, segment)
        place_of = placed(directory, segment, keys)
        while at < len(documents) and documents[at] < after:
            number = 2 * (documents[at] - base)
            start = unit_ends[number - 1] if number else np.int64(0)
            middle, end = unit_ends[number], unit_ends[number + 1]
            text = np.empty(end - start, np.int16)
            head = _read(units, start, middle, place_of, text, 0)
            n_text = _read(units, middle, end, place_of, text, head)
            if head == 0:
                head = min(n_text, _HEAD_CHARS)
            out = measures[at]
            compared = out[:_OF_HEAD]
            compared[5] = _compare(
                text[:n_text], sequence, weights, pair_weights, sums, runs, order, held, pairs, compared
            )
            _compare(text[:head], sequence, weights, pair_weights, sums, runs, order, held, pairs, out[_OF_HEAD:])
            out[_ALIKE] = _alike(n - 1, pairs, head)
            for i in range(2):
                span = _SPANS[i]
                out[_NEAR + i] = _nearest(text[:n_text], place_weights, span, counts, hits) / whole
            out[_LENGTHS], out[_LENGTHS + 1] = head, n_text
            at += 1


@kernel
def occurrences(directory: Any, extents: Any, documents: Any, counts: Any) -> None:
    """How often words, given by their extents, stand in question and text of documents, ascending: `counts`, zeros of
    shape (documents, words, 2).
    """
    first = 0
    for segment in range(len(directory.bases) - 1):
        last = end_of(documents, first, directory.bases[segment + 1])
        if last == first:
            continue
        terms = terms_at(directory, segment, 0)
        held_by, frequencies, large_places, large = terms.documents, terms.frequencies, terms.large_places, terms.large
        for word in range(extents.shape[1]):
            at, end = extents[segment, word, 0], extents[segment, word, 1]
            for i in range(first, last):
                document = documents[i] - directory.bases[segment]
                at = posting_of(held_by, at, end, document)
                if at < end and held_by[at] == document:
                    counts[i, word, 0], counts[i, word, 1] = frequencies_at(frequencies, large_places, large, at)
        first = last
