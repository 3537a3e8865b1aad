"""Why each block of a page was kept or taken out, for an editor who asks."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.extract import extract_page
from indexer.extract.html_blocks import html_blocks
from indexer.extract.html_tree import html_tree
from indexer.extract.layout_text import dump_blocks
from indexer.extract.site_templates import SiteTemplates
from indexer.records import Block, Page, RawPage, Rejected


@dataclass(frozen=True)
class Verdict:
    """One block with the facts that it was judged by."""

    block: Block
    part: str  #: what became of it: 正文, 问答, or the reason for taking it out
    rule: str  #: a list of sites/general.toml, an element's name, or what was measured; "" for what was kept
    kept_by: str = ""  #: the editor's rule that keeps it

    def as_line(self) -> str:
        """The verdict as the command line prints it."""
        block = self.block
        facts = f"<{block.tag}> {len(block.text)} 字"
        if block.links:
            facts += f"，链接 {block.links} 个占 {block.link_share:.0%}"
        if block.ad_texts:
            facts += "，链接通向广告"
        rule = f"（{self.rule or self.kept_by}）" if self.rule or self.kept_by else ""
        return f"{block.number:>4}  {self.part}{rule}  {facts}\n      {block.text}"


def explain(raw: RawPage, templates: SiteTemplates) -> tuple[Page | Rejected, list[Verdict]]:
    """The page as extracted, and the verdict on each of its blocks in page order. Raises TooDeep."""
    result = extract_page(raw, templates)
    blocks = html_blocks(html_tree(raw.text)).blocks if raw.media == "html" else dump_blocks(raw)
    removed = {piece.number: piece for piece in result.removed if piece.number is not None}
    kept_by = {block.number: block.rule for block in result.kept} if isinstance(result, Page) else {}
    text = result.text if isinstance(result, Page) else ""
    verdicts = []
    for block in blocks:
        piece = removed.get(block.number)
        if piece is not None and piece.text != block.text and piece.text in block.text and block.text not in text:
            verdicts.append(Verdict(block, f"正文，去掉其中的{piece.reason.label}", f"{piece.rule}: {piece.text}"))
        elif piece is not None:
            verdicts.append(Verdict(block, piece.reason.label, piece.rule))
        else:
            kept = "正文" if block.text in text else "问答或标题" if text else "其余"
            verdicts.append(Verdict(block, kept, "", kept_by.get(block.number, "")))
    return result, verdicts
