"""The engine of 医问. This is its front door; what is not here may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.analysis.suggest import Suggestion
    from indexer.build import BuildReport, build_generation
    from indexer.engine import Engine, open_engine
    from indexer.records import Answer, Hit, Query, SearchResult, Snippet
    from indexer.store.generations import roll_back, switch_to

__all__ = [
    "Answer",
    "BuildReport",
    "Engine",
    "Hit",
    "Query",
    "SearchResult",
    "Snippet",
    "Suggestion",
    "build_generation",
    "open_engine",
    "roll_back",
    "switch_to",
]

_HOMES = {
    "Answer": "records",
    "BuildReport": "build",
    "Engine": "engine",
    "Hit": "records",
    "Query": "records",
    "SearchResult": "records",
    "Snippet": "records",
    "Suggestion": "analysis.suggest",
    "build_generation": "build",
    "open_engine": "engine",
    "roll_back": "store.generations",
    "switch_to": "store.generations",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for, so that importing `indexer` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'indexer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"indexer.{_HOMES[name]}"), name)
