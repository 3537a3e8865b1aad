"""From a row of blocks to the parts of a page: head, article, embedded questions, and what must go.

Scraped pages keep one order, whatever their site: navigation, path, title, byline, article, other pages' texts,
links, footer. So the walk goes down the page once, and only headings such as 相关推荐 move it on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from indexer.extract.blocks import HEADING_TAGS, is_all_link, is_numbered, is_prose, looks_like_heading
from indexer.extract.crumbs import crumbs_in
from indexer.extract.metadata import Facts, parse_date, read_facts
from indexer.extract.site_templates import Rules, first_match, plain, simplified
from indexer.extract.title import title_key
from indexer.records import Block, QaPair, RemovedBlock
from indexer.spam import commercial_reason, without_advertising_sentences
from indexer.verdicts import Reason

_FACT_LINE_CHARS = 120  # bylines are short; longer lines with a date in them are text
_DATED_QUESTION = re.compile(r"^(?P<question>.+?)\s+(?P<date>\d{4}-\d{1,2}-\d{1,2})$")
_MIN_EXCERPTS = 2
_KIND_CHARS = 12  # [求助] before a title
_ALL_LINK = 0.8  # keywords inside a sentence are links too, but never most of it
QA_MARK = re.compile(r"^(问|答|提问|回答|[QA])\s*[:：]\s*")
_QA_SIGN = re.compile(r"^[问答QA]\s")
_TRAILING_TIME = re.compile(r"(?<=[。！？!?…])\s*(?:\d{4}-\d{1,2}-\d{1,2})(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?$")
_ORNAMENT = re.compile(r"^[\W_]+$")


#: by which blocks of other pages' texts and links are removed
HEADING_RULE = "栏目标题"
RELATED_RULES = (HEADING_RULE, "在相关栏目之下", "规则 links_heading")


@dataclass
class Sections:
    """The parts of one page, filled while walking down it."""

    title: str | None = None
    site: str | None = None
    crumbs: list[str] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    body: list[Block] = field(default_factory=list)
    has_begun: bool = False  #: running text has been met: what follows is no byline any more
    embedded: list[Block] = field(default_factory=list)  #: below 相关推荐 and the like, questions and answers in turn
    disclaimers: list[str] = field(default_factory=list)
    removed: list[RemovedBlock] = field(default_factory=list)

    def remove(self, reason: Reason, block: Block, rule: str) -> None:
        """Keep a block out of the text, on record."""
        self.removed.append(RemovedBlock(reason, block.text, rule, block.number))


def divide(blocks: Sequence[Block], rules: Rules, title: str | None = None, start: int | None = None) -> Sections:
    """Walk down a page. `title` is given where the page says which it is; else it is the last line before the
    article that is neither navigation nor byline. `start` is where the article may begin, where that is known.
    """
    sections = Sections(title=title)
    start = _body_start(blocks, title) if start is None else start
    _walk_head(sections, blocks[:start], rules)
    _walk_rest(sections, blocks[start:], rules)
    return sections


def _body_start(blocks: Sequence[Block], title: str | None) -> int:
    """Index of the first block after the title, or of the first prose where there is no title.

    An empty title stands above the first block: all is body.
    """
    if title == "":
        return 0
    if title is not None:
        key = title_key(title)
        at = [i for i, block in enumerate(blocks) if key and title_key(block.text) == key]
        headings = [i for i in at if blocks[i].tag == "h1"]
        if at:
            return (headings or at)[0] + 1
        main = [i for i, block in enumerate(blocks) if block.tag == "h1"]
        if main:
            return main[0] + 1
    prose = (i for i, block in enumerate(blocks) if is_prose(block))
    return next(prose, len(blocks))


def _walk_head(sections: Sections, blocks: Sequence[Block], rules: Rules) -> None:
    in_path = False
    candidates: list[Block] = []
    for position, block in enumerate(blocks):
        separator = first_match(rules.breadcrumb_separator, block.plain)
        after_separator = position > 0 and first_match(rules.breadcrumb_separator, blocks[position - 1].plain)
        if block.is_kept:
            sections.body.append(block)
        elif site := first_match(rules.site_line, block.plain):
            sections.site = sections.site or site["site"]
            sections.remove(Reason.NAVIGATION, block, "规则 site_line")
        elif first_match(rules.breadcrumb, block.plain) or separator:
            in_path = True
            sections.crumbs.extend(crumbs_in(block))
            sections.remove(Reason.NAVIGATION, block, "规则 breadcrumb")
        elif in_path and (after_separator or not sections.crumbs):
            sections.crumbs.append(block.text)
            sections.remove(Reason.NAVIGATION, block, "规则 breadcrumb")
        elif is_control(block, rules):
            sections.remove(Reason.NAVIGATION, block, "规则 navigation")
        elif len(block.plain) <= _FACT_LINE_CHARS and (facts := read_facts(block.pieces, rules)):
            sections.facts = sections.facts.filled_from(facts)
            sections.remove(Reason.METADATA, block, "署名行")
        elif block.link_share > 0.5:
            sections.remove(Reason.NAVIGATION, block, "正文之前的链接")
        else:
            candidates.append(block)
    if sections.title is None and candidates:
        sections.title = candidates.pop().text
    for block in candidates:
        is_title = _is_title_of(block, sections)
        sections.remove(Reason.OWN_TITLE if is_title else Reason.NAVIGATION, block, "正文之前")


def _walk_rest(sections: Sections, blocks: Sequence[Block], rules: Rules) -> None:
    position = 0
    while position < len(blocks):
        block = blocks[position]
        heading = None if block.is_kept else _section_heading(block, rules)
        if heading is None:
            _place(sections, block, rules)
            position += 1
        elif heading in rules.links_heading and block.link_share > 0.5:  # 相关阅读 and its link, in one line
            sections.remove(Reason.RELATED_LIST, block, "规则 links_heading")
            position += 1
        else:
            of_comments = heading in rules.comments_heading
            if of_comments and not sections.has_begun:  # 3 条评论 beside the byline
                sections.remove(Reason.METADATA, block, "规则 comments_heading")
                position += 1
                continue
            sections.remove(Reason.COMMENT if of_comments else Reason.RELATED_LIST, block, HEADING_RULE)
            with_answers = heading in rules.related_heading or _are_excerpts(blocks[position + 1 :])
            with_answers = with_answers and not of_comments
            end = _scope_end(blocks, position) if of_comments else _section_end(blocks, position, with_answers)
            position = _walk_section(sections, blocks, position + 1, end, rules, with_answers)


def _are_excerpts(blocks: Sequence[Block]) -> bool:
    """Titles with the beginnings of their texts, in turn; in a dump, where nothing but their order shows it."""
    first = [block for block in blocks[:9] if not block.path][:8]
    return sum(not is_prose(one) and is_prose(two) for one, two in pairwise(first)) >= _MIN_EXCERPTS


def _section_heading(block: Block, rules: Rules) -> re.Pattern[str] | None:
    """The rule by which a block opens a section of other pages' texts or links; None when it does not."""
    for headings in (rules.related_heading, rules.links_heading, rules.comments_heading):
        if match := first_match(headings, block.unlinked or block.plain):
            return match.re
    return None


def _section_end(blocks: Sequence[Block], heading: int, with_answers: bool) -> int:
    """Where the section that a heading opens ends: with the element it stands in, or with the page in a dump.

    An element that holds nothing but the heading is passed over. In HTML the section ends where running text
    goes on that is nobody's answer, with the heading above that text: 相关阅读 stands in the midst of articles too.
    """
    end = _scope_end(blocks, heading)
    if not blocks[heading].path:
        return end
    for position in range(heading + 1, end):
        above, block = blocks[position - 1], blocks[position]
        if is_prose(block) and not (with_answers and position - 1 > heading and _belongs(block, above)):
            return position - (position - 1 > heading and not above.links and looks_like_heading(above))
    return end


def _belongs(answer: Block, question: Block) -> bool:
    """In HTML, whether two blocks are brothers, or the second stands inside the first: not so a link of a list and
    the paragraph below that list.
    """
    return answer.path[: len(question.path) - 1] == question.path[:-1]


def _scope_end(blocks: Sequence[Block], heading: int) -> int:
    """Where the innermost element ends that holds the heading and something after it."""
    path = blocks[heading].path
    for depth in range(len(path) - 1, 0, -1):
        scope = path[:depth]
        end = heading + 1
        while end < len(blocks) and blocks[end].path[:depth] == scope:
            end += 1
        if end > heading + 1:
            return end
    return len(blocks)


def _walk_section(
    sections: Sections, blocks: Sequence[Block], start: int, end: int, rules: Rules, with_answers: bool
) -> int:
    """Go through a related section; gives the index after it, which another section's heading can bring forward."""
    for position in range(start, end):
        block = blocks[position]
        if block.is_kept:
            sections.body.append(block)
            continue
        if _section_heading(block, rules) and not (with_answers and _is_title_of(block, sections)):
            return position
        if _take_out(sections, block, rules):
            continue
        bare_link = block.link_share > 0.9 and not _is_answered(blocks, position)
        if not with_answers or bare_link or first_match(rules.answer_count, block.plain):
            sections.remove(Reason.RELATED_LIST, block, "在相关栏目之下")
        else:
            sections.embedded.append(block)
    return end


def _is_title_of(block: Block, sections: Sections) -> bool:
    if not sections.title or len(block.plain) > 2 * len(sections.title) + _KIND_CHARS:
        return False
    return title_key(block.text) == title_key(sections.title)


def _is_answered(blocks: Sequence[Block], position: int) -> bool:
    """What could be its answer follows; else it is a link in a list of links."""
    return position + 1 < len(blocks) and is_prose(blocks[position + 1])


def _place(sections: Sections, block: Block, rules: Rules) -> None:
    """Put one block of the article where it belongs."""
    if block.is_kept:
        sections.body.append(block)
        sections.has_begun = sections.has_begun or is_prose(block)
        return
    block = _without_adverts(sections, block, rules)
    if _take_out(sections, block, rules):
        return
    early = not sections.has_begun
    short = len(block.plain) <= _FACT_LINE_CHARS and not block.plain.endswith("。")
    if early and short and (facts := read_facts(block.pieces, rules)):
        sections.facts = sections.facts.filled_from(facts)
        sections.remove(Reason.METADATA, block, "署名行")
    elif early and (first_match(rules.affiliation, block.pieces) or rules.person.fullmatch(block.plain)):
        sections.remove(Reason.METADATA, block, "规则 affiliation")
    elif _is_title_of(block, sections):
        sections.remove(Reason.OWN_TITLE, block, "与标题相同")
    elif (block.link_share > _ALL_LINK or is_all_link(block)) and not is_prose(block):
        sections.remove(Reason.RELATED_LIST, block, "整段都是链接")
    else:
        sections.body.append(block)
        sections.has_begun = sections.has_begun or is_prose(block)


def _without_adverts(sections: Sections, block: Block, rules: Rules) -> Block:
    """A paragraph without the sentences that advertise, where something is left then, and without the time after it."""
    text, adverts = without_advertising_sentences(block, rules)
    rest = replace(block, text=text, plain=plain(text), ad_texts=())
    if adverts and not is_prose(rest):
        return block  # it is all advertisement
    for advert in adverts:
        sections.removed.append(RemovedBlock(Reason.ADVERTISEMENT, advert, "句子有广告特征", block.number))
    text = _TRAILING_TIME.sub("", text)
    return block if text == block.text else replace(rest, text=text, plain=plain(text))


def _take_out(sections: Sections, block: Block, rules: Rules) -> bool:
    """Remove what is no text of anybody's answer; true when it was that."""
    if first_match(rules.disclaimer, block.plain):
        sections.disclaimers.append(block.text)
        sections.remove(Reason.DISCLAIMER, block, "规则 disclaimer")
    elif first_match(rules.footer, block.plain):
        sections.remove(Reason.FOOTER, block, "规则 footer")
    elif is_control(block, rules) or _ORNAMENT.match(block.plain):
        sections.remove(Reason.NAVIGATION, block, "规则 navigation")
    elif reason := commercial_reason(block, rules, plain(sections.title or "")):
        sections.remove(reason, block, "有广告或链接农场的特征")
    else:
        return False
    return True


def is_control(block: Block, rules: Rules) -> bool:
    """A line of buttons, or one that every page has."""
    return (
        rules.controls.match(simplified(block.pieces)) is not None
        or first_match(rules.navigation, block.plain) is not None
    )


def body_text(body: Sequence[Block]) -> str:
    """The article, one block a line."""
    return "\n".join(block.text for block in body)


def headings(body: Sequence[Block]) -> tuple[str, ...]:
    """Blocks that head the block after them. Of two short lines in a row only the second heads something,
    unless it is numbered or a heading by its tag.
    """
    found = []
    for block, following in pairwise(body):
        sure = is_numbered(block) or block.tag in HEADING_TAGS
        if looks_like_heading(block) and (sure or not looks_like_heading(following)):
            found.append(block.text)
    return tuple(found)


def qa_pairs(sections: Sections) -> tuple[QaPair, ...]:
    """Embedded questions with their answers. The page's own title among them goes."""
    pairs = []
    for question_block, answer_block in _in_pairs(sections):
        question, date = unmarked(question_block), None
        if dated := _DATED_QUESTION.match(question):
            question, date = dated["question"], parse_date(dated["date"])
        if sections.title is not None and title_key(question) == title_key(sections.title):
            both = replace(answer_block, text=f"{question}\n{answer_block.text}")
            sections.remove(Reason.OWN_TITLE, both, "相关问答中的本页标题")
        else:
            pairs.append(QaPair(question, unmarked(answer_block), date))
    return tuple(pairs)


def _is_sentence(block: Block) -> bool:
    return is_prose(block) or block.plain[-1] in "。!…" or block.plain.endswith("..")


def unmarked(block: Block) -> str:
    """The text without its 问： or 答：, or the same as a sign set apart."""
    if _QA_SIGN.match(block.pieces) and block.text[0] in "问答QA":
        return block.text[1:].lstrip(" :：")
    return QA_MARK.sub("", block.text)


def _in_pairs(sections: Sections) -> list[tuple[Block, Block]]:
    """Blocks two by two. A line that should be an answer, is no prose and stands above prose is the next
    question: the one before it had no answer.
    """
    pairs: list[tuple[Block, Block]] = []
    question: Block | None = None
    blocks = sections.embedded
    for position, block in enumerate(blocks):
        following = blocks[position + 1] if position + 1 < len(blocks) else None
        if question is None:
            question = block
        elif not _is_sentence(block) or (not is_prose(block) and following is not None and is_prose(following)):
            sections.remove(Reason.RELATED_LIST, question, "有问无答")
            question = block
        else:
            pairs.append((question, block))
            question = None
    if question is not None:
        sections.remove(Reason.RELATED_LIST, question, "有问无答")
    return pairs
