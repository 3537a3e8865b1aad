"""Pages of a batch that are there already: the same bytes in another file, the same address or id in what is served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.build import corpus_files
from indexer.errors import CorpusError, GenerationDamaged, GenerationMissing
from indexer.inspected import InspectedPage
from indexer.store import generations

_PAGES = "pages.jsonl"


@dataclass(frozen=True)
class Known:
    """What is there already, as far as a batch could have it too."""

    files: frozenset[str]  #: paths of files of the batch that lie elsewhere, byte for byte
    addresses: frozenset[str]  #: of pages that are served
    ids: frozenset[str]  #: of answers that are served

    def reason(self, page: InspectedPage) -> str:
        """Why a page is known: a key of `listing.KNOWN_LABELS`; "" when it is new."""
        file = page.path.rpartition(":")[0] if page.path.rpartition(":")[2].isdecimal() else page.path
        if page.path in self.files or file in self.files:
            return "bytes"
        if page.url and page.url in self.addresses:
            return "address"
        return "id" if any(answer.id in self.ids for answer in page.answers) else ""


def known_to(data: Path, batch: list[tuple[Path, str]]) -> Known:
    """Look into the corpus of the served generation, the batches that were taken in, and the generation itself."""
    addresses: set[str] = set()
    ids: set[str] = set()
    files: list[tuple[Path, str]] = []
    with suppress(GenerationMissing, GenerationDamaged):
        manifest = generations.open_manifest(data, generations.current(data))
        for address, answers in _served(data / "generations" / manifest.generation / _PAGES):
            addresses.update([address] if address else [])
            ids.update(answers)
        with suppress(CorpusError):  # it may have been moved or deleted since
            files = corpus_files(Path(manifest.corpus), data)
    own = {file.resolve() for file, _ in batch}
    others = [file for file, _ in files if file.resolve() not in own]
    return Known(frozenset(_same_bytes(batch, others)), frozenset(addresses), frozenset(ids))


def _served(file: Path) -> Iterator[tuple[str | None, list[str]]]:
    with suppress(OSError), open(file, encoding="utf-8") as lines:
        for line in lines:
            page = json.loads(line)
            yield page.get("url"), [answer["id"] for answer in page["answers"]]


def _same_bytes(batch: list[tuple[Path, str]], others: Iterable[Path]) -> Iterator[str]:
    """Paths of files that others are equal to; only others of the same size are read."""
    sizes = {file.stat().st_size for file, _ in batch}
    digests = set()
    for other in others:
        with suppress(OSError):
            if other.stat().st_size in sizes:
                digests.add(_digest(other))
    if digests:
        yield from (path for file, path in batch if _digest(file) in digests)


def _digest(file: Path) -> bytes:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").digest()
