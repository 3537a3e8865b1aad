"""One page of a batch as cleaning sees it now, and its original."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from indexer.errors import InboxError
from indexer.extract import load_site_templates
from indexer.inbox.deciding import find_inbox_page
from indexer.inbox.inert import inert_page
from indexer.inbox.inspecting import as_in_batch, inspect_guarded, rejected_page
from indexer.inbox.listing import INSPECTED, ListedPage, read_summary
from indexer.inspected import InspectedPage, read_inspected
from indexer.quality import load_quality_rules
from indexer.read import decoded_page, read_file
from indexer.records import RawPage, SavedPage
from indexer.resources import effective_resources
from indexer.settings import Settings
from indexer.store.batches import facts_folder, files_folder, find_batch, path_in_builds
from indexer.verdicts import Reason

#: pages that cleaning could not end are not tried again within a request
_UNSAFE = {Reason.TOO_SLOW.label, Reason.CRASHED.label}
_MAX_RECORD_CHARS = 200_000


@dataclass(frozen=True)
class PageView:
    """A page as an editor looks at it."""

    listed: ListedPage
    page: InspectedPage
    is_afresh: bool  #: whether it was cleaned now; else as the batch was inspected
    pages: int  #: of the batch


@dataclass(frozen=True)
class Original:
    """A page as it came in."""

    text: str
    is_html: bool  #: markup of our own writing; else plain text


def view_page(data: Path, number: int, page: int, settings: Settings) -> PageView:
    """Clean a page with the resources as they are now; one that cleaning could not end, or whose batch was discarded,
    is shown as it was inspected.

    Raises InboxError when there is no such page, ResourceError or StateError.
    """
    listed, summary = find_inbox_page(data, number, page), read_summary(data, number)
    pages = summary.pages if summary else 0
    saved = None if listed.rejected in _UNSAFE else _saved(data, number, listed, settings)
    if saved is None:
        return PageView(listed, _inspected_before(data, number, listed), False, pages)
    resources = effective_resources(data, settings.resources)
    result = inspect_guarded(saved, load_site_templates(resources), load_quality_rules(resources))
    inspected = result if isinstance(result, InspectedPage) else rejected_page(result)
    return PageView(listed, as_in_batch(inspected, number), True, pages)


def original_page(data: Path, number: int, page: int, settings: Settings) -> Original:
    """A page as it came in, made safe to show. Raises InboxError when there is no such page, or nothing of it."""
    saved = _saved(data, number, find_inbox_page(data, number, page), settings)
    if saved is None:
        raise InboxError("这一页的原文件没有保留，或者读不出来。")
    if saved.media == "record":
        return Original(_record(saved.data), False)
    raw = decoded_page(saved)
    text = raw.text if isinstance(raw, RawPage) else saved.data.decode("utf-8", "replace")
    return Original(inert_page(text), True) if saved.media == "html" else Original(text, False)


def _saved(data: Path, number: int, listed: ListedPage, settings: Settings) -> SavedPage | None:
    """The page in its file; None when it is not there any more, or could not be read."""
    batch = find_batch(data, number)
    if batch.state == "discarded":
        return None
    folder, inside = files_folder(data, batch), listed.path
    if not (folder / inside).is_file():
        inside = inside.rpartition(":")[0]
    wanted = path_in_builds(number, listed.path)
    for saved in read_file(folder / inside, path_in_builds(number, inside), settings.max_page_bytes):
        if isinstance(saved, SavedPage) and saved.path == wanted:
            return saved
    return None


def _inspected_before(data: Path, number: int, listed: ListedPage) -> InspectedPage:
    try:
        return next(islice(read_inspected(facts_folder(data, number) / INSPECTED), listed.number - 1, None))
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise InboxError(f"第 {number} 批的检查结果读不出来（{error}）；请重新检查这一批。") from error


def _record(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    try:
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text[:_MAX_RECORD_CHARS]  # as it is: that it is no JSON is what the editor wants to see
    return text[:_MAX_RECORD_CHARS].encode("utf-8", "replace").decode("utf-8")
