"""Results: one for a text, one for a page, and no site fills the list."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.aspects import ASPECTS
from indexer.ranking.folding import Result, Traits, at, count, fold, mixed
from indexer.ranking.ranker import Candidate
from indexer.store.answer_facts import aspect_bits

#: text, page, site and aspects of a candidate
Drawn = list[tuple[int, int, int, list[str]]]
drawn = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.lists(st.sampled_from(ASPECTS[:3]))),
    max_size=14,
)


def candidates(drawn: Drawn) -> list[Candidate]:
    return [Candidate(number, 1.0 - number / 100, (0.0,), 0.0, 0.0) for number in range(len(drawn))]


def traits(drawn: Drawn) -> Traits:
    return Traits(
        texts=np.array([text for text, _, _, _ in drawn], np.uint64),
        pages=np.array([page for _, page, _, _ in drawn], np.uint64),
        sites=np.array([site for _, _, site, _ in drawn], np.int64),
        aspects=np.array([aspect_bits(aspects) for _, _, _, aspects in drawn], np.uint16),
    )


def numbers(results: list[Result]) -> list[int]:
    return [result.candidate.document for result in results]


def test_stock_answers_are_one_result_and_so_are_answers_of_one_page() -> None:
    found: Drawn = [(1, 1, 0, []), (1, 2, 0, []), (2, 1, 0, []), (1, 3, 0, []), (3, 4, 0, [])]
    assert fold(candidates(found), traits(found)) == [
        Result(candidates(found)[0], copies=2, more=((2, 0),)),
        Result(candidates(found)[4]),
    ]


@given(drawn)
def test_every_candidate_is_told_of_once(found: Drawn) -> None:
    results = fold(candidates(found), traits(found))
    assert sum(1 + result.copies + sum(1 + copies for _, copies in result.more) for result in results) == len(found)
    shown = [*numbers(results), *(document for result in results for document, _ in result.more)]
    assert len(shown) == len(set(shown)) == len({text for text, _, _, _ in found})
    assert numbers(results) == sorted(numbers(results))
    pages = [found[number][1] for number in numbers(results)]
    assert len(pages) == len(set(pages))


@given(drawn)
def test_an_aspect_has_as_many_results_as_its_chip_says(found: Drawn) -> None:
    counts = count(candidates(found), traits(found))
    for aspect in ASPECTS:
        here = np.array([number for number, each in enumerate(found) if aspect in each[3]], np.intp)
        shown = fold([candidates(found)[number] for number in here.tolist()], at(traits(found), here))
        assert counts.get(aspect, 0) == len(shown)
    assert 0 not in counts.values()


@given(drawn)
def test_mixing_keeps_all_and_no_site_has_more_than_three_of_ten_while_others_are_left(found: Drawn) -> None:
    results = [Result(each) for each in candidates(found)]
    site_of = {number: site for number, (_, _, site, _) in enumerate(found)}
    placed = numbers(mixed(results, site_of))
    assert sorted(placed) == numbers(results)
    for end in range(1, len(placed) + 1):
        recent = [site_of[number] for number in placed[max(end - 10, 0) : end]]
        left = {site_of[number] for number in placed[end:]}
        if recent.count(recent[-1]) > 3:  # nothing else could have stood here
            assert all(recent[:-1].count(site) >= 3 for site in left)
    for site in set(site_of.values()):
        own = [number for number in placed if site_of[number] == site]
        assert own == sorted(own)
