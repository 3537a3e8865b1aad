"""The engine behind the site: what of it the site uses, and its opening when it is first needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from indexer import Answer, Query, Rule, SearchResult, SourceTrust, Suggestion, Topic
from indexer.errors import GenerationMissing, IndexerError

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

    def warm(self) -> None: ...

    def look_after_meaning(self) -> None: ...

    def search(self, query: Query) -> SearchResult: ...

    def answer(self, answer_id: str) -> Answer | None: ...

    def retrieve(self, text: str, depth: int) -> list[tuple[str, float]]: ...

    def suggest(self, typed: str, limit: int = 8) -> Sequence[Suggestion]: ...

    def topic(self, name: str) -> Topic | None: ...

    def count_of(self, key: str) -> int: ...

    def search_with(self, query: Query, rules: Iterable[Rule]) -> SearchResult: ...

    def source_trust(self, site: str | None) -> SourceTrust | None: ...

    def site_counts(self) -> Mapping[str, int]: ...

    def entity_named(self, word: str) -> str | None: ...


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
