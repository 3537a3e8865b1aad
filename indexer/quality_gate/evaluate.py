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

    @property
    def judged_as(self) -> str:
        """The id that the judgements name."""
        return self.twin_of or self.id


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


def read_queries(file: Path) -> list[JudgedQuery]:
    """JSON lines with `id`, `text` and for another spelling of a question its `twin_of`. Raises EvaluationError
    naming the line.
    """
    queries: dict[str, JudgedQuery] = {}
    for number, line in _lines(file):
        try:
            record = json.loads(line)
            if record["id"] is None or record["text"] is None:
                raise ValueError("null")
            twin_of = record.get("twin_of")
            query = JudgedQuery(str(record["id"]), str(record["text"]), None if twin_of is None else str(twin_of))
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
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.judged_as, {}).values())]
    if not judged:
        raise EvaluationError("没有一个问题带有大于 0 的评判；请检查问题文件与评判文件的编号是否对应。")
    measures: list[tuple[float, float, float]] = []
    latencies_ms: list[float] = []
    for query in judged:
        started = time.perf_counter()
        try:
            ranking = engine.retrieve(query.text, DEPTH)
        except BadQuery:
            ranking = []
        latencies_ms.append((time.perf_counter() - started) * 1000)
        documents = [document for document, _ in ranking]
        grades = qrels[query.judged_as]
        measures.append(
            (ndcg(documents, grades, 10), reciprocal_rank(documents, grades, 10), recall(documents, grades, 100))
        )
        if run_out is not None:
            _write_run(run_out, query.id, ranking)
    means = np.mean(np.array(measures), axis=0)
    p50, p95, p99 = np.percentile(np.array(latencies_ms), [50, 95, 99])
    return Scores(len(judged), float(means[0]), float(means[1]), float(means[2]), float(p50), float(p95), float(p99))


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
