"""Lines that a site repeats on page after page, inside its answers: slogans, invitations, closing words.

No single page shows that they are no part of what it says; the site does.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from indexer.records import Answer, Page, Rejected, RemovedBlock
from indexer.verdicts import Reason

_MIN_LINE_CHARS = 12  # shorter ones are headings: 发病原因
_MIN_PAGES = 5
_MIN_SHARE = 0.02  # of a site's pages
_MAX_ANSWER_SHARE = 0.3  # an answer that is mostly such lines is a copy of another answer, and dedupe.py's matter


@dataclass(frozen=True)
class RepeatedLines:
    """Digests of the lines that sites repeat."""

    digests: frozenset[int]

    def strip(self, items: Iterable[Page | Rejected]) -> Iterator[Page | Rejected]:
        """The pages without these lines; records stay as they are."""
        return (self._stripped(item) if isinstance(item, Page) and not item.is_record else item for item in items)

    def _stripped(self, page: Page) -> Page:
        removed: list[RemovedBlock] = []
        kept = frozenset(block.text for block in page.kept)
        answers = tuple(self._without(answer, removed, kept) for answer in page.answers)
        if not removed:
            return page
        gone = {piece.text for piece in removed}
        text = "\n".join(line for line in page.text.split("\n") if line not in gone)
        return replace(page, text=text, answers=answers, removed=(*page.removed, *removed))

    def _without(self, answer: Answer, removed: list[RemovedBlock], kept: frozenset[str]) -> Answer:
        lines = answer.text.split("\n")
        repeated = [line for line in lines if line not in kept and _digest(answer.site, line) in self.digests]
        if not repeated or sum(map(len, repeated)) > _MAX_ANSWER_SHARE * len(answer.text):
            return answer
        removed.extend(RemovedBlock(Reason.REPEATED, line) for line in repeated)
        return replace(answer, text="\n".join(line for line in lines if line not in repeated))


def line_digests(page: Page) -> bytes:
    """What `LineCounter` needs of a page: digests of its site and of each different line, 8 bytes each."""
    lines = {line for answer in page.answers for line in answer.text.split("\n") if len(line) >= _MIN_LINE_CHARS}
    return array("Q", [_digest(page.site, ""), *sorted(_digest(page.site, line) for line in lines)]).tobytes()


class LineCounter:
    """Takes pages one by one, then tells which lines their sites repeat."""

    def __init__(self) -> None:
        self._lines, self._sites = array("Q"), array("Q")
        self._pages: Counter[int] = Counter()

    def add(self, page: Page) -> None:
        """Take one page; a line counts once on each."""
        self.add_digests(line_digests(page))

    def add_digests(self, digests: bytes) -> None:
        """Take what `line_digests` gives for a page."""
        site, *lines = array("Q", digests)
        self._pages[site] += 1
        self._lines.extend(lines)
        self._sites.extend([site] * len(lines))

    def repeated(self) -> RepeatedLines:
        """Lines on five pages of a site or more, and on 2 % of them."""
        lines, first, pages = np.unique(np.array(self._lines, np.uint64), return_index=True, return_counts=True)
        sites = np.array(self._sites, np.uint64)[first]
        often = pages >= _MIN_PAGES
        found = zip(lines[often].tolist(), sites[often].tolist(), pages[often].tolist(), strict=True)
        return RepeatedLines(frozenset(line for line, site, on in found if on >= _MIN_SHARE * self._pages[site]))


def _digest(site: str | None, line: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{site}\n{line}".encode(), digest_size=8).digest())
