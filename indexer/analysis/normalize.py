"""One normaliser for index and query: width, case, white space and invisible characters, offsets kept."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Normalized:
    """Normalised text that can lead back to the original."""

    text: str
    starts: tuple[int, ...]  #: starts[i] is where the i-th character came from in the original
    ends: tuple[int, ...]  #: ends[i] is where that piece of the original ended

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) of the normalised text as [start, end) of the original; `start < end`."""
        return self.starts[start], self.ends[end - 1]


def normalize(text: str) -> Normalized:
    """NFKC, lower case, one space for a run of white space, no invisible characters.

    Works on a base character with its combining marks at a time, so that every character of the result
    has a place in the original (Unicode Standard Annex #15 on NFKC; ㎎ becomes mg, Ａ becomes a).
    """
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        for character in _fold(text[start:end]):
            if character == " " and characters and characters[-1] == " ":
                ends[-1] = end
                continue
            characters.append(character)
            starts.append(start)
            ends.append(end)
    return Normalized("".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Spans of a base character and all after it that belong to it: marks, invisible characters, jamo."""
    spans: list[tuple[int, int]] = []
    start = 0
    before = text[:1]  # the last visible character
    for i in range(1, len(text) + 1):
        if i == len(text) or not _joins(before, text[i]):
            spans.append((start, i))
            start = i
        if i < len(text) and not _is_invisible(text[i]):
            before = text[i]
    return spans if text else []


@lru_cache(maxsize=65_536)
def _joins(before: str, character: str) -> bool:
    """Whether a character changes what stands before it; ﾞ does, though Unicode calls it no combining mark."""
    if character < "\u0300" and not _is_invisible(character):
        return False
    if unicodedata.combining(character) or _is_invisible(character):
        return True
    together = unicodedata.normalize("NFKC", before + character)
    return together != unicodedata.normalize("NFKC", before) + unicodedata.normalize("NFKC", character)


@lru_cache(maxsize=65_536)
def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc") and not character.isspace()


@lru_cache(maxsize=65_536)
def _fold(cluster: str) -> str:
    """Normal form of one cluster; repeated, because lower case can undo NFKC and the reverse."""
    folded = cluster
    for _ in range(4):
        visible = "".join(" " if c.isspace() else c for c in folded if not _is_invisible(c))
        once_more = unicodedata.normalize("NFKC", visible).lower()
        if once_more == folded:
            break
        folded = once_more
    return folded
