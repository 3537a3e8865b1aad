"""What a question asks: who is meant, about which illness, which aspect, and how much each of its characters says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.analysis.lexicon import Lexicon, Mention
from indexer.errors import ResourceError
from indexer.records import Token
from indexer.resources import read_toml

#: kinds of terms in the order in which they are taken for what a question is about
_ENTITY_KINDS = ("disease", "symptom", "drug", "examination", "procedure", "food", "body_part")


@dataclass(frozen=True)
class QuestionRules:
    """`lexicon/questions.toml`; the file says what each part is."""

    politeness: re.Pattern[str]
    particles: frozenset[str]
    asking: frozenset[str]
    asking_pattern: re.Pattern[str]  #: those of two characters and more, also where jieba does not cut them out
    asking_weight: float
    name_weight: float
    alias_weight: float
    near_weight: float
    populations: Mapping[str, re.Pattern[str]]
    sides: Mapping[str, re.Pattern[str]]
    duration: re.Pattern[str]


def load_question_rules(resources: Path) -> QuestionRules:
    """Raises ResourceError when a part is missing or a pattern is none."""
    file = resources / "lexicon" / "questions.toml"
    rules = read_toml(file)
    try:
        asking = sorted(rules["asking"], key=len, reverse=True)
        return QuestionRules(
            politeness=_either(rules["politeness"]),
            particles=frozenset(rules["particles"]),
            asking=frozenset(asking),
            asking_pattern=_either([re.escape(word) for word in asking if len(word) > 1]),
            asking_weight=float(rules["asking_weight"]),
            name_weight=float(rules["name_weight"]),
            alias_weight=float(rules["alias_weight"]),
            near_weight=float(rules["near_weight"]),
            populations=_patterns(rules["population"]),
            sides=_patterns(rules["side"]),
            duration=_either(rules["duration"]["patterns"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise ResourceError(f"提问规则 {file} 缺少一项，或有正则表达式写错：{error!r}。") from error


def _either(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _patterns(table: Mapping[str, Any]) -> dict[str, re.Pattern[str]]:
    return {name: _either(patterns) for name, patterns in table.items()}


def found_in(table: Mapping[str, re.Pattern[str]], text: str) -> tuple[str, ...]:
    """Names of the patterns that a text holds, in the order of the table."""
    return tuple(name for name, pattern in table.items() if pattern.search(text))


def main_entity(mentions: Sequence[Mention], lexicon: Lexicon) -> str | None:
    """Name of the term that a question is about: of the first kind that is mentioned, the first and longest."""
    for kind in _ENTITY_KINDS:
        for mention in mentions:
            if lexicon.terms[mention.name].kind == kind:
                return mention.name
    return None


def character_weights(
    text: str, tokens: Sequence[Token], mentions: Sequence[Mention], rules: QuestionRules
) -> list[float]:
    """How much of its weight each character of a normalised question is searched with, 0 to 1."""
    weights = [1.0] * len(text)
    for match in rules.asking_pattern.finditer(text):
        _lower(weights, match.start(), match.end(), rules.asking_weight)
    for token in tokens:
        if token.text in rules.particles:
            _lower(weights, token.start, token.end, 0.0)
        elif token.text in rules.asking:
            _lower(weights, token.start, token.end, rules.asking_weight)
    for mention in mentions:
        weights[mention.start : mention.end] = [1.0] * (mention.end - mention.start)
    for match in rules.politeness.finditer(text):
        _lower(weights, match.start(), match.end(), 0.0)
    return weights


def _lower(weights: list[float], start: int, end: int, weight: float) -> None:
    for place in range(start, end):
        weights[place] = min(weights[place], weight)
