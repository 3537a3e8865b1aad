"""How good the ranking is, on judged questions, in the measures of trec_eval."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from indexer.engine import Engine
from indexer.errors import BadQuery, EvaluationError, cause_of

#: how far down a ranking is looked at, as trec_eval's default
DEPTH = 1000
#: query id -> document id -> grade
Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class JudgedQuery:
    """A question of an evaluation set; a twin, the same question in another spelling, has its twin's judgements."""

    id: str
    text: str
    twin_of: str | None = None
    spelling: str | None = None  #: how a twin is written: colloquial, traditional, misspelt, pinyin

    @property
    def judged_as(self) -> str:
        """The id that the judgements name."""
        return self.twin_of or self.id


@dataclass(frozen=True)
class QueryScore:
    """What one question's ranking is worth, and how long it took."""

    id: str
    ndcg_at_10: float
    reciprocal_rank_at_10: float
    recall_at_100: float
    p_at_1: float
    latency_ms: float


@dataclass(frozen=True)
class Scores:
    """Means over all queries that have a judgement above 0, and latencies of the same."""

    queries: int
    ndcg_at_10: float
    mrr_at_10: float
    recall_at_100: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p_at_1: float


def read_queries(file: Path) -> list[JudgedQuery]:
    """JSON lines with `id`, `text` and for another spelling of a question its `twin_of` and `spelling`. Raises
    EvaluationError naming the line.
    """
    queries: dict[str, JudgedQuery] = {}
    for number, line in _lines(file):
        try:
            record = json.loads(line)
            if record["id"] is None or record["text"] is None:
                raise ValueError("null")
            twin_of, spelling = (
                None if record.get(name) is None else str(record[name]) for name in ("twin_of", "spelling")
            )
            query = JudgedQuery(str(record["id"]), str(record["text"]), twin_of, spelling)
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{file} 第 {number} 行应是带有 id 和 text 的 JSON 对象。") from error
        if query.id in queries or not query.id or query.id.split() != [query.id]:
            raise EvaluationError(f"{file} 第 {number} 行的编号“{query.id}”重复，或者为空、含有空白。")
        queries[query.id] = query
    return list(queries.values())


def read_qrels(file: Path) -> dict[str, dict[str, int]]:
    """TREC qrels: query, ignored, document, grade. Raises EvaluationError naming the line."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(file):
        try:
            query, _, document, grade = line.split()
            qrels.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            raise EvaluationError(f"{file} 第 {number} 行应是“问题号 0 答案号 等级”四列。") from error
    return qrels


def evaluate(engine: Engine, queries: Iterable[JudgedQuery], qrels: Qrels, run_out: TextIO | None = None) -> Scores:
    """Ask each judged question and average the measures; an unanswered question counts 0.

    Writes a TREC run to `run_out` when given. Raises EvaluationError when no question has a judgement above 0.
    """
    return average(evaluate_each(engine, queries, qrels, run_out))


def evaluate_each(
    engine: Engine, queries: Iterable[JudgedQuery], qrels: Qrels, run_out: TextIO | None = None
) -> list[QueryScore]:
    """What `evaluate` averages: each question that has a judgement above 0, in the order of `queries`."""
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.judged_as, {}).values())]
    if not judged:
        raise EvaluationError("没有一个问题带有大于 0 的评判；请检查问题文件与评判文件的编号是否对应。")
    scores: list[QueryScore] = []
    for query in judged:
        started = time.perf_counter()
        try:
            ranking = engine.retrieve(query.text, DEPTH)
        except BadQuery:
            ranking = []
        latency_ms = (time.perf_counter() - started) * 1000
        scores.append(_scored(query.id, [document for document, _ in ranking], qrels[query.judged_as], latency_ms))
        if run_out is not None:
            _write_run(run_out, query.id, ranking)
    return scores


def average(scores: Sequence[QueryScore]) -> Scores:
    """Means of the measures, percentiles of the latencies; there must be a question."""
    measures = [(each.ndcg_at_10, each.reciprocal_rank_at_10, each.recall_at_100, each.p_at_1) for each in scores]
    ndcg_at_10, mrr_at_10, recall_at_100, p_at_1 = map(float, np.mean(np.array(measures), axis=0))
    p50, p95, p99 = map(float, np.percentile(np.array([each.latency_ms for each in scores]), [50, 95, 99]))
    return Scores(len(scores), ndcg_at_10, mrr_at_10, recall_at_100, p50, p95, p99, p_at_1)


def _scored(query_id: str, ranking: Sequence[str], grades: Mapping[str, int], latency_ms: float) -> QueryScore:
    return QueryScore(
        query_id,
        ndcg_at_10=ndcg(ranking, grades, 10),
        reciprocal_rank_at_10=reciprocal_rank(ranking, grades, 10),
        recall_at_100=recall(ranking, grades, 100),
        p_at_1=reciprocal_rank(ranking, grades, 1),  # to the depth of 1 it is 1 or 0
        latency_ms=latency_ms,
    )


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """nDCG with linear gains (Järvelin and Kekäläinen 2002), as trec_eval's ndcg_cut; 0 without a positive grade."""
    gains = [max(grades.get(document, 0), 0) for document in ranking[:depth]]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:depth]
    best = _dcg(ideal)
    return _dcg(gains) / best if best else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """1 over the rank of the first relevant document within `depth`, else 0."""
    return next((1 / rank for rank, document in enumerate(ranking[:depth], 1) if grades.get(document, 0) > 0), 0.0)


def recall(ranking: Sequence[str], grades: Mapping[str, int], depth: int) -> float:
    """Share of the relevant documents within `depth`."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:depth])) / len(relevant) if relevant else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _write_run(out: TextIO, query_id: str, ranking: Sequence[tuple[str, float]]) -> None:
    """Lines of a TREC run. Scores fall strictly, also in the single precision that trec_eval reads them in:
    it would put equals in an order of its own.
    """
    previous = np.float32(np.inf)
    for rank, (document, score) in enumerate(ranking, 1):
        if document.split() != [document]:
            raise EvaluationError(f"答案编号“{document}”含有空白，无法写进 TREC run 文件；请换成不含空白的编号。")
        falling = min(np.float32(score), np.nextafter(previous, np.float32(-np.inf)))
        out.write(f"{query_id} Q0 {document} {rank} {falling:.9g} yiwen\n")
        previous = falling


def _lines(file: Path) -> list[tuple[int, str]]:
    """Lines with their numbers, blank ones left out. Only a line feed ends a line: JSON may hold U+2028."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise EvaluationError(f"{file} 无法读取：{cause_of(error)}。") from error
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{file} 不是 UTF-8 文本。") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
