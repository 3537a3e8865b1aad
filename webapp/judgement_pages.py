"""The questions that analysts judged: looked through, dropped, and taken along as files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from flask import Blueprint, Flask, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import JudgedCase, drop_case, list_judged_cases, qrels_text, queries_text, topics_text
from indexer.errors import IndexerError, RefusedDecision
from webapp.asking import read_number
from webapp.auth import actor, require
from webapp.replay_pages import gone_answers
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("judgements", __name__, url_prefix="/desk/judgements")

#: how many questions one page lists
PER_PAGE = 30
FILES: dict[str, Callable[[Sequence[JudgedCase]], str]] = {
    "qrels.tsv": qrels_text,
    "topics.tsv": topics_text,
    "queries.jsonl": queries_text,
}


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "评判", "judgements.show", Role.ANALYST)


@blueprint.get("")
@require(Role.ANALYST)
def show() -> Response:
    """The judged questions, those that were changed last first: `q` (a part of the question), `page`."""
    return _page(note="已删去；评过什么留在操作记录里。" if request.args.get("done") else "")


@blueprint.post("/drop")
@require(Role.ANALYST)
def drop() -> AnyResponse:
    """Judge a question no longer."""
    try:
        drop_case(services().data_dir, request.form.get("id", ""), actor(), request.form.get("reason", ""))
    except RefusedDecision as error:
        return _page(problem=str(error), status=400)
    return redirect(url_for("judgements.show", done="dropped"), 303)


@blueprint.get("/<name>")
@require(Role.ANALYST)
def file(name: str) -> Response:
    """All of them as a file, of those in FILES."""
    if name not in FILES:
        abort(404)
    response = Response(FILES[name](list_judged_cases(services().data_dir)), content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _page(note: str = "", problem: str = "", status: int = 200) -> Response:
    cases: list[JudgedCase] = []
    gone: dict[str, frozenset[str]] = {}
    sought = request.args.get("q", "").strip()
    try:
        cases = [case for case in list_judged_cases(services().data_dir) if sought in case.question]
    except IndexerError as error:
        problem = problem or str(error)
    total, pages = len(cases), max(math.ceil(len(cases) / PER_PAGE), 1)
    page = min(read_number(request.args, "page", 1), pages)
    cases = cases[(page - 1) * PER_PAGE : page * PER_PAGE]
    try:
        gone = {case.id: gone_answers(case) for case in cases}
    except IndexerError as error:
        problem = problem or str(error)
    body = render_template(
        "desk/judgements.html",
        cases=cases,
        gone=gone,
        total=total,
        page=page,
        pages=pages,
        wanted={"q": sought},
        files=tuple(FILES),
        note=note,
        problem=problem,
    )
    return make_response(body, status)
