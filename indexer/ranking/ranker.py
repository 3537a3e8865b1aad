"""From terms to candidates in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import WeightedTerms
from indexer.ranking.fast_bm25 import FastBm25
from indexer.resources import RankingWeights
from indexer.store.base import TERM_KINDS
from indexer.store.impacts import POSTED_KINDS, Impacts

#: how many the first pass, by words and bigrams, leaves to be scored with the characters too: with ten times as many
#: the four judged sets' nDCG@10 is the same to .0002 (docs/performance.md)
_FIRST_PASS = 500


@dataclass(frozen=True)
class Candidate:
    """A document that retrieval found, with the parts of its score."""

    document: int
    score: float
    parts: tuple[float, ...]  #: weighted BM25F of words, bigrams and characters
    covered: float  #: weight of the question's content words that it holds (`Ranker.word_weights`)
    coverage: float  #: the same as a share of all of them, 0 to 1


class Ranker:
    """Orders a generation's documents by a question. Safe to share between threads."""

    def __init__(self, impacts: Impacts, weights: RankingWeights) -> None:
        self._impacts = impacts
        self.bm25 = FastBm25(impacts, weights)
        self._kind_weights = np.array([getattr(weights, kind) for kind in TERM_KINDS])

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
        weighed = {kind: self.bm25.weigh(kind, getattr(terms, kind)) for kind in TERM_KINDS}
        if any(weighed[kind].answers.any() for kind in POSTED_KINDS):
            documents = self.bm25.candidates(weighed, max(depth, _FIRST_PASS), allowed)
        else:  # a single character, say, that stands in longer words only: reading each takes .3 µs
            documents = np.flatnonzero(self._may_be_found(allowed))
        if ahead is not None and len(ahead):
            documents = np.union1d(documents, ahead[self._may_be_found(allowed)[ahead]]).astype(np.int64)
        wanted = replace(self.bm25.weigh("words", word_weights), weights=np.array([*word_weights.values()], np.float64))
        found = self.bm25.scored(weighed, documents, wanted)
        parts = found.parts * self._kind_weights
        total = parts[:, 0] + parts[:, 1] + parts[:, 2]
        covered, whole = found.held, max(sum(word_weights.values()), 1e-9)
        if ahead is not None and len(ahead):
            first = np.isin(documents, ahead)
            total[first] += total.max(initial=0) + 1
            covered[first] = whole
        order = np.lexsort((documents, -total))
        order = order[total[order] > 0][:depth]
        return [
            Candidate(document, score, tuple(each), held, min(held / whole, 1.0))  # rounding can lift all of it above 1
            for document, score, each, held in zip(
                documents[order].tolist(),
                total[order].tolist(),
                parts[order].tolist(),
                covered[order].tolist(),
                strict=True,
            )
        ]

    def word_weights(self, words: tuple[str, ...]) -> dict[str, float]:
        """How much each word says: its length in characters, up to three times as much when it is rare.

        Rarity alone would not do: in a corpus about one disease the disease's name is everywhere.
        """
        weighed = self.bm25.weigh("words", dict.fromkeys(words, 1.0))
        rarest = float(self.bm25.idf(0))
        return {
            word: len(word) * (0.5 + idf / rarest) for word, idf in zip(words, weighed.weights.tolist(), strict=True)
        }

    def _may_be_found(self, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Of each document."""
        return self._impacts.alive if allowed is None else allowed & self._impacts.alive


def is_relevant(candidate: Candidate, weights: RankingWeights) -> bool:
    """Whether a candidate counts as a result: by its share of the question, or by much of a long one."""
    return candidate.coverage >= weights.min_coverage or candidate.covered >= weights.min_covered_weight
