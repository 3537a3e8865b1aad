"""What scraped collections have and nobody wants: copies, spun and masked text, stock answers, borrowed lists.

`corpus/dirt.yaml` says what is done to which page; the labels say where it ended up.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from page_templates.source import (
    SITES_WITH_AUTHOR,
    SITES_WITH_DATE,
    SITES_WITH_DATED_PAIRS,
    SITES_WITH_VIEWS,
    Block,
    Fields,
    Related,
    SourceError,
    SourcePage,
)

MASK = "**"
_REWRITTEN_FIELDS = {"of", "as", "id", "site", "title", "author", "date", "views", "words"}
_WAYS = ("copy", "spun", "masked")


def with_dirt(pages: list[SourcePage], file: Path) -> list[SourcePage]:
    """The pages, with the dirt that a file describes in them and after them. Raises SourceError."""
    if not file.is_file():
        return pages
    fields = Fields(file.name, yaml.safe_load(file.read_text(encoding="utf-8")), {"rewritten", "stock", "borrowed"})
    clean = {page.id: page for page in pages}
    found = dict(clean)
    for item in fields.optional_items("stock"):
        _add_stock(found, Fields(f"{file.name}, stock", item, {"answer", "under"}))
    for item in fields.optional_items("borrowed"):
        _borrow(found, clean, Fields(f"{file.name}, borrowed", item, {"on", "from", "numbers"}))
    rewritten = [
        _rewritten(clean, Fields(f"{file.name}, rewritten", item, _REWRITTEN_FIELDS))
        for item in fields.optional_items("rewritten")
    ]
    for page in rewritten:
        if page.id in found:
            raise SourceError(f"{file.name}, rewritten {page.id}: the id is used already.")
        found[page.id] = page
    return list(found.values())


def _add_stock(found: dict[str, SourcePage], fields: Fields) -> None:
    """The same answer under several questions, at the end of the related lists of several pages."""
    answer = fields.line("answer")
    for item in fields.items("under"):
        place = Fields(fields.where, item, {"page", "question", "date"})
        page = _page(found, place, "page")
        date = place.date("date", with_time=False)
        pair = Related(place.line("question"), answer, _shown(date, page), dirt="stock_answer")
        found[page.id] = replace(page, related=(*page.related, pair))


def _borrow(found: dict[str, SourcePage], clean: dict[str, SourcePage], fields: Fields) -> None:
    """A related list that shows, among its own, what pages about something else answer."""
    page, lender = _page(found, fields, "on"), _page(clean, fields, "from")
    pairs = []
    for number in fields.items("numbers"):
        if not isinstance(number, int) or not 1 <= number <= len(lender.related):
            raise fields.refusal(f"page {lender.id} has no embedded question number {number!r}")
        lent = lender.related[number - 1]
        pairs.append(replace(lent, date=_shown(lent.date or page.date, page), dirt="copy", of=lender.id))
    found[page.id] = replace(page, related=(*page.related, *pairs))


def _shown(date: str | None, page: SourcePage) -> str | None:
    """The day of an embedded question, on the site that shows it."""
    return date and date[:10] if page.site in SITES_WITH_DATED_PAIRS else None


def _rewritten(clean: dict[str, SourcePage], fields: Fields) -> SourcePage:
    """Another site's version of a page's main text: later, with words changed or starred out."""
    original, way = _page(clean, fields, "of"), fields.line("as")
    if way not in _WAYS:
        raise fields.refusal(f'as "{way}" is unknown; it must be one of {", ".join(_WAYS)}')
    words: dict[str, str] = _words(fields, way)
    text = "\n".join(block.text for block in original.body)
    if missing := [word for word in words if word not in text]:
        raise fields.refusal(f'the word "{missing[0]}" does not stand in page {original.id}')
    site = fields.line("site")
    return replace(
        original,
        id=fields.line("id"),
        site=site,
        title=fields.line("title"),
        author=fields.line("author") if site in SITES_WITH_AUTHOR else None,
        date=fields.date("date") if site in SITES_WITH_DATE else None,
        views=fields.number("views") if site in SITES_WITH_VIEWS else None,
        body=tuple(replace(block, text=_changed(block, words)) for block in original.body),
        related=(),
        dirt=way,
        of=original.id,
    )


def _words(fields: Fields, way: str) -> dict[str, str]:
    """What is put in the place of what: a mapping, or for masked text a list of the words that go."""
    value: Any = fields.value("words")
    if way == "masked" and isinstance(value, list):
        return dict.fromkeys(value, MASK)
    if not isinstance(value, dict):
        raise fields.refusal('field "words" must be a mapping, or a list where the page is masked')
    return value


def _changed(block: Block, words: dict[str, str]) -> str:
    text = block.text
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def _page(pages: dict[str, SourcePage], fields: Fields, name: str) -> SourcePage:
    page = pages.get(fields.line(name))
    if page is None:
        raise fields.refusal(f"there is no page {fields.line(name)}")
    return page
