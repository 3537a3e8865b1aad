"""Ranker: order, depth, what may be found, and what counts as a result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from builders import RESOURCES, MemoryStore
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import bm25f

from indexer.analysis.analyzer import WeightedTerms
from indexer.ranking.ranker import Candidate, Ranker, is_relevant, top_documents
from indexer.resources import read_ranking_weights
from indexer.store.base import PARTS, TERM_KINDS, field_name

WEIGHTS = read_ranking_weights(RESOURCES)
TERMS = ["失眠", "头痛", "药", "三叉神经痛", "mri"]
Index = list[dict[str, list[str]]]

terms = st.lists(st.sampled_from(TERMS[:4]), max_size=5)
documents = st.fixed_dictionaries({field_name(part, kind): terms for part in PARTS for kind in TERM_KINDS})
indexes = st.lists(documents, min_size=1, max_size=6)
asked_terms = st.lists(st.sampled_from(TERMS), max_size=4).map(tuple)


@dataclass(frozen=True)
class Asked:
    """The part of a question that is ranked by."""

    terms: WeightedTerms
    content_words: tuple[str, ...]


questions = st.builds(
    lambda words, bigrams, characters: Asked(
        WeightedTerms(*map(Counter, (words, bigrams, characters))), tuple(dict.fromkeys(words))
    ),
    asked_terms,
    asked_terms,
    asked_terms,
)
a_score = st.sampled_from([0.0, 0.5, 1.0, 2.5]) | st.floats(0, 1e6, allow_subnormal=False)


def ranked(ranker: Ranker, question: Asked, depth: int, allowed: NDArray[np.bool_] | None = None) -> list[Candidate]:
    """Rank as the engine does."""
    return ranker.rank(question.terms, ranker.word_weights(question.content_words), depth, allowed)


def asked_about(*words: str) -> Asked:
    return Asked(WeightedTerms(dict.fromkeys(words, 1.0), {}, {}), words)


def order(candidates: list[Candidate]) -> list[int]:
    return [candidate.document for candidate in candidates]


@given(st.lists(a_score, max_size=30), st.integers(0, 35))
def test_top_documents_are_the_start_of_the_full_sort(scores: list[float], depth: int) -> None:
    everything = sorted((-score, number) for number, score in enumerate(scores) if score > 0)
    assert top_documents(np.array(scores), depth).tolist() == [number for _, number in everything[:depth]]


def test_equals_at_the_edge_of_the_depth_are_taken_by_number() -> None:
    assert top_documents(np.array([1.0, 3.0, 1.0, 0.0, 1.0, 3.0]), 4).tolist() == [1, 5, 0, 2]


@given(indexes, questions)
def test_score_is_the_weighted_sum_over_words_pairs_and_characters(index: Index, question: Asked) -> None:
    expected = [0.0] * len(index)
    for kind in TERM_KINDS:
        by_field = {field_name(part, kind): getattr(WEIGHTS, part) for part in PARTS}
        part_scores = bm25f(
            index, list(Counter(getattr(question.terms, kind)).elements()), by_field, WEIGHTS.k1, WEIGHTS.b
        )
        expected = [a + getattr(WEIGHTS, kind) * b for a, b in zip(expected, part_scores, strict=True)]
    candidates = ranked(Ranker(MemoryStore(index), WEIGHTS), question, len(index))
    assert {c.document: c.score for c in candidates} == pytest.approx({n: s for n, s in enumerate(expected) if s})
    assert all(sum(c.parts) == pytest.approx(c.score) for c in candidates)


@given(indexes, questions)
def test_candidates_stand_best_first_and_equals_by_number(index: Index, question: Asked) -> None:
    candidates = ranked(Ranker(MemoryStore(index), WEIGHTS), question, len(index))
    assert order(candidates) == order(sorted(candidates, key=lambda c: (-c.score, c.document)))


@given(indexes, questions, st.integers(0, 7))
def test_a_smaller_depth_gives_the_start_of_the_same_list(index: Index, question: Asked, depth: int) -> None:
    ranker = Ranker(MemoryStore(index), WEIGHTS)
    assert ranked(ranker, question, depth) == ranked(ranker, question, len(index))[:depth]


@given(indexes, questions, st.data())
def test_documents_that_are_not_allowed_are_left_out_and_the_rest_stays(
    index: Index, question: Asked, data: st.DataObject
) -> None:
    allowed = data.draw(st.lists(st.booleans(), min_size=len(index), max_size=len(index)))
    ranker = Ranker(MemoryStore(index), WEIGHTS)
    everything = ranked(ranker, question, len(index))
    assert ranked(ranker, question, len(index), np.array(allowed)) == [c for c in everything if allowed[c.document]]


def test_documents_that_are_not_allowed_do_not_use_up_the_depth() -> None:
    ranker = Ranker(MemoryStore([{"answer_words": ["失眠"] * count} for count in (3, 2, 1)]), WEIGHTS)
    question = asked_about("失眠")
    assert order(ranked(ranker, question, 1)) == [0]
    assert order(ranked(ranker, question, 1, np.array([False, True, True]))) == [1]


@given(indexes, questions)
def test_coverage_is_the_share_of_the_content_words_that_a_document_holds(index: Index, question: Asked) -> None:
    ranker = Ranker(MemoryStore(index), WEIGHTS)
    worth = ranker.word_weights(question.content_words)
    for candidate in ranked(ranker, question, len(index)):
        document = index[candidate.document]
        held = [word for word in worth if word in document["question_words"] + document["answer_words"]]
        assert candidate.covered == pytest.approx(sum(worth[word] for word in held))
        assert 0 <= candidate.coverage <= 1
        assert candidate.coverage == pytest.approx(candidate.covered / sum(worth.values()) if worth else 0)


@given(indexes, asked_terms)
def test_a_word_is_worth_its_length_and_up_to_three_times_as_much_when_rare(
    index: Index, words: tuple[str, ...]
) -> None:
    for word, worth in Ranker(MemoryStore(index), WEIGHTS).word_weights(words).items():
        assert 0.5 * len(word) < worth <= 1.5 * len(word)


def test_a_rare_word_is_worth_more_than_a_common_one_and_a_long_one_more_than_a_short() -> None:
    index = [{"answer_words": words} for words in (["失眠", "三叉神经痛"], ["头痛"], ["头痛"])]
    worth = Ranker(MemoryStore(index), WEIGHTS).word_weights(("失眠", "头痛", "三叉神经痛"))
    assert worth["头痛"] < worth["失眠"] < worth["三叉神经痛"]


def test_an_index_without_documents_finds_nothing() -> None:
    assert ranked(Ranker(MemoryStore([]), WEIGHTS), asked_about("失眠"), 10) == []


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
