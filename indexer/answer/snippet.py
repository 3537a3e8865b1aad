"""The slice of an answer that shows why it was found."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from indexer.records import Snippet, Token

_WINDOW_CHARS = 120  # about four lines on a phone
#: a sentence, or a clause of one that is longer than a window; each reaches up to the next, so that all text is in one
_SENTENCE = re.compile(r"[。！？；!?;\n]*.*?(?:[。！？；!?;\n]+\s*|$)", re.DOTALL)
_CLAUSE = re.compile(rf".{{1,{_WINDOW_CHARS}}}?(?:[，、：,:]\s*|$)|.{{1,{_WINDOW_CHARS}}}", re.DOTALL)


def highlights(words: Iterable[Token], weights: Mapping[str, float]) -> tuple[tuple[int, int], ...]:
    """Places of the asked words in a text, overlapping or touching ones joined."""
    spans: list[tuple[int, int]] = []
    for word in sorted(words, key=lambda token: (token.start, token.end)):
        if word.text not in weights:
            continue
        if spans and word.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], word.end))
        else:
            spans.append((word.start, word.end))
    return tuple(spans)


def make_snippet(text: str, cut: Callable[[str], Sequence[Token]], weights: Mapping[str, float]) -> Snippet:
    """The window of whole sentences, as far as they fit, that holds most of the asked words' weight.

    `weights` are the asked words with their weights; `cut` gives the words of a text with their places and sees
    only the chosen window, for cutting a long answer costs more than finding it. Of equal windows the first wins
    that begins with a sentence about the matter. The snippet is a slice of the text, character for character.
    """
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text  # İ becomes two characters
    places = sorted((start, start + len(word), word) for word in weights for start in _places(word, lowered))
    starts = [start for start, _, _ in places]

    def worth(window: tuple[int, int, int]) -> tuple[float, bool, int]:
        start, end, first_end = window
        inside = [place for place in places[bisect_left(starts, start) : bisect_left(starts, end)] if place[1] <= end]
        opens = any(place[1] <= first_end for place in inside)
        return sum(weights[word] for word in {word for _, _, word in inside}), opens, -start

    start, end, _ = max(_windows(text), key=worth, default=(0, 0, 0))
    while end > start and text[end - 1].isspace():
        end -= 1
    shown = text[start:end]
    return Snippet(shown, highlights(cut(shown), weights), bool(text[:start].strip()), bool(text[end:].strip()))


def _places(word: str, text: str) -> Iterator[int]:
    """Where a word begins in a text."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _windows(text: str) -> list[tuple[int, int, int]]:
    """A window from each unit on, as many whole units as fit: its start, its end, and where its first unit ends."""
    units = _units(text)
    windows = []
    for i, (start, first_end) in enumerate(units):
        end = first_end
        for _, next_end in units[i + 1 : i + 1 + _WINDOW_CHARS]:
            if next_end - start > _WINDOW_CHARS:
                break
            end = next_end
        windows.append((start, end, first_end))
    return windows


def _units(text: str) -> list[tuple[int, int]]:
    """Spans of sentences, and of the clauses of those that fit no window; white space alone is none."""
    units = []
    for sentence in _SENTENCE.finditer(text):
        start, end = sentence.span()
        if end - start <= _WINDOW_CHARS:
            units.append((start, end))
        else:
            units.extend(clause.span() for clause in _CLAUSE.finditer(text, start, end))
    return [(start, end) for start, end in units if text[start:end].strip()]
