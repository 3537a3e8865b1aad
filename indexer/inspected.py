"""What cleaning made of one page, block by block: for editors, and for rules that are tried on pages before they are
saved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.extract import SiteTemplates
from indexer.extract.explain import Verdict, explain
from indexer.identify import with_ids
from indexer.quality import QualityRules, with_quality
from indexer.read import decoded_page
from indexer.records import Page, RawPage, Rejected, SavedPage


@dataclass(frozen=True)
class InspectedBlock:
    """One block of a page, in page order."""

    number: int
    text: str
    tag: str  #: the element's name; "" in a layout dump
    is_kept: bool  #: whether all of it is in an answer, or in title and questions
    part: str  #: what became of it, for people: 正文, or why it was taken out
    rule: str  #: what took it out; "" for what was kept


@dataclass(frozen=True)
class InspectedAnswer:
    """An answer that would be searched."""

    id: str
    question: str
    text: str
    kind: str
    flaws: tuple[str, ...]  #: for people


@dataclass(frozen=True)
class InspectedPage:
    """A page or record and what became of it."""

    path: str
    media: str  #: "html", "text" or "record"
    charset: str
    url: str | None
    site: str | None
    title: str | None
    author: str | None
    date: str | None
    rejected: str  #: why nothing of it is searched, a sentence; "" when something is
    answers: tuple[InspectedAnswer, ...]
    blocks: tuple[InspectedBlock, ...]  #: none of a record, which is taken as it is


def inspect_page(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> InspectedPage:
    """One page, cleaned as a build would. Raises TooDeep."""
    raw = decoded_page(saved)
    if isinstance(raw, RawPage):
        result, verdicts = explain(raw, templates)
    else:
        result, verdicts = raw, []
    if isinstance(result, Page):
        result = with_quality(result if result.is_record else with_ids(result), rules)
    return _inspected(saved, result, verdicts)


def _inspected(saved: SavedPage, result: Page | Rejected, verdicts: list[Verdict]) -> InspectedPage:
    page = result if isinstance(result, Page) else None
    rejected = f"{result.reason.label}：{result.detail}" if isinstance(result, Rejected) else ""
    return InspectedPage(
        path=saved.path,
        media=saved.media,
        charset=(result.charset if page is None else page.charset) or "",
        url=page.url if page else saved.url,
        site=page.site if page else None,
        title=page.title if page else None,
        author=page.author if page else None,
        date=page.date if page else None,
        rejected=rejected,
        answers=tuple(
            InspectedAnswer(
                answer.id,
                answer.question,
                answer.text,
                answer.kind.value,
                tuple(fact.flaw.label for fact in answer.quality),
            )
            for answer in (page.answers if page else ())
        ),
        blocks=tuple(
            InspectedBlock(
                verdict.block.number,
                verdict.block.text,
                verdict.block.tag,
                page is not None and verdict.rule == "" and verdict.part != "其余",
                verdict.part,
                verdict.rule,
            )
            for verdict in verdicts
        ),
    )


def write_inspected(pages: Iterator[InspectedPage], file: Path) -> None:
    """One page a line, as JSON."""
    with open(file, "w", encoding="utf-8") as out:
        for page in pages:
            out.write(json.dumps(asdict(page), ensure_ascii=False) + "\n")


def read_inspected(file: Path) -> Iterator[InspectedPage]:
    """What `write_inspected` wrote. Raises OSError, ValueError, KeyError or TypeError for anything else."""
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            yield _of(json.loads(line))


def _of(record: dict[str, Any]) -> InspectedPage:
    answers = tuple(InspectedAnswer(**{**one, "flaws": tuple(one["flaws"])}) for one in record["answers"])
    blocks = tuple(InspectedBlock(**one) for one in record["blocks"])
    return InspectedPage(**{**record, "answers": answers, "blocks": blocks})
