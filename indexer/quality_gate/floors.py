"""The least that a ranking must reach on each judged set. A floor falls only on purpose, and says why beside it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import EvaluationError, cause_of

#: names of measures in the file, and how people write them
MEASURES = {"ndcg_at_10": "nDCG@10", "p_at_1": "P@1"}
#: what else may be given up on purpose: scores of single questions that are significantly worse than the release's
RELEASE = "release"


@dataclass(frozen=True)
class Lowered:
    """A floor, or the release's mean, that was given up on purpose."""

    measure: str  #: one of MEASURES, or RELEASE
    was: float
    to: float
    date: str
    reason: str


@dataclass(frozen=True)
class Floor:
    """The floors of one set: measure -> least value, and what was given up."""

    least: Mapping[str, float]
    lowered: tuple[Lowered, ...] = ()


def read_floors(file: Path) -> dict[str, Floor]:
    """Floors by the names of their sets. Raises EvaluationError naming what is wrong, and where."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvaluationError(f"质量下限 {file} 无法读取：{cause_of(error)}。") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EvaluationError(f"质量下限 {file} 不是有效的 TOML：{error}") from error
    floors = {}
    for name, table in content.items():
        try:
            floors[name] = _floor(table)
        except (ValueError, TypeError, AttributeError) as error:
            raise EvaluationError(f"质量下限 {file} 中 [{name}] 有误：{error}") from error
    return floors


def _floor(table: Any) -> Floor:
    least = {name: _share(value) for name, value in table.items() if name != "lowered"}
    unknown = least.keys() - MEASURES.keys()
    if unknown or "ndcg_at_10" not in least:
        raise ValueError(f"应有 ndcg_at_10，可有 p_at_1，却是 {'、'.join(least) or '空的'}。")
    return Floor(least, tuple(_lowered(note) for note in table.get("lowered", [])))


def _lowered(note: Any) -> Lowered:
    lowered = Lowered(**note)
    if lowered.measure not in (*MEASURES, RELEASE) or not all(
        isinstance(text, str) and text.strip() for text in (lowered.date, lowered.reason)
    ):
        raise ValueError(f"lowered 应写明 measure、date 和 reason，却是 {note}。")
    _share(lowered.was)
    _share(lowered.to)
    return lowered


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"下限应在 0 和 1 之间，却是 {value!r}。")
    return float(value)


def shortfalls(name: str, floor: Floor, measured: Mapping[str, float]) -> list[str]:
    """A sentence for each measure of a set that is below its floor, or was not measured."""
    sentences = []
    for measure, least in floor.least.items():
        value = measured.get(measure, math.nan)
        if not value >= least:  # not a number is below any floor
            found = "没有测得" if math.isnan(value) else f"测得 {value:.4f}，低 {least - value:.4f}"
            sentences.append(f"{name} 的 {MEASURES[measure]} 低于下限：下限 {least:.3f}，{found}。")
    return sentences
