"""What is kept of an editor's rule, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexer import list_rules, read_acts
from indexer.errors import RefusedDecision
from indexer.store.curation import (
    MAX_OPEN_RULES,
    Action,
    NewRule,
    add_rule,
    end_rule,
    extend_rule,
    question_key,
    rule_from,
    utc_day,
)

ASKED = "面肌痉挛怎么治"


def rule(data: Path, action: str, answer: str, query: str = ASKED, **more: str) -> int:
    new = NewRule(Action(action), answer, "理由", query=query, **more)
    return add_rule(data, new, "bianji").number


def test_rules_are_kept_with_their_story_and_logged(tmp_path: Path) -> None:
    number = rule(tmp_path, "pin", "a1", entity="面肌痉挛", query="")
    until = (date.fromisoformat(utc_day()) + timedelta(days=180)).isoformat()
    assert [(each.number, each.owner, each.expires, each.ended) for each in list_rules(tmp_path)] == [
        (number, "bianji", until, "")
    ]
    later = (date.fromisoformat(utc_day()) + timedelta(days=700)).isoformat()
    assert extend_rule(tmp_path, number, later, "guanli").expires == later
    ended = end_rule(tmp_path, number, "guanli", "过时")
    assert (ended.ended_by, ended.ended_why, bool(ended.ended)) == ("guanli", "过时", True)
    with pytest.raises(RefusedDecision, match="已由 guanli 结束"):
        extend_rule(tmp_path, number, later, "guanli")
    with pytest.raises(RefusedDecision, match="已由 guanli 结束"):
        end_rule(tmp_path, number, "guanli", "过时")
    acts = [(act.actor, act.action, act.object) for act in read_acts(tmp_path)]
    assert acts == [
        ("guanli", "结束编辑规则", f"规则 {number}"),
        ("guanli", "改编辑规则的有效期", f"规则 {number}"),
        ("bianji", "添加编辑规则", f"规则 {number}"),
    ]
    assert "有效期" in read_acts(tmp_path)[1].detail and "面肌痉挛" in read_acts(tmp_path)[2].detail


GOOD = NewRule(Action.PIN, "a1", "理由", query="面肌痉挛怎么治")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"query": ""}, "两者只写一样"),
        ({"entity": "面肌痉挛"}, "两者只写一样"),
        ({"query": "？！"}, "没有文字"),
        ({"query": "长" * 201}, "问题太长"),
        ({"aspect": "治疗"}, "才能限定方面"),
        ({"query": "", "entity": "面肌痉挛", "aspect": "星座"}, "没有“星座”"),
        ({"query": "", "entity": "长" * 41}, "名称太长"),
        ({"answer": " "}, "请写明答案的编号"),
        ({"answer": "a" * 501}, "编号太长"),
        ({"replacement": "a2"}, "置顶和隐藏不用写"),
        ({"action": Action.REPLACE}, "替换要写明"),
        ({"action": Action.REPLACE, "replacement": "a1"}, "同一条"),
        ({"reason": " "}, "请写明原因"),
        ({"reason": "长" * 501}, "原因太长"),
        ({"expires": "明天"}, "这样的日期"),
        ({"expires": "2001-01-01"}, "两年之内"),
        ({"expires": "9999-12-31"}, "两年之内"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    rule_from(GOOD)
    with pytest.raises(RefusedDecision, match=sentence):
        add_rule(tmp_path, replace(GOOD, **change), "bianji")
    assert list_rules(tmp_path) == [] == read_acts(tmp_path)


def test_a_second_rule_about_the_same_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    number = rule(tmp_path, "pin", "a1")
    for action, asked in (("pin", "面肌痉挛怎么治？"), ("hide", ASKED)):
        with pytest.raises(RefusedDecision, match=f"{number} 号，置顶 a1"):
            rule(tmp_path, action, "a1", query=asked)
    end_rule(tmp_path, number, "bianji", "改为隐藏")
    assert rule(tmp_path, "hide", "a1") == number + 1


def test_there_are_not_more_rules_than_editors_can_look_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_OPEN_RULES >= 100
    monkeypatch.setattr("indexer.store.curation.MAX_OPEN_RULES", 2)
    for answer in ("a1", "a2"):
        rule(tmp_path, "pin", answer)
    with pytest.raises(RefusedDecision, match="最多 2 条"):
        rule(tmp_path, "pin", "a3")


@pytest.mark.parametrize("number", [0, 99, 2**70])
def test_a_rule_that_is_not_there_is_a_sentence(tmp_path: Path, number: int) -> None:
    with pytest.raises(RefusedDecision, match="没有"):
        end_rule(tmp_path, number, "bianji", "过时")


def test_what_makes_questions_the_same() -> None:
    assert question_key("面肌 痉挛怎么治？ 。") == "面肌痉挛怎么治" == question_key("面肌痉挛怎么治")
    assert question_key("维生素 c") != question_key("维生素 d")
    assert question_key("？") == ""
