"""What analysts judged stands guard over new generations: answers that sink, and answers that are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_data, built, make_answer
from store_builders import spasm_answers

from indexer.quality_gate import gate
from indexer.quality_gate.analyst_cases import with_cases
from indexer.quality_gate.difference import compare_generations, lines_of
from indexer.quality_gate.evaluate import JudgedQuery
from indexer.quality_gate.questions import Questions
from indexer.store import generations
from indexer.store.judged_cases import NewGrades, case_id, list_judged_cases, save_grades
from indexer.store.take_downs import take_down

QUESTION = "偏头痛发作时怎么办"
GOOD = make_answer("good", "偏头痛发作时怎么办", "在安静、暗一些的房间里休息，按医嘱尽早用止痛药。")
FAIR = make_answer("fair", "偏头痛发作时能喝咖啡吗", "偏头痛发作时咖啡要少喝，每天差不多的量。")
POOR = make_answer("poor", "偏头痛是什么", "偏头痛多是一侧搏动样的头痛，怕光怕吵。")
OTHERS = [FAIR, POOR, *spasm_answers(12)]
#: the same answer, of which a cleaning gone wrong has left something else
SUNK = make_answer("good", "本院地址", "乘三路公共汽车到终点站下车。")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data directory with one generation, in which the judged answer stands first."""
    build_data(tmp_path, [GOOD, *OTHERS])
    save_grades(tmp_path / "data", NewGrades(QUESTION, {"good": 3, "fair": 1, "poor": 0}), "fenxi")
    return tmp_path


def checks_of(folder: Path, name: str) -> dict[str, dict[str, object]]:
    found = gate.read(folder / "data", name)
    assert found is not None
    return {check["name"]: check for check in found["checks"]}


def test_a_generation_in_which_a_judged_answer_sinks_is_stopped(folder: Path) -> None:
    report = built(folder, [SUNK, *OTHERS])
    [objection] = report.manifest.objections
    assert objection.startswith("分析员评判的 1 个问题明显变差") and f"“{QUESTION}”从 1.000 变为" in objection
    assert generations.current(folder / "data") == "gen-000001"
    checks = checks_of(folder, report.manifest.generation)
    assert checks["analyst_cases"]["before"] == 1.0 and checks["analyst_answers"]["passed"]


def test_a_generation_that_answers_as_well_is_served(folder: Path) -> None:
    report = built(folder, [GOOD, *OTHERS, make_answer("new", "偏头痛发作时怎么办才好", "先休息，再吃药。")])
    assert report.manifest.objections == [] and generations.current(folder / "data") == "gen-000002"
    assert checks_of(folder, "gen-000002")["analyst_cases"]["passed"]


def test_an_answer_that_is_gone_is_told_and_not_taken_for_a_bad_ranking(folder: Path) -> None:
    report = built(folder, OTHERS)
    [objection] = report.manifest.objections
    assert objection.startswith(f"判过的答案不在了：“{QUESTION}”的 good。因此 nDCG@10 从 1.000 变为")
    ranks = checks_of(folder, report.manifest.generation)["analyst_cases"]
    assert ranks["passed"] and ranks["before"] == ranks["after"] == 1.0


def test_a_small_loss_is_told_and_stops_nothing(folder: Path) -> None:
    save_grades(folder / "data", NewGrades("偏头痛是什么", {"poor": 3}), "fenxi")
    report = built(folder, [GOOD, *OTHERS[1:]])
    assert report.manifest.objections == []
    lost = checks_of(folder, "gen-000002")["analyst_answers"]
    assert lost["passed"] and lost["after"] == 1 and str(lost["sentence"]) == f"判过的答案不在了：“{QUESTION}”的 fair。"


def test_what_was_gone_before_is_told_again_and_stops_nothing(folder: Path) -> None:
    refused = built(folder, OTHERS)
    generations.switch_to(folder / "data", refused.manifest.generation, "原网页已删")
    report = built(folder, [*OTHERS, make_answer("new", "咳嗽怎么办", "多喝温水。")])
    assert report.manifest.objections == []
    assert "“偏头痛发作时怎么办”的 good" in str(checks_of(folder, "gen-000003")["analyst_answers"]["sentence"])


@pytest.mark.parametrize("key", ["good", "https://ya.example/1.html"])
def test_what_was_taken_down_is_no_loss(tmp_path: Path, key: str) -> None:
    good = make_answer("good", GOOD.question, GOOD.text, url="https://ya.example/1.html")
    build_data(tmp_path, [good, *OTHERS])
    save_grades(tmp_path / "data", NewGrades(QUESTION, {"good": 3, "fair": 1}), "fenxi")
    take_down(tmp_path / "data", key, "转载未获同意")
    report = built(tmp_path, [good, *OTHERS])
    assert report.manifest.objections == []
    assert checks_of(tmp_path, "gen-000002")["analyst_answers"]["sentence"] == "分析员判过的答案都在。"


def test_a_case_in_which_nothing_helps_is_not_measured(tmp_path: Path) -> None:
    build_data(tmp_path, [GOOD, *OTHERS])
    save_grades(tmp_path / "data", NewGrades("头痛能开车吗", {"good": 0}), "fenxi")
    built(tmp_path, [GOOD, *OTHERS])
    assert not {"analyst_cases", "analyst_answers"} & checks_of(tmp_path, "gen-000002").keys()


def test_previews_ask_what_analysts_judged_beside_the_corpus_own(folder: Path) -> None:
    of_corpus = Questions((JudgedQuery("q1", "牙痛怎么办"),), {"q1": {"x": 1}}, "judgements")
    found = with_cases(of_corpus, list_judged_cases(folder / "data"))
    assert [query.id for query in found.judged(10)] == ["q1", case_id(QUESTION)] and found.source == "judgements"
    assert found.qrels == {"q1": {"x": 1}, case_id(QUESTION): {"good": 3, "fair": 1, "poor": 0}}
    assert with_cases(Questions(), []) == Questions()


def test_a_comparison_lists_what_analysts_judged(folder: Path) -> None:
    built(folder, [SUNK, *OTHERS])
    found = compare_generations(folder / "data", "gen-000002")
    assert [one.fact.id for one in found.worse] == [case_id(QUESTION)]
    assert found.report.as_dict()["questions"]["cases"] == 1
    assert any("其中分析员评判的 1 个" in line for line in lines_of(found))
