"""From a question as typed to what is searched: its slips read otherwise, unless it is to be taken as it stands."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import Analyzer, QuestionTerms
from indexer.analysis.lexicon import Lexicon
from indexer.analysis.spelling import Correction, Evidence, Speller, is_in_doubt
from indexer.analysis.suggest import Suggester, Suggestion, load_suggestion_rules
from indexer.analysis.vocabulary import read_vocabulary
from indexer.errors import BadQuery
from indexer.store.base import Store
from indexer.store.impacts import Impacts, keys_of

_MAX_VERBATIM = 200  #: answers that are looked at for what was typed letter for letter


@dataclass(frozen=True)
class Asked:
    """A question, understood."""

    terms: QuestionTerms
    corrected: str | None = None  #: what is searched instead of what was typed
    others: tuple[str, ...] = ()  #: what else it may mean
    typed: tuple[str, ...] = ()  #: the places that were read otherwise, as they were typed


class Understanding:
    """Understands questions to one generation. Safe to share between threads."""

    def __init__(self, folder: Path, analyzer: Analyzer, store: Store, impacts: Impacts) -> None:
        self._folder = folder
        self._analyzer = analyzer
        self._store = store
        self._impacts = impacts
        self._lock = threading.Lock()
        self._speller: Speller | None = None
        self._suggester: Suggester | None = None

    @property
    def lexicon(self) -> Lexicon:
        """The lexicon of the generation."""
        return self._analyzer.lexicon

    def ask(self, text: str, as_typed: bool = False) -> Asked:
        """Raises BadQuery for a question in which there is nothing to search for."""
        asked = self._analyzer.question_terms(text)
        if as_typed or not self._is_in_doubt(asked):
            return Asked(self._searchable(asked))
        corrections = self._corrections(asked)
        if not corrections:
            return Asked(self._searchable(asked), others=tuple(self._alternatives(asked)))
        corrected = corrected_text(asked.text, corrections)
        others = tuple(
            corrected_text(asked.text, [Correction(one.start, one.end, other, one.kind)])
            for one in corrections[:1]
            for other in one.others
        )
        typed = tuple(asked.text[one.start : one.end] for one in corrections)
        return Asked(self._searchable(self._analyzer.question_terms(corrected)), corrected, others, typed)

    def _alternatives(self, asked: QuestionTerms) -> list[str]:
        """What a question of a word that nobody knows may mean, though nothing is sure enough to search for it."""
        return [] if self._is_known(asked.text) else self.speller().alternatives(asked.text)

    def speller(self) -> Speller:
        """The speller, made when the first slip may have been met: that takes a second."""
        with self._lock:
            if self._speller is None:
                terms = list(read_vocabulary(self._folder, terms_only=True))
                self._speller = Speller(self._analyzer.slips(terms), terms, partial(read_vocabulary, self._folder))
            return self._speller

    def warm(self) -> None:
        """Load everything that is loaded when it is first needed."""
        self.suggest("面", 1)
        self.speller().alternatives("mianji")  # letters need all words by their sounds

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        """What a question may become."""
        corrections = self.speller().alternatives
        with self._lock:
            if self._suggester is None:
                rules = load_suggestion_rules(self._folder / "resources")
                self._suggester = Suggester(self._folder, self._analyzer.lexicon, rules, corrections)
        return self._suggester.suggest(typed, limit)

    def holding(self, typed: Sequence[str]) -> NDArray[np.int32]:
        """Documents with these words letter for letter, though they were taken for slips."""
        found = [np.empty(0, np.int32)]
        for word in typed:
            if word.isascii():
                continue
            documents = self._documents_with_pairs(word)[:_MAX_VERBATIM]
            answers = ((document, self._store.answer(int(document))) for document in documents)
            holding = [
                d
                for d, answer in answers
                if word in self._analyzer.normalized(f"{answer.question}\n{answer.text}").text
            ]
            found.append(np.array(holding, np.int32))
        return np.unique(np.concatenate(found))

    def _documents_with_pairs(self, word: str) -> NDArray[np.int32]:
        per_pair = [self._impacts.documents_with("bigrams", word[i : i + 2]) for i in range(len(word) - 1)]
        documents = per_pair[0]
        for others in per_pair[1:]:
            documents = np.intersect1d(documents, others)
        return documents

    def _searchable(self, asked: QuestionTerms) -> QuestionTerms:
        if not any(map(str.isalnum, asked.text)):
            raise BadQuery("问题里没有可以检索的文字；请写上疾病或症状的名称，例如：面肌痉挛怎么治。")
        if asked.entity and not self._answers_with("words", asked.entity):
            return self._analyzer.with_near_terms(asked)
        return asked

    def _is_in_doubt(self, asked: QuestionTerms) -> bool:
        """Whether a slip would explain something. Without one there is no need of a speller, which takes a second."""
        return is_in_doubt(asked.text, asked.weights, _taken(asked), self._evidence(asked))

    def _corrections(self, asked: QuestionTerms) -> list[Correction]:
        return self.speller().corrections(asked.text, asked.weights, _taken(asked), self._evidence(asked))

    def _evidence(self, asked: QuestionTerms) -> Evidence:
        return Evidence(self._is_known, self._pair_answers, self._analyzer.dictionary_words(asked.text))

    def _is_known(self, word: str) -> bool:
        return self._analyzer.is_word(word) or self._answers_with("words", word) > 0

    def _pair_answers(self, pair: str) -> int:
        return self._answers_with("bigrams", pair)

    def _answers_with(self, kind: str, term: str) -> int:
        return int(self._impacts.answers_with(kind, keys_of([term]))[0])


def _taken(asked: QuestionTerms) -> list[tuple[int, int]]:
    return [(mention.start, mention.end) for mention in asked.mentions]


def corrected_text(text: str, corrections: Sequence[Correction]) -> str:
    """The text with each correction in its place."""
    for correction in sorted(corrections, key=lambda one: -one.start):
        text = text[: correction.start] + correction.right + text[correction.end :]
    return text
