"""Words as jieba cuts them, and the lexicon's terms whole: jieba 0.42.1 itself is the truth."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import jieba
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.analysis.lexicon import Lexicon, Term, make_lexicon
from indexer.analysis.normalize import normalize
from indexer.analysis.segment import Segmenter, make_segmenter, open_segmenter

#: jieba cuts at every other character first, so a term with one (β受体阻滞剂) is found as a mention only
HAN_ONLY = re.compile("[\u4e00-\u9fff]+")
INVENTED = "呱啦麻麻症"  # a disease that no dictionary has
SAMPLED = "面肌痉挛失眠三个月了吃药怎么治好的人在不是医生说可以张伟龘aemri0159.%-_+#&，。？ \n\r\tβあ𠀀龥"
TEXT = st.text(st.sampled_from(SAMPLED)) | st.text()


def words_of(segmenter: Segmenter, text: str) -> list[str]:
    return [token.text for token in segmenter.cut(text)]


def segmenter_with(*terms: str) -> Segmenter:
    return make_segmenter(make_lexicon(Term(term) for term in terms))


def jieba_with(terms: Iterable[str], folder: Path) -> jieba.Tokenizer:
    """jieba itself with these terms, added as segment.py's dictionary has them."""
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir, tokenizer.cache_file = str(folder), "jieba.cache"
    for term in terms:
        if tokenizer.lcut(term) != [term]:
            tokenizer.add_word(term)
    return tokenizer


@pytest.fixture(scope="module")
def truth(lexicon: Lexicon, tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    return jieba_with(lexicon.terms, tmp_path_factory.mktemp("jieba"))


@pytest.fixture(scope="module")
def with_invented() -> Segmenter:
    return segmenter_with(INVENTED)


@given(TEXT)
@example("南京市长江大桥，乾清宫\r\n\n3.5%的a.b-c_9..1%%")
@example("\ud800面肌")
def test_a_text_is_cut_as_jieba_cuts_it(segmenter: Segmenter, truth: jieba.Tokenizer, text: str) -> None:
    assert [(word.text, word.start, word.end) for word in segmenter.cut(text)] == list(
        truth.tokenize(text, mode="search")
    )
    assert segmenter.dictionary_words(text) == [(start, end) for _, start, end in truth.tokenize(text, HMM=False)]


def test_whole_answers_are_cut_as_jieba_cuts_them(
    segmenter: Segmenter, truth: jieba.Tokenizer, texts: list[str]
) -> None:
    different = [
        text for text in texts if words_of(segmenter, text) != [word for word, _, _ in truth.tokenize(text, "search")]
    ]
    assert len(texts) > 1000
    assert different == []


@given(st.text(st.sampled_from(SAMPLED), min_size=1, max_size=4))
def test_a_word_is_one_where_jieba_has_it(segmenter: Segmenter, truth: jieba.Tokenizer, word: str) -> None:
    assert segmenter.has(word) == bool(truth.FREQ.get(word))


def test_every_term_of_the_lexicon_is_cut_out_whole(segmenter: Segmenter, lexicon: Lexicon) -> None:
    broken = [term for term in lexicon.terms if HAN_ONLY.fullmatch(term) and term not in words_of(segmenter, term)]
    assert len(lexicon.terms) >= 3000
    assert broken == []


def test_a_long_word_is_cut_out_with_the_dictionary_words_inside_it(segmenter: Segmenter) -> None:
    assert {"糖尿病", "2型糖尿病"} <= set(words_of(segmenter, "2型糖尿病"))
    assert {"神经", "神经痛", "三叉神经痛"} <= set(words_of(segmenter, "三叉神经痛"))


def test_a_term_is_known_only_to_the_segmenter_that_was_given_it(
    segmenter: Segmenter, with_invented: Segmenter
) -> None:
    sentence = f"得了{INVENTED}怎么办"
    assert INVENTED in words_of(with_invented, sentence)
    assert INVENTED not in words_of(segmenter, sentence)
    assert INVENTED not in jieba.dt.FREQ  # jieba's own, that other programs in the process use


def test_a_common_word_stays_whole_when_it_is_made_a_term() -> None:
    sentence = "月经一直不好"
    assert "月经" in words_of(segmenter_with(), sentence)
    assert "月经" in words_of(segmenter_with("月经", "月经不调"), sentence)


def test_what_was_saved_cuts_the_same(tmp_path: Path, with_invented: Segmenter) -> None:
    with_invented.save(tmp_path)
    back = open_segmenter(tmp_path, make_lexicon([Term(INVENTED)]))
    sentence = f"得了{INVENTED}的人在睡不着"
    assert back.cut(sentence) == with_invented.cut(sentence)
    assert back.mentions(sentence) == with_invented.mentions(sentence) != []


@pytest.mark.parametrize("term", ["PET检查", "ＣＴ血管造影"])
def test_a_term_with_capitals_or_full_width_letters_is_cut_out_of_normalised_text(term: str) -> None:
    assert normalize(term).text in words_of(segmenter_with(normalize(term).text), normalize(term).text)


def test_more_mentions_than_characters_are_all_found() -> None:
    nested = ["一" * length for length in range(1, 8)]
    assert len(segmenter_with(*nested).mentions("一" * 30)) == sum(31 - length for length in range(1, 8))
