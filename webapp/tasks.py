"""Work that a page waits for: started when it is first wanted, and watched as builds are (`desk/progress.html`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from indexer import Job, list_jobs, start_task
from indexer.errors import JobRunning

#: so many of the latest jobs of a kind are looked at
_LATEST = 50
#: ended, and may not be begun again by looking at a page
_NOT_DONE = ("failed", "cancelled", "died")


Made = TypeVar("Made")


def made_or_task(
    read: Callable[[], Made | None], data: Path, kind: str, subject: str, actor: str
) -> tuple[Made | None, Job | None]:
    """What a page shows, as `read` finds it; or None, and the job that makes it as `task_for` has it.

    Raises StateError, JobError, and what `read` raises.
    """
    if (made := read()) is not None:
        return made, None
    jobs = list_jobs(data, _LATEST, kind)
    # A job that ended since the first look has made it, and must not be begun once more for it.
    if (made := read()) is not None:
        return made, None
    return None, _task_for(jobs, data, kind, subject, actor)


def task_for(data: Path, kind: str, subject: str, actor: str, again: bool = False) -> Job:
    """The job that makes what a page shows; begun when nobody has begun it, or `again` after it came to nothing. When
    a job of the kind is busy with something else, that one.

    Raises StateError, JobError.
    """
    return _task_for(list_jobs(data, _LATEST, kind), data, kind, subject, actor, again)


def _task_for(jobs: list[Job], data: Path, kind: str, subject: str, actor: str, again: bool = False) -> Job:
    running = next((job for job in jobs if job.status == "running"), None)
    if running is not None:
        return running
    last = next((job for job in jobs if job.subject == subject), None)
    if last is not None and last.status in _NOT_DONE and not again:
        return last
    try:
        return start_task(data, kind, subject, actor)
    except JobRunning:  # another worker was quicker
        return list_jobs(data, 1, kind)[0]
