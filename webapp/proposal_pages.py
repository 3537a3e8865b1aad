"""Proposed changes of terms, stop words and rules at the desk: what each would do, adopting and dropping; and what the
forms share that make them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from flask import Blueprint, Flask, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import (
    Job,
    Proposal,
    adopt,
    drop,
    effects_are_current,
    find_job,
    find_proposal,
    list_jobs,
    list_proposals,
    propose,
    shipped_text,
    start_preview,
    urgency_effects,
)
from indexer.errors import IndexerError, JobError, ResourceError
from webapp.asking import asked_page, number_in
from webapp.auth import actor, require
from webapp.editor_console import served_now
from webapp.roles import Role
from webapp.services import services
from webapp.take_down_pages import too_long

blueprint = Blueprint("proposals", __name__, url_prefix="/desk/proposals")

PER_PAGE = 50
MAX_DIFF_LINES = 600
MAX_NUMBER = 2**53
NOTES = {
    "made": "修改已经提出，还没有采用。",
    "adopted": "已采用；下次建立索引后在检索里生效。",
    "dropped": "已放弃。",
    "previewing": "正在算影响，算好后这一页会自己更新。",
}


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "待定修改", "proposals.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> str:
    """All proposals, the latest first."""
    page = asked_page()
    found = list_proposals(services().data_dir, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE)
    return render_template("desk/proposals.html", proposals=found[:PER_PAGE], page=page, more=len(found) > PER_PAGE)


@blueprint.get("/<int:number>")
@require(Role.EDITOR)
def one(number: int) -> Response:
    """What a proposal changes and does."""
    return _page(number, note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.post("/<int:number>/preview")
@require(Role.EDITOR)
def preview(number: int) -> Response:
    """Compute its effects in the background."""
    _found(number)
    try:
        start_preview(services().data_dir, number, actor())
    except IndexerError as error:
        return _page(number, str(error), 400)
    return redirect(url_for("proposals.one", number=number, done="previewing"), 303)


@blueprint.post("/<int:number>/adopt")
@require(Role.EDITOR)
def take(number: int) -> Response:
    """Save what is proposed."""
    _found(number)
    reason = request.form.get("reason", "").strip()
    if problem := too_long(reason):
        return _page(number, problem, 400)
    held = services()
    try:
        adopt(held.data_dir, number, actor(), held.settings.resources, request.form.get("sure") == "1", reason)
    except IndexerError as error:
        return _page(number, str(error), 400)
    return redirect(url_for("proposals.one", number=number, done="adopted"), 303)


@blueprint.post("/<int:number>/drop")
@require(Role.EDITOR)
def give_up(number: int) -> Response:
    """Give it up."""
    _found(number)
    try:
        drop(services().data_dir, number, actor())
    except IndexerError as error:
        return _page(number, str(error), 400)
    return redirect(url_for("proposals.one", number=number, done="dropped"), 303)


def proposed(changes: Mapping[str, str | None], title: str, seen: Mapping[str, str | None] | None = None) -> Response:
    """Keep a change as the form asks (`reason`, `onto`), compute what it does, and lead to its page. Raises
    ResourceError.
    """
    held = services()
    reason = request.form.get("reason", "").strip()
    made = propose(held.data_dir, changes, title, actor(), reason, held.settings.resources, onto(), seen)
    done = "made" if request.form.get("wait") == "1" else "previewing"
    if done == "previewing":
        try:
            start_preview(held.data_dir, made.number, actor())
        except IndexerError:  # another one is being computed; the page says so, and has a button
            done = "made"
    return redirect(url_for("proposals.one", number=made.number, done=done), 303)


def onto() -> int | None:
    """The open proposal that a form adds to. Raises ResourceError."""
    given = request.form.get("onto", "")
    if not given:
        return None
    number = number_in(given)
    if number is None:
        raise ResourceError("要补充的修改编号不对；请重新选择。")
    return number


def my_open_proposals() -> list[Proposal]:
    """What forms offer to add to."""
    try:
        found = list_proposals(services().data_dir, "open", PER_PAGE)
    except IndexerError:
        return []
    return [each for each in found if each.actor == actor()]


def diff(before: str, after: str) -> list[str]:
    """Lines that differ, as `diff -u` tells it; the last one says when there are more."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), "之前", "之后", lineterm="", n=2))
    return (
        [*lines[:MAX_DIFF_LINES], f"……还有 {len(lines) - MAX_DIFF_LINES} 行"] if len(lines) > MAX_DIFF_LINES else lines
    )


def _found(number: int) -> Proposal:
    if number > MAX_NUMBER:
        abort(404)
    try:
        return find_proposal(services().data_dir, number)
    except ResourceError:
        abort(404)


def _page(number: int, problem: str = "", status: int = 200, note: str = "") -> Response:
    found = _found(number)
    held = services()
    data, chosen = held.data_dir, held.settings.resources
    urgency, is_current = None, False
    try:
        if found.state == "open":
            urgency = urgency_effects(data, found.changes, chosen)
            is_current = effects_are_current(data, found, served_now().generation or "", chosen)
    except IndexerError as error:
        problem = problem or str(error)
    page = render_template(
        "desk/proposal.html",
        proposal=found,
        diffs=_diffs(found),
        urgency=urgency,
        is_current=is_current,
        job=_job(found),
        other=next((job for job in list_jobs(data, 5, "preview") if job.status == "running"), None),
        problem=problem,
        note=note,
    )
    return make_response(page, status)


def _diffs(found: Proposal) -> dict[str, list[str]]:
    chosen = services().settings.resources
    told = {}
    for path, text in found.changes.items():
        shipped = shipped_text(path, chosen) or ""
        before = found.seen.get(path)
        told[path] = diff(shipped if before is None else before, shipped if text is None else text)
    return told


def _job(found: Proposal) -> Job | None:
    if found.job is None:
        return None
    try:
        return find_job(services().data_dir, found.job)
    except JobError:
        return None
