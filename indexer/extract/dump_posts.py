"""Question pages as dumps: whose words follow which byline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexer.extract.blocks import is_prose
from indexer.extract.dialogue import is_doctor_byline
from indexer.extract.metadata import Facts, read_facts
from indexer.extract.parts import DoctorAnswer
from indexer.extract.sections import Sections, body_text
from indexer.extract.site_templates import Rules, first_match
from indexer.records import Block, Reason

_BYLINE_CHARS = 90
#: why a block left the article and may still be somebody's byline
_BYLINES = ("署名行", "规则 affiliation", "正文之前")
_OTHERS = re.compile(
    r"^\W*(其他|全部|更多|医生|专家|网友|最佳|满意|推荐)?(回答|答案|解答|回复)\s*[(（:：]?\s*\d*\s*(条|个)?[)）]?$"
)


@dataclass
class _Post:
    by_doctor: bool
    bylines: list[Block] = field(default_factory=list)
    text: list[Block] = field(default_factory=list)


def dump_answers(blocks: Sequence[Block], sections: Sections, rules: Rules) -> tuple[DoctorAnswer, ...]:
    """The doctors' answers of a question page; empty where it is an article with a doctor's byline.

    `blocks` are those below the title; `sections` says which of them are neither text nor byline.
    """
    usable = {block.number for block in sections.body}
    usable |= {piece.number for piece in sections.removed if piece.rule in _BYLINES and piece.number is not None}
    asked = False
    posts: list[_Post] = []
    for block in blocks:
        if block.number not in usable:
            continue
        said = posts[-1] if posts else None
        if first_match(rules.lay_line, block.plain):
            posts.append(_Post(False))
        elif _is_byline(block):
            if said is None or said.text or not said.by_doctor:
                posts.append(_Post(True))
            posts[-1].bylines.append(block)
        elif _OTHERS.match(block.plain):
            continue
        elif said is None:
            asked = asked or is_prose(block)
        elif _is_about_author(block, rules):
            said.bylines.append(block)
        else:
            said.text.append(block)
    doctors = [post for post in posts if post.by_doctor and post.text]
    if not doctors or (len(posts) == 1 and not asked):
        return ()
    for post in posts:
        if not post.by_doctor:
            for block in post.text:
                sections.remove(Reason.COMMENT, block, "网友的话")
    return tuple(DoctorAnswer(body_text(post.text), _facts(post, rules)) for post in doctors)


def _is_byline(block: Block) -> bool:
    return len(block.plain) <= _BYLINE_CHARS and is_doctor_byline(block)


def _is_about_author(block: Block, rules: Rules) -> bool:
    """A line of a card or a button, a date, a count: no sentence."""
    if is_prose(block) or block.plain[-1] in "。!?:;":
        return False
    return bool(read_facts(block.pieces, rules)) or first_match(rules.card, block.plain) is not None


def _facts(post: _Post, rules: Rules) -> Facts:
    facts = Facts()
    for block in post.bylines:
        facts = facts.filled_from(read_facts(block.pieces, rules))
    return facts
