"""The arrays of an index hold what a plain count of the terms gives, and score as the plain definition does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import RESOURCES
from hypothesis import example, given, settings
from hypothesis import strategies as st
from store_builders import flip_bit, impacts_of, plain_analyzer, terms_of

from indexer.errors import GenerationDamaged
from indexer.ranking.bm25 import Bm25F
from indexer.ranking.fast_bm25 import FastBm25
from indexer.resources import RankingWeights, read_ranking_weights
from indexer.store.base import PARTS, TERM_KINDS, field_name
from indexer.store.counting import MAX_FREQUENCY
from indexer.store.impacts import Impacts, keys_of
from indexer.store.word_counts import word_counts

WEIGHTS = read_ranking_weights(RESOURCES)
ALPHABET = "面肌痉挛抽搐失眠头痛的了药ct3.5，。 \n𠀀β"
written = st.text(ALPHABET, max_size=25)
answers = st.lists(st.tuples(written, written), min_size=1, max_size=9)
weights = st.builds(
    lambda k1, b, question, answer: replace(WEIGHTS, k1=k1, b=b, question=question, answer=answer),
    k1=st.floats(0.1, 5),
    b=st.floats(0, 1),
    question=st.floats(0.1, 5),
    answer=st.floats(0.1, 5),
)
kinds = st.sampled_from(TERM_KINDS)


def asked(kind: str, question: str) -> dict[str, float]:
    return dict(Counter(getattr(plain_analyzer().terms(question), kind)))


def counted(index: Sequence[dict[str, Sequence[str]]], field: str, term: str) -> list[tuple[int, int]]:
    """What postings should be."""
    counts = [(number, list(document[field]).count(term)) for number, document in enumerate(index)]
    return [(number, count) for number, count in counts if count]


def held(impacts: Impacts, field: str, term: str) -> list[tuple[int, int]]:
    found = impacts.postings(field, term)
    return list(zip(found.documents.tolist(), found.frequencies.tolist(), strict=True))


@given(answers, st.integers(1, 9))
@settings(max_examples=60)
@example([("面肌抽搐", "半面肌抽搐，ct3.5检查 𠀀𠀀 β"), ("", ""), ("面肌痉挛", "肌痉挛ct")], 2)
def test_postings_lengths_and_counts_are_a_plain_count_of_the_terms(
    texts: list[tuple[str, str]], max_documents: int
) -> None:
    index = terms_of(texts)
    with impacts_of(texts, max_documents) as impacts:
        assert impacts.document_count == len(texts)
        for kind in TERM_KINDS:
            fields = [field_name(part, kind) for part in PARTS]
            vocabulary = {term for document in index for field in fields for term in document[field]}
            for term in {*vocabulary, "面肌", "没有"}:
                assert [held(impacts, field, term) for field in fields] == [
                    counted(index, field, term) for field in fields
                ]
                holders = [n for n, each in enumerate(index) if any(term in each[field] for field in fields)]
                assert impacts.answers_with(kind, keys_of([term])).tolist() == [len(holders)]
                if kind != "characters":
                    assert impacts.documents_with(kind, term).tolist() == holders
            for field in fields:
                assert impacts.lengths(field).tolist() == [len(document[field]) for document in index]


@given(answers, st.integers(1, 9))
@settings(max_examples=30)
def test_word_counts_are_of_answers_and_of_questions(texts: list[tuple[str, str]], max_documents: int) -> None:
    index = terms_of(texts)
    both = [{*document["question_words"], *document["answer_words"]} for document in index]
    in_answers = Counter(word for words in both for word in words)
    in_questions = Counter(word for document in index for word in set(document["question_words"]))
    expected = {word: (n, in_questions[word]) for word, n in in_answers.items() if n >= 2 or word == "失眠"}
    with impacts_of(texts, max_documents) as impacts:
        assert word_counts(impacts.segments, ["失眠", "没有"], 2) == expected


@given(answers, written, kinds, st.integers(1, 9), st.integers(1, 10), weights)
def test_fast_bm25_gives_the_best_of_bm25_to_the_last_bit(
    texts: list[tuple[str, str]],
    question: str,
    kind: str,
    max_documents: int,
    depth: int,
    weights: RankingWeights,
) -> None:
    terms = asked(kind, question)
    with impacts_of(texts, max_documents, weights) as impacts:
        scores = Bm25F(impacts, kind, weights).scores(terms)
        best = sorted((n for n in range(len(texts)) if scores[n] > 0), key=lambda n: (-scores[n], n))[:depth]
        fast = FastBm25(impacts, weights)
        if kind == "characters":  # scored for candidates only
            weighed = {kind: fast.weigh(kind, terms)}
            exact = fast.scored(weighed, np.arange(len(texts))).parts[:, 2]
            assert exact.tolist() == scores.tolist()
        else:
            assert fast.best_of(kind, terms, depth) == [(n, float(scores[n])) for n in best]


def test_the_best_of_many_answers_are_the_best_of_bm25(texts: list[str]) -> None:
    """More than a thousand real answers, in several segments, with depths that cut through ties."""
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    with impacts_of(pairs, 400) as impacts:
        fast = FastBm25(impacts, WEIGHTS)
        for kind in ("words", "bigrams"):
            plain = Bm25F(impacts, kind, WEIGHTS)
            for question, _ in pairs[::100]:
                scores = plain.scores(asked(kind, question))
                best = np.lexsort((np.arange(len(scores)), -scores))[:50]
                expected = [(n, s) for n, s in zip(best.tolist(), scores[best].tolist(), strict=True) if s > 0]
                assert fast.best_of(kind, asked(kind, question), 50) == expected


@pytest.mark.parametrize("times", [1, 6, 7, 30, 31, 127, 256, 1000, MAX_FREQUENCY, MAX_FREQUENCY + 5])
def test_a_frequency_is_exact_up_to_its_greatest_and_a_length_always(times: int) -> None:
    texts = [("痛，" * times, ""), ("", "痛，" * times), ("痛，" * times, "痛。" * (times + 1))]
    greatest = min(times, MAX_FREQUENCY)
    with impacts_of(texts) as impacts:
        assert held(impacts, "question_words", "痛") == [(0, greatest), (2, greatest)]
        assert held(impacts, "answer_words", "痛") == [(1, greatest), (2, min(times + 1, MAX_FREQUENCY))]
        assert held(impacts, "question_characters", "痛") == [(0, times), (2, times)]
        assert impacts.lengths("answer_characters").tolist() == [0, times, times + 1]


def test_more_different_characters_than_one_unit_can_number_are_told_apart() -> None:
    text = "，".join(f"w{number}" for number in range(60_000))
    with impacts_of([("", text), ("", "w59999，w1")]) as impacts:
        assert held(impacts, "answer_characters", "w59999") == [(0, 1), (1, 1)]
        assert held(impacts, "answer_characters", "w57345") == [(0, 1)]
        terms = {"w59999": 1.0, "w57400": 1.0}
        fast = FastBm25(impacts, WEIGHTS)
        scored = fast.scored({"characters": fast.weigh("characters", terms)}, np.array([0, 1]))
        assert scored.parts[:, 2].tolist() == Bm25F(impacts, "characters", WEIGHTS).scores(terms).tolist()


def test_documents_that_are_not_allowed_do_not_raise_the_bar() -> None:
    texts = [("失眠", "失眠，" * 5)] * 5 + [("", "失眠，头痛的药")] * 5
    with impacts_of(texts, 4) as impacts:
        fast = FastBm25(impacts, WEIGHTS)
        allowed = np.array([False] * 5 + [True] * 5)
        found = fast.candidates({"words": fast.weigh("words", {"失眠": 1.0})}, 2, allowed)
        assert found.tolist() == [5, 6, 7, 8, 9]


def test_arrays_that_are_missing_or_cut_off_are_named_as_damage(tmp_path: Path) -> None:
    with impacts_of([("失眠", "药")]) as impacts:
        folder = Path(impacts.folder)
        flip_bit(folder / "segment-000001" / "words_keys.npy")  # in the magic number of the format
        with pytest.raises(GenerationDamaged, match="impacts"):
            Impacts(folder)
    with pytest.raises(GenerationDamaged, match="impacts"):
        Impacts(tmp_path)
