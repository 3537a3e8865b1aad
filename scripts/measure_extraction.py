#!/usr/bin/env python3
"""How well pages are extracted: F1 of the main text, leaks, facts, embedded questions; for any folders of cases.

    scripts/measure_extraction.py tests/cases/sites tests/cases/sites_unseen
    scripts/measure_extraction.py --show tests/cases/sites/forum-with-two-doctors

A case is a folder with `page.html` (or .txt) and `right.json`, as scripts/save_case.py makes them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import click

from indexer.cleaning import clean_page
from indexer.extract import load_site_templates
from indexer.quality import load_quality_rules
from indexer.read import read_file
from indexer.records import Page, Rejected, SavedPage
from indexer.resources import find_resources

FACTS = ("title", "author", "date", "views", "likes", "topic", "author_title", "hospital")


@dataclass(frozen=True)
class Score:
    """One page's marks. Counts are of strings; `facts` says which were right."""

    name: str
    media: str
    keep_right: bool
    kept: bool  #: by the judgement
    f1: float
    leaked: tuple[str, ...]
    leaks: int
    facts: dict[str, bool]
    charset_right: bool
    pairs_found: int
    pairs_right: int
    pairs_wanted: int


def four_grams(text: str) -> Counter[str]:
    """Character 4-grams, white space left out."""
    packed = "".join(text.split())
    return Counter(packed[i : i + 4] for i in range(len(packed) - 3)) or Counter([packed])


def f1(found: str, right: str) -> float:
    """Harmonic mean of precision and recall of the two texts' 4-grams, 0 to 1."""
    ours, theirs = four_grams(found), four_grams(right)
    common = sum((ours & theirs).values())
    return 2 * common / (ours.total() + theirs.total())


def cases_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Folders that hold a page and what is right for it."""
    for folder in folders:
        yield from sorted(file.parent for file in folder.rglob("right.json"))


def extracted(case: Path) -> Page | Rejected:
    """The case's page as the product cleans it."""
    resources = find_resources(None)
    file = next(case.glob("page.*"))
    (saved,) = read_file(file, file.name, 10_000_000)
    assert isinstance(saved, SavedPage), saved
    return clean_page(saved, load_site_templates(resources), load_quality_rules(resources))


def score(case: Path) -> Score:
    """Measure one case."""
    right: dict[str, Any] = json.loads((case / "right.json").read_text(encoding="utf-8"))
    item = extracted(case)
    page = item if isinstance(item, Page) else None
    keep = right.get("keep", True)
    text, wanted = page.text if page else "", "\n".join(right.get("text") or [])
    pairs = {(_packed(p.question), _packed(p.answer)) for p in page.qa_pairs} if page else set()
    wanted_pairs = {(_packed(p["question"]), _packed(p["answer"])) for p in right.get("qa_pairs") or []}
    shown = _packed(text + "".join(question + answer for question, answer in pairs))
    leaks = right.get("leaks") or []
    return Score(
        name=case.name,
        media=next(case.glob("page.*")).suffix[1:],
        keep_right=(page is not None) == keep,
        kept=keep,
        f1=f1(text, wanted) if keep else float(page is None),
        leaked=tuple(leak for leak in leaks if _packed(leak) in shown),
        leaks=len(leaks),
        facts={
            name: (getattr(page, name) if page else None) == right.get(name) for name in FACTS if name in right and keep
        },
        charset_right=_same_charset(item.charset, right.get("encoding")),
        pairs_found=len(pairs),
        pairs_right=len(pairs & wanted_pairs),
        pairs_wanted=len(wanted_pairs),
    )


def _packed(text: str) -> str:
    return "".join(text.split())


def _same_charset(found: str | None, right: str | None) -> bool:
    families = ({"gb2312", "gbk", "gb18030"}, {"big5", "big5hkscs", "big5-hkscs"})
    return found == right or any({found, right} <= family for family in families) or right is None


def summary(scores: list[Score]) -> Iterator[str]:
    """The figures over some pages, in lines."""
    genuine = [s for s in scores if s.kept]
    for media in sorted({s.media for s in genuine}):
        marks = [s.f1 for s in genuine if s.media == media]
        yield f"F1 {media:<12} {sum(marks) / len(marks):.4f}  ({len(marks)} pages)"
    yield f"leaked          {sum(len(s.leaked) for s in genuine)} of {sum(s.leaks for s in genuine)} strings"
    yield f"keep or reject  {sum(s.keep_right for s in scores)} of {len(scores)}"
    yield f"charset         {sum(s.charset_right for s in scores)} of {len(scores)}"
    for name in FACTS:
        judged = [s.facts[name] for s in genuine if name in s.facts]
        if judged:
            yield f"{name:<15} {sum(judged) / len(judged):.4f}"
    found, right, wanted = (sum(getattr(s, f"pairs_{part}") for s in genuine) for part in ("found", "right", "wanted"))
    yield f"Q&A pairs       precision {right / max(found, 1):.4f}  recall {right / max(wanted, 1):.4f}  ({wanted})"


def difference(case: Path) -> Iterator[str]:
    """What is wrong with one case, line by line."""
    right = json.loads((case / "right.json").read_text(encoding="utf-8"))
    item = extracted(case)
    if isinstance(item, Rejected):
        yield f"rejected: {item.reason.value} {item.detail}"
        return
    yield from unified_diff(right.get("text") or [], item.text.split("\n"), "right", "found", n=0, lineterm="")
    for name in FACTS:
        if name in right and right[name] != getattr(item, name):
            yield f"{name}: right {right[name]!r}, found {getattr(item, name)!r}"
    pairs = [f"{pair.question} / {pair.answer}" for pair in item.qa_pairs]
    wanted = [f"{pair['question']} / {pair['answer']}" for pair in right.get("qa_pairs") or []]
    yield from unified_diff(wanted, pairs, "right pairs", "found pairs", n=0, lineterm="")


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--show", is_flag=True, help="print what is wrong with each page")
@click.option("--brief", is_flag=True, help="print the figures only")
def main(folders: tuple[Path, ...], show: bool, brief: bool) -> None:
    """Print a line for each imperfect page, then the figures."""
    scores = []
    for case in cases_below(folders):
        one = score(case)
        scores.append(one)
        wrong = [name for name, is_right in one.facts.items() if not is_right]
        pairs = (one.pairs_right, one.pairs_found, one.pairs_wanted)
        perfect = one.f1 > 0.999 and one.keep_right and not wrong and not one.leaked and len(set(pairs)) == 1
        if not brief and not (perfect and one.charset_right):
            print(f"{one.f1:.3f} {case} keep={one.keep_right} wrong={wrong} pairs={pairs} leaked={one.leaked}")
            if show:
                print(*(f"      {line}" for line in difference(case)), sep="\n")
    print(*summary(scores), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
