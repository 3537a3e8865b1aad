"""Urgency cards: a question that describes an emergency gets what to do now, before everything else.

Rules are data (`corpus/resources/urgency/*.toml`, its README says how they are written). A card needs two things: a
danger sign that is neither denied nor past nor supposed, and that it happens now to somebody (`happening.py`). It needs
neither index nor lexicon.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from indexer.analysis.normalize import normalize
from indexer.answer.happening import Happening, Reality, load_happening
from indexer.answer.signs import Sign, SignBook, SignError
from indexer.errors import ResourceError
from indexer.records import UrgencyCard
from indexer.resources import effective_resources, find_resources, read_toml

#: the most urgent first, with what people read
LEVELS = {"emergency": "立即拨打120", "today": "今天就去医院", "watch": "尽快看医生"}
CATCH_ALL = "unwell"  #: the rule for what no other names; any other stands before it
HAPPENING = "happening.toml"
EXAMPLES = "examples.toml"  #: urgent sentences that are asked before rules are changed
OWN_RULES = "own.toml"  #: a site's own rules; one of a shipped id stands in for it, or is switched off
_TEXTS = ("id", "level", "title", "text", "source", "reviewed_by")
_SIGNS = ("certain", "signs", "named")  #: as Rule has them
_KEYS = {*_TEXTS, *_SIGNS, "source_url", "phones"}
_OWN_LISTS = ("examples", "counter_examples")  #: of own rules: sentences that must raise the card, and must not
_T = TypeVar("_T")
_MAX_LENGTH = 300  #: characters of a question that are read


@dataclass(frozen=True)
class Rule:
    """When a card is shown."""

    card: UrgencyCard
    certain: Sequence[Sign]  #: what only somebody says whom it happens to
    signs: Sequence[Sign]  #: what one sees or feels
    named: Sequence[Sign]  #: names of illnesses and events, which questions of every kind hold


@dataclass(frozen=True)
class Evidence:
    """A rule whose sign stands in a question, and how much speaks for a present case."""

    rule: Rule
    sign: str  #: as the rule writes it
    size: int  #: characters of the sign
    score: int


class Urgency:
    """Safe to share between threads."""

    def __init__(self, rules: Sequence[Rule], book: SignBook, happening: Happening) -> None:
        self._book = book
        self._happening = happening
        self.rules = rules
        contexts = {book.numbers[name] for name in happening.contexts}
        signs = [
            (sign, rule, base + happening.several * (sign.parts(contexts) > 1))
            for rule in rules
            for signs, base in (
                (rule.certain, happening.certain),
                (rule.signs, happening.seen),
                (rule.named, happening.named),
            )
            for sign in signs
        ]
        uses = Counter(group for sign, _, _ in signs for group in sign.groups())
        #: every sign with its rule and what it counts by itself, by the group that is needed least elsewhere
        self._signs: defaultdict[int, list[tuple[Sign, Rule, int]]] = defaultdict(list)
        for sign, rule, base in signs:
            self._signs[min(sign.groups(), key=uses.__getitem__)].append((sign, rule, base))

    def card(self, question: str) -> UrgencyCard | None:
        """The most urgent card that a question calls for, if any."""
        text = normalize(question[:_MAX_LENGTH]).text
        enough = self._enough(text, alike=False)
        if not any(found.rule.card.id != CATCH_ALL and found.rule.card.level != "watch" for found in enough):
            enough += self._enough(text, alike=True)  # words that only sound so, where it may matter
        return max(enough, key=_order).rule.card if enough else None

    def evidence(self, question: str) -> list[Evidence]:
        """All that speaks for any card, enough or not, for whoever edits rules."""
        text = normalize(question[:_MAX_LENGTH]).text
        return [found for alike in (False, True) for found in self._evidence(text, alike)]

    def _enough(self, text: str, alike: bool) -> list[Evidence]:
        enough = self._happening.alike if alike else self._happening.threshold
        return [found for found in self._evidence(text, alike) if found.score >= enough]

    def _evidence(self, text: str, alike: bool) -> Iterator[Evidence]:
        happening = self._happening
        groups, present = self._book.find(text, alike, Reality(text, happening).judge)
        cues = None
        likely = (entry for group in groups for entry in self._signs.get(group, ()))
        for sign, rule, base in likely:
            if sign.needed & ~present:
                continue
            for place in sign.places(groups):
                if place.denied:
                    continue
                cues = happening.score(text) if cues is None else cues
                done = happening.done if happening.is_done(text, place) else 0
                yield Evidence(rule, sign.text, place.size, base + cues + done)


def _order(found: Evidence) -> tuple[bool, int, int, int]:
    card = found.rule.card
    return card.id != CATCH_ALL, -list(LEVELS).index(card.level), found.size, found.score


def urgency_card(question: str, resources: Path | None = None, data: Path | None = None) -> UrgencyCard | None:
    """The card that a question calls for, without any index; `data` may hold rules of its own. Raises ResourceError."""
    folder = find_resources(resources) if data is None else effective_resources(data, resources)
    return _loaded(folder).card(question)


@lru_cache(maxsize=2)
def _loaded(resources: Path) -> Urgency:
    return load_urgency(resources)


def load_urgency(resources: Path) -> Urgency:
    """Read `urgency/`. Raises ResourceError that names file and fault."""
    folder = resources / "urgency"
    happening = load_happening(folder / HAPPENING)
    files = sorted(file for file in folder.glob("*.toml") if file.name not in (HAPPENING, EXAMPLES, OWN_RULES))
    contents = {file: read_toml(file) for file in files}
    own_file = folder / OWN_RULES
    own = read_toml(own_file) if own_file.is_file() else {}
    book = _read_words({**contents, own_file: {"words": own.get("words", {})}})
    rules: dict[str, Rule] = {}
    for file, content in contents.items():
        _refuse_unknown_parts(file, content, ("words", "rules", "same"))
        rules |= _rules_of(file, content, book, rules)
    _refuse_unknown_parts(own_file, own, ("words", "rules", "off"))
    own_rules = _rules_of(own_file, own, book, {})
    rules = {name: rule for name, rule in {**rules, **own_rules}.items() if name not in _off(own_file, own)}
    if undefined := happening.contexts - book.numbers.keys():
        raise _fault(folder / HAPPENING, f"词组“{min(undefined)}”没有定义")
    if not rules:
        raise ResourceError(f"急症规则目录 {folder} 中没有规则。")
    return Urgency(list(rules.values()), book, happening)


def _refuse_unknown_parts(file: Path, content: Mapping[str, Any], known: Sequence[str]) -> None:
    if unknown := content.keys() - set(known):
        raise _fault(file, f"有未知的部分“{min(unknown)}”，只能有 {'、'.join(known)}")


def _rules_of(file: Path, content: Mapping[str, Any], book: SignBook, known: Container[str]) -> dict[str, Rule]:
    """The rules of a file; none of them is among those that are known, and none there twice."""
    rules: dict[str, Rule] = {}
    for table in tables_of(file, content):
        rule = _rule(file, table, book)
        if rule.card.id in known or rule.card.id in rules:
            raise _fault(file, f"规则“{rule.card.id}”重复")
        rules[rule.card.id] = rule
    return rules


def _off(file: Path, content: Mapping[str, Any]) -> set[str]:
    """Ids of the rules that are switched off. One that a later version no longer has is no fault."""
    tables = tables_of(file, content, "off")
    for table in tables:
        if set(table) != {"id", "reason"} or not all(isinstance(value, str) and value for value in table.values()):
            raise _fault(file, "[[off]] 要有 id 和 reason 两项")
    return {table["id"] for table in tables}


def tables_of(file: Path, content: Mapping[str, Any], name: str = "rules") -> list[dict[str, Any]]:
    """The tables of that name in a file. Raises ResourceError when they are written otherwise."""
    tables = content.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _fault(file, f"{name} 要写成 [[{name}]]")
    return tables


def _read_words(contents: Mapping[Path, Mapping[str, Any]]) -> SignBook:
    """The word groups of all files. A group may be made of others, wherever these stand."""
    homes: dict[str, tuple[Path, list[str]]] = {}
    for file, content in contents.items():
        words = content.get("words", {})
        if not isinstance(words, dict):
            raise _fault(file, "words 要写成 [words]")
        for name, entries in words.items():
            if name in homes:
                raise _fault(file, f"词组“{name}”在 {homes[name][0].name} 中已有")
            homes[name] = file, _texts(file, f"词组“{name}”", entries)
    book = SignBook(same=_same(contents))
    book.numbers.update({name: number for number, name in enumerate(homes)})
    for name in _parts_first(homes):
        file, entries = homes[name]
        _checked(file, f"词组“{name}”", partial(book.add_group, name, entries))
    return book


def _same(contents: Mapping[Path, Mapping[str, Any]]) -> dict[int, str]:
    """What each character is read as, of all files; one character for one, so that places stay what they are."""
    same: dict[int, str] = {}
    for file, content in contents.items():
        table = content.get("same", {})
        if not isinstance(table, dict):
            raise _fault(file, "same 要写成 [same]")
        for read, others in table.items():
            if len(read) != 1 or not isinstance(others, str) or not others:
                raise _fault(file, f"same 中的“{read}”要写成一个字等于若干字")
            same |= {ord(other): read for other in others}
    return same


def _parts_first(homes: Mapping[str, tuple[Path, list[str]]]) -> list[str]:
    """Names of groups, each after those it is made of."""
    order: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        file, entries = homes[name]
        if name in above:
            raise _fault(file, f"词组“{name}”由它自己组成")
        for part in (part for part in SignBook.named_in(entries) if part in homes and part not in order):
            visit(part, (*above, name))
        order[name] = None

    for name in homes:
        if name not in order:
            visit(name, ())
    return list(order)


def _rule(file: Path, table: Mapping[str, Any], book: SignBook) -> Rule:
    name = f"规则“{table.get('id', '?')}”"
    if missing := [key for key in _TEXTS if key not in table]:
        raise _fault(file, f"{name}缺少 {missing[0]}")
    is_own = file.name == OWN_RULES
    for key in _OWN_LISTS if is_own else ():
        _texts(file, f"{name}的 {key}", table.get(key, []))
    if unknown := table.keys() - _KEYS - set(_OWN_LISTS if is_own else ()):
        raise _fault(file, f"{name}有未知的项目“{min(unknown)}”")
    for key in (*_TEXTS, "source_url"):
        value = table.get(key, "")
        if not isinstance(value, str) or (key not in ("reviewed_by", "source_url") and not value.strip()):
            raise _fault(file, f"{name}的 {key} 要写成文字，不能为空")
    if table["level"] not in LEVELS:
        raise _fault(file, f"{name}的 level“{table['level']}”未知；可用的有 {'、'.join(LEVELS)}")
    lists = {key: _texts(file, f"{name}的 {key}", table.get(key, [])) for key in ("phones", *_SIGNS)}
    if not any(lists[key] for key in _SIGNS):
        raise _fault(file, f"{name}没有 signs，永远不会出现")
    texts = {key: table[key].strip() for key in _TEXTS}
    card = UrgencyCard(**texts, phones=tuple(lists["phones"]), source_url=table.get("source_url", ""))
    return Rule(card, *([_checked(file, name, partial(book.sign, text)) for text in lists[key]] for key in _SIGNS))


def _texts(file: Path, name: str, entries: object) -> list[str]:
    if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
        raise _fault(file, f"{name}要写成文字的列表")
    return entries


def _checked(file: Path, name: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except SignError as error:
        raise _fault(file, f"{name}：{error}") from error


def _fault(file: Path, told: str) -> ResourceError:
    return ResourceError(f"急症规则 {file} 有误：{told}。")
