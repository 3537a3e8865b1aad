"""Ranker: order, depth, what may be found, and what counts as a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from builders import RESOURCES
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import bm25f
from store_builders import impacts_of, plain_analyzer, terms_of

from indexer.analysis.analyzer import QuestionTerms, WeightedTerms
from indexer.ranking.ranker import Candidate, Ranker, is_relevant
from indexer.resources import read_ranking_weights
from indexer.store.base import PARTS, TERM_KINDS, field_name

WEIGHTS = read_ranking_weights(RESOURCES)
Index = list[tuple[str, str]]  # questions and texts

written = st.text("失眠头痛药，三叉神经mri", max_size=12)
indexes = st.lists(st.tuples(written, written), min_size=1, max_size=6)


def asked(question: str) -> QuestionTerms:
    """A question of which every term counts."""
    terms = plain_analyzer().terms(question)
    counts = (Counter(getattr(terms, kind)) for kind in TERM_KINDS)
    understood = plain_analyzer().question_terms(question)
    return replace(understood, terms=WeightedTerms(*counts), content_words=tuple(dict.fromkeys(terms.words)))


questions = written.map(asked)


def ranked(
    ranker: Ranker, question: QuestionTerms, depth: int, allowed: NDArray[np.bool_] | None = None
) -> list[Candidate]:
    """Rank as the engine does."""
    return ranker.rank(question, ranker.word_weights(question.content_words), depth, allowed)


def order(candidates: list[Candidate]) -> list[int]:
    return [candidate.document for candidate in candidates]


@given(indexes, questions)
def test_score_is_the_weighted_sum_over_words_pairs_and_characters(index: Index, question: QuestionTerms) -> None:
    expected = [0.0] * len(index)
    for kind in TERM_KINDS:
        by_field = {field_name(part, kind): getattr(WEIGHTS, part) for part in PARTS}
        part_scores = bm25f(
            terms_of(index), list(Counter(getattr(question.terms, kind)).elements()), by_field, WEIGHTS.k1, WEIGHTS.b
        )
        expected = [a + getattr(WEIGHTS, kind) * b for a, b in zip(expected, part_scores, strict=True)]
    with impacts_of(index, 4) as impacts:
        candidates = ranked(Ranker(impacts, WEIGHTS), question, len(index))
    found = {c.document: c.score for c in candidates}
    assert found == pytest.approx({n: expected[n] for n in found})
    # single characters alone make no candidate, unless nothing else does
    shared = [n for n, each in enumerate(terms_of(index)) if _shares(each, question)]
    assert sorted(found) == (shared or [n for n, score in enumerate(expected) if score])
    assert all(sum(c.parts) == pytest.approx(c.score) for c in candidates)


def _shares(document: dict[str, Sequence[str]], question: QuestionTerms) -> bool:
    return any(
        term in document[field_name(part, kind)]
        for part in PARTS
        for kind in ("words", "bigrams")
        for term in getattr(question.terms, kind)
    )


@given(indexes, questions)
def test_candidates_stand_best_first_and_equals_by_number(index: Index, question: QuestionTerms) -> None:
    with impacts_of(index, 4) as impacts:
        candidates = ranked(Ranker(impacts, WEIGHTS), question, len(index))
    assert order(candidates) == order(sorted(candidates, key=lambda c: (-c.score, c.document)))


@given(indexes, questions, st.integers(0, 7))
def test_a_smaller_depth_gives_the_start_of_the_same_list(index: Index, question: QuestionTerms, depth: int) -> None:
    with impacts_of(index, 4) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        assert ranked(ranker, question, depth) == ranked(ranker, question, len(index))[:depth]


@given(indexes, questions, st.data())
def test_documents_that_are_not_allowed_are_left_out_and_the_rest_stays(
    index: Index, question: QuestionTerms, data: st.DataObject
) -> None:
    allowed = data.draw(st.lists(st.booleans(), min_size=len(index), max_size=len(index)))
    with impacts_of(index, 4) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        everything = ranked(ranker, question, len(index))
        found = ranked(ranker, question, len(index), np.array(allowed))
    assert found == [c for c in everything if allowed[c.document]]


def test_documents_that_are_not_allowed_do_not_use_up_the_depth() -> None:
    with impacts_of([("", "失眠，" * count + "药") for count in (3, 2, 1)]) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        assert order(ranked(ranker, asked("失眠"), 1)) == [0]
        assert order(ranked(ranker, asked("失眠"), 1, np.array([False, True, True]))) == [1]


def test_a_single_character_finds_the_words_that_hold_it() -> None:
    with impacts_of([("", "头痛"), ("失眠", "药"), ("", "三叉神经痛")]) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        assert order(ranked(ranker, asked("眠"), 5)) == [1]
        assert order(ranked(ranker, asked("眠"), 5, np.array([True, False, True]))) == []


def test_documents_ahead_come_first_in_any_segment_unless_they_are_hidden() -> None:
    with impacts_of([("", "失眠，" * count + "药") for count in (3, 2, 1)], 1) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        question = asked("失眠")
        weights = ranker.word_weights(question.content_words)
        ahead = np.array([2], np.int32)
        assert order(ranker.rank(question, weights, 2, None, ahead)) == [2, 0]
        assert order(ranker.rank(question, weights, 2, np.array([True, True, False]), ahead)) == [0, 1]


@given(indexes, questions)
def test_coverage_is_the_share_of_the_content_words_that_it_holds(index: Index, question: QuestionTerms) -> None:
    documents = terms_of(index)
    with impacts_of(index, 4) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        worth = ranker.word_weights(question.content_words)
        candidates = ranked(ranker, question, len(index))
    for candidate in candidates:
        document = documents[candidate.document]
        held = [word for word in worth if word in (*document["question_words"], *document["answer_words"])]
        assert candidate.covered == pytest.approx(sum(worth[word] for word in held))
        assert 0 <= candidate.coverage <= 1
        assert candidate.coverage == pytest.approx(candidate.covered / sum(worth.values()) if worth else 0)


@given(indexes, written)
def test_a_word_is_worth_its_length_and_up_to_three_times_as_much_when_rare(index: Index, question: str) -> None:
    with impacts_of(index) as impacts:
        worth = Ranker(impacts, WEIGHTS).word_weights(asked(question).content_words)
    assert all(0.5 * len(word) < weight <= 1.5 * len(word) for word, weight in worth.items())


def test_a_rare_word_is_worth_more_than_a_common_one_and_a_long_one_more_than_a_short() -> None:
    with impacts_of([("", text) for text in ("失眠，三叉神经痛", "头痛", "头痛")]) as impacts:
        worth = Ranker(impacts, WEIGHTS).word_weights(("失眠", "头痛", "三叉神经痛"))
    assert worth["头痛"] < worth["失眠"] < worth["三叉神经痛"]


def test_an_index_without_documents_finds_nothing() -> None:
    with impacts_of([]) as impacts:
        assert ranked(Ranker(impacts, WEIGHTS), asked("失眠"), 10) == []


@pytest.mark.parametrize(
    ("coverage", "covered", "relevant"),
    [(0.4, 0.0, True), (0.39, 5.99, False), (0.0, 6.0, True), (0.0, 0.0, False), (1.0, 1.0, True)],
)
def test_a_result_holds_enough_of_the_question_or_much_of_a_long_one(
    coverage: float, covered: float, relevant: bool
) -> None:
    weights = replace(WEIGHTS, min_coverage=0.4, min_covered_weight=6.0)
    candidate = Candidate(document=0, score=1.0, parts=(1.0, 0.0, 0.0), covered=covered, coverage=coverage)
    assert is_relevant(candidate, weights) is relevant
