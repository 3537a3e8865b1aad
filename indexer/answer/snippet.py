"""The slice of an answer that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from indexer.records import Snippet, Token

_WINDOW_CHARS = 120  # about four lines on a phone
_SENTENCE = re.compile(r"[^。！？；!?;\n]+[。！？；!?;\n]*\s*")


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


def make_snippet(text: str, words: Iterable[Token], weights: Mapping[str, float]) -> Snippet:
    """The window of whole sentences, as far as they fit, that holds most of the asked words' weight.

    `words` are the text's words with their places, `weights` the asked words with their idf. The earliest of
    equal windows wins. The snippet is a slice of the text, character for character.
    """
    asked = [word for word in words if word.text in weights]
    start, end = max(_windows(text), key=lambda window: (_worth(asked, window, weights), -window[0]), default=(0, 0))
    while end > start and text[end - 1].isspace():
        end -= 1
    inside = [Token(w.text, w.start - start, w.end - start) for w in asked if start <= w.start and w.end <= end]
    return Snippet(text[start:end], highlights(inside, weights), start > 0, bool(text[end:].strip()))


def _windows(text: str) -> list[tuple[int, int]]:
    """A window from each sentence on: as many whole sentences as fit, at least a part of the first."""
    sentences = [(match.start(), match.end()) for match in _SENTENCE.finditer(text)]
    windows = []
    for i, (start, first_end) in enumerate(sentences):
        end = min(first_end, start + _WINDOW_CHARS)
        for _, next_end in sentences[i + 1 :]:
            if next_end - start > _WINDOW_CHARS:
                break
            end = next_end
        windows.append((start, end))
    return windows


def _worth(asked: list[Token], window: tuple[int, int], weights: Mapping[str, float]) -> float:
    start, end = window
    return sum(weights[word] for word in {token.text for token in asked if start <= token.start and token.end <= end})
