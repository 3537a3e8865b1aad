"""The engine of 医问. This is its front door; what is not here may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.analysis.aspects import ASPECTS
    from indexer.analysis.suggest import Suggestion
    from indexer.answer.urgency import urgency_card
    from indexer.build import BuildReport, build_generation
    from indexer.engine import Engine, open_engine
    from indexer.jobs import Job, cancel_job, find_job, list_jobs, read_log, start_job
    from indexer.quality_gate.difference import Difference, compare_generations
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
    from indexer.store.audit_log import ACTS, Act, ActFilter, act_names, add_act, read_acts, record_act, terminal_actor
    from indexer.store.generations import Manifest, list_manifests, roll_back, switch_to
    from indexer.store.pruning import plan_pruning, prune
    from indexer.store.state import Part, read_state, write_state
    from indexer.store.take_downs import TakenDown, list_take_downs, put_back, take_down

__all__ = [
    "ACTS",
    "ASPECTS",
    "FEATURES",
    "Act",
    "ActFilter",
    "Answer",
    "BuildReport",
    "Difference",
    "DirectAnswer",
    "Engine",
    "Hit",
    "Job",
    "Manifest",
    "Part",
    "Query",
    "SearchResult",
    "Snippet",
    "Suggestion",
    "TakenDown",
    "Topic",
    "TopicSection",
    "UrgencyCard",
    "act_names",
    "add_act",
    "build_generation",
    "cancel_job",
    "compare_generations",
    "find_job",
    "list_jobs",
    "list_manifests",
    "list_take_downs",
    "open_engine",
    "plan_pruning",
    "prune",
    "put_back",
    "read_acts",
    "read_log",
    "read_state",
    "record_act",
    "roll_back",
    "start_job",
    "switch_to",
    "take_down",
    "terminal_actor",
    "urgency_card",
    "write_state",
]

_HOMES = {
    "Manifest": "store.generations",
    "list_manifests": "store.generations",
    "start_job": "jobs",
    "read_log": "jobs",
    "list_jobs": "jobs",
    "find_job": "jobs",
    "cancel_job": "jobs",
    "Job": "jobs",
    "ACTS": "store.audit_log",
    "ASPECTS": "analysis.aspects",
    "FEATURES": "ranking.features",
    "Act": "store.audit_log",
    "ActFilter": "store.audit_log",
    "Answer": "records",
    "BuildReport": "build",
    "Difference": "quality_gate.difference",
    "DirectAnswer": "records",
    "Engine": "engine",
    "Hit": "records",
    "Part": "store.state",
    "Query": "records",
    "SearchResult": "records",
    "Snippet": "records",
    "Suggestion": "analysis.suggest",
    "TakenDown": "store.take_downs",
    "Topic": "records",
    "TopicSection": "records",
    "UrgencyCard": "records",
    "act_names": "store.audit_log",
    "add_act": "store.audit_log",
    "build_generation": "build",
    "list_take_downs": "store.take_downs",
    "compare_generations": "quality_gate.difference",
    "open_engine": "engine",
    "put_back": "store.take_downs",
    "read_acts": "store.audit_log",
    "read_state": "store.state",
    "record_act": "store.audit_log",
    "plan_pruning": "store.pruning",
    "prune": "store.pruning",
    "roll_back": "store.generations",
    "switch_to": "store.generations",
    "take_down": "store.take_downs",
    "terminal_actor": "store.audit_log",
    "urgency_card": "answer.urgency",
    "write_state": "store.state",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for, so that importing `indexer` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'indexer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"indexer.{_HOMES[name]}"), name)
