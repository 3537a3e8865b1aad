"""The same for programs: search and answers as JSON, and whether the site is alive and ready."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from indexer import Answer, Query
from indexer.errors import BadQuery
from webapp.asking import (
    MAX_API_LIMIT,
    MAX_API_PAGE,
    ask,
    read_aspect,
    read_flag,
    read_name,
    read_number,
    read_question,
    read_site,
)
from webapp.services import services

blueprint = Blueprint("api", __name__)

DEFAULT_LIMIT = 10
DEFAULT_SUGGESTIONS = 8
MAX_SUGGESTIONS = 20


@blueprint.get("/api/v1/search")
def search() -> Response:
    """The engine's result, with the page and limit that were used."""
    question = read_question(request.args)
    if not question.text:
        raise BadQuery("请用参数 q 写明问题，例如 /api/v1/search?q=面肌痉挛怎么治")
    query = Query(
        text=question.text,
        limit=read_number(request.args, "limit", DEFAULT_LIMIT, MAX_API_LIMIT),
        page=read_number(request.args, "page", 1, MAX_API_PAGE),
        site=read_site(request.args),
        as_typed=read_flag(request.args, "exact"),
        aspect=read_aspect(request.args),
    )
    return jsonify({**ask(query, "api", question).as_dict(), "page": query.page, "limit": query.limit})


@blueprint.get("/api/v1/suggest")
def suggest() -> Response:
    """What the letters typed so far may become; nothing of it is noted anywhere."""
    typed = read_question(request.args).text
    limit = read_number(request.args, "limit", DEFAULT_SUGGESTIONS, MAX_SUGGESTIONS)
    found = services().engine.get().suggest(typed, limit)
    return jsonify(query=typed, suggestions=[{"text": one.text, "kind": one.kind} for one in found])


@blueprint.get("/api/v1/answers/<path:answer_id>")
def answer(answer_id: str) -> Response:
    """One answer in full."""
    found = services().engine.get().answer(answer_id)
    if found is None:
        abort(404)
    return jsonify(answer_as_dict(found))


@blueprint.get("/api/v1/topics/<path:name>")
def topic(name: str) -> Response:
    """What is held about a term, by aspect; another of its names gives the same."""
    known = read_name(name)
    found = services().engine.get().topic(known) if known else None
    if found is None:
        abort(404)
    return jsonify(found.as_dict())


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers; says nothing of the index."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """A generation can be served. Without one, the error handler answers 503 with the reason."""
    engine = services().engine.get()
    return jsonify(status="ready", generation=engine.generation, problems=list(engine.problems))


def answer_as_dict(answer: Answer) -> dict[str, Any]:
    """An answer with the names that a hit has in a search result."""
    return {
        "id": answer.id,
        "kind": answer.kind.value,
        "question": answer.question,
        "answer": answer.text,
        "author": answer.author,
        "date": answer.date,
        "url": answer.url,
        "site": answer.site,
        "topic": answer.topic,
        "views": answer.views,
        "likes": answer.likes,
    }
