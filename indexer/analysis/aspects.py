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
    try:
        return {
            aspect: tuple(re.compile(pattern) for pattern in content["patterns"])
            for aspect, content in read_toml(file).items()
        }
    except (re.error, KeyError, TypeError) as error:
        raise ResourceError(f"方面规则 {file} 有误：{error}") from error


def find_aspects(aspects: Aspects, question: str) -> tuple[str, ...]:
    """All aspects that a normalised question asks about, in the order of the file."""
    return tuple(
        aspect
        for aspect, patterns in aspects.items()
        if aspect in question or any(pattern.search(question) for pattern in patterns)
    )
