"""What every judged question scored in the last release: set, question and nDCG@10, and no word of the question."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import EvaluationError, cause_of

DECIMALS = 4
_HEADER = re.compile(r"# yiwen (?P<version>\S+), (?P<date>\d{4}-\d\d-\d\d): ")
_COLUMNS = "set\tquestion\tndcg_at_10"


@dataclass(frozen=True)
class Release:
    """Set -> question -> nDCG@10, in four decimals."""

    version: str
    date: str
    scores: Mapping[str, Mapping[str, float]]


def read_release(file: Path) -> Release:
    """Raises EvaluationError naming the line."""
    try:
        header, columns, *lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise EvaluationError(f"上一版本的分数 {file} 无法读取：{cause_of(error)}。") from error
    except ValueError as error:  # two lines at least, in UTF-8
        raise EvaluationError(f"上一版本的分数 {file} 不是 UTF-8 文本，或者没有表头。") from error
    found = _HEADER.match(header)
    if not found or columns != _COLUMNS:
        raise EvaluationError(f"上一版本的分数 {file} 的表头应写明版本、日期和各列。")
    scores: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines, 3):
        if not line:
            continue
        try:
            name, question, text = line.split("\t")
            score = float(text)
        except ValueError as error:
            raise EvaluationError(f"{file} 第 {number} 行应是“集合、问题号、分数”三列。") from error
        questions = scores.setdefault(name, {})
        if question in questions or math.isnan(score) or not 0 <= score <= 1:
            raise EvaluationError(f"{file} 第 {number} 行的问题“{question}”重复，或者分数 {text} 不在 0 和 1 之间。")
        questions[question] = score
    return Release(found["version"], found["date"], scores)


def formatted(release: Release) -> str:
    """The file's text. Sets and questions are sorted, so that versions of it can be compared line by line."""
    header = f"# yiwen {release.version}, {release.date}: nDCG@10 of each judged question, for paired comparison."
    rows = [
        f"{name}\t{question}\t{score:.{DECIMALS}f}"
        for name, questions in sorted(release.scores.items())
        for question, score in sorted(questions.items())
    ]
    return "\n".join([f"{header} Written by scripts/pin_quality.py.", _COLUMNS, *rows, ""])
