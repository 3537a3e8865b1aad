"""From an answer to the page that it was found on. The address is the stored one: nobody can send readers elsewhere."""

from __future__ import annotations

from flask import Blueprint, abort, redirect
from werkzeug.wrappers import Response

from webapp.presentation import web_address
from webapp.services import services

blueprint = Blueprint("clicks", __name__)


@blueprint.get("/answers/<path:answer_id>/source")
def source(answer_id: str) -> Response:
    """To the page of an answer; 404 when it has none that a browser may be sent to."""
    found = services().engine.get().answer(answer_id)
    address = web_address(found.url) if found else None
    if address is None:
        abort(404)
    return redirect(address, 302)
