"""Text to index terms. Words alone are not enough in Chinese: bigrams and characters stand beside them.

Measured on four judged sets, nDCG@10: words .346 / .309 / .712 / .778; words + bigrams + .6 x characters
.384 / .343 / .768 / .834 (docs/quality.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.analysis.normalize import normalize
from indexer.analysis.segment import Segmenter
from indexer.records import Token
from indexer.resources import read_terms

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: a run of Han characters, or one Latin word or number (39.5 and 2.5 stay whole)
_RUN = re.compile(rf"[{_HAN}]+|[a-z0-9]+(?:\.[0-9]+)*")
_HAS_CONTENT = re.compile(r"\w")


@dataclass(frozen=True)
class Terms:
    """The terms of one text, in order of appearance, repetitions included."""

    words: tuple[str, ...]
    bigrams: tuple[str, ...]
    characters: tuple[str, ...]


class Analyzer:
    """The same for answers and questions; safe to share between threads."""

    def __init__(self, segmenter: Segmenter, question_words: Iterable[str] = ()) -> None:
        self._segmenter = segmenter
        self.question_words = frozenset(question_words)

    def terms(self, text: str) -> Terms:
        """What is indexed of a text, and what is asked for by a question."""
        normalized = normalize(text).text
        words = tuple(token.text for token in self._segmenter.cut(normalized) if _HAS_CONTENT.search(token.text))
        bigrams: list[str] = []
        characters: list[str] = []
        for run in _RUN.findall(normalized):
            if run[0].isascii():
                bigrams.append(run)
                characters.append(run)
            else:
                bigrams.extend(run[i : i + 2] for i in range(len(run) - 1))
                characters.extend(run)
        return Terms(words, tuple(bigrams), tuple(characters))

    def words(self, text: str) -> list[Token]:
        """Words with their place in the original text, for highlights."""
        normalized = normalize(text)
        return [
            Token(token.text, *normalized.original_span(token.start, token.end))
            for token in self._segmenter.cut(normalized.text)
            if _HAS_CONTENT.search(token.text)
        ]

    def content_words(self, terms: Terms) -> tuple[str, ...]:
        """The different words of a question that say what it is about, without 怎么, 请问 and the like."""
        content = tuple(dict.fromkeys(word for word in terms.words if word not in self.question_words))
        return content or tuple(dict.fromkeys(terms.words))


def load_analyzer(resources: Path, cache_dir: Path | None = None) -> Analyzer:
    """The analyzer that these resources define."""
    question_words = (resources / "lexicon" / "question_words.txt").read_text(encoding="utf-8").split()
    return Analyzer(Segmenter(read_terms(resources), cache_dir), question_words)
