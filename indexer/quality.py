"""What is wrong with an answer, as facts with their evidence; ranking and the editor decide what follows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.errors import ResourceError
from indexer.records import Page, QualityFact
from indexer.resources import read_toml
from indexer.verdicts import Flaw

_CONTEXT_CHARS = 8
_PROSE_CHARS = 30
_CLAUSE = re.compile(r"[^,。;!?\n]*[,。;!?]?")
_SENTENCE_END = re.compile(r"[。!?;.)\]」』”\"~～]$")
_LAST_SENTENCE = re.compile(r"[^。!?;]*$")
_ENOUGH_SELDOM = 3
#: initials and finals of Hanyu Pinyin (GB/T 16159), with tone marks on the vowels
_VOWEL = "aāáǎàeēéěèiīíǐìoōóǒòuūúǔùüǖǘǚǜ"
_SYLLABLE = (
    rf"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])[{_VOWEL}]{{1,3}}(?:ng|n)?|[{_VOWEL[:5]}{_VOWEL[15:20]}](?:ng|n|[io])|[eēéěè]r"
)
_INLINE_SYLLABLE = re.compile(rf"(?<=[\u4e00-\u9fff])({_SYLLABLE})(?=[\u4e00-\u9fff])")
_TONE_MARK = re.compile(r"[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]")


@dataclass(frozen=True)
class QualityRules:
    """Compiled rules; quality/rules.toml says what each is for."""

    cut_off: tuple[re.Pattern[str], ...]
    masked: tuple[re.Pattern[str], ...]
    bold: re.Pattern[str]
    cure_promise: tuple[re.Pattern[str], ...]
    cure_denied: re.Pattern[str]
    pinyin_not: frozenset[str]
    spun_never: Mapping[str, str]
    spun_seldom: Mapping[str, str]


def load_quality_rules(resources: Path) -> QualityRules:
    """Read `quality/rules.toml`. Raises ResourceError naming the file and what is wrong in it."""
    file = resources / "quality" / "rules.toml"
    content = read_toml(file)
    try:
        return QualityRules(
            cut_off=tuple(re.compile(pattern) for pattern in content["cut_off"]),
            masked=tuple(re.compile(pattern) for pattern in content["masked"]),
            bold=re.compile(content["bold"]),
            cure_promise=tuple(re.compile(pattern) for pattern in content["cure_promise"]),
            cure_denied=re.compile(content["cure_denied"]),
            pinyin_not=frozenset(content["pinyin_not"]),
            spun_never=dict(content["spun"]["never"]),
            spun_seldom=dict(content["spun"]["seldom"]),
        )
    except KeyError as error:
        raise ResourceError(f"质量规则 {file} 缺少 {error.args[0]}。") from error
    except re.error as error:
        raise ResourceError(f"质量规则 {file} 中的正则表达式 {error.pattern!r} 有误：{error}") from error


def with_quality(page: Page, rules: QualityRules) -> Page:
    """The page with the flaws of each of its answers."""
    answers = (replace(answer, quality=quality_of(answer.text, rules)) for answer in page.answers)
    return replace(page, answers=tuple(answers))


def quality_of(text: str, rules: QualityRules) -> tuple[QualityFact, ...]:
    """The flaws that a text shows by itself; copies are found by comparing (dedupe.py)."""
    folded = unicodedata.normalize("NFKC", text).strip()
    found = (
        (Flaw.CUT_OFF, _cut_off(folded, rules)),
        (Flaw.MASKED, _masked(folded, rules)),
        (Flaw.SPUN, _spun(folded, rules)),
        (Flaw.INLINE_PINYIN, _inline_pinyin(folded, rules)),
        (Flaw.CURE_PROMISE, _cure_promise(folded, rules)),
    )
    return tuple(QualityFact(flaw, evidence) for flaw, evidence in found if evidence)


def _cut_off(text: str, rules: QualityRules) -> str | None:
    """The last words, where the text stops in mid-sentence.

    Besides the marks of a cut, running text without its full stop is one, where the rest of the text has them.
    """
    last = text.rpartition("\n")[2]
    sentence = _LAST_SENTENCE.search(last)
    marked = any(pattern.search(text) for pattern in rules.cut_off)
    stops = text.count("。") >= 2 and sentence is not None and len(sentence[0]) >= _PROSE_CHARS and "," in sentence[0]
    if marked or (stops and not _SENTENCE_END.search(last)):
        return last[-2 * _CONTEXT_CHARS :]
    return None


def _masked(text: str, rules: QualityRules) -> str | None:
    unmarked = rules.bold.sub(lambda bold: "_" * len(bold[0]), text)
    match = next((m for pattern in rules.masked if (m := pattern.search(unmarked))), None)
    return _around(text, match) if match else None


def _spun(text: str, rules: QualityRules) -> str | None:
    if never := [f"{word}（{usual}）" for word, usual in rules.spun_never.items() if word in text]:
        return "、".join(never)
    seldom = {word: usual for word, usual in rules.spun_seldom.items() if word in text}
    throughout = any(text.count(word) >= _ENOUGH_SELDOM and usual not in text for word, usual in seldom.items())
    if len(seldom) >= _ENOUGH_SELDOM or throughout:
        return "、".join(f"{word}（{usual}）" for word, usual in seldom.items())
    return None


def _inline_pinyin(text: str, rules: QualityRules) -> str | None:
    found = [match for match in _INLINE_SYLLABLE.finditer(text) if match[1] not in rules.pinyin_not]
    sure = [match for match in found if len(match[1]) >= 3 or _TONE_MARK.search(match[1])]
    if sure or len(found) >= 2:
        return _around(text, (sure or found)[0])
    return None


def _cure_promise(text: str, rules: QualityRules) -> str | None:
    for clause in _clauses(text):
        if any(pattern.search(clause) for pattern in rules.cure_promise) and not rules.cure_denied.search(clause):
            return clause
    return None


def _clauses(text: str) -> Iterator[str]:
    return (match[0] for match in _CLAUSE.finditer(text) if match[0])


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(match.start() - _CONTEXT_CHARS, 0) : match.end() + _CONTEXT_CHARS].replace("\n", " ")
