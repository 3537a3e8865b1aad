"""BM25F, plainly: the truth that faster scorers must equal.

Robertson, Zaragoza and Taylor 2004, "Simple BM25 Extension to Multiple Weighted Fields"; the idf is Lucene's
ln(1 + (N - n + .5) / (n + .5)), never negative. With one field of weight 1 it is BM25.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.resources import RankingWeights
from indexer.store.base import PARTS, TermSource, field_name


class Bm25F:
    """Scores over one kind of terms, question and answer together. Safe to share between threads."""

    def __init__(self, source: TermSource, kind: str, weights: RankingWeights) -> None:
        self._source = source
        self._weights = weights
        self._fields = [(field_name(part, kind), getattr(weights, part)) for part in PARTS]
        self._norms = {field: self._length_norms(field) for field, _ in self._fields}

    def scores(self, terms: Mapping[str, float]) -> NDArray[np.float64]:
        """Score of each document, shape (document_count,), for terms with how often each counts."""
        k1 = self._weights.k1
        scores = np.zeros(self._source.document_count)
        for term, times in terms.items():
            documents, frequencies = self.weighted_frequencies(term)
            if len(documents):
                scores[documents] += times * self.idf(len(documents)) * frequencies * (k1 + 1) / (frequencies + k1)
        return scores

    def idf(self, document_frequency: int) -> float:
        """Weight of a term that stands in so many documents."""
        n = document_frequency
        return float(np.log1p((self._source.document_count - n + 0.5) / (n + 0.5)))

    def weighted_frequencies(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Documents with the term, ascending, and its frequency in each, weighted and length-normalised by field."""
        found = [
            (
                postings.documents,
                weight * postings.frequencies.astype(np.float64) / self._norms[field][postings.documents],
            )
            for field, weight in self._fields
            if len((postings := self._source.postings(field, term)).documents)
        ]
        if not found:
            return np.empty(0, np.int32), np.empty(0)
        if len(found) == 1:
            return found[0]
        documents = np.union1d(found[0][0], found[1][0])
        frequencies = np.zeros(len(documents))
        for in_field, weighted in found:
            frequencies[np.searchsorted(documents, in_field)] += weighted
        return documents, frequencies

    def _length_norms(self, field: str) -> NDArray[np.float64]:
        """1 - b + b * length / average length, over the documents that have the field."""
        lengths = self._source.lengths(field).astype(np.float64)
        present = lengths[lengths > 0]
        average = present.mean() if len(present) else 1.0
        return 1 - self._weights.b + self._weights.b * lengths / average
