"""What every page of one app shares: settings, the engine once there is one, and the query log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from flask import Flask, current_app

import indexer
from indexer.errors import IndexerError
from indexer.settings import Settings
from webapp.lazy_engine import LazyEngine, SearchEngine
from webapp.log_store.sessions import SessionNumbers
from webapp.query_log import QueryLog
from webapp.result_cache import ResultCache
from webapp.urgent import urgency_of


@dataclass(frozen=True)
class Services:
    """The things one app holds."""

    settings: Settings
    data_dir: Path
    engine: LazyEngine
    results: ResultCache
    query_log: QueryLog
    sessions: SessionNumbers


def register(app: Flask, data_dir: Path, settings: Settings, engine: SearchEngine | None) -> None:
    """Give the app its services; a ready `engine` is used as it is."""

    def opener() -> SearchEngine:
        return engine if engine is not None else indexer.open_engine(data_dir, settings)

    results = ResultCache(settings.cached_results)
    sessions = SessionNumbers(datetime.now(UTC).date())  # before workers are forked, who must agree
    query_log = QueryLog(data_dir, settings.log_database)
    app.extensions["yiwen"] = Services(settings, data_dir, LazyEngine(opener), results, query_log, sessions)


def services() -> Services:
    """The services of the app that answers this request."""
    return cast(Services, current_app.extensions["yiwen"])


def warm_up(app: Flask) -> None:
    """Load what the first questions would wait for: the index, the lexicon, what slips are read by."""
    held = cast(Services, app.extensions["yiwen"])
    urgency_of("面", held.settings.resources, held.data_dir)  # for pages on which there is no engine to say it
    with suppress(IndexerError):  # the site says why, and tries again with the first question
        held.engine.get().warm()
