"""Reading postings on arrays, compiled: where a term's stand, what they say, and the impacts that are scored by."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.native import kernel

#: a posting's two frequencies share a byte; where they do not fit, both stand in a list of their own
QUESTION_SHIFT, MAX_SMALL_IN_QUESTION, MAX_SMALL_IN_ANSWER = 5, 7, 31
MAX_IMPACT = 255


class TermPostings(NamedTuple):
    """Terms of one kind in one segment, and their postings one term after another, documents ascending."""

    keys: NDArray[np.uint64]  #: per term, ascending
    starts: NDArray[np.int64]  #: shape (terms + 1,)
    documents: NDArray[np.uint16]  #: per posting
    impacts: NDArray[np.uint8]  #: per posting: saturated frequency, MAX_IMPACT for k1 + 1, rounded; never 0
    frequencies: NDArray[np.uint8]  #: per posting: in question and in answer
    large_places: NDArray[np.int64]  #: postings whose frequencies are too large for that, ascending
    large: NDArray[np.uint16]  #: shape (large places, 2): what they are


class Norms(NamedTuple):
    """What turns frequencies into a score: BM25F's length norms and weights."""

    lengths: NDArray[np.int32]  #: shape (documents, parts): number of terms of this kind
    averages: NDArray[np.float64]  #: shape (parts,): average length over the documents that have the part
    weights: NDArray[np.float64]  #: shape (parts,): of question and answer
    k1_b: NDArray[np.float64]  #: shape (2,)


@kernel
def find(keys: Any, key: Any) -> Any:
    """Place of a key, or -1. Keys are hashes, spread evenly: the search starts where one is likely to stand."""
    n = len(keys)
    if n == 0:
        return -1
    low: Any = min(np.int64((np.float64(key) / 2.0**64) * n), n - 1)
    high: Any = low
    step = 64
    if keys[low] <= key:
        high = low + 1
        while high < n and keys[high] <= key:
            low = high
            high = min(high + step, n)
            step *= 2
    else:
        low = max(high - step, 0)
        while low > 0 and keys[low] > key:
            high = low
            step *= 2
            low = max(low - step, 0)
    while high - low > 1:
        middle = (low + high) >> 1
        if keys[middle] <= key:
            low = middle
        else:
            high = middle
    return low if keys[low] == key else -1


# Kernels take arrays out of tuples before their loops: within, each would be counted anew, which takes longer than
# what is done with it. So these take arrays and numbers.


@kernel
def frequencies_at(frequencies: Any, large_places: Any, large: Any, posting: Any) -> Any:
    """How often the term of a posting stands in question and in answer."""
    both = frequencies[posting]
    in_question, in_answer = np.int64(both >> QUESTION_SHIFT), np.int64(both & MAX_SMALL_IN_ANSWER)
    if in_question == MAX_SMALL_IN_QUESTION or in_answer == MAX_SMALL_IN_ANSWER:
        place = np.searchsorted(large_places, posting)
        return np.int64(large[place, 0]), np.int64(large[place, 1])
    return in_question, in_answer


@kernel
def length_norm(length: Any, average: Any, b: Any) -> Any:
    """BM25's 1 - b + b * length / average length."""
    return 1 - b + b * length / average


@kernel
def weighted(
    in_question: Any, question_weight: Any, question_norm: Any, in_answer: Any, answer_weight: Any, answer_norm: Any
) -> Any:
    """BM25F's frequency over both parts (Robertson, Zaragoza and Taylor 2004), in the order of ranking/bm25.py."""
    total = 0.0
    if in_question:
        total += question_weight * in_question / question_norm
    if in_answer:
        total += answer_weight * in_answer / answer_norm
    return total


@kernel
def write_impacts(terms: Any, norms: Any) -> None:
    """Fill `terms.impacts` from the frequencies."""
    documents, impacts, frequencies = terms.documents, terms.impacts, terms.frequencies
    large_places, large, lengths = terms.large_places, terms.large, norms.lengths
    k1, b = norms.k1_b
    question_weight, answer_weight = norms.weights
    question_average, answer_average = norms.averages
    for posting in range(len(documents)):
        in_question, in_answer = frequencies_at(frequencies, large_places, large, posting)
        document = documents[posting]
        question_norm = length_norm(lengths[document, 0], question_average, b)
        answer_norm = length_norm(lengths[document, 1], answer_average, b)
        frequency = weighted(in_question, question_weight, question_norm, in_answer, answer_weight, answer_norm)
        impacts[posting] = max(np.round(MAX_IMPACT * frequency / (frequency + k1)), 1)


@kernel
def decode(terms: Any, start: Any, end: Any, part: Any, documents: Any, frequencies: Any) -> Any:
    """Postings of one part in [start, end), those that are not empty; gives how many."""
    n = 0
    for posting in range(start, end):
        in_question, in_answer = frequencies_at(terms.frequencies, terms.large_places, terms.large, posting)
        frequency = in_question if part == 0 else in_answer
        if frequency:
            documents[n] = terms.documents[posting]
            frequencies[n] = frequency
            n += 1
    return n
