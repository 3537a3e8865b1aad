"""Elements that are page furniture: navigation, lists of links, side bars, comments, forms.

Three witnesses: what an element is (nav, footer), what it is called (sidebar, pinglun), and what it holds: link upon
link, and no running text. A name alone never condemns an element that holds a good part of the page's running text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate

from indexer.extract.blocks import HEADING_TAGS, is_all_link, is_prose
from indexer.extract.dialogue import SURE_TITLE
from indexer.extract.html_blocks import HtmlBlocks
from indexer.extract.site_templates import Rules, first_match
from indexer.extract.title import title_key
from indexer.records import Block, RemovedBlock
from indexer.spam import kinship
from indexer.verdicts import Reason

_BY_TAG = {
    "nav": "navigation",
    "footer": "footer",
    "aside": "related_list",
    "form": "navigation",
    "button": "navigation",
}
_MIN_LINKS = 2
_LINK_SHARE = 0.5
_MAX_UNLINKED_CHARS_A_LINK = 12  # a date, a count: 25人回答
_ITEM_CHARS = 6  # drugs, foods: a list of linked names inside an article is part of it
_CARD_BLOCKS, _CARD_LINKS = 5, 3
_MIN_BROTHERS = 3
_MIN_EXCERPTS = 3
_EXCERPT_CHARS = 240
_MIN_KINSHIP = 0.03
#: names of places: one such element is a side bar, many are the right halves of posts
_SIDES = frozenset({"right", "side", "top", "bottom", "head", "page", "foot", "tag", "tags", "hot", "search", "share"})
_MAX_SIDES = 3
_SPARED_SHARE = 0.3  # of the page's running text; an element with more is no furniture, whatever its name


class Furniture:
    """Says which elements are furniture, and why."""

    def __init__(self, found: HtmlBlocks, rules: Rules, title: str | None) -> None:
        blocks = found.blocks
        self._found = found
        self._rules = rules
        self._prose = _sums([len(block.plain) if is_prose(block) else 0 for block in blocks])
        self._title = title
        self._needed = _sums([self.is_needed(block) for block in blocks])
        self._chars = _sums([len(block.text) for block in blocks])
        self._link_chars = _sums([block.link_chars for block in blocks])
        self._links = _sums([block.links for block in blocks])
        self._kinds = Counter(element.signature for element in found.elements)
        self._brothers: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)
        for number, element in enumerate(found.elements):
            self._brothers[element.parent, element.signature].append(number)
        judged = ((number, self._judged(number)) for number in range(len(found.elements)))
        self._reasons = {number: reason for number, reason in judged if reason is not None}
        for family in self._brothers.values():
            for number in self._other_articles(family) or self._excerpts(family):
                self._reasons.setdefault(number, ("related_list", "同类元素各有自己的标题"))

    def removed(self, block: Block) -> RemovedBlock | None:
        """The block as furniture, by the outermost such element around it; None when it is none."""
        if block.is_kept or self.is_needed(block):
            return None
        reason = next((self._reasons[number] for number in block.path if number in self._reasons), None)
        return RemovedBlock(Reason(reason[0]), block.text, reason[1], block.number) if reason else None

    def is_needed(self, block: Block) -> bool:
        """The path to the page and its title may stand in a header; they are read, not searched."""
        if block.tag in HEADING_TAGS and (block.tag == "h1" or block.plain == self._title):
            return True
        return block.plain == self._title or first_match(self._rules.breadcrumb, block.plain) is not None

    def _total(self, sums: Sequence[int], number: int) -> int:
        element = self._found.elements[number]
        return sums[element.end] - sums[element.start]

    def _judged(self, number: int) -> tuple[str, str] | None:
        """Reason and rule."""
        if self._found.elements[number].start == self._found.elements[number].end:
            return None
        if number in self._found.collapsed and not self._is_kin(number):
            return "hidden", "折叠起来的非正文内容"
        named = self._by_name(number)
        prose, all_prose = self._total(self._prose, number), self._prose[-1]
        if named and prose <= _SPARED_SHARE * all_prose and (prose == 0 or named[0] != "navigation"):
            return named
        return ("related_list", "一串链接") if self._is_list_of_links(number) else None

    def _is_kin(self, number: int) -> bool:
        """What is folded away goes on with what is shown: running text, few links, and the same subject."""
        prose, chars = self._total(self._prose, number), self._total(self._chars, number)
        if not prose:
            return self._is_tab(number)
        if self._total(self._link_chars, number) * 5 > chars:
            return False
        if prose * 2 > self._prose[-1]:  # the article itself, which a script shows when all is loaded
            return True
        element = self._found.elements[number]
        shown = [*self._found.blocks[: element.start], *self._found.blocks[element.end :]]
        visible = "".join(block.plain for block in shown if is_prose(block)) + (self._title or "")
        folded = "".join(block.plain for block in self._found.inside(number))
        foreign = any(pattern.search(folded) and not pattern.search(visible) for pattern in self._rules.unrelated_topic)
        return not foreign and kinship(folded, visible) >= _MIN_KINSHIP

    def _is_tab(self, number: int) -> bool:
        """A list without links, among tabs of which another has running text."""
        element = self._found.elements[number]
        brothers = self._brothers[element.parent, element.signature]
        with_prose = any(self._total(self._prose, other) for other in brothers if other != number)
        return with_prose and element.end - element.start >= 2 and not self._total(self._links, number)

    def _by_name(self, number: int) -> tuple[str, str] | None:
        element = self._found.elements[number]
        if element.tag in _BY_TAG:
            return _BY_TAG[element.tag], f"<{element.tag}>"
        for reason, names in self._rules.chrome.items():
            called = element.names.intersection(names)
            if self._kinds[element.signature] > _MAX_SIDES or self._total(self._prose, number):
                called -= _SIDES
            if called:
                return reason, f"元素名 {min(called)}"
        return None

    def _is_list_of_links(self, number: int) -> bool:
        """Link upon link and no running text; never what holds the title or the path to the page."""
        if self._is_doctors_card(number):
            return False
        links, chars = self._total(self._links, number), self._total(self._chars, number)
        if links < _MIN_LINKS or self._total(self._prose, number) or self._total(self._needed, number):
            return False
        link_chars = self._total(self._link_chars, number)
        if link_chars < _LINK_SHARE * chars and chars - link_chars > links * _MAX_UNLINKED_CHARS_A_LINK:
            return False
        return not self._is_list_of_names(number, link_chars / links)

    def _is_doctors_card(self, number: int) -> bool:
        """One doctor's name, title and hospital, with a button or two beside them."""
        inside = self._found.inside(number)
        titles = sum(len(SURE_TITLE.findall(block.pieces)) for block in inside)
        return titles == 1 and len(inside) <= _CARD_BLOCKS and self._total(self._links, number) <= _CARD_LINKS

    def _other_articles(self, family: Sequence[int]) -> list[int]:
        """Brothers of the element with the page's title that begin with such a title too."""
        own = [number for number in family if (tag := self._title_tag(number)) is not None]
        if len(family) < _MIN_BROTHERS or len(own) != 1:
            return []
        tag = self._title_tag(own[0])
        others = [number for number in family if number != own[0]]
        key = title_key(self._title or "")
        return [n for n in others if any(b.tag == tag and title_key(b.text) != key for b in self._found.inside(n)[:2])]

    def _title_tag(self, number: int) -> str | None:
        inside = self._found.inside(number)[:4]
        return next((b.tag for b in inside if b.tag in HEADING_TAGS and b.plain == self._title), None)

    def _excerpts(self, family: Sequence[int]) -> list[int]:
        """Brothers that are each a linked title and the beginning of a text; not those below 相关问答."""
        if len(family) < _MIN_EXCERPTS or not all(self._is_excerpt(self._found.inside(number)) for number in family):
            return []
        start = self._found.elements[family[0]].start
        headings = self._found.blocks[max(start - 2, 0) : start]
        asked = any(first_match(self._rules.related_heading, block.plain) for block in headings)
        return [] if asked else list(family)

    @staticmethod
    def _is_excerpt(blocks: Sequence[Block]) -> bool:
        titles = [block for block in blocks if is_all_link(block) and not is_prose(block)]
        texts = [block for block in blocks if is_prose(block)]
        return len(titles) == 1 and 1 <= len(texts) <= 2 and sum(len(block.plain) for block in texts) <= _EXCERPT_CHARS

    def _is_list_of_names(self, number: int, chars_a_link: float) -> bool:
        """A list of short linked names, with running text before and after it in the element around it."""
        element = self._found.elements[number]
        if chars_a_link > _ITEM_CHARS or element.parent is None or element.tag not in ("ul", "ol", "p", "li", "table"):
            return False
        around = self._found.elements[element.parent]
        before = self._prose[element.start] - self._prose[around.start]
        after = self._prose[around.end] - self._prose[element.end]
        return before > 0 and after > 0


def _sums(values: Sequence[int]) -> list[int]:
    return list(accumulate(values, initial=0))
