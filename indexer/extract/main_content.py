"""HTML pages of any template: the article, or the doctors' answers of a question page."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bs4 import BeautifulSoup

from indexer.extract.blocks import HEADING_TAGS, is_prose
from indexer.extract.html_blocks import HtmlBlocks, chrome, html_blocks
from indexer.extract.metadata import Facts, read_facts
from indexer.extract.sections import Sections, body_text, divide
from indexer.extract.site_templates import Rules, SiteTemplates, first_match, plain
from indexer.records import Block, RawPage, Reason, RemovedBlock

_TITLE_SEPARATOR = re.compile(r"\s*[_|｜]\s*|\s+[-–—]+\s+|(?<=[？?])[-–—]+|(?<![A-Za-z0-9])-(?=[^-]{2,12}$)")
#: a title; 医生 alone is also what laypeople call themselves in forums (热心医生)
_DOCTOR = re.compile(r"(医师|药师|护师|护士长|技师|主任|教授|治疗师|营养师|[\u4e00-\u9fff]{2,4}\s+(医生|大夫)(\s|$))")
_BYLINE_CHARS = 60
_BYLINE_BLOCKS = 4
_TITLE_CHARS = 4


@dataclass(frozen=True)
class DoctorAnswer:
    """One doctor's answer on a question page."""

    text: str
    facts: Facts


@dataclass(frozen=True)
class HtmlPage:
    """The parts of an HTML page."""

    sections: Sections
    url: str | None
    doctor_answers: tuple[DoctorAnswer, ...]  #: empty when the page is an article
    asked: str | None  #: what the patient wrote beneath the question, on a question page


def divide_html(raw: RawPage, templates: SiteTemplates) -> tuple[HtmlPage, Rules]:
    """The parts of the page, and the rules they were found by."""
    soup = BeautifulSoup(raw.text, "lxml")
    found = html_blocks(soup)
    rules = templates.rules_for("html", [block.plain for block in found.blocks])
    kept, furniture = _without_furniture(found, rules)
    title = _title(soup, kept)
    answers = _answer_elements(found, kept, rules)
    sections = divide([block for block in kept if not (answers & set(block.path))], rules, title)
    sections.removed[:0] = [RemovedBlock(Reason.HIDDEN, text) for text in found.hidden]
    sections.removed.extend(furniture)
    sections.facts = sections.facts.filled_from(_facts_beside_title(found.blocks, title, rules))
    doctor_answers = tuple(
        answer
        for number in sorted(answers)
        if (answer := _doctor_answer(number, found.blocks, kept, sections, rules)).text
    )
    asked = None
    if doctor_answers:
        asked = body_text([block for block in sections.body if is_prose(block)]) or None
        sections.removed.extend(
            RemovedBlock(Reason.NAVIGATION, block.text) for block in sections.body if not is_prose(block)
        )
        sections.body = []
    return HtmlPage(sections, _address(soup), doctor_answers, asked), rules


def _without_furniture(found: HtmlBlocks, rules: Rules) -> tuple[list[Block], list[RemovedBlock]]:
    prose: Counter[int] = Counter()
    for block in found.blocks:
        if is_prose(block):
            prose.update({number: len(block.plain) for number in block.path})
    all_prose = sum(len(block.plain) for block in found.blocks if is_prose(block))
    reasons = chrome(found, rules.chrome, prose, all_prose)
    kept: list[Block] = []
    removed: list[RemovedBlock] = []
    for block in found.blocks:
        reason = next((reasons[number] for number in block.path if number in reasons), None)
        # The path to the page and the title may stand in a header; they are read, not searched.
        needed = block.tag == "h1" or first_match(rules.breadcrumb, block.plain)
        if reason and not needed:
            removed.append(RemovedBlock(Reason(reason), block.text))
        else:
            kept.append(block)
    return kept, removed


def _title(soup: BeautifulSoup, blocks: Sequence[Block]) -> str | None:
    """The heading that <title> contains or the line that it begins with, else <title> without the site's name."""
    whole = " ".join(soup.title.get_text().split()) if soup.title else ""
    headings = [block for block in blocks if block.tag in ("h1", "h2", "h3")]
    first_lines = [block for block in blocks if plain(whole).startswith(block.plain)]
    inside = [b for b in [*headings, *first_lines] if len(b.plain) >= _TITLE_CHARS and b.plain in plain(whole)]
    if inside:
        return max(inside, key=lambda b: (plain(whole).startswith(b.plain), b.tag == "h1", len(b.plain))).text
    main = [block for block in headings if block.tag == "h1"]
    if len(main) == 1:
        return main[0].text
    return _TITLE_SEPARATOR.split(whole)[0].strip() or None


def _facts_beside_title(blocks: Sequence[Block], title: str | None, rules: Rules) -> Facts:
    """What the short lines right below the title say, also where an element called header holds them."""
    at = next((i for i, block in enumerate(blocks) if title is not None and block.plain == plain(title)), None)
    facts = Facts()
    for block in blocks[at + 1 : at + 1 + _BYLINE_BLOCKS] if at is not None else ():
        if is_prose(block):
            break
        if len(block.plain) <= _BYLINE_CHARS:
            facts = facts.filled_from(read_facts(block.pieces, rules))
    return facts


def _address(soup: BeautifulSoup) -> str | None:
    """The page's own address, where it states one."""
    canonical, shared = soup.select_one("link[rel=canonical]"), soup.select_one("meta[property='og:url']")
    for address in (canonical and canonical.get("href"), shared and shared.get("content")):
        if isinstance(address, str) and re.match(r"https?://[^\s/]+", address):
            return address
    return None


def _answer_elements(found: HtmlBlocks, blocks: Sequence[Block], rules: Rules) -> set[int]:
    """Elements that each hold one doctor's answer.

    The outermost brothers of one kind with running text in each, where one has exactly one doctor's byline, or is
    called an answer and has any. An only child counts when it is called an answer and has a byline.
    """
    inside: defaultdict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        for number in block.path:
            inside[number].append(block)
    families: defaultdict[tuple[tuple[int, ...], str], list[int]] = defaultdict(list)
    for number, content in inside.items():
        if any(is_prose(block) for block in content):
            parent = content[0].path[: content[0].path.index(number)]
            families[(parent, found.elements[number].signature)].append(number)
    only_children: list[int] = []
    for family in (families[key] for key in sorted(families, key=lambda key: len(key[0]))):
        called = any(found.elements[number].names & set(rules.answers) for number in family)
        bylines = [sum(_is_byline(block) for block in inside[number]) for number in family]
        if len(family) >= 2 and (1 in bylines or (called and any(bylines))):
            # What laypeople answer beside the doctors is no answer that we would quote.
            return {number for number, count in zip(family, bylines, strict=True) if count}
        if called and bylines[0]:
            only_children.extend(family)
    return set(only_children[:1])


def _is_byline(block: Block) -> bool:
    """A short line with a doctor's title; no heading, such as 什么时候要看医生."""
    if block.tag in HEADING_TAGS or len(block.plain) > _BYLINE_CHARS or is_prose(block):
        return False
    return _DOCTOR.search(block.pieces) is not None


def _doctor_answer(
    number: int, blocks: Sequence[Block], kept: Sequence[Block], sections: Sections, rules: Rules
) -> DoctorAnswer:
    """Byline and text of the answer in one element; what is removed from it joins the page's removed blocks.

    The byline is read from all of the element's short lines, also from those that furniture holds ("foot").
    """
    facts = Facts()
    for block in blocks:
        if number in block.path and len(block.plain) <= _BYLINE_CHARS and not is_prose(block):
            facts = facts.filled_from(read_facts(block.pieces, rules))
    # An answer is divided as a page whose title stands above it: all of it is body.
    parts = divide([block for block in kept if number in block.path], rules, title="")
    body: list[Block] = []
    for block in parts.body:
        if not is_prose(block) and read_facts(block.pieces, rules):
            sections.remove(Reason.METADATA, block)
        else:
            body.append(block)
    sections.removed.extend(parts.removed)
    sections.disclaimers.extend(parts.disclaimers)
    return DoctorAnswer(body_text(body), facts)
