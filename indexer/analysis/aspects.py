"""Which aspect of a disease a question asks about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from indexer.errors import ResourceError
from indexer.resources import read_toml

#: aspect -> patterns over the normalised question
Aspects = Mapping[str, tuple[re.Pattern[str], ...]]


def load_aspects(resources: Path) -> Aspects:
    """Read `lexicon/aspects.toml`. Raises ResourceError for a pattern that is none."""
    file = resources / "lexicon" / "aspects.toml"
    aspects: dict[str, tuple[re.Pattern[str], ...]] = {}
    for aspect, content in read_toml(file).items():
        patterns = content.get("patterns") if isinstance(content, dict) else None
        if not isinstance(patterns, list):
            raise ResourceError(f"方面规则 {file} 中“{aspect}”应有一个 patterns 列表。")
        try:
            aspects[aspect] = tuple(re.compile(pattern) for pattern in patterns)
        except (re.error, TypeError) as error:
            raise ResourceError(f"方面规则 {file} 中“{aspect}”的正则表达式有误：{error}") from error
    return aspects


def find_aspects(aspects: Aspects, question: str) -> tuple[str, ...]:
    """All aspects that a normalised question asks about, in the order of the file."""
    return tuple(
        aspect
        for aspect, patterns in aspects.items()
        if aspect in question or any(pattern.search(question) for pattern in patterns)
    )
