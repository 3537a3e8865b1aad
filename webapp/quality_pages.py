"""The quality desk: what is likely to be wrong, worst first; to be taken down, or noted as looked through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from flask import Blueprint, Flask, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import (
    QUEUES,
    Job,
    Listed,
    Queue,
    ReviewPage,
    changed_parts,
    find_review,
    mark_reviewed,
    reopen_review,
    review_counts,
    review_page,
)
from indexer.errors import IndexerError, ReviewError
from webapp.asking import asked_page, number_in
from webapp.auth import actor, require
from webapp.content_gaps import QUEUE as GAPS
from webapp.content_gaps import content_gaps
from webapp.holdings import holdings_of_site
from webapp.query_log import LogUnreadable
from webapp.roles import Role
from webapp.services import services
from webapp.tasks import made_or_task, task_for

blueprint = Blueprint("quality", __name__, url_prefix="/desk/quality")

PER_PAGE = 20
MAX_NOTE_CHARS = 500
MAX_SITE_CHARS = 300
MAX_KEY_CHARS = 2_000
TASK = "review"
NOTES = {"seen": "已记下：看过了。文字变了会再列出来。", "open": "已重新打开。"}


@dataclass(frozen=True)
class QueueCount:
    """A queue and how much is open in it."""

    queue: Queue
    count: int | None  #: None when it has not been listed yet, or cannot be


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    app.add_template_global(changed_parts)
    add_page(app, "质检", "quality.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """The queues, each with how much is open in it."""
    return _with_job("desk/quality.html", _made_by(), counts=queue_counts())


@blueprint.get("/<queue>")
@require(Role.EDITOR)
def show_queue(queue: str) -> Response:
    """One queue: `site`, `page`, and `seen=1` for what was looked through."""
    return _queue_page(_queue(queue), note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.get("/<queue>/item")
@require(Role.EDITOR)
def show_item(queue: str) -> Response:
    """One item with all that it is about, side by side."""
    try:
        listed = find_review(services().data_dir, _generation(), _queue(queue).name, request.args.get("key", ""))
    except ReviewError as error:
        return _with_job("desk/quality_item.html", None, 404, problem=str(error), queue=QUEUES[queue])
    return _with_job("desk/quality_item.html", None, queue=QUEUES[queue], listed=listed)


@blueprint.post("/<queue>/done")
@require(Role.EDITOR)
def mark(queue: str) -> Response:
    """Note that an item needs nothing more."""
    note = request.form.get("note", "").strip()
    try:
        mark_reviewed(services().data_dir, _queue(queue).name, _field("key"), _field("digest"), note, actor())
    except ReviewError as error:
        return _queue_page(QUEUES[queue], problem=str(error), status=400)
    return _back_to(queue, "seen")


@blueprint.post("/<queue>/reopen")
@require(Role.EDITOR)
def reopen(queue: str) -> Response:
    """Put an item back into its queue."""
    if not reopen_review(services().data_dir, _queue(queue).name, _field("key"), actor()):
        return _queue_page(QUEUES[queue], problem="这一项现在没有标为看过，可能已有人重新打开了它。", status=400)
    return _back_to(queue, "open")


@blueprint.post("/again")
@require(Role.EDITOR)
def again() -> Response:
    """List once more what could not be listed."""
    task_for(services().data_dir, TASK, _generation(), actor(), again=True)
    return redirect(url_for("quality.show"), 303)


def queue_counts() -> list[QueueCount]:
    """All queues with their open items; nothing is listed for it."""
    data = services().data_dir
    found: Mapping[str, int] = {}
    try:
        found = review_counts(data, _generation()) or {}
    except IndexerError:  # the desk's front page says what is wrong with the index
        found = {}
    counts = [QueueCount(queue, found.get(queue.name)) for queue in QUEUES.values() if queue.is_of_pages]
    try:
        gaps: int | None = len(_gaps(seen=False))
    except IndexerError:
        gaps = None
    return [*counts, QueueCount(QUEUES[GAPS], gaps)]


def _generation() -> str:
    return services().engine.get().generation


def _queue(name: str) -> Queue:
    if name not in QUEUES:
        abort(404)
    return QUEUES[name]


def _field(name: str) -> str:
    return request.form.get(name, "")


def _made_by() -> Job | None:
    """The job that lists the queues of the generation that is served; None when that is done."""
    data, generation = services().data_dir, _generation()
    return made_or_task(lambda: review_counts(data, generation), data, TASK, generation, actor())[1]


def _back_to(queue: str, done: str) -> Response:
    chosen: dict[str, Any] = {
        "site": _field("site")[:MAX_SITE_CHARS] or None,
        "page": number_in(_field("page")),
    }
    seen = "1" if done == "open" else None
    return redirect(url_for("quality.show_queue", queue=queue, done=done, seen=seen, **chosen), 303)


def _queue_page(queue: Queue, problem: str = "", note: str = "", status: int = 200) -> Response:
    site, seen = request.args.get("site", "")[:MAX_SITE_CHARS], request.args.get("seen") == "1"
    number = asked_page()
    try:
        page, job = _listed(queue, site or None, number, seen)
        if page is not None and number > 1 and not page.items:  # what stood there has been done
            number = max(ceil(page.total / PER_PAGE), 1)
            page, job = _listed(queue, site or None, number, seen)
    except LogUnreadable:
        page, job, problem = None, None, "查询日志读不出来；请运行 yiwen doctor 查看原因。"
    known: dict[str, Any] = {
        "queue": queue,
        "listed": page,
        "site": site,
        "number": number,
        "pages": ceil(page.total / PER_PAGE) if page else 0,
        "seen": seen,
    }
    return _with_job("desk/quality_queue.html", job, status, problem=problem, note=note, **known)


def _with_job(template: str, job: Job | None, status: int = 200, **known: Any) -> Response:
    return make_response(render_template(template, job=job, note_limit=MAX_NOTE_CHARS, **known), status)


def _listed(queue: Queue, site: str | None, number: int, seen: bool) -> tuple[ReviewPage | None, Job | None]:
    """A page of a queue, or the job that will give it."""
    offset = (number - 1) * PER_PAGE
    if not queue.is_of_pages:
        items = _gaps(seen)
        return ReviewPage(len(items), tuple(items[offset : offset + PER_PAGE]), ()), None
    if (job := _made_by()) is not None:
        return None, job
    return review_page(services().data_dir, _generation(), queue.name, offset, PER_PAGE, site, seen), None


def _gaps(seen: bool) -> list[Listed]:
    found = content_gaps(
        services().data_dir, services().query_log, services().settings.log_min_sessions, holdings_of_site()
    )
    return [each for each in found if each.is_seen == seen]
