"""What speaks for an answer to a question, each from 0 to 1: what ranking weighs, and what people are shown as why.

A feature looks at all candidates of a question at once and gives shape (candidates,). Where the question leaves open
what a feature compares (it names no aspect, say), that is .5 for all. The weights are learned (`trees.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import QuestionTerms
from indexer.ranking.likeness import MEASURES
from indexer.records import Kind
from indexer.store.answer_facts import aspect_bits, has_flaw, is_kind, name_key, population_bits
from indexer.verdicts import Flaw

Values = NDArray[np.float64]
_OPEN = 0.5
_LOWERED = (Flaw.MASKED, Flaw.SPUN, Flaw.INLINE_PINYIN, Flaw.CURE_PROMISE)


@dataclass(frozen=True)
class Compared:
    """The candidates of one question beside it, in the order of retrieval."""

    asked: QuestionTerms
    parts: Values  #: BM25F over words, bigrams and characters, shape (candidates, 3)
    coverage: Values  #: share of the question's content words that each holds
    measures: Values  #: shape (candidates, MEASURES)
    in_question: Values  #: share of the question's content words that the answer's question holds
    entity: NDArray[
        np.int64
    ]  #: how often each names the question's entity, in its question and its text: (candidates, 2)
    terms_held: Values  #: share of the terms that the question names
    facts: NDArray[np.void]  #: rows of ANSWER_FACTS
    likeness: Values | None = None  #: of meaning, in standard deviations (`Meant.likeness`); None by words alone

    def measured(self, name: str) -> Values:
        """One of MEASURES."""
        return self.measures[:, MEASURES.index(name)]


@dataclass(frozen=True)
class Feature:
    """One thing that speaks for an answer."""

    name: str
    label: str  #: in Chinese, for people
    of: Callable[[Compared], Values]


def _squashed(values: Values, half: float) -> Values:
    """0 to 1, `half` becoming a half."""
    return np.asarray(values / (values + half), np.float64)


def _share_of_best(column: int) -> Callable[[Compared], Values]:
    def share(seen: Compared) -> Values:
        part = seen.parts[:, column]
        return np.asarray(part / max(float(part.max(initial=0)), 1e-9), np.float64)

    return share


def _bm25(column: int) -> Callable[[Compared], Values]:
    return lambda seen: _squashed(seen.parts[:, column], 20.0)


def _measured(name: str) -> Callable[[Compared], Values]:
    return lambda seen: seen.measured(name)


def _retrieved(seen: Compared) -> Values:
    total = seen.parts.sum(axis=1)
    return np.asarray(total / max(float(total.max(initial=0)), 1e-9), np.float64)


def _place(seen: Compared) -> Values:
    """8 over 8 and how many are retrieved before it; equals are, whatever their numbers."""
    total = np.round(seen.parts.sum(axis=1), 6)
    before = np.searchsorted(np.sort(-total), -total)
    return np.asarray(8.0 / (8.0 + before), np.float64)


def _nearness_to_start(seen: Compared) -> Values:
    return np.asarray(20.0 / (20.0 + seen.measured("first")), np.float64)


def _names_entity(seen: Compared) -> Values:
    """1 where the answer's question or topic is about the question's entity, a half where only its text names it."""
    if seen.asked.entity is None:
        return np.full(len(seen.facts), _OPEN)
    named = (seen.facts["entities"] == np.uint64(name_key(seen.asked.entity))).any(axis=1) | (seen.entity[:, 0] > 0)
    return np.where(named, 1.0, np.where(seen.entity[:, 1] > 0, 0.5, 0.0))


def _dwells_on_entity(seen: Compared) -> Values:
    return _squashed(seen.entity.sum(axis=1).astype(np.float64), 3.0)


def _no_other_entity(seen: Compared) -> Values:
    """Lower for each illness or complaint in the answer's head that the question does not name."""
    named = np.array([name_key(mention.name) for mention in seen.asked.mentions], np.uint64)
    entities = seen.facts["entities"]
    others = ((entities != 0) & ~np.isin(entities, named)).sum(axis=1)
    return np.asarray(1.0 / (1.0 + others), np.float64)


def _not_confused(seen: Compared) -> Values:
    """0 where the answer never names the question's entity, but its head one that is easily taken for it."""
    taken_for = np.array([name_key(name) for name in seen.asked.confusable], np.uint64)
    confused = np.isin(seen.facts["entities"], taken_for).any(axis=1) & ~(seen.entity.any(axis=1))
    return np.where(confused & (_names_entity(seen) == 0), 0.0, 1.0)


def _same_aspect(seen: Compared) -> Values:
    """1 for the question's main aspect, .7 for another one of its; .5 where either has none."""
    aspects = seen.facts["aspects"]
    if not seen.asked.aspects:
        return np.full(len(aspects), _OPEN)
    main, all_ = aspect_bits(seen.asked.aspects[:1]), aspect_bits(seen.asked.aspects)
    agreed = np.where(aspects & main, 1.0, np.where(aspects & all_, 0.7, 0.0))
    return np.where(aspects == 0, _OPEN, agreed)


def _only_aspect(seen: Compared) -> Values:
    """Share of the answer's aspects that the question asks about."""
    aspects = seen.facts["aspects"]
    bits = np.bitwise_count(aspects).astype(np.float64)
    agreed = np.bitwise_count(aspects & aspect_bits(seen.asked.aspects)).astype(np.float64)
    return np.where(bits > 0, agreed / np.maximum(bits, 1), _OPEN)


def _same_population(seen: Compared) -> Values:
    wanted = np.uint64(population_bits(seen.asked.populations))
    if not wanted:
        return np.full(len(seen.facts), _OPEN)
    return np.asarray((seen.facts["populations"] & wanted) > 0, np.float64)


def _no_other_population(seen: Compared) -> Values:
    others = np.bitwise_count(seen.facts["populations"] & ~np.uint64(population_bits(seen.asked.populations)))
    return np.asarray(1.0 / (1.0 + others), np.float64)


def _whole(seen: Compared) -> Values:
    return np.where(has_flaw(seen.facts, [Flaw.CUT_OFF]), 0.0, 1.0)


def _clean(seen: Compared) -> Values:
    return np.where(has_flaw(seen.facts, _LOWERED), 0.0, 1.0)


def _original(seen: Compared) -> Values:
    return np.where(has_flaw(seen.facts, [Flaw.COPY, Flaw.STOCK_ANSWER]), 0.0, 1.0)


def _signed(seen: Compared) -> Values:
    return (seen.facts["has_author"] + (seen.facts["date"] > 0)) / 2.0


def _kind(kind: Kind) -> Callable[[Compared], Values]:
    return lambda seen: is_kind(seen.facts, kind).astype(np.float64)


def _has_question(seen: Compared) -> Values:
    return np.asarray(seen.measured("head_length") < seen.measured("length"), np.float64)


def _length(name: str, half: float) -> Callable[[Compared], Values]:
    return lambda seen: _squashed(seen.measured(name), half)


def _asked_length(seen: Compared) -> Values:
    return np.full(len(seen.facts), len(seen.asked.text) / (len(seen.asked.text) + 12.0))


def _asked_words(seen: Compared) -> Values:
    words = len(seen.asked.content_words)
    return np.full(len(seen.facts), words / (words + 4.0))


FEATURES: tuple[Feature, ...] = (
    Feature("place", "检索名次", _place),
    Feature("retrieved", "检索得分", _retrieved),
    Feature("words", "词语相关", _share_of_best(0)),
    Feature("bigrams", "双字相关", _share_of_best(1)),
    Feature("characters", "单字相关", _share_of_best(2)),
    Feature("words_bm25", "词语得分", _bm25(0)),
    Feature("bigrams_bm25", "双字得分", _bm25(1)),
    Feature("characters_bm25", "单字得分", _bm25(2)),
    Feature("coverage", "问题要点覆盖", lambda seen: seen.coverage),
    Feature("asked_in_question", "要点出现在原问题中", lambda seen: seen.in_question),
    Feature("terms", "医学词覆盖", lambda seen: seen.terms_held),
    Feature("phrase", "连续相同的文字", _measured("longest_run")),
    Feature("covered", "相同的字", _measured("covered")),
    Feature("pairs", "相邻的字", _measured("pairs")),
    Feature("in_order", "语序一致", _measured("in_order")),
    Feature("density", "相关文字的比例", _measured("density")),
    Feature("early", "开头就提到", _nearness_to_start),
    Feature("question_phrase", "与原问题连续相同", _measured("head_longest_run")),
    Feature("question_covered", "与原问题相同的字", _measured("head_covered")),
    Feature("question_pairs", "与原问题相邻的字", _measured("head_pairs")),
    Feature("question_order", "与原问题语序一致", _measured("head_in_order")),
    Feature("question_density", "原问题的相关比例", _measured("head_density")),
    Feature("question_alike", "与原问题相似", _measured("head_alike")),
    Feature("near", "要点挨得近", _measured("near_30")),
    Feature("near_by", "要点在同一段", _measured("near_80")),
    Feature("entity", "说的是同一种病", _names_entity),
    Feature("entity_often", "反复谈到这种病", _dwells_on_entity),
    Feature("no_other_entity", "没有谈别的病", _no_other_entity),
    Feature("not_confused", "不是名字相近的另一种病", _not_confused),
    Feature("aspect", "问的是同一方面", _same_aspect),
    Feature("only_aspect", "专谈这一方面", _only_aspect),
    Feature("population", "人群一致", _same_population),
    Feature("no_other_population", "不限于别的人群", _no_other_population),
    Feature("whole", "文字完整", _whole),
    Feature("clean", "没有改写、屏蔽和夸大", _clean),
    Feature("original", "不是雷同回答", _original),
    Feature("signed", "有作者和日期", _signed),
    Feature("article", "文章", _kind(Kind.ARTICLE)),
    Feature("doctor", "医生回答", _kind(Kind.DOCTOR_ANSWER)),
    Feature("excerpt", "问答摘录", _kind(Kind.QA_EXCERPT)),
    Feature("has_question", "带有原问题", _has_question),
    Feature("question_length", "原问题长度", _length("head_length", 15.0)),
    Feature("length", "答案长度", _length("length", 150.0)),
    Feature("asked_length", "问题长度", _asked_length),
    Feature("asked_words", "问题词数", _asked_words),
)


#: standard deviations that become a half
_HALF_LIKE = 4.0


def likeness_of(feature: float) -> float:
    """The likeness that has become a value of the feature `meaning`, in standard deviations."""
    return _HALF_LIKE * feature / (1.0 - feature)


def _likeness(seen: Compared) -> Values:
    assert seen.likeness is not None
    return seen.likeness


def _meaning_place(seen: Compared) -> Values:
    """8 over 8 and how many are nearer."""
    rounded = -np.round(_likeness(seen), 6)
    return np.asarray(8.0 / (8.0 + np.searchsorted(np.sort(rounded), rounded)), np.float64)


def _meaning_share(seen: Compared) -> Values:
    near = np.maximum(_likeness(seen), 0.0)
    return np.asarray(near / max(float(near.max(initial=0)), 1e-9), np.float64)


#: after FEATURES, where the question's meaning is known
MEANING_FEATURES: tuple[Feature, ...] = (
    Feature("meaning", "意思相近", lambda seen: _squashed(np.maximum(_likeness(seen), 0.0), _HALF_LIKE)),
    Feature("meaning_place", "意思相近的名次", _meaning_place),
    Feature("meaning_share", "意思与最近的相比", _meaning_share),
)
ALL_FEATURES = FEATURES + MEANING_FEATURES


def values_of(seen: Compared) -> NDArray[np.float32]:
    """All features of all candidates: shape (candidates, FEATURES), or ALL_FEATURES where the meaning is known."""
    features = FEATURES if seen.likeness is None else ALL_FEATURES
    return np.column_stack([feature.of(seen) for feature in features]).astype(np.float32)
