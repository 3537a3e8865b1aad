"""From terms to candidates in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import QuestionTerms, WeightedTerms, gram_spans
from indexer.errors import ResourceError
from indexer.ranking.fast_bm25 import FastBm25
from indexer.ranking.features import ALL_FEATURES, Compared, values_of
from indexer.ranking.likeness import MEASURES, Pattern, measure, occurrences
from indexer.ranking.meant import AskMeant, nothing_meant
from indexer.ranking.trees import LearnedRanking
from indexer.resources import RankingWeights
from indexer.store.base import TERM_KINDS
from indexer.store.impacts import POSTED_KINDS, Impacts, keys_of

#: how many the first pass, by words and bigrams, leaves to be scored with the characters too: with ten times as many
#: the four judged sets' nDCG@10 is the same to .0002 (docs/performance.md)
_FIRST_PASS = 500
#: so many that lie nearest in meaning are ordered with those that the words find
_NEAREST = 50

_PENALISED = ("whole", "clean", "original", "not_confused")
_COLUMNS = {feature.name: number for number, feature in enumerate(ALL_FEATURES)}


class Candidate(NamedTuple):
    """A document that retrieval found, with the parts of its score."""

    document: int
    score: float
    parts: tuple[float, ...]  #: weighted BM25F of words, bigrams and characters
    covered: float  #: weight of the question's content words that it holds (`Ranker.word_weights`)
    coverage: float  #: the same as a share of all of them, 0 to 1
    features: Sequence[float] = ()  #: ALL_FEATURES or FEATURES, where what was learned looked at it
    closeness: float = -math.inf  #: of meaning (`Meant.closeness`), where it is known
    only_by_meaning: bool = False  #: a result for its meaning alone


class Retrieved(NamedTuple):
    """Documents as BM25F orders them."""

    documents: NDArray[np.int64]
    parts: NDArray[np.float64]  #: shape (documents, kinds)
    covered: NDArray[np.float64]
    coverage: NDArray[np.float64]
    likeness: NDArray[np.float64] | None = None  #: of meaning (`Meant`), where it is known
    closeness: NDArray[np.float64] | None = None

    def at(self, places: NDArray[np.intp]) -> Retrieved:
        """Those at these places, in their order."""
        known = (None if each is None else each[places] for each in (self.likeness, self.closeness))
        return Retrieved(
            self.documents[places], self.parts[places], self.covered[places], self.coverage[places], *known
        )


class Ranker:
    """Orders a generation's documents by a question. Safe to share between threads."""

    def __init__(
        self,
        impacts: Impacts,
        weights: RankingWeights,
        learned: LearnedRanking | None = None,
        learned_with_meaning: LearnedRanking | None = None,
    ) -> None:
        """Without learned trees documents stay in the order of their BM25F; without such as weigh the meaning too, that
        is not asked for.

        Raises ResourceError for trees that look at a feature that is unknown.
        """
        self._impacts = impacts
        self.bm25 = FastBm25(impacts, weights)
        self._kind_weights = np.array([getattr(weights, kind) for kind in TERM_KINDS])
        self._learned = _on_columns(learned)
        self._learned_with_meaning = _on_columns(learned_with_meaning)
        self._weights = weights
        self._rerank = weights.pool_size

    @property
    def weighs_meaning(self) -> bool:
        """Whether the meaning of a question changes anything."""
        return self._learned_with_meaning is not None

    def rank(
        self,
        asked: QuestionTerms,
        word_weights: Mapping[str, float],
        depth: int,
        allowed: NDArray[np.bool_] | None = None,
        ahead: NDArray[np.int32] | None = None,
        plain: bool = False,
        is_late: Callable[[], bool] = bool,
        trust: NDArray[np.float64] | None = None,
        meant: AskMeant = nothing_meant,
    ) -> list[Candidate]:
        """The best `depth` documents, best first: by BM25F, and the first `pool_size` of them by what was learned, with
        those that lie nearest to what was `meant`.

        `word_weights` are the question's content words as `word_weights` weighs them; `allowed` marks what may be
        found, shape (document_count,), all when None. Those of `ahead` come before all others, since they hold
        letter for letter what was typed and read otherwise. `plain` leaves out what was learned; so does `is_late`,
        asked once BM25F is done. `trust` is added to what was learned, by the number of a document's site.
        """
        asks = nothing_meant if plain or not self.weighs_meaning else meant
        found, looked_at = self._retrieved(asked.terms, word_weights, depth, allowed, ahead, asks)
        total = found.parts.sum(axis=1)
        is_ahead = np.isin(found.documents, [] if ahead is None else ahead)
        if self._learned is None or plain or not len(found.documents) or is_late():
            order = np.lexsort((np.arange(len(total)), -total, ~is_ahead))
            return _candidates(found.at(order), total[order], depth)
        values = self._features(asked, word_weights, found, looked_at)
        learned = self._learned_scores(values, found)
        if trust is not None:
            sites = self._impacts.sites_of(found.documents[:looked_at])
            has_site = sites >= 0
            learned = learned + np.where(has_site, trust[np.where(has_site, sites, 0)], 0.0)
        scores = 1 / (1 + np.exp(self._penalties(values) - learned))
        # what was not looked at keeps its order below all that was
        rest = scores.min() * total[looked_at:] / max(float(total[min(looked_at, self._rerank) - 1]), 1e-9)
        order = np.lexsort((np.arange(looked_at), -scores, ~is_ahead[:looked_at]))
        order = np.concatenate([order, np.arange(looked_at, len(total))])
        scores = np.concatenate([scores, np.minimum(rest, scores.min())])
        return _candidates(found.at(order), scores[order], depth, values[order[: len(values)]].tolist())

    def features(
        self,
        asked: QuestionTerms,
        word_weights: Mapping[str, float],
        allowed: NDArray[np.bool_] | None = None,
        ahead: NDArray[np.int32] | None = None,
        meant: AskMeant = nothing_meant,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """What is ordered by what was learned, as it was retrieved, and its FEATURES, shape (documents, FEATURES), or
        ALL_FEATURES where the meaning is known.
        """
        found, looked_at = self._retrieved(asked.terms, word_weights, self._rerank, allowed, ahead, meant)
        return found.documents[:looked_at], self._features(asked, word_weights, found, looked_at)

    def _features(
        self, asked: QuestionTerms, word_weights: Mapping[str, float], found: Retrieved, most: int
    ) -> NDArray[np.float32]:
        """FEATURES of the first `most` documents, in their order."""
        documents = found.documents[:most]
        ascending = np.argsort(documents)
        back = np.argsort(ascending)
        here = documents[ascending]
        measures = np.zeros((len(here), len(MEASURES)))
        measure(self._impacts.directory, self._pattern(asked), here, measures)
        names = tuple(dict.fromkeys([*word_weights, *(mention.name for mention in asked.mentions)]))
        counts = np.zeros((len(here), len(names), 2), np.int64)
        occurrences(self._impacts.directory, self._impacts.extents("words", keys_of(names)), here, counts)
        counts = counts[back]
        terms = [names.index(mention.name) for mention in asked.mentions]
        weights = np.array([word_weights.get(name, 0.0) for name in names])
        nowhere = np.zeros((len(here), 2), np.int64)
        seen = Compared(
            asked=asked,
            parts=found.parts[:most],
            coverage=found.coverage[:most],
            measures=measures[back],
            in_question=(counts[:, :, 0] > 0) @ weights / max(weights.sum(), 1e-9),
            entity=counts[:, names.index(asked.entity)] if asked.entity in names else nowhere,
            terms_held=(counts[:, terms].sum(axis=2) > 0).mean(axis=1) if terms else np.ones(len(here)),
            facts=self._impacts.facts_of(here)[back],
            likeness=None if found.likeness is None else found.likeness[:most],
        )
        return values_of(seen)

    def _learned_scores(self, values: NDArray[np.float32], found: Retrieved) -> NDArray[np.float64]:
        """By the trees that weigh the meaning where it is known, else by those that look at words alone."""
        assert self._learned is not None
        columns, trees = self._learned
        if found.likeness is not None and self._learned_with_meaning is not None:
            columns, trees = self._learned_with_meaning
        return trees.scores(values[:, columns])

    def score_by_words(self, features: Sequence[float]) -> float:
        """What a candidate with these features would score were its meaning not known, 0 to 1."""
        if self._learned is None:
            return 0.0
        columns, trees = self._learned
        values = np.array([features], np.float32)
        return float(1 / (1 + np.exp(self._penalties(values) - trees.scores(values[:, columns])))[0])

    def _penalties(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """What flaws take from the learned scores: too few judged answers have any to learn it from."""
        weights = self._weights
        lacks = {name: 1.0 - values[:, _COLUMNS[name]].astype(np.float64) for name in _PENALISED}
        # only excerpts break off where another page cut them; a record that ends without a full stop may be a title
        broken = lacks["whole"] * values[:, _COLUMNS["excerpt"]]
        total: NDArray[np.float64] = (
            weights.cut_off_penalty * broken
            + weights.unclean_penalty * lacks["clean"]
            + weights.copy_penalty * lacks["original"]
            + weights.confused_penalty * lacks["not_confused"]
        )
        return total

    def held(self, words: Sequence[str], documents: Sequence[int]) -> NDArray[np.bool_]:
        """Which documents hold which words: shape (documents, words)."""
        order = np.argsort(np.array(documents, np.int64))
        counts = np.zeros((len(documents), len(words), 2), np.int64)
        extents = self._impacts.extents("words", keys_of(words))
        occurrences(self._impacts.directory, extents, np.array(documents, np.int64)[order], counts)
        held = np.empty((len(documents), len(words)), np.bool_)
        held[order] = counts.any(axis=2)
        return held

    def _pattern(self, asked: QuestionTerms) -> Pattern:
        """A question's characters, weighed."""
        spans = list(gram_spans(asked.text))
        letters = [asked.text[start:end] for start, end in spans]
        weights = np.array([min(asked.weights[start:end]) for start, end in spans])
        places = {letter: place for place, letter in enumerate(dict.fromkeys(letters))}
        sequence = np.array([places[letter] for letter in letters], np.int16)
        place_weights = np.zeros(len(places))
        np.maximum.at(place_weights, sequence, weights)
        pairs = ["".join(pair) for pair in pairwise(letters)]
        answers = self._impacts.answers_with("bigrams", keys_of(pairs))
        pair_weights = np.zeros(len(letters))
        pair_weights[1:] = np.minimum(weights[1:], weights[:-1]) * self.bm25.idf(answers)
        return Pattern(keys_of(list(places)), place_weights, sequence, weights, pair_weights)

    def _retrieved(
        self,
        terms: WeightedTerms,
        word_weights: Mapping[str, float],
        depth: int,
        allowed: NDArray[np.bool_] | None,
        ahead: NDArray[np.int32] | None,
        meant: AskMeant,
    ) -> tuple[Retrieved, int]:
        """The best by BM25F, equals by document number, those of `ahead` first: `depth` of them, or as many as what was
        learned looks at. Those nearest in meaning stand behind the last that it looks at. The second value is how many
        it looks at, these included.
        """
        depth = max(depth, self._rerank)
        weighed = {kind: self.bm25.weigh(kind, getattr(terms, kind)) for kind in TERM_KINDS}
        may = self._may_be_found(allowed)
        if any(weighed[kind].answers.any() for kind in POSTED_KINDS):
            documents = self.bm25.candidates(weighed, max(depth, _FIRST_PASS), allowed)
        else:  # a single character, say, that stands in longer words only: reading each takes .3 µs
            documents = np.flatnonzero(may)
        if ahead is not None and len(ahead):
            documents = np.union1d(documents, ahead[may[ahead]]).astype(np.int64)
        meaning = meant()
        near = meaning.nearest(_NEAREST, may) if meaning else np.empty(0, np.int64)
        documents = np.union1d(documents, near).astype(np.int64)
        wanted = replace(self.bm25.weigh("words", word_weights), weights=np.array([*word_weights.values()], np.float64))
        scored = self.bm25.scored(weighed, documents, wanted)
        parts = scored.parts * self._kind_weights
        total = parts.sum(axis=1)
        covered, whole = scored.held, max(sum(word_weights.values()), 1e-9)
        is_ahead = np.isin(documents, [] if ahead is None else ahead)
        covered[is_ahead] = whole
        order = np.lexsort((documents, -total, ~is_ahead))
        order = order[total[order] > 0][:depth]
        first = order[: self._rerank]
        if len(near):
            places, taken = np.searchsorted(documents, np.sort(near)), np.zeros(len(documents), np.bool_)
            taken[first] = True
            added = places[~taken[places]]
            taken[added] = True
            order = np.concatenate([first, added, order[~taken[order]]])
            looked_at = len(first) + len(added)
        else:
            looked_at = len(first)
        coverage = np.minimum(covered / whole, 1.0)  # rounding can lift all of it above 1
        found = Retrieved(documents, parts, covered, coverage).at(order)
        if meaning:
            likeness = meaning.likeness(found.documents)
            found = found._replace(likeness=likeness, closeness=meaning.closeness(likeness))
        return found, looked_at

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


def _on_columns(learned: LearnedRanking | None) -> tuple[list[int], LearnedRanking] | None:
    """Trees with the columns of ALL_FEATURES that they look at."""
    if learned is None:
        return None
    if unknown := set(learned.features).difference(_COLUMNS):
        raise ResourceError(f"排序模型用到未知的特征“{min(unknown)}”；可用 scripts/train_ranker.py 重新生成。")
    return [_COLUMNS[name] for name in learned.features], learned


def _candidates(
    found: Retrieved, scores: NDArray[np.float64], depth: int, features: Sequence[Sequence[float]] = ()
) -> list[Candidate]:
    """The first `depth`; `features` of the first of them."""
    closeness = repeat(-math.inf) if found.closeness is None else found.closeness[:depth].tolist()
    return [
        Candidate(document, score, tuple(parts), covered, coverage, of_it, near)
        for document, score, parts, covered, coverage, of_it, near in zip(
            found.documents[:depth].tolist(),
            scores[:depth].tolist(),
            found.parts[:depth].tolist(),
            found.covered[:depth].tolist(),
            found.coverage[:depth].tolist(),
            islice(chain(features, repeat(())), min(depth, len(scores))),
            islice(closeness, min(depth, len(scores))),
            strict=True,
        )
    ]


def relevant(candidates: Sequence[Candidate], weights: RankingWeights, is_medical: bool = True) -> list[Candidate]:
    """Those that count as results: by their words, or by lying near to what was meant, and nearer where the question
    names nothing medical.
    """
    near_enough = weights.min_closeness if is_medical else weights.min_closeness_off_topic
    found = []
    for each in candidates:
        if is_relevant(each, weights, is_medical):
            found.append(each)
        elif each.closeness >= near_enough:
            found.append(each._replace(only_by_meaning=True))
    return found


def is_relevant(candidate: Candidate, weights: RankingWeights, is_medical: bool = True) -> bool:
    """Whether a candidate counts as a result by its words: its share of the question, or much of a long one. A question
    that names nothing medical needs a larger share: 苹果手机怎么录屏 shares 手机 with a sleepless one's.
    """
    if not is_medical:
        return candidate.coverage >= weights.min_coverage_off_topic
    return candidate.coverage >= weights.min_coverage or candidate.covered >= weights.min_covered_weight
