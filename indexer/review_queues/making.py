"""Making the lists of a generation: at once, or as a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexer.jobs import Job, Outcome
from indexer.review_queues.finding import find_items
from indexer.review_queues.item_file import FOLDER, file_of, write_items
from indexer.store import generations


def _untold(done: int, total: int) -> None:
    pass


def make_reviews(data: Path, generation: str, progress: Callable[[int, int], None] = _untold) -> int:
    """List what is to be looked through in a generation, unless that has been done; gives how many items were listed
    now. Lists of generations that are no more are removed.

    Raises GenerationMissing, GenerationDamaged, DiskFault, OSError.
    """
    manifest = generations.open_manifest(data, generation)
    file = file_of(data, manifest)
    if file.is_file():
        return 0
    steps = 2 * manifest.counts.get("pages", 0)
    progress(0, max(steps, 1))
    folder = generations.folder_of(data, generation)
    count = write_items(file, find_items(folder, lambda done: progress(done, max(steps, 1))))
    there = set(generations.list_generations(data))
    for old in (data / "cache" / FOLDER).glob("*.sqlite3"):
        name = old.name[: len(generation)]
        if old != file and (name == generation or name not in there):
            old.unlink(missing_ok=True)
    return count


def run(data: Path, job: Job, progress: Callable[[int, int], None]) -> Outcome:
    """The job of that kind; its subject is a generation."""
    count = make_reviews(data, job.subject, progress)
    return Outcome(f"{job.subject} 的质检清单已整理：{count} 项。")
