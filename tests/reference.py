"""BM25 and BM25F in plain Python, written from their definitions: what the array code must equal.

Robertson, Zaragoza and Taylor 2004, "Simple BM25 Extension to Multiple Weighted Fields".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

#: field -> its terms, repetitions included; a field that is missing is empty
Document = Mapping[str, Sequence[str]]


def idf(document_count: int, document_frequency: int) -> float:
    """Lucene's, never negative."""
    return math.log(1 + (document_count - document_frequency + 0.5) / (document_frequency + 0.5))


def bm25(texts: Sequence[Sequence[str]], query: Sequence[str], k1: float, b: float) -> list[float]:
    """Score of each text; a term that stands twice in the query counts twice. No text may be empty."""
    average = sum(len(text) for text in texts) / len(texts)
    scores = []
    for text in texts:
        score = 0.0
        for term in query:
            times = list(text).count(term)
            if times:
                holders = sum(1 for other in texts if term in other)
                saturated = times * (k1 + 1) / (times + k1 * (1 - b + b * len(text) / average))
                score += idf(len(texts), holders) * saturated
        scores.append(score)
    return scores


def bm25f(
    documents: Sequence[Document], query: Sequence[str], field_weights: Mapping[str, float], k1: float, b: float
) -> list[float]:
    """Score of each document: frequencies are weighted and length-normalised by field, summed, then saturated.

    A field's average length is taken over the documents that have it.
    """
    averages = {}
    for field in field_weights:
        lengths = [len(document[field]) for document in documents if document.get(field)]
        averages[field] = sum(lengths) / len(lengths) if lengths else 1.0
    scores = []
    for document in documents:
        score = 0.0
        for term in query:
            holders = sum(1 for other in documents if any(term in other.get(field, ()) for field in field_weights))
            frequency = 0.0
            for field, weight in field_weights.items():
                terms = list(document.get(field, ()))
                length_norm = 1 - b + b * len(terms) / averages[field]
                if term in terms:
                    frequency += weight * terms.count(term) / length_norm
            if frequency:
                score += idf(len(documents), holders) * frequency * (k1 + 1) / (frequency + k1)
        scores.append(score)
    return scores
