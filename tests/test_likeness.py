"""The compiled likenesses are those that plain code finds in the same texts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from store_builders import impacts_of

from indexer.ranking.likeness import MEASURES, Pattern, measure, occurrences
from indexer.store.impacts import keys_of

LETTERS = "失眠头痛药神经"
written = st.text(LETTERS, max_size=14)
questions = st.text(LETTERS, min_size=1, max_size=8)
indexes = st.lists(st.tuples(written, written), min_size=1, max_size=5)
HEAD_CHARS = 40


def pattern_of(question: str, weights: list[float]) -> Pattern:
    """A question of Han characters with these weights, every pair counting as the lesser of its two."""
    places = {letter: place for place, letter in enumerate(dict.fromkeys(question))}
    sequence = np.array([places[letter] for letter in question], np.int16)
    place_weights = np.zeros(len(places))
    np.maximum.at(place_weights, sequence, np.array(weights))
    pairs = np.array([0.0, *(min(pair) for pair in itertools.pairwise(weights))])
    return Pattern(keys_of(list(places)), place_weights, sequence, np.array(weights), pairs)


def measured(index: list[tuple[str, str]], pattern: Pattern, segment: int = 2) -> list[dict[str, float]]:
    with impacts_of(index, segment) as impacts:
        found = np.zeros((len(index), len(MEASURES)))
        measure(impacts.directory, pattern, np.arange(len(index)), found)
    return [dict(zip(MEASURES, row, strict=True)) for row in found.tolist()]


def longest_run(question: str, weights: list[float], text: str) -> float:
    """Greatest weight of a piece of the question that ends a common run."""
    best = 0.0
    for end in range(1, len(question) + 1):
        longest = max((n for n in range(end + 1) if question[end - n : end] in text), default=0)
        best = max(best, sum(weights[end - longest : end]))
    return best / sum(weights)


def in_order(question: str, weights: list[float], text: str) -> float:
    """Heaviest common subsequence."""
    table = [0.0] * (len(question) + 1)
    for letter in text:
        before = 0.0
        for i, asked in enumerate(question):
            old = table[i + 1]
            table[i + 1] = max(old, table[i], before + weights[i] if asked == letter else 0.0)
            before = old
    return table[-1] / sum(weights)


def near(question: str, weights: list[float], text: str, span: int) -> float:
    worth: dict[str, float] = {}
    for letter, weight in zip(question, weights, strict=True):
        worth[letter] = max(worth.get(letter, 0.0), weight)
    best = max(
        (sum(worth[letter] for letter in set(text[at : at + span + 1]) & set(worth)) for at in range(len(text))),
        default=0.0,
    )
    return best / sum(worth.values())


@given(indexes, questions, st.data())
def test_measures_are_those_of_the_texts(index: list[tuple[str, str]], question: str, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=len(question), max_size=len(question)))
    for (asked, answer), found in zip(index, measured(index, pattern_of(question, weights)), strict=True):
        text, head = asked + answer, asked or answer[:HEAD_CHARS]
        total = sum(weights)
        assert found["covered"] == pytest.approx(
            sum(w for c, w in zip(question, weights, strict=True) if c in text) / total
        )
        assert found["longest_run"] == pytest.approx(longest_run(question, weights, text))
        assert found["head_longest_run"] == pytest.approx(longest_run(question, weights, head))
        assert found["in_order"] == pytest.approx(in_order(question, weights, text))
        assert found["head_in_order"] == pytest.approx(in_order(question, weights, head))
        assert found["near_30"] == pytest.approx(near(question, weights, text, 30))
        assert (found["head_length"], found["length"]) == (len(head), len(text))
        pairs = [min(pair) for pair in itertools.pairwise(weights)]
        held = [question[i : i + 2] in text for i in range(len(question) - 1)]
        assert found["pairs"] == pytest.approx(np.dot(pairs, held) / sum(pairs) if pairs else 0.0)
        assert all(0 <= found[name] <= 1 + 1e-9 for name in MEASURES if "length" not in name and name != "first")


def test_the_first_pair_is_where_it_stands_and_a_text_without_one_ends_there() -> None:
    found = measured([("", "药药失眠"), ("", "药药药")], pattern_of("失眠", [1.0, 1.0]))
    assert [each["first"] for each in found] == [2, 3]


def test_far_apart_is_not_near() -> None:
    [found] = measured([("", "失" + "药" * 50 + "眠")], pattern_of("失眠", [1.0, 1.0]))
    assert (found["near_30"], found["near_80"]) == (0.5, 1.0)


@given(indexes, st.lists(st.sampled_from(["失眠", "头痛", "神经", "药"]), min_size=1, max_size=3, unique=True))
def test_occurrences_are_counted_in_question_and_text(index: list[tuple[str, str]], words: list[str]) -> None:
    with impacts_of(index, 2) as impacts:
        counts: NDArray[np.int64] = np.zeros((len(index), len(words), 2), np.int64)
        occurrences(impacts.directory, impacts.extents("words", keys_of(words)), np.arange(len(index)), counts)
        for number, word in enumerate(words):
            for part, field in enumerate(("question_words", "answer_words")):
                postings = impacts.postings(field, word)
                expected = np.zeros(len(index), np.int64)
                expected[postings.documents] = postings.frequencies
                assert counts[:, number, part].tolist() == expected.tolist()
