"""One normaliser for index and query: width, case, traditional characters, white space and invisible characters,
offsets kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC

_NOT_PLAIN = "\ufffe"  #: never a character
#: what OpenCC leaves alone because it is right in some words; in questions and answers it is the other thing
_VARIANTS = (
    (re.compile("著(?![名作称述者录书])"), "着"),
    (re.compile("甚么"), "什么"),
)


@dataclass(frozen=True)
class Normalized:
    """Normalised text that can lead back to the original."""

    text: str
    starts: tuple[int, ...]  #: starts[i] is where the i-th character came from in the original
    ends: tuple[int, ...]  #: ends[i] is where that piece of the original ended

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) of the normalised text as [start, end) of the original; `start < end`."""
        return self.starts[start], self.ends[end - 1]

    def replaced(self, pattern: re.Pattern[str], words: Mapping[str, str]) -> Normalized:
        """With each match of the pattern as the word that `words` gives for it; it leads back to the whole match."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            word = words[match[0]]
            text += [self.text[done : match.start()], word]
            starts += [*self.starts[done : match.start()], *[self.starts[match.start()]] * len(word)]
            ends += [*self.ends[done : match.start()], *[self.ends[match.end() - 1]] * len(word)]
            done = match.end()
        if not done:
            return self
        text.append(self.text[done:])
        return Normalized("".join(text), (*starts, *self.starts[done:]), (*ends, *self.ends[done:]))


def normalize(text: str) -> Normalized:
    """NFKC, lower case, simplified characters, one space for a run of white space, no invisible characters.

    Works on a base character with its combining marks at a time, so that every character of the result
    has a place in the original (Unicode Standard Annex #15 on NFKC; ㎎ becomes mg, Ａ becomes a).
    """
    plain = text.translate(_PLAIN)
    if _NOT_PLAIN not in plain and "  " not in plain:  # as most texts: one character for one, none hidden or joined
        return Normalized(_simplified(plain), tuple(range(len(text))), tuple(range(1, len(text) + 1)))
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
    return Normalized(_simplified("".join(characters)), tuple(starts), tuple(ends))


def _simplified(text: str) -> str:
    """In simplified characters, one for one, words seen whole (OpenCC's t2s: 頭髮 头发, 發熱 发热)."""
    if text.isascii():
        return text
    simplified: str = _converter().convert(text)
    if len(simplified) != len(text):  # no entry of its tables does so today; offsets must hold all the same
        single = ((character, _converter().convert(character)) for character in text)
        simplified = "".join(after if len(after) == 1 else before for before, after in single)
    for pattern, word in _VARIANTS:
        simplified = pattern.sub(word, simplified)
    return simplified


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


class _Plain(dict[int, str]):
    """The folded form of each character that folds alone, whatever stands beside it; else a mark that it does not."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _fold(character)
        alone = len(folded) == 1 and not any(
            _joins(before, character) or _joins(character, before) for before in ("a", "か", "\u1100", character)
        )
        self[code] = folded if alone and not unicodedata.combining(character) else _NOT_PLAIN
        return self[code]


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


#: what `normalize` can do at once, filled as characters are met
_PLAIN = _Plain()
