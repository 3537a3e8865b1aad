"""From results to an answer, and to the page that it was found on, noted in the query log.

A link carries a mark of the search that it stood in and of its rank, `at=<token>-<rank>`. The token is random and
stands for that search alone; who sends a made-up one is not counted. The address of an original is the stored one:
nobody can send readers elsewhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from flask import Blueprint, Flask, abort, g, redirect, request
from werkzeug.wrappers import Response

from webapp.asking import after_response
from webapp.presentation import web_address
from webapp.query_log import Click
from webapp.services import services

blueprint = Blueprint("clicks", __name__)

#: the rank of the answer that is quoted above the list
QUOTED = 0
_MARK = re.compile(r"([0-9a-f]{1,16})-([0-9]{1,4})")


def register(app: Flask) -> None:
    """Let results mark their links."""
    app.register_blueprint(blueprint)
    app.add_template_global(found_at)


def found_at(rank: int) -> str | None:
    """The mark of a result of the search that this page shows; None where it shows none that is noted."""
    token: int = g.get("search_token", 0)
    return f"{token:x}-{rank}" if token else None


def note_click(answer_id: str, target: Literal["answer", "source"]) -> None:
    """Note that this request opens an answer from a list of results, if it does."""
    mark = _MARK.fullmatch(request.args.get("at", ""))
    is_ahead = "prefetch" in request.headers.get("Sec-Purpose", "")  # a browser that guesses is no reader
    if mark is None or is_ahead or request.method != "GET":
        return
    token, rank = int(mark[1], 16), int(mark[2])
    if token >= 2**63:
        return
    click = Click(datetime.now(UTC).replace(microsecond=0), token, rank, answer_id, target)
    query_log = services().query_log
    after_response(lambda: query_log.record_click(click))


@blueprint.get("/answers/<path:answer_id>/source")
def source(answer_id: str) -> Response:
    """To the page of an answer; 404 when it has none that a browser may be sent to."""
    found = services().engine.get().answer(answer_id)
    address = web_address(found.url) if found else None
    if address is None:
        abort(404)
    note_click(answer_id, "source")
    return redirect(address, 302)
