"""Questions of other pages with the beginnings of their answers, as brothers of one kind each hold one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.extract.blocks import is_all_link, is_prose
from indexer.extract.html_blocks import HtmlBlocks
from indexer.extract.metadata import parse_date
from indexer.extract.sections import unmarked
from indexer.extract.site_templates import Rules, first_match
from indexer.extract.title import is_question, title_key
from indexer.records import Block, QaPair

_MIN_PAIRS = 2
_QUESTION_CHARS = 80
_EXCERPT_CHARS = 320
_HEADING_BLOCKS = 2  # above the first pair, or inside its parent
_DATE = re.compile(r"(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}")


@dataclass(frozen=True)
class Excerpts:
    """Pairs, and the numbers of the blocks that they were read from."""

    pairs: tuple[QaPair, ...] = ()
    numbers: frozenset[int] = frozenset()


def excerpts(found: HtmlBlocks, rules: Rules, title: str | None) -> Excerpts:
    """The pairs below 相关问答 and the like, or of linked questions under no heading; not the page's own question."""
    families: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)
    for number, element in enumerate(found.elements):
        if 2 <= element.end - element.start <= 6:
            families[element.parent, element.signature].append(number)
    pairs: list[QaPair] = []
    numbers: set[int] = set()
    for family in families.values():
        held = {number: pair for number in family if (pair := _pair(found.inside(number))) is not None}
        if len(held) < _MIN_PAIRS or len(held) * 2 < len(family) or not _is_related(found, family, rules):
            continue
        numbers |= {block.number for number in family for block in found.inside(number)}
        pairs.extend(pair for pair in held.values() if title_key(pair.question) != title_key(title or ""))
    return Excerpts(tuple(pairs), frozenset(numbers))


def _pair(blocks: Sequence[Block]) -> QaPair | None:
    question, *rest = blocks
    texts = [block for block in rest if is_prose(block) or block.plain[-1] in "。…" or block.plain.endswith("..")]
    if len(question.plain) > _QUESTION_CHARS or not 1 <= len(texts) <= 2 or question.plain[-1] in "。,;":
        return None
    if sum(len(block.plain) for block in texts) > _EXCERPT_CHARS:
        return None
    date = next((match[0] for block in (*rest, question) if (match := _DATE.search(block.plain))), None)
    day = parse_date(date) if date else None
    asked = _DATE.sub("", unmarked(question)).strip(" []()")
    return QaPair(asked, "\n".join(unmarked(block) for block in texts), day)


def _is_related(found: HtmlBlocks, family: Sequence[int], rules: Rules) -> bool:
    """Under a heading that says so; else all of them are linked questions."""
    start = found.elements[family[0]].start
    above = found.blocks[max(start - _HEADING_BLOCKS, 0) : start]
    if any(first_match(rules.related_heading, block.unlinked or block.plain) for block in above):
        return True
    questions = [found.inside(number)[0] for number in family]
    return all(is_all_link(question) and is_question(question.plain) for question in questions)
