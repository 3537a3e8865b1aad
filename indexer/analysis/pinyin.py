"""Pinyin without tones, as people type it: 面肌痉挛 is mian ji jing luan, 绿 is lv."""

from __future__ import annotations

import re
from functools import lru_cache

#: pairs that many speakers and typists do not tell apart: zh z, ch c, sh s; ing in, eng en, ang an; n l, h f, lv lu
_ALIKE = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"ng$"), "n"),
    (re.compile(r"^n(?=[a-z])"), "l"),
    (re.compile(r"^hu?(?=[aeiou])"), "f"),
    (re.compile(r"v"), "u"),
)


@lru_cache(maxsize=200_000)
def syllables(word: str) -> tuple[str, ...]:
    """One syllable for each Han character, in the reading that the word gives it (pypinyin's phrases); a Latin word or
    number is one piece, as it is.
    """
    from pypinyin import lazy_pinyin  # its dictionaries take a fifth of a second to load

    return tuple(lazy_pinyin(word))


@lru_cache(maxsize=4_096)
def sounds_like(syllable: str) -> str:
    """A key that is equal for syllables that are often confused."""
    for pattern, other in _ALIKE:
        syllable = pattern.sub(other, syllable)
    return syllable


def initials(parts: tuple[str, ...]) -> str:
    """First letters: mjjl for mian ji jing luan."""
    return "".join(part[:1] for part in parts)
