"""The path to a page (首页 > 神经内科 > 面瘫): in one line, or as a list of links."""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.extract.html_blocks import HtmlBlocks
from indexer.extract.site_templates import Rules, first_match, plain
from indexer.extract.title import title_key
from indexer.records import Block

_LABEL = re.compile(r"^\W*\S{0,7}(位置|当前|所在|路径)(是|在|页)?\s*[:：]\s*")
_SEPARATORS = "[>»›→‹＞/\\\\|·—–-]"
_ARROWS = "[>»›→‹＞/—–-]"  # a menu's parts stand between bars
_SEPARATOR = re.compile(r"\s*(?:[>»›→‹|/\\]+|-+>|[—–]+|(?<=\s)[-·]+(?=\s))\s*")
_HOME = re.compile(r"(首页|主页|^Home$|网$|网站$|百科$|在线$|论坛$|门户$|医院$|频道$)")
_MAX_CHARS = 160
_MAX_PARTS = 8
_PART_CHARS = 16


def crumbs_of(found: HtmlBlocks, rules: Rules) -> list[str]:
    """The parts of an HTML page's path, the home page first; empty when it shows none."""
    for number, element in enumerate(found.elements):
        inside = found.inside(number)
        if not inside or sum(len(block.plain) for block in inside) > _MAX_CHARS:
            continue
        called = not element.names.isdisjoint(rules.crumb_names) and inside[0].links
        if called or (element.tag in ("ol", "ul") and _is_path(inside, rules)):
            own = inside[:-1] if len(inside) > 2 and not inside[-1].links else inside  # the last is this page
            return [part for block in own for part in crumbs_in(block)][:_MAX_PARTS]
    for block in found.blocks:
        if len(block.plain) <= _MAX_CHARS and (parts := _in_line(block, rules)):
            return parts
    return []


def _in_line(block: Block, rules: Rules) -> list[str]:
    """A line of links with separators between them, that begins with the home page or a label."""
    label = _LABEL.match(block.plain)
    if len(block.link_texts) < (1 if label else 2) and not label:
        home = re.match(rf"^{_HOME.pattern}?(首页|主页)\s*[>»›→]", block.plain)
        return crumbs_in(block) if home else []
    if label and not block.link_texts and not _SEPARATOR.search(block.plain):
        return []
    ends_here = first_match(rules.no_topic, (_SEPARATOR.split(block.unlinked) or [""])[-1]) is not None
    if not label and not ends_here and not _HOME.search(block.link_texts[0]):
        return []
    rest = _LABEL.sub("", block.unlinked)
    between = len(re.findall(_SEPARATORS if label else _ARROWS, rest))
    if between < len(block.link_texts) - 1 or (not label and between < 1):
        return []
    return crumbs_in(block)


def _is_path(inside: Sequence[Block], rules: Rules) -> bool:
    """A short list from the home page to this one, which is no link."""
    last = inside[-1]
    return (
        2 <= len(inside) <= _MAX_PARTS
        and _HOME.search(inside[0].plain) is not None
        and all(block.links == 1 for block in inside[:-1])
        and (not last.links or last.plain in rules.breadcrumb_root)
    )


def crumbs_in(block: Block) -> list[str]:
    """The parts of a path that stands in one line."""
    whole = _LABEL.sub("", block.plain)
    split = [part.strip() for part in _SEPARATOR.split(whole) if part.strip()]
    if block.link_texts and len(split) <= len(block.link_texts) + 1:
        return [plain(text) for text in block.link_texts]  # what is no link is this page
    return split


def path_in(block: Block, title: str | None, rules: Rules) -> list[str]:
    """The parts of a path in one line of a dump; empty where the line is none."""
    parts = crumbs_in(block)
    if not 2 <= len(parts) <= _MAX_PARTS or max(map(len, parts[:-1])) > _PART_CHARS:
        return []
    sure = _LABEL.match(block.plain) or re.search("[>»›→]", block.plain) or _HOME.search(parts[0])
    ends_here = first_match(rules.no_topic, parts[-1]) or (title and title_key(parts[-1]) == title_key(title))
    return parts if "|" not in block.plain and (sure or ends_here) else []
