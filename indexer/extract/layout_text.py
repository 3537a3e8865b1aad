"""Layout dumps: text and blank lines are all that is left of the page."""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from indexer.extract.blocks import is_numbered, is_prose, line_block, looks_like_heading, with_kept_blocks
from indexer.extract.crumbs import path_in
from indexer.extract.dialogue import doctor_turns
from indexer.extract.dump_posts import dump_answers, usable_numbers
from indexer.extract.faq import faq_pairs
from indexer.extract.marked import marked_blocks, with_kept
from indexer.extract.metadata import Facts, read_facts
from indexer.extract.parts import DoctorAnswer, PageParts
from indexer.extract.sections import QA_MARK, Sections, body_text, divide, is_control
from indexer.extract.site_templates import Rules, SiteTemplates, first_match
from indexer.extract.title import is_question, title_key
from indexer.records import Block, RawPage
from indexer.verdicts import Reason

_TITLE_CHARS = (4, 60)
_MAX_HEAD_BLOCKS = 80
_COLUMN_GAP = re.compile(r"(?<=\S)(?: {8,}|\u3000{5,})(?=\S)")
_LABEL_ALONE = re.compile(
    r"^(?:作者|编辑|来源|稿源|(?:发布|更新|发表|修订)(?:时间|于|日期|人)?|时间|日期|(?:浏览|阅读|点击)(?:量|数|次数|热度|率)?|人气"
    r"|职称|科室|医院|单位|(?:回答|提问|回复)(?:时间|日期|者))\s*[:：]?$"
)
_VALUE_CHARS = 30
_LABELLED = re.compile(r"^\S{2,6}:\S")
_SEX_AGE = re.compile(r"^(男|女)\W|\d+岁$")
_MORE = re.compile(r"(?<=[.…])\s*[\[【(（]?(详细|详情|查看(全文|详情)?|更多|全文|阅读全文)[\])】）>》]*$")
_QA_ALONE = re.compile(r"^[问答QA]\s*[:：]?$")
_NAME_ALONE = re.compile("^[\u4e00-\u9fff·]{2,4}$")
_TITLE_LINE = re.compile(r"^(主任|副主任|主治|住院|执业|主管)\S{0,4}(医师|药师|护师|技师)(\s|$)")
_MID_SENTENCE = re.compile(r"^[，。、；：）”》,;]")
_ANY_GAP = re.compile(r"\s{2,}(?=\S)")
_MIN_COLUMN_LINES, _COLUMN_CHARS = 4, 12
_CELL_GAP = re.compile(r"(?<=\S)(?: {2,}|\u3000{2,}|\t)(?=\S)")
_WRAP_COLUMNS = (60, 110)
_MIN_WRAPPED_LINES = 5
_LIST_END = re.compile(r"[。;!?:,、]$")
_COUNT_LINES, _COUNT_CHARS = 4, 40
_HEAD_LINES = 12
_MIN_EXCERPTS = 2
_DATED = re.compile(r"\s\d{4}-\d{1,2}-\d{1,2}$")
DATE_LINE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}$")
_MAX_CELLS = 5
_MENU_CHARS = 6  # the parts of a menu are shorter
_BULLET = re.compile(r"^([·•●◆■▪○◇＊．-]|\*(?!\*))\s*(?=\S)")  # ** is a word that was starred out
_MAX_LIST, _ITEM_CHARS = 12, 40
_RUN_LINES = 4  # so many short lines without a stop in a row, after the article has begun, are titles


def divide_dump(raw: RawPage, templates: SiteTemplates) -> tuple[PageParts, Rules]:
    """The parts of the page, and the rules they were found by."""
    marked = marked_blocks(dump_blocks(raw), raw, raw.url, templates)
    parts = _parts(marked.blocks, raw, marked.rules)
    return with_kept(parts, marked), marked.rules


def _parts(blocks: list[Block], raw: RawPage, rules: Rules) -> PageParts:
    at = _title_position(blocks, rules)
    title = blocks[at].text if at is not None else None
    sections = divide(blocks, rules, title, None if at is None else at + 1)
    paths = (path_in(block, title, rules) for block in reversed(blocks[: at or 0]))
    sections.crumbs = next(filter(None, paths), sections.crumbs)
    below = blocks[(at or 0) + 1 :]
    near = [block for block in below[:_HEAD_LINES] if not is_prose(block)]
    views = next((facts.views for block in near if (facts := read_facts(block.pieces, rules)).views is not None), None)
    sections.facts = sections.facts.filled_from(Facts(views=views))
    usable = usable_numbers(sections)
    said = [block for block in below if block.number in usable]
    answers = dump_answers(said, sections, rules) if is_question(title) else ()
    if not any(answer.facts.author for answer in answers) and (
        spoken := doctor_turns(said, rules, sections.facts.author)
    ):
        while len(spoken) > 1 and not _LIST_END.search(spoken[-1].plain):
            spoken.pop()
        answers = (DoctorAnswer(body_text(spoken), sections.facts),)
    if answers:
        sections.body = []
        return PageParts(sections, raw.url, answers)
    _take_excerpts(sections)
    kept = with_kept_blocks(_article(sections.body, rules), sections.body)
    numbers = {block.number for block in kept}
    for block in sections.body:
        if block.number not in numbers:
            sections.remove(Reason.RELATED_LIST, block, "正文旁的短行")
    sections.body = kept
    sections.facts = sections.facts.filled_from(_counts_below(blocks, kept, rules))
    return PageParts(sections, raw.url, faq=faq_pairs(kept, title=title))


def dump_blocks(raw: RawPage) -> list[Block]:
    """The dump's lines as blocks."""
    return [_block(line, number) for number, line in enumerate(_lines(raw.text))]


def _take_excerpts(sections: Sections) -> None:
    """Questions of other pages below the article under no heading that we know: each with a date, in its line or in the
    next one, or with the beginning of an answer that breaks off.
    """
    body = sections.body
    found = [
        (position, excerpt)
        for position in range(1, len(body) - 1)
        if (excerpt := _excerpt(body[position : position + 3]))
    ]
    if len(found) < _MIN_EXCERPTS or not any(is_prose(block) for block in body[: found[0][0]]):
        return
    for _, (question, answer) in found:
        sections.embedded.extend([question, answer])
    sections.body = body[: found[0][0]]


def _excerpt(blocks: Sequence[Block]) -> tuple[Block, Block] | None:
    """The question and the beginning of its answer that stand first in these blocks."""
    question, second = blocks[0], blocks[1]
    if is_prose(question) or is_numbered(question):
        return None
    if DATE_LINE.match(second.plain):
        third = blocks[2] if len(blocks) > 2 else None
        both = f"{question.text} {second.plain}"
        return (replace(question, text=both), third) if third is not None and is_prose(third) else None
    if is_prose(second) and (_DATED.search(question.plain) or second.plain.endswith(("...", "…"))):
        return question, second
    return None


def _counts_below(blocks: Sequence[Block], article: Sequence[Block], rules: Rules) -> Facts:
    """How many found it useful, in a line of buttons soon after the article."""
    if not article:
        return Facts()
    for block in blocks[article[-1].number + 1 :][:_COUNT_LINES]:
        if len(block.plain) <= _COUNT_CHARS and (likes := read_facts(block.pieces, rules).likes) is not None:
            return Facts(likes=likes)
    return Facts()


def _block(line: str, number: int) -> Block:
    """A line as a block; cells side by side make it a row of a table, unless it is a menu."""
    cells = _CELL_GAP.split(_MORE.sub("", line) or line)
    block = line_block(_BULLET.sub("", " ".join(cells)) or line, number)
    is_row = 2 <= len(cells) <= _MAX_CELLS and max(map(len, cells)) > _MENU_CHARS
    return replace(block, tag="row") if is_row else block


def _lines(text: str) -> list[str]:
    """The dump's lines, with columns parted and wrapped lines joined."""
    lines, aside = _columns_parted(_labels_joined(text.expandtabs(8).splitlines()))
    wrapped_at = _wrap_width(lines)
    found: list[str] = []
    open_line = False  # whether the last line may go on
    for line in lines:
        stripped = line.strip()
        if not stripped:
            open_line = False
            continue
        starts_anew = is_numbered(line_block(stripped)) or _BULLET.match(stripped)
        if open_line and not starts_anew:
            found[-1] += stripped if not (stripped[0].isascii() and found[-1][-1].isascii()) else f" {stripped}"
        else:
            found.append(stripped)
        open_line = wrapped_at > 0 and _columns(line.rstrip()) >= wrapped_at
    return [*found, *aside]


def _labels_joined(lines: Sequence[str]) -> list[str]:
    """Labels with what stands in the line below them, names with the doctor's title below, sentences that links cut."""
    found: list[str] = []
    for line in lines:
        stripped = line.strip()
        before = found[-1].strip() if found else ""
        if stripped and len(stripped) <= _VALUE_CHARS and _LABEL_ALONE.match(before):
            found[-1] = f"{before.rstrip(':： ')}：{stripped}"
        elif stripped and _QA_ALONE.match(before):
            found[-1] = f"{before[0]}：{stripped}"
        elif _NAME_ALONE.match(before) and _TITLE_LINE.match(stripped):
            found[-1] = f"{before} {stripped}"
        elif before and _MID_SENTENCE.match(stripped):
            found[-1] += stripped
        else:
            found.append(line)
    return found


def _columns_parted(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The left column's lines and the right one's, where a second column begins at one place in many lines."""
    starts = Counter(_columns(line[: gap.end()]) for line in lines if (gap := _COLUMN_GAP.search(line)))
    column, count = max(starts.items(), key=lambda item: item[1], default=(0, 0))
    left: list[str] = []
    right: list[str] = []
    beside: list[int] = []
    for line in lines:
        gap = next((gap for gap in _ANY_GAP.finditer(line) if _columns(line[: gap.end()]) == column), None)
        left.append(line[: gap.start()] if gap else line)
        if gap:
            right.append(line[gap.end() :].strip())
            beside.append(len(left[-1].strip()))
    if count < _MIN_COLUMN_LINES or statistics.median(beside) < _COLUMN_CHARS:
        return list(lines), []  # cells of a table
    return left, right


def _wrap_width(lines: Sequence[str]) -> int:
    """The width from which on a line was broken for its length; 0 where lines are not broken so."""
    widths = [_columns(line.rstrip()) for line in lines if line.strip()]
    longest = max(widths, default=0)
    if not _WRAP_COLUMNS[0] <= longest <= _WRAP_COLUMNS[1]:
        return 0
    near = sum(width >= longest - 6 for width in widths)
    return longest - 6 if near >= _MIN_WRAPPED_LINES else 0


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def _title_position(blocks: Sequence[Block], rules: Rules) -> int | None:
    """Where the title stands: the line of the head that the path, the first line or a byline below it speak for."""
    head = blocks[:_MAX_HEAD_BLOCKS]
    prose = next((i for i, block in enumerate(head) if _is_text(block)), len(head))
    counts = Counter(title_key(block.text) for block in head)
    paths = (path_in(block, None, rules) for block in head)
    tails = {title_key(parts[-1]) for parts in paths if parts}
    best, best_score = None, 0
    for position, block in enumerate(head[: prose + 1]):
        key = title_key(block.text)
        if not _TITLE_CHARS[0] <= len(key) <= _TITLE_CHARS[1] or not _may_be_title(block, rules):
            continue
        following = head[position + 1] if position + 1 < len(head) else None
        score = 1 + 3 * (key in tails) + 2 * (counts[key] > 1) + (len(key) >= 8) + 2 * is_question(block.text)
        score += 2 * (following is not None and bool(read_facts(following.pieces, rules)))
        score += 2 * (position > 0 and key in title_key(head[0].text))
        if position == prose:
            score -= 3
        if score >= best_score and score > 0:
            best, best_score = position, score
    return best


def _is_text(block: Block) -> bool:
    return is_prose(block) and len(block.plain) >= 15


def _may_be_title(block: Block, rules: Rules) -> bool:
    plain = block.plain
    if plain[-1] in "。;,:" or is_control(block, rules) or len(plain.split(" ")) > 3:
        return False
    if (
        _SEX_AGE.search(plain)
        or first_match(rules.breadcrumb, plain)
        or first_match(rules.system_says, plain)
        or first_match(rules.card, plain)
    ):
        return False
    facts = read_facts(block.pieces, rules)
    return not (facts.date or facts.author or facts.views) or is_question(plain)


def _article(body: Sequence[Block], rules: Rules) -> list[Block]:
    """The article without the titles, tags and names that stand before, in and after it."""
    rows = [i for i, block in enumerate(body) if _is_row(block)]
    anchors = [i for i, block in enumerate(body) if is_prose(block)] or rows
    if not anchors:
        return [block for block in body if block.plain[-1] in "。!?"] or list(body)
    first, last = anchors[0], anchors[-1]
    while first > 0 and _heads(body[first - 1]):
        first -= 1
    end = last + 1
    while end < len(body) and (_LIST_END.search(body[end].plain) or is_numbered(body[end]) or _is_row(body[end])):
        end += 1
    headed = end > last + 1 and looks_like_heading(body[end - 1])
    listed = headed or body[last].plain.endswith(":") or (end < len(body) and looks_like_heading(body[end]))
    while listed and end < len(body) and end <= last + _MAX_LIST and (_is_item(body[end]) or headed):
        if is_question(body[end].plain) or len(body[end].plain) > _ITEM_CHARS:
            break
        end += 1
    while end - 1 > last and looks_like_heading(body[end - 1]) and not _LIST_END.search(body[end - 1].plain):
        end -= 1
    return _without_runs(list(body[first:end]))


def _is_row(block: Block) -> bool:
    """A row of a table of facts."""
    return block.tag == "row"


def _heads(block: Block) -> bool:
    """A line above the first paragraph that heads it."""
    if block.plain[-1] == "?" or QA_MARK.match(block.plain):
        return True
    return looks_like_heading(block) and (is_numbered(block) or block.plain[0] in "【[<" or len(block.plain) <= 12)


def _without_runs(blocks: list[Block]) -> list[Block]:
    """Without rows of short lines that are titles of other pages; items of a list stay."""
    kept: list[Block] = []
    run: list[Block] = []
    for block in blocks:
        if is_prose(block) or _is_row(block) or is_numbered(block) or _LIST_END.search(block.plain):
            kept.extend(_of_article(run))
            run = []
            kept.append(block)
        else:
            run.append(block)
    return [*kept, *_of_article(run)]


def _of_article(run: list[Block]) -> list[Block]:
    """A row of short lines, if it is a heading or a list; its last line, if that alone may head what follows."""
    if len(run) < _RUN_LINES or sum(_is_item(block) for block in run) * 3 >= len(run):
        return run
    if sum(is_question(block.plain) for block in run) >= 2 or len(run) > _MAX_LIST:
        return run[-1:] if looks_like_heading(run[-1]) else []
    return run


def _is_item(block: Block) -> bool:
    """A line with the marks or figures of content, unlike a title."""
    return not is_question(block.plain) and re.search(r"[,、:]|\d", block.plain) is not None
