"""The task that cleans a batch as a build would, and writes down what became of each page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from indexer.cleaning import Progress, guarded, work_on
from indexer.errors import JobRunning
from indexer.extract import SiteTemplates
from indexer.inbox.known import known_to
from indexer.inbox.listing import (
    INSPECTED,
    LISTING,
    SUMMARY,
    ListedPage,
    Summary,
    listed,
    read_summary,
    summary_of,
    write_listing,
    write_summary,
)
from indexer.inspected import InspectedPage, inspect_page, write_inspected
from indexer.jobs import Job, Outcome, list_jobs, start_task
from indexer.quality import QualityRules
from indexer.read import find_files
from indexer.records import BATCHES_PATH, Rejected, SavedPage
from indexer.resources import effective_resources
from indexer.settings import Settings, load_settings
from indexer.store.batches import facts_folder, files_folder, find_batch, list_batches, path_in_builds
from indexer.store.disk import disk_faults_told

KIND = "inspect"
#: so many waiting batches are looked through for one that nobody has inspected
_LOOKED_THROUGH = 200


def start_inspecting(data: Path, number: int, actor: str) -> Job | None:
    """Inspect a batch in a process of its own; None when one is at work, which will come to this batch too.

    Raises InboxError for a batch that was discarded, StateError, or JobError when the process cannot be started.
    """
    files_folder(data, find_batch(data, number))
    try:
        return start_task(data, KIND, str(number), actor)
    except JobRunning:
        return None


def inspecting_job(data: Path, number: int) -> Job | None:
    """The latest job that was started for a batch, or the one that is at work and will come to it; None when there is
    none. Raises StateError.
    """
    jobs = list_jobs(data, kind=KIND)
    for job in jobs:
        if job.subject == str(number) or (job.status == "running" and read_summary(data, number) is None):
            return job
    return None


def run(data: Path, job: Job, progress: Progress) -> Outcome:
    """Inspect the batch of a job, then those that came in meanwhile."""
    settings = load_settings({"data": data})
    summary = inspect_batch(data, int(job.subject), settings, progress)
    done = [int(job.subject)]
    while (other := _not_inspected(data, done)) is not None:
        inspect_batch(data, other, settings, progress)
        done.append(other)
    more = f"；另外检查了第 {'、'.join(map(str, done[1:]))} 批" if len(done) > 1 else ""
    return Outcome(
        f"第 {job.subject} 批：{summary.pages} 个页面，{summary.answers} 条答案，"
        f"不能收录 {summary.rejected_count} 个{more}。"
    )


def inspect_batch(data: Path, number: int, settings: Settings, progress: Progress) -> Summary:
    """Clean all pages of a batch and write what became of them; all or nothing is written.

    Raises InboxError for a batch that is not there, ResourceError, or DiskFault.
    """
    batch = find_batch(data, number)
    files = [(file, path_in_builds(number, path)) for file, path in find_files([files_folder(data, batch)])]
    resources = effective_resources(data, settings.resources)
    folder = facts_folder(data, number)
    lines: list[ListedPage] = []
    with disk_faults_told(data, f"检查第 {number} 批"):
        known = known_to(data, [(file, inside(number, path)) for file, path in files])

        def pages() -> Iterator[InspectedPage]:
            for done in work_on(files, inspect_guarded, resources, settings, progress):
                assert done.item is not None
                page = done.item if isinstance(done.item, InspectedPage) else rejected_page(done.item)
                page = as_in_batch(page, number)
                lines.append(listed(len(lines) + 1, page, known.reason(page)))
                yield page

        drafts = {name: folder / f"{name}.new" for name in (INSPECTED, LISTING, SUMMARY)}
        write_inspected(pages(), drafts[INSPECTED])
        summary = summary_of(lines, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        write_listing(lines, drafts[LISTING])
        write_summary(summary, drafts[SUMMARY])
        for name, draft in drafts.items():  # the summary last: where it is, the others are
            os.replace(draft, folder / name)
    return summary


def inspect_guarded(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> InspectedPage | Rejected:
    """`inspect_page`; what it raises is the page's rejection."""
    return guarded(inspect_page, saved, templates, rules)


def rejected_page(rejected: Rejected) -> InspectedPage:
    """A page of which no more is known than why it is rejected."""
    return InspectedPage(
        path=rejected.path,
        media="",
        charset=rejected.charset or "",
        url=None,
        site=None,
        title=None,
        author=None,
        date=None,
        rejected=f"{rejected.reason.label}：{rejected.detail}",
        answers=(),
        blocks=(),
    )


def as_in_batch(page: InspectedPage, number: int) -> InspectedPage:
    """The page by its path within the batch; it was cleaned by the path that builds know, of which its ids are made."""
    return replace(page, path=inside(number, page.path))


def inside(number: int, path: str) -> str:
    """A path within a batch, of one as builds call it."""
    return path.removeprefix(f"{BATCHES_PATH}/{number}/")


def _not_inspected(data: Path, done: list[int]) -> int | None:
    for batch in list_batches(data, _LOOKED_THROUGH):
        if batch.state == "waiting" and batch.number not in done and read_summary(data, batch.number) is None:
            return batch.number
    return None
