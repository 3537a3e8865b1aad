"""Makes the raw pages of the demonstration corpus from its source.

    python scripts/make_corpus.py            write corpus/raw/ and corpus/labels.jsonl
    python scripts/make_corpus.py --check    write nothing; exit 1 if what is there is not what would be written

The same source always gives the same bytes. Files under corpus/raw/ that no source makes are removed.
corpus/labels.jsonl holds, for each raw page, what extraction should find in it, and which of its answers are dirt that
corpus/dirt.yaml put there: copies, stock answers, spun and masked text.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from page_templates.dirt import with_dirt
from page_templates.html_pages import render_html
from page_templates.labels import label_of, path_of, rejected_label_of
from page_templates.layout_dumps import render_dump
from page_templates.rejected import rejected_pages
from page_templates.source import DUMP_SITES, HOSTS, SourceError, SourcePage, read_source

DEFAULT_CORPUS = Path(__file__).resolve().parent.parent / "corpus"
LABELS = "labels.jsonl"
DIRT = "dirt.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the raw pages of the demonstration corpus from its source.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the raw pages are out of date")
    parser.add_argument("--corpus", type=Path, default=DEFAULT_CORPUS, help="folder that holds source/ and raw/")
    options = parser.parse_args(arguments)
    try:
        planned = plan(options.corpus / "source")
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        difference = first_difference(options.corpus, planned)
        if difference:
            print(f"{difference} Run python scripts/make_corpus.py.", file=sys.stderr)
        return 1 if difference else 0
    written, removed = write(options.corpus, planned)
    print(f"{len(planned) - 1} raw pages; {written} files written, {removed} removed.", file=sys.stderr)
    return 0


def plan(source: Path) -> dict[str, bytes]:
    """Every file that should be there, by its path inside the corpus folder."""
    files: dict[str, bytes] = {}
    labels = []
    rejected_ones = rejected_pages()
    pages = with_dirt(read_source(source, {page.id for page in rejected_ones}), source.parent / DIRT)
    for page in pages:
        path = path_of(page)
        files[path] = raw_bytes(page)
        labels.append(label_of(page, path))
    for rejected in rejected_ones:
        path = f"raw/{HOSTS[rejected.site]}/{rejected.id}{rejected.suffix}"
        files[path] = rejected.text.encode(rejected.codec)
        labels.append(rejected_label_of(rejected, path))
    labels.sort(key=lambda label: label["path"])
    files[LABELS] = "".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels).encode()
    return files


def raw_bytes(page: SourcePage) -> bytes:
    """The page as it would have been scraped."""
    return render_dump(page).encode() if page.site in DUMP_SITES else render_html(page)


def first_difference(corpus: Path, planned: Mapping[str, bytes]) -> str | None:
    """A sentence about the first file that is not as planned, raw pages before labels; None when all are."""
    for path in sorted(set(planned) | set(_present(corpus)), key=lambda path: (path == LABELS, path)):
        file = corpus / path
        if path not in planned:
            return f"{file} is superfluous: no source makes it."
        if not file.is_file():
            return f"{file} is missing."
        if file.read_bytes() != planned[path]:
            return f"{file} differs from what its source makes."
    return None


def write(corpus: Path, planned: Mapping[str, bytes]) -> tuple[int, int]:
    """Writes what differs and removes what is not planned; returns how many files of each."""
    superfluous = [corpus / path for path in _present(corpus) if path not in planned]
    for file in superfluous:
        file.unlink()
    written = 0
    for path, content in planned.items():
        file = corpus / path
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            written += 1
    return written, len(superfluous)


def _present(corpus: Path) -> list[str]:
    """The raw files that are there now, by their paths inside the corpus folder; hidden files are nobody's business."""
    files = (path for path in (corpus / "raw").rglob("*") if path.is_file() and not path.name.startswith("."))
    return [file.relative_to(corpus).as_posix() for file in files]


if __name__ == "__main__":
    sys.exit(main())
