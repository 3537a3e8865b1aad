"""The direct answer: one to three sentences of one answer, letter by letter, or none.

Sentences are never cut: a dose keeps what its sentence says of it, and where the next one takes something back (但,
孕妇除外) the passage reaches over it or is not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import ResourceError
from indexer.resources import read_toml

_SENTENCE = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+[”’」』）)]*|(?=\n)|$)")
_ENDS = re.compile(r"[。！？!?][”’」』）)]*$")
_MAX_SENTENCES = 3


@dataclass(frozen=True)
class PassageRules:
    """`lexicon/passages.toml`; the file says what each part is."""

    cues: Mapping[str, re.Pattern[str]]  #: by aspect: words of sentences that answer it
    greeting: re.Pattern[str]
    depends: re.Pattern[str]  #: how a sentence begins that cannot be understood alone
    qualifies: re.Pattern[str]  #: how a sentence begins that takes back or narrows the one before
    number: re.Pattern[str]
    max_chars: int
    min_chars: int
    min_worth: float


@dataclass(frozen=True)
class Wanted:
    """A word of the question."""

    weight: float
    surfaces: tuple[str, ...]  #: itself and the other words for the same

    def is_in(self, text: str) -> bool:
        """Whether a text holds it, under any of its names."""
        return any(surface in text for surface in self.surfaces)


@dataclass(frozen=True)
class Passage:
    """A slice of an answer's text."""

    start: int
    end: int
    worth: float  #: how well it answers, 0 and up


def load_passage_rules(resources: Path) -> PassageRules:
    """Raises ResourceError when a part is missing or a pattern is none."""
    file = resources / "lexicon" / "passages.toml"
    rules = read_toml(file)
    try:
        return PassageRules(
            cues={aspect: re.compile(pattern) for aspect, pattern in rules["cues"].items()},
            greeting=re.compile(rules["greeting"]),
            depends=re.compile(rules["depends"]),
            qualifies=re.compile(rules["qualifies"]),
            number=re.compile(rules["number"]),
            max_chars=int(rules["max_chars"]),
            min_chars=int(rules["min_chars"]),
            min_worth=float(rules["min_worth"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise ResourceError(f"摘句规则 {file} 缺少一项，或有正则表达式写错：{error!r}。") from error


def best_passage(
    text: str, title: str, wanted: Sequence[Wanted], aspects: Sequence[str], rules: PassageRules
) -> Passage | None:
    """The sentences of `text` that answer a question for these words and its main aspect; None when none does.

    What the `title` says, the question that the text answers, its sentences need not repeat.
    """
    sentences = _sentences(text, rules)
    best: Passage | None = None
    for first, (start, _) in enumerate(sentences):
        if rules.depends.match(text, start):
            continue
        for last in range(first, min(first + _MAX_SENTENCES, len(sentences))):
            end = sentences[last][1]
            if end - start > rules.max_chars:
                break
            passage = text[start:end]
            follows = sentences[last + 1][0] if last + 1 < len(sentences) else len(text)
            if len(passage) < rules.min_chars or not _ENDS.search(passage):
                continue
            if rules.qualifies.match(text, follows) and rules.number.search(passage):
                continue
            worth = _worth(passage, title, wanted, aspects, rules) - 0.06 * (last - first) - 0.03 * min(first, 5)
            if worth >= rules.min_worth and (best is None or worth > best.worth):
                best = Passage(start, end, worth)
    return best


def share_in(text: str, wanted: Sequence[Wanted]) -> float:
    """Share of the words, by weight, that a text holds."""
    return sum(word.weight for word in wanted if word.is_in(text)) / (sum(word.weight for word in wanted) or 1.0)


def _worth(passage: str, title: str, wanted: Sequence[Wanted], aspects: Sequence[str], rules: PassageRules) -> float:
    """Share of the question's words, and whether the passage speaks of what is asked about them."""
    here, known = share_in(passage, wanted), share_in(title + passage, wanted)
    cues = [rules.cues[aspect] for aspect in aspects[:1] if aspect in rules.cues]
    speaks = min(len(set(cues[0].findall(passage))), 2) / 2 if cues else 0.5
    return 0.25 * here + 0.45 * known + 0.3 * speaks


def _sentences(text: str, rules: PassageRules) -> list[tuple[int, int]]:
    """Spans of whole sentences, without greetings at the start and white space around."""
    found = []
    start = match.end() if (match := rules.greeting.match(text)) else 0
    for match in _SENTENCE.finditer(text, start):
        begin, end = match.span()
        while begin < end and text[begin].isspace():
            begin += 1
        if end > begin:
            found.append((begin, end))
    return found
