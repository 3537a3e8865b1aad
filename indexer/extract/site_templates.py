"""Extraction rules as data: what all sites share (sites/general.toml) and what single sites add to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from indexer.errors import ResourceError
from indexer.extract.editor_rules import EDITOR_KEYS, EditorFile, PageEditors, fits_site, read_editor_file
from indexer.extract.plain_text import plain as plain
from indexer.extract.plain_text import simplified as simplified
from indexer.records import Kind
from indexer.resources import read_toml

_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class Patterns(tuple[re.Pattern[str], ...]):
    """Patterns in the order of the file, and one that matches where any of them does."""

    either: re.Pattern[str]

    def __new__(cls, patterns: Iterable[re.Pattern[str]]) -> Patterns:
        self = super().__new__(cls, patterns)
        together = "|".join(f"(?:{_GROUP_NAME.sub('(?:', pattern.pattern)})" for pattern in self)
        self.either = re.compile(together or r"(?!)")
        return self

    def __add__(self, other: Patterns) -> Patterns:  # type: ignore[override]
        return Patterns((*self, *other))


@dataclass(frozen=True)
class Rules:
    """Compiled rules for one page; every pattern sees `plain` text. The TOML file says what each is for."""

    navigation: Patterns
    controls: re.Pattern[str]  #: a line of nothing but buttons
    breadcrumb: Patterns
    breadcrumb_separator: Patterns
    byline: Patterns
    views: Patterns
    likes: Patterns
    author: Patterns
    date: Patterns
    date_label: Patterns
    statistics: Patterns
    not_author: Patterns
    author_title: Patterns
    hospital: Patterns
    no_hospital: Patterns
    person: re.Pattern[str]  #: a Chinese person's name between marks or blanks
    no_topic: Patterns
    affiliation: Patterns
    doctor_says: Patterns
    asker_says: Patterns
    about_reply: Patterns
    doctor_notice: Patterns
    lay_line: Patterns
    system_says: Patterns
    card: Patterns
    post_line: Patterns
    related_heading: Patterns
    links_heading: Patterns
    comments_heading: Patterns
    answer_count: Patterns
    disclaimer: Patterns
    advertisement: Patterns
    footer: Patterns
    no_answer_page: Patterns
    unrelated_topic: Patterns
    site_line: Patterns = field(default_factory=lambda: Patterns(()))
    breadcrumb_root: tuple[str, ...] = ()
    kind: Kind = Kind.ARTICLE  #: of the page's main text
    chrome: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: reason -> names of elements
    answers: tuple[str, ...] = ()  #: names of elements that hold an answer
    crumb_names: tuple[str, ...] = ()  #: names of elements that hold the path to the page


@dataclass(frozen=True)
class SiteTemplate:
    """A known layout."""

    name: str
    media: str
    fingerprint: Patterns
    rules: Rules
    hosts: frozenset[str] = frozenset()  #: empty: of any site

    def fits(self, lines: Sequence[str], site: str | None = None) -> bool:
        """Each pattern of the fingerprint matches some line, and the site is one of those it is for."""
        if self.hosts and not fits_site(self.hosts, site):
            return False
        return all(any(pattern.search(line) for line in lines) for pattern in self.fingerprint)


@dataclass(frozen=True)
class SiteTemplates:
    """The general rules and all templates."""

    general: Rules
    templates: tuple[SiteTemplate, ...]
    editors: tuple[EditorFile, ...] = ()
    additions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  #: by file: what it adds for its hosts
    _together: dict[tuple[str, ...], Rules] = field(default_factory=dict, compare=False, repr=False)

    def rules_for(self, media: str, lines: Sequence[str], site: str | None = None) -> Rules:
        """Rules of the first template that fits, else the general ones, with what all files of the page's site add;
        `lines` are plain.
        """
        template = next((t for t in self.templates if t.media == media and t.fits(lines, site)), None)
        base = template.rules if template else self.general
        added = [e.file for e in self.editors if e.file in self.additions and e.fits(media, lines, site)]
        if not added:
            return base
        key = (template.name if template else "", *added)
        if key not in self._together:
            for file in added:
                base = _with_values(base, self.additions[file])
            self._together[key] = base
        return self._together[key]

    def editors_for(self, media: str, lines: Sequence[str], site: str | None, addresses: Sequence[str]) -> PageEditors:
        """What editors say of the blocks of a page, by its site and its addresses: url and path."""
        fitting = [e for e in self.editors if e.fits(media, lines, site)]
        pages = [e.pages[address] for e in self.editors for address in addresses if address in e.pages]
        return PageEditors(fitting, pages)


def first_match(patterns: Patterns, text: str) -> re.Match[str] | None:
    """The first pattern's match, in the order of the file; traditional characters match simplified ones."""
    text = simplified(text)
    if patterns.either.search(text) is None:
        return None
    return next(match for pattern in patterns if (match := pattern.search(text)))


def load_site_templates(resources: Path) -> SiteTemplates:
    """Read `sites/*.toml`. Raises ResourceError naming the file and what is wrong in it."""
    folder = resources / "sites"
    general = _apply(None, folder / "general.toml")
    templates: list[SiteTemplate] = []
    editors: list[EditorFile] = []
    additions: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.toml")):
        if file.name == "general.toml":
            continue
        content = read_toml(file)
        is_template = "fingerprint" in content or not EDITOR_KEYS & content.keys()
        if is_template:
            templates.append(_template(general, file, content))
        if EDITOR_KEYS & content.keys():
            fingerprint = _compile(content.get("fingerprint", ()), file)
            editors.append(read_editor_file(file, content, fingerprint))
            if not is_template and (values := _values(content, file)):
                additions[file.name] = values
    return SiteTemplates(general, tuple(templates), tuple(editors), additions)


def _template(general: Rules, file: Path, content: Mapping[str, Any]) -> SiteTemplate:
    missing = {"name", "media", "fingerprint"} - set(content)
    if missing:
        raise ResourceError(f"站点模板 {file} 缺少 {'、'.join(sorted(missing))}。")
    fingerprint = _compile(content["fingerprint"], file)
    hosts = frozenset(content.get("hosts", ()))
    return SiteTemplate(content["name"], content["media"], fingerprint, _apply(general, file), hosts)


def _apply(general: Rules | None, file: Path) -> Rules:
    """The general rules with what a file adds; without general rules the file must hold them all."""
    values = _values(read_toml(file), file)
    try:
        return _with_values(general, values) if general else Rules(**values)
    except TypeError as error:
        raise ResourceError(f"站点规则 {file} 不完整：{error}") from error


def _with_values(rules: Rules, values: Mapping[str, Any]) -> Rules:
    """Rules with what a file adds: its patterns before those that are there, all else instead of it."""
    added = {
        name: value + getattr(rules, name) if isinstance(value, Patterns) else value for name, value in values.items()
    }
    return replace(rules, **added)


def _values(content: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """A file's own rules, compiled."""
    values: dict[str, Any] = {}
    for item in fields(Rules):
        if item.name not in content:
            continue
        value = content[item.name]
        if item.name == "kind":
            values["kind"] = Kind(value)
        elif item.name in ("breadcrumb_root", "crumb_names"):
            values[item.name] = tuple(value)
        elif item.name == "controls":
            values["controls"] = _buttons(value)
        elif item.name == "person":
            values["person"] = _names(value)
        elif item.name == "chrome":
            values["chrome"] = {reason: tuple(names) for reason, names in value.items()}
        elif item.name == "answers":
            values["answers"] = tuple(value["names"])
        else:
            values[item.name] = _compile(value, file)
    unknown = set(content) - {item.name for item in fields(Rules)} - {"name", "media", "fingerprint"} - EDITOR_KEYS
    if unknown:
        raise ResourceError(f"站点模板 {file} 中有不认识的项“{sorted(unknown)[0]}”。")
    return values


def _buttons(names: str) -> re.Pattern[str]:
    """One or more of the names, with numbers and marks between them."""
    one = "|".join(re.escape(name) for name in sorted(names.split(), key=len, reverse=True))
    return re.compile(rf"^[\W\d_]*(?:(?:{one})(?:[\W\d_]|[万wk](?=\W|$))*)+$")


def _names(surnames: str) -> re.Pattern[str]:
    """A surname and one or two characters more, with nothing but marks, or a title, around them."""
    single = "".join(name for name in surnames.split() if len(name) == 1)
    double = "|".join(name for name in surnames.split() if len(name) > 1)
    return re.compile(
        rf"(?<![\u4e00-\u9fff])(?:(?:{double})[\u4e00-\u9fff]{{1,2}}|[{single}][\u4e00-\u9fff]{{1,2}})"
        r"(?=[^\u4e00-\u9fff]|$|主任|副主任|主治|住院|医师|医生|大夫|教授|药师)"
    )


def _compile(value: str | Iterable[str], file: Path) -> Patterns:
    patterns = [value] if isinstance(value, str) else value
    try:
        return Patterns(re.compile(pattern) for pattern in patterns)
    except re.error as error:
        raise ResourceError(f"站点规则 {file} 中的正则表达式 {error.pattern!r} 有误：{error}") from error
