"""Passages and direct answers: letter by letter, whole sentences, and none rather than a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from builders import RESOURCES, make_answer
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.analyzer import QuestionTerms, WeightedTerms
from indexer.answer.direct import DirectRules, Offer, direct_answer
from indexer.answer.passages import Wanted, best_passage, load_passage_rules
from indexer.errors import ResourceError
from indexer.records import Kind, QualityFact
from indexer.verdicts import Flaw

RULES = load_passage_rules(RESOURCES)
SPASM = (Wanted(3.0, ("面肌痉挛", "面肌抽搐")), Wanted(1.0, ("治",)))
TREATMENT = "面肌痉挛的治疗有口服药、打针和手术三种。"


def passage(
    text: str, title: str = "", aspects: tuple[str, ...] = ("治疗",), wanted: tuple[Wanted, ...] = SPASM
) -> str | None:
    found = best_passage(text, title, wanted, aspects, RULES)
    return text[found.start : found.end] if found else None


@given(st.text("面肌痉挛治疗手术药。！？\n但您好1片，：", max_size=80), st.text("面肌痉挛治", max_size=8))
def test_a_passage_is_a_slice_of_whole_sentences(text: str, title: str) -> None:
    found = best_passage(text, title, SPASM, ("治疗",), RULES)
    if found:
        quoted = text[found.start : found.end]
        assert quoted == quoted.strip()
        assert quoted[-1] in "。！？"
        before = text[: found.start].rstrip(" \n")
        assert not before or text[found.start - 1] in "\n。！？" or before[-1] in "。！？，：好"


def test_the_sentence_that_answers_is_chosen() -> None:
    assert passage("天气冷了要注意保暖防风寒。" + TREATMENT + "平时不要熬夜太多喝浓茶。") == TREATMENT


def test_a_greeting_is_left_out() -> None:
    assert passage("您好，" + TREATMENT) == TREATMENT


def test_a_sentence_that_leans_on_another_never_opens_a_passage() -> None:
    assert passage("但" + TREATMENT) is None
    assert passage("其次，" + TREATMENT) is None


def test_a_dose_never_stands_without_what_the_next_sentence_takes_back() -> None:
    dose = "治面肌痉挛可口服卡马西平每次100毫克。"
    quoted = passage(dose + "孕妇禁用这种药。")
    assert quoted is None or "孕妇禁用" in quoted
    assert passage(dose) == dose


def test_a_text_that_breaks_off_is_not_quoted() -> None:
    assert passage(TREATMENT[:-1]) is None


def test_what_the_question_says_the_sentence_need_not_repeat() -> None:
    text = "多数人先吃药，不行再打针，最后才考虑手术治疗。"
    assert passage(text, "面肌痉挛怎么治") == text
    assert passage("今天是个好天气适合出门走走看看。", "") is None


@pytest.mark.parametrize(
    ("written", "told"), [('greeting = "("\n', "正则"), ("max_chars = 3\n", "缺少"), ("not toml", "TOML")]
)
def test_broken_rules_are_refused_with_their_file(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon" / "passages.toml").write_text(written, encoding="utf-8")
    with pytest.raises(ResourceError, match=rf"passages\.toml.*{told}"):
        load_passage_rules(tmp_path)


NOTHING: Mapping[str, float] = {}
ASKED = QuestionTerms(
    text="面肌痉挛怎么治",
    weights=(1.0,) * 7,
    mentions=(),
    terms=WeightedTerms(NOTHING, NOTHING, NOTHING),
    content_words=("面肌痉挛", "治"),
    entity="面肌痉挛",
    confusable=(),
    is_medical=True,
    aspects=("治疗",),
    populations=(),
    sides=(),
    duration=None,
)
OFFER = Offer(
    answer=make_answer("a", "面肌痉挛怎么治疗", TREATMENT, kind=Kind.DOCTOR_ANSWER),
    score=0.99,
    is_about_entity=True,
    aspects=frozenset({"治疗"}),
    populations=True,
)
DIRECT = DirectRules(min_score=0.9, same_question=0.8, sure_score=0.96, min_known=0.7, passages=RULES)


def quoted(offer: Offer, asked: QuestionTerms = ASKED) -> str | None:
    words = {"面肌痉挛": 3.0, "治": 1.0}
    found = direct_answer(asked, words, lambda weights: weights, [offer], DIRECT)
    return found.text if found else None


def test_an_answer_to_the_same_question_is_quoted_letter_by_letter() -> None:
    assert quoted(OFFER) == TREATMENT
    assert quoted(OFFER) in OFFER.answer.text  # type: ignore[operator]


@pytest.mark.parametrize(
    "offer",
    [
        replace(OFFER, is_about_entity=False),
        replace(OFFER, populations=False),
        replace(OFFER, score=0.5),
        replace(OFFER, aspects=frozenset({"病因"})),
        replace(OFFER, answer=replace(OFFER.answer, kind=Kind.READER_REPLY)),
        *(
            replace(OFFER, answer=replace(OFFER.answer, quality=(QualityFact(flaw, ""),)))
            for flaw in (Flaw.CUT_OFF, Flaw.MASKED, Flaw.SPUN, Flaw.CURE_PROMISE, Flaw.STOCK_ANSWER)
        ),
    ],
)
def test_none_is_quoted_where_anything_is_wrong_with_it(offer: Offer) -> None:
    assert quoted(offer) is None


def test_a_name_alone_and_a_question_without_one_get_no_direct_answer() -> None:
    assert quoted(OFFER, replace(ASKED, entity=None)) is None
    assert quoted(OFFER, replace(ASKED, content_words=("面肌痉挛",), aspects=())) is None
