"""Taking answers down and putting them back, each with a reason; from a page of the desk, and from an answer's own."""

from __future__ import annotations

from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import list_take_downs, put_back, take_down
from indexer.errors import IndexerError
from webapp.auth import actor, require
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("take_downs", __name__, url_prefix="/desk/take-downs")

#: an address, or an id, which records may bring
MAX_KEY_CHARS = 2_000
MAX_REASON_CHARS = 500

#: how many entries one page lists
PER_PAGE = 100


def register(app: Flask) -> None:
    """Put the page at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(MAX_REASON_CHARS=MAX_REASON_CHARS)
    add_page(app, "下架", "take_downs.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """What is taken down, and a form to take down more. `q`: a part of the key, the reason or the name; `key`: what
    stands in the form.
    """
    done, key = request.args.get("done", ""), request.args.get("key", "")
    note = {"down": f"已下架：{key}。{_hidden_sentence(key)}", "back": f"已恢复显示：{key}。"}.get(done, "")
    return _page(note=note, key="" if note else key[:MAX_KEY_CHARS])


@blueprint.post("")
@require(Role.EDITOR)
def add() -> Response:
    """Take an answer, or all of an address, down at once."""
    key, reason = _field("key"), _field("reason")
    if problem := _objection(key, reason):
        return _page(problem=problem, key=key, reason=reason, status=400)
    take_down(services().data_dir, key, reason, actor())
    return redirect(url_for("take_downs.show", done="down", key=key), 303)


@blueprint.post("/undo")
@require(Role.EDITOR)
def undo() -> Response:
    """Show again what was taken down."""
    key, reason = request.form.get("key", ""), _field("reason")
    if not reason:
        return _page(problem="请写明恢复的原因。", status=400)
    if problem := _objection(key, reason):
        return _page(problem=problem, status=400)
    if not put_back(services().data_dir, key, actor(), reason):
        return _page(problem=f"{key} 现在没有下架，可能已有人恢复了它。", status=400)
    return redirect(url_for("take_downs.show", done="back", key=key), 303)


def _field(name: str) -> str:
    return request.form.get(name, "").strip()


def _objection(key: str, reason: str) -> str:
    if not key:
        return "请写明要下架的编号或网址。"
    if len(key) > MAX_KEY_CHARS:
        return f"编号或网址太长：最多 {MAX_KEY_CHARS} 个字符。"
    if not reason:
        return "请写明下架的原因。"
    return too_long(reason)


def too_long(reason: str) -> str:
    """What is told of a reason that is too long for the log of acts; empty for any other."""
    return f"原因太长：最多 {MAX_REASON_CHARS} 个字。" if len(reason) > MAX_REASON_CHARS else ""


def _hidden_sentence(key: str) -> str:
    """How many answers that hides now."""
    try:
        count = services().engine.get().count_of(key)
    except IndexerError:
        return "现在没有可用的索引，今后建立索引时会跳过它。"
    if count:
        return f"当前一代中有 {count} 条答案因此隐藏。"
    return "当前一代中没有这个编号或网址的答案；今后建立索引时会跳过它。"


def _page(note: str = "", problem: str = "", key: str = "", reason: str = "", status: int = 200) -> Response:
    sought = request.args.get("q", "").strip()
    entries = [
        entry
        for entry in list_take_downs(services().data_dir)
        if sought in entry.key or sought in entry.reason or sought == entry.actor
    ]
    page = render_template(
        "desk/take_downs.html",
        entries=entries[:PER_PAGE],
        total=len(entries),
        sought=sought,
        note=note,
        problem=problem,
        key=key,
        reason=reason,
    )
    return make_response(page, status)
