"""What every page of one app shares: settings, the engine once there is one, and the query log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from flask import Flask, current_app

import indexer
from indexer import Answer, Query, SearchResult, Suggestion, Topic
from indexer.errors import GenerationMissing, IndexerError
from indexer.settings import Settings
from webapp.query_log import QueryLog
from webapp.urgent import urgency_of

#: Opening a damaged generation reads its manifest and sizes; without a pause each page view would do so again.
DAMAGED_RETRY_SECONDS = 5.0


class SearchEngine(Protocol):
    """The part of the engine that the site uses."""

    @property
    def generation(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def problems(self) -> tuple[str, ...]: ...

    def search(self, query: Query) -> SearchResult: ...

    def answer(self, answer_id: str) -> Answer | None: ...

    def suggest(self, typed: str, limit: int = 8) -> Sequence[Suggestion]: ...

    def topic(self, name: str) -> Topic | None: ...


class LazyEngine:
    """Opens the engine when it is first needed, and tries again later when there was none."""

    def __init__(self, opener: Callable[[], SearchEngine]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._engine: SearchEngine | None = None
        self._damage: IndexerError | None = None
        self._retry_at = 0.0

    def get(self) -> SearchEngine:
        """The engine. Raises GenerationMissing, or the IndexerError that kept it from opening."""
        with self._lock:
            if self._engine is not None:
                return self._engine
            if self._damage is not None and time.monotonic() < self._retry_at:
                raise self._damage.with_traceback(None)
            try:
                self._engine = self._opener()
            except GenerationMissing:
                raise
            except IndexerError as error:
                self._damage, self._retry_at = error, time.monotonic() + DAMAGED_RETRY_SECONDS
                raise
            return self._engine


@dataclass(frozen=True)
class Services:
    """The things one app holds."""

    settings: Settings
    data_dir: Path
    engine: LazyEngine
    query_log: QueryLog


def register(app: Flask, data_dir: Path, settings: Settings, engine: SearchEngine | None) -> None:
    """Give the app its services; a ready `engine` is used as it is."""

    def opener() -> SearchEngine:
        return engine if engine is not None else indexer.open_engine(data_dir, settings)

    app.extensions["yiwen"] = Services(settings, data_dir, LazyEngine(opener), QueryLog(data_dir))


def services() -> Services:
    """The services of the app that answers this request."""
    return cast(Services, current_app.extensions["yiwen"])


def warm_up(app: Flask) -> None:
    """Load what the first question would wait for: the index, the lexicon, what slips are read by."""
    held = cast(Services, app.extensions["yiwen"])
    with suppress(IndexerError):  # the site says why, and tries again with the first question
        held.engine.get().suggest("面")
    urgency_of("面", held.settings.resources)  # for pages on which there is no engine to say it
