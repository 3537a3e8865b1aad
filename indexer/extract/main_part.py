"""Which of the blocks that are left are the article: where its running text is densest, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.extract.blocks import HEADING_TAGS, is_numbered, is_prose, looks_like_heading, with_kept_blocks
from indexer.extract.html_blocks import Element, HtmlBlocks
from indexer.records import Block

_DOMINANT = 0.65  # share of the running text that draws us into an element
_FLOW_TAGS = frozenset("p h1 h2 h3 h4 h5 h6 ul ol li table tbody tr td dd dt blockquote pre summary".split())
_LIST_TAGS = frozenset("ul ol dl table tbody p".split())  # and a paragraph of lines
_MIN_RESCUED_PROSE = 2
_MIN_ITEMS = 3
_TEASER_CHARS = 12
_MAX_GAP = 2  # blocks between a paragraph and the list or table that it ends with


@dataclass(frozen=True)
class Parts:
    """The article's blocks, and the others."""

    main: list[Block]
    rest: list[Block]


def main_part(body: Sequence[Block], found: HtmlBlocks, dominant: float = _DOMINANT) -> Parts:
    """Divide a page's body into the article and what stands around it.

    `dominant` is the share of the running text that draws us into an element.
    """
    chosen = with_kept_blocks(_without_teasers(_trimmed(_dominant(list(body), found, dominant), found)), body)
    kept = {block.number for block in chosen}
    return Parts(chosen, [block for block in body if block.number not in kept])


def _dominant(blocks: list[Block], found: HtmlBlocks, dominant: float) -> list[Block]:
    """Go down into the element that holds most of the running text, as long as there is one."""
    rescued: list[Block] = []
    depth = 0
    while True:
        groups: dict[int, list[Block]] = {}
        for block in blocks:
            if len(block.path) > depth:
                groups.setdefault(block.path[depth], []).append(block)
        whole = _prose_chars(blocks)
        best = max(groups, key=lambda number: _prose_chars(groups[number]), default=None)
        if best is None or not whole or _prose_chars(groups[best]) < dominant * whole:
            break
        if len(groups[best]) < len(blocks):
            if found.elements[best].tag in _FLOW_TAGS - {"table", "tbody", "tr", "td"} or len(groups[best]) == 1:
                break
            rescued.extend(_rescued(blocks, groups, best, depth, found))
        blocks = groups[best]
        depth += 1
    return sorted([*blocks, *rescued], key=lambda block: block.number)


def _rescued(
    blocks: list[Block], groups: dict[int, list[Block]], best: int, depth: int, found: HtmlBlocks
) -> list[Block]:
    """Brothers of the chosen element that go on with its text: of its own kind, or paragraphs beside it."""
    kin: list[Block] = []
    flow: list[Block] = []
    for number, group in groups.items():
        if number == best:
            continue
        if _are_kin(found.elements[number], found.elements[best]) and (_prose_chars(group) or _is_list(group)):
            kin.extend(group)
        elif found.elements[number].tag in _FLOW_TAGS or (_is_list(group) and group[0].tag == "tr"):
            flow.extend(group)
    flow.extend(block for block in blocks if len(block.path) <= depth)
    named = all(found.elements[block.path[depth]].names for block in flow if len(block.path) > depth)
    if sum(is_prose(block) for block in flow) < (_MIN_RESCUED_PROSE if named else 1):
        flow = []
    return [*kin, *flow]


def _are_kin(one: Element, other: Element) -> bool:
    """Of one kind, or sections that have a class in common."""
    return one.signature == other.signature or (one.tag == other.tag and not one.classes.isdisjoint(other.classes))


def _is_list(blocks: Sequence[Block]) -> bool:
    """Items of a list, none of them a link."""
    return sum(block.tag in ("li", "tr") for block in blocks) >= _MIN_ITEMS and not any(b.links for b in blocks)


def _prose_chars(blocks: Sequence[Block]) -> int:
    return sum(len(block.plain) for block in blocks if is_prose(block))


def _trimmed(blocks: list[Block], found: HtmlBlocks) -> list[Block]:
    """Without short blocks that have no running text beside them, and without headings of nothing at the end."""
    if not any(is_prose(block) for block in blocks):
        return blocks
    prose_in: set[int] = set()
    for block in blocks:
        if is_prose(block):
            prose_in.update(block.path)
    kept = [block for block in blocks if is_prose(block) or _is_supported(block, prose_in, found)]
    kept = [block for block, following in zip(kept, [*kept[1:], None], strict=True) if not _is_orphan(block, following)]
    last = max(position for position, block in enumerate(kept) if is_prose(block))
    end = last + 1
    while end < len(kept) and _continues(kept[end], kept[end - 1]):
        end += 1
    while end - 1 > last and looks_like_heading(kept[end - 1]) and kept[end - 1].tag in HEADING_TAGS:
        end -= 1
    return kept[:end]


def _is_orphan(block: Block, following: Block | None) -> bool:
    """A heading whose text was taken out: another heading, or nothing, comes next."""
    if block.tag not in HEADING_TAGS:
        return False
    return following is None or (following.tag in HEADING_TAGS and following.number > block.number + 1)


def _without_teasers(blocks: list[Block]) -> list[Block]:
    """Without the beginning of a text that stands in full below, behind 展开."""
    return [
        block for position, block in enumerate(blocks) if not _is_teaser(block, blocks[position + 1 : position + 4])
    ]


def _is_teaser(block: Block, following: Sequence[Block]) -> bool:
    start = _letters(block)[:-1]
    return len(start) >= _TEASER_CHARS and "".join(map(_letters, following)).startswith(start)


def _letters(block: Block) -> str:
    return "".join(filter(str.isalnum, block.plain))


def _is_supported(block: Block, prose_in: set[int], found: HtmlBlocks) -> bool:
    """Whether running text stands in the innermost element around this block that holds more than the block.

    A list may be all short lines: there the element around the list counts.
    """
    if block.tag in HEADING_TAGS:
        return True
    for number in reversed(block.path):
        element = found.elements[number]
        if number in prose_in:
            return True
        if element.end - element.start > 1 and element.tag not in _LIST_TAGS and not is_numbered(block):
            return block.tag in ("li", "tr", "dd", "dt")
    return True


def _continues(block: Block, before: Block) -> bool:
    """A short line at the article's end that still belongs to it: the next item of a list, or beside a paragraph."""
    if block.links:
        return False
    if block.tag in ("li", "tr", "dd"):
        return block.tag == before.tag or block.number - before.number <= _MAX_GAP
    return block.path[:-1] == before.path[:-1] and block.tag == before.tag
