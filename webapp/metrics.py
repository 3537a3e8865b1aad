"""What a monitoring system reads at /metrics (Prometheus text format): counts and durations, never a question.

With several workers each keeps its numbers in a file of a folder named by PROMETHEUS_MULTIPROC_DIR, which the server
makes before it forks; whichever worker is asked adds them up. A worker that dies leaves its counts behind.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from indexer import SearchResult
from indexer.errors import IndexerError
from webapp.services import services

blueprint = Blueprint("metrics", __name__)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: seconds; the budget of the site is 60 ms for 99 of 100 searches
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Metrics:
    """The numbers of one app."""

    registry: CollectorRegistry
    requests: Counter
    request_seconds: Histogram
    searches: Counter
    search_seconds: Histogram
    cards: Counter

    @classmethod
    def new(cls) -> Metrics:
        """All at 0."""
        registry = CollectorRegistry()
        return cls(
            registry,
            Counter("yiwen_requests", "Requests by endpoint and status", ["endpoint", "status"], registry=registry),
            Histogram(
                "yiwen_request_seconds", "Time to answer a request", ["endpoint"], registry=registry, buckets=_BUCKETS
            ),
            Counter("yiwen_searches", "Searches by what came of them", ["outcome"], registry=registry),
            Histogram("yiwen_search_seconds", "Time of a search in the engine", registry=registry, buckets=_BUCKETS),
            Counter("yiwen_urgency_cards", "Urgency cards shown with results", ["level"], registry=registry),
        )

    def count_search(self, result: SearchResult, was_known: bool) -> None:
        """Note what came of a search; `was_known`: it was answered from memory."""
        outcome = "partial" if result.partial else "none" if not result.total else "known" if was_known else "found"
        self.searches.labels(outcome).inc()
        if not was_known:
            self.search_seconds.observe(result.latency_ms / 1000)
        if result.urgency is not None:
            self.cards.labels(result.urgency.level).inc()


def register(app: Flask) -> None:
    """Count every request of the app."""
    app.extensions["yiwen.metrics"] = Metrics.new()
    app.before_request(_start)
    app.after_request(_finish)
    app.register_blueprint(blueprint)


def metrics() -> Metrics:
    """The numbers of the app that answers this request."""
    found: Metrics = current_app.extensions["yiwen.metrics"]
    return found


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    endpoint = request.endpoint or "none"  # never the path, which may name an illness
    metrics().requests.labels(endpoint, response.status_code).inc()
    metrics().request_seconds.labels(endpoint).observe(time.perf_counter() - g.started)
    return response


@blueprint.get("/metrics", endpoint="metrics")
def show() -> Response:
    """Everything, of all workers."""
    if folder := os.environ.get(_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    else:
        registry = metrics().registry
    return Response(generate_latest(registry) + _of_now(), content_type=CONTENT_TYPE_LATEST)


def _of_now() -> bytes:
    """What is looked up when it is asked for: the generation that is served, and what its log lost."""
    registry = CollectorRegistry()
    ready = Gauge("yiwen_ready", "Whether searches can be answered", registry=registry)
    lost = Gauge("yiwen_query_log_lost", "Events that this worker could not write", registry=registry)
    lost.set(services().query_log.lost_events)
    try:
        engine = services().engine.get()
        served = Gauge("yiwen_generation_info", "The generation that is served", ["name"], registry=registry)
        served.labels(engine.generation).set(1)
        ready.set(not engine.problems)
    except IndexerError:
        ready.set(0)
    return generate_latest(registry)
