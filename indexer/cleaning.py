"""Recipe: files to clean pages, in worker processes.

A page that takes too long or brings its worker down is lost alone, by name; the worker is replaced.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from indexer.errors import TooDeep
from indexer.extract import SiteTemplates, extract_page, load_site_templates
from indexer.identify import with_ids
from indexer.quality import QualityRules, load_quality_rules, with_quality
from indexer.read import decoded_page, read_file
from indexer.records import Page, Reason, Rejected, SavedPage
from indexer.settings import Settings

#: called after each file with how many of how many are done
Progress = Callable[[int, int], None]
#: pages that may wait for each worker: enough to keep it busy, few enough to hold in memory
_WAITING_PER_WORKER = 16
#: a worker makes room for a fresh one after so many pages, so that what its parser keeps does not add up
_PAGES_PER_WORKER = 2000


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""


def clean(
    files: Sequence[tuple[Path, str]], resources: Path, settings: Settings, progress: Progress = no_progress
) -> Generator[Page | Rejected]:
    """Read and clean the pages of all files; results come in the order of the files."""
    rules = load_quality_rules(resources)
    pages = _Workers(resources, settings)
    try:
        for done, (file, path) in enumerate(files, 1):
            for item in _read(file, path, settings.max_page_bytes):
                yield from pages.put(with_quality(item, rules) if isinstance(item, Page) else item)
            progress(done, len(files))
        yield from pages.rest()
    finally:
        pages.stop()


def _read(file: Path, path: str, max_page_bytes: int) -> Iterator[SavedPage | Page | Rejected]:
    try:
        yield from read_file(file, path, max_page_bytes)
    except Exception as error:  # no file may stop a build; its name and the fault are kept
        yield Rejected(path, Reason.UNREADABLE, f"读取出错：{type(error).__name__}: {error}")


class _Workers:
    """Saved pages go to the workers, all else passes by; what comes out keeps the order."""

    def __init__(self, resources: Path, settings: Settings) -> None:
        self._resources = resources
        self._count = settings.workers or os.cpu_count() or 1
        self._max_seconds = settings.max_page_seconds
        self._waiting: deque[tuple[SavedPage, Future[Page | Rejected]] | Page | Rejected] = deque()
        self._pool: ProcessPool | None = None

    def put(self, item: SavedPage | Page | Rejected) -> Iterator[Page | Rejected]:
        """Take one item; gives what is done by now."""
        if isinstance(item, SavedPage):
            future = self._started().schedule(_clean_page, args=[item], timeout=self._max_seconds)
            self._waiting.append((item, future))
        else:
            self._waiting.append(item)
        while self._waiting and (not isinstance(self._waiting[0], tuple) or self._is_full()):
            yield self._next()

    def rest(self) -> Iterator[Page | Rejected]:
        """Wait for all that is left."""
        while self._waiting:
            yield self._next()

    def stop(self) -> None:
        """End the workers, also in the middle of their work."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()

    def _is_full(self) -> bool:
        return len(self._waiting) > self._count * _WAITING_PER_WORKER

    def _started(self) -> ProcessPool:
        """The pool, begun with the first page: records need none."""
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._count,
                max_tasks=_PAGES_PER_WORKER,
                initializer=_prepare,
                initargs=[self._resources],
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool

    def _next(self) -> Page | Rejected:
        item = self._waiting.popleft()
        if not isinstance(item, tuple):
            return item
        saved, future = item
        try:
            return future.result()
        except TimeoutError:
            detail = f"清洗用时超过上限 max_page_seconds（{self._max_seconds} 秒）。"
            return Rejected(saved.path, Reason.TOO_SLOW, detail)
        except ProcessExpired as error:
            return Rejected(saved.path, Reason.CRASHED, f"清洗这一页的进程中途退出（退出码 {error.exitcode}）。")


_tools: tuple[SiteTemplates, QualityRules] | None = None  # of a worker process, set as it begins


def _prepare(resources: Path) -> None:
    global _tools
    _tools = load_site_templates(resources), load_quality_rules(resources)


def _clean_page(saved: SavedPage) -> Page | Rejected:
    assert _tools is not None
    return clean_page(saved, *_tools)


def clean_page(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> Page | Rejected:
    """One page: decoded, extracted, its answers named and looked at. What fails in it is its rejection."""
    gc.disable()  # a page's tree is all new objects and all of them in use: collecting finds nothing, again and again
    try:
        raw = decoded_page(saved)
        page = raw if isinstance(raw, Rejected) else extract_page(raw, templates)
        return with_quality(with_ids(page), rules) if isinstance(page, Page) else page
    except TooDeep as error:
        return Rejected(saved.path, Reason.TOO_DEEP, str(error))
    except Exception as error:  # a page of a strange shape must never stop a build; its name and the fault are kept
        return Rejected(saved.path, Reason.UNREADABLE, f"解析出错：{type(error).__name__}: {error}")
    finally:
        gc.enable()
