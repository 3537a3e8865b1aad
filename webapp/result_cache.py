"""Results of the latest searches, in memory: a question that many ask is worked on once.

They are kept as pickles, a third of what the objects take; reading one takes a twentieth of what a search does.

Kept as long as the engine's state is the same: another generation or a take-down makes all of them worthless at once.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import OrderedDict
from dataclasses import replace

from indexer import Query, SearchResult
from webapp.lazy_engine import SearchEngine


class ResultCache:
    """Of one process; safe for many threads."""

    def __init__(self, max_results: int) -> None:
        self._max_results = max_results
        self._lock = threading.Lock()
        self._results: OrderedDict[tuple[str, Query], bytes] = OrderedDict()

    def search(self, engine: SearchEngine, query: Query) -> tuple[SearchResult, bool]:
        """What the engine says to a query, and whether it was known already. Raises what the engine raises."""
        started = time.perf_counter()
        key = (engine.state, query)
        with self._lock:
            packed = self._results.get(key)
            if packed is not None:
                self._results.move_to_end(key)
        if packed is not None:
            known: SearchResult = pickle.loads(packed)  # packed below, by this process
            return replace(known, latency_ms=(time.perf_counter() - started) * 1000), True
        result = engine.search(query)
        # What is not whole may be so the next time; one of another state belongs to that.
        if not result.may_be_more and engine.state == key[0]:
            packed = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
            with self._lock:
                self._results[key] = packed
                while len(self._results) > self._max_results:
                    self._results.popitem(last=False)
        return result, False
