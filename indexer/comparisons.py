"""Comparing two generations as a job, for the desk; what came of it stays in the cache: it takes up to a minute."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.errors import GenerationMissing
from indexer.jobs import Job, Outcome
from indexer.quality_gate.difference import compare_generations
from indexer.settings import load_settings
from indexer.store import generations

FOLDER = "comparisons"
#: so much of each list is kept
_SHOWN = 50
_CONTEXT_CHARS = 60
_EXCERPT_CHARS = 400


def subject_of(before: str, after: str) -> str:
    """What a job that compares these two works on."""
    return f"{before} {after}"


def read_comparison(data: Path, before: str, after: str) -> Mapping[str, Any] | None:
    """What two generations differ in, as `yiwen compare --json` prints it with longer excerpts, and `compared` (when;
    UTC). None when they have not been compared yet, or are other ones of the same names by now.

    Raises GenerationMissing, GenerationDamaged when one of them cannot be had.
    """
    fingerprints = _fingerprints(data, before, after)
    try:
        found = json.loads(_file(data, before, after).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("fingerprints") == fingerprints else None


def forget_comparison(data: Path, before: str, after: str) -> None:
    """Remove what came of a comparison, so that it is made again."""
    if read_comparison(data, before, after) is not None:
        _file(data, before, after).unlink(missing_ok=True)


def base_of(data: Path, generation: str) -> str | None:
    """What a generation is best compared with: the one that is served, else its parent; None for a first one.

    Raises GenerationMissing, GenerationDamaged.
    """
    parent = generations.open_manifest(data, generation).parent
    with suppress(GenerationMissing):
        if (served := generations.current(data)) != generation:
            return served
    return parent


def run(data: Path, job: Job, progress: Callable[[int, int], None]) -> Outcome:
    """The job of that kind; its subject names both generations."""
    before, _, after = job.subject.partition(" ")
    progress(0, 1)
    fingerprints = _fingerprints(data, before, after)
    settings = load_settings({"data": data})
    found = compare_generations(data, after, before, settings, _SHOWN, _EXCERPT_CHARS, _CONTEXT_CHARS)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _write(_file(data, before, after), {**found.as_dict(), "compared": now, "fingerprints": fingerprints})
    _clear(data)
    changes = (found.added.count, found.removed.count, found.text_changed.count)
    return Outcome("从 {} 到 {}：答案多出 {} 条，减少 {} 条，改动 {} 条。".format(before, after, *changes))


def _fingerprints(data: Path, *names: str) -> list[str]:
    return [generations.open_manifest(data, name).fingerprint for name in names]


def _file(data: Path, before: str, after: str) -> Path:
    """The names are those of generations that were opened, so that they lead nowhere else."""
    return data / "cache" / FOLDER / f"{before}-{after}.json"


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}.partial")
    try:
        draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, file)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _clear(data: Path) -> None:
    """Remove comparisons with generations that are no more."""
    there = set(generations.list_generations(data))
    for file in (data / "cache" / FOLDER).glob("*.json"):
        names = {f"gen-{part}" for part in file.stem.removeprefix("gen-").split("-gen-")}
        if not names <= there:
            file.unlink(missing_ok=True)
