"""What a generation's pages are, from `pages.jsonl` and `rejected.jsonl`: counts by site, and a sample of the texts."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from indexer.errors import GenerationDamaged
from indexer.quality_gate.bounds import Bounds
from indexer.records import collected_path, host_of
from indexer.verdicts import Flaw, Reason

PAGES, REJECTED = "pages.jsonl", "rejected.jsonl"
#: of files that could not be read to their end
UNREADABLE = frozenset({Reason.UNREADABLE, Reason.CRASHED, Reason.TOO_SLOW})
_DIGEST_BYTES = 8
_Stored = TypeVar("_Stored")
_MIN_OF_SITE = 5


class StoredFlaw(msgspec.Struct):
    """A flaw of an answer, by its name."""

    flaw: str


class StoredRemoved(msgspec.Struct):
    """A block that was taken out."""

    reason: str
    text: str


class StoredAnswer(msgspec.Struct):
    """What the gate looks at of an answer."""

    id: str
    question: str
    text: str
    site: str | None = None
    url: str | None = None
    copy_of: str | None = None
    quality: list[StoredFlaw] = []


class StoredPage(msgspec.Struct):
    """What it looks at of a page."""

    path: str
    text: str
    title: str | None = None
    site: str | None = None
    url: str | None = None
    is_record: bool = False
    removed: list[StoredRemoved] = []
    answers: list[StoredAnswer] = []

    @property
    def named_site(self) -> str:
        """Its site; where it has none, the folder or archive that it lies in."""
        of_answer = self.answers[0].site if self.answers else None
        return self.site or host_of(self.url) or of_answer or place_of(self.path)


class StoredRejected(msgspec.Struct):
    """A page that was not taken in."""

    path: str
    reason: str


class Sampled(msgspec.Struct):
    """An answer that is read."""

    digest: int
    id: str
    question: str
    text: str
    hosts: frozenset[str]  #: that are its own
    is_record: bool

    def __lt__(self, other: Sampled) -> bool:
        return self.digest > other.digest  # the largest digest is the first to leave a heap


@dataclass
class SiteFacts:
    """Counts of one site; filled while pages are read, then left alone."""

    pages: int = 0
    answers: int = 0
    taken_down: int = 0  #: answers and pages that were taken down on purpose
    cut_off: int = 0
    copies: int = 0
    scraped: int = 0  #: pages that are no records
    kept_chars: int = 0  #: of scraped pages
    removed_chars: int = 0

    @property
    def removed_share(self) -> float:
        """Of the text of its scraped pages, 0 to 1."""
        return self.removed_chars / max(self.removed_chars + self.kept_chars, 1)

    @property
    def chars_a_page(self) -> float:
        """That are kept of a scraped page."""
        return self.kept_chars / max(self.scraped, 1)


@dataclass
class PageFacts:
    """Of a generation."""

    sites: dict[str, SiteFacts] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)  #: pages by reason
    doubled: int = 0  #: pages whose whole text an earlier page has
    doubled_examples: list[tuple[str, str]] = field(default_factory=list)
    pages_of_file: Counter[str] = field(default_factory=Counter)  #: of files that hold several
    unreadable_files: list[str] = field(default_factory=list)
    taken_down_paths: list[str] = field(default_factory=list)
    sites_of_paths: dict[str, str] = field(default_factory=dict)  #: of the paths that were asked for
    ids: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))  #: digests, ascending
    sample: dict[str, list[Sampled]] = field(default_factory=dict)  #: by site, in the order of their digests

    @property
    def pages(self) -> int:
        """That were taken in."""
        return sum(site.pages for site in self.sites.values())

    @property
    def answers(self) -> int:
        """That were taken in."""
        return sum(site.answers for site in self.sites.values())

    @property
    def read(self) -> int:
        """Pages taken in and rejected."""
        return self.pages + self.rejected.total()

    @property
    def copies(self) -> int:
        """Answers that copy another."""
        return sum(site.copies for site in self.sites.values())

    def has(self, id_: str) -> bool:
        """Whether an answer of this id is in it."""
        digest = digest_of(id_)
        place = int(np.searchsorted(self.ids, np.uint64(digest)))
        return place < len(self.ids) and int(self.ids[place]) == digest


def place_of(path: str) -> str:
    """The first folder of a path; of a page at the top, its archive, else the corpus itself."""
    path = collected_path(path)
    folder, slash, _ = path.partition("/")
    if slash:
        return folder
    file, colon, _ = path.partition(":")
    return file if colon else "（语料目录）"


def digest_of(text: str) -> int:
    """64 bits that stand for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest())


def stored_pages(folder: Path) -> Iterator[StoredPage]:
    """The pages of a generation's folder. Raises GenerationDamaged."""
    return stored_lines(folder / PAGES, StoredPage)


def stored_rejected(folder: Path) -> Iterator[StoredRejected]:
    """Its rejections. Raises GenerationDamaged."""
    return stored_lines(folder / REJECTED, StoredRejected)


def stored_lines(file: Path, kind: type[_Stored]) -> Iterator[_Stored]:
    """The lines of a generation's file, each as a `kind`. Raises GenerationDamaged."""
    decoder = msgspec.json.Decoder(kind)
    try:
        with open(file, "rb") as lines:
            for line in lines:
                yield decoder.decode(line)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GenerationDamaged(
            f"索引 {file.parent.name} 的文件 {file.name} 读不出来（{type(error).__name__}）；请用 yiwen build 重建。"
        ) from error


def page_facts(folder: Path, bounds: Bounds, wanted: Collection[str] = ()) -> PageFacts:
    """Read both files once. `wanted`: paths of which the site is noted. Raises GenerationDamaged."""
    facts = PageFacts()
    seen: dict[int, str] = {}
    ids: list[int] = []
    places: Counter[tuple[str, str]] = Counter()
    for page in stored_pages(folder):
        name = page.named_site
        site = facts.sites.setdefault(name, SiteFacts())
        _count_page(site, page)
        places[place_of(page.path), name] += 1
        if (file := page.path.partition(":"))[1]:
            facts.pages_of_file[file[0]] += 1
        if page.path in wanted:
            facts.sites_of_paths[page.path] = name
        if not page.is_record:
            first = seen.setdefault(digest_of(f"{page.title}\n{page.text}"), page.path)
            if first != page.path:
                facts.doubled += 1
                if len(facts.doubled_examples) < _MIN_OF_SITE:
                    facts.doubled_examples.append((first, page.path))
        heap = facts.sample.setdefault(name, [])
        size = max(_MIN_OF_SITE, min(bounds.answers_of_site_sample, bounds.answers_sample // len(facts.sites)))
        for answer in page.answers:
            digest = digest_of(answer.id)
            ids.append(digest)
            _offer(heap, size, page, answer, digest)
    _count_rejected(facts, folder, places)
    facts.ids = np.sort(np.array(ids, np.uint64))
    size = max(_MIN_OF_SITE, min(bounds.answers_of_site_sample, bounds.answers_sample // max(len(facts.sites), 1)))
    facts.sample = {name: sorted(heap, reverse=True)[:size] for name, heap in facts.sample.items()}
    return facts


def _count_page(site: SiteFacts, page: StoredPage) -> None:
    site.pages += 1
    site.answers += len(page.answers)
    for answer in page.answers:
        site.cut_off += any(fact.flaw == Flaw.CUT_OFF for fact in answer.quality)
        site.copies += answer.copy_of is not None
    if not page.is_record:
        site.scraped += 1
        site.kept_chars += len(page.text)
        site.removed_chars += sum(len(block.text) for block in page.removed)


def _offer(heap: list[Sampled], size: int, page: StoredPage, answer: StoredAnswer, digest: int) -> None:
    """Keep the answers with the smallest digests: mostly the same ones in both generations."""
    if len(heap) >= size and digest > heap[0].digest:
        return
    named = (page.site, answer.site, host_of(page.url), host_of(answer.url), place_of(page.path))
    hosts = frozenset(host for host in named if host)
    heapq.heappush(heap, Sampled(digest, answer.id, answer.question, answer.text, hosts, page.is_record))
    while len(heap) > size:
        heapq.heappop(heap)


def _count_rejected(facts: PageFacts, folder: Path, places: Mapping[tuple[str, str], int]) -> None:
    sites = {place: name for (place, name), _ in sorted(places.items(), key=lambda found: found[1])}
    for page in stored_rejected(folder):
        facts.rejected[page.reason] += 1
        if page.reason in UNREADABLE:
            facts.unreadable_files.append(page.path.partition(":")[0])
        if page.reason == Reason.TAKEN_DOWN:
            facts.taken_down_paths.append(page.path)
        facts.sites.setdefault(sites.get(place_of(page.path), place_of(page.path)), SiteFacts())
