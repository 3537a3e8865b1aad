"""What two texts differ in, for showing them side by side."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

#: up to so many characters together texts are compared letter by letter, which takes the square of their length
_MAX_LETTERWISE_CHARS = 1_000
#: of longer ones clauses are compared, with what ends them
_CLAUSE = re.compile(r"[^，。；！？、：,;!?:\n]*[，。；！？、：,;!?:\n]?")


@dataclass(frozen=True)
class TextPart:
    """A piece of a text."""

    text: str
    is_changed: bool  #: the other text has something else here, or nothing


def changed_parts(before: str, after: str) -> tuple[tuple[TextPart, ...], tuple[TextPart, ...]]:
    """Both texts in pieces, which put together are the texts again."""
    letterwise = len(before) + len(after) <= _MAX_LETTERWISE_CHARS
    old: Sequence[str] = before if letterwise else _clauses(before)
    new: Sequence[str] = after if letterwise else _clauses(after)
    parts: tuple[list[TextPart], list[TextPart]] = ([], [])
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for part, pieces in zip(parts, (old[a:b], new[c:d]), strict=True):
            if pieces:
                part.append(TextPart("".join(pieces), kind != "equal"))
    return tuple(parts[0]), tuple(parts[1])


def _clauses(text: str) -> list[str]:
    return [match[0] for match in _CLAUSE.finditer(text) if match[0]]
