"""Whether an answer may be quoted above the list, and which of its sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from indexer.analysis.analyzer import QuestionTerms
from indexer.answer.passages import PassageRules, Wanted, best_passage, share_in
from indexer.records import Answer, DirectAnswer, Kind
from indexer.verdicts import Flaw

_UNFIT = frozenset((Flaw.CUT_OFF, Flaw.MASKED, Flaw.SPUN, Flaw.INLINE_PINYIN, Flaw.CURE_PROMISE, Flaw.STOCK_ANSWER))


@dataclass(frozen=True)
class Offer:
    """A result that may be quoted."""

    answer: Answer
    score: float
    is_about_entity: bool  #: its question or topic names the question's entity
    aspects: frozenset[str]  #: that its question and headings are about
    populations: bool  #: it is for the people whom the question names, or for all


@dataclass(frozen=True)
class DirectRules:
    """What an answer must reach to be quoted; `weights/ranking.toml` says where the numbers come from."""

    min_score: float  #: of an answer to the same question
    same_question: float  #: what share of the words makes its question the same
    sure_score: float  #: of any other
    min_known: float  #: share of the words that its question and the passage hold together
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
    if asked.entity is None or (asked.is_bare and not asked.aspects):
        return None  # a name alone asks nothing that a sentence could answer
    wanted = [Wanted(weight, tuple(surfaces({word: weight}))) for word, weight in words.items()]
    for offer in offers:
        if not _fits(asked, offer, rules):
            continue
        answer = offer.answer
        passage = best_passage(answer.text, answer.question, wanted, asked.aspects, rules.passages)
        if passage is None:
            continue
        is_same = share_in(answer.question, wanted) >= rules.same_question
        known = share_in(answer.question + answer.text[passage.start : passage.end], wanted)
        if is_same or (offer.score >= rules.sure_score and known >= rules.min_known):
            return DirectAnswer(answer, passage.start, passage.end)
    return None


def _fits(asked: QuestionTerms, offer: Offer, rules: DirectRules) -> bool:
    """Entity, aspect, people and quality agree."""
    return (
        offer.is_about_entity
        and offer.populations
        and offer.score >= rules.min_score
        and (not asked.aspects or not offer.aspects or asked.aspects[0] in offer.aspects)
        and offer.answer.kind is not Kind.READER_REPLY
        and _UNFIT.isdisjoint(fact.flaw for fact in offer.answer.quality)
    )
