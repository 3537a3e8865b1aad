"""The page on which admins add users, change roles, send new links, unlock and remove."""

from __future__ import annotations

from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.accounts import LINK_SECONDS, BadCredential, RefusedChange
from webapp.asking import BadParameter
from webapp.auth import accounts, actor, require
from webapp.roles import Role

blueprint = Blueprint("users", __name__, url_prefix="/desk/users")

NOTES = {"role": "角色已经更改，这位用户须重新登录。", "remove": "用户已经删除。", "unlock": "锁定已经解除。"}


def register(app: Flask) -> None:
    """Put the page at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "用户", "users.show", Role.ADMIN)


@blueprint.get("")
@require(Role.ADMIN)
def show() -> Response:
    """All users."""
    return _page(note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.post("/add")
@require(Role.ADMIN)
def add() -> Response:
    """Add a user, and show the link by which they set their password. It is shown this once."""
    name, role = request.form.get("name", ""), _role()
    try:
        user = accounts().add(name, role, actor())
    except (BadCredential, RefusedChange) as refused:
        return _page(problem=str(refused), typed=name, status=400)
    return _page(link_for=user.name, link=_link(user.name))


@blueprint.post("/link")
@require(Role.ADMIN)
def link() -> Response:
    """Show a new link by which a user sets another password."""
    name = request.form.get("name", "")
    try:
        return _page(link_for=name, link=_link(name))
    except RefusedChange as refused:
        return _page(problem=str(refused), status=400)


@blueprint.post("/role")
@require(Role.ADMIN)
def role() -> Response:
    """Give a user another role."""
    try:
        accounts().set_role(request.form.get("name", ""), _role(), actor())
    except RefusedChange as refused:
        return _page(problem=str(refused), status=400)
    return _done("role")


@blueprint.post("/unlock")
@require(Role.ADMIN)
def unlock() -> Response:
    """Let a user try to log in again at once."""
    try:
        accounts().unlock(request.form.get("name", ""), actor())
    except RefusedChange as refused:
        return _page(problem=str(refused), status=400)
    return _done("unlock")


@blueprint.post("/remove")
@require(Role.ADMIN)
def remove() -> Response:
    """Remove a user; the box beside the button must be ticked."""
    if request.form.get("sure") != "1":
        return _page(problem="请先勾选“确定删除”。", status=400)
    try:
        accounts().remove(request.form.get("name", ""), actor())
    except RefusedChange as refused:
        return _page(problem=str(refused), status=400)
    return _done("remove")


def _role() -> Role:
    try:
        return Role.of(request.form.get("role", ""))
    except ValueError as error:
        raise BadParameter(str(error)) from error


def _link(name: str) -> str:
    token = accounts().make_link(name, actor())
    return url_for("auth.link", token=token, _external=True)


def _done(what: str) -> Response:
    return redirect(url_for("users.show", done=what), 303)


def _page(
    note: str = "", problem: str = "", typed: str = "", link_for: str = "", link: str = "", status: int = 200
) -> Response:
    page = render_template(
        "desk/users.html",
        users=accounts().users(),
        locked=accounts().locked_for_s(),
        roles=list(Role),
        note=note,
        problem=problem,
        typed=typed,
        link_for=link_for,
        link=link,
        link_minutes=LINK_SECONDS // 60,
    )
    return make_response(page, status)
