"""jieba as a value: lexicon terms whole, places exact, nothing shared."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.lexicon import Lexicon
from indexer.analysis.normalize import normalize
from indexer.analysis.segment import Segmenter

#: jieba cuts at every other character first, so a term with one (β受体阻滞剂) is found as a mention only
HAN_ONLY = re.compile("[\u4e00-\u9fff]+")
INVENTED = "呱啦麻麻症"  # a disease that no dictionary has
TEXT = st.text(st.sampled_from("面肌痉挛失眠三个月了吃药怎么治好的人在不是医生说可以aemri0159.%-，。？ \n"))


def words_of(segmenter: Segmenter, text: str) -> list[str]:
    return [token.text for token in segmenter.cut(text)]


@pytest.fixture(scope="module")
def with_invented(jieba_cache: Path) -> Segmenter:
    return Segmenter([INVENTED], jieba_cache)


def test_every_term_of_the_lexicon_is_cut_out_whole(segmenter: Segmenter, lexicon: Lexicon) -> None:
    broken = [term for term in lexicon.terms if HAN_ONLY.fullmatch(term) and term not in words_of(segmenter, term)]
    assert len(lexicon.terms) >= 3000
    assert broken == []


def test_a_long_word_is_cut_out_with_the_dictionary_words_inside_it(segmenter: Segmenter) -> None:
    assert {"糖尿病", "2型糖尿病"} <= set(words_of(segmenter, "2型糖尿病"))
    assert {"神经", "神经痛", "三叉神经痛"} <= set(words_of(segmenter, "三叉神经痛"))


@given(TEXT)
def test_each_word_is_the_slice_that_its_places_say(segmenter: Segmenter, text: str) -> None:
    assert all(text[token.start : token.end] == token.text != "" for token in segmenter.cut(text))


@given(TEXT)
def test_no_character_is_lost(segmenter: Segmenter, text: str) -> None:
    covered = {place for token in segmenter.cut(text) for place in range(token.start, token.end)}
    assert covered == set(range(len(text)))


def test_a_term_is_known_only_to_the_segmenter_that_was_given_it(
    segmenter: Segmenter, with_invented: Segmenter
) -> None:
    sentence = f"得了{INVENTED}怎么办"
    assert INVENTED in words_of(with_invented, sentence)
    assert INVENTED not in words_of(segmenter, sentence)
    assert INVENTED not in jieba.dt.FREQ  # jieba's own, that other programs in the process use
    assert INVENTED not in jieba.dt.user_word_tag_tab


def test_a_common_word_stays_whole_when_it_is_made_a_term(jieba_cache: Path) -> None:
    sentence = "月经一直不好"
    assert "月经" in words_of(Segmenter((), jieba_cache), sentence)
    assert "月经" in words_of(Segmenter(["月经", "月经不调"], jieba_cache), sentence)


def test_the_dictionary_is_kept_in_the_folder_that_was_named(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    fresh = words_of(Segmenter((), folder), "偏头痛怎么缓解")
    assert any(file.stat().st_size > 1_000_000 for file in folder.iterdir())
    assert words_of(Segmenter((), folder), "偏头痛怎么缓解") == fresh  # read back from that file


@pytest.mark.parametrize("wanted", [None, "file/cache"])
def test_without_a_folder_to_write_in_it_cuts_all_the_same_and_leaves_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str | None
) -> None:
    (tmp_path / "file").touch()  # where a folder should be
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    segmenter = Segmenter([INVENTED], tmp_path / wanted if wanted else None)
    assert INVENTED in words_of(segmenter, f"得了{INVENTED}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("term", ["PET检查", "ＣＴ血管造影"])
def test_a_term_with_capitals_or_full_width_letters_is_cut_out_of_normalised_text(jieba_cache: Path, term: str) -> None:
    assert normalize(term).text in words_of(Segmenter([normalize(term).text], jieba_cache), normalize(term).text)
