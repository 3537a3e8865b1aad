"""Aspects: what a question asks of an illness, a drug, an examination; several, one, or none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from builders import RESOURCES

from indexer.analysis.analyzer import Analyzer
from indexer.analysis.aspects import ASPECTS, MODEL, load_aspects
from indexer.errors import ResourceError

QUERIES = Path(__file__).parents[2] / "shared" / "eval" / "query_aspects" / "queries.jsonl"
#: labels of a public set -> our aspects (docs/quality.md)
TABLE: dict[str, set[str | None]] = {
    "病情诊断": {"诊断"},
    "病因分析": {"病因"},
    "治疗方案": {"治疗"},
    "就医建议": {"就医"},
    "指标解读": {"检查"},
    "疾病表述": {"症状"},
    "后果表述": {"预后"},
    "注意事项": {"护理", "饮食", "预防"},
    "功效作用": {"用药"},
    "医疗费用": {"费用"},
    "其他": {None},
}


@pytest.mark.parametrize(
    ("question", "main"),
    [
        ("面肌痉挛怎么治", "治疗"),
        ("头晕恶心怎么办", "治疗"),
        ("面肌痉挛是怎么引起的", "病因"),
        ("胃癌早期有哪些症状", "症状"),
        ("糖尿病能吃西瓜吗", "饮食"),
        ("怎么预防中风", "预防"),
        ("剖腹产后要注意什么", "护理"),
        ("阿莫西林有什么作用", "用药"),
        ("高血压挂什么科", "就医"),
        ("胃镜检查多少钱", "费用"),
        ("手淫会不会影响生育", "预后"),
        ("转氨酶偏高120是什么意思", "检查"),
    ],
)
def test_the_main_aspect_comes_first(analyzer: Analyzer, question: str, main: str) -> None:
    assert analyzer.question_terms(question).aspects[0] == main


@pytest.mark.parametrize(
    ("question", "aspects"),
    [
        ("感冒吃什么药好", {"治疗", "用药"}),
        ("胆结石的症状和治疗", {"症状", "治疗"}),
        ("痛风饮食注意什么要花多少钱", {"饮食", "费用"}),
    ],
)
def test_several_aspects_may_be_asked_for(analyzer: Analyzer, question: str, aspects: set[str]) -> None:
    assert aspects <= set(analyzer.question_terms(question).aspects) <= set(ASPECTS)


@pytest.mark.parametrize("question", ["今天天气怎么样", "172的身高还能长高多少", "宝宝多大可以坐飞机"])
def test_none_is_an_answer(analyzer: Analyzer, question: str) -> None:
    assert analyzer.question_terms(question).aspects == ()


@pytest.mark.skipif(not QUERIES.is_file(), reason="labelled questions (../shared/eval) are no part of a user's clone")
def test_main_aspects_agree_with_labelled_questions(analyzer: Analyzer) -> None:
    labelled = [json.loads(line) for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    right = 0
    for record in labelled:
        aspects = analyzer.question_terms(record["text"]).aspects
        right += (aspects[0] if aspects else None) in TABLE[record["intent"]]
    assert right >= 0.75 * len(labelled)


def copied(folder: Path) -> Path:
    return shutil.copytree(RESOURCES, folder / "resources")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("together = []\n[features]\na = '('\n[also]\n", "正则表达式"),
        ("together = []\n[features]\na = 'x'\n[also]\n'价钱' = 'x'\n", "“价钱”未知"),
        ("[features]\na = 'x'\n", "缺少一项"),
        ("together = [['a']]\n[features]\na = 'x'\n[also]\n", "缺少一项"),
    ],
)
def test_rules_that_cannot_be_used_are_named(tmp_path: Path, content: str, reason: str) -> None:
    resources = copied(tmp_path)
    (resources / "lexicon" / "aspects.toml").write_text(content, encoding="utf-8")
    with pytest.raises(ResourceError, match=reason):
        load_aspects(resources)


def test_a_model_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    resources = copied(tmp_path)
    (resources / MODEL).write_bytes(b"PK no zip")
    with pytest.raises(ResourceError, match=r"aspects\.npz"):
        load_aspects(resources)
    np.savez(resources / MODEL, classes=np.array(["治疗"]))
    with pytest.raises(ResourceError, match="与程序不符"):
        load_aspects(resources)
    (resources / MODEL).unlink()
    with pytest.raises(ResourceError, match="无法读取"):
        load_aspects(resources)
