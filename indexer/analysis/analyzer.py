"""Text to index terms. Words alone are not enough in Chinese: bigrams and characters stand beside them.

What each adds, measured on four judged sets, stands in docs/quality.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.analysis.aspects import Aspects, find_aspects, load_aspects
from indexer.analysis.normalize import normalize
from indexer.analysis.segment import Segmenter
from indexer.records import Token
from indexer.resources import read_question_words, read_terms

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


@dataclass(frozen=True)
class QuestionTerms:
    """What is asked for by a question."""

    terms: Terms  #: the question's own, and the names of aspects that it asks about in other words
    content_words: tuple[str, ...]  #: its own different words that say what it is about; empty for 怎么办 alone
    aspects: tuple[str, ...]


class Analyzer:
    """The same for answers and questions; safe to share between threads."""

    def __init__(self, segmenter: Segmenter, question_words: Iterable[str], aspects: Aspects) -> None:
        self._segmenter = segmenter
        self._question_words = frozenset(question_words)
        self._aspects = aspects

    def terms(self, text: str) -> Terms:
        """What is indexed of a text."""
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

    def question_terms(self, question: str) -> QuestionTerms:
        """What is asked for: the same terms, and the one difference between the two sides, aspects by their names."""
        own = self.terms(question)
        aspects = find_aspects(self._aspects, normalize(question).text)
        added = [self.terms(aspect) for aspect in aspects if aspect not in own.words]
        terms = Terms(
            own.words + tuple(word for extra in added for word in extra.words),
            own.bigrams + tuple(bigram for extra in added for bigram in extra.bigrams),
            own.characters,
        )
        content_words = tuple(word for word in dict.fromkeys(own.words) if word not in self._question_words)
        return QuestionTerms(terms, content_words, aspects)


def load_analyzer(resources: Path, cache_dir: Path | None = None) -> Analyzer:
    """The analyzer that these resources define."""
    segmenter = Segmenter(read_terms(resources), cache_dir)
    return Analyzer(segmenter, read_question_words(resources), load_aspects(resources))
