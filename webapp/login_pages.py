"""Logging in and out, one's own password, and the pages that one-time links lead to. No script is needed."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.accounts import BadCredential, LockedOut, RefusedChange, WrongCredentials
from webapp.auth import (
    accounts,
    actor,
    begin_session,
    check_form,
    client,
    current_session,
    desk,
    end_session,
    is_first_link,
    open_to_all,
    require,
    session_token,
    way_back,
)
from webapp.rate_limit import refuse_after
from webapp.roles import Role

blueprint = Blueprint("auth", __name__, url_prefix="/desk")

WRONG = "用户名或密码不对。"


@blueprint.route("/login", methods=["GET", "POST"])
@open_to_all
def login() -> Response | str:
    """The page to log in, and the login. `next`: where to lead afterwards."""
    back = way_back(request.values.get("next", ""))
    if request.method != "POST":
        if current_session() is not None:
            return redirect(back, 303)
        # The cookie does not come with a click on another site; a link of our own brings it.
        return _login_page(
            "", back, from_elsewhere=request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        )
    check_form()
    refuse_after(desk().logins.wait_s(client()))
    name = request.form.get("name", "")
    try:
        token = accounts().log_in(name, request.form.get("password", ""), client())
    except WrongCredentials:
        return _login_page(name, back, problem=WRONG, status=401)
    except LockedOut as locked:
        return _login_page(name, back, problem=_wait_sentence(locked), status=429, wait_s=locked.wait_s)
    response = redirect(back, 303)
    begin_session(response, token)
    return response


@blueprint.post("/logout")
@require(Role.ANALYST)
def logout() -> Response:
    """End this session."""
    response = redirect(url_for("auth.login"), 303)
    end_session(response)
    return response


@blueprint.post("/logout-others")
@require(Role.ANALYST)
def logout_others() -> Response:
    """End the sessions that the user has elsewhere."""
    accounts().log_out_others(session_token())
    return redirect(url_for("desk.front"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
@require(Role.ANALYST)
def password() -> Response | str:
    """Change one's own password, which ends all sessions but the new one of this browser."""
    if request.method != "POST":
        return _password_page()
    refuse_after(desk().logins.wait_s(client()))
    name, new = actor(), request.form.get("new", "")
    try:
        accounts().confirm(name, request.form.get("password", ""), client())
        _check_same(new)
        accounts().set_password(name, new, name)
        token = accounts().log_in(name, new, client())
    except WrongCredentials:
        return _password_page("现在的密码不对。", 400)
    except LockedOut as locked:
        return _password_page(_wait_sentence(locked), 429, locked.wait_s)
    except (BadCredential, RefusedChange) as refused:
        return _password_page(str(refused), 400)
    response = redirect(url_for("desk.front", done="password"), 303)
    begin_session(response, token)
    return response


@blueprint.route("/first/<token>", methods=["GET", "POST"])
@open_to_all
def first(token: str) -> Response | str:
    """Where the link that `yiwen serve` prints leads: the first admin is made."""
    if not is_first_link(token):
        return _dead_link()
    if request.method != "POST":
        return render_template("desk/set_password.html", first=True, name="", problem="")
    check_form()
    name, new = request.form.get("name", ""), request.form.get("new", "")
    try:
        _check_same(new)
        session = accounts().add_first(name, new)
    except RefusedChange:
        return _dead_link()
    except BadCredential as refused:
        page = render_template("desk/set_password.html", first=True, name=name, problem=str(refused))
        return make_response(page, 400)
    response = redirect(url_for("desk.front"), 303)
    begin_session(response, session)
    return response


@blueprint.route("/link/<token>", methods=["GET", "POST"])
@open_to_all
def link(token: str) -> Response | str:
    """Where a user's one-time link leads: the password is set. Looking at the page does not use it up."""
    user = accounts().link_user(token)
    if user is None:
        return _dead_link()
    if request.method != "POST":
        return render_template("desk/set_password.html", first=False, name=user.name, problem="")
    check_form()
    new = request.form.get("new", "")
    try:
        _check_same(new)
        session = accounts().use_link(token, new)
    except BadCredential as refused:
        page = render_template("desk/set_password.html", first=False, name=user.name, problem=str(refused))
        return make_response(page, 400)
    if session is None:
        return _dead_link()
    response = redirect(url_for("desk.front"), 303)
    begin_session(response, session)
    return response


def _login_page(
    name: str, back: str, problem: str = "", status: int = 200, wait_s: int = 0, from_elsewhere: bool = False
) -> Response:
    page = render_template(
        "desk/login.html", name=name, back=back, problem=problem, from_elsewhere=from_elsewhere and not problem
    )
    return _with_status(page, status, wait_s)


def _password_page(problem: str = "", status: int = 200, wait_s: int = 0) -> Response:
    return _with_status(render_template("desk/password.html", problem=problem), status, wait_s)


def _with_status(page: str, status: int, wait_s: int) -> Response:
    response = make_response(page, status)
    if status == 401:  # RFC 9110, 11.6.1: a 401 names a way to log in; ours is the page itself
        response.headers["WWW-Authenticate"] = 'Form realm="desk"'
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _dead_link() -> Response:
    return make_response(render_template("desk/dead_link.html"), 410)


def _check_same(new: str) -> None:
    """Raises BadCredential when the two fields of a new password differ."""
    if new != request.form.get("again", ""):
        raise BadCredential("两次输入的新密码不一样，请重新输入。")


def _wait_sentence(locked: LockedOut) -> str:
    minutes = -(-locked.wait_s // 60)
    return f"连续输错的次数太多，请等 {minutes} 分钟再试；着急可请管理员解除锁定。"
