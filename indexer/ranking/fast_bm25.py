"""BM25F on arrays: exactly what bm25.py gives, for the best documents only.

A first pass adds rounded impacts (scanning.py) over all postings of words and bigrams; what it finds among the best, or
within the roundings' bound of them, is scored exactly, now with the characters too. The plain scan of every posting
beat skipping (MaxScore) on questions, whose terms are many and common; docs/performance.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.ranking import scanning
from indexer.ranking.scanning import Grams
from indexer.resources import RankingWeights
from indexer.store.base import TERM_KINDS
from indexer.store.impacts import POSTED_KINDS, Impacts, keys_of
from indexer.store.postings import MAX_IMPACT

_MAX_WEIGHT = 65_535
_MAX_SUM_OF_WEIGHTS = 2**32 // MAX_IMPACT - 1


_NO_GRAMS = Grams(np.empty(0, np.uint64), np.empty(0, np.int16), np.empty((0, 0), np.int16), np.empty(0, np.int16))


@dataclass(frozen=True)
class WeighedTerms:
    """The terms of one kind in a question as the arrays know them."""

    terms: tuple[str, ...]
    keys: NDArray[np.uint64]
    extents: NDArray[np.int64]  #: of words and bigrams their postings: shape (segments, terms, 2)
    answers: NDArray[np.int64]  #: how many hold each term
    weights: NDArray[np.float64]  #: idf times how often each counts


@dataclass(frozen=True)
class Scored:
    """Documents, ascending, with their exact scores."""

    documents: NDArray[np.int64]
    parts: NDArray[np.float64]  #: shape (documents, kinds)
    held: NDArray[np.float64]  #: weights of the wanted words that each holds


class FastBm25:
    """Finds the best documents of a generation. Safe to share between threads."""

    def __init__(self, impacts: Impacts, weights: RankingWeights) -> None:
        self._impacts = impacts
        self._weights = weights
        self._part_weights = np.array([weights.question, weights.answer], np.float64)
        self._k1_b = np.array([weights.k1, weights.b], np.float64)
        nowhere = np.empty((len(impacts.segments), 0, 2), np.int64)
        self._nothing = WeighedTerms((), np.empty(0, np.uint64), nowhere, np.empty(0, np.int64), np.empty(0))
        self._no_drifts = np.zeros(len(impacts.segments))
        # impacts are of the average lengths of their time: by how much of a sum that may be wrong, twice
        drifts = (np.abs(impacts.averages / impacts.impacts_at[each.name] - 1).max() for each in impacts.segments)
        self._drifts = 2 * np.fromiter(drifts, np.float64, len(impacts.segments))

    def weigh(self, kind: str, terms: Mapping[str, float]) -> WeighedTerms:
        """Terms with how often each counts, with their idf and their places."""
        keys = keys_of(list(terms))
        extents = self._impacts.extents(kind, keys) if kind in POSTED_KINDS else self._nothing.extents
        answers = self._impacts.answers_with(kind, keys, extents)
        times = np.fromiter(terms.values(), np.float64, len(terms))
        return WeighedTerms(tuple(terms), keys, extents, answers, times * self.idf(answers))

    def idf(self, answers: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Weight of terms that stand in so many answers, as bm25.py has it."""
        n = np.asarray(answers, np.float64)
        return np.log1p((self._impacts.answer_count - n + 0.5) / (n + 0.5))

    def best_of(self, kind: str, terms: Mapping[str, float], depth: int) -> list[tuple[int, float]]:
        """The best documents by one kind of terms with their scores, best first, equals by document number."""
        weighed = {kind: self.weigh(kind, terms)}
        found = self.scored(weighed, self.candidates(weighed, depth, all_of_best=True))
        scores = found.parts[:, TERM_KINDS.index(kind)]
        order = np.lexsort((found.documents, -scores))[:depth]
        return list(zip(found.documents[order].tolist(), scores[order].tolist(), strict=True))

    def candidates(
        self,
        weighed: Mapping[str, WeighedTerms],
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
        all_of_best: bool = False,
    ) -> NDArray[np.int64]:
        """The documents, ascending, that the first pass finds among the best `depth` by words and bigrams together;
        with `all_of_best` also all others that may be among them.

        `weighed` holds one of the two or both, each counting by its weight in the settings when both are there.
        `allowed` marks the documents that may be found, shape (document_count,).
        """
        words, bigrams = (weighed.get(kind, self._nothing) for kind in POSTED_KINDS)
        shares = [getattr(self._weights, kind) if len(weighed) > 1 else 1.0 for kind in POSTED_KINDS]
        rounded = _rounded([shares[0] * words.weights, shares[1] * bigrams.weights])
        # an impact is at most half a step too small or one too great, a weight at most one too small
        slack = int(1.5 * sum(int(each.sum()) for each in rounded)) + MAX_IMPACT * sum(map(len, rounded))
        found: NDArray[np.int64] = scanning.first_pass(
            self._impacts.directory,
            words.extents,
            rounded[0],
            bigrams.extents,
            rounded[1],
            self._impacts.allowed(allowed),
            depth,
            slack if all_of_best else 0,
            self._drifts if all_of_best else self._no_drifts,
        )
        return found

    def scored(
        self,
        weighed: Mapping[str, WeighedTerms],
        documents: NDArray[np.int64],
        wanted: WeighedTerms | None = None,
    ) -> Scored:
        """Exact scores of documents, ascending, by each kind of terms; 0 for a kind that `weighed` has not. `wanted`
        are words with weights of another kind, for `Scored.held`.
        """
        words, bigrams, characters = (weighed.get(kind, self._nothing) for kind in TERM_KINDS)
        wanted = wanted or self._nothing
        parts, held = np.zeros((len(documents), len(TERM_KINDS))), np.zeros(len(documents))
        scanning.score(
            self._impacts.directory,
            self._impacts.averages,
            self._part_weights,
            self._k1_b,
            words.extents,
            words.weights,
            _grams(bigrams, characters),
            bigrams.weights,
            characters.weights,
            wanted.extents,
            wanted.weights,
            documents,
            parts,
            held,
        )
        return Scored(documents, parts, held)


def _rounded(weights: Sequence[NDArray[np.float64]]) -> list[NDArray[np.uint32]]:
    """Weights as integers of 16 bits, so that no document's sum needs more than 32."""
    total = sum(float(each.sum()) for each in weights)
    greatest = max(float(each.max(initial=0)) for each in weights)
    scale = min(_MAX_WEIGHT / greatest, _MAX_SUM_OF_WEIGHTS / total) if total else 0.0
    return [np.floor(each * scale).astype(np.uint32) for each in weights]


def _grams(bigrams: WeighedTerms, characters: WeighedTerms) -> Grams:
    """A question's bigrams and characters by their places in it, for texts that are sequences of characters."""
    if not bigrams.terms and not characters.terms:
        return _NO_GRAMS
    numbers = {term: number for number, term in enumerate(characters.terms)}
    # a bigram is two Han characters, or a Latin word or number, which counts as a bigram and a character
    letters = (letter for pair in bigrams.terms for letter in ([pair] if pair.isascii() else pair))
    places = {term: place for place, term in enumerate(dict.fromkeys([*characters.terms, *letters]))}
    pairs = np.full((len(places), len(places)), -1, np.int16)
    singles = np.full(len(places), -1, np.int16)
    for number, term in enumerate(bigrams.terms):
        if term.isascii():
            singles[places[term]] = number
        else:
            pairs[places[term[0]], places[term[1]]] = number
    of_characters = np.array([numbers.get(term, -1) for term in places], np.int16)
    return Grams(keys_of(list(places)), of_characters, pairs, singles)
