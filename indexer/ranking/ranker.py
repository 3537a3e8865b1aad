"""From terms to candidates in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import WeightedTerms
from indexer.ranking.bm25 import Bm25F
from indexer.resources import RankingWeights
from indexer.store.base import TERM_KINDS, Store


@dataclass(frozen=True)
class Candidate:
    """A document that retrieval found, with the parts of its score."""

    document: int
    score: float
    parts: tuple[float, ...]  #: weighted BM25F of words, bigrams and characters
    covered: float  #: weight of the question's content words that it holds (`Ranker.word_weights`)
    coverage: float  #: the same as a share of all of them, 0 to 1


class Ranker:
    """Orders a store's documents by a question. Safe to share between threads."""

    def __init__(self, store: Store, weights: RankingWeights) -> None:
        self._store = store
        self._weights = weights
        self._scorers = {kind: Bm25F(store, kind, weights) for kind in TERM_KINDS}

    def rank(
        self,
        terms: WeightedTerms,
        word_weights: Mapping[str, float],
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
        ahead: NDArray[np.int32] | None = None,
    ) -> list[Candidate]:
        """The best `depth` documents with a score above 0, best first, equals by document number.

        `word_weights` are the question's content words as `word_weights` weighs them, for `Candidate.coverage`;
        `allowed` marks the documents that may be found, shape (document_count,); all when None. Those of `ahead` come
        before all others, since they hold letter for letter what was typed and read otherwise.
        """
        parts = [getattr(self._weights, kind) * self._scorers[kind].scores(getattr(terms, kind)) for kind in TERM_KINDS]
        total: NDArray[np.float64] = np.sum(parts, axis=0)
        if ahead is not None and len(ahead):
            total[ahead] += total.max() + 1
        if allowed is not None:
            total = np.where(allowed, total, 0.0)
        best = top_documents(total, depth)
        covered, whole = self._covered(word_weights)
        if ahead is not None:
            covered[ahead] = whole
        return [
            Candidate(
                document=int(d),
                score=float(total[d]),
                parts=tuple(float(part[d]) for part in parts),
                covered=float(covered[d]),
                coverage=min(float(covered[d] / whole), 1.0),  # rounding can lift all of it above 1
            )
            for d in best
        ]

    def word_weights(self, words: tuple[str, ...]) -> dict[str, float]:
        """How much each word says: its length in characters, up to three times as much when it is rare.

        Rarity alone would not do: in a corpus about one disease the disease's name is everywhere.
        """
        scorer = self._scorers["words"]
        rarest = scorer.idf(0)
        return {
            word: len(word) * (0.5 + scorer.idf(len(scorer.weighted_frequencies(word)[0])) / rarest) for word in words
        }

    def _covered(self, weights: Mapping[str, float]) -> tuple[NDArray[np.float64], float]:
        """Weight of the words that each document holds, shape (document_count,), and the weight of all of them."""
        covered = np.zeros(self._store.document_count)
        for word, weight in weights.items():
            covered[self._scorers["words"].weighted_frequencies(word)[0]] += weight
        return covered, max(sum(weights.values()), 1e-9)


def is_relevant(candidate: Candidate, weights: RankingWeights) -> bool:
    """Whether a candidate counts as a result: by its share of the question, or by much of a long one."""
    return candidate.coverage >= weights.min_coverage or candidate.covered >= weights.min_covered_weight


def top_documents(scores: NDArray[np.float64], depth: int) -> NDArray[np.intp]:
    """Numbers of the `depth` best scores above 0, best first, equals by number."""
    depth = min(depth, len(scores))
    if depth == 0:
        return np.empty(0, np.intp)
    bound = max(np.partition(scores, -depth)[-depth], np.finfo(np.float64).tiny)
    near_top = np.flatnonzero(scores >= bound)
    return near_top[np.lexsort((near_top, -scores[near_top]))][:depth]
