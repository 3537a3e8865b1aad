"""A site's own urgency rules (`urgency/own.toml`): rules added, shipped ones reworded or switched off; and what that
does to the cards of sentences, so that no emergency loses its card unseen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.answer.urgency import EXAMPLES, HAPPENING, LEVELS, OWN_RULES, Urgency, tables_of
from indexer.errors import ResourceError
from indexer.resources import read_toml, toml_value

OWN_RULES_PATH = f"urgency/{OWN_RULES}"
EMERGENCY = "emergency"
MAX_TEXT_CHARS = 1_000
MAX_ENTRIES = 60
MAX_ENTRY_CHARS = 500
_ID = re.compile(r"[a-z][a-z0-9-]{1,39}")
_HEAD = "# 本站自己的急症规则；由编辑台写成，也可以手工修改。同名的规则代替随程序的一条，[[off]] 停用一条。\n"
_TEXTS = ("id", "level", "title", "text", "source", "source_url", "reviewed_by")
_LISTS = ("phones", "certain", "signs", "named", "examples", "counter_examples")


@dataclass(frozen=True)
class RuleText:
    """A rule as it is written, for a form."""

    id: str
    level: str = "today"
    title: str = ""
    text: str = ""
    source: str = ""
    source_url: str = ""
    reviewed_by: str = ""
    phones: tuple[str, ...] = ()
    certain: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()  #: sentences that must raise it, or a card at least as urgent
    counter_examples: tuple[str, ...] = ()  #: sentences that must not raise it

    @property
    def level_label(self) -> str:
        """Its level, in Chinese."""
        return LEVELS.get(self.level, self.level)


@dataclass(frozen=True)
class KnownRule:
    """A rule, and where it comes from."""

    rule: RuleText  #: what is used, or was before it was switched off
    file: str  #: below the resources
    shipped: RuleText | None  #: as it came with the program; None for one that only the site has
    is_own: bool  #: own.toml holds it
    off_reason: str = ""  #: why it is switched off; "" while it is used

    @property
    def guards(self) -> bool:
        """Whether it came with the program as an emergency card."""
        return self.shipped is not None and self.shipped.level == EMERGENCY


@dataclass
class OwnRules:
    """What own.toml says."""

    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: dict[str, RuleText] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)  #: id -> why


@dataclass(frozen=True)
class CardChange:
    """A sentence that gets another card."""

    sentence: str
    before: str  #: id; "" for none
    after: str
    level_before: str  #: "" for none
    level_after: str

    @property
    def is_weaker(self) -> bool:
        """Whether an emergency is no longer told as one."""
        return self.level_before == EMERGENCY and self.level_after != EMERGENCY


def parse_own_rules(text: str | None) -> OwnRules:
    """Raises ResourceError."""
    file = Path(OWN_RULES_PATH)
    try:
        content = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        raise ResourceError(f"急症规则 {file} 不是有效的 TOML：{error}") from error
    rules = {rule.id: rule for rule in map(_rule_of, tables_of(file, content))}
    off = {str(table.get("id")): str(table.get("reason", "")) for table in tables_of(file, content, "off")}
    words = content.get("words", {})
    return OwnRules(words if isinstance(words, dict) else {}, rules, off)


def known_rules(resources: Path, text: str | None) -> dict[str, KnownRule]:
    """All rules by their ids, with this text of own.toml: own ones last. Raises ResourceError."""
    own = parse_own_rules(text)
    known: dict[str, KnownRule] = {}
    for file in sorted((resources / "urgency").glob("*.toml")):
        if file.name in (HAPPENING, EXAMPLES, OWN_RULES):
            continue
        for table in tables_of(file, read_toml(file)):
            rule = _rule_of(table)
            mine = own.rules.get(rule.id)
            path = OWN_RULES_PATH if mine else f"urgency/{file.name}"
            known[rule.id] = KnownRule(mine or rule, path, rule, mine is not None, own.off.get(rule.id, ""))
    for name, rule in own.rules.items():
        if name not in known:
            known[name] = KnownRule(rule, OWN_RULES_PATH, None, True, own.off.get(name, ""))
    return known


def word_groups(resources: Path) -> list[str]:
    """Names of the word groups that signs may use. Raises ResourceError."""
    files = sorted((resources / "urgency").glob("*.toml"))
    groups = (read_toml(file).get("words", {}) for file in files if file.name not in (HAPPENING, EXAMPLES))
    return sorted({name for words in groups if isinstance(words, dict) for name in words})


def rule_objections(rule: RuleText) -> list[str]:
    """Sentences on what is wrong with a rule as somebody filled it in; what its signs mean is checked on saving."""
    told = []
    if not _ID.fullmatch(rule.id):
        told.append("编号要用小写英文字母、数字和短横，以字母开头，2 到 40 个字符，例如 stroke-mild。")
    if rule.level not in LEVELS:
        told.append(f"请选择紧急程度：{'、'.join(LEVELS.values())}。")
    for label, value in (("标题", rule.title), ("该怎么做", rule.text), ("依据", rule.source)):
        if not value.strip():
            told.append(f"请写明{label}。")
    if any(len(getattr(rule, name)) > MAX_TEXT_CHARS for name in _TEXTS):
        told.append(f"每一项最多 {MAX_TEXT_CHARS} 个字。")
    if rule.source_url and not re.fullmatch(r"https?://[^\s<>\"']+", rule.source_url):
        told.append("依据的网址要以 https:// 或 http:// 开头。")
    if not (rule.certain or rule.signs or rule.named):
        told.append("请至少写一条征象，否则这张卡片永远不会出现。")
    lists = [getattr(rule, name) for name in _LISTS]
    if any(len(entries) > MAX_ENTRIES or any(len(entry) > MAX_ENTRY_CHARS for entry in entries) for entries in lists):
        told.append(f"每个列表最多 {MAX_ENTRIES} 行，每行最多 {MAX_ENTRY_CHARS} 个字。")
    if not all(phone.isdecimal() and len(phone) <= 12 for phone in rule.phones):
        told.append("电话只写数字，每行一个。")
    return told


def set_rule(text: str | None, rule: RuleText, shipped: RuleText | None) -> str:
    """The text of own.toml with this rule; the shipped one need not stand there. Raises ResourceError."""
    if told := rule_objections(rule):
        raise ResourceError(" ".join(told))
    own = parse_own_rules(text)
    own.rules.pop(rule.id, None)
    if rule != shipped:
        own.rules[rule.id] = rule
    return own_rules_text(own)


def switch_rule(text: str | None, id: str, known: Mapping[str, KnownRule], off_reason: str) -> str:
    """The text by which a rule is switched off, or with an empty reason on again. Raises ResourceError."""
    own = parse_own_rules(text)
    if id not in known:
        raise ResourceError(f"没有编号为“{id}”的急症规则。")
    if bool(off_reason) == (id in own.off):
        raise ResourceError(f"规则“{id}”已经{'停用' if off_reason else '启用'}。")
    own.off.pop(id, None)
    if off_reason:
        own.off[id] = off_reason
    return own_rules_text(own)


def drop_rule(text: str | None, id: str) -> str:
    """The text without the site's own wording of a rule, or without a rule of its own. Raises ResourceError."""
    own = parse_own_rules(text)
    if own.rules.pop(id, None) is None and own.off.pop(id, None) is None:
        raise ResourceError(f"本站没有改过规则“{id}”。")
    own.off.pop(id, None)
    return own_rules_text(own)


def own_rules_text(own: OwnRules) -> str:
    """As own.toml holds it."""
    parts = [_HEAD]
    if own.words:
        parts.append("\n[words]\n")
        parts += [f"{toml_value(name)} = {toml_value(entries)}\n" for name, entries in own.words.items()]
    for rule in own.rules.values():
        parts.append("\n[[rules]]\n")
        values = ((name, getattr(rule, name)) for name in (*_TEXTS, *_LISTS))
        parts += [f"{name} = {toml_value(value)}\n" for name, value in values if value or name == "reviewed_by"]
    for id, reason in own.off.items():
        parts.append(f"\n[[off]]\nid = {toml_value(id)}\nreason = {toml_value(reason)}\n")
    return "".join(parts)


def urgent_sentences(resources: Path) -> list[str]:
    """The sentences of `urgency/examples.toml`, and the examples of the site's own rules. Raises ResourceError."""
    file = resources / "urgency" / EXAMPLES
    told: list[str] = []
    for table in tables_of(file, read_toml(file), "examples") if file.is_file() else []:
        told += _listed(table.get("sentences"))
    own_file = resources / "urgency" / OWN_RULES
    own = parse_own_rules(own_file.read_text(encoding="utf-8")) if own_file.is_file() else OwnRules()
    return list(dict.fromkeys([*told, *(sentence for rule in own.rules.values() for sentence in rule.examples)]))


def card_changes(before: Urgency, after: Urgency, sentences: Iterable[str]) -> list[CardChange]:
    """The sentences that get another card, or a card of another level; those that lose an emergency first."""
    changes = []
    for sentence in dict.fromkeys(sentences):
        old, new = before.card(sentence), after.card(sentence)
        facts = (old.id, old.level) if old else ("", ""), (new.id, new.level) if new else ("", "")
        if facts[0] != facts[1]:
            changes.append(CardChange(sentence, facts[0][0], facts[1][0], facts[0][1], facts[1][1]))
    return sorted(changes, key=lambda change: not change.is_weaker)


def weakened_rules(before: Urgency, after: Urgency) -> list[str]:
    """Ids of emergency rules that are gone, told as less urgent, or have fewer signs than before."""
    now = {rule.card.id: rule for rule in after.rules}
    weaker = []
    for rule in before.rules:
        if rule.card.level != EMERGENCY:
            continue
        new = now.get(rule.card.id)
        if (
            new is None
            or new.card.level != EMERGENCY
            or any(
                {sign.text for sign in old} - {sign.text for sign in kept}
                for old, kept in ((rule.certain, new.certain), (rule.signs, new.signs), (rule.named, new.named))
            )
        ):
            weaker.append(rule.card.id)
    return weaker


def wrong_examples(urgency: Urgency, text: str | None) -> list[str]:
    """Sentences on what the site's own rules say of themselves and do not do."""
    told = []
    order = list(LEVELS)
    own = parse_own_rules(text)
    for rule in own.rules.values():
        if rule.id in own.off:
            continue
        for sentence in rule.examples:
            card = urgency.card(sentence)
            if card is None or order.index(card.level) > order.index(rule.level):
                told.append(f"规则“{rule.id}”的例句“{sentence}”没有引出它{f'，引出的是 {card.id}' if card else ''}。")
        for sentence in rule.counter_examples:
            card = urgency.card(sentence)
            if card is not None and card.id == rule.id:
                told.append(f"规则“{rule.id}”的反例“{sentence}”引出了它。")
    return told


def _rule_of(table: Mapping[str, Any]) -> RuleText:
    texts: dict[str, Any] = {name: str(table.get(name, "")) for name in _TEXTS}
    return RuleText(**texts | {name: tuple(_listed(table.get(name))) for name in _LISTS})


def _listed(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []
