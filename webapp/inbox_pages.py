"""The inbox of the editors' desk: uploads, the batches that came of them, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from flask import Blueprint, Flask, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import (
    INBOX_FILTERS,
    Batch,
    ListedPage,
    add_uploads,
    discard_batch,
    find_batch,
    fits_filter,
    inspecting_job,
    left_out_pages,
    list_batches,
    list_inbox_pages,
    read_summary,
    start_inspecting,
    take_batch,
)
from indexer.errors import InboxError, IndexerError
from webapp.asking import asked_page, number_in
from webapp.auth import actor, require
from webapp.roles import Role
from webapp.services import services
from webapp.uploads import uploads_of

blueprint = Blueprint("inbox", __name__, url_prefix="/desk/inbox")

PER_PAGE = 50
MAX_NAME_CHARS = 100
#: sites offered as a filter, those with most pages first
MAX_SITES = 100
ENDINGS = ".html,.htm,.txt,.jsonl,.warc,.gz,.zip"
NOTES = {
    "taken": "已收进，下一次建立索引时加入。",
    "discarded": "已丢弃。",
    "removed": "已撤出，下一次建立索引时去掉。",
    "left_out": "这一页不收。",
    "put_in": "这一页放回来了。",
}


@dataclass(frozen=True)
class Paged:
    """Some of the pages of a batch."""

    pages: list[ListedPage]
    total: int  #: that fit the filter
    page: int  #: of the list, from 1
    last: int


def register(app: Flask) -> None:
    """Put the inbox at the desk."""
    from webapp import inbox_page_views, uploads
    from webapp.editor_console import add_page

    uploads.register(app, "inbox.upload")
    app.register_blueprint(blueprint)
    app.register_blueprint(inbox_page_views.blueprint)
    app.add_template_filter(megabytes)
    add_page(app, "收件箱", "inbox.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """A form to upload, and the batches, the latest first."""
    return _inbox()


@blueprint.post("")
@require(Role.EDITOR)
def upload() -> AnyResponse:
    """Make a batch of what was sent, and begin to inspect it."""
    name, data = request.form.get("name", ""), services().data_dir
    try:
        number = add_uploads(data, uploads_of("files"), name, actor(), services().settings)
        start_inspecting(data, number, actor())
    except IndexerError as error:
        return _inbox(str(error), name, 400)
    return redirect(url_for("inbox.batch", number=number), 303)


@blueprint.get("/<int:number>")
@require(Role.EDITOR)
def batch(number: int) -> Response:
    """How far its inspection is, what it comes to, and its pages."""
    return _batch(number, note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.post("/<int:number>/inspect")
@require(Role.EDITOR)
def inspect(number: int) -> AnyResponse:
    """Inspect it once more, with the rules as they are now."""
    found(number)
    try:
        if start_inspecting(services().data_dir, number, actor()) is None:
            return _batch(number, "正在检查另一批；请等它结束再试。", 400)
    except IndexerError as error:
        return _batch(number, str(error), 400)
    return redirect(url_for("inbox.batch", number=number), 303)


@blueprint.post("/<int:number>/take")
@require(Role.EDITOR)
def take(number: int) -> AnyResponse:
    """From the next build on, its pages are searched."""
    found(number)
    try:
        take_batch(services().data_dir, number, actor())
    except IndexerError as error:
        return _batch(number, str(error), 400)
    return redirect(url_for("inbox.batch", number=number, done="taken"), 303)


@blueprint.post("/<int:number>/discard")
@require(Role.EDITOR)
def discard(number: int) -> AnyResponse:
    """Delete its pages; one that was taken in leaves the next build."""
    was_taken = found(number).state == "taken"
    try:
        discard_batch(services().data_dir, number, actor(), request.form.get("reason", ""))
    except IndexerError as error:
        return _batch(number, str(error), 400)
    return redirect(url_for("inbox.batch", number=number, done="removed" if was_taken else "discarded"), 303)


def found(number: int) -> Batch:
    """A batch; a number that nobody has is no page."""
    try:
        return find_batch(services().data_dir, number)
    except InboxError:
        abort(404)


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1_000:.1f} KB"


def chosen_filter() -> tuple[str, str | None]:
    """The filter and the site that the address asks for; what is unknown counts as none."""
    wanted, site = request.args.get("only", ""), request.args.get("site")
    return wanted if wanted in INBOX_FILTERS else "", site or None


def _inbox(problem: str = "", name: str = "", status: int = 200) -> Response:
    before = request.args.get("before", "")
    try:
        batches = list_batches(services().data_dir, PER_PAGE + 1, number_in(before) or 1 if before else None)
    except InboxError as error:
        batches, problem = [], problem or str(error)
    page = render_template(
        "desk/inbox.html",
        batches=batches[:PER_PAGE],
        older=batches[PER_PAGE - 1].number if len(batches) > PER_PAGE else None,
        problem=problem,
        name=name,
        max_bytes=services().settings.max_upload_bytes,
        endings=ENDINGS,
        MAX_NAME_CHARS=MAX_NAME_CHARS,
    )
    return make_response(page, status)


def _batch(number: int, problem: str = "", status: int = 200, note: str = "") -> Response:
    data, batch = services().data_dir, found(number)
    wanted, site = chosen_filter()
    out = left_out_pages(data, number)
    job, summary, pages = None, None, Paged([], 0, 1, 1)
    try:
        job, summary = inspecting_job(data, number), read_summary(data, number)
        pages = _paged(number, out, wanted, site)
    except InboxError as error:
        problem = problem or str(error)
    page = render_template(
        "desk/inbox_batch.html",
        batch=batch,
        job=job,
        summary=summary,
        paged=pages,
        left_out=out,
        wanted=wanted,
        site=site,
        sites=list(summary.sites)[:MAX_SITES] if summary else [],
        filters=INBOX_FILTERS,
        problem=problem,
        note=note,
    )
    return make_response(page, status)


def _paged(number: int, out: dict[tuple[int, str], str], wanted: str, site: str | None) -> Paged:
    fitting = [
        page
        for page in list_inbox_pages(services().data_dir, number)
        if fits_filter(page, wanted, site, (number, page.key) in out)
    ]
    last = max(-(-len(fitting) // PER_PAGE), 1)
    asked = asked_page(last=last)
    return Paged(list(islice(fitting, (asked - 1) * PER_PAGE, asked * PER_PAGE)), len(fitting), asked, last)
