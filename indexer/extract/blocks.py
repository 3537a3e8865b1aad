"""A page as a row of blocks: the facts that decisions are made from, the same for layout dumps and HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.extract.site_templates import plain
from indexer.records import Block

_NO_HEADING_END = "。;!?.,、"  # as `plain` has them: full-width forms are folded
HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PROSE_CHARS = 40  # shorter lines are as often a title or a button as a sentence
_SENTENCE_CHARS = 10  # with its full stop, even 可以吃，但要适量。 is an answer
_HEADING_CHARS = 25
_NUMBERED = re.compile(r"^(第?[一二三四五六七八九十]+[、.．]|[（(][一二三四五六七八九十\d]+[)）]|\d{1,2}[、.．](?!\d))")


def line_block(text: str, number: int = -1) -> Block:
    """A block of a layout dump."""
    folded = plain(text)
    return Block(text.strip(), folded, unlinked=folded, pieces=folded, number=number)


def is_prose(block: Block) -> bool:
    """A sentence or more of running text: what only the article, or an excerpt, has."""
    if block.link_share > 0.5:
        return False
    if block.plain.endswith("。"):
        return len(block.plain) >= _SENTENCE_CHARS
    return len(block.plain) >= _PROSE_CHARS and any(mark in block.plain for mark in ",。;、")


def is_all_link(block: Block) -> bool:
    """Links, and beside them at most marks: ◇ 疝气可以运动吗."""
    return block.links > 0 and not any(map(str.isalnum, block.unlinked))


def looks_like_heading(block: Block) -> bool:
    """Short, not a sentence, no row of a table; in HTML, h1 to h6 say so themselves."""
    if block.tag in HEADING_TAGS:
        return True
    if block.tag == "tr":
        return False
    text = block.plain
    return 2 <= len(text) <= _HEADING_CHARS and text[-1] not in _NO_HEADING_END


def is_numbered(block: Block) -> bool:
    """Begins like 一、 or 1、 or （二）."""
    return bool(_NUMBERED.match(block.plain))


def with_kept_blocks(chosen: Sequence[Block], among: Sequence[Block]) -> list[Block]:
    """Chosen blocks and those that an editor keeps, whole, in page order."""
    kept = {block.number: block for block in among if block.is_kept}
    if not kept:
        return list(chosen)
    return sorted([*(b for b in chosen if b.number not in kept), *kept.values()], key=lambda block: block.number)
