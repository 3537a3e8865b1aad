"""What a build has read: cleaned pages and the facts by which they are compared, in files, kept for the next update.

cache/collected/<generation>/
    pages.pickle   cleaned pages and rejections, one after another
    facts.bin      dedupe.FACTS of each answer
    index.pickle   where these lie, by the key of the bytes they were made of; what comparing found
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from indexer.dedupe import FACTS, Copies, Facts, copy_facts, find_copies, with_copies
from indexer.records import Page, Rejected
from indexer.repetition import LineCounter, RepeatedLines, line_digests
from indexer.verdicts import Flaw, Reason

KEY_BYTES = 16
_REASONS, _FLAWS = tuple(Reason), tuple(Flaw)  # nothing else reads what refers to places in them
_FOLDER = "collected"
_PAGES, _FACTS, _INDEX = "pages.pickle", "facts.bin", "index.pickle"


class Texts:
    """A list of texts that takes their bytes and eight more each; None is a text of its own."""

    _NONE = b"\xff"  # never UTF-8

    def __init__(self, texts: Iterable[str | None] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        for text in texts:
            self.append(text)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str | None:
        found = self._bytes[self._ends[number] : self._ends[number + 1]]
        return None if found == self._NONE else found.decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str | None]:
        return map(self.__getitem__, range(len(self)))

    def append(self, text: str | None) -> None:
        """Add a text."""
        self._bytes += self._NONE if text is None else text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    def extend(self, other: Texts, which: range) -> None:
        """Add some texts of another list."""
        first, last = other._ends[which.start], other._ends[which.stop]
        shift = len(self._bytes) - first
        self._bytes += other._bytes[first:last]
        self._ends.extend(other._ends[number + 1] + shift for number in which)


@dataclass
class _Index:
    """Of every page in order, what is needed without reading it."""

    keys: bytearray = field(default_factory=bytearray)  #: KEY_BYTES each; zeros where it must be cleaned again
    paths: Texts = field(default_factory=Texts)
    reasons: bytearray = field(default_factory=bytearray)  #: 0 for a page that was kept, else 1 + its place in Reason
    lines: list[bytes | None] = field(default_factory=list)  #: digests of its lines; None for records and rejections
    offsets: array[int] = field(default_factory=lambda: array("Q", [0]))  #: in pages.pickle; one more than pages
    answers: array[int] = field(default_factory=lambda: array("Q", [0]))  #: first answer of each; one more than pages
    # of every answer
    ids: Texts = field(default_factory=Texts)
    urls: Texts = field(default_factory=Texts)
    questions: Texts = field(default_factory=Texts)
    flaws: bytearray = field(default_factory=bytearray)  #: that cleaning found in it, a bit for each place in Flaw

    def add(self, key: bytes, item: Page | Rejected, size: int) -> None:
        """Append a page or rejection that takes so many bytes."""
        answers = item.answers if isinstance(item, Page) else ()
        self.keys += key or bytes(KEY_BYTES)
        self.paths.append(item.path)
        self.reasons.append(1 + _REASONS.index(item.reason) if isinstance(item, Rejected) else 0)
        self.lines.append(line_digests(item) if isinstance(item, Page) and not item.is_record else None)
        self.offsets.append(self.offsets[-1] + size)
        self.answers.append(self.answers[-1] + len(answers))
        for answer in answers:
            self.ids.append(answer.id)
            self.urls.append(answer.url)
            self.questions.append(answer.question)
            self.flaws.append(sum(1 << _FLAWS.index(fact.flaw) for fact in answer.quality))

    def take_over(self, other: _Index, page: int) -> None:
        """Append a page of another index."""
        one, answers = range(page, page + 1), range(other.answers[page], other.answers[page + 1])
        self.keys += other.keys[KEY_BYTES * page : KEY_BYTES * (page + 1)]
        self.paths.extend(other.paths, one)
        self.reasons.append(other.reasons[page])
        self.lines.append(other.lines[page])
        self.offsets.append(self.offsets[-1] + other.offsets[page + 1] - other.offsets[page])
        self.answers.append(self.answers[-1] + len(answers))
        self.ids.extend(other.ids, answers)
        self.urls.extend(other.urls, answers)
        self.questions.extend(other.questions, answers)
        self.flaws += other.flaws[answers.start : answers.stop]


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

    @property
    def answer_count(self) -> int:
        """How many answers the pages have together."""
        return len(self.index.ids)

    @cached_property
    def numbers(self) -> dict[bytes, int]:
        """Of each page that may be used again, its number by its key."""
        keys = (bytes(self.index.keys[at : at + KEY_BYTES]) for at in range(0, len(self.index.keys), KEY_BYTES))
        return {key: number for number, key in enumerate(keys) if any(key)}

    def facts(self) -> Facts:
        """Of all answers; mapped as long as it is held."""
        return _facts(self.folder)

    def raw(self, number: int) -> bytes:
        """One page, pickled."""
        start, end = self.index.offsets[number], self.index.offsets[number + 1]
        return os.pread(self._files[_PAGES].fileno(), end - start, start)

    def raw_facts(self, number: int) -> bytes:
        """The facts of the answers of one page."""
        answers = self.answers_of(number)
        return os.pread(self._files[_FACTS].fileno(), len(answers) * FACTS.itemsize, answers.start * FACTS.itemsize)

    @cached_property
    def _files(self) -> dict[str, IO[bytes]]:
        return {name: open(self.folder / name, "rb") for name in (_PAGES, _FACTS)}

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
        for found in self.index.flaws:
            yield from (flaw for place, flaw in enumerate(_FLAWS) if found >> place & 1)
        yield from (Flaw.COPY for _ in copies.originals)
        stock = np.fromiter(copies.stock, np.uint64, len(copies.stock))
        yield from (Flaw.STOCK_ANSWER for _ in range(int(np.isin(self.facts()["text"], stock).sum())))

    def reasons(self) -> Iterator[Reason | None]:
        """Of each page why it was rejected; None for one that was kept."""
        return (_REASONS[reason - 1] if reason else None for reason in self.index.reasons)

    def rejected(self) -> Iterator[Rejected]:
        """The rejections among them."""
        for number, reason in enumerate(self.reasons()):
            if reason is not None:
                item = self.page(number)
                assert isinstance(item, Rejected)
                yield item

    def path_of(self, number: int) -> str:
        """Path of a page."""
        return self.index.paths[number] or ""

    def ids_of(self, number: int) -> list[str]:
        """Ids of the answers of a page."""
        return [self.index.ids[answer] or "" for answer in self.answers_of(number)]

    def ids_and_urls(self, number: int) -> list[tuple[str, str | None]]:
        """Of the answers of a page."""
        return [(self.index.ids[answer] or "", self.index.urls[answer]) for answer in self.answers_of(number)]

    def questions(self) -> Iterator[str]:
        """Of all answers but copies."""
        copies = self.comparison.copies.originals
        asked = zip(self.index.ids, self.index.questions, strict=True)
        return (question for id_, question in asked if question and id_ not in copies)

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
        pickled = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        facts = b"".join(map(copy_facts, item.answers)) if isinstance(item, Page) else b""
        self._index.add(key, item, len(pickled))
        self._write(pickled, facts, -1)

    def take_over(self, other: Collected, number: int) -> None:
        """Take a page as another build cleaned it."""
        self._index.take_over(other.index, number)
        self._write(other.raw(number), other.raw_facts(number), number)

    def finish(self) -> Collected:
        """Compare all that was taken."""
        self._pages.close()
        self._facts.close()
        comparison = Comparison(self._lines.repeated(), find_copies(self._index.ids, _facts(self._folder)))
        with open(self._folder / _INDEX, "wb") as out:
            pickle.dump((self._index, comparison), out, pickle.HIGHEST_PROTOCOL)
        return Collected(self._folder, self._index, comparison, self._taken_from)

    def _write(self, pickled: bytes, facts: bytes, taken_from: int) -> None:
        self._pages.write(pickled)
        self._facts.write(facts)
        self._taken_from.append(taken_from)
        if (lines := self._index.lines[-1]) is not None:
            self._lines.add_digests(lines)


def keep_collected(collected: Collected, cache: Path, name: str, served: str | None) -> dict[str, str]:
    """Move what a build collected to the cache, under its generation's name; what the served one's collected stays,
    all else goes. Gives the SHA-256 of each file.
    """
    digests = {}
    for file in (_PAGES, _FACTS, _INDEX):
        with open(collected.folder / file, "rb") as content:
            digests[file] = hashlib.file_digest(content, "sha256").hexdigest()
    kept = cache / _FOLDER
    kept.mkdir(parents=True, exist_ok=True)
    for outdated in kept.iterdir():
        if outdated.name != served:
            shutil.rmtree(outdated, ignore_errors=True)
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
