"""How many answers the served generation holds about a topic, by aspect: reports put them beside what is asked."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

from indexer import Topic
from indexer.errors import IndexerError
from webapp.lazy_engine import SearchEngine
from webapp.reports import Held
from webapp.services import services

#: topics that a process remembers, as long as the state of the engine is the same
_REMEMBERED = 500


def holdings_of(engine: SearchEngine | None) -> Held:
    """Answers of a topic by aspect, and of all aspects under ""; None where no index can be had."""

    def held(name: str) -> dict[str, int] | None:
        with suppress(IndexerError):
            return _held(cast("Hashable", engine), engine.state, name) if engine else None
        return None

    return held


def holdings_of_site() -> Held:
    """Of the site that answers this request; a page without an index says so by its dashes."""
    with suppress(IndexerError):
        return holdings_of(services().engine.get())
    return holdings_of(None)


@lru_cache(maxsize=_REMEMBERED)
def _held(engine: Any, _state: str, name: str) -> dict[str, int]:
    topic: Topic | None = engine.topic(name)
    if topic is None:
        return {}
    return {"": topic.total, **{section.aspect: section.count for section in topic.sections}}
