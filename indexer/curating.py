"""What editors' rules do to results: pure functions over candidates, and what a rule means in one generation.

Hiding comes first and wins: a hidden answer goes with all copies of its text. A replaced one goes alike, and what
stands in for it takes its place, or keeps a better one. Pins stand first, in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.lexicon import Lexicon
from indexer.ranking.folding import Result, Traits
from indexer.ranking.ranker import Candidate
from indexer.store.curation import Action, Rule, question_key

#: what a search makes of an answer that only a rule brings in, and that has nothing of the question
_UNSCORED = Candidate(-1, 0.0, (0.0, 0.0, 0.0), 0.0, 0.0)


@dataclass(frozen=True)
class Orders:
    """What rules say of one question, in documents and fold keys (equal for the same text)."""

    pins: tuple[int, ...] = ()  #: documents, the first one first
    hidden: frozenset[int] = frozenset()  #: fold keys
    replaced: tuple[tuple[int, int | None], ...] = ()  #: fold key -> document, None where what stands in is not there

    @property
    def wanted(self) -> tuple[int, ...]:
        """Documents that must be results of their own."""
        return tuple(dict.fromkeys([*self.pins, *(new for _, new in self.replaced if new is not None)]))

    def __bool__(self) -> bool:
        return bool(self.pins or self.hidden or self.replaced)


NO_ORDERS = Orders()


class Rulebook:
    """The rules in force, by what they hold for in one generation's lexicon."""

    def __init__(self, rules: Iterable[Rule], lexicon: Lexicon) -> None:
        self._by_query: dict[str, list[Rule]] = {}
        self._by_entity: dict[str, list[Rule]] = {}
        self._lexicon = lexicon
        for rule in rules:
            if rule.query:
                self._by_query.setdefault(question_key(lexicon.normal(rule.query)), []).append(rule)
            elif (name := entity_of(rule, lexicon)) is not None:
                self._by_entity.setdefault(name, []).append(rule)

    def rules_for(self, texts: Iterable[str], entity: str | None, aspects: Collection[str]) -> list[Rule]:
        """The rules for a question, in the order in which they were made. `texts`: the question as it was typed, and as
        it is searched; `entity`: what it is about, by its name; `aspects`: what it asks of it.
        """
        found: dict[int, Rule] = {}
        if self._by_query:
            for text in texts:
                for rule in self._by_query.get(question_key(self._lexicon.normal(text)), ()):
                    found[rule.number] = rule
        for rule in self._by_entity.get(entity or "", ()):
            if not rule.aspect or rule.aspect in aspects:
                found[rule.number] = rule
        return [found[number] for number in sorted(found)]


def entity_of(rule: Rule, lexicon: Lexicon) -> str | None:
    """Name of the term that a rule is about; None when the lexicon does not have it, or it is about a question."""
    return lexicon.names.get(lexicon.normal(rule.entity)) if rule.entity else None


def orders_of(
    rules: Sequence[Rule],
    documents_of: Callable[[str], Sequence[int]],
    may_show: Callable[[int], bool],
    fold_keys: NDArray[np.uint64],
) -> Orders:
    """The rules in documents. `documents_of`: those of an id; `may_show`: whether one may be a result at all. What may
    not, as on another site than the one asked for, hides its copies all the same.
    """
    if not rules:
        return NO_ORDERS
    instead = {rule.answer: rule.replacement for rule in rules if rule.action is Action.REPLACE}

    def document_of(id_: str) -> int | None:
        """Of what is shown for an id: what stands in for it, at the end of all replacements."""
        met: set[str] = set()
        while id_ in instead and id_ not in met:
            met.add(id_)
            id_ = instead[id_]
        return None if id_ in met else next(filter(may_show, documents_of(id_)), None)

    def keys_of(action: Action) -> list[tuple[str, int]]:
        ids = dict.fromkeys(rule.answer for rule in rules if rule.action is action)
        return [(id_, int(fold_keys[document])) for id_ in ids for document in documents_of(id_)]

    pins = [document_of(rule.answer) for rule in rules if rule.action is Action.PIN]
    return Orders(
        tuple(dict.fromkeys(document for document in pins if document is not None)),
        frozenset(key for _, key in keys_of(Action.HIDE)),
        tuple((key, document_of(id_)) for id_, key in keys_of(Action.REPLACE)),
    )


def arranged(
    candidates: Sequence[Candidate], orders: Orders, text_of: Callable[[int], int], known: Mapping[int, Candidate]
) -> list[Candidate]:
    """The candidates without what is hidden or replaced, with what stands in and what is pinned; the others keep their
    order. `text_of`: fold key of a document; `known`: candidates of `orders.wanted` that are not among the candidates.
    """
    here = {**known, **{candidate.document: candidate for candidate in candidates}}
    wanted = [document for document in orders.wanted if text_of(document) not in orders.hidden]
    kept = [candidate for candidate in candidates if text_of(candidate.document) not in orders.hidden]
    for old, new in orders.replaced:
        place = next((at for at, each in enumerate(kept) if text_of(each.document) == old), None)
        if place is None:
            continue
        before, after = kept[:place], kept[place:]
        if new in wanted and all(each.document != new for each in before):
            after = [here.get(new, scoreless(new)), *(each for each in after if each.document != new)]
        kept = [each for each in (*before, *after) if text_of(each.document) != old or each.document in wanted]
    present = {candidate.document for candidate in kept}
    missing = [document for document in orders.pins if document in wanted and document not in present]
    return [*kept, *(here.get(document, scoreless(document)) for document in missing)]


def scoreless(document: int) -> Candidate:
    """A candidate of a document that has nothing of the question."""
    return _UNSCORED._replace(document=document)


def apart(candidates: Sequence[Candidate], traits: Traits, heads: Collection[int]) -> Traits:
    """The traits, such that no two of `heads` are folded into one, though they share their text or page."""
    texts, pages = traits.texts.copy(), traits.pages.copy()
    for keys in (texts, pages):
        taken: set[int] = set()
        everywhere = set(keys.tolist())
        for place, candidate in enumerate(candidates):
            if candidate.document not in heads:
                continue
            if int(keys[place]) in taken:
                keys[place] = next(key for key in range(len(everywhere) + 1) if key not in everywhere)
                everywhere.add(int(keys[place]))
            taken.add(int(keys[place]))
    return replace(traits, texts=texts, pages=pages)


def placed(results: Sequence[Result], pins: Sequence[int]) -> list[Result]:
    """The results with pinned ones first, in the order of the pins; the others keep theirs."""
    by_document = {result.candidate.document: result for result in results}
    first = [by_document[document] for document in pins if document in by_document]
    return [*first, *(result for result in results if result.candidate.document not in pins)]
