"""Whether an answer may be quoted above the list, and which of its sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from indexer.analysis.analyzer import QuestionTerms
from indexer.answer.passages import PassageRules, best_passage
from indexer.records import Answer, DirectAnswer, Flaw, Kind

_UNFIT = frozenset((Flaw.CUT_OFF, Flaw.MASKED, Flaw.SPUN, Flaw.INLINE_PINYIN, Flaw.CURE_PROMISE, Flaw.STOCK_ANSWER))
_SAME_QUESTION = 0.8  # share of the question's words that the answer's own question holds


@dataclass(frozen=True)
class Offer:
    """A result that may be quoted."""

    answer: Answer
    score: float
    coverage: float  #: share of the question's content words that it holds
    is_about_entity: bool  #: its question or topic names the question's entity
    aspects: frozenset[str]  #: that its question and headings are about
    populations: bool  #: it is for the people whom the question names, or for all


@dataclass(frozen=True)
class DirectRules:
    """What an answer must reach to be quoted; `weights/ranking.toml` says where the numbers come from."""

    min_score: float
    min_coverage: float
    passages: PassageRules


def direct_answer(
    asked: QuestionTerms,
    words: Mapping[str, float],
    surfaces: Callable[[Mapping[str, float]], Mapping[str, float]],
    offers: Iterable[Offer],
    rules: DirectRules,
) -> DirectAnswer | None:
    """The passage of the first offer that answers the question; None when none is sure enough.

    `words` are the question's content words, weighed; `surfaces` adds the other words for each.
    """
    if asked.entity is None or (len(asked.content_words) < 2 and not asked.aspects):
        return None  # a name alone asks nothing that a sentence could answer
    for offer in offers:
        if not _fits(asked, offer, rules):
            continue
        answer = offer.answer
        held = sum(
            weight for word, weight in words.items() if any(one in answer.question for one in surfaces({word: 1.0}))
        )
        same_question = held >= _SAME_QUESTION * (sum(words.values()) or 1.0)
        passage = best_passage(answer.text, surfaces(words), asked.aspects, rules.passages, same_question)
        if passage:
            return DirectAnswer(answer, passage.start, passage.end)
    return None


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


def _fits(asked: QuestionTerms, offer: Offer, rules: DirectRules) -> bool:
    """Entity, aspect, people and quality agree."""
    return (
        offer.is_about_entity
        and offer.populations
        and offer.score >= rules.min_score
        and offer.coverage >= rules.min_coverage
        and (not asked.aspects or not offer.aspects or asked.aspects[0] in offer.aspects)
        and offer.answer.kind is not Kind.READER_REPLY
        and _UNFIT.isdisjoint(fact.flaw for fact in offer.answer.quality)
    )
