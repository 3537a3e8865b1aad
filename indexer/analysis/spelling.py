"""Slips of questions: pinyin, initials, homophones, and one wrong, missing, superfluous or swapped character.

Corrections come from the lexicon, weighed by how many answers hold a term (noisy channel: Kernighan, Church and Gale
1990); candidates within one edit are found by their deletions (SymSpell, Garbe 2012). A question is left alone unless
something in it speaks against it: two characters that no answer and no word has side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

from indexer.analysis.pinyin import initials, sounds_like, syllables
from indexer.analysis.pinyin_input import PinyinReader, runs
from indexer.analysis.vocabulary import Word

Key = TypeVar("Key")

_MAX_CHARS = 16  #: of a term that is looked for
#: what a slip costs: how seldom people make it, and how far it leads
_COSTS = {"homophone": 0.5, "swapped": 0.6, "alike": 1.2, "missing": 0.6, "character": 2.0, "superfluous": 3.5}
_FURTHER_COST = 0.6  #: more, for each further character that only sounds so
_HALF_COST = 1.0  #: more, when one of only two characters is said to be wrong
_ALIAS_COST = 1.5  #: another word for a term is meant less often than its name
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
    words: Sequence[tuple[int, int]]  #: spans of the dictionary's words in it, the rest character by character


@dataclass(frozen=True)
class Reading:
    """A term that one slip can have made into what was typed."""

    cost: float
    kind: str  #: a key of the costs
    word: Word
    answers: int  #: how many hold it


class SlipIndex:
    """The terms of a lexicon by what slips leave of them. Takes a second to make; the same for all generations."""

    def __init__(self, words: Iterable[Word]) -> None:
        fitting = (word for word in words if word.is_term and not word.text.isascii())
        self.terms = {word.text: word for word in fitting if 2 <= len(word.text) <= _MAX_CHARS}
        terms = self.terms.values()
        self.sounds = _by((word.sounds, word) for word in terms)
        self.alike = _by((tuple(map(sounds_like, word.sounds)), word) for word in terms)
        self.initials = _by((initials(word.sounds), word) for word in terms)
        self.deletions = _by((key, word) for word in terms for key in _deletions(word.text))
        #: names of two characters by each
        names = [word for word in terms if len(word.text) == 2 and word.is_name]
        self.halves = _by(((word.text[place], place), word) for word in names for place in (0, 1))


def _by(pairs: Iterable[tuple[Key, Word]]) -> Mapping[Key, tuple[Word, ...]]:
    """The words of each key; tuples, which take half of what lists do."""
    found: dict[Key, tuple[Word, ...]] = {}
    for key, word in pairs:
        found[key] = (*found.get(key, ()), word)
    return found


def is_in_doubt(text: str, weights: Sequence[float], taken: Sequence[tuple[int, int]], evidence: Evidence) -> bool:
    """Whether there is anything for `Speller.corrections` to explain: nothing where a question is made of terms of the
    lexicon, asking words and single characters between these, and where no unknown word is.
    """
    searched = [weight == 1.0 for weight in weights]
    explained = {place for start, end in taken for place in range(start, end)}
    unexplained = (i for i in range(len(text)) if searched[i] and i not in explained)
    if taken and not any(any(searched[max(i - 1, 0) : i] + searched[i + 1 : i + 2]) for i in unexplained):
        return False
    edges = {edge for word in evidence.words for edge in word}
    spans = ((i, j) for i, j in _spans(text, weights, taken) if {i, j} <= edges)
    whole = 2 <= len(text) <= _MAX_CHARS + 1 and all(map(_is_han, text)) and not evidence.is_known(text)
    return (
        whole
        or any(not evidence.is_known(text[start:end]) for start, end in runs(text))
        or any(not evidence.is_known(text[i:j]) for i, j in spans)
    )


class Speller:
    """Finds what was meant in questions to one generation. Safe to share between threads once made."""

    def __init__(self, slips: SlipIndex, terms: Iterable[Word], read_words: Callable[[], Iterable[Word]]) -> None:
        """`terms`: those of the generation's vocabulary; `read_words` gives all of it, when letters are met first."""
        self._slips = slips
        self._read_words = read_words
        self._answers = {term.text: term.answers for term in terms if term.answers}

    @cached_property
    def _reader(self) -> PinyinReader:
        return PinyinReader(self._read_words())

    def corrections(
        self,
        text: str,
        weights: Sequence[float],
        taken: Sequence[tuple[int, int]],
        evidence: Evidence,
    ) -> list[Correction]:
        """What is to be read otherwise in a normalised question, in order.

        `weights` says how much each character is looked for (question.character_weights), `taken` which spans are terms
        of the lexicon already.
        """
        if whole := self._whole(text, evidence):
            return [whole]
        found = [*self._latin(text, evidence), *self._han(text, weights, taken, evidence)]
        return sorted(found, key=lambda correction: correction.start)

    def alternatives(self, text: str, limit: int = 3) -> list[str]:
        """The terms that one slip can have made into a normalised text, likeliest first."""
        if text.isascii():
            spelt = [self._reader.read(text) or "", *self._reader.terms(text)]
            readings = [*spelt, *(word.text for word in self._by_initials(text))]
            return list(dict.fromkeys(filter(None, readings)))[:limit]
        if len(text) > _MAX_CHARS + 1 or text in self._slips.terms:
            return []
        return [reading.word.text for reading in self._ranked(text, tuple(_place_sounds(text)))][:limit]

    def _whole(self, text: str, evidence: Evidence) -> Correction | None:
        """The term that the whole of a question is but for one slip."""
        if not 2 <= len(text) <= _MAX_CHARS + 1 or evidence.is_known(text) or not all(map(_is_han, text)):
            return None
        unseen = [_is_unseen(text[i : i + 2], evidence) for i in range(len(text) - 1)]
        ranked = self._ranked(text, tuple(_place_sounds(text)))
        fitting = [reading for reading in ranked if _is_supported_alone(text, reading, unseen, evidence)]
        if not fitting or (len(text) == 2 and fitting[0].kind == "character" and len(fitting) > 1):
            return None  # half of a word of two characters says too little to choose by
        words = list(dict.fromkeys(reading.word.text for reading in [*fitting, *ranked]))
        return Correction(0, len(text), words[0], fitting[0].kind, tuple(words[1:3]))

    def _latin(self, text: str, evidence: Evidence) -> Iterator[Correction]:
        for start, end in runs(text):
            run = text[start:end]
            if evidence.is_known(run):
                continue
            reading = self._reader.read(run, evidence.is_known)
            if reading:
                others = [term for term in self._reader.terms(run) if term != reading]
                yield Correction(start, end, reading, "pinyin", tuple(others[:2]))
            elif run == text and (words := self._by_initials(run)):
                yield Correction(start, end, words[0].text, "initials", tuple(word.text for word in words[1:3]))

    def _by_initials(self, run: str) -> list[Word]:
        if len(run) < _MIN_INITIALS:
            return []
        words = self._slips.initials.get(run, ())
        return sorted(words, key=lambda word: (not word.is_name, -self._answers_with(word), len(word.text), word.text))

    def _han(
        self, text: str, weights: Sequence[float], taken: Sequence[tuple[int, int]], evidence: Evidence
    ) -> list[Correction]:
        """The best corrections that do not overlap: those that explain most for least."""
        sounds = _place_sounds(text)
        edges = {edge for word in evidence.words for edge in word}
        singles = {start for start, end in evidence.words if end - start == 1}
        proposed = []
        ranked_as = cache(self._ranked)  # a question may say the same many times
        is_known = cache(evidence.is_known)
        for i, j in _spans(text, weights, taken):
            if not {i, j} <= edges or is_known(text[i:j]):
                continue
            ranked = ranked_as(text[i:j], tuple(sounds[i:j]))
            unseen = [_is_unseen(text[k : k + 2], evidence) for k in range(i, j - 1)] if ranked else []
            strange = [k in singles for k in range(i, j)]
            fitting = [one for one in ranked if _is_supported(text[i:j], one, unseen, strange, evidence)]
            if fitting:
                best, *others = fitting[:3]
                also = tuple(other.word.text for other in others)
                proposed.append((best.cost - 0.8 * (j - i), Correction(i, j, best.word.text, best.kind, also)))
        chosen: list[Correction] = []
        for _, correction in sorted(proposed, key=lambda pair: pair[0]):
            if all(correction.end <= other.start or other.end <= correction.start for other in chosen):
                chosen.append(correction)
        return chosen

    def _ranked(self, span: str, sounds: tuple[str, ...]) -> list[Reading]:
        """What a span may be but for one slip, likeliest first."""
        found: dict[str, Reading] = {}
        for word, slip in self._candidates(span, sounds):
            if slip and word.text != span and word.text not in found:
                answers = self._answers_with(word)
                cost = _COSTS[slip] - 0.3 * math.log1p(answers) + (0 if word.is_name else _ALIAS_COST)
                cost += _HALF_COST if slip == "character" and len(span) == 2 else 0
                if slip in ("homophone", "alike"):
                    cost += _FURTHER_COST * (sum(map(str.__ne__, span, word.text)) - 1)
                found[word.text] = Reading(cost, slip, word, answers)
        return sorted(found.values(), key=lambda reading: (reading.cost, reading.word.text))

    def _answers_with(self, word: Word) -> int:
        return self._answers.get(word.text, 0)

    def _candidates(self, span: str, sounds: tuple[str, ...]) -> Iterator[tuple[Word, str | None]]:
        for word in self._slips.sounds.get(sounds, ()):
            yield word, "homophone" if len(word.text) == len(span) else None
        for word in self._slips.alike.get(tuple(map(sounds_like, sounds)), ()):
            yield word, "alike" if len(word.text) == len(span) else None
        near = [*self._slips.deletions.get(span, ()), *(word for key in _deletions(span) for word in self._near(key))]
        near += [self._slips.terms[swapped] for swapped in _swaps(span) if swapped in self._slips.terms]
        if len(span) == 2:
            near += [*self._slips.halves.get((span[0], 0), ()), *self._slips.halves.get((span[1], 1), ())]
        for word in near:
            yield word, slip_between(span, word.text)

    def _near(self, key: str) -> list[Word]:
        """Terms that are a key, or become it when a character goes."""
        return [*self._slips.deletions.get(key, ()), *([self._slips.terms[key]] if key in self._slips.terms else ())]


def _is_supported(
    span: str, reading: Reading, unseen: Sequence[bool], strange: Sequence[bool], evidence: Evidence
) -> bool:
    """Whether a place within a question speaks against itself enough to be read as a term.

    `unseen` are its pairs of characters that no answer and no word has, `strange` its characters that are no part of a
    word of the dictionary. People mistype by sound, so another wrong character is no reason here.
    """
    kind, word = reading.kind, reading.word
    if not reading.answers:
        return False  # nothing would be found that speaks for it
    if kind == "homophone" and len(span) >= 4 and _is_rare(span, reading.answers, evidence):
        return True
    if kind in ("homophone", "alike", "swapped"):
        if len(span) == 2:
            return kind == "homophone" and word.is_name and unseen[0] and all(strange)
        differ = [k for k in range(len(span)) if span[k] != word.text[k]]
        return any(unseen) and all(strange[k] for k in differ)
    if kind == "superfluous":
        return any(unseen) and _is_doubled(span, word.text)
    if kind == "missing" and len(span) >= 4:
        gap = _gap(span, word.text)
        return word.is_name and 0 < gap < len(span) and unseen[gap - 1] and strange[gap - 1] and strange[gap]
    return False


def _is_supported_alone(span: str, reading: Reading, unseen: Sequence[bool], evidence: Evidence) -> bool:
    """The same where the span is all that was typed: an unknown word, which needs less."""
    kind, word = reading.kind, reading.word
    if kind == "superfluous":
        return any(unseen) and _is_doubled(span, word.text)
    if kind in ("homophone", "alike", "swapped"):
        return any(unseen) or (kind == "homophone" and len(span) >= 3 and _is_rare(span, reading.answers, evidence))
    if not word.is_name:
        return False
    if kind == "missing":
        return len(span) >= 3 or any(unseen)
    wrong = next(i for i in range(len(span)) if span[i] != word.text[i])
    return all(unseen[max(wrong - 1, 0) : wrong + 1])


def _is_doubled(span: str, term: str) -> bool:
    """Whether what the span has more is a character typed twice."""
    return any(span[i] == span[i + 1] and span[:i] + span[i + 1 :] == term for i in range(len(span) - 1))


def _gap(span: str, term: str) -> int:
    """Where the character is missing that a term has more."""
    return next((i for i in range(len(span)) if span[i] != term[i]), len(span))


def _is_rare(span: str, answers: int, evidence: Evidence) -> bool:
    """Whether few answers hold a span, compared with its correction."""
    pairs = min(evidence.pair_answers(span[i : i + 2]) for i in range(len(span) - 1))
    return pairs <= _RARE * answers


def _is_unseen(pair: str, evidence: Evidence) -> bool:
    return evidence.pair_answers(pair) == 0 and not evidence.is_known(pair)


def slip_between(span: str, term: str) -> str | None:
    """What kind of slip makes the term into the span; None when it takes more than one."""
    if len(span) == len(term):
        differ = [i for i in range(len(span)) if span[i] != term[i]]
        if len(differ) == 1:
            return "character"
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        return (
            "swapped" if swapped and span[differ[0]] == term[differ[1]] and span[differ[1]] == term[differ[0]] else None
        )
    if len(span) == len(term) - 1:
        return "missing" if span in _deletions(term) else None
    if len(span) == len(term) + 1:
        return "superfluous" if term in _deletions(span) else None
    return None


def _deletions(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))} if len(word) > 2 else set()


def _swaps(word: str) -> set[str]:
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


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
        if character and _is_han(character):
            run += character
            continue
        if run:
            read = syllables(run)
            sounds += read if len(read) == len(run) else [syllables(one)[0] for one in run]
            run = ""
        if character:
            sounds.append("")
    return sounds


def _spans(text: str, weights: Sequence[float], taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places of what the question is about where a term may stand: none within a word that is right, or cutting it."""
    searched = [weight == 1.0 and _is_han(character) for character, weight in zip(text, weights, strict=True)]
    for i in range(len(text) - 1):
        for j in range(i + 2, min(len(text), i + _MAX_CHARS + 1) + 1):
            if not all(searched[i:j]):
                break
            if all(j <= a or b <= i or (i <= a and b <= j and (i, j) != (a, b)) for a, b in taken):
                yield i, j
