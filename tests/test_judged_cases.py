"""What analysts say of answers, as it is kept: ids of questions, grades, their history, what is refused."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import RefusedDecision
from indexer.store import judged_cases
from indexer.store.audit_log import read_acts
from indexer.store.judged_cases import (
    NewGrades,
    case_id,
    drop_case,
    find_judged_case,
    is_judgeable,
    list_judged_cases,
    save_grades,
)

QUESTION = "面肌痉挛怎么治"


@pytest.mark.parametrize("written", ["面肌痉挛怎么治？", " 面肌痉挛 怎么治!! ", "面肌痙攣怎麼治", "面肌痉挛怎么治　"])
def test_a_question_has_one_id_however_it_is_written(written: str) -> None:
    assert case_id(written) == case_id(QUESTION) == "case-c228fa830a40"
    assert case_id("面肌痉挛能治好吗") != case_id(QUESTION)


@given(st.text(max_size=60))
def test_an_id_fits_into_every_file(text: str) -> None:
    assert re.fullmatch("case-[0-9a-f]{12}", case_id(text))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_only_such_answers_are_judged_as_a_column_can_name(id_: str) -> None:
    line = f"q\t0\t{id_}\t1"
    if is_judgeable(id_):
        assert line.split() == ["q", "0", id_, "1"] and line.splitlines() == [line]


def test_grades_are_kept_with_the_question(tmp_path: Path) -> None:
    new = NewGrades(" 面肌痉挛\t怎么治 ", {"a": 3, "b": 0}, "等了很久", "面肌痉挛", ("治疗", "用药"))
    case = save_grades(tmp_path, new, "fenxi")
    assert case == find_judged_case(tmp_path, case.id) == list_judged_cases(tmp_path)[0]
    assert (case.question, case.note, case.topic, case.aspects) == (
        "面肌痉挛 怎么治",
        "等了很久",
        "面肌痉挛",
        ("治疗", "用药"),
    )
    assert [(each.answer, each.label, each.owner) for each in case.grades] == [
        ("a", "完全回答", "fenxi"),
        ("b", "无关", "fenxi"),
    ]
    assert case.is_measured and case.revision == 1


def test_what_is_not_named_stays_and_who_judged_it_too(tmp_path: Path) -> None:
    save_grades(tmp_path, NewGrades(QUESTION, {"a": 3, "b": 1}, "备注"), "fenxi")
    case = save_grades(tmp_path, NewGrades(QUESTION, {"a": 3, "c": 2}), "bianji")
    assert [(each.answer, each.owner) for each in case.grades] == [("a", "fenxi"), ("c", "bianji"), ("b", "fenxi")]
    assert (case.note, case.made_by, case.changed_by, case.revision) == ("备注", "fenxi", "bianji", 2)
    assert [act.detail for act in read_acts(tmp_path)] == [
        "“面肌痉挛怎么治”：c 未评→部分回答",
        "“面肌痉挛怎么治”：a 未评→完全回答；b 未评→有关；备注“”改为“备注”",
    ]


def test_saying_the_same_again_changes_nothing(tmp_path: Path) -> None:
    before = save_grades(tmp_path, NewGrades(QUESTION, {"a": 3}), "fenxi")
    assert save_grades(tmp_path, NewGrades(QUESTION, {"a": 3}, ""), "bianji") == before
    assert len(read_acts(tmp_path)) == 1


def test_two_who_judge_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    def judge(number: int) -> str:
        try:
            save_grades(tmp_path, NewGrades(QUESTION, {f"a{number}": 1}, seen_revision=0), f"fenxi{number}")
        except RefusedDecision as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(judge, range(8)))
    assert told.count("") == 1 and all("别人刚刚改过" in each for each in told if each)
    assert len(list_judged_cases(tmp_path)[0].grades) == 1


def test_a_case_is_dropped_with_a_reason_and_its_grades_are_logged(tmp_path: Path) -> None:
    case = save_grades(tmp_path, NewGrades(QUESTION, {"a": 3}), "fenxi")
    with pytest.raises(RefusedDecision, match="原因"):
        drop_case(tmp_path, case.id, "bianji", " ")
    drop_case(tmp_path, case.id, "bianji", "重复")
    assert list_judged_cases(tmp_path) == [] and find_judged_case(tmp_path, case.id) is None
    assert read_acts(tmp_path)[0].detail == "“面肌痉挛怎么治”；原因：重复；评级：a 完全回答"
    with pytest.raises(RefusedDecision, match="没有编号为"):
        drop_case(tmp_path, case.id, "bianji", "再删")
    assert save_grades(tmp_path, NewGrades(QUESTION, {"b": 1}), "fenxi").by_answer == {"b": 1}


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (NewGrades("？！", {"a": 1}), "没有文字"),
        (NewGrades("问" * 201, {"a": 1}), "问题太长"),
        (NewGrades(QUESTION, {}), "至少给一条"),
        (NewGrades(QUESTION, {"a": None}), "至少给一条"),
        (NewGrades(QUESTION, {"a": 4}), "0 到 3"),
        (NewGrades(QUESTION, {"a b": 1}), "不能有空白"),
        (NewGrades(QUESTION, {"a\x00": 1}), "不能用于评判"),
        (NewGrades(QUESTION, {"x" * 201: 1}), "最多 200"),
        (NewGrades(QUESTION, {"a": 1}, "长" * 501), "备注太长"),
        (NewGrades(QUESTION, {"a": 1}, seen_revision=3), "别人刚刚改过"),
        (NewGrades(QUESTION, {f"a{n}": 0 for n in range(201)}), "最多评 200 条"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(tmp_path: Path, new: NewGrades, told: str) -> None:
    with pytest.raises(RefusedDecision, match=told):
        save_grades(tmp_path, new, "fenxi")
    assert list_judged_cases(tmp_path) == [] and read_acts(tmp_path) == []


def test_the_last_grade_is_not_taken_back(tmp_path: Path) -> None:
    save_grades(tmp_path, NewGrades(QUESTION, {"a": 3}), "fenxi")
    with pytest.raises(RefusedDecision, match="至少留一条"):
        save_grades(tmp_path, NewGrades(QUESTION, {"a": None}), "fenxi")
    assert list_judged_cases(tmp_path)[0].by_answer == {"a": 3}


def test_there_are_only_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged_cases, "MAX_CASES", 2)
    for number in range(2):
        save_grades(tmp_path, NewGrades(f"第{number}个问题", {"a": 1}), "fenxi")
    with pytest.raises(RefusedDecision, match="已有 2 个"):
        save_grades(tmp_path, NewGrades("又一个问题", {"a": 1}), "fenxi")
    save_grades(tmp_path, NewGrades("第1个问题", {"b": 1}), "fenxi")
