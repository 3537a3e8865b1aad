"""Layout dumps: text and blank lines are all that is left of the page."""

from __future__ import annotations

from indexer.extract.blocks import line_block
from indexer.extract.sections import Sections, divide
from indexer.extract.site_templates import Rules, SiteTemplates
from indexer.records import RawPage


def divide_dump(raw: RawPage, templates: SiteTemplates) -> tuple[Sections, Rules]:
    """The parts of the page, and the rules they were found by."""
    blocks = [line_block(line) for line in raw.text.splitlines() if line.strip()]
    rules = templates.rules_for("text", [block.plain for block in blocks])
    return divide(blocks, rules), rules
