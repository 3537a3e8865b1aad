"""`yiwen evaluate` and `yiwen doctor` as real processes: what they print where, and how they end."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from builders import write_jsonl
from cli_folders import assert_one_chinese_sentence, built_once, folder
from store_builders import flip_bit, small_resources, write_files, yiwen

__all__ = ["built_once", "folder"]


def evaluation_files(folder: Path) -> tuple[str, ...]:
    questions = {"q1": "面肌痉挛怎么治", "q2": "失眠怎么调理", "q3": "？！", "q4": "没有评判的问题"}
    write_jsonl(folder / "q.jsonl", [{"id": id, "text": text} for id, text in questions.items()])
    write_files(folder, {"qrels.tsv": "q1 0 a1 2\nq1 0 a4 1\nq2\t0\ta3\t1\nq3 0 a2 1\nq4 0 a1 0\n"})
    return "evaluate", "--queries", "q.jsonl", "--qrels", "qrels.tsv", "--data", "data"


def test_evaluate_prints_the_means_over_judged_questions_and_writes_a_run(folder: Path) -> None:
    process = yiwen(*evaluation_files(folder), "--run-out", "run.txt", cwd=folder)
    assert (process.returncode, process.stderr) == (0, "")
    printed = dict(line.split(maxsplit=1) for line in process.stdout.splitlines())
    assert list(printed) == ["queries", "nDCG@10", "MRR@10", "recall@100", "p50", "p95", "p99", "P@1"]
    # of three judged questions two are answered in full, and 1 without a word counts 0
    assert printed["queries"] == "3"
    assert [float(printed[name]) for name in ("MRR@10", "recall@100", "P@1")] == pytest.approx([2 / 3] * 3)
    assert float(printed["nDCG@10"]) == pytest.approx(2 / 3)
    assert all(re.fullmatch(r"\d+\.\d\d ms", printed[name]) for name in ("p50", "p95", "p99"))

    run = [line.split() for line in (folder / "run.txt").read_text(encoding="utf-8").splitlines()]
    assert {len(columns) for columns in run} == {6}
    first = [columns for columns in run if columns[0] == "q1"]
    assert {columns[2] for columns in first} >= {"a1", "a4"}  # copies are not folded
    assert [int(columns[3]) for columns in first] == list(range(1, len(first) + 1))
    scores = [float(columns[4]) for columns in first]
    assert all(before > after for before, after in pairwise(scores))
    assert {columns[0] for columns in run} == {"q1", "q2"}


def test_evaluate_takes_the_first_questions_only_when_limited(folder: Path) -> None:
    process = yiwen(*evaluation_files(folder), "--limit", "1", cwd=folder)
    assert process.stdout.splitlines()[:2] == ["queries     1", "nDCG@10     1.000000000000"]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("q.jsonl", '{"id": "q1", "text": "面肌痉挛"}\n{"id": "q2"}\n', ("q.jsonl", "第 2 行")),
        ("qrels.tsv", "q1 0 a1 2\nq1 0 a4\n", ("qrels.tsv", "第 2 行")),
        ("qrels.tsv", "q1 0 a1 0\n", ("大于 0 的评判",)),
    ],
)
def test_evaluation_files_with_a_fault_are_named_with_the_line(
    folder: Path, file: str, content: str, words: tuple[str, ...]
) -> None:
    arguments = evaluation_files(folder)
    write_files(folder, {file: content})
    assert_one_chinese_sentence(yiwen(*arguments, cwd=folder), 1, *words)


def findings(process: CompletedProcess[str]) -> dict[str, bool]:
    """What the doctor looked at, and whether it is well."""
    lines = [line.split("：")[0].split(maxsplit=1) for line in process.stdout.splitlines()]
    return {subject: mark == "正常" for mark, subject in lines}


def test_the_doctor_finds_a_healthy_data_directory_well(built_once: Path) -> None:
    process = yiwen("doctor", "--data", "data", cwd=built_once)
    assert findings(process)["索引"] and findings(process)["资源"]
    assert (process.returncode == 0) == all(findings(process).values())
    assert process.stderr == ""


def test_the_doctor_finds_one_flipped_bit(folder: Path) -> None:
    flip_bit(folder / "data" / "generations" / "gen-000002" / "pages.jsonl")
    process = yiwen("doctor", "--data", "data", cwd=folder)
    assert process.returncode == 1
    assert not findings(process)["索引"]
    assert "gen-000002 的文件 pages.jsonl 内容与校验值不符" in process.stdout


def test_the_doctor_finds_resources_that_changed_since_the_build(folder: Path) -> None:
    resources = shutil.copytree(small_resources(), folder / "resources")
    arguments = ("doctor", "--data", "data", "--resources", "resources")
    assert findings(yiwen(*arguments, cwd=folder))["资源"]
    with open(resources / "lexicon" / "terms.tsv", "a", encoding="utf-8") as file:
        file.write("迷走神经\tbody\n")
    process = yiwen(*arguments, cwd=folder)
    assert process.returncode == 1
    assert findings(process)["索引"] and not findings(process)["资源"]
    assert "yiwen build" in process.stdout


def test_the_doctor_says_what_to_run_where_there_is_no_index(tmp_path: Path) -> None:
    process = yiwen("doctor", "--data", "nowhere", cwd=tmp_path)
    assert process.returncode == 1
    assert not findings(process)["索引"] and "yiwen build" in process.stdout
