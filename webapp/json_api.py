"""The same for programs: search and answers as JSON, and whether the site is alive and ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from indexer import Answer, Query, SourceTrust
from webapp.asking import NotHeld, ask, question_of, read_name
from webapp.etags import is_held, tag_of, tagged, unchanged
from webapp.openapi import ADDRESS as DOCUMENT_ADDRESS
from webapp.openapi import document
from webapp.operations import ALIVE, ANSWER, READY, SEARCH, SUGGEST, TOPIC, Operation
from webapp.parameters import read_strictly
from webapp.services import services

blueprint = Blueprint("api", __name__)


@dataclass(frozen=True)
class Reply:
    """What a call gives."""

    body: dict[str, Any]
    lasts: bool = True  #: false when the same call may give another reply although nothing has changed


def _answers(operation: Operation) -> Callable[[Callable[..., Reply]], Callable[..., Response]]:
    """Serve an operation: the view gets the values of its parameters by name, and is not asked for what is held."""

    def register(view: Callable[..., Reply]) -> Callable[..., Response]:
        @wraps(view)
        def call(**part: str) -> Response:
            if not operation.is_versioned:
                return _json(view().body)
            given = {**read_strictly(operation.parameters, request.args), **part}
            tag = tag_of(operation.id, given)
            if is_held(tag):
                return unchanged(tag)
            reply = view(**given)
            return tagged(_json(reply.body), tag) if reply.lasts else _json(reply.body)

        blueprint.add_url_rule(operation.rule, operation.id, call, methods=["GET"])
        return call

    return register


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body) + b"\n", mimetype="application/json")


@_answers(SEARCH)
def search(q: str, limit: int, page: int, site: str, aspect: str | None, exact: bool) -> Reply:
    """The engine's result, with the page and limit that were used."""
    question = question_of(q)
    query = Query(question.text, limit=limit, page=page, site=site or None, as_typed=exact, aspect=aspect)
    result = ask(query, "api", question)
    body = {**result.as_dict(), "page": page, "limit": limit}
    body.setdefault("related", [])
    # The card to a cut question may come from beside the generation; what time allowed for is another matter each time.
    return Reply(body, lasts=not question.cut and not result.may_be_more)


@_answers(SUGGEST)
def suggest(q: str, limit: int) -> Reply:
    """What the letters typed so far may become; nothing of it is noted anywhere."""
    typed = question_of(q).text
    found = services().engine.get().suggest(typed, limit)
    return Reply({"query": typed, "suggestions": [{"text": one.text, "kind": one.kind} for one in found]})


@_answers(ANSWER)
def answer(answer_id: str) -> Reply:
    """One answer in full."""
    engine = services().engine.get()
    found = engine.answer(answer_id)
    if found is None:
        raise NotHeld("没有这条回答，或者它已经下架。")
    return Reply(answer_as_dict(found, engine.source_trust(found.site)))


@_answers(TOPIC)
def topic(name: str) -> Reply:
    """What is held about a term, by aspect; another of its names gives the same."""
    known = read_name(name)
    found = services().engine.get().topic(known) if known else None
    if found is None:
        raise NotHeld("没有这个主题，或者没有收录关于它的回答。可以改用搜索。")
    return Reply(found.as_dict())


@_answers(ALIVE)
def alive() -> Reply:
    """The process answers; says nothing of the index."""
    return Reply({"status": "ok"})


@_answers(READY)
def ready() -> Reply:
    """A generation can be served. Without one, the error handler answers 503 with the reason."""
    engine = services().engine.get()
    return Reply({"status": "ready", "generation": engine.generation, "problems": list(engine.problems)})


@blueprint.get(DOCUMENT_ADDRESS)
def openapi() -> Response:
    """The document of all this (OpenAPI 3.1)."""
    response = _json(document(request.root_path))
    response.add_etag()
    response.make_conditional(request)
    return response


def answer_as_dict(answer: Answer, trust: SourceTrust | None = None) -> dict[str, Any]:
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
        "source_trust": trust.as_dict() if trust else None,
    }
