"""One page of a batch: what was kept of it and what was not, beside its original in a frame."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import leave_out_page, left_out_pages, original_page, put_page_in_again, view_page
from indexer.errors import InboxError, IndexerError
from webapp.asking import asked_page
from webapp.auth import actor, require
from webapp.headers import CONTENT_SECURITY_POLICY
from webapp.inbox_pages import NOTES, found
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("inbox_pages", __name__, url_prefix="/desk/inbox")

#: a page may have thousands of blocks, each with its two forms
BLOCKS_PER_PAGE = 300
#: of a block's text that a mark sends along; a form of parts has three bytes a character, and 16 KiB are let through
MAX_MARK_CHARS = 2_000
#: the frame's own: nothing runs, nothing is fetched or sent, and the document has no origin
ORIGINAL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@blueprint.get("/<int:number>/<int:page>")
@require(Role.EDITOR)
def show(number: int, page: int) -> Response:
    """The page as it is cleaned now."""
    return _page(number, page, note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.get("/<int:number>/<int:page>/original")
@require(Role.EDITOR)
def original(number: int, page: int) -> Response:
    """The original, for the frame: written anew without anything that acts, and forbidden to act."""
    found(number)
    try:
        came_in = original_page(services().data_dir, number, page, services().settings)
    except InboxError:
        abort(404)
    response = Response(came_in.text, content_type=f"text/{'html' if came_in.is_html else 'plain'}; charset=utf-8")
    response.headers["Content-Security-Policy"] = ORIGINAL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/<int:number>/<int:page>/leave-out")
@require(Role.EDITOR)
def leave_out(number: int, page: int) -> AnyResponse:
    """Keep the page out of what the batch brings."""
    found(number)
    try:
        leave_out_page(services().data_dir, number, page, actor(), request.form.get("reason", ""))
    except IndexerError as error:
        return _page(number, page, str(error), 400)
    return redirect(url_for("inbox_pages.show", number=number, page=page, done="left_out"), 303)


@blueprint.post("/<int:number>/<int:page>/put-in")
@require(Role.EDITOR)
def put_in(number: int, page: int) -> AnyResponse:
    """Take that back."""
    found(number)
    try:
        put_page_in_again(services().data_dir, number, page, actor())
    except IndexerError as error:
        return _page(number, page, str(error), 400)
    return redirect(url_for("inbox_pages.show", number=number, page=page, done="put_in"), 303)


def _page(number: int, page: int, problem: str = "", status: int = 200, note: str = "") -> Response:
    batch = found(number)
    try:
        view = view_page(services().data_dir, number, page, services().settings)
    except InboxError:
        abort(404)
    parts = max(-(-len(view.page.blocks) // BLOCKS_PER_PAGE), 1)
    chosen = asked_page("blocks", parts)
    response = make_response(
        render_template(
            "desk/inbox_page.html",
            batch=batch,
            view=view,
            page=view.page,
            blocks=view.page.blocks[(chosen - 1) * BLOCKS_PER_PAGE : chosen * BLOCKS_PER_PAGE],
            part=chosen,
            parts=parts,
            left_out=left_out_pages(services().data_dir, number).get((number, view.listed.key)),
            MAX_MARK_CHARS=MAX_MARK_CHARS,
            can_mark="site_rules.mark" in current_app.view_functions,
            problem=problem,
            note=note,
        ),
        status,
    )
    response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return response
