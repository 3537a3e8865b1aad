"""Layout dumps: the text of a page, line by line, as a scraper laid it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.read.pages import read_page
from indexer.records import Rejected, SavedPage


def read(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Yield the page."""
    return read_page(file, path, max_bytes, "text")
