"""An HTML page as blocks in reading order, with the elements they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from indexer.extract.hidden import HiddenClasses, Visibility, hidden_classes, visibility
from indexer.extract.html_tree import Tag, text_of
from indexer.extract.site_templates import plain
from indexer.records import Block

_SILENT = frozenset(
    "title script style noscript template iframe object embed svg canvas select option textarea input head map "
    "audio video marquee".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body button center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 dt summary".split())
#: what stands in the cells of a layout, and not in those of a table of facts
_IN_LAYOUT = frozenset({"table", "div", "p", "ul", "h1", "h2", "h3", "br", "img", "center", "dl", "input"})
_NEVER_IN_DATA = frozenset({"table", "ul", "h1", "h2", "h3", "img", "dl", "input", "a"})
_CELL_CHARS, _MIN_ROWS = 60, 3
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
#: what tells rows of a list apart, and not kinds: odd, even, first, last, numbers
_ORDINAL = re.compile(r"(odd|even|first|last|active|cur|current|on)$|\d+", re.IGNORECASE)
#: links that go on with the text before them: no words of the text
_MORE = re.compile(
    r"^[\[【(（…. ]*(详细|详情|查看(全文|详情|详细|更多|答案|全部)?|阅读全文|全文|更多|展开(全文|全部|阅读)?|继续阅读"
    r"|编辑|播报)"
    r"[\])】）>》»… ]*$"
)
_REFERENCE = re.compile(r"^\[\d[\d,\s-]*\]$")  # to the list of sources: [1]
_AD_ADDRESS = re.compile(
    r"^(?:https?:)?//(?:[\w-]+\.)*?(?:ad|ads|adv|adx|gg|guanggao|tg|tuiguang|union|swt|cpc|cps|promo|adclick)\d*\."
    r"|/(?:ad|ads|gg|guanggao|tuiguang|swt|lr|adclick|yhq)\d*[/?._-]",
    re.IGNORECASE,
)
_PORTRAIT = re.compile(r"(?P<asker>患者|病人|用户|提问者)|医生|医师|大夫|专家")


#: what the walk meets: a text, an element, or what is to be done at an element's end
_Item = str | Tag | Callable[[], None]


@dataclass
class Element:
    """A block-level element: what it is called, and where it stands."""

    tag: str
    names: frozenset[str]  #: parts of its id and classes, lower case: "main_Nav" gives main, nav
    classes: frozenset[str]
    signature: str  #: tag and classes, to tell brothers of one kind
    parent: int | None  #: number of the element around it
    start: int  #: its blocks are blocks[start:end]
    end: int = 0
    has_image: bool = False
    portrays: str = ""  #: "asker" or "doctor", where a picture in it is described as theirs


@dataclass
class HtmlBlocks:
    """A page's visible blocks, its elements by number, and the texts that were hidden from readers."""

    blocks: list[Block] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    collapsed: set[int] = field(default_factory=set)  #: elements that a script would unfold: 展开全文, tabs

    def inside(self, number: int) -> list[Block]:
        """The blocks of an element."""
        element = self.elements[number]
        return self.blocks[element.start : element.end]


def html_blocks(page: Tag) -> HtmlBlocks:
    """Walk the body of a page."""
    body = page.find("body")
    return _Walk(page if body is None else body, hidden_classes(page)).found


class _Walk:
    """One pass over the tree; text gathers until a block element begins or ends, or a line breaks.

    With a stack of its own: pages nest deeper than Python calls may.
    """

    def __init__(self, body: Tag, classes: HiddenClasses) -> None:
        self.found = HtmlBlocks()
        self._classes = classes
        self._body = body
        self._open: list[int] = []
        self._links_open: list[tuple[Tag, int, int]] = []
        self._data_row: Tag | None = None
        self._tables: dict[Tag, bool] = {}
        self._body_chars: int | None = None
        self._clear()
        waiting: list[_Item] = _contents(body)[::-1]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                self._text(item)
            elif callable(item):
                item()
            else:
                waiting.extend(self._enter(item)[::-1])
        self.flush()

    def _text(self, text: str) -> None:
        if "\n" in text and any(self.found.elements[number].tag == "pre" for number in self._open[-3:]):
            for line in text.split("\n"):
                self._add(line)
                self.flush()
        else:
            self._add(text)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        (self._link_pieces if self._links_open else self._unlinked_pieces).append(text)

    def _enter(self, tag: Tag) -> list[_Item]:
        """Note the tag's beginning; gives what is to be walked next: its content, and then its end."""
        if tag.tag in _SILENT:
            return []
        if tag.tag == "img":
            self._note_image(str(tag.get("alt") or tag.get("title") or ""))
            return []
        if tag.tag == "sup" and _REFERENCE.match(text_of(tag)):
            return []
        if tag.tag == "br":
            self.flush()
            return []
        seen = visibility(tag, self._classes) if tag.attrib else Visibility.SHOWN
        if seen is Visibility.HIDDEN and self._is_page_itself(tag):
            seen = Visibility.SHOWN
        if seen is Visibility.HIDDEN or (seen is Visibility.COLLAPSED and tag.tag not in _BLOCKS):
            if text := text_of(tag):
                self.found.hidden.append(text)
            return []
        if tag.tag == "tr":
            self._data_row = tag if self._is_data_row(tag) else None
        if tag.tag in ("td", "th") and tag.getparent() is self._data_row is not None:
            self._pieces.append(" ")
            self._unlinked_pieces.append(" ")
            return _contents(tag)
        if tag.tag in _BLOCKS:
            self._enter_block(tag)
            if seen is Visibility.COLLAPSED:
                self.found.collapsed.add(self._open[-1])
            return [*_contents(tag), self._leave_block]
        if tag.tag == "a" and tag.get("href") and not self._is_handle(tag):
            self._links_open.append((tag, len(self._pieces), len(self._link_pieces)))
            return [*_contents(tag), self._leave_link]
        return _contents(tag)

    def _note_image(self, description: str) -> None:
        shown = _PORTRAIT.search(description)
        for number in self._open[-8:]:
            element = self.found.elements[number]
            element.has_image = True
            if shown:
                element.portrays = "asker" if shown["asker"] else "doctor"

    def _is_page_itself(self, tag: Tag) -> bool:
        """Most of the page's text, in sentences and without links: what a script shows when all is loaded."""
        if self._body_chars is None:
            self._body_chars = len(text_of(self._body))
        text = text_of(tag)
        if len(text) * 2 < self._body_chars or text.count("。") * 200 < len(text):
            return False
        return sum(len(text_of(link)) for link in tag.iter("a")) * 5 < len(text)

    def _enter_block(self, tag: Tag) -> None:
        self.flush()
        number = len(self.found.elements)
        parent = self._open[-1] if self._open else None
        self.found.elements.append(_describe(tag, parent, len(self.found.blocks)))
        self._open.append(number)

    def _is_handle(self, link: Tag) -> bool:
        """A heading that folds its section is no link to another page; 编辑 after it is."""
        if _MORE.match(text_of(link)):
            return False
        href = str(link.get("href")).strip().lower()
        if not href.startswith(("#", "javascript:")):
            return False
        return any(self.found.elements[number].tag in _HEADINGS for number in self._open[-2:])

    def _is_data_row(self, row: Tag) -> bool:
        """A row of a table of facts, to be kept together (a drug and its dose), not of a table that lays out a page."""
        cells = _cells(row)
        if len(cells) < 2:
            return False
        inside = {tag.tag for tag in row.iterdescendants()}
        if inside.isdisjoint(_IN_LAYOUT):
            return True
        if not inside.isdisjoint(_NEVER_IN_DATA) or any(len(text_of(cell)) > _CELL_CHARS for cell in cells):
            return False
        table = row.getparent()
        if table not in self._tables:
            self._tables[table] = _is_regular(table)
        return self._tables[table]

    def _leave_block(self) -> None:
        self.flush()
        self.found.elements[self._open.pop()].end = len(self.found.blocks)

    def _leave_link(self) -> None:
        tag, pieces, link_pieces = self._links_open.pop()
        text = "".join(self._link_pieces[link_pieces:]).strip()
        if _MORE.match(text):
            del self._pieces[pieces:], self._link_pieces[link_pieces:]
        elif text:
            self._link_texts.append(" ".join(text.split()))
            if _is_ad(tag):
                self._ad_texts.append(text)

    def flush(self) -> None:
        text = " ".join("".join(self._pieces).split())
        if text:
            link_text = " ".join("".join(self._link_pieces).split())
            folded = plain(text)
            block = Block(
                text=text,
                plain=folded,
                tag=self.found.elements[self._open[-1]].tag if self._open else "body",
                link_chars=len(link_text),
                links=len(self._link_texts),
                path=tuple(self._open),
                unlinked=plain("".join(self._unlinked_pieces)) if link_text else folded,
                pieces=plain(" ".join(self._pieces)) if len(self._pieces) > 1 else folded,
                link_texts=tuple(self._link_texts),
                ad_texts=tuple(self._ad_texts),
                number=len(self.found.blocks),
            )
            self.found.blocks.append(block)
        self._clear()

    def _clear(self) -> None:
        self._pieces: list[str] = []
        self._unlinked_pieces: list[str] = []
        self._link_pieces: list[str] = []
        self._link_texts: list[str] = []
        self._ad_texts: list[str] = []


def _contents(tag: Tag) -> list[_Item]:
    """What stands in an element, in order: texts and elements."""
    found: list[_Item] = [tag.text] if tag.text else []
    for child in tag:
        found.append(child)
        if child.tail:
            found.append(child.tail)
    return found


def _is_ad(link: Tag) -> bool:
    """Whether a link leads to an advertisement, by its address or by what it says of itself."""
    return "sponsored" in link.get("rel", "") or _AD_ADDRESS.search(link.get("href", "")) is not None


def _is_regular(table: Tag) -> bool:
    """Rows of as many cells each."""
    widths = [len(_cells(row)) for row in table.iterchildren("tr")]
    return len(widths) >= _MIN_ROWS and len(set(widths)) == 1


def _cells(row: Tag) -> list[Tag]:
    return list(row.iterchildren("td", "th"))


def _describe(tag: Tag, parent: int | None, start: int) -> Element:
    called = [tag.get(name, "") for name in ("class", "id", "itemprop", "role")]
    return Element(tag.tag, *_names(tag.tag, *called), parent, start)


@lru_cache(maxsize=4096)
def _names(tag: str, classes: str, *others: str) -> tuple[frozenset[str], frozenset[str], str]:
    """The parts of an element's names, its classes, and its signature."""
    parts = frozenset(part.lower() for word in (classes, *others) for part in _NAME_PART.findall(word))
    kinds = sorted({_ORDINAL.sub("", value) for value in classes.split()} - {""})
    return parts, frozenset(classes.split()), ".".join([tag, *kinds])
