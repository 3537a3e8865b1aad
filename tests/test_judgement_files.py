"""Judgements as files: what comes out is what went in, for our own readers and for trec_eval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytrec_eval
from builders import write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import EvaluationError
from indexer.quality_gate.evaluate import ndcg, read_qrels, read_queries
from indexer.quality_gate.judgement_files import (
    add_to_judgements,
    qrels_text,
    queries_text,
    topics_text,
    write_judgements,
)
from indexer.store.audit_log import plain
from indexer.store.judged_cases import Grade, JudgedCase, case_id, is_judgeable

AT = "2026-11-23T03:00:00Z"


def case_of(question: str, grades: dict[str, int], note: str = "", topic: str = "") -> JudgedCase:
    kept = tuple(Grade(answer, grade, "fenxi", AT) for answer, grade in grades.items())
    return JudgedCase(case_id(question), question, note, topic, (), 1, "fenxi", AT, "fenxi", AT, kept)


#: as they are kept: on one line, nothing that drives a terminal in them
QUESTIONS = st.text(st.characters(codec="utf-8"), max_size=40).map(lambda text: " ".join(plain(text, 200).split()))
ANSWERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(is_judgeable)
CASES = st.lists(
    st.builds(case_of, QUESTIONS, st.dictionaries(ANSWERS, st.integers(0, 3), min_size=1, max_size=6), QUESTIONS),
    max_size=6,
    unique_by=lambda case: case.id,
)


@given(CASES)
def test_our_readers_find_every_judgement_again(cases: list[JudgedCase]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        for trec, name in ((True, "trec"), (False, "own")):
            write_judgements(Path(folder) / name, cases, trec)
            assert read_qrels(Path(folder) / name / "qrels.tsv") == {case.id: case.by_answer for case in cases}
        queries = read_queries(Path(folder) / "own" / "queries.jsonl")
        topics = (Path(folder) / "trec" / "topics.tsv").read_text(encoding="utf-8").split("\n")[:-1]
    texts = {case.id: case.question for case in cases}
    assert {query.id: query.text for query in queries} == texts
    assert {id_: text for id_, _, text in (line.partition("\t") for line in topics)} == texts


@given(CASES)
def test_the_same_judgements_give_the_same_files(cases: list[JudgedCase]) -> None:
    for text_of in (qrels_text, topics_text, queries_text):
        assert text_of(cases) == text_of(list(reversed(cases)))


def test_trec_eval_reads_the_export(tmp_path: Path) -> None:
    cases = [case_of("面肌痉挛怎么治", {"a": 3, "b": 0, "c": 1}), case_of("偏头痛怎么办", {"d": 2, "e": 1})]
    write_judgements(tmp_path, cases, trec=True)
    with open(tmp_path / "qrels.tsv", encoding="utf-8") as file:
        qrels = pytrec_eval.parse_qrel(file)
    assert qrels == {case.id: case.by_answer for case in cases}
    run = {cases[0].id: {"b": 3.0, "a": 2.0, "c": 1.0}, cases[1].id: {"e": 2.0, "d": 1.0}}
    measured = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    for case in cases:
        ours = ndcg(list(run[case.id]), case.by_answer, 10)
        assert measured[case.id]["ndcg_cut_10"] == pytest.approx(ours, abs=1e-9) and 0 < ours < 1


def test_files_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text("mine\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="已经有了"):
        write_judgements(tmp_path, [case_of("偏头痛怎么办", {"a": 1})], trec=True)
    assert [file.name for file in tmp_path.iterdir()] == ["qrels.tsv"]
    assert (tmp_path / "qrels.tsv").read_text(encoding="utf-8") == "mine\n"


def test_adding_keeps_every_other_line(tmp_path: Path) -> None:
    changed = case_of("偏头痛怎么办", {"a": 1, "b": 2}, "备注", "偏头痛")
    theirs = '{"id": "acne-1",  "text": "长青春痘用什么药膏好", "topic": "痤疮"}\n'
    (tmp_path / "queries.jsonl").write_text(theirs, encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("acne-1\t0\tx\t3\n", encoding="utf-8")
    add_to_judgements(tmp_path, [case_of("偏头痛怎么办", {"a": 3}), case_of("牙痛怎么办", {"c": 1})])
    add_to_judgements(tmp_path, [changed])
    lines = (tmp_path / "queries.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == theirs and len(lines) == 3
    record = {"id": changed.id, "text": "偏头痛怎么办", "topic": "偏头痛", "note": "备注"}
    assert json.loads(lines[2]) == record
    assert read_qrels(tmp_path / "qrels.tsv") == {
        "acne-1": {"x": 3},
        case_id("牙痛怎么办"): {"c": 1},
        changed.id: {"a": 1, "b": 2},
    }


@pytest.mark.parametrize("folder", ["held_out", "held_out/more", "corpus/judgements/held_out"])
def test_nothing_is_added_to_what_is_held_out(tmp_path: Path, folder: str) -> None:
    with pytest.raises(EvaluationError, match="留作检验"):
        add_to_judgements(tmp_path / folder, [case_of("偏头痛怎么办", {"a": 1})])
    assert not list(tmp_path.rglob("*.tsv"))


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "queries.jsonl", [{"name": "no question"}])
    before = (tmp_path / "queries.jsonl").read_bytes()
    with pytest.raises(EvaluationError, match="第 1 行"):
        add_to_judgements(tmp_path, [case_of("偏头痛怎么办", {"a": 1})])
    assert (tmp_path / "queries.jsonl").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
