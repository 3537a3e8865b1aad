#!/usr/bin/env python3
"""From bytes to `Page` on one core: milliseconds a page, beside trafilatura where it is installed; a 5 MB page.

    pip install trafilatura     # the peer, once, into the same environment or none
    scripts/bench_extract.py tests/cases/sites tests/cases/sites_unseen

Both read the same pages in turn, several rounds; the figures are medians of the rounds, so the ratio holds on a noisy
machine too.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from indexer.cleaning import clean_page
from indexer.extract import load_site_templates
from indexer.quality import load_quality_rules
from indexer.records import SavedPage
from indexer.resources import find_resources

_PARAGRAPH = (
    "<div class='a'><p>这一段讲的是怎样处理擦伤，先用清水冲洗，再盖上干净的纱布。<a href='/x'>伤口护理</a></p></div>"
)


def big_page(megabytes: int) -> bytes:
    """One long article of plain paragraphs, each with a link."""
    count = megabytes * 1_000_000 // len(_PARAGRAPH.encode())
    head = "<html><head><meta charset=utf-8><title>擦伤怎么处理</title></head><body><h1>擦伤怎么处理</h1>"
    return (head + _PARAGRAPH * count + "</body></html>").encode()


def seconds(run: Callable[[bytes], object], pages: list[bytes]) -> float:
    """Time for all pages, one after another."""
    started = time.perf_counter()
    for page in pages:
        run(page)
    return time.perf_counter() - started


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--rounds", default=5)
def main(folders: tuple[Path, ...], rounds: int) -> None:
    """Print the figures."""
    resources = find_resources(None)
    templates, rules = load_site_templates(resources), load_quality_rules(resources)
    pages = [file.read_bytes() for folder in folders for file in sorted(folder.rglob("page.html"))]
    runners: dict[str, Callable[[bytes], object]] = {
        "yiwen": lambda data: clean_page(SavedPage("p", "html", data), templates, rules)
    }
    try:
        import trafilatura

        runners["trafilatura"] = lambda data: trafilatura.bare_extraction(data, with_metadata=True)
    except ImportError:
        print("trafilatura is not installed: no comparison", file=sys.stderr)
    for label, batch in ((f"{len(pages)} pages", pages), ("one page of 5 MB", [big_page(5)])):
        times: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(rounds if batch is pages else 1):
            for name, run in runners.items():
                times[name].append(seconds(run, batch))
        for name, measured in times.items():
            print(f"{label:<18} {name:<12} {statistics.median(measured) / len(batch) * 1000:9.1f} ms a page")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (both in this process)")


if __name__ == "__main__":
    main()
