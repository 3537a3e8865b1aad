"""The generations of the index: which there are, which is served, and going to another one."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import list_manifests, record_act, roll_back, switch_to
from indexer.errors import IndexerError
from webapp.auth import actor, require
from webapp.editor_console import served_now
from webapp.roles import Role
from webapp.services import services
from webapp.take_down_pages import too_long

blueprint = Blueprint("generations", __name__, url_prefix="/desk/generations")


def register(app: Flask) -> None:
    """Put the page at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "各代索引", "generations.show", Role.ANALYST)


@blueprint.get("")
@require(Role.ANALYST)
def show() -> Response:
    """All generations, the latest first."""
    done = request.args.get("done", "")
    return _page(note=f"现在使用的是 {done}。" if done else "")


@blueprint.post("/switch")
@require(Role.EDITOR)
def switch() -> AnyResponse:
    """Serve another generation; one that the gate refused only with a reason, which is kept."""
    reason = request.form.get("reason", "").strip()
    if problem := too_long(reason):
        return _page(problem, 400)
    try:
        manifest = switch_to(services().data_dir, request.form.get("generation", ""), reason or None)
    except IndexerError as error:
        return _page(str(error), 400)
    return _changed("启用未通过检查的索引" if manifest.objections else "启用索引", manifest.generation, reason)


@blueprint.post("/roll-back")
@require(Role.EDITOR)
def back() -> AnyResponse:
    """Serve the generation that was served before."""
    try:
        manifest = roll_back(services().data_dir)
    except IndexerError as error:
        return _page(str(error), 400)
    return _changed("回到上一代", manifest.generation)


def _changed(action: str, name: str, reason: str = "") -> AnyResponse:
    record_act(services().data_dir, actor(), action, name, reason)
    return redirect(url_for("generations.show", done=name), 303)


def _page(problem: str = "", status: int = 200, note: str = "") -> Response:
    try:
        manifests = list(reversed(list_manifests(services().data_dir)))
    except IndexerError as error:
        manifests, problem = [], problem or str(error)
    page = render_template(
        "desk/generations.html",
        manifests=manifests,
        names={manifest.generation for manifest in manifests},
        served=served_now().generation,
        problem=problem,
        note=note,
    )
    return make_response(page, status)
