"""BM25F over arrays equals BM25F in plain loops, on small random indexes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from builders import RESOURCES, MemoryStore
from hypothesis import given
from hypothesis import strategies as st
from reference import bm25, bm25f, idf

from indexer.ranking.bm25 import Bm25F
from indexer.resources import RankingWeights, read_ranking_weights

CORPUS_WEIGHTS = read_ranking_weights(RESOURCES)
TERMS = ["失眠", "头痛", "药", "mri", "医生"]
FIELDS = ("question_words", "answer_words")

texts = st.lists(st.sampled_from(TERMS[:4]), max_size=6)
indexes = st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, texts)), min_size=1, max_size=7)
queries = st.lists(st.sampled_from(TERMS), max_size=5)
numbers = st.floats(0.1, 5)
weights = st.builds(
    lambda k1, b, question, answer: replace(CORPUS_WEIGHTS, k1=k1, b=b, question=question, answer=answer),
    k1=numbers,
    b=st.floats(0, 1),
    question=numbers,
    answer=numbers,
)
Index = list[dict[str, list[str]]]


def scores(index: Index, query: list[str], weights: RankingWeights = CORPUS_WEIGHTS) -> list[float]:
    return list(map(float, Bm25F(MemoryStore(index), "words", weights).scores(Counter(query))))


@given(indexes, queries, weights)
def test_scores_are_those_of_the_definition(index: Index, query: list[str], weights: RankingWeights) -> None:
    by_field = {"question_words": weights.question, "answer_words": weights.answer}
    expected = bm25f(index, query, by_field, weights.k1, weights.b)
    assert scores(index, query, weights) == pytest.approx(expected, rel=1e-6)


@given(st.lists(texts.filter(bool), min_size=1, max_size=7), queries, numbers, st.floats(0, 1), st.sampled_from(FIELDS))
def test_with_one_field_of_weight_one_it_is_bm25(
    texts: list[list[str]], query: list[str], k1: float, b: float, field: str
) -> None:
    weights = replace(CORPUS_WEIGHTS, k1=k1, b=b, question=1.0, answer=1.0)
    index = [{field: text} for text in texts]
    assert scores(index, query, weights) == pytest.approx(bm25(texts, query, k1, b), rel=1e-6)


@given(indexes, st.sampled_from(TERMS), st.integers(2, 4))
def test_a_term_that_is_asked_twice_counts_twice(index: Index, term: str, times: int) -> None:
    once = scores(index, [term])
    assert scores(index, [term] * times) == pytest.approx([times * score for score in once])


@given(indexes, queries)
def test_only_documents_with_an_asked_term_score_and_all_of_them_do(index: Index, query: list[str]) -> None:
    holds = [any(term in document[field] for term in query for field in FIELDS) for document in index]
    assert [score > 0 for score in scores(index, query)] == holds


def test_terms_of_another_kind_do_not_count() -> None:
    index = [{"answer_bigrams": ["失眠"]}, {"answer_words": ["失眠"]}]
    assert [score > 0 for score in scores(index, ["失眠"])] == [False, True]
    assert [score > 0 for score in Bm25F(MemoryStore(index), "bigrams", CORPUS_WEIGHTS).scores({"失眠": 1})] == [
        True,
        False,
    ]


def test_a_term_in_the_question_weighs_more_than_in_an_answer_of_the_same_length() -> None:
    weights = replace(CORPUS_WEIGHTS, question=2.0, answer=1.0)
    in_question, in_answer = scores(
        [
            {"question_words": ["失眠", "药"], "answer_words": ["头痛", "药"]},
            {"question_words": ["头痛", "药"], "answer_words": ["失眠", "药"]},
        ],
        ["失眠"],
        weights,
    )
    assert in_question > in_answer > 0


def test_the_rarer_and_the_shorter_score_more() -> None:
    index = [{"answer_words": words} for words in (["失眠", "药"], ["头痛", "药"], ["药"], ["药", "药", "医生"])]
    assert scores(index, ["失眠"])[0] > scores(index, ["药"])[0]
    assert scores(index, ["药"])[2] > scores(index, ["药"])[0]


@given(st.integers(1, 10_000), st.data())
def test_the_weight_of_rarity_is_positive_and_falls(count: int, data: st.DataObject) -> None:
    frequency = data.draw(st.integers(1, count))
    scorer = Bm25F(MemoryStore([{}] * count), "words", CORPUS_WEIGHTS)
    assert scorer.idf(frequency) == pytest.approx(idf(count, frequency))
    assert 0 < scorer.idf(frequency) < scorer.idf(frequency - 1)


def test_an_index_without_documents_has_no_scores() -> None:
    assert scores([], ["失眠"]) == []
