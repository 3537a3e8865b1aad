"""What a page hides from its readers, by its markup and its own style sheets.

Two kinds: what nobody is ever to see (text of no size, off the screen, in the colour of its background), which is
spam; and what is folded away until a click (展开全文, tabs), which is often the rest of the article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from indexer.extract.html_tree import Tag


class Visibility(Enum):
    """What a reader sees of an element."""

    SHOWN = "shown"
    COLLAPSED = "collapsed"  #: display:none, which scripts undo
    HIDDEN = "hidden"  #: nobody is ever to see it


@dataclass(frozen=True)
class HiddenClasses:
    """Classes and ids, with their mark (.x, #x), that the page's own style sheets hide."""

    collapsed: frozenset[str]
    hidden: frozenset[str]
    no_font: frozenset[str]
    coloured: frozenset[str]  #: those with a background of their own that is not white

    @property
    def any(self) -> frozenset[str]:
        """All that may hide something."""
        return self.collapsed | self.hidden | self.no_font


_COLLAPSED = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN = re.compile(
    r"opacity\s*:\s*0(?![.\d])|(?:left|top|text-indent|margin-left|margin-top|right)\s*:\s*-(?:999|\d{4,})"
    r"|(?<![-\w])(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|$|!)|clip\s*:\s*rect\(\s*[01]|line-height\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
#: no size of its own hides a text, unless an element inside sets another (a trick against gaps between elements)
_NO_FONT = re.compile(r"font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_ANY_FONT = re.compile(r"font-size\s*:\s*[1-9]", re.IGNORECASE)
_COLOUR = re.compile(r"(?<![-\w])color\s*:\s*([#\w]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*([#\w]+)", re.IGNORECASE)
_WHITE = frozenset({"#fff", "#ffffff", "white", "#fefefe", "#fdfdfd"})
_STYLE_RULE = re.compile(r"([^{}]{1,200})\{([^{}]{0,2000})\}")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ONE_NAME = re.compile(r"^\s*(?:[a-z]+)?([.#][\w-]+)\s*$")
_BORROWED_HEIGHT = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)


def hidden_classes(page: Tag) -> HiddenClasses:
    """Read the <style> elements; only rules for one class or id count."""
    found: dict[str, set[str]] = {"collapsed": set(), "hidden": set(), "no_font": set(), "coloured": set()}
    for style in page.iter("style"):
        for selectors, declarations in _STYLE_RULE.findall(_CSS_COMMENT.sub("", style.text or "")):
            names = {match[1] for part in selectors.split(",") if (match := _ONE_NAME.match(part))}
            background = _BACKGROUND.search(declarations)
            for kind, applies in (
                ("collapsed", _COLLAPSED.search(declarations)),
                ("hidden", _is_never_seen(declarations)),
                ("no_font", _NO_FONT.search(declarations)),
                ("coloured", background and background[1].lower() not in _WHITE),
            ):
                if applies:
                    found[kind] |= names
    return HiddenClasses(**{kind: frozenset(names) for kind, names in found.items()})


def visibility(tag: Tag, classes: HiddenClasses) -> Visibility:
    """What a reader sees of this element; elements around it are not looked at, but for its background."""
    style = tag.get("style", "")
    names = _names(tag)
    if not style and names.isdisjoint(classes.any) and "hidden" not in tag.attrib and "color" not in tag.attrib:
        return Visibility.SHOWN
    if names & classes.hidden or (style and _is_never_seen(style)) or _is_unseen_colour(tag, style, classes):
        return Visibility.HIDDEN
    if _NO_FONT.search(style) and not any(_ANY_FONT.search(inner.get("style", "")) for inner in tag.iterdescendants()):
        return Visibility.HIDDEN
    if names & classes.no_font and not len(tag):
        return Visibility.HIDDEN
    if "hidden" in tag.attrib or _COLLAPSED.search(style) or (names & classes.collapsed and "block" not in style):
        return Visibility.COLLAPSED
    return Visibility.SHOWN


def _names(tag: Tag) -> set[str]:
    names = {f".{name}" for name in tag.get("class", "").split()}
    if identity := tag.get("id"):
        names.add(f"#{identity}")
    return names


def _is_never_seen(declarations: str) -> bool:
    found = _HIDDEN.search(declarations)
    if found and "height" in found[0] and "line" not in found[0]:
        return _BORROWED_HEIGHT.search(declarations) is not None
    return found is not None


def _is_unseen_colour(tag: Tag, style: str, classes: HiddenClasses) -> bool:
    """Text in the colour of its own background, or white where no background is known above it."""
    found = _COLOUR.search(style)
    colour = (found[1] if found else tag.get("color", "")).lower()
    if not colour:
        return False
    background = _BACKGROUND.search(style)
    if background:
        return colour == background[1].lower() or {colour, background[1].lower()} <= _WHITE
    return colour in _WHITE and not any(_sets_background(parent, classes) for parent in [tag, *tag.iterancestors()])


def _sets_background(tag: Tag, classes: HiddenClasses) -> bool:
    if tag.tag in ("body", "html"):
        return False
    found = _BACKGROUND.search(tag.get("style", ""))
    colour = (found[1] if found else tag.get("bgcolor", "")).lower()
    return bool((colour and colour not in _WHITE) or tag.get("background") or _names(tag) & classes.coloured)
