"""Recipe: files to clean pages, in worker processes.

A page that takes too long or brings its worker down is lost alone, by name; the worker is replaced.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from indexer.errors import TooDeep
from indexer.extract import SiteTemplates, extract_page, load_site_templates
from indexer.identify import with_ids
from indexer.quality import QualityRules, load_quality_rules, with_quality
from indexer.read import decoded_page, read_file
from indexer.records import Page, RawPage, Rejected, SavedPage
from indexer.settings import Settings
from indexer.verdicts import Reason

#: called after each file with how many of how many are done
Progress = Callable[[int, int], None]
#: pages that may wait for each worker: enough to keep it busy, few enough to hold in memory
_WAITING_PER_WORKER = 16
#: a worker makes room for a fresh one after so many pages, so that what its parser keeps does not add up
_TASKS_PER_WORKER = 2000
#: records are small: so many go to a worker together
_RECORDS_AT_ONCE = 200


T = TypeVar("T")
#: what a worker does with one page; a function of a module, for it is called in another process. It raises nothing.
Work = Callable[[SavedPage, SiteTemplates, QualityRules], T]


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Done(Generic[T]):
    """What became of one page or record."""

    key: bytes  #: of the bytes that it was made of; b"" for what could not be read
    item: T | Rejected | None  #: None for one that is known by its key, and was not worked on again


Cleaned = Done[Page]


def clean(
    files: Sequence[tuple[Path, str]],
    resources: Path,
    settings: Settings,
    progress: Progress = no_progress,
    known: Container[bytes] = (),
) -> Generator[Cleaned]:
    """Read and clean the pages of all files but those whose key is known; results come in the order of the files."""
    return work_on(files, clean_page, resources, settings, progress, known)


def clean_saved(pages: Iterable[SavedPage], resources: Path, settings: Settings) -> list[Page | Rejected]:
    """Clean pages that are at hand, within the same limits; in their order."""
    workers = _Workers(clean_page, resources, settings)
    try:
        done = [item for saved in pages for item in workers.put(b"", saved)]
        done += workers.rest()
    finally:
        workers.stop()
    return [each.item for each in done if each.item is not None]


def work_on(
    files: Sequence[tuple[Path, str]],
    work: Work[T | Rejected],
    resources: Path,
    settings: Settings,
    progress: Progress = no_progress,
    known: Container[bytes] = (),
) -> Generator[Done[T]]:
    """The same with other work than cleaning, within the same limits."""
    pages = _Workers(work, resources, settings)
    try:
        for done, (file, path) in enumerate(files, 1):
            for item in _read(file, path, settings.max_page_bytes):
                if isinstance(item, Rejected):
                    yield from pages.pass_by(Done(b"", item))
                elif (key := key_of(item)) in known:
                    yield from pages.pass_by(Done(key, None))
                else:
                    yield from pages.put(key, item)
            progress(done, len(files))
        yield from pages.rest()
    finally:
        pages.stop()


def key_of(saved: SavedPage) -> bytes:
    """16 bytes that change with anything that cleaning looks at."""
    # the number of a record's line is no part of it
    path = saved.path.rpartition(":")[0] if saved.media == "record" else saved.path
    digest = hashlib.blake2b(repr((path, saved.media, saved.charset, saved.url)).encode(), digest_size=16)
    digest.update(saved.data)
    return digest.digest()


def _read(file: Path, path: str, max_page_bytes: int) -> Iterator[SavedPage | Rejected]:
    try:
        yield from read_file(file, path, max_page_bytes)
    except Exception as error:  # no file may stop a build; its name and the fault are kept
        yield Rejected(path, Reason.UNREADABLE, f"读取出错：{type(error).__name__}: {error}")


@dataclass
class _Batch(Generic[T]):
    """Pages that one worker cleans in one go: a page alone, or many records."""

    keys: list[bytes]
    saved: list[SavedPage]
    future: Future[list[T | Rejected]] | None = None  #: None while it waits for more records


class _Workers(Generic[T]):
    """Saved pages go to the workers, all else passes by; what comes out keeps the order."""

    def __init__(self, work: Work[T | Rejected], resources: Path, settings: Settings) -> None:
        self._work = work
        self._resources = resources
        self._count = settings.workers or os.cpu_count() or 1
        self._max_seconds = settings.max_page_seconds
        self._waiting: deque[_Batch[T] | Done[T]] = deque()
        self._pool: ProcessPool | None = None
        self._tools: tuple[SiteTemplates, QualityRules] | None = None

    def pass_by(self, item: Done[T]) -> Iterator[Done[T]]:
        """Take one that needs no cleaning; gives what is done by now."""
        self._waiting.append(item)
        return self._done()

    def put(self, key: bytes, saved: SavedPage) -> Iterator[Done[T]]:
        """Take a page or record; gives what is done by now."""
        last = self._waiting[-1] if self._waiting else None
        if saved.media == "record" and isinstance(last, _Batch) and last.future is None:
            last.keys.append(key)
            last.saved.append(saved)
        else:
            self._send_last()
            self._waiting.append(_Batch([key], [saved]))
        if saved.media != "record" or len(self._batch().saved) == _RECORDS_AT_ONCE:
            self._send_last()
        return self._done()

    def rest(self) -> Iterator[Done[T]]:
        """Wait for all that is left."""
        while self._waiting:
            yield from self._next()

    def stop(self) -> None:
        """End the workers, also in the middle of their work."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()

    def _batch(self) -> _Batch[T]:
        last = self._waiting[-1]
        assert isinstance(last, _Batch)
        return last

    def _send_last(self) -> None:
        """Give the batch that waits for more records to a worker."""
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Batch) and last.future is None and not self._is_done_here(last):
            timeout = self._max_seconds * min(len(last.saved), 2)
            last.future = self._started().schedule(_work_on_pages, args=[self._work, last.saved], timeout=timeout)

    def _is_done_here(self, batch: _Batch[T]) -> bool:
        """Records need no protection, and few of them no process of their own."""
        return batch.saved[0].media == "record" and (self._count == 1 or len(batch.saved) < _RECORDS_AT_ONCE)

    def _done(self) -> Iterator[Done[T]]:
        while self._waiting and (isinstance(self._waiting[0], Done) or self._is_full()):
            yield from self._next()

    def _is_full(self) -> bool:
        return len(self._waiting) > self._count * _WAITING_PER_WORKER

    def _started(self) -> ProcessPool:
        """The pool, begun when it is first needed."""
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._count,
                max_tasks=_TASKS_PER_WORKER,
                initializer=_prepare,
                initargs=[self._resources],
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool

    def _next(self) -> Iterator[Done[T]]:
        first = self._waiting.popleft()
        if isinstance(first, Done):
            yield first
            return
        yield from (Done(key, item) for key, item in zip(first.keys, self._result(first), strict=True))

    def _result(self, batch: _Batch[T]) -> list[T | Rejected]:
        if batch.future is None:
            self._tools = self._tools or (load_site_templates(self._resources), load_quality_rules(self._resources))
            return [self._work(saved, *self._tools) for saved in batch.saved]
        try:
            return batch.future.result()
        except TimeoutError:
            detail = f"清洗用时超过上限 max_page_seconds（{self._max_seconds} 秒）。"
            return [Rejected(saved.path, Reason.TOO_SLOW, detail) for saved in batch.saved]
        except ProcessExpired as error:
            detail = f"清洗这一页的进程中途退出（退出码 {error.exitcode}）。"
            return [Rejected(saved.path, Reason.CRASHED, detail) for saved in batch.saved]


_tools: tuple[SiteTemplates, QualityRules] | None = None  # of a worker process, set as it begins


def _prepare(resources: Path) -> None:
    global _tools
    _tools = load_site_templates(resources), load_quality_rules(resources)


def _work_on_pages(work: Work[T], several: Sequence[SavedPage]) -> list[T]:
    assert _tools is not None
    return [work(saved, *_tools) for saved in several]


def clean_page(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> Page | Rejected:
    """One page: decoded, extracted, its answers named and looked at. What fails in it is its rejection."""
    return guarded(_cleaned, saved, templates, rules)


def _cleaned(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> Page | Rejected:
    raw = decoded_page(saved)
    page = extract_page(raw, templates) if isinstance(raw, RawPage) else raw
    return with_quality(page if page.is_record else with_ids(page), rules) if isinstance(page, Page) else page


def guarded(work: Work[T | Rejected], saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> T | Rejected:
    """Work on one page; what it raises is the page's rejection."""
    gc.disable()  # a page's tree is all new objects and all of them in use: collecting finds nothing, again and again
    try:
        return work(saved, templates, rules)
    except TooDeep as error:
        return Rejected(saved.path, Reason.TOO_DEEP, str(error))
    except Exception as error:  # a page of a strange shape must never stop a build; its name and the fault are kept
        return Rejected(saved.path, Reason.UNREADABLE, f"解析出错：{type(error).__name__}: {error}")
    finally:
        gc.enable()
