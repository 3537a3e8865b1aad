"""The lexicon: its files, its words in texts, and what one may not write."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.lexicon import Lexicon, Term, make_lexicon, open_lexicon, read_terms
from indexer.analysis.segment import Segmenter, make_segmenter
from indexer.errors import ResourceError

SMALL = make_lexicon(
    [
        Term("面肌痉挛", "disease", ("面肌抽搐", "HFS"), ("运动障碍",), ("眼睑痉挛",)),
        Term("运动障碍", "disease"),
        Term("痉挛", "symptom", ("抽筋",)),
        Term("CT检查", "examination", ("CT",)),
    ],
    {"摄护腺": "前列腺"},
)


@lru_cache(maxsize=1)
def segmenter_of_small() -> Segmenter:
    return make_segmenter(SMALL)


def mentions(text: str) -> list[tuple[str, str]]:
    return [(mention.surface, mention.name) for mention in segmenter_of_small().mentions(SMALL.normal(text))]


def test_it_is_as_large_as_patients_words_are_many(lexicon: Lexicon) -> None:
    kinds = Counter(term.kind for term in lexicon.terms.values())
    assert len(lexicon.terms) >= 3000
    assert sum(len(term.same) + len(term.related) for term in lexicon.terms.values()) >= 1500
    assert all(kinds[kind] >= 100 for kind in ("disease", "symptom", "drug", "examination", "procedure", "food"))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("面肌抽搐", "面肌痉挛"),
        ("半面痉挛", "面肌痉挛"),
        ("HFS", "面肌痉挛"),
        ("鬼剃头", "斑秃"),
        ("大脖子病", "甲状腺肿"),
        ("拉肚子", "腹泻"),
        ("心梗", "心肌梗死"),
        ("泰诺", "对乙酰氨基酚"),
        ("缠腰龙", "带状疱疹"),
        ("脚气", "足癣"),
    ],
)
def test_everyday_words_mean_their_terms(lexicon: Lexicon, word: str, name: str) -> None:
    term = lexicon.term_of(word)
    assert term is not None and name in (term.name, *term.same)


def test_facial_neuritis_is_near_facial_palsy(lexicon: Lexicon) -> None:
    palsy = lexicon.term_of("面瘫")
    assert palsy is not None
    near = {palsy.name, *palsy.same, *(lexicon.terms[name].name for name in lexicon.near(lexicon.normal(palsy.name)))}
    assert "面神经炎" in near


def test_words_are_found_within_others_and_under_any_name() -> None:
    assert mentions("面肌抽搐和痉挛") == [("面肌抽搐", "面肌痉挛"), ("痉挛", "痉挛")]
    assert ("痉挛", "痉挛") in mentions("面肌痉挛")


@pytest.mark.parametrize(("text", "found"), [("做ＣＴ", True), ("CT检查", True), ("direct", False), ("CTA", False)])
def test_a_latin_word_is_no_part_of_a_longer_one(text: str, found: bool) -> None:
    assert (("ct", "ct检查") in mentions(text)) is found


def test_a_term_knows_what_is_narrower_and_near_and_what_is_broader_knows_it() -> None:
    assert SMALL.near("面肌痉挛") == ("眼睑痉挛",)
    assert SMALL.near("运动障碍") == ("面肌痉挛",)


def test_words_of_other_regions_are_read_before_they_are_cut_and_lead_back() -> None:
    normalized = SMALL.normalized("攝護腺肥大")
    assert normalized.text == "前列腺肥大"
    assert normalized.original_span(0, 3) == (0, 3)
    assert normalized.original_span(3, 5) == (3, 5)


@given(st.text("面肌痉挛抽搐筋CTct和 ，的", max_size=20))
def test_every_mention_stands_where_it_says(text: str) -> None:
    normal = SMALL.normal(text)
    for mention in segmenter_of_small().mentions(normal):
        assert normal[mention.start : mention.end] == mention.surface
        assert SMALL.names[mention.surface] == mention.name


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ([Term("腹泻"), Term("腹泻")], "词条“腹泻”重复"),
        ([Term("腹泻", same=("拉肚子",)), Term("肠炎", same=("拉肚子",))], "“拉肚子”既属于"),
        ([Term("腹泻", same=("肠炎",)), Term("肠炎")], "“肠炎”既属于"),
    ],
)
def test_a_word_belongs_to_one_term(terms: list[Term], sentence: str) -> None:
    with pytest.raises(ResourceError, match=sentence):
        make_lexicon(terms)


@pytest.mark.parametrize(
    "line", ["腹泻\t病", "腹泻\tsymptom\t拉 肚子", "\tsymptom", "腹泻\tsymptom\t拉肚子、\t\t\t多了", "腹 泻"]
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "terms.tsv"
    file.write_text(f"# 词表\n头痛\tsymptom\n{line}\n", encoding="utf-8")
    with pytest.raises(ResourceError, match="第 3 行"):
        read_terms(file)


def test_a_bare_list_of_words_is_a_list_of_terms(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("头痛\n\n发热\n", encoding="utf-8")
    assert read_terms(file) == [Term("头痛"), Term("发热")]


def test_a_lexicon_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    SMALL.save(tmp_path / "lexicon.json")
    back = open_lexicon(tmp_path / "lexicon.json")
    assert (back.terms, back.names) == (SMALL.terms, SMALL.names)
    assert back.normal("摄护腺") == "前列腺"
