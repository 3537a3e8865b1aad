"""What a question may become while it is typed: terms, questions of the corpus, and what is asked of a term.

Written when an index is built; read when the first letters come. Nothing in it is from anybody's searches.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from indexer.analysis.lexicon import Lexicon
from indexer.analysis.pinyin import initials, syllables
from indexer.errors import GenerationDamaged, ResourceError
from indexer.resources import read_toml

FILE_NAME = "suggestions.tsv"
_MAX_QUESTIONS = 60_000
_QUESTION_CHARS = range(4, 25)
_LETTERS = re.compile(r"[a-z' ]+")
_TAIL = re.compile(r"^(.*?)([a-z]+)$")
_MAX_TERMS = 5
_MAX_SCANNED = 2_000  #: of what begins or sounds so, looked at for the likeliest


@dataclass(frozen=True)
class Suggestion:
    """Something that may be meant."""

    text: str
    kind: str  #: "term", "question", or "correction"


class _Table:
    """`suggestions.tsv` as one string whose lines are taken apart when they are asked for: as objects they would take
    seven times the memory, and each process that touched them a copy of its own.
    """

    def __init__(self, folder: Path) -> None:
        """Raises GenerationDamaged."""
        try:
            self._lines = (folder / FILE_NAME).read_text(encoding="utf-8")
            self._starts = array("l", _starts(self._lines.splitlines()))
            rows = [self._fields(number) for number in range(len(self._starts))]
            keys = ((kind != "term", -int(weight), len(text), text) for text, _, weight, kind, _ in rows)
            #: of each line: how early it is told
            self.ranks = array("l", _inverse(_order(keys)))
        except (OSError, ValueError) as error:
            raise GenerationDamaged(
                f"索引 {folder.name} 的建议表 {FILE_NAME} 读不出来；请用 yiwen build 重建。"
            ) from error
        self.by_text = array("l", _order(normal for _, normal, _, _, _ in rows))
        self.by_sound = array("l", _order(sounds.replace(" ", "") for *_, sounds in rows))
        self.by_initials = array("l", _order(initials(tuple(sounds.split(" "))) for *_, sounds in rows))
        #: normalised texts, and where each begins
        self.joined = "\n".join(normal for _, normal, _, _, _ in rows)
        self.starts = array("l", _starts(normal for _, normal, _, _, _ in rows))

    def suggestion(self, number: int) -> Suggestion:
        """What a line suggests."""
        text, _, _, kind, _ = self._fields(number)
        return Suggestion(text, kind)

    def normal(self, number: int) -> str:
        """The normalised text."""
        return self._fields(number)[1]

    def sounds(self, number: int) -> str:
        """The pinyin without blanks."""
        return self._fields(number)[4].replace(" ", "")

    def initials(self, number: int) -> str:
        """First letters of the pinyin."""
        return initials(tuple(self._fields(number)[4].split(" ")))

    def _fields(self, number: int) -> tuple[str, str, str, str, str]:
        start = self._starts[number]
        text, normal, weight, kind, sounds = self._lines[start : self._lines.find("\n", start)].split("\t")
        return text, normal, weight, kind, sounds


@dataclass(frozen=True)
class SuggestionRules:
    """`lexicon/suggestions.toml`."""

    asked_of: Mapping[str, Sequence[str]]  #: kind of term -> what is asked of it
    curated: Sequence[str]


def load_suggestion_rules(resources: Path) -> SuggestionRules:
    """Raises ResourceError when a part is missing."""
    file = resources / "lexicon" / "suggestions.toml"
    rules = read_toml(file)
    try:
        return SuggestionRules(
            {kind: tuple(asked) for kind, asked in rules["asked_of"].items()}, tuple(rules["curated"])
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ResourceError(f"建议 {file} 缺少一项：{error!r}。") from error


def write_suggestions(
    folder: Path,
    lexicon: Lexicon,
    rules: SuggestionRules,
    counts: Mapping[str, tuple[int, int]],
    questions: Counter[str],
    sounds: Mapping[str, str],
) -> None:
    """Terms that stand in answers, by how many (the first of `counts`); curated questions; questions of the corpus, by
    how often they are asked. `sounds`: how texts sound that were read aloud before, syllables parted by blanks.
    """
    rows: dict[str, tuple[int, str]] = {}
    for name, term in lexicon.terms.items():
        if answers := counts.get(name, (0, 0))[0]:
            for word in (term.name, *term.same):
                rows.setdefault(word, (answers + (answers if word == term.name else 0), "term"))
    for question in rules.curated:
        rows.setdefault(question, (1_000, "question"))
    fitting = (
        question for question in questions if len(question) in _QUESTION_CHARS and not question.endswith(("…", "..."))
    )
    for question in islice(sorted(fitting, key=lambda text: (-questions[text], text)), _MAX_QUESTIONS):
        rows.setdefault(question, (questions[question], "question"))
    with open(folder / FILE_NAME, "w", encoding="utf-8") as out:
        for text, (weight, kind) in rows.items():
            normal = lexicon.normal(text)
            fields = (
                " ".join(text.split()),
                normal,
                str(weight),
                kind,
                sounds.get(normal) or " ".join(syllables(normal)),
            )
            out.write("\t".join(fields) + "\n")


class Suggester:
    """Answers what was typed so far. Safe to share between threads once made."""

    def __init__(
        self, folder: Path, lexicon: Lexicon, rules: SuggestionRules, corrections: Callable[[str], Sequence[str]]
    ) -> None:
        """`corrections` gives the terms that one slip can have made into a text. Raises GenerationDamaged."""
        self._lexicon = lexicon
        self._rules = rules
        self._corrections = corrections
        self._table = _Table(folder)

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """The likeliest first: what begins so, what is asked of the term, what sounds so, what holds it, what one slip
        explains.
        """
        text = self._lexicon.normal(typed).strip()
        if not text or limit < 1:
            return []
        found: dict[str, Suggestion] = {}
        terms: set[str] = set()
        for suggestion in self._all(text):
            key = self._lexicon.normal(suggestion.text)
            if key == text or key in found:
                continue
            if suggestion.kind == "term":
                name = self._lexicon.names[key]
                if name in terms or len(terms) == _MAX_TERMS:
                    continue  # one word for a term is enough, and questions are wanted too
                terms.add(name)
            found[key] = suggestion
            if len(found) == limit:
                break
        return list(found.values())

    def _all(self, text: str) -> Iterator[Suggestion]:
        table = self._table
        yield from self._asked_of(text)
        yield from self._ranked(_beginning(text, table.by_text, table.normal))
        if _LETTERS.fullmatch(text):
            letters = re.sub(r"[' ]", "", text)
            yield from self._ranked(_beginning(letters, table.by_sound, table.sounds))
            if len(letters) >= 2:
                yield from self._ranked(_beginning(letters, table.by_initials, table.initials))
        elif match := _TAIL.match(text):
            yield from self._half_typed(match[1], match[2])
        yield from self._holding(text)
        yield from (Suggestion(right, "correction") for right in self._corrections(text))

    def _asked_of(self, text: str) -> Iterator[Suggestion]:
        """面肌痉挛 becomes 面肌痉挛怎么治; 面肌痉挛怎 too."""
        for end in range(len(text), 1, -1):
            name = self._lexicon.names.get(text[:end])
            if name is None:
                continue
            rest = text[end:]
            for asked in self._rules.asked_of.get(self._lexicon.terms[name].kind, ()):
                if asked.startswith(rest):
                    yield Suggestion(text[:end] + asked, "question")
            return

    def _half_typed(self, han: str, letters: str) -> Iterator[Suggestion]:
        """面肌jing: characters, and the pinyin of what follows."""
        table, sound = self._table, "".join(syllables(han)) + letters
        numbers = _beginning(han, table.by_text, table.normal)
        yield from self._ranked(number for number in numbers if table.sounds(number).startswith(sound))

    def _holding(self, text: str) -> Iterator[Suggestion]:
        if len(text) < 2:
            return
        joined, starts = self._table.joined, self._table.starts
        found: list[int] = []
        place = joined.find(text)
        while place >= 0 and len(found) < _MAX_SCANNED:
            number = bisect_left(starts, place + 1) - 1
            found.append(number)
            place = joined.find(text, starts[number + 1]) if number + 1 < len(starts) else -1
        yield from self._ranked(found)

    def _ranked(self, numbers: Iterable[int]) -> Iterator[Suggestion]:
        """Terms before questions, heavier before lighter, shorter before longer."""
        return map(self._table.suggestion, sorted(numbers, key=self._table.ranks.__getitem__))


def _beginning(start: str, order: Sequence[int], key: Callable[[int], str]) -> Sequence[int]:
    """Those, by a key that they are in order of, that begin so."""
    first = bisect_left(order, start, key=key)
    last = bisect_left(order, start + "\U0010ffff", first, key=key)
    return order[first : min(last, first + _MAX_SCANNED)]


def _order(keys: Iterable[Any]) -> list[int]:
    """Places of keys, the least first."""
    held = list(keys)
    return sorted(range(len(held)), key=held.__getitem__)


def _inverse(order: Sequence[int]) -> list[int]:
    """For each place where it stands in an order."""
    ranks = [0] * len(order)
    for rank, place in enumerate(order):
        ranks[place] = rank
    return ranks


def _starts(texts: Iterable[str]) -> list[int]:
    """Where each text begins when they are joined by one character."""
    starts, place = [], 0
    for text in texts:
        starts.append(place)
        place += len(text) + 1
    return starts
