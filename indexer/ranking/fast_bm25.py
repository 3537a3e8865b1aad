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
from indexer.store.impact_writer import MAX_DOCUMENTS
from indexer.store.impacts import POSTED_KINDS, Impacts, Segment, extents, keys_of
from indexer.store.postings import MAX_IMPACT

_MAX_WEIGHT = 65_535
_MAX_SUM_OF_WEIGHTS = 2**32 // MAX_IMPACT - 1


@dataclass(frozen=True)
class WeighedTerms:
    """The terms of one kind in a question as the arrays know them."""

    terms: tuple[str, ...]
    keys: NDArray[np.uint64]
    extents: tuple[NDArray[np.int64], ...]  #: of each segment, shape (terms, 2); none of characters
    answers: NDArray[np.int64]  #: how many hold each term
    weights: NDArray[np.float64]  #: idf times how often each counts


_NOTHING = WeighedTerms((), np.empty(0, np.uint64), (), np.empty(0, np.int64), np.empty(0))
_NOWHERE = np.empty((0, 2), np.int64)
_ALL = np.empty(0, np.bool_)


@dataclass(frozen=True)
class Scored:
    """Documents with their exact scores, of one segment, ascending."""

    segment: Segment
    number: int  #: of the segment
    documents: NDArray[np.int64]  #: numbered within the segment
    parts: NDArray[np.float64]  #: shape (documents, kinds)


class FastBm25:
    """Finds the best documents of a generation. Safe to share between threads."""

    def __init__(self, impacts: Impacts, weights: RankingWeights) -> None:
        self._impacts = impacts
        self._weights = weights
        self._norms = {
            (kind, number): impacts.norms(segment, kind, weights)
            for kind in TERM_KINDS
            for number, segment in enumerate(impacts.segments)
        }

        # impacts are of the average lengths of their time: by how much of a sum that may be wrong, twice
        self._drifts = [
            2 * float(np.abs(impacts.averages / impacts.impacts_at[segment.name] - 1).max())
            for segment in impacts.segments
        ]

    def weigh(self, kind: str, terms: Mapping[str, float]) -> WeighedTerms:
        """Terms with how often each counts, with their idf and their places."""
        keys = keys_of(list(terms))
        if kind in POSTED_KINDS:
            found = tuple(extents(segment, kind, keys) for segment in self._impacts.segments)
        else:
            found = ()
        answers = self._impacts.answers_with(kind, keys, found)
        times = np.fromiter(terms.values(), np.float64, len(terms))
        return WeighedTerms(tuple(terms), keys, found, answers, times * self.idf(answers))

    def idf(self, answers: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Weight of terms that stand in so many answers, as bm25.py has it."""
        n = np.asarray(answers, np.float64)
        return np.log1p((self._impacts.answer_count - n + 0.5) / (n + 0.5))

    def best_of(self, kind: str, terms: Mapping[str, float], depth: int) -> list[tuple[int, float]]:
        """The best documents by one kind of terms with their scores, best first, equals by document number."""
        weighed = self.weigh(kind, terms)
        place = TERM_KINDS.index(kind)
        found = self.scored({kind: weighed}, self.candidates({kind: weighed}, depth, all_of_best=True))
        documents = np.concatenate([np.empty(0, np.int64), *(each.documents + each.segment.base for each in found)])
        scores = np.concatenate([np.empty(0), *(each.parts[:, place] for each in found)])
        order = np.lexsort((documents, -scores))[:depth]
        return list(zip(documents[order].tolist(), scores[order].tolist(), strict=True))

    def candidates(
        self,
        weighed: Mapping[str, WeighedTerms],
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
        all_of_best: bool = False,
    ) -> list[NDArray[np.int64]]:
        """Of each segment the documents, ascending, that the first pass finds among the best `depth` by words and
        bigrams together; with `all_of_best` also all others that may be among them.

        `weighed` holds one of the two or both, each counting by its weight in the settings when both are there.
        `allowed` marks the documents that may be found, shape (document_count,).
        """
        asked = [weighed.get(kind, _NOTHING) for kind in POSTED_KINDS]
        shares = [getattr(self._weights, kind) if len(weighed) > 1 else 1.0 for kind in POSTED_KINDS]
        rounded = _rounded([share * each.weights for share, each in zip(shares, asked, strict=True)])
        # an impact is at most half a step too small or one too great, a weight at most one too small
        slack = int(1.5 * sum(int(each.sum()) for each in rounded)) + MAX_IMPACT * sum(map(len, rounded))
        if not all_of_best:
            slack = 0
        sums, reached = np.empty(MAX_DOCUMENTS, np.uint32), np.empty(MAX_DOCUMENTS, np.uint32)
        documents = np.empty(MAX_DOCUMENTS, np.int64)
        found: list[tuple[NDArray[np.int64], NDArray[np.uint32]]] = []
        best = np.empty(0, np.uint32)
        floor = 0
        for number, segment in enumerate(self._impacts.segments):
            may = self._may_be_found(segment, allowed)
            drift = self._drifts[number] if all_of_best else 0.0
            (words, word_places), (bigrams, bigram_places) = (
                (segment.terms[kind], each.extents[number] if each.terms else _NOWHERE)
                for kind, each in zip(POSTED_KINDS, asked, strict=True)
            )
            n, floor = scanning.first_pass(
                words,
                word_places,
                rounded[0],
                bigrams,
                bigram_places,
                rounded[1],
                may,
                floor,
                slack,
                drift,
                depth,
                sums[: segment.document_count],
                documents,
                reached,
            )
            found.append((documents[:n].copy(), reached[:n].copy()))
            best = np.concatenate([best, reached[:n]])
            if len(best) > depth:
                best = np.partition(best, len(best) - depth)[len(best) - depth :]
                floor = max(floor, int(best[0]))
        drifts = self._drifts if all_of_best else [0.0] * len(found)
        return [
            documents[reached >= max(floor - slack - drift * floor, 1)]
            for (documents, reached), drift in zip(found, drifts, strict=True)
        ]

    def _may_be_found(self, segment: Segment, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Of each document of a segment; an empty array when all may."""
        here = slice(segment.base, segment.base + segment.document_count)
        if allowed is None:
            return self._impacts.alive[here] if segment.removed else _ALL
        return allowed[here] & self._impacts.alive[here] if segment.removed else allowed[here]

    def scored(self, weighed: Mapping[str, WeighedTerms], candidates: list[NDArray[np.int64]]) -> list[Scored]:
        """Exact scores of documents of each segment by each kind of terms; 0 for a kind that `weighed` has not."""
        words, bigrams, characters = (weighed.get(kind, _NOTHING) for kind in TERM_KINDS)
        grams = _Grams(bigrams, characters)
        result = []
        for number, (segment, documents) in enumerate(zip(self._impacts.segments, candidates, strict=True)):
            if not len(documents):
                continue
            parts = np.zeros((len(documents), len(TERM_KINDS)))
            if words.terms:
                scores = np.zeros(len(documents))
                scanning.score_terms(
                    segment.terms["words"],
                    self._norms["words", number],
                    words.extents[number],
                    words.weights,
                    documents,
                    scores,
                )
                parts[:, 0] = scores
            if bigrams.terms or characters.terms:
                scores = np.zeros((len(documents), 2))
                scanning.score_grams(
                    grams.in_segment(segment),
                    segment.units,
                    segment.unit_ends,
                    self._norms["bigrams", number],
                    bigrams.weights,
                    self._norms["characters", number],
                    characters.weights,
                    documents,
                    scores,
                )
                parts[:, 1:] = scores
            result.append(Scored(segment, number, documents, parts))
        return result


def _rounded(weights: Sequence[NDArray[np.float64]]) -> list[NDArray[np.uint32]]:
    """Weights as integers of 16 bits, so that no document's sum needs more than 32."""
    total = sum(float(each.sum()) for each in weights)
    greatest = max(float(each.max(initial=0)) for each in weights)
    scale = min(_MAX_WEIGHT / greatest, _MAX_SUM_OF_WEIGHTS / total) if total else 0.0
    return [np.floor(each * scale).astype(np.uint32) for each in weights]


class _Grams:
    """A question's bigrams and characters by their places in it, for texts that are sequences of characters."""

    def __init__(self, bigrams: WeighedTerms, characters: WeighedTerms) -> None:
        numbers = {term: number for number, term in enumerate(characters.terms)}
        # a bigram is two Han characters, or a Latin word or number, which counts as a bigram and a character
        singles = [term for term in bigrams.terms if term.isascii()]
        pairs = [term for term in bigrams.terms if not term.isascii()]
        places = dict.fromkeys((*characters.terms, *singles, *(letter for pair in pairs for letter in pair)), 0)
        places = {term: place for place, term in enumerate(places)}
        self._keys = keys_of(list(places))
        self._characters = np.array([numbers.get(term, -1) for term in places], np.int16)
        self._pairs = np.full((len(places), len(places)), -1, np.int16)
        self._singles = np.full(len(places), -1, np.int16)
        for number, term in enumerate(bigrams.terms):
            if term.isascii():
                self._singles[places[term]] = number
            else:
                self._pairs[places[term[0]], places[term[1]]] = number

    def in_segment(self, segment: Segment) -> Grams:
        """With the numbers that the segment gives to characters."""
        place_of = np.full(len(segment.character_keys) + 1, -1, np.int16)
        scanning.place_characters(segment.character_keys, segment.character_numbers, self._keys, place_of)
        return Grams(place_of, self._characters, self._pairs, self._singles)
