"""Judged cases as files: for `corpus/judgements` and `yiwen evaluate` (queries.jsonl, qrels.tsv), and for programs that
read what TREC uses (topics.tsv, qrels.tsv).

Qrels are those of trec_eval: question, 0, answer, grade. Topics are question number and question, a tab between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from indexer.errors import EvaluationError
from indexer.quality_gate.evaluate import read_qrels, read_queries
from indexer.quality_gate.questions import QRELS, QUERIES
from indexer.store.judged_cases import JudgedCase

TOPICS = "topics.tsv"
#: never added to: what is tried out on these questions is not measured by them any more
HELD_OUT = "held_out"


def qrels_text(cases: Iterable[JudgedCase]) -> str:
    """Lines of qrels, sorted, so that the same judgements give the same file."""
    lines = sorted((case.id, each.answer, each.grade) for case in cases for each in case.grades)
    return "".join(f"{id_}\t0\t{answer}\t{grade}\n" for id_, answer, grade in lines)


def topics_text(cases: Iterable[JudgedCase]) -> str:
    """Lines of question number and question."""
    return "".join(f"{case.id}\t{case.question}\n" for case in _in_order(cases))


def queries_text(cases: Iterable[JudgedCase]) -> str:
    """JSON lines as `corpus/judgements/queries.jsonl` has them, with the analyst's note where there is one."""
    return "".join(f"{json.dumps(_record(case), ensure_ascii=False)}\n" for case in _in_order(cases))


def write_judgements(folder: Path, cases: Sequence[JudgedCase], trec: bool) -> list[Path]:
    """Write two files, `topics.tsv` or `queries.jsonl` and `qrels.tsv`; the paths of both. Raises EvaluationError
    where one is there already, OSError.
    """
    questions = (TOPICS, topics_text(cases)) if trec else (QUERIES, queries_text(cases))
    files = {folder / name: text for name, text in (questions, (QRELS, qrels_text(cases)))}
    if there := [file for file in files if file.exists()]:
        raise EvaluationError(f"{there[0]} 已经有了；请换一个文件夹，或用 --append 加到里面。")
    _write_all(files)
    return list(files)


def add_to_judgements(folder: Path, cases: Sequence[JudgedCase]) -> list[Path]:
    """Put cases into a folder such as `corpus/judgements`: what it has of the same ids is replaced, all other lines
    stay letter by letter. The paths of both files. Raises EvaluationError for `held_out`, and for files that cannot be
    read; OSError.
    """
    if HELD_OUT in folder.resolve().parts:
        raise EvaluationError(f"{folder} 是留作检验的问题，不能往里加；请换一个文件夹。")
    queries, qrels = folder / QUERIES, folder / QRELS
    if queries.exists():
        read_queries(queries)  # a file that is no such file is left alone
    if qrels.exists():
        read_qrels(qrels)
    ids = {case.id for case in cases}
    others = _lines_of(queries, lambda line: str(json.loads(line)["id"]) not in ids)
    other_grades = _lines_of(qrels, lambda line: line.split()[0] not in ids)
    files = {queries: others + queries_text(cases), qrels: other_grades + qrels_text(cases)}
    _write_all(files)
    return list(files)


def _lines_of(file: Path, stays: Callable[[str], bool]) -> str:
    """The lines of a file that stay; "" for one that is not there."""
    if not file.exists():
        return ""
    lines = file.read_text(encoding="utf-8-sig").split("\n")
    return "".join(f"{line}\n" for line in lines if line.strip() and stays(line))


def _record(case: JudgedCase) -> Mapping[str, object]:
    record: dict[str, object] = {"id": case.id, "text": case.question}
    if case.topic:
        record["topic"] = case.topic
    if case.aspects:
        record["aspects"] = list(case.aspects)
    if case.note:
        record["note"] = case.note
    return record


def _in_order(cases: Iterable[JudgedCase]) -> list[JudgedCase]:
    return sorted(cases, key=lambda case: case.id)


def _write_all(files: Mapping[Path, str]) -> None:
    """All or none, as far as one can with two files: both are written before the first takes its place."""
    drafts = {file: file.with_name(f".{file.name}.{os.getpid()}.partial") for file in files}
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            drafts[file].write_text(text, encoding="utf-8", newline="\n")
        for file, draft in drafts.items():
            os.replace(draft, file)
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)
