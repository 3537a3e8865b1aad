"""Files to saved pages and records, one module a format; saved pages to text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from indexer.errors import CorpusError
from indexer.read import html, jsonl, txt, warc
from indexer.read.pages import text_of
from indexer.records import Page, RawPage, Rejected, SavedPage
from indexer.verdicts import Reason

__all__ = ["READERS", "decoded_page", "find_files", "read_file"]

#: A reader takes a file, its path in the corpus and the size limit in bytes; it never raises for what the file holds.
Reader = Callable[[Path, str, int], Iterator[SavedPage | Rejected]]

READERS: Mapping[str, Reader] = {
    ".html": html.read,
    ".htm": html.read,
    ".txt": txt.read,
    ".warc": warc.read,
    ".warc.gz": warc.read,
    ".jsonl": jsonl.read,
    ".jsonl.gz": jsonl.read,
}


def reader_for(file: Path) -> Reader | None:
    """The reader for a file's name; None when we do not read such files."""
    return reader_for_name(file.name)


def reader_for_name(name: str) -> Reader | None:
    """The same for a file that is not there yet."""
    name = name.lower()
    return next((reader for ending, reader in READERS.items() if name.endswith(ending)), None)


def find_files(paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """All readable files at or below `paths`, each with its path relative to the one given, sorted by it.

    Hidden files and folders are passed over. Raises CorpusError for a path that is not there.
    """
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_file():
            found.append((path, _readable(Path(path.name))))
        elif path.is_dir():
            inside = (file for file in path.rglob("*") if (file.is_file() or file.is_symlink()) and reader_for(file))
            relative = ((file, file.relative_to(path)) for file in inside)
            visible = ((file, rel) for file, rel in relative if not any(part.startswith(".") for part in rel.parts))
            found.extend(sorted(((file, _readable(rel)) for file, rel in visible), key=lambda pair: pair[1]))
        else:
            raise CorpusError(f"找不到 {path}；请检查路径。")
    return found


def read_file(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Pages and records of one file; a file of a kind that we do not read is rejected."""
    reader = reader_for(file)
    if reader is None:
        return iter([Rejected(path, Reason.UNREADABLE, f"不支持的文件类型；可读的有 {'、'.join(READERS)}。")])
    return reader(file, path, max_bytes)


def decoded_page(saved: SavedPage) -> RawPage | Page | Rejected:
    """A page's text, a record as the page that it is, or why there is none that people can read."""
    return jsonl.page_of(saved) if saved.media == "record" else text_of(saved)


def _readable(path: Path) -> str:
    """A path as text; a name that is no UTF-8 is read as GB18030, in which old archives name their files."""
    name = os.fsencode(path.as_posix())
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("gb18030", "replace")
