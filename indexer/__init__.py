"""The engine of 医问. This is its front door; what is not here may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.analysis.aspects import ASPECTS
    from indexer.analysis.suggest import Suggestion
    from indexer.answer.urgency import urgency_card
    from indexer.build import BuildReport, build_generation
    from indexer.engine import Engine, open_engine
    from indexer.ranking.features import FEATURES
    from indexer.records import (
        Answer,
        DirectAnswer,
        Hit,
        Query,
        SearchResult,
        Snippet,
        Topic,
        TopicSection,
        UrgencyCard,
    )
    from indexer.store.generations import roll_back, switch_to
    from indexer.store.pruning import plan_pruning, prune

__all__ = [
    "ASPECTS",
    "FEATURES",
    "Answer",
    "BuildReport",
    "DirectAnswer",
    "Engine",
    "Hit",
    "Query",
    "SearchResult",
    "Snippet",
    "Suggestion",
    "Topic",
    "TopicSection",
    "UrgencyCard",
    "build_generation",
    "open_engine",
    "plan_pruning",
    "prune",
    "roll_back",
    "switch_to",
    "urgency_card",
]

_HOMES = {
    "ASPECTS": "analysis.aspects",
    "FEATURES": "ranking.features",
    "Answer": "records",
    "BuildReport": "build",
    "DirectAnswer": "records",
    "Engine": "engine",
    "Hit": "records",
    "Query": "records",
    "SearchResult": "records",
    "Snippet": "records",
    "Suggestion": "analysis.suggest",
    "Topic": "records",
    "TopicSection": "records",
    "UrgencyCard": "records",
    "build_generation": "build",
    "open_engine": "engine",
    "plan_pruning": "store.pruning",
    "prune": "store.pruning",
    "roll_back": "store.generations",
    "switch_to": "store.generations",
    "urgency_card": "answer.urgency",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for, so that importing `indexer` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'indexer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"indexer.{_HOMES[name]}"), name)
