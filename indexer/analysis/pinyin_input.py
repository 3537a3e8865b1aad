"""Reads what was typed as pinyin: mianji jingluan zenme zhi is 面肌痉挛怎么治.

The likeliest words that spell the letters (Viterbi over a unigram model of the index's own words).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from indexer.analysis.vocabulary import Word

_RUN = re.compile(r"[a-z]{2,}(?:[' ]+[a-z]+)*")
#: how much likelier a word is than the answers that hold it say: people ask with the words of questions, and for terms
_QUESTION_TIMES, _TERM_ANSWERS, _UNUSED_TERM_ANSWERS = 10, 40, 2
_OVER_A_SPACE = 2.0  #: what it costs a word to go on where the writer left a space
_MIN_SYLLABLES = 2


def runs(text: str) -> Iterator[tuple[int, int]]:
    """Where letters stand that may be pinyin."""
    return ((match.start(), match.end()) for match in _RUN.finditer(text))


class PinyinReader:
    """Letters to words. Safe to share between threads once made."""

    def __init__(self, words: Iterable[Word]) -> None:
        best: dict[str, tuple[float, str]] = {}
        terms: defaultdict[str, list[Word]] = defaultdict(list)
        total = 0.0
        for word in words:
            frequency = _frequency(word)
            total += frequency
            letters = "".join(word.sounds)
            if not (letters.isascii() and letters.isalpha()) or word.text.isascii():
                continue
            if word.is_term:
                terms[letters].append(word)
            if letters not in best or frequency > best[letters][0]:
                best[letters] = (frequency, word.text)
        self._total = total
        # texts only: the words themselves would take three times the memory
        self._best = best
        self._terms = {
            letters: tuple(word.text for word in sorted(spelt, key=lambda w: (not w.is_name, -_frequency(w), w.text)))
            for letters, spelt in terms.items()
        }
        self._longest = max(map(len, best), default=0)
        self._by_start: defaultdict[str, set[int]] = defaultdict(set)  #: first two letters -> lengths that occur
        for letters in best:
            self._by_start[letters[:2]].add(len(letters))

    def terms(self, run: str) -> list[str]:
        """The terms that letters spell as a whole, likeliest first: 精液, 静夜."""
        return list(self._terms.get(re.sub(r"[' ]+", "", run), ()))

    def read(self, run: str, is_known: Callable[[str], bool] = lambda word: False) -> str | None:
        """What letters spell, or None; pieces between spaces that are words themselves (hpv) stay."""
        letters = re.sub(r"[' ]+", "", run)
        breaks = _breaks(run)
        kept = {(a, b) for a, b in pairwise(breaks) if is_known(letters[a:b])}
        # best[i]: likelihood of the letters up to i, where the last word begins, and the word
        best: list[tuple[float, int, str] | None] = [None] * (len(letters) + 1)
        best[0] = (0.0, 0, "")
        for i in range(len(letters)):
            here = best[i]
            if here is None:
                continue
            for j, weight, text in self._words_from(letters, i, kept):
                weight -= _OVER_A_SPACE * sum(i < edge < j for edge in breaks) * (len(breaks) > 2)
                reached = best[j]
                if reached is None or here[0] + weight > reached[0]:
                    best[j] = (here[0] + weight, i, text)
        return self._told(best, letters)

    def _words_from(self, letters: str, i: int, kept: set[tuple[int, int]]) -> Iterator[tuple[int, float, str]]:
        for a, b in kept:
            if a == i:
                yield b, -5.0, letters[a:b]
        for length in {*self._by_start.get(letters[i : i + 2], ()), *self._by_start.get(letters[i : i + 1], ())}:
            if word := self._best.get(letters[i : i + length]) if i + length <= len(letters) else None:
                yield i + length, math.log(word[0] / self._total), word[1]

    def _told(self, best: Sequence[tuple[float, int, str] | None], letters: str) -> str | None:
        words: list[str] = []
        place = len(letters)
        while place:
            step = best[place]
            if step is None:
                return None
            words.append(step[2])
            place = step[1]
        han = [word for word in words if not word.isascii()]
        enough = sum(map(len, han)) >= _MIN_SYLLABLES and any(len(word) >= 2 for word in han)
        return "".join(reversed(words)) if enough else None


def _frequency(word: Word) -> float:
    """How often a word may be typed."""
    bonus = (_TERM_ANSWERS if word.answers else _UNUSED_TERM_ANSWERS) if word.is_term else 0
    return word.answers + _QUESTION_TIMES * word.questions + bonus + 0.5


def _breaks(run: str) -> list[int]:
    """Where the pieces of a run begin and end, counted in letters only."""
    breaks = [0]
    for piece in re.split(r"[' ]+", run):
        breaks.append(breaks[-1] + len(piece))
    return breaks
