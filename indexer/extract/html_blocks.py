"""An HTML page as blocks in reading order, with the elements they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from indexer.extract.site_templates import plain
from indexer.records import Block

_SILENT = frozenset(
    "script style noscript template iframe object embed svg canvas select option textarea button input head map".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul".split()
)
#: what stands in the cells of a layout, and not in those of a table of facts
_IN_LAYOUT = ["table", "div", "p", "ul", "h1", "h2", "h3", "br", "img", "center", "dl"]
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])"
    r"|(?:left|top|text-indent|margin-left|margin-top)\s*:\s*-(?:999|\d{4,})",
    re.IGNORECASE,
)
#: no size of its own hides a text, unless an element inside sets another (a trick against gaps between elements)
_NO_FONT = re.compile(r"font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_ANY_FONT = re.compile(r"font-size\s*:\s*[1-9]", re.IGNORECASE)
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(frozen=True)
class Element:
    """A block-level element: what it is called, and where it stands."""

    tag: str
    names: frozenset[str]  #: parts of its id and classes, lower case: "main_Nav" gives main, nav
    signature: str  #: tag and classes, to tell brothers of one kind


@dataclass
class HtmlBlocks:
    """A page's visible blocks, its elements by number, and the texts that were hidden from readers."""

    blocks: list[Block] = field(default_factory=list)
    elements: dict[int, Element] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)


def html_blocks(soup: BeautifulSoup) -> HtmlBlocks:
    """Walk the page's body."""
    return _Walk(soup.body or soup).found


class _Walk:
    """One pass over the tree; text gathers until a block element begins or ends, or a line breaks.

    With a stack of its own: pages nest deeper than Python calls may.
    """

    def __init__(self, body: Tag) -> None:
        self.found = HtmlBlocks()
        self._prose_chars = len(body.get_text(strip=True))
        self._open: list[int] = []
        self._tags: list[str] = ["div"]
        self._links_open = 0
        self._clear()
        waiting: list[PageElement | Callable[[], None]] = [*reversed(body.contents)]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Tag):
                waiting.extend(reversed(self._enter(item)))
            elif isinstance(item, NavigableString):
                self._text(item)
            elif callable(item):
                item()
        self.flush()

    def _text(self, text: NavigableString) -> None:
        if not isinstance(text, PreformattedString):
            self._pieces.append(text)
            (self._link_pieces if self._links_open else self._unlinked_pieces).append(text)

    def _enter(self, tag: Tag) -> list[PageElement | Callable[[], None]]:
        """Note the tag's beginning; gives what is to be walked next: its content, and then its end."""
        if tag.name in _SILENT:
            return []
        if tag.name == "br":
            self.flush()
            return []
        if self._is_hidden(tag):
            if text := " ".join(tag.get_text(" ").split()):
                self.found.hidden.append(text)
            return []
        if tag.name in ("td", "th") and tag.parent is not None and _is_data_row(tag.parent):
            self._pieces.append(" ")
            self._unlinked_pieces.append(" ")
            return list(tag.contents)
        if tag.name in _BLOCKS:
            self.flush()
            number = len(self.found.elements)
            self.found.elements[number] = _describe(tag)
            self._open.append(number)
            self._tags.append(tag.name)
            return [*tag.contents, self._leave_block]
        if tag.name == "a" and tag.get("href"):
            self._links += bool(tag.get_text(strip=True))
            self._links_open += 1
            return [*tag.contents, self._leave_link]
        return list(tag.contents)

    def _leave_block(self) -> None:
        self.flush()
        self._open.pop()
        self._tags.pop()

    def _leave_link(self) -> None:
        self._links_open -= 1

    def _is_hidden(self, tag: Tag) -> bool:
        """Hidden from readers by its own markup; never what holds half of the page's text, which a script shows."""
        style = tag.get("style")
        hidden = tag.has_attr("hidden")
        if isinstance(style, str) and not hidden:
            hidden = _HIDING_STYLE.search(style) is not None or (
                _NO_FONT.search(style) is not None and not tag.find(style=_ANY_FONT)
            )
        return hidden and len(tag.get_text(strip=True)) * 2 < self._prose_chars

    def flush(self) -> None:
        text = " ".join("".join(self._pieces).split())
        if text:
            link_text = " ".join("".join(self._link_pieces).split())
            unlinked = plain("".join(self._unlinked_pieces))
            block = Block(
                text=text,
                plain=plain(text),
                tag=self._tags[-1],
                link_chars=len(link_text),
                links=self._links,
                path=tuple(self._open),
                unlinked=unlinked,
                pieces=plain(" ".join(self._pieces)),
            )
            self.found.blocks.append(block)
        self._clear()

    def _clear(self) -> None:
        self._pieces: list[str] = []
        self._unlinked_pieces: list[str] = []
        self._link_pieces: list[str] = []
        self._links = 0


def _is_data_row(row: Tag) -> bool:
    """A row of a table of facts, to be kept together (a drug and its dose), not of a table that lays out a page."""
    cells = row.find_all(["td", "th"], recursive=False)
    return row.name == "tr" and len(cells) >= 2 and row.find(_IN_LAYOUT) is None


def _describe(tag: Tag) -> Element:
    classes = tag.get_attribute_list("class")
    words = [str(value) for value in [*classes, tag.get("id")] if value]
    names = frozenset(part.lower() for word in words for part in _NAME_PART.findall(word))
    return Element(tag.name, names, ".".join([tag.name, *sorted(str(value) for value in classes if value)]))


def chrome(
    found: HtmlBlocks, names: Mapping[str, Iterable[str]], prose_chars: Mapping[int, int], all_prose_chars: int
) -> dict[int, str]:
    """Elements that are page furniture, by number, with the reason that their name gives.

    `names` maps a reason to element names; `prose_chars` counts running text inside each element. An element
    with half of the page's text or more is never furniture, whatever it is called (content-with-sidebar).
    """
    by_tag = {"nav": "navigation", "footer": "footer", "aside": "related_list"}
    reasons: dict[int, str] = {}
    for number, element in found.elements.items():
        reason = by_tag.get(element.tag) or next((r for r, ns in names.items() if element.names & set(ns)), None)
        if reason and (not prose_chars.get(number) or prose_chars[number] * 2 < all_prose_chars):
            reasons[number] = reason
    return reasons
