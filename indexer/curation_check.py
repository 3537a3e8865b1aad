"""Which rules of editors no longer say anything, and why; and what a rule would change before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from indexer.errors import BadQuery
from indexer.records import Answer, Hit, Query, SearchResult
from indexer.store.curation import Action, NewRule, Rule

#: a rule that ends so soon is told of
SOON_DAYS = 14
#: how many results are compared
SHOWN = 10
#: no rule that is kept has this number; the newest stands last among pins
_NEXT = 2**62


class Searched(Protocol):
    """What is needed of the engine."""

    def search_with(self, query: Query, rules: Iterable[Rule]) -> SearchResult: ...

    def answer(self, answer_id: str) -> Answer | None: ...

    def count_of(self, key: str) -> int: ...

    def entity_named(self, word: str) -> str | None: ...


@dataclass(frozen=True)
class StaleRule:
    """A rule that somebody should look at."""

    rule: Rule
    reasons: tuple[str, ...]  #: sentences in Chinese, never empty

    def as_dict(self) -> dict[str, object]:
        """As the command line prints it."""
        return {**self.rule.as_dict(), "reasons": list(self.reasons)}


@dataclass(frozen=True)
class Preview:
    """The first results without a rule, and with it."""

    question: str
    before: tuple[Hit, ...]
    after: tuple[Hit, ...]
    remarks: tuple[str, ...] = ()  #: what the editor should know, in Chinese

    @property
    def is_same(self) -> bool:
        """The rule changes none of them."""
        return [hit.answer.id for hit in self.before] == [hit.answer.id for hit in self.after]


def stale_rules(engine: Searched, rules: Sequence[Rule], day: str) -> list[StaleRule]:
    """Those of the rules that have run out or soon will, or no longer do anything. `day`: today, YYYY-MM-DD. Rules that
    somebody ended are passed over. Raises GenerationMissing without an index.
    """
    rules = [rule for rule in rules if not rule.ended]
    holding = [rule for rule in rules if rule.holds_on(day)]
    found = ((rule, _reasons(engine, rule, holding, day)) for rule in rules)
    return [StaleRule(rule, tuple(reasons)) for rule, reasons in found if reasons]


def _reasons(engine: Searched, rule: Rule, holding: Sequence[Rule], day: str) -> list[str]:
    soon = (date.fromisoformat(day) + timedelta(days=SOON_DAYS)).isoformat()
    reasons = []
    if not rule.holds_on(day):
        reasons.append(f"已在 {rule.expires} 到期。")
    elif rule.expires <= soon:
        reasons.append(f"将在 {rule.expires} 到期。")
    missing = _missing(engine, rule)
    if rule.holds_on(day) and rule.action is Action.PIN and rule.query and not missing:
        place = _place(engine, rule, holding)
        without = _place(engine, rule, [other for other in holding if other.number != rule.number])
        if place is not None and place == without:
            reasons.append(f"没有这条规则，它也排在第 {place} 位。")
    return [*reasons, *missing]


def _missing(engine: Searched, rule: Rule | NewRule) -> list[str]:
    """What a rule speaks of and is not there."""
    answers = [id_ for id_ in (rule.answer, rule.replacement) if id_ and engine.answer(id_) is None]
    reasons = [
        f"答案 {id_} 已下架，或其来源不收录。" if engine.count_of(id_) else f"当前一代中没有答案 {id_}。"
        for id_ in answers
    ]
    if rule.entity and engine.entity_named(rule.entity) is None:
        reasons.append(f"词库里没有“{rule.entity}”。")
    return reasons


def _place(engine: Searched, rule: Rule, rules: Sequence[Rule]) -> int | None:
    """Where a search for a rule's question shows its answer under some rules; None where it does not."""
    try:
        hits = engine.search_with(Query(rule.query, limit=SHOWN), rules).hits
    except BadQuery:
        return None
    return next((hit.rank for hit in hits if hit.answer.id == rule.answer), None)


def preview(engine: Searched, new: NewRule, rules: Sequence[Rule], day: str) -> Preview:
    """The first results of what a rule is about, without it and with it, under the rules in force otherwise. Raises
    BadQuery for a question that cannot be searched.
    """
    question = new.query or f"{new.entity}{new.aspect}"
    holding = [rule for rule in rules if rule.holds_on(day)]
    made = Rule(_NEXT, *new.head, owner="", created="", expires=new.expires)
    before, after = (
        engine.search_with(Query(question, limit=SHOWN), chosen).hits for chosen in (holding, [*holding, made])
    )
    result = Preview(question, before, after, tuple(_missing(engine, new)))
    if not result.remarks and result.is_same:
        return Preview(question, before, after, ("前十条没有变化。",))
    return result
