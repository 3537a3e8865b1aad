"""Aspects: which side of a disease a question asks about, and which only look like it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import RESOURCES

from indexer.analysis.aspects import Aspects, find_aspects, load_aspects
from indexer.errors import ResourceError


@pytest.fixture(scope="module")
def aspects() -> Aspects:
    return load_aspects(RESOURCES)


def write_aspects(folder: Path, content: str) -> Path:
    (folder / "lexicon").mkdir()
    (folder / "lexicon" / "aspects.toml").write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "question",
    [
        "面肌痉挛怎么治",
        "偏头痛能治好吗",
        "湿疹如何治",
        "失眠咋治啊",
        "面瘫治得好吗",
        "鼻炎可以治愈吗",
        "头晕怎么办",
        "眼皮跳怎么消除",
        "打喷嚏怎样治最快",
        "咳嗽有什么办法",
        "便秘有哪些方法能好",
        "高血压的治疗",
    ],
)
def test_a_question_about_treatment_is_known_as_one(aspects: Aspects, question: str) -> None:
    assert "治疗" in find_aspects(aspects, question)


@pytest.mark.parametrize(
    "question",
    [
        "面肌痉挛",
        "偏头痛是什么原因",
        "政治学怎么学",
        "治安怎么样",
        "这位政治家得了什么病",
        "湿疹会传染吗",
        "怎么预防感冒",
    ],
)
def test_a_question_about_something_else_is_not(aspects: Aspects, question: str) -> None:
    assert find_aspects(aspects, question) == ()


@pytest.mark.parametrize("question", ["政治好难", "法治好不好", "小区好治安", "怎么办理慢性病证", "怎么弄脏了"])
def test_a_word_that_only_looks_like_treatment_is_not_taken_for_it(aspects: Aspects, question: str) -> None:
    assert find_aspects(aspects, question) == ()


@pytest.mark.parametrize("question", ["偏头痛怎样根治", "湿疹如何医治", "失眠怎么调理", "流感怎么防治"])
def test_other_ways_to_ask_for_treatment_are_known(aspects: Aspects, question: str) -> None:
    assert "治疗" in find_aspects(aspects, question)


def test_all_aspects_of_a_question_are_found_in_the_order_of_the_file() -> None:
    aspects = {"症状": (re.compile("反应"),), "病因": (re.compile("为什么"), re.compile("怎么得的"))}
    assert find_aspects(aspects, "怎么得的，有哪些反应") == ("症状", "病因")
    assert find_aspects(aspects, "有哪些反应") == ("症状",)
    assert find_aspects(aspects, "病因是哪些") == ("病因",)  # by its own name
    assert find_aspects(aspects, "要花多少钱") == ()


@pytest.mark.parametrize(
    "content", ['["治疗"]\npatterns = ["怎么(治"]\n', '["治疗"]\nwords = ["怎么治"]\n', "治疗 = 1\n"]
)
def test_a_file_that_cannot_be_used_is_named_in_the_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(ResourceError, match=r"aspects\.toml"):
        load_aspects(write_aspects(tmp_path, content))


def test_a_single_pattern_without_its_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"aspects\.toml"):
        load_aspects(write_aspects(tmp_path, '["治疗"]\npatterns = "怎么治"\n'))
