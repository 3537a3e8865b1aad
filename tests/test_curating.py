"""What rules do to results: pinned once and first, hidden never, the others in their order, on all pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_folding import numbers

from indexer.analysis.aspects import ASPECTS
from indexer.curating import NO_ORDERS, Orders, apart, arranged, orders_of, placed
from indexer.ranking.folding import Result, Traits, at, count, fold, mixed
from indexer.ranking.ranker import Candidate
from indexer.store.answer_facts import aspect_bits
from indexer.store.curation import Action, Rule

#: documents 0 to 11 exist; each has a text, a page and a site
DOCUMENTS = 12
worlds = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)), min_size=DOCUMENTS, max_size=DOCUMENTS
)
#: those that were found, best first
founds = st.lists(st.integers(0, DOCUMENTS - 1), unique=True, max_size=DOCUMENTS)
ids = st.integers(0, DOCUMENTS + 1).map(str)  # two of them are not there
drawn_rules = st.lists(st.tuples(st.sampled_from(Action), ids, ids), max_size=5)
World = Sequence[tuple[int, int, int]]


def rules_of(drawn: Sequence[tuple[Action, str, str]]) -> list[Rule]:
    return [
        Rule(number, action, "问", "", "", answer, other if action is Action.REPLACE else "", "r", "o", "c", "e")
        for number, (action, answer, other) in enumerate(drawn)
        if action is not Action.REPLACE or answer != other
    ]


def orders(world: World, rules: Sequence[Rule]) -> Orders:
    keys = np.array([text for text, _, _ in world], np.uint64)
    return orders_of(rules, lambda id_: [int(id_)] if int(id_) < DOCUMENTS else [], lambda document: True, keys)


def candidate(document: int, score: float = 0.5) -> Candidate:
    return Candidate(document, score, (0.0,), 0.0, 0.0)


def traits(world: World, documents: Sequence[int]) -> Traits:
    chosen = [world[document] for document in documents]
    return Traits(
        texts=np.array([text for text, _, _ in chosen], np.uint64),
        pages=np.array([page for _, page, _ in chosen], np.uint64),
        sites=np.array([site for _, _, site in chosen], np.int64),
        aspects=np.array([aspect_bits([ASPECTS[document % 2]]) for document in documents], np.uint16),
    )


def results(world: World, found: Sequence[int], given: Orders) -> list[Result]:
    """As `results.Relevant` makes them."""
    here = arranged([candidate(document) for document in found], given, lambda document: world[document][0], {})
    documents = [each.document for each in here]
    looked_at = apart(here, traits(world, documents), given.wanted)
    folded = fold(here, looked_at, given.wanted)
    return placed(mixed(folded, dict(zip(documents, looked_at.sites.tolist(), strict=True))), given.pins)


def told(found: Sequence[Result]) -> list[int]:
    """All documents that are shown, also those folded by page."""
    return [
        *(each.candidate.document for each in found),
        *(document for each in found for document, _ in each.more),
    ]


@given(worlds, founds, drawn_rules)
def test_pinned_is_first_and_once_and_hidden_is_never(
    world: World, found: list[int], drawn: list[tuple[Action, str, str]]
) -> None:
    rules = rules_of(drawn)
    given = orders(world, rules)
    shown = results(world, found, given)
    assert len(told(shown)) == len(set(told(shown)))
    pins = [document for document in given.pins if world[document][0] not in given.hidden]
    assert numbers(shown)[: len(pins)] == pins
    hidden = {rule.answer for rule in rules if rule.action is Action.HIDE}
    replaced = {rule.answer for rule in rules if rule.action is Action.REPLACE}
    assert (hidden | replaced).isdisjoint(map(str, told(shown)))
    copies = {int(id_) for id_ in hidden if int(id_) < DOCUMENTS}
    texts = {world[document][0] for document in copies}
    assert all(world[document][0] not in texts for document in told(shown))


@given(worlds, founds, drawn_rules)
def test_the_others_keep_their_order(world: World, found: list[int], drawn: list[tuple[Action, str, str]]) -> None:
    given = orders(world, rules_of(drawn))
    kept = arranged([candidate(document) for document in found], given, lambda document: world[document][0], {})
    others = [each.document for each in kept if each.document not in given.wanted]
    assert others == [document for document in found if document in others]


#: answers of which no two are folded
APART: World = [(number, number, number) for number in range(DOCUMENTS)]


@given(founds, drawn_rules)
def test_where_nothing_is_folded_only_what_rules_name_moves(
    found: list[int], drawn: list[tuple[Action, str, str]]
) -> None:
    rules = rules_of(drawn)
    named = {text for rule in rules for text in (rule.answer, rule.replacement)}
    before, after = (
        results(APART, found, NO_ORDERS),
        results(APART, found, orders(APART, rules)),
    )
    assert [n for n in numbers(after) if str(n) not in named] == [n for n in numbers(before) if str(n) not in named]


@given(worlds, founds, drawn_rules)
def test_chips_count_what_they_lead_to(world: World, found: list[int], drawn: list[tuple[Action, str, str]]) -> None:
    given = orders(world, rules_of(drawn))
    here = arranged([candidate(document) for document in found], given, lambda document: world[document][0], {})
    looked_at = apart(here, traits(world, [each.document for each in here]), given.wanted)
    counts = count(here, looked_at, given.wanted)
    for aspect in ASPECTS[:2]:
        places = np.flatnonzero(looked_at.aspects & aspect_bits([aspect]))
        chosen = fold([here[place] for place in places], at(looked_at, places), given.wanted)
        assert len(placed(chosen, given.pins)) == counts.get(aspect, 0)


@given(worlds, founds)
def test_without_rules_nothing_changes(world: World, found: list[int]) -> None:
    here = [candidate(document) for document in found]
    assert arranged(here, NO_ORDERS, lambda document: world[document][0], {}) == here
    expected = mixed(fold(here, traits(world, found)), {document: world[document][2] for document in found})
    assert results(world, found, NO_ORDERS) == expected


def made(action: Action, answer: int, instead: int | None = None, number: int = 1) -> Rule:
    other = "" if instead is None else str(instead)
    return Rule(number, action, "问", "", "", str(answer), other, "r", "o", "c", "e")


def after(rules: Sequence[Rule], found: Sequence[int], world: World = APART) -> list[int]:
    return numbers(results(world, found, orders(world, rules)))


def test_what_stands_in_takes_the_place_or_keeps_a_better_one() -> None:
    assert after([made(Action.REPLACE, 2, 9)], [1, 2, 3]) == [1, 9, 3]
    assert after([made(Action.REPLACE, 2, 3)], [1, 2, 4, 3]) == [1, 3, 4]
    assert after([made(Action.REPLACE, 3, 1)], [1, 2, 3]) == [1, 2]
    assert after([made(Action.REPLACE, 9, 1)], [2, 3]) == [2, 3]
    assert after([made(Action.REPLACE, 2, 13)], [1, 2, 3]) == [1, 3]  # what would stand in is not there


def test_replacements_follow_each_other_and_a_circle_shows_neither() -> None:
    chain = [made(Action.REPLACE, 2, 3), made(Action.REPLACE, 3, 4, number=2)]
    assert after(chain, [1, 2, 5]) == [1, 4, 5] == after(chain[::-1], [1, 2, 5])
    circle = [made(Action.REPLACE, 2, 3), made(Action.REPLACE, 3, 2, number=2)]
    assert after(circle, [1, 2, 3, 5]) == [1, 5]
    assert after([made(Action.PIN, 2), made(Action.REPLACE, 2, 4, number=2)], [1, 2]) == [4, 1]


def test_an_original_takes_the_place_of_its_copy() -> None:
    world = [(7, number, number) if number in (2, 3, 4) else (number, number, number) for number in range(DOCUMENTS)]
    assert after([made(Action.REPLACE, 2, 3)], [1, 2, 4, 5], world) == [1, 3, 5]
    assert after([made(Action.HIDE, 2)], [1, 3, 4, 5], world) == [1, 5]  # it goes with its copies


def test_pins_of_one_page_and_of_one_text_are_results_of_their_own() -> None:
    world = [(number // 2, number // 4, number) for number in range(DOCUMENTS)]
    pinned = [made(Action.PIN, number, number=number) for number in (0, 1, 2)]
    shown = results(world, [8, 3, 0, 1, 2], orders(world, pinned))
    assert numbers(shown)[:3] == [0, 1, 2]
    assert 3 not in told(shown)  # a copy of 2, whatever stands before it
    assert shown[2].copies == 1


def test_one_pinned_answer_heads_what_it_is_folded_with() -> None:
    world = [replace_page(number) for number in range(DOCUMENTS)]
    shown = results(world, [5, 0, 1], orders(world, [made(Action.PIN, 1)]))
    assert numbers(shown) == [1, 5] and shown[0].more == ((0, 0),)


def test_a_chip_counts_a_pinned_copy_on_its_own_page() -> None:
    world = [*APART]
    world[0], world[2], world[4] = (7, 1, 0), (7, 2, 2), (4, 1, 4)
    given = orders(world, [made(Action.PIN, 2)])
    here = arranged([candidate(0), candidate(2), candidate(4)], given, lambda document: world[document][0], {})
    looked_at = apart(here, traits(world, [0, 2, 4]), given.wanted)
    assert (
        count(here, looked_at, given.wanted) == {ASPECTS[0]: len(results(world, [0, 2, 4], given))} == {ASPECTS[0]: 2}
    )


def replace_page(number: int) -> tuple[int, int, int]:
    """The first two stand on one page."""
    return (number, 0 if number < 2 else number, number)


def test_hiding_wins_over_pinning() -> None:
    rules = [made(Action.PIN, 2), made(Action.HIDE, 2, number=2)]
    assert after(rules, [1, 2]) == [1]
    assert replace(NO_ORDERS, pins=(3,)).wanted == (3,)
