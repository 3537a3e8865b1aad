"""Building from the desk: start, watch, cancel, and what came of earlier builds.

A page that watches a build loads itself again every few seconds; with script it is told by server-sent events, each of
which is a short reply that the browser asks for again, for a worker answers one request at a time.
"""

from __future__ import annotations

import json
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import Job, cancel_job, find_job, list_jobs, list_manifests, read_log, start_job, taken_in
from indexer.errors import IndexerError, JobError
from webapp.auth import actor, current_user, require
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("builds", __name__, url_prefix="/desk/builds")

MAX_PATH_CHARS = 1_000
#: so soon a browser asks again how far a build is
RETRY_MS = 1_000


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "建立索引", "builds.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """What was built, and a form to build."""
    return _page()


@blueprint.post("")
@require(Role.EDITOR)
def start() -> AnyResponse:
    """Start a build. An editor chooses among the folders that were built from before; an admin may name another."""
    given = request.form.get("corpus", "").strip()
    problem = _objection(given)
    if not problem:
        try:
            job = start_job(services().data_dir, Path(given), actor(), request.form.get("update") == "1")
            return redirect(url_for("builds.watch", number=job.number), 303)
        except IndexerError as error:
            problem = str(error)
    return _page(problem, given, 400)


@blueprint.get("/<int:number>")
@require(Role.EDITOR)
def watch(number: int) -> Response:
    """How far a build is, and its log."""
    return _watched(number)


@blueprint.get("/<int:number>/events")
@require(Role.EDITOR)
def events(number: int) -> Response:
    """One event with how far a build is; 204 when it has ended, after which a browser asks no more (HTML Standard,
    section 9.2).
    """
    job = _job(number)
    if job.status != "running":
        return Response(status=204)
    told = json.dumps({"stage": job.stage, "done": job.done, "total": job.total}, ensure_ascii=False)
    return Response(f"retry: {RETRY_MS}\ndata: {told}\n\n", mimetype="text/event-stream")


@blueprint.post("/<int:number>/cancel")
@require(Role.EDITOR)
def cancel(number: int) -> AnyResponse:
    """Ask a build to stop."""
    try:
        cancel_job(services().data_dir, number, actor())
    except IndexerError as error:
        return _watched(number, str(error), 400)
    return redirect(url_for("builds.watch", number=number), 303)


def known_corpora() -> list[str]:
    """The folders that generations and jobs were made from, the latest first; then the pages of the inbox alone. What
    somebody mistyped is not offered again.
    """
    data = services().data_dir
    built = (manifest.corpus for manifest in reversed(list_manifests(data)))
    inbox = [inbox_corpus()] if taken_in(data) else []
    tried = (job.subject for job in list_jobs(data, kind="build") if Path(job.subject).is_dir())
    return list(dict.fromkeys([*tried, *built, *inbox]))


def inbox_corpus() -> str:
    """The folder that is built from when nothing but the pages of the inbox is wanted."""
    return str((services().data_dir / "pages").resolve())


def _objection(given: str) -> str:
    if not given:
        return "请选择语料目录。"
    if len(given) > MAX_PATH_CHARS or "\0" in given:
        return "语料目录的路径不能用。"
    if given in known_corpora():
        return ""
    user = current_user()
    if user is None or user.role < Role.ADMIN:
        return "只有管理员可以使用新的语料目录；请从列出的目录里选择。"
    return "" if Path(given).is_absolute() else "请写出语料目录在服务器上的完整路径，以 / 开头。"


def _page(problem: str = "", corpus: str = "", status: int = 200) -> Response:
    try:
        jobs: list[Job] = list_jobs(services().data_dir, kind="build")
        corpora = known_corpora()
    except IndexerError as error:
        jobs, corpora, problem = [], [], problem or str(error)
    page = render_template(
        "desk/builds.html", jobs=jobs, corpora=corpora, problem=problem, corpus=corpus, inbox_corpus=inbox_corpus()
    )
    return make_response(page, status)


def _watched(number: int, problem: str = "", status: int = 200) -> Response:
    job, log = _job(number), read_log(services().data_dir, number)
    return make_response(render_template("desk/build.html", job=job, log=log, problem=problem), status)


def _job(number: int) -> Job:
    try:
        return find_job(services().data_dir, number)
    except JobError:
        abort(404)
