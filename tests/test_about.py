"""What an answer is about: entities, aspects and people of its question, and of its headings."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from builders import RESOURCES, make_answer
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis.about import MAX_ENTITIES, About, about
from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.aspects import ASPECTS
from indexer.records import Kind, QualityFact
from indexer.store.answer_facts import (
    ANSWER_FACTS,
    answer_facts,
    aspect_bits,
    aspects_of,
    has_flaw,
    is_kind,
    name_key,
    population_bits,
)
from indexer.verdicts import Flaw


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return load_analyzer(RESOURCES)


def test_a_question_names_entity_under_any_name_aspect_and_people(analyzer: Analyzer) -> None:
    found = about(make_answer("a", "孕妇半面痉挛怎么治疗", "看医生。"), analyzer)
    assert found.entities[0] == "面肌痉挛"
    assert "治疗" in found.aspects
    assert found.populations == ("孕妇",)


def test_headings_name_further_aspects_and_sentences_do_not(analyzer: Analyzer) -> None:
    text = "湿疹是皮肤病。\n一、湿疹的症状\n很痒。\n二、日常护理\n多涂润肤霜，原因要去医院查。"
    found = about(make_answer("a", "湿疹是什么", text), analyzer)
    assert {"症状", "护理"} <= set(found.aspects)
    assert "病因" not in found.aspects


def test_without_a_question_the_first_sentence_counts_and_then_the_topic(analyzer: Analyzer) -> None:
    answer = make_answer(
        "a", "", "偏头痛多在一侧。高血压患者另当别论，需要先控制好血压再谈其他的用药方案和生活方式调整。", topic="头晕"
    )
    found = about(answer, analyzer)
    assert found.entities == ("偏头痛", "头晕")


def test_a_text_that_says_nothing_is_about_nothing(analyzer: Analyzer) -> None:
    assert about(make_answer("a", "", "好的，谢谢。"), analyzer) == About((), (), ())


@given(st.lists(st.sampled_from(ASPECTS)))
def test_bits_hold_the_aspects_in_the_order_in_which_they_are_told(aspects: list[str]) -> None:
    assert aspects_of(aspect_bits(aspects)) == tuple(each for each in ASPECTS if each in aspects)


def test_a_row_holds_what_ranking_compares() -> None:
    answer = make_answer(
        "a", "问", "答", author="甲", date="2024-02-03", kind=Kind.QA_EXCERPT, quality=(QualityFact(Flaw.SPUN, "词"),)
    )
    [row] = np.frombuffer(answer_facts(answer, About(("失眠",), ("治疗", "病因"), ("老人",))), ANSWER_FACTS)
    assert row["entities"].tolist() == [name_key("失眠"), *[0] * (MAX_ENTITIES - 1)]
    assert aspects_of(int(row["aspects"])) == ("病因", "治疗")
    assert int(row["populations"]) == population_bits(["老人"]) != 0
    assert date.fromordinal(int(row["date"])) == date(2024, 2, 3)
    assert bool(row["has_author"])
    rows = np.array([row])
    assert has_flaw(rows, [Flaw.SPUN]).tolist() == [True]
    assert has_flaw(rows, [Flaw.CUT_OFF, Flaw.COPY]).tolist() == [False]
    assert is_kind(rows, Kind.QA_EXCERPT).tolist() == [True]
    assert is_kind(rows, Kind.ARTICLE).tolist() == [False]


@pytest.mark.parametrize("written", [None, "", "不详", "2024", "2024-13-40"])
def test_an_unknown_date_is_no_day(written: str | None) -> None:
    [row] = np.frombuffer(answer_facts(make_answer("a", "", "答", date=written), About((), (), ())), ANSWER_FACTS)
    assert row["date"] == 0


def test_answers_of_one_page_have_one_key_and_records_each_their_own() -> None:
    nothing = About((), (), ())

    def page(path: str) -> int:
        return int(np.frombuffer(answer_facts(make_answer("a", "", "答", page=path), nothing), ANSWER_FACTS)[0]["page"])

    assert page("a.html") == page("a.html") != page("b.html")
    assert page("a.jsonl:1") != page("a.jsonl:2")
