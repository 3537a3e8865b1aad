"""Saved HTML pages, one a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.read.pages import read_page
from indexer.records import Rejected, SavedPage


def read(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Yield the page."""
    return read_page(file, path, max_bytes, "html")
