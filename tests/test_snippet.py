"""Snippet: an exact slice of the answer, around what was asked, with its marks in place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.answer.snippet import highlights, make_snippet
from indexer.records import Snippet, Token

WINDOW = 120
WEIGHTS = {"失眠": 4.0, "失眠症": 6.0, "褪黑素": 3.0, "药": 1.0, "mri": 2.5}

pieces = st.sampled_from(
    [*WEIGHTS, "眠", "医生说早点睡，", "。", "！\n", "？", "；", " ", "\n\n", "作息要规律", "晚" * 40]
)
# An answer begins with a word; one that begins with a mark or an empty line is a case of its own below.
answers = st.lists(pieces, max_size=40).map(lambda rest: "睡" + "".join(rest))
asked = st.dictionaries(st.sampled_from([*WEIGHTS, "作息"]), st.sampled_from([0.5, 1.0, 4.0]), max_size=4)


def words_in(text: str) -> list[Token]:
    """Every place of every word that the tests know, as overlapping as jieba's search mode gives them."""
    return [Token(word, m.start(), m.end()) for word in [*WEIGHTS, "作息"] for m in re.finditer(re.escape(word), text)]


def snippet_of(text: str, weights: Mapping[str, float] = WEIGHTS) -> Snippet:
    return make_snippet(text, words_in, weights)


def worth(text: str, weights: Mapping[str, float]) -> float:
    """Weight of the different asked words in a text."""
    return sum(weight for word, weight in weights.items() if word in text)


@given(answers, asked)
def test_snippet_is_a_slice_of_the_text_no_longer_than_the_window(text: str, weights: dict[str, float]) -> None:
    snippet = snippet_of(text, weights)
    assert snippet.text in text
    assert len(snippet.text) <= WINDOW
    assert snippet.text and not snippet.text[-1].isspace()


@given(answers, asked)
def test_marks_stand_inside_the_snippet_in_order_and_apart(text: str, weights: dict[str, float]) -> None:
    snippet = snippet_of(text, weights)
    places = [place for span in snippet.highlights for place in span]
    assert all(0 <= place <= len(snippet.text) for place in places)
    assert all(a < b for a, b in itertools.pairwise(places))


@given(answers, asked)
def test_exactly_the_asked_words_of_the_snippet_are_marked(text: str, weights: dict[str, float]) -> None:
    snippet = snippet_of(text, weights)
    marked = {place for start, end in snippet.highlights for place in range(start, end)}
    words = [word for word in words_in(snippet.text) if word.text in weights]
    assert marked == {place for word in words for place in range(word.start, word.end)}


@given(answers, asked)
def test_flags_say_whether_there_is_text_before_and_after(text: str, weights: dict[str, float]) -> None:
    snippet = snippet_of(text, weights)
    places = [match.start() for match in re.finditer(f"(?={re.escape(snippet.text)})", text)]
    around = {(bool(text[:place].strip()), bool(text[place + len(snippet.text) :].strip())) for place in places}
    assert (snippet.cut_before, snippet.cut_after) in around


@given(answers, asked)
def test_no_run_of_whole_sentences_that_fits_holds_more_of_what_was_asked(text: str, weights: dict[str, float]) -> None:
    best = worth(snippet_of(text, weights).text, weights)
    sentences = re.findall(r"[^。！？；\n]+[。！？；\n]*\s*", text)
    for first in range(len(sentences)):
        for last in range(first + 1, len(sentences) + 1):
            window = "".join(sentences[first:last])
            assert len(window) > WINDOW or worth(window, weights) <= best


def test_the_sentence_with_the_asked_word_is_shown_though_it_comes_late() -> None:
    late = "短期服用褪黑素可以帮助入睡。"
    snippet = snippet_of("先要调整作息，白天少睡。" * 30 + late + "睡前少看手机。" * 30)
    assert late in snippet.text
    assert [snippet.text[start:end] for start, end in snippet.highlights] == ["褪黑素"]
    assert snippet.cut_before and snippet.cut_after


def test_more_different_asked_words_beat_one_that_is_often_repeated() -> None:
    often, different = "失眠，失眠，还是失眠。", "失眠时吃药。"
    snippet = snippet_of(often + "晚上不要喝浓茶和咖啡。" * 20 + different)
    assert snippet.text.endswith(different) and not snippet.cut_after


def test_the_earliest_of_equal_windows_is_shown() -> None:
    text = "失眠一周。" + "白天多活动。" * 40 + "失眠一年。"
    snippet = snippet_of(text)
    assert text.startswith(snippet.text) and not snippet.cut_before and snippet.cut_after


@pytest.mark.parametrize(("second", "shown"), [(WINDOW - 50, 2), (WINDOW - 49, 1)])
def test_sentences_are_added_as_long_as_they_fit_to_the_last_character(second: int, shown: int) -> None:
    sentences = ["困" * 49 + "。", "累" * (second - 1) + "。", "药。"]
    assert snippet_of("".join(sentences), {}).text == "".join(sentences[:shown])


def test_a_text_without_an_asked_word_is_shown_from_its_start() -> None:
    text = "多晒太阳。" * 40
    snippet = snippet_of(text)
    assert text.startswith(snippet.text) and len(snippet.text) > WINDOW - 10
    assert snippet.highlights == ()


def test_a_short_text_is_shown_whole_and_not_cut() -> None:
    assert snippet_of("失眠可以治。\n") == Snippet("失眠可以治。", ((0, 2),), cut_before=False, cut_after=False)


def test_an_empty_text_has_an_empty_snippet() -> None:
    assert snippet_of("") == Snippet("")


def test_an_asked_word_late_in_a_long_sentence_is_shown() -> None:
    snippet = snippet_of("躺下以后总是翻来覆去，" * 15 + "医生说是失眠，" + "叫我白天多走动，" * 15)
    assert snippet.highlights


def test_an_empty_line_before_the_text_is_not_text_that_was_cut() -> None:
    assert not snippet_of("\n失眠可以治。").cut_before


def test_a_line_of_white_space_before_a_long_sentence_does_not_empty_the_snippet() -> None:
    assert snippet_of("\u3000\n" + "躺下以后总是翻来覆去，" * 15).text


@pytest.mark.parametrize("text", ["？？", "！失眠可以治。"])
def test_marks_at_the_very_start_belong_to_the_snippet_of_a_short_text(text: str) -> None:
    assert snippet_of(text).text == text


def spans(*places: tuple[int, int]) -> list[Token]:
    return [Token("药", start, end) for start, end in places]


def test_words_that_overlap_or_touch_become_one_mark() -> None:
    assert highlights(spans((4, 6), (0, 2), (5, 8), (2, 3), (9, 10)), WEIGHTS) == ((0, 3), (4, 8), (9, 10))


def test_a_word_inside_another_does_not_shorten_its_mark() -> None:
    assert highlights(spans((0, 5), (1, 3)), WEIGHTS) == ((0, 5),)


def test_words_that_were_not_asked_are_not_marked() -> None:
    assert highlights([Token("茶", 0, 1), Token("药", 3, 4)], WEIGHTS) == ((3, 4),)
