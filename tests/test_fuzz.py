"""Pages broken at random: each is extracted or rejected, and nothing is raised."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from indexer.decode import decode
from indexer.extract import extract_page, load_site_templates
from indexer.records import Page, RawPage, Rejected
from indexer.settings import Settings

CORPUS = Path(__file__).parent.parent / "corpus"
TEMPLATES = load_site_templates(CORPUS / "resources")
CASES = Path(__file__).parent / "cases"
PAGES = sorted(
    file
    for file in [*(CORPUS / "raw").rglob("*"), *CASES.glob("sites*/*/page.*")]
    if file.is_file() and 0 < file.stat().st_size < 100_000
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with some cut out, doubled, moved or overwritten."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(data) + 1)
        end = min(start + chance.choice((1, 3, 40, 2000)), len(data))
        piece = chance.choice(
            (b"", data[start:end] * 2, chance.randbytes(end - start), b"<div><table><tr><td>", b"\x00")
        )
        data = data[:start] + piece + data[end:]
    return data


def extract(data: bytes, media: str) -> Page | Rejected | None:
    decoded = decode(data)
    return extract_page(RawPage("page", media, decoded.text, decoded.charset), TEMPLATES) if decoded else None


def run(seed: int, pages: int) -> int:
    """Extract so many broken pages; gives how many of them still held an answer."""
    chance = random.Random(seed)
    kept = 0
    for _ in range(pages):
        file = chance.choice(PAGES)
        started = time.thread_time()
        result = extract(mutated(file.read_bytes(), chance), "html" if file.suffix == ".html" else "text")
        kept += isinstance(result, Page)
        assert time.thread_time() - started < Settings().max_page_seconds
    return kept


def test_some_broken_pages_raise_nothing_and_many_still_answer() -> None:
    assert run(seed=1, pages=150) > 75


@pytest.mark.long
def test_many_broken_pages_raise_nothing_and_many_still_answer() -> None:
    assert run(seed=random.randrange(2**32), pages=20_000) > 10_000
