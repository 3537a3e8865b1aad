"""Two generations side by side: `/desk/generations/compare?a=&b=`. Comparing them is a job; its result is kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import (
    Manifest,
    base_of,
    changed_parts,
    forget_comparison,
    list_manifests,
    read_comparison,
    subject_of,
)
from indexer.errors import IndexerError
from webapp.auth import actor, require
from webapp.roles import Role
from webapp.services import services
from webapp.tasks import made_or_task, task_for

blueprint = Blueprint("comparison", __name__, url_prefix="/desk/generations/compare")

TASK = "compare"
MAX_NAME_CHARS = 40


def register(app: Flask) -> None:
    """Put the page at the desk. It is reached from the list of generations, so it is not in the navigation."""
    app.register_blueprint(blueprint)
    app.add_template_global(changed_parts)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """What `b` has other than `a`, which is the served generation, or the parent of the served one, when not said."""
    manifests = list_manifests(services().data_dir)
    names = {manifest.generation for manifest in manifests}
    before, after = (request.args.get(name, "")[:MAX_NAME_CHARS] for name in ("a", "b"))
    if not after:
        return _page(manifests, before, after)
    if after not in names:
        return _page(manifests, before, after, f"没有完好的 {after}；请从列出的各代里选择。", 404)
    before = before or base_of(services().data_dir, after) or ""
    if not before:
        return _page(manifests, before, after, f"{after} 是第一代，没有可比较的。")
    if before not in names:
        return _page(manifests, before, after, f"没有完好的 {before}；请从列出的各代里选择。", 404)
    if before == after:
        return _page(manifests, before, after, "请选择两个不同的代。")
    return _compared(manifests, before, after)


@blueprint.post("/again")
@require(Role.EDITOR)
def again() -> Response:
    """Compare two generations anew: judged questions or bounds may have changed."""
    before, after = (request.form.get(name, "")[:MAX_NAME_CHARS] for name in ("a", "b"))
    data, manifests = services().data_dir, list_manifests(services().data_dir)
    if before == after or not {before, after} <= {manifest.generation for manifest in manifests}:
        return _page(manifests, before, after, "请从列出的各代里选择两代。", 400)
    forget_comparison(data, before, after)
    try:
        task_for(data, TASK, subject_of(before, after), actor(), again=True)
    except IndexerError as error:
        return _page(manifests, before, after, str(error), 400)
    return redirect(url_for("comparison.show", a=before, b=after), 303)


def _compared(manifests: list[Manifest], before: str, after: str) -> Response:
    data, subject = services().data_dir, subject_of(before, after)
    found, job = made_or_task(lambda: read_comparison(data, before, after), data, TASK, subject, actor())
    is_other = job is not None and job.subject != subject
    return _page(manifests, before, after, found=found, job=job, is_other=is_other)


def _page(
    manifests: list[Manifest], before: str, after: str, problem: str = "", status: int = 200, **known: Any
) -> Response:
    page = render_template(
        "desk/comparison.html",
        manifests=list(reversed(manifests)),
        before=before,
        after=after,
        problem=problem,
        **known,
    )
    return make_response(page, status)
