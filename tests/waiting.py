"""Waiting for what other processes do: as long as it takes, with an end only for what hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from store_builders import PATIENCE_SECONDS

from indexer import Job, find_job, list_jobs, read_log


def eventually(is_so: Callable[[], object]) -> bool:
    """Whether something becomes so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def ended(job: Job) -> bool:
    """Whether a job goes on no more."""
    return job.status != "running"


def wait_for_job(data: Path, number: int | None = None, until: Callable[[Job], bool] = ended) -> Job:
    """A job, by default the latest, as it is when it has come so far."""
    number = number or list_jobs(data)[0].number
    assert eventually(lambda: until(find_job(data, number))), (find_job(data, number), read_log(data, number))
    return find_job(data, number)
