"""How much worse than the served generation a new one may be, as data: `quality/gate.toml` of the resources."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

from indexer.errors import ResourceError
from indexer.resources import read_toml

FILE = "quality/gate.toml"


@dataclass(frozen=True)
class Bounds:
    """The file says what each number means and where it comes from."""

    min_kept_answers: float
    min_kept_of_site: float
    site_size: int
    vanished_size: int
    max_more_charset_failures: float
    min_charset_failures: int
    max_more_unreadable: float
    max_removed_share_change: float
    max_text_length_ratio: float
    max_more_cut_off: float
    max_garbled: float
    max_more_garbled: float
    max_leaks: float
    max_more_leaks: float
    max_more_of_site: float
    min_found: int
    max_more_doubled_pages: float
    max_more_copies: float
    min_doubled: int
    max_judged_drop: float
    min_questions: int
    max_more_without_result: float
    max_latency_ratio: float
    min_slower_ms: float
    min_kept_lexicon: float
    judged_sample: int
    asked_sample: int
    answers_of_site_sample: int
    answers_sample: int


def read_bounds(resources: Path) -> Bounds:
    """Raises ResourceError when a number is missing, unknown or none."""
    file = resources / FILE
    content = read_toml(file)
    known = {field.name: field.type for field in fields(Bounds)}
    if wrong := sorted(known.keys() ^ content.keys()):
        what = "没有" if wrong[0] in known else "有不认识的"
        raise ResourceError(f"质量门槛文件 {file} 中{what} {wrong[0]} 一项。")
    for name, value in content.items():
        whole = known[name] == "int"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ResourceError(f"质量门槛文件 {file} 中的 {name} 应是{'整数' if whole else '数'}，却是 {value!r}。")
        if not math.isfinite(value) or value < 0:
            raise ResourceError(f"质量门槛文件 {file} 中的 {name} 不能是 {value}。")
    return Bounds(**content)
