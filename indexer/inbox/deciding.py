"""What becomes of a batch, once it was looked at."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import InboxError
from indexer.inbox.inspecting import KIND
from indexer.inbox.listing import ListedPage, list_inbox_pages, read_summary
from indexer.jobs import list_jobs
from indexer.store.batches import discard, leave_out, put_in_again, take_in


def take_batch(data: Path, number: int, actor: str) -> None:
    """From the next build on, the pages of a batch are searched.

    Raises InboxError when it does not wait, or was not inspected; StateError or DiskFault.
    """
    _require_rest(data, number)
    if read_summary(data, number) is None:
        raise InboxError(f"第 {number} 批还没有检查；请先检查它，看过结果再收进。")
    take_in(data, number, actor)


def discard_batch(data: Path, number: int, actor: str, reason: str) -> None:
    """Delete the pages of a batch, one that was taken in too. Raises InboxError, StateError or DiskFault."""
    _require_rest(data, number)
    discard(data, number, actor, reason)


def leave_out_page(data: Path, number: int, page: int, actor: str, reason: str) -> None:
    """Keep one page, by its number in the batch, out of the builds. Raises InboxError or StateError."""
    leave_out(data, number, find_inbox_page(data, number, page).key, actor, reason)


def put_page_in_again(data: Path, number: int, page: int, actor: str) -> None:
    """Take that back. Raises InboxError or StateError."""
    put_in_again(data, number, find_inbox_page(data, number, page).key, actor)


def find_inbox_page(data: Path, number: int, page: int) -> ListedPage:
    """A page by its number. Raises InboxError when the batch was not inspected, or has none of that number."""
    for listed in list_inbox_pages(data, number):
        if listed.number == page:
            return listed
    raise InboxError(f"第 {number} 批里没有第 {page} 页，或者还没有检查。")


def _require_rest(data: Path, number: int) -> None:
    """Files are not moved while they are read."""
    for job in list_jobs(data, 1, KIND):
        if job.status == "running" and job.subject == str(number):
            raise InboxError(f"第 {number} 批正在检查（任务 {job.number}）；请等它结束，或先取消它。")
