"""Whether what a question describes happens now to somebody: what is denied, past or supposed, and what cues weigh.

`urgency/happening.toml` holds the words. A danger sign alone is not enough: 中风的后遗症有哪些 has one too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.answer.signs import Found, SignError, compiled
from indexer.errors import ResourceError
from indexer.resources import read_toml

_CLAUSES = re.compile(r"[^,.;!?。、:\s]+")
_SENTENCE_ENDS = re.compile(r"[.;!?。]")
_LOOK_BACK = 10  #: characters before a word in which it may be denied
_NOT = "没冇未无不唔勿"  #: 没动过 is no past, unlike 晕过
_LISTED = ("、", "和", "及", "或", "或者", "与", "以及", "也")  #: between two words that one 没有 denies


@dataclass(frozen=True)
class Cue:
    """One kind of wording that speaks for or against a present case."""

    name: str
    weight: int
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Happening:
    """`happening.toml`, compiled."""

    threshold: int
    alike: int  #: the threshold where words only sound so
    certain: int  #: what a sign counts that only somebody tells whom it happens to
    seen: int  #: what a sign that one sees or feels counts
    named: int  #: what the mere name of an illness or event counts
    several: int  #: more, where a sign is made of several
    done: int  #: more, where the sign itself is told as something that happened (晕倒了)
    cues: Sequence[Cue]
    contexts: frozenset[str]  #: word groups that say of whom, not what
    denials: re.Pattern[str]
    supposed: re.Pattern[str]
    past: re.Pattern[str]
    present: re.Pattern[str]
    been: re.Pattern[str]
    finished: re.Pattern[str]

    def score(self, text: str) -> int:
        """Sum of the cues in a normalised question, each kind once."""
        return sum(cue.weight for cue in self.cues if cue.pattern.search(text))

    def told(self, text: str) -> list[str]:
        """Names of the cues in a normalised question, for whoever edits them."""
        return [cue.name for cue in self.cues if cue.pattern.search(text)]

    def is_done(self, text: str, found: Found) -> bool:
        """Whether a sign is told as something that happened."""
        return self.finished.match(text, found.end) is not None or text[found.end - 1 : found.end] == "了"


@dataclass
class Reality:
    """Judges the words of one normalised question: real, denied, or not to be counted (past, supposed)."""

    text: str
    happening: Happening

    def __post_init__(self) -> None:
        self._unreal = _unreal(self.text, self.happening)
        self._denied = (-1, -1)  #: the last denied word, or several that overlap
        self._denial: tuple[int, int] | None = None

    def judge(self, found: Found) -> Found | None:
        """The place, marked as denied where it is; None where it does not count."""
        if any(start <= found.start < end for start, end in self._unreal):
            return None
        if self.text[found.start] not in _NOT and self.happening.been.match(self.text, found.end):
            return None
        before = max(0, found.start - _LOOK_BACK)
        match = self.happening.denials.search(self.text[before : found.start])
        denial = (before + match.start(), found.start) if match else None
        first, last = self._denied
        if denial is None and (first <= found.start < last or self.text[last : found.start] in _LISTED):
            denial = self._denial
        if denial:
            self._denied = (first if found.start < last else found.start), max(last, found.end)
            self._denial = denial
        return found._replace(denied=denial)


def _unreal(text: str, happening: Happening) -> list[tuple[int, int]]:
    """Spans of what is past or supposed."""
    spans = []
    if match := happening.supposed.search(text):
        end = _SENTENCE_ENDS.search(text, match.end())
        spans.append((match.start(), end.start() if end else len(text)))
    is_past = False
    for clause in _CLAUSES.finditer(text):
        past = happening.past.search(clause[0])
        present = list(happening.present.finditer(clause[0]))
        if present:
            is_past = False
        if past:
            is_past = not present or present[-1].start() < past.start()
            later = next((now.start() for now in present if now.start() > past.start()), None)
            if later is not None:  # 去年中风过现在又说不清话
                spans.append((clause.start(), clause.start() + later))
        if is_past:
            spans.append(clause.span())
    return spans


def load_happening(file: Path) -> Happening:
    """Raises ResourceError when an entry is missing or wrong."""
    try:
        return _happening(read_toml(file))
    except (SignError, KeyError, TypeError, AttributeError) as error:
        told = f"缺少 {error}" if isinstance(error, KeyError) else str(error)
        raise ResourceError(f"急症线索 {file} 有误：{told}。") from error


def _happening(content: dict[str, Any]) -> Happening:
    numbers = {
        name: content["weights"][name] for name in ("threshold", "alike", "certain", "seen", "named", "several", "done")
    }
    if wrong := [name for name, number in numbers.items() if type(number) is not int]:
        raise SignError(f"weights 中的“{wrong[0]}”不是整数")
    cues = [Cue(name, cue["weight"], _any(cue["patterns"])) for name, cue in content["cues"].items()]
    if wrong := [cue.name for cue in cues if type(cue.weight) is not int]:
        raise SignError(f"线索“{wrong[0]}”的 weight 不是整数")
    told = content["told"]
    return Happening(
        **numbers,
        cues=cues,
        contexts=frozenset(told["contexts"]),
        denials=_any(told["denials"], "$"),
        supposed=_any(told["supposed"]),
        past=_any(told["past"]),
        present=_any(told["present"]),
        been=_any(told["been"]),
        finished=_any(told["finished"]),
    )


def _any(patterns: Sequence[str], end: str = "") -> re.Pattern[str]:
    if not isinstance(patterns, list) or not patterns:
        raise SignError("有一项不是词语列表")
    try:
        return compiled(f"(?:{'|'.join(patterns)}){end}")  # one by one would take twice as long
    except SignError:
        for pattern in patterns:
            compiled(pattern)  # names the wrong one
        raise
