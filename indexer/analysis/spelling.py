"""Slips of questions: pinyin, initials, homophones, and one wrong, missing, superfluous or swapped character.

Corrections come from the lexicon, weighed by how many answers hold a term (noisy channel: Kernighan, Church and Gale
1990); candidates within one edit are found by their deletions (SymSpell, Garbe 2012). A question is left alone unless
something in it speaks against it: two characters that no answer and no word has side by side.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from indexer.analysis.pinyin import initials, sounds_like, syllables
from indexer.analysis.pinyin_input import PinyinReader
from indexer.analysis.vocabulary import Word

_MAX_CHARS = 10  #: of a term that is looked for
#: what a slip costs: how seldom people make it, and how far it leads
_COSTS = {"homophone": 0.5, "swapped": 1.0, "alike": 1.2, "missing": 1.6, "superfluous": 1.8, "character": 2.0}
_MIN_INITIALS = 3
_RARE = 0.1  #: what stands in so few answers, compared with its correction, may be a slip of theirs


@dataclass(frozen=True)
class Correction:
    """One place of a normalised question that was read otherwise."""

    start: int
    end: int
    right: str
    kind: str  #: "pinyin", "initials", or a key of the costs
    others: tuple[str, ...] = ()  #: what else it may mean, likeliest first


@dataclass(frozen=True)
class Evidence:
    """What speaks for the question as it stands."""

    is_known: Callable[[str], bool]  #: a word of the dictionary, the lexicon or the index
    pair_answers: Callable[[str], int]  #: how many answers hold two characters side by side


class Speller:
    """Finds what was meant. Safe to share between threads once made."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._reader = PinyinReader(words)
        self._sounds: defaultdict[tuple[str, ...], list[Word]] = defaultdict(list)
        self._alike: defaultdict[tuple[str, ...], list[Word]] = defaultdict(list)
        self._initials: defaultdict[str, list[Word]] = defaultdict(list)
        self._deletions: defaultdict[str, list[Word]] = defaultdict(list)
        for word in words:
            if word.is_term and 2 <= len(word.text) <= _MAX_CHARS and not word.text.isascii():
                self._sounds[word.sounds].append(word)
                self._alike[tuple(map(sounds_like, word.sounds))].append(word)
                self._initials[initials(word.sounds)].append(word)
                for key in {word.text, *_deletions(word.text)}:
                    self._deletions[key].append(word)

    def corrections(self, text: str, weights: Sequence[float], taken: Sequence[tuple[int, int]], evidence: Evidence) -> list[Correction]:
        """What is to be read otherwise in a normalised question, in order.

        `weights` says how much each character is looked for (question.character_weights), `taken` which spans are terms
        of the lexicon already.
        """
        found = [*self._latin(text, evidence), *self._han(text, weights, taken, evidence)]
        return sorted(found, key=lambda correction: correction.start)

    def alternatives(self, text: str, limit: int = 3) -> list[str]:
        """The terms that one slip can have made into a text, likeliest first."""
        if text.isascii():
            readings = [self._reader.read(text) or "", *(word.text for word in self._by_initials(text))]
            return list(dict.fromkeys(filter(None, readings)))[:limit]
        ranked = sorted(self._candidates(text, syllables(text)), key=lambda pair: pair[0])
        return list(dict.fromkeys(word.text for _, _, word in ranked))[:limit]

    def _latin(self, text: str, evidence: Evidence) -> Iterator[Correction]:
        for start, end in self._reader.runs(text):
            run = text[start:end]
            if evidence.is_known(run):
                continue
            reading = self._reader.read(run, evidence.is_known)
            if reading:
                yield Correction(start, end, reading, "pinyin")
            elif words := self._by_initials(run):
                yield Correction(start, end, words[0].text, "initials", tuple(word.text for word in words[1:3]))

    def _by_initials(self, run: str) -> list[Word]:
        if len(run) < _MIN_INITIALS:
            return []
        return sorted(self._initials.get(run, ()), key=lambda word: (-word.answers, len(word.text), word.text))

    def _han(
        self, text: str, weights: Sequence[float], taken: Sequence[tuple[int, int]], evidence: Evidence
    ) -> list[Correction]:
        """The best corrections that do not overlap: those that explain most for least."""
        sounds = _place_sounds(text)
        proposed = []
        for start, end in _runs(text, weights):
            unseen = [_is_unseen(text[i : i + 2], evidence) for i in range(start, end - 1)]
            for i, j in _spans(start, end, taken):
                if evidence.is_known(text[i:j]):
                    continue
                ranked = sorted(self._candidates(text[i:j], tuple(sounds[i:j])), key=lambda pair: pair[0])
                inside = unseen[i - start : j - 1 - start]
                alone = (i, j) == (start, end)
                fitting = [pair for pair in ranked if _is_supported(text[i:j], pair[1], pair[2], inside, alone, evidence)]
                if fitting:
                    cost, kind, word = fitting[0]
                    others = tuple(other.text for _, _, other in fitting[1:3])
                    proposed.append((cost - 0.8 * (j - i), Correction(i, j, word.text, kind, others)))
        chosen: list[Correction] = []
        for _, correction in sorted(proposed, key=lambda pair: pair[0]):
            if all(correction.end <= other.start or other.end <= correction.start for other in chosen):
                chosen.append(correction)
        return chosen

    def _candidates(self, span: str, sounds: tuple[str, ...]) -> Iterator[tuple[float, str, Word]]:
        """Terms within one slip of a span, each with its cost and kind."""
        seen: set[str] = {span}
        for kind, words in (
            ("homophone", self._sounds.get(sounds, ())),
            ("alike", self._alike.get(tuple(map(sounds_like, sounds)), ())),
            (None, (word for key in (span, *_deletions(span)) for word in self._deletions.get(key, ()))),
        ):
            for word in words:
                if word.text in seen:
                    continue
                slip = kind if kind and len(word.text) == len(span) else _slip(span, word.text)
                if slip:
                    seen.add(word.text)
                    yield _COSTS[slip] - 0.3 * math.log1p(word.answers), slip, word


def _is_supported(
    span: str, kind: str, word: Word, unseen: Sequence[bool], alone: bool, evidence: Evidence
) -> bool:
    """Whether what stands there speaks against itself enough for this kind of slip; `alone`: nothing else is asked."""
    if kind == "homophone" and len(span) >= 3:
        return any(unseen) or _is_rare(span, word, evidence)
    if len(span) == 2:
        return unseen[0] and (kind == "homophone" or alone)
    if kind in ("homophone", "alike", "swapped"):
        return any(unseen)
    if kind == "missing":
        gap = next(i for i in range(len(word.text)) if i == len(span) or span[i] != word.text[i])
        return len(span) >= 3 and any(unseen[max(gap - 1, 0) : gap]) if not alone else any(unseen)
    wrong = next((i for i in range(min(len(span), len(word.text))) if span[i] != word.text[i]), len(span) - 1)
    around = unseen[max(wrong - 1, 0) : wrong + 1]
    return all(around) if not alone else any(around)


def _is_rare(span: str, word: Word, evidence: Evidence) -> bool:
    pairs = min(evidence.pair_answers(span[i : i + 2]) for i in range(len(span) - 1))
    return pairs <= _RARE * word.answers


def _is_unseen(pair: str, evidence: Evidence) -> bool:
    return evidence.pair_answers(pair) == 0 and not evidence.is_known(pair)


def _slip(span: str, term: str) -> str | None:
    """What kind of slip makes the term into the span; None when it takes more than one."""
    if len(span) == len(term):
        differ = [i for i in range(len(span)) if span[i] != term[i]]
        if len(differ) == 1:
            return "character"
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        return "swapped" if swapped and span[differ[0]] == term[differ[1]] and span[differ[1]] == term[differ[0]] else None
    if len(span) == len(term) - 1:
        return "missing" if span in _deletions(term) else None
    if len(span) == len(term) + 1:
        return "superfluous" if term in _deletions(span) else None
    return None


def _deletions(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))} if len(word) > 2 else set()


def _place_sounds(text: str) -> list[str]:
    """A syllable for each character, in the reading of its phrase."""
    parts = []
    for character, piece in zip(text, _aligned(text), strict=True):
        parts.append(piece or character)
    return parts


def _aligned(text: str) -> Iterable[str]:
    sounds: list[str] = []
    run = ""
    for character in [*text, ""]:
        if character and "\u4e00" <= character <= "\u9fff":
            run += character
            continue
        if run:
            read = syllables(run)
            sounds += read if len(read) == len(run) else [syllables(one)[0] for one in run]
            run = ""
        if character:
            sounds.append("")
    return sounds


def _runs(text: str, weights: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Runs of Han characters that say what the question is about."""
    start = None
    for i in range(len(text) + 1):
        inside = i < len(text) and weights[i] == 1.0 and "\u4e00" <= text[i] <= "\u9fff"
        if inside and start is None:
            start = i
        elif not inside and start is not None:
            if i - start >= 2:
                yield start, i
            start = None


def _spans(start: int, end: int, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places where a term may stand: none that lies within a word that is right, or cuts it in two."""
    for i in range(start, end - 1):
        for j in range(i + 2, min(end, i + _MAX_CHARS + 1) + 1):
            if all(j <= a or b <= i or (i <= a and b <= j and (i, j) != (a, b)) for a, b in taken):
                yield i, j
