"""Evaluation: the numbers of trec_eval (through pytrec_eval), a run file that it reads back, and plain errors."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from indexer.engine import Engine
from indexer.errors import BadQuery, EvaluationError
from indexer.quality_gate.evaluate import (
    DEPTH,
    JudgedQuery,
    Scores,
    evaluate,
    evaluate_each,
    ndcg,
    read_qrels,
    read_queries,
    recall,
    reciprocal_rank,
)

DOCUMENTS = [f"d{number:03d}" for number in range(150)]
Ranking = list[tuple[str, float]]

grades = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(-2, 4), max_size=30)
orders = st.lists(st.sampled_from(DOCUMENTS), unique=True, max_size=len(DOCUMENTS)) | st.permutations(DOCUMENTS)
# Scores as a ranker gives them: falling, with equals, and near ones that single precision cannot tell apart.
falling = st.lists(
    st.sampled_from([7.25, 7.25 - 1e-12, 3.0, 1e-30]) | st.floats(1e-6, 1e6),
    min_size=len(DOCUMENTS),
    max_size=len(DOCUMENTS),
).map(lambda scores: sorted(scores, reverse=True))


class RankingEngine:
    """An engine that gives each question the ranking that the test prepared; none is an unanswerable question."""

    def __init__(self, rankings: Mapping[str, Ranking | None]) -> None:
        self._rankings = rankings
        self.asked: list[tuple[str, int]] = []

    def retrieve(self, text: str, depth: int) -> Ranking:
        self.asked.append((text, depth))
        ranking = self._rankings[text]
        if ranking is None:
            raise BadQuery("问题里没有字。")
        return ranking


def evaluated(
    rankings: Mapping[str, Ranking | None], qrels: Mapping[str, Mapping[str, int]], out: io.StringIO | None = None
) -> Scores:
    """Evaluate questions whose text is their id."""
    engine = cast(Engine, RankingEngine(rankings))
    return evaluate(engine, [JudgedQuery(id, id) for id in rankings], qrels, out)


def trec_eval(run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]]) -> list[float]:
    """nDCG@10, MRR@10, recall@100 and P@1 by pytrec_eval, averaged over the questions with a judgement above 0."""
    judged = {query for query, judgements in qrels.items() if any(grade > 0 for grade in judgements.values())}
    answered = {query: dict(run[query]) for query in judged if run.get(query)}
    top10 = {query: dict(sorted(run.items(), key=lambda item: -item[1])[:10]) for query, run in answered.items()}
    judgements = {query: dict(qrels[query]) for query in judged}
    whole = pytrec_eval.RelevanceEvaluator(judgements, {"ndcg_cut.10", "recall.100", "P.1"}).evaluate(answered)
    first = pytrec_eval.RelevanceEvaluator(judgements, {"recip_rank"}).evaluate(top10)
    measures = [
        (measured["ndcg_cut_10"], first[query]["recip_rank"], measured["recall_100"], measured["P_1"])
        for query, measured in whole.items()
    ]
    return [sum(column) / len(judged) for column in zip(*measures, strict=True)] or [0.0] * 4


def read_run(text: str) -> dict[str, dict[str, float]]:
    """A run file as trec_eval reads it: scores in single precision, ranks not looked at."""
    run: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        query, _, document, _, score, _ = line.split()
        run.setdefault(query, {})[document] = float(np.float32(score))
    return run


@given(orders, grades)
def test_measures_of_one_ranking_are_those_of_trec_eval(order: Sequence[str], grades: dict[str, int]) -> None:
    ours = [
        ndcg(order, grades, 10),
        reciprocal_rank(order, grades, 10),
        recall(order, grades, 100),
        reciprocal_rank(order, grades, 1),
    ]
    run = {"q": {document: float(len(order) - place) for place, document in enumerate(order)}}
    assert ours == pytest.approx(
        trec_eval(run, {"q": grades}) if any(g > 0 for g in grades.values()) else [0] * 4, abs=1e-9
    )


@given(st.lists(st.tuples(orders, grades), min_size=1, max_size=4), falling)
def test_means_are_those_that_trec_eval_finds_in_the_run_file(
    questions: list[tuple[list[str], dict[str, int]]], scores: list[float]
) -> None:
    rankings = {f"q{n}": list(zip(order, scores, strict=False)) for n, (order, _) in enumerate(questions)}
    qrels = {f"q{n}": grades for n, (_, grades) in enumerate(questions)}
    if not any(grade > 0 for grades in qrels.values() for grade in grades.values()):
        with pytest.raises(EvaluationError):
            evaluated(rankings, qrels)
        return
    out = io.StringIO()
    found = evaluated(rankings, qrels, out)
    ours = [found.ndcg_at_10, found.mrr_at_10, found.recall_at_100, found.p_at_1]
    assert ours == pytest.approx(trec_eval(read_run(out.getvalue()), qrels), abs=1e-9)


@given(orders, falling)
def test_run_scores_fall_strictly_in_single_precision_too(order: Sequence[str], scores: list[float]) -> None:
    ranking = list(zip(order, scores, strict=False))
    out = io.StringIO()
    evaluated({"q": ranking}, {"q": {"d000": 1}}, out)
    rows = [line.split(" ") for line in out.getvalue().splitlines()]
    assert [(row[0], row[1], row[2], row[3]) for row in rows] == [
        ("q", "Q0", document, str(rank)) for rank, (document, _) in enumerate(ranking, 1)
    ]
    written = [np.float32(row[4]) for row in rows]
    assert all(a > b for a, b in itertools.pairwise(written))
    assert written == pytest.approx([score for _, score in ranking], rel=1e-4, abs=1e-25)


def test_gain_is_the_grade_itself_and_the_ideal_order_gets_one() -> None:
    grades = {"best": 3, "good": 1, "bad": -2, "none": 0}
    assert ndcg(["best", "good", "bad"], grades, 10) == 1.0
    assert 0 < ndcg(["good", "bad", "best"], grades, 10) < ndcg(["good", "best", "bad"], grades, 10) < 1.0
    assert ndcg(["bad", "none"], grades, 10) == 0.0


def test_what_stands_beyond_the_depth_does_not_count() -> None:
    order = [*DOCUMENTS[:10], "relevant"]
    assert ndcg(order, {"relevant": 1}, 10) == reciprocal_rank(order, {"relevant": 1}, 10) == 0.0
    assert recall(order, {"relevant": 1}, 10) == 0.0
    assert reciprocal_rank(order, {"relevant": 1}, 11) == pytest.approx(1 / 11)


def test_questions_without_an_answer_count_zero_and_those_without_a_judgement_do_not_count() -> None:
    rankings: dict[str, Ranking | None] = {
        "answered": [("d1", 2.0)],
        "nothing found": [],
        "no word": None,
        "judged 0": [("d1", 1.0)],
        "not judged": [("d1", 1.0)],
    }
    qrels = {"answered": {"d1": 1}, "nothing found": {"d1": 1}, "no word": {"d1": 2}, "judged 0": {"d1": 0}}
    found = evaluated(rankings, qrels)
    assert found.queries == 3
    assert (found.ndcg_at_10, found.mrr_at_10, found.recall_at_100) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_each_question_has_a_row_of_its_own_in_the_order_of_the_questions() -> None:
    rankings: dict[str, Ranking | None] = {
        "second place": [("other", 2.0), ("d1", 1.0)],
        "not judged": [("d1", 1.0)],
        "no word": None,
        "first place": [("d1", 2.0), ("other", 1.0)],
    }
    qrels = {query: {"d1": 2, "other": 0} for query in rankings if query != "not judged"}
    rows = evaluate_each(cast(Engine, RankingEngine(rankings)), [JudgedQuery(id, id) for id in rankings], qrels)
    assert [(row.id, row.reciprocal_rank_at_10, row.p_at_1) for row in rows] == [
        ("second place", 0.5, 0.0),
        ("no word", 0.0, 0.0),
        ("first place", 1.0, 1.0),
    ]
    assert [row.ndcg_at_10 for row in rows] == pytest.approx([1 / np.log2(3), 0, 1])
    assert evaluated(rankings, qrels).p_at_1 == pytest.approx(1 / 3)


def test_a_twin_is_asked_in_its_own_words_and_judged_as_its_twin(tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    pinyin = {"id": "q1-pinyin", "text": "shimian zenmeban", "twin_of": "q1", "spelling": "pinyin"}
    lines = [{"id": "q1", "text": "失眠怎么办"}, pinyin]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    rankings: dict[str, Ranking | None] = {"失眠怎么办": [("d1", 1.0)], "shimian zenmeban": []}
    found = evaluate(cast(Engine, RankingEngine(rankings)), read_queries(file), {"q1": {"d1": 1}})
    assert (found.queries, found.ndcg_at_10) == (2, 0.5)
    assert [(query.judged_as, query.spelling) for query in read_queries(file)] == [("q1", None), ("q1", "pinyin")]


def test_only_judged_questions_are_asked_to_the_depth_of_trec_eval() -> None:
    engine = RankingEngine({"失眠怎么办": [("d1", 1.0)]})
    queries = [JudgedQuery("q1", "失眠怎么办"), JudgedQuery("q2", "头痛怎么办")]
    evaluate(cast(Engine, engine), queries, {"q1": {"d1": 1}, "q3": {"d1": 1}})
    assert engine.asked == [("失眠怎么办", DEPTH)]
    assert DEPTH == 1000


def test_latencies_are_those_of_half_of_the_questions_and_of_the_slow_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [milliseconds / 1000 for milliseconds in range(101)]  # the questions take 0, 1, 2, ... 100 ms
    clock = iter([reading for end in reversed(ends) for reading in (0.0, end)])
    monkeypatch.setattr("indexer.quality_gate.evaluate.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    rankings = {f"q{number}": [("d1", 1.0)] for number in range(101)}
    found = evaluated(rankings, {query: {"d1": 1} for query in rankings})
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == pytest.approx((50, 95, 99))


@pytest.mark.parametrize("qrels", [{}, {"q1": {"d1": 0}}, {"q1": {"d1": -1}}, {"other": {"d1": 1}}])
def test_questions_that_have_no_judgement_at_all_are_an_error(qrels: dict[str, dict[str, int]]) -> None:
    with pytest.raises(EvaluationError, match="评判"):
        evaluated({"q1": [("d1", 1.0)]}, qrels)


IDS = st.text(min_size=1).filter(lambda text: text.split() == [text])


@given(st.lists(st.tuples(IDS, st.text('失眠怎么办"\\{} ?\t')), unique_by=lambda query: query[0]))
def test_queries_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, queries: list[tuple[str, str]]
) -> None:
    file = tmp_path_factory.mktemp("queries") / "queries.jsonl"
    lines = [json.dumps({"id": id, "text": text, "more": 1}) for id, text in queries]
    file.write_text("\n\n".join(lines), encoding="utf-8")
    assert read_queries(file) == [JudgedQuery(id, text) for id, text in queries]


def test_qrels_keep_graded_zero_and_negative_judgements(tmp_path: Path) -> None:
    file = tmp_path / "qrels.tsv"
    file.write_text("q1\t0\td1\t3\nq1 0 d2 0\n\nq2  Q0  d1  -1\n", encoding="utf-8")
    assert read_qrels(file) == {"q1": {"d1": 3, "d2": 0}, "q2": {"d1": -1}}


@pytest.mark.parametrize("line", ["{", "[]", "3", "null", '"id"', '{"id": "q2"}', '{"text": "失眠"}', "失眠怎么办"])
def test_a_query_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text(f'{{"id": "q1", "text": "头痛"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"queries\.jsonl 第 2 行"):
        read_queries(file)


@pytest.mark.parametrize("line", ["q1 0 d1", "q1 0 d1 1 more", "q1 0 d1 high", "q1 0 d1 1.5", "q1"])
def test_a_judgement_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "qrels.tsv"
    file.write_text(f"q1 0 d1 1\nq1 0 d2 0\n{line}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"qrels\.tsv 第 3 行"):
        read_qrels(file)


@pytest.mark.parametrize("read", [read_queries, read_qrels])
def test_files_that_cannot_be_opened_or_decoded_are_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(EvaluationError, match="missing"):
        read(tmp_path / "missing")
    (tmp_path / "gbk").write_bytes("失眠 0 头痛 1\n".encode("gbk"))
    with pytest.raises(EvaluationError, match="gbk 不是 UTF-8"):
        read(tmp_path / "gbk")


def test_blank_lines_count_when_a_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "qrels.tsv"
    file.write_text("q1 0 d1 1\n\n\nq1 0 d1\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="第 4 行"):
        read_qrels(file)


@pytest.mark.parametrize("separator", ["\u2028", "\x85"])
def test_a_query_may_hold_a_line_separator_of_unicode(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "queries.jsonl"
    text = f"失眠{separator}怎么办"
    file.write_text(json.dumps({"id": "q1", "text": text}, ensure_ascii=False), encoding="utf-8")
    assert read_queries(file) == [JudgedQuery("q1", text)]


@pytest.mark.parametrize("line", ['{"id": "q1", "text": null}', '{"id": null, "text": "失眠"}'])
def test_a_query_without_a_value_is_an_error(tmp_path: Path, line: str) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(EvaluationError, match="第 1 行"):
        read_queries(file)


def test_a_byte_order_mark_is_no_part_of_the_first_judgement(tmp_path: Path) -> None:
    file = tmp_path / "qrels.tsv"
    file.write_text("q1 0 d1 1\n", encoding="utf-8-sig")
    assert read_qrels(file) == {"q1": {"d1": 1}}


@pytest.mark.parametrize(
    "lines",
    [
        ['{"id": "q1", "text": "失眠"}', '{"id": "q1", "text": "湿疹"}'],
        ['{"id": "q1", "text": "失眠"}', '{"id": "q 2", "text": "湿疹"}'],
        ['{"id": "q1", "text": "失眠"}', '{"id": "", "text": "湿疹"}'],
    ],
)
def test_an_id_that_a_run_file_cannot_tell_apart_is_refused(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(EvaluationError, match="第 2 行"):
        read_queries(file)
