"""HTML pages of any template: the article, or the doctors' answers of a question page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from indexer.extract.blocks import HEADING_TAGS, is_prose, line_block, with_kept_blocks
from indexer.extract.crumbs import crumbs_of
from indexer.extract.dialogue import Role, doctor_turns, is_doctor_byline, label_of, turns
from indexer.extract.embedded import Embedded, Pair, json_ld
from indexer.extract.excerpts import Excerpts, excerpts
from indexer.extract.faq import faq_pairs
from indexer.extract.furniture import Furniture
from indexer.extract.html_blocks import HtmlBlocks, html_blocks
from indexer.extract.html_tree import Tag, html_tree, text_of
from indexer.extract.main_part import main_part
from indexer.extract.marked import Marked, marked_blocks, marked_html, with_kept
from indexer.extract.metadata import Facts, moment_of, parse_date, read_facts
from indexer.extract.parts import DoctorAnswer, PageParts
from indexer.extract.posts import Posts, find_posts
from indexer.extract.sections import RELATED_RULES, Sections, body_text, divide
from indexer.extract.site_templates import Rules, SiteTemplates, first_match, plain
from indexer.extract.state import state
from indexer.extract.title import is_question, page_title, title_key
from indexer.records import Block, Kind, QaPair, RawPage, RemovedBlock
from indexer.verdicts import Reason

_BYLINE_CHARS = 80
_BYLINE_BLOCKS = 6
_NAME_CHARS = 20
_BUTTON_CHARS = 32
_LINES_BELOW = 14
_CALLED_AUTHOR = "//*[@itemprop='author' or @rel='author' or contains(concat(' ', @class, ' '), ' author ')]"
_MAX_AUTHORS = 5
_DATE_VARIABLE = re.compile(
    r"\b(?:ct|publish_?[tT]ime|pubDate|create_?[tT]ime)\s*=\s*[\"'](\d{10}|\d{4}-\d{2}-\d{2}[ \d:]{0,9})[\"']"
)
_DATE_NAMES = ("article:published_time", "pubdate", "publishdate", "og:release_date", "datepublished")
_DOMINANT_IN_POST = 0.95  # an answer and what is added to it later stand in two elements
_MUCH_MORE = 1.5
_MIN_BODY_CHARS = 40  # less on the page itself: look into its scripts


def divide_html(raw: RawPage, templates: SiteTemplates) -> tuple[PageParts, Rules]:
    """The parts of the page, and the rules they were found by. Raises TooDeep."""
    tree = html_tree(raw.text)
    found = html_blocks(tree)
    url = _address(tree) or raw.url
    marked = marked_blocks(found.blocks, raw, url, templates)
    found, rules = marked_html(found, marked), marked.rules
    said = json_ld(tree)
    title = page_title(tree, found.blocks) or said.title
    page = _visible_page(found, rules, title, url)
    if said.texts or said.faq:  # often in full where the page shows the beginning only
        page = _told_page(page, said, templates, marked, more_than=1.0 if _is_bare(page) else _MUCH_MORE) or page
    elif _is_bare(page):
        page = _told_page(page, state(tree), templates, marked, more_than=1.0) or page
    sections = page.sections
    sections.facts = sections.facts.filled_from(said.facts).filled_from(_facts_of_markup(tree, sections.facts, rules))
    sections.crumbs = crumbs_of(found, rules) or sections.crumbs or list(said.crumbs)
    return with_kept(page, marked), rules


def _visible_page(found: HtmlBlocks, rules: Rules, title: str | None, url: str | None) -> PageParts:
    """The page as its visible text shows it."""
    furniture = Furniture(found, rules, plain(title) if title else None)
    others = excerpts(found, rules, title)
    kept: list[Block] = []
    removed: list[RemovedBlock] = []
    for block in found.blocks:
        if block.number in others.numbers and not block.is_kept:
            removed.append(RemovedBlock(Reason.RELATED_LIST, block.text, "相关问答", block.number))
        elif piece := furniture.removed(block):
            removed.append(piece)
        else:
            kept.append(block)
    sections = divide(kept, rules, title)
    elsewhere = {b.number for b in sections.embedded} | {b.number for b in sections.removed if b.rule in RELATED_RULES}
    posts = find_posts(found, [block for block in kept if block.number not in elsewhere], rules, title)
    if posts is not None:
        sections = divide([block for block in kept if posts.roles.keys().isdisjoint(block.path)], rules, title)
    sections.removed[:0] = [RemovedBlock(Reason.HIDDEN, text, "标记使它不可见") for text in found.hidden]
    sections.removed.extend(removed)
    sections.facts = _facts_beside_title(found.blocks, title, rules).filled_from(sections.facts)
    if posts is not None:
        inside = _by_post(kept, posts)
        _take_in_kept(sections, inside, posts, found)
        answers = [
            _doctor_answer(n, posts.bylines.get(n, ()), found, inside[n], sections, rules) for n in posts.answers
        ]
        for number in sorted(set(posts.roles) - set(posts.answers)):
            for block in inside[number]:
                sections.remove(Reason.COMMENT, block, "提问者或网友的话")
            if words := [block for block in inside[number] if block.is_kept]:
                answers.append(DoctorAnswer(body_text(words), Facts(), Kind.READER_REPLY))
        if answers := [answer for answer in answers if answer.text]:
            if not posts.has_doctor:
                replies = tuple(replace(answer, kind=Kind.READER_REPLY) for answer in answers)
                return _question_page(sections, url, replies, others)
            speakers = {answer.facts.author for answer in answers} - {None}
            others_words = [answer for answer in answers if answer.kind is Kind.READER_REPLY]
            answers = [answer for answer in answers if answer.kind is not Kind.READER_REPLY]
            together = _one_answer(answers) if answers and posts.is_dialogue and len(speakers) <= 1 else tuple(answers)
            return _question_page(sections, url, (*_with_doctor(together, found, rules), *others_words), others)
    if spoken := doctor_turns(sections.body, rules):
        spoken = with_kept_blocks(spoken, sections.body)
        facts = _first_doctor_facts(sections.body, rules)
        return _question_page(
            sections, url, _with_doctor((DoctorAnswer(body_text(spoken), facts),), found, rules), others
        )
    parts = main_part(sections.body, found)
    for block in parts.rest:
        sections.remove(Reason.NAVIGATION, block, "在正文之外")
    sections.body = parts.main
    sections.facts = sections.facts.filled_from(_facts_below(sections, found, rules))
    return PageParts(sections, url, faq=faq_pairs(sections.body, found, title), related=others.pairs)


def _take_in_kept(sections: Sections, inside: dict[int, list[Block]], posts: Posts, found: HtmlBlocks) -> None:
    """Blocks outside of all posts that an editor keeps belong to the answer above them, else to the first one."""
    for block in [block for block in sections.body if block.is_kept]:
        above = [number for number in posts.answers if found.elements[number].start <= block.number]
        post = inside[above[-1] if above else posts.answers[0]]
        post.append(block)
        post.sort(key=lambda other: other.number)
        sections.body.remove(block)


def _by_post(kept: Sequence[Block], posts: Posts) -> dict[int, list[Block]]:
    """The blocks of each post."""
    inside: dict[int, list[Block]] = {number: [] for number in posts.roles}
    for block in kept:
        for number in block.path:
            if number in inside:
                inside[number].append(block)
    return inside


def _one_answer(turns: Sequence[DoctorAnswer]) -> tuple[DoctorAnswer, ...]:
    """A dialogue's turns together, without the name that stands above each."""
    facts = turns[0].facts
    for turn in turns[1:]:
        facts = facts.filled_from(turn.facts)
    first_lines = Counter(turn.text.partition("\n")[0] for turn in turns)
    texts = []
    for turn in turns:
        name, _, rest = turn.text.partition("\n")
        is_name = first_lines[name] > 1 and rest and len(name) <= _NAME_CHARS and name[-1] not in "。！？!?"
        texts.append(rest if is_name else turn.text)
    return (DoctorAnswer("\n".join(texts), facts),)


def _first_doctor_facts(body: Sequence[Block], rules: Rules) -> Facts:
    """What the first label of a doctor says, or the short lines about the reply: a name, a date."""
    label = next((b for b in body if (found := label_of(b, rules)) and found[0] is Role.DOCTOR), None)
    facts = read_facts(label.pieces[:_BYLINE_CHARS], rules) if label else Facts()
    replied = [b.pieces for b in body if len(b.plain) <= _BYLINE_CHARS and first_match(rules.about_reply, b.plain)]
    return facts.filled_from(_facts_in(replied, rules))


def _with_doctor(answers: tuple[DoctorAnswer, ...], found: HtmlBlocks, rules: Rules) -> tuple[DoctorAnswer, ...]:
    """A single answer whose doctor is named elsewhere on the page: in a notice (沈医生已接诊), or on a card."""
    if len(answers) != 1 or answers[0].facts.author_title:
        return answers
    name = answers[0].facts.author
    if name is None:
        notice = next((m for b in found.blocks if (m := first_match(rules.doctor_notice, b.pieces))), None)
        cards = (f for b in found.blocks if is_doctor_byline(b) and (f := read_facts(b.pieces, rules)).author)
        named = {card.author for card in cards}  # of several doctors on a page nobody knows which one it was
        name = notice["author"] if notice else next(iter(named)) if len(named) == 1 else None
    about = [i for i, block in enumerate(found.blocks) if name and name in block.plain.split(" ")[0:3]]
    lines = [[b.pieces for b in found.blocks[i : i + 4] if len(b.plain) <= _BYLINE_CHARS] for i in about]
    facts = answers[0].facts.filled_from(Facts(author=name))
    for near in lines:
        said = _facts_in(near, rules)
        facts = facts.filled_from(Facts(author_title=said.author_title, hospital=said.hospital))
    return (replace(answers[0], facts=facts),)


def _question_page(
    sections: Sections, url: str | None, answers: tuple[DoctorAnswer, ...], others: Excerpts
) -> PageParts:
    asked = body_text([block for block in sections.body if is_prose(block)]) or None
    for block in sections.body:
        sections.remove(Reason.NAVIGATION, block, "在各条回答之外")
    sections.body = []
    return PageParts(sections, url, answers, asked, related=others.pairs)


def _is_bare(page: PageParts) -> bool:
    return not page.doctor_answers and len(body_text(page.sections.body)) < _MIN_BODY_CHARS


def _told_page(
    page: PageParts, told: Embedded, templates: SiteTemplates, marked: Marked, more_than: float
) -> PageParts | None:
    """The page as its scripts tell it; None unless they tell more than so many times what the page shows."""
    rules = templates.general
    texts = [(text, _snippet(text.html, rules, marked)) for text in told.texts]
    faq = _told_pairs(told.faq, rules, marked)
    told_chars = sum(len(body_text(sections.body)) for _, sections in texts) + sum(len(pair.answer) for pair in faq)
    shown = len(body_text(page.sections.body)) + sum(len(answer.text) for answer in page.doctor_answers)
    if told_chars <= more_than * shown:
        return None
    sections = replace(
        page.sections,
        title=told.title or page.sections.title,
        facts=told.facts.filled_from(page.sections.facts),
        crumbs=list(told.crumbs) or page.sections.crumbs,
        body=[],
        removed=[*page.sections.removed, *(piece for _, parts in texts for piece in parts.removed)],
    )
    related = _told_pairs(told.related, rules, marked)
    answers_it = any(text.is_answer for text, _ in texts)
    if len(texts) > 1 or (texts and (answers_it or is_question(sections.title))):
        answers = tuple(
            DoctorAnswer(
                body_text(parts.body), text.facts, Kind.DOCTOR_ANSWER if text.facts.author_title else Kind.ARTICLE
            )
            for text, parts in texts
        )
        return PageParts(sections, page.url, answers, related=related or page.related)
    lines = [line for pair in faq for line in (pair.question, *pair.answer.split("\n"))]
    sections.body = texts[0][1].body if texts else [line_block(line) for line in lines]
    return PageParts(sections, page.url, faq=() if texts else faq, related=related or page.related)


def _told_pairs(pairs: Sequence[Pair], rules: Rules, marked: Marked) -> tuple[QaPair, ...]:
    """Questions and answers of the page's data, these cleaned."""
    cleaned = (QaPair(p.question, body_text(_snippet(p.answer, rules, marked).body), p.date) for p in pairs)
    return marked.without_pairs(tuple(cleaned))


def _snippet(html: str, rules: Rules, marked: Marked) -> Sections:
    """A text of the page's data, cleaned like a page of its own."""
    found = html_blocks(html_tree(html))
    furniture = Furniture(found, rules, None)
    left, by_editors = marked.again(found.blocks)
    pieces = [(block, furniture.removed(block)) for block in left]
    sections = divide([block for block, piece in pieces if piece is None], rules, title="")
    removed = [*by_editors, *sections.removed, *(piece for _, piece in pieces if piece is not None)]
    sections.removed = [replace(piece, number=None) for piece in removed]  # they are no blocks of the page
    return sections


def _facts_beside_title(blocks: Sequence[Block], title: str | None, rules: Rules) -> Facts:
    """What the short lines right below the title say, also where an element called header holds them."""
    key = title_key(title or "")
    same = [i for i, block in enumerate(blocks) if key and title_key(block.text) == key]
    longer = [i for i, b in enumerate(blocks) if key and b.tag == "h1" and title_key(b.text).startswith(key)]
    at = next((i for i in [*(i for i in same if blocks[i].tag in HEADING_TAGS), *longer, *same]), None)
    if at is None:
        return Facts()
    lines = [blocks[at].pieces.removeprefix(plain(title or ""))]
    for block in blocks[at + 1 : at + 1 + _BYLINE_BLOCKS]:
        if is_prose(block):
            break
        if len(block.plain) <= _BYLINE_CHARS:
            lines.append(block.pieces)
    above = [b.pieces for b in blocks[max(at - 2, 0) : at] if len(b.plain) <= _BYLINE_CHARS and not b.links]
    return _facts_in(lines, rules).filled_from(_facts_in(above, rules))


def _facts_below(sections: Sections, found: HtmlBlocks, rules: Rules) -> Facts:
    """Counts, a labelled date and an author in short lines below the article; not of comments and of other pages."""
    foreign = {b.number for b in sections.removed if b.reason in (Reason.COMMENT, Reason.RELATED_LIST)}
    facts = Facts()
    for block in found.blocks[sections.body[0].number :] if sections.body else ():
        if len(block.plain) > _BYLINE_CHARS or block.number in foreign or is_prose(block):
            continue
        said = read_facts(block.pieces, rules)
        if block.number > sections.body[-1].number + _LINES_BELOW:
            said = Facts(likes=said.likes)
        if said.date and not first_match(rules.date_label, block.pieces):
            said = replace(said, date=None)
        if len(block.plain) > _BUTTON_CHARS:
            said = replace(said, likes=None)
        if said.author is None or not (said.author_title or first_match(rules.author, block.pieces)):
            said = replace(said, author=None, author_title=None, hospital=None)
        facts = facts.filled_from(said)
    for block in found.blocks:  # statistics in a side bar
        if len(block.plain) <= _BUTTON_CHARS and first_match(rules.statistics, block.plain):
            said = read_facts(block.pieces, rules)
            facts = facts.filled_from(Facts(date=said.date, views=said.views))
    return facts


def _facts_in(lines: Sequence[str], rules: Rules) -> Facts:
    """What short lines say one by one, and a name, title and hospital that stand in a line each."""
    facts = Facts()
    for line in lines:
        facts = facts.filled_from(read_facts(line, rules))
    for count in (2, 3):
        for start in range(len(lines) - count + 1):
            facts = facts.filled_from(read_facts(" ".join(lines[start : start + count]), rules))
    return facts


def _facts_of_markup(tree: Tag, known: Facts, rules: Rules) -> Facts:
    """Author and date as <meta> and elements called author state them; only what is a person's name."""
    author = date = None
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        content = meta.get("content", "").strip()
        if name in _DATE_NAMES and date is None:
            date = parse_date(content)
        elif name in ("author", "article:author") and author is None and rules.person.fullmatch(content):
            author = content
    date = date or next((d for script in tree.iter("script") if (d := _date_variable(script.text or ""))), None)
    called = () if known.author or author else tree.xpath(_CALLED_AUTHOR)
    for element in called[:_MAX_AUTHORS]:
        text = text_of(element)
        if author is None and rules.person.fullmatch(text):
            author = text
    return Facts(author=author, date=date)


def _date_variable(script: str) -> str | None:
    """The time of publishing in a variable of a page's program, as seconds since 1970 or as a date; China's time."""
    match = _DATE_VARIABLE.search(script)
    if match is None:
        return None
    if not match[1].isdigit():
        return parse_date(match[1])
    return moment_of(int(match[1]))


def _address(tree: Tag) -> str | None:
    """The page's own address, where it states one."""
    canonical = (link.get("href", "") for link in tree.iter("link") if link.get("rel", "").lower() == "canonical")
    shared = (meta.get("content", "") for meta in tree.iter("meta") if meta.get("property") == "og:url")
    return next((address for address in (*canonical, *shared) if re.match(r"https?://[^\s/]+", address)), None)


def _doctor_answer(
    number: int, beside: Sequence[Block], found: HtmlBlocks, kept: Sequence[Block], sections: Sections, rules: Rules
) -> DoctorAnswer:
    """Byline and text of the answer in one element; what is removed from it joins the page's removed blocks.

    The byline is read from all of the element's short lines, also from those that furniture holds ("foot"), and from
    the lines `beside` it.
    """
    short = [b for b in found.inside(number) if len(b.plain) <= _BYLINE_CHARS and not is_prose(b)]
    facts = _facts_in([block.pieces for block in [*beside, *short]], rules)
    # An answer is divided as a page whose title stands above it: all of it is body.
    parts = divide(kept, rules, title="")
    sections.removed.extend(parts.removed)
    sections.disclaimers.extend(parts.disclaimers)
    body: list[Block] = []
    for turn in turns(parts.body, rules, Role.DOCTOR, facts.author):
        block = turn.block
        if block.is_kept:
            continue
        if turn.role is not Role.DOCTOR:
            sections.remove(Reason.COMMENT, block, "提问者的话")
        elif first_match(rules.card, block.plain) or _is_byline(block, rules):
            sections.remove(Reason.METADATA, block, "署名行")
        else:
            body.append(block)
    main = main_part(with_kept_blocks(body, parts.body), found, dominant=_DOMINANT_IN_POST)
    for block in main.rest:
        sections.remove(Reason.NAVIGATION, block, "在正文之外")
    return DoctorAnswer(body_text(main.main), facts)


def _is_byline(block: Block, rules: Rules) -> bool:
    if is_prose(block) or block.tag in HEADING_TAGS or block.plain[-1] in "。!?":
        return False
    return bool(read_facts(block.pieces, rules)) or is_doctor_byline(block)
