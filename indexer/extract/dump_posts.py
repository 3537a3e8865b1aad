"""Question pages as dumps: whose words follow which byline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from indexer.extract.blocks import is_numbered, is_prose
from indexer.extract.dialogue import Role, is_doctor_byline, label_of
from indexer.extract.metadata import Facts, read_facts
from indexer.extract.parts import DoctorAnswer
from indexer.extract.sections import Sections, body_text
from indexer.extract.site_templates import Rules, first_match, plain
from indexer.records import Block
from indexer.verdicts import Reason

_BYLINE_CHARS = 90
_QUESTION_CHARS = 250
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


def usable_numbers(sections: Sections) -> set[int]:
    """Numbers of the blocks that are somebody's text or byline."""
    usable = {block.number for block in sections.body}
    return usable | {piece.number for piece in sections.removed if piece.rule in _BYLINES and piece.number is not None}


def dump_answers(blocks: Sequence[Block], sections: Sections, rules: Rules) -> tuple[DoctorAnswer, ...]:
    """The doctors' answers of a question page; empty where it is an article with a doctor's byline.

    `blocks` are those below the title that are somebody's text or byline.
    """
    asked: list[Block] = []
    posts: list[_Post] = []
    for block in blocks:
        said = posts[-1] if posts else None
        if first_match(rules.lay_line, block.plain):
            posts.append(_Post(False))
        elif _is_byline(block):
            if said is None or said.text or not said.by_doctor:
                posts.append(_Post(True))
            posts[-1].bylines.append(block)
        elif _OTHERS.match(block.plain):
            continue
        elif label := label_of(block, rules):
            posts = _spoken(posts, label, block)
        elif said is None:
            asked.append(block)
        elif _is_about_author(block, rules):
            said.bylines.append(block)
        else:
            said.text.append(block)
    for post in posts:
        post.text = _trimmed(post.text)
    doctors = [post for post in posts if post.by_doctor and post.text]
    if not doctors or (len(posts) == 1 and not any(map(is_prose, asked))) or _is_article(asked, doctors):
        return ()
    for post in posts:
        if not post.by_doctor:
            for block in post.text:
                sections.remove(Reason.COMMENT, block, "网友的话")
    return tuple(DoctorAnswer(body_text(post.text), _facts(post, rules)) for post in doctors)


def _spoken(posts: list[_Post], label: tuple[Role, str], block: Block) -> list[_Post]:
    """The posts with what stands behind a label: 追问, 医生追答."""
    role, said = label
    doctors = [post for post in posts if post.by_doctor]
    post = doctors[-1] if role is Role.DOCTOR and doctors else _Post(role is Role.DOCTOR)
    if said:
        post.text.append(replace(block, text=said, plain=plain(said)))
    return [*(other for other in posts if other is not post), post]


def _trimmed(text: list[Block]) -> list[Block]:
    """Without the short lines before and after what is said: buttons, counts."""
    said = [i for i, b in enumerate(text) if is_prose(b) or is_numbered(b) or b.plain[-1] in "。!;…"]
    return text[said[0] : said[-1] + 1] if said else text


def _is_article(asked: Sequence[Block], doctors: Sequence[_Post]) -> bool:
    """What stands above the first doctor's name is no question: it has headings, or outweighs what doctors say."""
    written = sum(len(block.plain) for block in asked if is_prose(block))
    answered = sum(len(block.plain) for post in doctors for block in post.text if is_prose(block))
    return written > _QUESTION_CHARS and (
        written > answered or sum(is_numbered(block) or block.plain[0] == "【" for block in asked) >= 2
    )


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
