"""Analyzer: the terms of a text, their places in the original, and what a question asks for."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from builders import RESOURCES
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.analyzer import Analyzer, Terms, load_analyzer
from indexer.analysis.normalize import normalize
from indexer.resources import read_question_words, read_terms

HAN_RUN = st.text("面肌痉挛怎么治失眠三叉神经痛", min_size=1, max_size=8)
LATIN_RUN = st.from_regex(r"\A[a-z0-9]{1,4}(\.[0-9]{1,2})?\Z")
MARK = st.sampled_from(["，", "。", "？\n", " ", "（", "、"])
WRITTEN = st.text("面肌痉挛怎么治失眠三天头痛ＣＴcTmri05９㎎，。？ \n\u3000\u200b\ufeff")


def test_terms_of_a_question_are_words_pairs_and_characters(analyzer: Analyzer) -> None:
    terms = analyzer.terms("面肌痉挛怎么治？")
    assert {"面肌痉挛", "怎么", "治"} <= set(terms.words)
    assert terms.bigrams == ("面肌", "肌痉", "痉挛", "挛怎", "怎么", "么治")
    assert terms.characters == tuple("面肌痉挛怎么治")


def test_latin_words_and_numbers_stay_whole_among_pairs_and_characters(analyzer: Analyzer) -> None:
    terms = analyzer.terms("发烧３９．５度，做ＭＲＩ，药5㎎")
    assert {"39.5", "mri", "5mg"} <= set(terms.words)
    assert terms.bigrams == ("发烧", "39.5", "mri", "5mg")
    assert terms.characters == ("发", "烧", "39.5", "度", "做", "mri", "药", "5mg")


def test_a_repeated_word_is_a_repeated_term(analyzer: Analyzer) -> None:
    assert analyzer.terms("失眠，失眠，还是失眠").words.count("失眠") == 3


@pytest.mark.parametrize("text", ["", "？！……", " \n", "\u200b", "🙂"])
def test_text_without_words_has_no_terms(analyzer: Analyzer, text: str) -> None:
    assert analyzer.terms(text) == Terms((), (), ())


@given(st.lists(st.tuples(HAN_RUN | LATIN_RUN, MARK), max_size=6))
def test_pairs_never_reach_over_a_mark(analyzer: Analyzer, parts: list[tuple[str, str]]) -> None:
    pairs: list[str] = []
    characters: list[str] = []
    for run, _ in parts:
        pairs += [run] if run.isascii() else [a + b for a, b in itertools.pairwise(run)]
        characters += [run] if run.isascii() else list(run)
    terms = analyzer.terms("".join(run + mark for run, mark in parts))
    assert terms.bigrams == tuple(pairs)
    assert terms.characters == tuple(characters)


@given(WRITTEN)
def test_text_and_its_normal_form_have_the_same_terms(analyzer: Analyzer, text: str) -> None:
    assert analyzer.terms(text) == analyzer.terms(normalize(text).text)


@given(WRITTEN)
def test_each_word_stands_in_the_original_where_its_places_say(analyzer: Analyzer, text: str) -> None:
    words = analyzer.words(text)
    assert [normalize(text[word.start : word.end]).text for word in words] == [word.text for word in words]
    assert tuple(word.text for word in words) == analyzer.terms(text).words


def test_words_have_places_in_text_that_is_written_in_another_way(analyzer: Analyzer) -> None:
    text = "做\u200bＭＲＩ\u3000\u3000查偏头\u200b痛"
    places = {word.text: text[word.start : word.end] for word in analyzer.words(text)}
    assert places["mri"] == "ＭＲＩ"
    assert places["偏头痛"] == "偏头\u200b痛"


@pytest.mark.parametrize("term", read_terms(RESOURCES))
def test_a_lexicon_term_is_a_word_of_a_question_and_says_what_it_is_about(analyzer: Analyzer, term: str) -> None:
    asked = analyzer.question_terms(f"请问{term}怎么治疗？")
    assert normalize(term).text in asked.terms.words
    assert normalize(term).text in asked.content_words


@given(st.lists(st.sampled_from(read_question_words(RESOURCES)), max_size=4))
def test_question_words_never_count_as_content(analyzer: Analyzer, asking: list[str]) -> None:
    asked = analyzer.question_terms("，".join([*asking, "偏头痛"]))
    assert "偏头痛" in asked.content_words
    assert not set(asked.content_words) & set(read_question_words(RESOURCES))


def test_a_question_of_nothing_but_question_words_is_about_nothing(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("怎么办，怎么办")
    assert asked.content_words == ()
    assert asked.terms.words


def test_a_content_word_that_is_asked_twice_counts_once_and_is_a_term_twice(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("偏头痛和偏头痛")
    assert asked.content_words.count("偏头痛") == 1
    assert asked.terms.words.count("偏头痛") == 2


def test_an_aspect_asked_in_other_words_is_searched_by_its_name(analyzer: Analyzer) -> None:
    own, asked = analyzer.terms("面肌痉挛怎么治"), analyzer.question_terms("面肌痉挛怎么治")
    assert asked.aspects == ("治疗",)
    assert asked.terms.words == (*own.words, "治疗")
    assert asked.terms.bigrams == (*own.bigrams, "治疗")
    assert asked.terms.characters == own.characters
    assert "治疗" not in asked.content_words


def test_an_aspect_that_is_named_already_is_not_added_again(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("偏头痛怎么治疗")
    assert asked.aspects == ("治疗",)
    assert asked.terms == analyzer.terms("偏头痛怎么治疗")


def test_the_analyzer_is_what_the_resources_say(tmp_path: Path, jieba_cache: Path) -> None:
    lexicon = tmp_path / "lexicon"
    lexicon.mkdir()
    (lexicon / "terms.tsv").write_text("# 词\t类\n呱啦麻麻症\tdisease\n", encoding="utf-8")
    (lexicon / "question_words.txt").write_text("多痒\n", encoding="utf-8")
    (lexicon / "aspects.toml").write_text('["症状"]\npatterns = ["多痒"]\n', encoding="utf-8")
    asked = load_analyzer(tmp_path, jieba_cache).question_terms("呱啦麻麻症，怎么多痒")
    assert "呱啦麻麻症" in asked.content_words
    assert "怎么" in asked.content_words  # a question word only in the corpus's own list
    assert asked.aspects == ("症状",)
