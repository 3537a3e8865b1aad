"""Tells whether the corpus is its writers' own: no text of elsewhere in it, no answer that repeats another.

    python scripts/check_originality.py [SOURCE.yaml ...] [--against FOLDER ...]

Prints how many topics, pages and distinct answers the source has, the answers that share a run of 20 characters with
another, and the runs of 13 characters that also stand in a file below a folder named with --against (pages of others,
that nothing may be copied from). Exit status 1 when there is such a run, or when 2 % of the answers or more repeat
another. With no file named, the whole of corpus/source is checked.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from page_templates.source import QUESTION_SITES, SourceError, SourcePage, read_source

SOURCE = Path(__file__).resolve().parent.parent / "corpus" / "source"
OWN_CHARS = 20  #: a run this long in two answers is a repetition
FOREIGN_CHARS = 13  #: a run this long of somebody else's is a copy
MAX_REPEATED_SHARE = 0.02
_NOT_TEXT = re.compile(r"[\W_]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description="Check that the corpus repeats neither others nor itself.")
    parser.add_argument("files", nargs="*", type=Path, help="source files to report on; all when none is named")
    parser.add_argument("--against", action="append", default=[], type=Path, help="folder with pages of others")
    options = parser.parse_args(arguments)
    try:
        pages = read_source(SOURCE)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    topics = {file.stem for file in options.files}
    answers = answers_of(pages)
    reported = {key for key in answers if not topics or key.partition(":")[0] in topics}
    repeated = {key: run for key, run in repetitions(answers).items() if key in reported}
    foreign = foreign_runs({key: answers[key] for key in reported}, options.against)
    for key, run in sorted(repeated.items()):
        print(f"{key}: repeats \u201c{run}\u201d")
    for key, run in sorted(foreign.items()):
        print(f"{key}: copies \u201c{run}\u201d")
    in_report = [page for page in pages if not topics or page.file in topics]
    print(
        f"{len({page.topic for page in in_report})} topics, {len(in_report)} pages, {len(reported)} answers; ", end=""
    )
    print(f"{len(repeated)} repeat another, {len(foreign)} copy others.")
    return 1 if foreign or len(repeated) >= MAX_REPEATED_SHARE * len(reported) else 0


def answers_of(pages: Iterable[SourcePage]) -> dict[str, str]:
    """Every text that can be found as an answer, by file, page and place."""
    answers = {}
    for page in pages:
        name = f"{page.file}:{page.id}"
        if page.body:
            answers[name] = "\n".join(block.text for block in page.body)
        if page.site in QUESTION_SITES:
            answers |= {f"{name}/answer {i}": answer.text for i, answer in enumerate(page.answers, start=1)}
        answers |= {f"{name}/related {i}": pair.answer for i, pair in enumerate(page.related, start=1)}
    return answers


def repetitions(answers: dict[str, str]) -> dict[str, str]:
    """The answers that share a run of OWN_CHARS characters with another, each with one such run."""
    holders: dict[str, set[str]] = defaultdict(set)
    for key, text in answers.items():
        for run in runs(text, OWN_CHARS):
            holders[run].add(key)
    return {key: run for run, keys in holders.items() if len(keys) > 1 for key in keys}


def foreign_runs(answers: dict[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """The answers that share a run of FOREIGN_CHARS characters with a file of others, each with one such run."""
    others: set[str] = set()
    for folder in folders:
        for file in sorted(folder.rglob("*.txt")):
            others |= runs(file.read_text(encoding="utf-8", errors="ignore"), FOREIGN_CHARS)
    shared = {key: runs(text, FOREIGN_CHARS) & others for key, text in answers.items()}
    return {key: min(found) for key, found in shared.items() if found}


def runs(text: str, length: int) -> set[str]:
    """Every run of `length` characters of a text; punctuation and space do not count."""
    plain = _NOT_TEXT.sub("", text)
    return {plain[i : i + length] for i in range(len(plain) - length + 1)}


if __name__ == "__main__":
    sys.exit(main())
