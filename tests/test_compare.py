"""`yiwen compare`: what two generations differ in, for people and as JSON; switching to a refused one on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import RESOURCES, build_data, make_answer, record_of, write_jsonl
from store_builders import spasm_answers

from indexer.build import build_generation
from indexer.errors import GenerationMissing
from indexer.quality_gate.bounds import read_bounds
from indexer.quality_gate.difference import difference, marked_change
from indexer.quality_gate.questions import Questions
from indexer.settings import Settings
from indexer.store.generations import current
from webapp.cli import main

Run = Callable[..., tuple[int, str, str]]

ANSWERS = [
    make_answer("keep", "偏头痛怎么办", "在安静、暗一些的房间里休息，按医嘱用止痛药。", site="a.example"),
    make_answer("gone", "胃痛怎么办", "少食多餐，避开辛辣，疼得厉害时去看医生。", site="b.example"),
    make_answer("changed", "失眠怎么办", "按时起床，睡前不看手机，少喝咖啡和浓茶。", site="a.example"),
]
AFTER = [
    ANSWERS[0],
    make_answer("changed", "失眠怎么办", "按时起床，睡前不看电视，少喝咖啡和浓茶。", site="a.example"),
    make_answer("new", "咳嗽怎么办", "多喝温水，咳血或者气短时马上去医院。", site="c.example"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generations, the second one of other answers, and enough judged questions to compare."""
    folder = tmp_path_factory.mktemp("compare")
    queries = [{"id": f"q{n}", "text": f"面肌痉挛跳了 {n} 个月怎么办"} for n in range(18)]
    queries += [
        {"id": "lost", "text": "胃痛怎么办"},
        {"id": "won", "text": "咳嗽怎么办"},
        {"id": "same", "text": "偏头痛怎么办"},
    ]
    write_jsonl(folder / "corpus" / "judgements" / "queries.jsonl", queries)
    grades = {**{f"q{n}": f"s{n}" for n in range(18)}, "lost": "gone", "won": "new", "same": "keep"}
    lines = "".join(f"{query} 0 {answer} 2\n" for query, answer in grades.items())
    (folder / "corpus" / "judgements" / "qrels.tsv").write_text(lines, encoding="utf-8")
    for answers in (ANSWERS, AFTER):
        records = map(record_of, [*answers, *spasm_answers(20)])
        write_jsonl(folder / "corpus" / "raw" / "records.jsonl", records)
        build_generation(folder / "corpus", folder / "data")
    assert current(folder / "data") == "gen-000002"
    return folder / "data"


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on the data directory: exit status, standard output, standard error."""
    monkeypatch.chdir(data.parent)

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([*arguments, "--data", str(data)])
        return status, *capsys.readouterr()

    return command


def compared(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, err = run("compare", *arguments, "--json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_everything_that_differs_is_told(run: Run) -> None:
    found = compared(run, "gen-000002")
    assert (found["before"], found["after"]) == ("gen-000001", "gen-000002")
    assert {one["site"]: (one["answers_before"], one["answers_after"]) for one in found["sites"]} == {
        "b.example": (1, 0),
        "c.example": (0, 1),
    }
    assert found["pages_lost"] == {"count": 1, "examples": ["records.jsonl:gone"]}
    assert found["pages_gained"] == {"count": 1, "examples": ["records.jsonl:new"]}
    assert [one["id"] for one in found["added"]["examples"]] == ["new"]
    assert [one["id"] for one in found["removed"]["examples"]] == ["gone"]
    [changed] = found["text_changed"]["examples"]
    assert changed["id"] == "changed" and "手机" in changed["before"] and "电视" in changed["after"]


def test_judged_questions_stand_side_by_side_with_their_first_answers(run: Run) -> None:
    found = compared(run, "gen-000002")
    [worse], [better] = found["worse"], found["better"]
    assert (
        worse["fact"]["text"] == "胃痛怎么办" and worse["fact"]["ndcg_before"] == 1 and worse["fact"]["ndcg_after"] == 0
    )
    assert worse["first_before"][0] == "胃痛怎么办" and "胃痛怎么办" not in worse["first_after"]
    assert better["fact"]["text"] == "咳嗽怎么办" and better["first_after"][0] == "咳嗽怎么办"
    assert (worse["fact"]["lost"], better["fact"]["lost"]) == (1, 0)
    assert found["report"]["questions"]["judged"] == 21
    [judged] = [check for check in found["report"]["checks"] if check["name"] == "judged"]
    assert "有 1 个是因为相关的答案不在新一代里" in judged["sentence"]


def test_the_report_is_as_the_build_stored_it(run: Run, data: Path) -> None:
    stored = json.loads((data / "generations" / "gen-000002" / "gate.json").read_text(encoding="utf-8"))
    found = compared(run, "gen-000002")["report"]
    names = [check["name"] for check in stored["checks"]]
    assert names == [check["name"] for check in found["checks"]]
    still = [name for name in names if name != "latency"]
    for one in (stored, found):
        one["checks"] = [check for check in one["checks"] if check["name"] in still]
    assert found == stored


def test_the_other_way_round_is_the_opposite_and_no_clock_went_back(run: Run) -> None:
    found = compared(run, "gen-000001", "gen-000002")
    assert [one["id"] for one in found["added"]["examples"]] == ["gone"]
    assert found["better"][0]["fact"]["text"] == "胃痛怎么办"
    assert "clock" not in {check["name"] for check in found["report"]["checks"]}


def test_for_people_changes_are_marked(run: Run) -> None:
    status, out, _ = run("compare", "gen-000002")
    assert status == 0
    for line in (
        "从 gen-000001 到 gen-000002",
        "  b.example：1 → 0；1 → 0",
        "网页：多出 1 个，减少 1 个。",
        "  - records.jsonl:gone",
        "答案：多出 1 条，减少 1 条，改动 1 条。",
        "  * changed 失眠怎么办（records.jsonl:changed）",
        "评判过的问题：比较 21 个，1 个变好，1 个变差。",
        "  变差 1.000 → 0.000  胃痛怎么办",
        "  通过  词表有",
    ):
        assert line in out
    assert "睡前不看【手机】，" in out and "睡前不看【电视】，" in out
    assert "未通过" not in out


def test_only_so_many_examples(run: Run) -> None:
    status, out, _ = run("compare", "gen-000002", "--examples", "0")
    assert status == 0 and "records.jsonl" not in out and "…… 还有 1 个" in out and "1 个变差" in out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("compare", "gen-000009"), 1, "没有名为 gen-000009"),
        (("compare", "gen-000002", "nonsense"), 1, "没有名为 nonsense"),
        (("compare", "gen-000001", "gen-000002", "--judgements", "nowhere"), 1, "nowhere"),
        (("compare",), 2, "yiwen compare --help"),
        (("switch", "gen-000002", "--override"), 2, "--reason"),
        (("switch", "gen-000002", "--reason", "想用"), 2, "--override"),
        (("switch", "gen-000002", "--override", "--reason", " "), 2, "--reason"),
    ],
)
def test_what_cannot_be_compared_or_switched_to_is_a_sentence(
    run: Run, arguments: tuple[str, ...], status: int, words: str
) -> None:
    found = run(*arguments)
    assert found[0] == status and words in found[2] and found[1] == ""
    assert len(found[2].strip().splitlines()) == 1


def test_a_first_generation_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    data = build_data(tmp_path, ANSWERS)
    assert main(["compare", "gen-000001", "--data", str(data)]) == 1
    bounds = read_bounds(RESOURCES)
    with pytest.raises(GenerationMissing):
        difference(data, "gen-000001", "gen-000002", Questions(), bounds, Settings())


def test_a_refused_generation_is_compared_and_its_override_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = build_data(tmp_path, spasm_answers(10))
    write_jsonl(tmp_path / "corpus" / "answers.jsonl", map(record_of, spasm_answers(3)))
    assert main(["build", "--corpus", "corpus", "--data", "data"]) == 3
    err = capsys.readouterr().err
    assert "gen-000002 没有启用：\n  答案从 10 条减少到 3 条" in err and "yiwen compare gen-000002" in err
    assert main(["compare", "gen-000002", "--data", "data"]) == 0
    out = capsys.readouterr().out
    assert "未通过  答案从 10 条减少到 3 条" in out and "建立 gen-000002 时没有通过检查" in out
    assert main(["switch", "gen-000002", "--data", "data", "--override", "--reason", "语料要缩小"]) == 0
    assert "没有通过检查，原因已记录" in capsys.readouterr().err
    assert current(data) == "gen-000002"
    assert main(["compare", "gen-000002", "--data", "data"]) == 0
    assert "曾不顾检查结果启用 gen-000002，原因：语料要缩小" in capsys.readouterr().out


def test_marks_stand_around_what_is_different() -> None:
    assert marked_change("甲乙丙", "甲丁丙") == ("原：甲【乙】丙", "现：甲【丁】丙")
    assert marked_change("甲\n乙", "甲 乙") == ("原：甲 乙", "现：甲 乙")
    assert marked_change("甲", "甲乙") == ("原：甲", "现：甲【乙】")
