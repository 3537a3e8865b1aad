"""Editors' marks on the blocks of a page, put there before anything else looks at them.

What an editor takes out goes first: all that follows works on the page without it. What an editor keeps is marked so,
and every rule passes it by; `with_kept` looks at the end that it stands in the page's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from indexer.extract.editor_rules import PageEditors
from indexer.extract.html_blocks import HtmlBlocks
from indexer.extract.parts import PageParts
from indexer.extract.site_templates import Rules, SiteTemplates, first_match
from indexer.records import Block, KeptBlock, QaPair, RawPage, RemovedBlock, collected_path, host_of
from indexer.verdicts import Reason


@dataclass(frozen=True)
class Marked:
    """A page's blocks with the editors' marks, and the rules that the page is cleaned by."""

    rules: Rules
    editors: PageEditors
    blocks: list[Block]  #: without those that were taken out, numbered anew
    removed: tuple[RemovedBlock, ...] = ()
    kept: tuple[KeptBlock, ...] = ()
    gone: frozenset[int] = frozenset()  #: numbers of those that were taken out
    numbers: Sequence[int] = field(default_factory=tuple)  #: in the page, of each that is left; empty: the same

    @property
    def kept_blocks(self) -> list[Block]:
        """The blocks that an editor keeps, in page order."""
        return [block for block in self.blocks if block.is_kept] if self.kept else []

    def again(self, blocks: Sequence[Block]) -> tuple[list[Block], list[RemovedBlock]]:
        """Marks on blocks of the page's data: those that are left, and those that are not."""
        left: list[Block] = []
        removed: list[RemovedBlock] = []
        for block in blocks:
            said = self.editors.verdict(block.text) if self.editors else None
            if said is None:
                left.append(block)
            elif said[0]:
                left.append(replace(block, is_kept=True))
            else:
                removed.append(RemovedBlock(Reason.EDITOR, block.text, said[1]))
        return left, removed

    def without_pairs(self, pairs: tuple[QaPair, ...]) -> tuple[QaPair, ...]:
        """Questions and answers of which no editor takes anything out."""
        if not self.editors:
            return pairs
        return tuple(
            pair
            for pair in pairs
            if not any((said := self.editors.verdict(text)) and not said[0] for text in (pair.question, pair.answer))
        )


def marked_blocks(blocks: list[Block], raw: RawPage, url: str | None, templates: SiteTemplates) -> Marked:
    """What editors say of each block of a page, and the rules that the page is cleaned by."""
    lines = [block.plain for block in blocks]
    media = "html" if raw.media == "html" else "text"
    rules = templates.rules_for(media, lines)
    if not templates.editors:
        return Marked(rules, PageEditors(), blocks)
    site = site_of(raw.path, url)
    for line in lines if rules.site_line else ():
        if named := first_match(rules.site_line, line):
            site = named["site"]
            break
    rules = templates.rules_for(media, lines, site)
    path = collected_path(raw.path)
    editors = templates.editors_for(media, lines, site, [*dict.fromkeys(filter(None, (url, raw.url, path)))])
    said = {block.number: verdict for block in blocks if (verdict := editors.verdict(block.text))} if editors else {}
    if not said:
        return Marked(rules, editors, blocks)
    gone = frozenset(number for number, (is_kept, _) in said.items() if not is_kept)
    left = [block for block in blocks if block.number not in gone]
    return Marked(
        rules,
        editors,
        [replace(block, number=number, is_kept=block.number in said) for number, block in enumerate(left)],
        tuple(RemovedBlock(Reason.EDITOR, b.text, said[b.number][1], b.number) for b in blocks if b.number in gone),
        tuple(KeptBlock(b.text, said[b.number][1], b.number) for b in left if b.number in said),
        gone,
        [block.number for block in left],
    )


def site_of(path: str, url: str | None) -> str | None:
    """The host of the page's address, else the folder that the page was collected in."""
    if url:
        return host_of(url)
    folder, _, _ = collected_path(path).rpartition("/")
    return folder.split("/")[0] or None


def marked_html(found: HtmlBlocks, marked: Marked) -> HtmlBlocks:
    """The page's blocks and elements as the marks leave them."""
    if marked.blocks is found.blocks:
        return found
    before = [0, *accumulate(block.number not in marked.gone for block in found.blocks)]
    elements = [replace(element, start=before[element.start], end=before[element.end]) for element in found.elements]
    return HtmlBlocks(marked.blocks, elements, found.hidden, found.collapsed)


def with_kept(parts: PageParts, marked: Marked) -> PageParts:
    """The page's parts with every kept block in its text, and the numbers that its blocks have in the page."""
    if not marked.removed and not marked.kept:
        return parts
    sections, kept = parts.sections, marked.kept_blocks
    kept_numbers = {block.number for block in kept}
    left = [piece for piece in sections.removed if piece.number is None or piece.number not in kept_numbers]
    if marked.numbers:
        left = [p if p.number is None else replace(p, number=marked.numbers[p.number]) for p in left]
    sections.removed = [*marked.removed, *left]
    if not kept:
        return parts
    if parts.doctor_answers:
        texts = _placed([answer.text for answer in parts.doctor_answers], marked.blocks, kept)
        answers = [replace(answer, text=text) for answer, text in zip(parts.doctor_answers, texts, strict=True)]
        return replace(parts, doctor_answers=tuple(answers), kept=marked.kept)
    [text] = _placed(["\n".join(block.text for block in sections.body)], marked.blocks, kept)
    missing = [block for block in kept if block.text not in {b.text for b in sections.body}]
    faq = _with_kept_pairs(parts.faq, marked.blocks, kept)
    if missing:
        by_text = {block.text: block for block in [*kept, *sections.body]}
        sections.body = [by_text.get(line, Block(line, line)) for line in text.split("\n") if line]
    return replace(parts, faq=faq, kept=marked.kept)


def _with_kept_pairs(faq: tuple[QaPair, ...], blocks: Sequence[Block], kept: Sequence[Block]) -> tuple[QaPair, ...]:
    """The page's own questions and answers, with the kept blocks that no pair has in the answer above each."""
    if not faq:
        return faq
    asked = {block.text for block in kept if any(block.text in pair.question for pair in faq)}
    texts = _placed([pair.answer for pair in faq], blocks, [block for block in kept if block.text not in asked])
    return tuple(replace(pair, answer=text) for pair, text in zip(faq, texts, strict=True))


def _placed(texts: Sequence[str], blocks: Sequence[Block], kept: Sequence[Block]) -> list[str]:
    """Texts, a block a line, with the kept blocks that none of them has, each after the block that it follows in the
    page, as far as that one is there; else before the first text.
    """
    rows = [text.split("\n") if text else [] for text in texts]
    for block in kept:
        if any(block.text in row for row in rows):
            continue
        above = (other.text for other in reversed(blocks[: block.number]))
        at = next(((row, row.index(text) + 1) for text in above for row in rows if text in row), (rows[0], 0))
        at[0].insert(at[1], block.text)
    return ["\n".join(row) for row in rows]
