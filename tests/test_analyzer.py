"""Analyzer: the terms of a text, their places in the original, and what a question asks for."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.analyzer import Analyzer, Terms
from indexer.analysis.lexicon import Lexicon
from indexer.analysis.normalize import normalize
from indexer.analysis.segment import Segmenter
from indexer.engine import open_engine
from indexer.opened import open_generation

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
    terms = analyzer.terms(text).words  # and then the names of what stands there in other words
    assert tuple(word.text for word in words) == terms[: len(words)]


@given(WRITTEN, st.lists(HAN_RUN | LATIN_RUN, max_size=3), st.data())
def test_words_among_some_are_those_of_all_words(
    analyzer: Analyzer, text: str, others: list[str], data: st.DataObject
) -> None:
    words = analyzer.words(text)
    known = st.lists(st.sampled_from([word.text for word in words]), max_size=4) if words else st.just([])
    among = {*data.draw(known), *others}
    expected = {word for word in words if word.text in among}
    assert set(analyzer.words(text, among)) == expected


def test_words_have_places_in_text_that_is_written_in_another_way(analyzer: Analyzer) -> None:
    text = "做\u200bＭＲＩ\u3000\u3000查偏头\u200b痛"
    places = {word.text: text[word.start : word.end] for word in analyzer.words(text)}
    assert places["mri"] == "ＭＲＩ"
    assert places["偏头痛"] == "偏头\u200b痛"


def test_a_term_by_another_word_is_indexed_and_asked_for_by_its_name(analyzer: Analyzer) -> None:
    assert {"鬼剃头", "斑秃"} <= set(analyzer.terms("他得了鬼剃头").words)
    asked = analyzer.question_terms("鬼剃头怎么治")
    assert {"鬼剃头", "斑秃"} <= set(asked.terms.words)
    assert (asked.content_words, asked.entity) == (("斑秃", "治"), "斑秃")


def test_a_word_within_a_longer_one_of_another_term_does_not_bring_its_name(analyzer: Analyzer) -> None:
    assert {"破伤风"} <= set(analyzer.terms("打了破伤风针").words)
    assert "普通感冒" not in analyzer.terms("打了破伤风针").words
    assert "感冒" not in analyzer.terms("打了破伤风针").words


def test_a_term_across_words_is_indexed_but_not_meant(analyzer: Analyzer) -> None:
    assert "月经" in analyzer.terms("三个月经常头痛").words  # whoever searches for it finds the text
    asked = analyzer.question_terms("三个月经常头痛")
    assert asked.entity == "头痛"
    assert "月经" not in asked.content_words


def test_every_word_of_the_lexicon_that_stands_in_an_answer_is_a_term_of_it(
    segmenter: Segmenter, lexicon: Lexicon, demonstration: Path
) -> None:
    engine = open_engine(demonstration)
    generation = open_generation(demonstration, engine.generation)
    store, arrays = generation.store, generation.impacts
    missing = []
    found = 0
    for document in range(store.document_count):
        answer = store.answer(document)
        for mention in segmenter.mentions(lexicon.normal(answer.text)):
            found += 1
            if document not in arrays.postings("answer_words", mention.surface).documents:
                missing.append((answer.id, mention.surface))
    assert found > 10_000
    assert missing == []


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("面肌痙攣怎麼治", "面肌痉挛怎么治"),
        ("ＭＲＩ检查", "mri检查"),
        ("攝護腺肥大要吃什麼藥", "前列腺肥大要吃什么药"),
        ("B型肝炎會傳染嗎", "乙型肝炎会传染吗"),
    ],
)
def test_other_scripts_and_regions_ask_for_the_same(analyzer: Analyzer, written: str, plain: str) -> None:
    assert analyzer.question_terms(written) == analyzer.question_terms(plain)


@pytest.mark.parametrize("polite", ["医生您好，请问{}", "你好我想问一下{}谢谢", "各位大夫求助！{}，急急急"])
def test_politeness_is_not_looked_for(analyzer: Analyzer, polite: str) -> None:
    plain = analyzer.question_terms("偏头痛怎么缓解")
    asked = analyzer.question_terms(polite.format("偏头痛怎么缓解"))
    assert (asked.terms, asked.content_words) == (plain.terms, plain.content_words)


def test_question_words_weigh_less_and_never_say_what_it_is_about(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("偏头痛怎么办")
    assert set(asked.content_words) == {"偏头痛", "偏头", "头痛"}
    assert 0 < asked.terms.words["怎么办"] < 1 == asked.terms.words["偏头痛"]


def test_a_question_of_nothing_but_question_words_is_about_nothing(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("怎么办，怎么办")
    assert asked.content_words == ()
    assert asked.terms.words


def test_a_word_that_is_asked_twice_counts_twice(analyzer: Analyzer) -> None:
    asked = analyzer.question_terms("偏头痛和偏头痛")
    assert asked.content_words.count("偏头痛") == 1
    assert asked.terms.words["偏头痛"] == 2


@pytest.mark.parametrize(
    ("question", "populations", "sides", "duration"),
    [
        ("宝宝六个月了拉肚子三天怎么办", ("小儿",), (), "六个月"),
        ("孕妇左边头疼", ("孕妇",), ("左",), None),
        ("我奶奶右腿肿了两周", ("老人",), ("右",), "两周"),
        ("脚气怎么治", (), (), None),
    ],
)
def test_who_which_side_and_how_long(
    analyzer: Analyzer, question: str, populations: tuple[str, ...], sides: tuple[str, ...], duration: str | None
) -> None:
    asked = analyzer.question_terms(question)
    assert (asked.populations, asked.sides, asked.duration) == (populations, sides, duration)
