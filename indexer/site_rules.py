"""Rules of editors on what stays of a site's pages: listed, proposed, saved and taken back. They lie in the data
directory's own site files, one for each host, and so in the history of these (own_resources.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import ResourceError
from indexer.extract.editor_rules import (
    EDITOR_KEYS,
    MAX_TEXT_CHARS,
    compile_pattern,
    exact_pattern,
    normal_host,
)
from indexer.own_resources import ResourceFile, list_resources, own_text, resource_history, save_resources

DECISION_LABELS: Mapping[str, str] = {"remove": "标为广告或无关", "keep": "保留"}
MAX_ADDRESS_CHARS = 2_000
_PLAIN_NAME = re.compile(r"[a-z0-9.-]{1,60}")
_HISTORY = 1_000  # changes of a file that are looked through for who made a rule


@dataclass(frozen=True)
class NewSiteRule:
    """A rule: of a whole site by a pattern, or of one page by a block's text."""

    host: str  #: or the folder, of pages without address
    decision: str  #: a key of DECISION_LABELS
    text: str  #: a pattern; with `address` the text of a block
    address: str = ""  #: of the one page that it is for, or its path; "" for all pages of the host

    @property
    def label(self) -> str:
        """The decision, for people."""
        return DECISION_LABELS[self.decision]


@dataclass(frozen=True)
class SiteRule(NewSiteRule):
    """A rule that is in force from the next build on."""

    file: str = ""  #: below the resources
    is_own: bool = True  #: whether it was made here, and can be taken back
    actor: str = ""  #: "" where it came with the program
    at: str = ""  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    reason: str = ""

    @property
    def key(self) -> str:
        """A short name of it, the same as long as it says the same."""
        return rule_key(self)


def rule_key(rule: NewSiteRule) -> str:
    """Sixteen characters that stand for what a rule says."""
    said = "\0".join([rule.host, rule.decision, rule.text, rule.address])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def new_site_rule(host: str, decision: str, text: str, is_pattern: bool, address: str = "") -> NewSiteRule:
    """A rule as a person asks for it, checked. Raises ResourceError with what is wrong, in a sentence."""
    if decision not in DECISION_LABELS:
        raise ResourceError("请选择标为广告或无关，还是保留。")
    text, address = text.strip(), address.strip()
    if not text or len(text) > MAX_TEXT_CHARS or not _is_text(text) or not _is_text(address):
        raise ResourceError(f"请写要匹配的文字，最多 {MAX_TEXT_CHARS} 个字，不能有控制字符。")
    if len(address) > MAX_ADDRESS_CHARS:
        raise ResourceError(f"网址太长：最多 {MAX_ADDRESS_CHARS} 个字符。")
    if not address:
        text = text if is_pattern else exact_pattern(text)
        compile_pattern(text)
    elif is_pattern:
        raise ResourceError("只对一页的标记要写这一段的原文，不能用正则表达式。")
    return NewSiteRule(normal_host(host), decision, text, address)


def list_site_rules(data: Path, chosen: Path | None = None) -> list[SiteRule]:
    """All rules of editors, by host. Raises ResourceError or StateError."""
    found = []
    for file in list_resources(data, chosen):
        if file.path.startswith("sites/"):
            found.extend(_rules_of(data, file))
    return sorted(found, key=lambda rule: (rule.host, rule.address, rule.decision, rule.text))


def find_site_rule(data: Path, key: str, chosen: Path | None = None) -> SiteRule:
    """A rule by its key. Raises ResourceError when there is none."""
    for rule in list_site_rules(data, chosen):
        if rule.key == key:
            return rule
    raise ResourceError("没有这条规则，可能已有人取消了它。")


def changes_with(data: Path, rule: NewSiteRule) -> dict[str, str | None]:
    """The site file with one rule more; path -> text. Raises ResourceError when it is there already."""
    path, content = _own_content(data, rule.host)
    row = _rows(content, rule)
    if rule.text in row[rule.decision]:
        raise ResourceError("已经有这条规则了。")
    other = "keep" if rule.decision == "remove" else "remove"
    row[other] = [text for text in row[other] if text != rule.text]  # the later word counts
    row[rule.decision].append(rule.text)
    return {path: _written(content)}


def changes_without(data: Path, rule: NewSiteRule) -> dict[str, str | None]:
    """The site file without a rule. Raises ResourceError when it has none such."""
    path, content = _own_content(data, rule.host)
    row = _rows(content, rule)
    if rule.text not in row[rule.decision]:
        raise ResourceError("没有这条规则，可能已有人取消了它；随程序带来的规则请直接修改站点文件。")
    row[rule.decision] = [text for text in row[rule.decision] if text != rule.text]
    return {path: _written(content)}


def add_site_rule(data: Path, rule: NewSiteRule, actor: str, reason: str, chosen: Path | None = None) -> None:
    """Save a rule; the next build obeys it. Raises ResourceError or StateError."""
    _save(data, changes_with(data, rule), rule, actor, reason, chosen)


def remove_site_rule(data: Path, rule: NewSiteRule, actor: str, reason: str, chosen: Path | None = None) -> None:
    """Take a rule back. Raises ResourceError or StateError."""
    _save(data, changes_without(data, rule), rule, actor, f"取消规则：{reason}", chosen)


def _save(
    data: Path, changes: dict[str, str | None], rule: NewSiteRule, actor: str, reason: str, chosen: Path | None
) -> None:
    if not reason.strip():
        raise ResourceError("请写明原因。")
    path = rule_file(rule.host)
    save_resources(data, changes, actor, reason, chosen, seen={path: own_text(data, path)})


def rule_file(host: str) -> str:
    """The own site file of a host, below the resources."""
    name = host if _PLAIN_NAME.fullmatch(host) else hashlib.sha256(host.encode()).hexdigest()[:16]
    return f"sites/host-{name}.toml"


def _own_content(data: Path, host: str) -> tuple[str, dict[str, Any]]:
    path = rule_file(host)
    text = own_text(data, path)
    content: dict[str, Any] = {"hosts": [host]}
    if text is not None:
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ResourceError(f"资源文件 {path} 不是有效的 TOML：{error}") from error
        if set(content) - EDITOR_KEYS or content.get("hosts") != [host]:
            raise ResourceError(f"资源文件 {path} 里有手写的其他规则；请直接修改这个文件。")
    return path, content


def _rows(content: dict[str, Any], rule: NewSiteRule) -> dict[str, Any]:
    """The table of a file that holds rules of this kind, with both lists."""
    table = content
    if rule.address:
        tables = content.setdefault("page", [])
        table = next((each for each in tables if each["address"] == rule.address), {"address": rule.address})
        if table not in tables:
            tables.append(table)
    for name in ("keep", "remove"):
        table.setdefault(name, [])
    return table


def _written(content: Mapping[str, Any]) -> str | None:
    """A file's text; None when no rule is left."""
    lines = ["# 由编辑台和 yiwen rules 维护", f"hosts = {_list(content['hosts'])}"]
    rules = [f"{name} = {_list(content[name])}" for name in ("keep", "remove") if content.get(name)]
    for page in content.get("page", []):
        if any(page.get(name) for name in ("keep", "remove")):
            rules += ["", "[[page]]", f"address = {_quoted(page['address'])}"]
            rules += [f"{name} = {_list(page[name])}" for name in ("keep", "remove") if page.get(name)]
    return "\n".join([*lines, *rules, ""]) if rules else None


def _list(texts: list[str]) -> str:
    items = "".join(f"  {_quoted(text)},\n" for text in texts)
    return f"[\n{items}]"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _is_text(text: str) -> bool:
    """Nothing that TOML or UTF-8 would not take, and no line breaks: blocks have none."""
    return not any(ord(mark) < 32 or ord(mark) == 127 or 0xD800 <= ord(mark) < 0xE000 for mark in text)


def _rules_of(data: Path, file: ResourceFile) -> list[SiteRule]:
    """The rules of a file, each with who made it, as far as the file's history says."""
    rules = _said(file.text)
    if not rules:
        return []
    made: dict[NewSiteRule, tuple[str, str, str]] = {}
    if file.is_own:
        for change in reversed(resource_history(data, file.path, _HISTORY)):
            before = set(_said(change.before or ""))
            made.update(
                {r: (change.actor, change.at, change.reason) for r in _said(change.after or "") if r not in before}
            )
    return [
        SiteRule(r.host, r.decision, r.text, r.address, file.path, file.is_own, *made.get(r, ("", "", "")))
        for r in rules
    ]


def _said(text: str) -> list[NewSiteRule]:
    """The rules in a file's text; none in one that cannot be read: builds say what is wrong with it."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return []
    host = "、".join(map(str, content.get("hosts", [])))
    found = [NewSiteRule(host, name, text) for name in ("keep", "remove") for text in content.get(name, [])]
    for page in content.get("page", []):
        found += [
            NewSiteRule(host, name, text, page.get("address", ""))
            for name in ("keep", "remove")
            for text in page.get(name, [])
        ]
    return found
