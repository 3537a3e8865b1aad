"""An HTML page as blocks in reading order, with the elements they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from indexer.extract.site_templates import plain
from indexer.records import Block

_SILENT = frozenset(
    "script style noscript template iframe object embed svg canvas select option textarea button input head map".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul".split()
)
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
    r"|(?:left|top|text-indent|margin-left)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
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
    walk = _Walk()
    walk.into(soup.body or soup)
    walk.flush()
    return walk.found


class _Walk:
    """One pass over the tree; text gathers until a block element begins or ends, or a line breaks."""

    def __init__(self) -> None:
        self.found = HtmlBlocks()
        self._open: list[int] = []
        self._pieces: list[str] = []
        self._unlinked_pieces: list[str] = []
        self._link_pieces: list[str] = []
        self._links = 0
        self._tag = "div"

    def into(self, parent: Tag, in_link: bool = False) -> None:
        for child in parent.children:
            if isinstance(child, NavigableString):
                if not isinstance(child, PreformattedString):
                    self._pieces.append(child)
                    (self._link_pieces if in_link else self._unlinked_pieces).append(child)
            elif isinstance(child, Tag):
                self._element(child, in_link)

    def _element(self, tag: Tag, in_link: bool) -> None:
        if tag.name in _SILENT:
            return
        if tag.name == "br":
            self.flush()
        elif _is_hidden(tag):
            text = " ".join(tag.get_text(" ").split())
            if text:
                self.found.hidden.append(text)
        elif tag.name in _BLOCKS:
            self._block(tag, in_link)
        else:
            is_link = tag.name == "a" and bool(tag.get("href"))
            self._links += is_link and bool(tag.get_text(strip=True))
            self.into(tag, in_link or is_link)

    def _block(self, tag: Tag, in_link: bool) -> None:
        self.flush()
        outer, self._tag = self._tag, tag.name
        number = len(self.found.elements)
        self.found.elements[number] = _describe(tag)
        self._open.append(number)
        self.into(tag, in_link)
        self.flush()
        self._open.pop()
        self._tag = outer

    def flush(self) -> None:
        text = " ".join("".join(self._pieces).split())
        if text:
            link_text = " ".join("".join(self._link_pieces).split())
            unlinked = plain("".join(self._unlinked_pieces))
            block = Block(
                text=text,
                plain=plain(text),
                tag=self._tag,
                link_chars=len(link_text),
                links=self._links,
                path=tuple(self._open),
                unlinked=unlinked,
                pieces=plain(" ".join(self._pieces)),
            )
            self.found.blocks.append(block)
        self._pieces, self._unlinked_pieces, self._link_pieces, self._links = [], [], [], 0


def _is_hidden(tag: Tag) -> bool:
    style = tag.get("style")
    return tag.has_attr("hidden") or (isinstance(style, str) and _HIDING_STYLE.search(style) is not None)


def _describe(tag: Tag) -> Element:
    classes = tag.get_attribute_list("class")
    words = [str(value) for value in [*classes, tag.get("id")] if value]
    names = frozenset(part.lower() for word in words for part in _NAME_PART.findall(word))
    return Element(tag.name, names, ".".join([tag.name, *sorted(str(value) for value in classes if value)]))


def chrome(found: HtmlBlocks, names: Mapping[str, Iterable[str]], prose_chars: Mapping[int, int]) -> dict[int, str]:
    """Elements that are page furniture, by number, with the reason that their name gives.

    `names` maps a reason to element names; `prose_chars` counts running text inside each element. An element
    with half of the page's text or more is never furniture, whatever it is called (content-with-sidebar).
    """
    total = sum(prose_chars.get(number, 0) for number, element in found.elements.items() if number == 0) or 1
    by_tag = {"nav": "navigation", "footer": "footer", "aside": "related_list"}
    reasons: dict[int, str] = {}
    for number, element in found.elements.items():
        reason = by_tag.get(element.tag) or next((r for r, ns in names.items() if element.names & set(ns)), None)
        if reason and prose_chars.get(number, 0) * 2 < total:
            reasons[number] = reason
    return reasons
