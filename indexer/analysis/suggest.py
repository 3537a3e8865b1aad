"""What a question may become while it is typed: terms, questions of the corpus, and what is asked of a term.

Written when an index is built; read when the first letters come. Nothing in it is from anybody's searches.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

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


@dataclass(frozen=True)
class _Entry:
    text: str
    normal: str
    weight: int
    kind: str
    sounds: str  #: its pinyin without blanks
    initials: str


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
        self._entries = _read(folder)
        self._by_text = sorted(range(len(self._entries)), key=lambda i: self._entries[i].normal)
        self._texts = [self._entries[i].normal for i in self._by_text]
        self._by_sound = sorted(range(len(self._entries)), key=lambda i: self._entries[i].sounds)
        self._sounds = [self._entries[i].sounds for i in self._by_sound]
        self._by_initials = sorted(range(len(self._entries)), key=lambda i: self._entries[i].initials)
        self._initials = [self._entries[i].initials for i in self._by_initials]
        self._joined = "\n".join(entry.normal for entry in self._entries)
        self._starts = _starts(entry.normal for entry in self._entries)

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
        yield from self._asked_of(text)
        yield from self._beginning(text, self._texts, self._by_text)
        if _LETTERS.fullmatch(text):
            letters = re.sub(r"[' ]", "", text)
            yield from self._beginning(letters, self._sounds, self._by_sound)
            if len(letters) >= 2:
                yield from self._beginning(letters, self._initials, self._by_initials)
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

    def _beginning(self, start: str, keys: Sequence[str], order: Sequence[int]) -> Iterator[Suggestion]:
        first = bisect_left(keys, start)
        last = bisect_left(keys, start + "\U0010ffff", first)
        yield from self._ranked(order[i] for i in range(first, min(last, first + _MAX_SCANNED)))

    def _half_typed(self, han: str, letters: str) -> Iterator[Suggestion]:
        """面肌jing: characters, and the pinyin of what follows."""
        first = bisect_left(self._texts, han)
        last = bisect_left(self._texts, han + "\U0010ffff", first)
        before = "".join(syllables(han))
        yield from self._ranked(
            self._by_text[i]
            for i in range(first, min(last, first + _MAX_SCANNED))
            if self._entries[self._by_text[i]].sounds.startswith(before + letters)
        )

    def _holding(self, text: str) -> Iterator[Suggestion]:
        if len(text) < 2:
            return
        found: list[int] = []
        place = self._joined.find(text)
        while place >= 0 and len(found) < _MAX_SCANNED:
            number = bisect_left(self._starts, place + 1) - 1
            found.append(number)
            place = self._joined.find(text, self._starts[number + 1]) if number + 1 < len(self._starts) else -1
        yield from self._ranked(found)

    def _ranked(self, numbers: Iterable[int]) -> Iterator[Suggestion]:
        """Terms before questions, heavier before lighter, shorter before longer."""
        entries = [self._entries[number] for number in numbers]
        entries.sort(key=lambda entry: (entry.kind != "term", -entry.weight, len(entry.text), entry.text))
        return (Suggestion(entry.text, entry.kind) for entry in entries)


def _read(folder: Path) -> list[_Entry]:
    try:
        rows = [line.split("\t") for line in (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()]
        return [
            _Entry(text, normal, int(weight), kind, sounds.replace(" ", ""), initials(tuple(sounds.split(" "))))
            for text, normal, weight, kind, sounds in rows
        ]
    except (OSError, ValueError) as error:
        raise GenerationDamaged(f"索引 {folder.name} 的建议表 {FILE_NAME} 读不出来；请用 yiwen build 重建。") from error


def _starts(texts: Iterable[str]) -> list[int]:
    """Where each text begins when they are joined by one character."""
    starts, place = [], 0
    for text in texts:
        starts.append(place)
        place += len(text) + 1
    return starts
