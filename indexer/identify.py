"""Ids of answers that bring none: the same for the same answer, however often the corpus is indexed."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

from indexer.analysis.normalize import normalize
from indexer.records import Kind, Page


def with_ids(page: Page) -> Page:
    """The page with an id for each answer that has none.

    First 16 hex digits of SHA-256 over the page's address (or its path in the corpus), kind, normalised question,
    and ordinal among equals.
    """
    seen: Counter[tuple[str, Kind, str]] = Counter()
    identified = []
    for answer in page.answers:
        key = (answer.url or answer.page, answer.kind, normalize(answer.question).text)
        digest = hashlib.sha256("\x1f".join([*key, str(seen[key])]).encode()).hexdigest()
        identified.append(answer if answer.id else replace(answer, id=digest[:16]))
        seen[key] += 1
    return replace(page, answers=tuple(identified))
