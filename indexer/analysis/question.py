"""What a question asks: who is meant, about which illness, which aspect, and how much each of its characters says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.analysis.lexicon import Lexicon, Mention
from indexer.analysis.normalize import normalize
from indexer.errors import ResourceError
from indexer.records import Token
from indexer.resources import read_toml

#: kinds of terms in the order in which they are taken for what a question is about
_ENTITY_KINDS = ("disease", "symptom", "drug", "examination", "procedure", "food", "body_part")
QUESTIONS, OWN_QUESTIONS = "questions.toml", "own_questions.toml"
#: lists of own_questions.toml that are tables of lists
_TABLES = ("population", "side")
#: what may be added to, and what it is; of a table, all of its lists
WORD_LISTS: Mapping[str, str] = {
    "politeness": "客套话",
    "particles": "虚词",
    "asking": "提问的词",
    "population": "人群",
    "side": "左右",
    "duration": "病程",
}


@dataclass(frozen=True)
class OwnWords:
    """What a site adds to one list of words, and takes away from it."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()  #: entries of the shipped list, as they stand there


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
    """The shipped lists, with what `own_questions.toml` adds and takes away. Raises ResourceError when a part is
    missing or a pattern is none.
    """
    file = resources / "lexicon" / QUESTIONS
    rules = read_toml(file)
    try:
        rules = _overlaid(rules, read_own_words(resources / "lexicon" / OWN_QUESTIONS))
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


def read_own_words(file: Path) -> dict[str, OwnWords]:
    """`own_questions.toml`: what is added to each list and taken from it; empty without the file. Raises ResourceError
    naming the list that is wrong.
    """
    return own_words_of(file, read_toml(file)) if file.is_file() else {}


def own_words_of(file: Path, content: Mapping[str, Any]) -> dict[str, OwnWords]:
    """The same of what such a file holds."""
    lists: dict[str, OwnWords] = {}
    for name, table in content.items():
        parts = {name: table}
        if name in _TABLES and isinstance(table, dict):
            parts = {f"{name}.{part}": words for part, words in table.items()}
        for part, words in parts.items():
            if name not in (*_TABLES, *WORD_LISTS):
                raise ResourceError(f"提问用词 {file} 中没有“{name}”这个列表；可用的有 {'、'.join(WORD_LISTS)}。")
            lists[part] = _own_words(file, part, words)
    return lists


def _own_words(file: Path, name: str, table: object) -> OwnWords:
    if not isinstance(table, dict) or table.keys() - {"add", "remove"}:
        raise ResourceError(f"提问用词 {file} 的“{name}”只能有 add 和 remove 两项。")
    for words in table.values():
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
            raise ResourceError(f"提问用词 {file} 的“{name}”的 add 和 remove 要写成词语的列表。")
    return OwnWords(tuple(table.get("add", ())), tuple(table.get("remove", ())))


def shipped_words(resources: Path) -> dict[str, tuple[str, ...]]:
    """Each list that can be added to, by its name in `own_questions.toml`, as it came with the program. Raises
    ResourceError.
    """
    rules = read_toml(resources / "lexicon" / QUESTIONS)
    lists = {name: tuple(rules.get(name, ())) for name in ("politeness", "particles", "asking")}
    for table in _TABLES:
        lists |= {f"{table}.{name}": tuple(words) for name, words in rules.get(table, {}).items()}
    return lists | {"duration": tuple(rules.get("duration", {}).get("patterns", ()))}


def _overlaid(rules: dict[str, Any], own: Mapping[str, OwnWords]) -> dict[str, Any]:
    """The rules with own words. These are words, never patterns; a word that is taken away and not there is no fault,
    so that a later version of the program may drop it.
    """
    rules = dict(rules)
    for name, words in own.items():
        table, _, part = name.partition(".")
        if part and part not in rules[table]:
            raise ValueError(f"“{table}”中没有“{part}”")
        escape = str if name in ("particles", "asking") else re.escape
        if part:
            rules[table] = {**rules[table], part: _with_own(rules[table][part], words, escape)}
        elif table == "duration":
            rules[table] = {"patterns": _with_own(rules[table]["patterns"], words, escape)}
        else:
            rules[table] = _with_own(rules[table], words, escape)
    return rules


def _with_own(shipped: Sequence[str], own: OwnWords, escape: Callable[[str], str]) -> list[str]:
    added = sorted((normalize(word).text for word in own.add), key=len, reverse=True)
    return [*(escape(word) for word in added), *(word for word in shipped if word not in own.remove)]


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
