"""What a build has read: cleaned pages and the facts by which they are compared, in files, kept for the next update.

cache/collected/<generation>/
    pages.pickle   cleaned pages and rejections, one after another
    facts.bin      dedupe.FACTS of each answer
    index.pickle   where these lie, by the key of the bytes they were made of; what comparing found
"""

from __future__ import annotations

import hashlib
import mmap
import pickle
import shutil
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from indexer.dedupe import FACTS, Copies, Facts, copy_facts, find_copies, with_copies
from indexer.records import Flaw, Page, Reason, Rejected
from indexer.repetition import LineCounter, RepeatedLines, line_digests

_FOLDER = "collected"
_PAGES, _FACTS, _INDEX = "pages.pickle", "facts.bin", "index.pickle"


@dataclass
class _Index:
    """Of every page in order, what is needed without reading it."""

    keys: list[bytes] = field(default_factory=list)  #: b"" where the page must be cleaned again
    paths: list[str] = field(default_factory=list)
    reasons: list[Reason | None] = field(default_factory=list)  #: None for a page that was kept
    lines: list[bytes | None] = field(default_factory=list)  #: digests of its lines; None for records and rejections
    offsets: array[int] = field(default_factory=lambda: array("Q", [0]))  #: in pages.pickle; one more than pages
    answers: array[int] = field(default_factory=lambda: array("Q", [0]))  #: first answer of each; one more than pages
    # of every answer
    ids: list[str] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    flaws: list[tuple[Flaw, ...]] = field(default_factory=list)  #: that cleaning found in it

    def extend(self, other: _Index, pages: range) -> None:
        """Append some pages of another index."""
        answers = slice(other.answers[pages.start], other.answers[pages.stop])
        for name in ("keys", "paths", "reasons", "lines"):
            getattr(self, name).extend(getattr(other, name)[pages.start : pages.stop])
        for name in ("ids", "urls", "questions", "flaws"):
            getattr(self, name).extend(getattr(other, name)[answers])
        for name in ("offsets", "answers"):
            mine, theirs = getattr(self, name), getattr(other, name)
            for number in pages:
                mine.append(mine[-1] + theirs[number + 1] - theirs[number])


@dataclass(frozen=True)
class Comparison:
    """What only all pages together show."""

    repeated: RepeatedLines
    copies: Copies


class Collected:
    """The pages of a build, as they were cleaned."""

    def __init__(self, folder: Path, index: _Index, comparison: Comparison, taken_from: Sequence[int] = ()) -> None:
        self.folder = folder
        self.index = index
        self.comparison = comparison
        #: number of each page in the collection that it was taken over from; -1 for one that was cleaned
        self.taken_from = taken_from

    @property
    def reused(self) -> int:
        """How many pages were taken over."""
        return sum(number >= 0 for number in self.taken_from)

    def __len__(self) -> int:
        return len(self.index.keys)

    @cached_property
    def numbers(self) -> dict[bytes, int]:
        """Of each page that may be used again, its number by its key."""
        return {key: number for number, key in enumerate(self.index.keys) if key}

    @cached_property
    def facts(self) -> Facts:
        """Of all answers."""
        return _facts(self.folder)

    @cached_property
    def _pickled(self) -> mmap.mmap:
        with open(self.folder / _PAGES, "rb") as pages:
            return mmap.mmap(pages.fileno(), 0, access=mmap.ACCESS_READ)

    def raw(self, number: int) -> bytes:
        """One page, pickled."""
        return self._pickled[self.index.offsets[number] : self.index.offsets[number + 1]]

    def page(self, number: int) -> Page | Rejected:
        """One page, before comparing."""
        item: Page | Rejected = pickle.loads(self.raw(number))
        return item

    def compared(self, number: int) -> Page | Rejected:
        """One page with what comparing found: without the lines that its site repeats, copies marked."""
        found = self.comparison
        [item] = with_copies(found.repeated.strip([self.page(number)]), found.copies)
        return item

    def flaws(self) -> Iterator[Flaw]:
        """All flaws of all answers, with those that comparing found."""
        copies = self.comparison.copies
        for number, (id_, found) in enumerate(zip(self.index.ids, self.index.flaws, strict=True)):
            yield from found
            if id_ in copies.originals:
                yield Flaw.COPY
            if copies.stock and int(self.facts["text"][number]) in copies.stock:
                yield Flaw.STOCK_ANSWER

    def rejected(self) -> Iterator[Rejected]:
        """The rejections among them."""
        for number, reason in enumerate(self.index.reasons):
            if reason is not None:
                item = self.page(number)
                assert isinstance(item, Rejected)
                yield item

    def ids_and_urls(self, number: int) -> list[tuple[str, str | None]]:
        """Of the answers of a page."""
        answers = slice(self.index.answers[number], self.index.answers[number + 1])
        return list(zip(self.index.ids[answers], self.index.urls[answers], strict=True))

    def lines_of(self, number: int) -> Iterator[int]:
        """Digests of the lines of a page, its site's first."""
        return iter(array("Q", self.index.lines[number] or b""))

    def answers_of(self, number: int) -> range:
        """Numbers of the answers of a page."""
        return range(self.index.answers[number], self.index.answers[number + 1])


class Collector:
    """Takes cleaned pages in order."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._index = _Index()
        self._lines = LineCounter()
        self._taken_from: array[int] = array("q")
        self._pages: IO[bytes] = open(folder / _PAGES, "wb")  # noqa: SIM115 - closed by `finish` and `__exit__`
        self._facts: IO[bytes] = open(folder / _FACTS, "wb")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pages.close()
        self._facts.close()

    def add(self, key: bytes, item: Page | Rejected) -> None:
        """Take a page or a rejection; the key under which it may be used again, b"" when it may not."""
        answers = item.answers if isinstance(item, Page) else ()
        pickled = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        one = _Index(
            keys=[key],
            paths=[item.path],
            reasons=[item.reason if isinstance(item, Rejected) else None],
            lines=[line_digests(item) if isinstance(item, Page) and not item.is_record else None],
            offsets=array("Q", [0, len(pickled)]),
            answers=array("Q", [0, len(answers)]),
            ids=[answer.id for answer in answers],
            urls=[answer.url for answer in answers],
            questions=[answer.question for answer in answers],
            flaws=[tuple(fact.flaw for fact in answer.quality) for answer in answers],
        )
        self._take(one, 0, pickled, b"".join(map(copy_facts, answers)))
        self._taken_from.append(-1)

    def take_over(self, other: Collected, number: int) -> None:
        """Take a page as another build cleaned it."""
        answers = other.answers_of(number)
        self._take(other.index, number, other.raw(number), other.facts[answers.start : answers.stop].tobytes())
        self._taken_from.append(number)

    def finish(self) -> Collected:
        """Compare all that was taken."""
        self._pages.close()
        self._facts.close()
        comparison = Comparison(self._lines.repeated(), find_copies(self._index.ids, _facts(self._folder)))
        with open(self._folder / _INDEX, "wb") as out:
            pickle.dump((self._index, comparison), out, pickle.HIGHEST_PROTOCOL)
        return Collected(self._folder, self._index, comparison, self._taken_from)

    def _take(self, index: _Index, number: int, pickled: bytes, facts: bytes) -> None:
        self._pages.write(pickled)
        self._facts.write(facts)
        if (lines := index.lines[number]) is not None:
            self._lines.add_digests(lines)
        self._index.extend(index, range(number, number + 1))


def keep_collected(collected: Collected, cache: Path, name: str) -> dict[str, str]:
    """Move what a build collected to the cache, under its generation's name; what the one before left stays, what is
    older goes. Gives the SHA-256 of each file.
    """
    digests = {}
    for file in (_PAGES, _FACTS, _INDEX):
        with open(collected.folder / file, "rb") as content:
            digests[file] = hashlib.file_digest(content, "sha256").hexdigest()
    kept = cache / _FOLDER
    kept.mkdir(parents=True, exist_ok=True)
    for outdated in sorted(kept.iterdir())[:-1]:
        shutil.rmtree(outdated, ignore_errors=True)
    shutil.rmtree(kept / name, ignore_errors=True)
    shutil.move(collected.folder, kept / name)
    return digests


def open_collected(cache: Path, name: str, digests: Mapping[str, str]) -> Collected | None:
    """What the build of a generation collected; None when it is not there, or not as it was left: it is unpickled, so
    that whoever could change it could run code.
    """
    folder = cache / _FOLDER / name
    try:
        for file in (_PAGES, _FACTS, _INDEX):
            with open(folder / file, "rb") as content:
                if hashlib.file_digest(content, "sha256").hexdigest() != digests.get(file):
                    return None
        with open(folder / _INDEX, "rb") as content:
            index, comparison = pickle.load(content)
    except (OSError, ImportError, AttributeError):
        return None
    return Collected(folder, index, comparison)


def _facts(folder: Path) -> Facts:
    file = folder / _FACTS
    return np.memmap(file, FACTS, "r") if file.stat().st_size else np.empty(0, FACTS)
