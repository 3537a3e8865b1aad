"""Normaliser: one form for width, case, white space and invisible characters, and a way back to the original."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.analysis.normalize import normalize

# What pages and questions are written with: no combining mark that comes apart from its base.
WRITTEN = st.text("面肌痉挛怎么治头痛0159azAZéüＡｚ５％，。：；（）㎎㎏㎡℃Ⅱ①½ﬁ \t\n\u3000\u200b\u200d\ufeff\u00ad")
ANY_TEXT = st.text()


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ＭＲＩ检查", "mri检查"),
        ("CT和Ｃｔ", "ct和ct"),
        ("每次5㎎", "每次5mg"),
        ("5ｍｇ", "5mg"),
        ("Ⅱ型，３９．５℃", "ii型,39.5°c"),
        ("ｶﾙﾃ", "カルテ"),
        ("头\u200b痛\ufeff", "头痛"),
        ("偏\u00ad头痛", "偏头痛"),
        ("头痛\u3000\t\r\n 三天", "头痛 三天"),
        ("cafe\u0301", "café"),
    ],
)
def test_other_ways_of_writing_become_one(written: str, normal: str) -> None:
    assert normalize(written).text == normal


@pytest.mark.parametrize("nothing", ["", "\u200b\ufeff", "\u00ad"])
def test_text_without_a_visible_character_becomes_empty(nothing: str) -> None:
    normalized = normalize(nothing)
    assert (normalized.text, normalized.starts, normalized.ends) == ("", (), ())


@given(WRITTEN)
def test_written_text_gets_unicode_compatibility_form_in_lower_case(text: str) -> None:
    visible = "".join(c for c in text if c.isspace() or unicodedata.category(c) != "Cf")
    folded = unicodedata.normalize("NFKC", visible).lower()
    assert normalize(text).text == re.sub(r"\s+", " ", folded)


@given(WRITTEN)
def test_normal_text_stays_as_it_is(text: str) -> None:
    once = normalize(text).text
    assert normalize(once).text == once


@pytest.mark.parametrize(("text", "normal"), [("ｶﾞ", "ガ"), ("e\u200b\u0301", "é"), ("\u1100\u1161", "가")])
def test_marks_are_joined_to_their_base_and_lead_back_to_both(text: str, normal: str) -> None:
    normalized = normalize(text)
    assert normalized.text == normal
    assert normalized.original_span(0, 1) == (0, len(text))


@given(ANY_TEXT)
@example("a\u3000 ㍉\u0301b\u200b")
def test_every_character_has_a_place_in_the_original(text: str) -> None:
    normalized = normalize(text)
    assert len(normalized.starts) == len(normalized.ends) == len(normalized.text)
    assert all(0 <= s < e <= len(text) for s, e in zip(normalized.starts, normalized.ends, strict=True))
    assert list(normalized.starts) == sorted(normalized.starts)
    assert list(normalized.ends) == sorted(normalized.ends)


@given(WRITTEN, st.data())
def test_a_span_of_the_original_holds_what_the_span_of_the_normal_text_says(text: str, data: st.DataObject) -> None:
    normalized = normalize(text)
    if normalized.text:
        start = data.draw(st.integers(0, len(normalized.text) - 1))
        end = data.draw(st.integers(start + 1, len(normalized.text)))
        first, last = normalized.original_span(start, end)
        assert normalized.text[start:end] in normalize(text[first:last]).text


@given(WRITTEN, WRITTEN)
def test_texts_on_both_sides_of_a_word_do_not_touch_each_other(before: str, after: str) -> None:
    left, right, whole = normalize(before), normalize(f"痛{after}"), normalize(f"{before}痛{after}")
    assert whole.text == left.text + right.text
    assert whole.starts == left.starts + tuple(start + len(before) for start in right.starts)
    assert whole.ends == left.ends + tuple(end + len(before) for end in right.ends)


def test_places_skip_invisible_characters_and_cover_the_sign_that_became_two_letters() -> None:
    normalized = normalize("吃\u200b５㎎　 药")
    assert normalized.text == "吃5mg 药"
    assert normalized.original_span(0, 1) == (0, 2)  # an invisible character belongs to the one before it
    assert normalized.original_span(1, 4) == (2, 4)  # 5mg is ５㎎
    assert normalized.original_span(2, 3) == normalized.original_span(3, 4) == (3, 4)  # m and g are both ㎎
    assert normalized.original_span(4, 5) == (4, 6)  # one space for two
