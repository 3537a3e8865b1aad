"""Who is at the desk: sessions in a cookie, the guard of every page of it, and the tokens of its forms.

`require(role)` stands above each view of the desk. It leads who is not logged in to the login, tells who may not, and
lets a form pass only from a page of this site (same_site.py) with a token bound to the session. A view under /desk
without it, or `open_to_all`, is never called.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, abort, after_this_request, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import record_act
from webapp.accounts import LINK_SECONDS, TOKEN_BYTES, Accounts, Session
from webapp.asking import BadParameter
from webapp.display import current_address, local_address
from webapp.passwords import MIN_PASSWORD_CHARS
from webapp.rate_limit import RateLimit, client_of
from webapp.roles import NotLoggedIn, Role, RoleTooLow, User
from webapp.same_site import refuse_cross_site
from webapp.services import services

__all__ = ["Role", "audit", "current_user", "open_to_all", "require"]

PREFIX = "/desk"

#: A login costs 64 MiB and a tenth of a second or more of hashing, so a client may try only so many, right or wrong.
LOGINS_PER_MINUTE, LOGINS_AT_ONCE = 30, 40

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NONCE_CHARS = 22

View = TypeVar("View", bound=Callable[..., Any])


@dataclass
class Desk:
    """What the login of one app holds. `first_link` is set before workers are forked, never after."""

    accounts: Accounts
    logins: RateLimit = field(default_factory=lambda: RateLimit(LOGINS_PER_MINUTE, LOGINS_AT_ONCE))
    first_link: tuple[bytes, float] | None = None  #: SHA-256 of its token; when it ends, seconds of `time.time`


def register(app: Flask) -> None:
    """Give the app its accounts and guard the desk."""
    from webapp import login_pages

    held = app.extensions["yiwen"]
    idle_s, absolute_s = held.settings.session_idle_minutes * 60, held.settings.session_hours * 3600
    app.extensions["yiwen.auth"] = Desk(Accounts(held.data_dir, idle_s, absolute_s))
    app.add_template_global(current_user, "desk_user")
    app.add_template_global(form_token, "desk_token")
    app.jinja_env.globals.update(MIN_PASSWORD_CHARS=MIN_PASSWORD_CHARS)
    app.before_request(refuse_unguarded)
    app.register_blueprint(login_pages.blueprint)


def desk() -> Desk:
    """The login of the app that answers this request."""
    return cast(Desk, current_app.extensions["yiwen.auth"])


def accounts() -> Accounts:
    """The users of the app that answers this request."""
    return desk().accounts


# the guard


def require(role: Role) -> Callable[[View], View]:
    """Let only users with this role, or a higher one, call the view."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            session = current_session()
            if session is None:
                if request.method in ("GET", "HEAD") and not _asks_as_program():
                    return redirect(url_for("auth.login", next=current_address()), 303)
                raise NotLoggedIn
            if session.user.role < role:
                raise RoleTooLow(
                    f"这里需要“{role.label}”的权限，您现在是“{session.user.role.label}”。需要的话请找管理员。"
                )
            if request.method not in _SAFE:
                check_form()
            return view(*args, **kwargs)

        guarded.desk_role = role  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def open_to_all(view: View) -> View:
    """Mark a view of the desk that those who are not logged in need. Its forms are for it to check."""
    view.desk_role = None  # type: ignore[attr-defined]
    return view


def refuse_unguarded() -> None:
    """A page of the desk that somebody forgot to guard is seen by nobody."""
    if request.endpoint and (request.path == PREFIX or request.path.startswith(f"{PREFIX}/")):
        view = current_app.view_functions[request.endpoint]
        if not hasattr(view, "desk_role"):
            current_app.logger.error("the view %s has neither require nor open_to_all", request.endpoint)
            abort(403)


def _asks_as_program() -> bool:
    """Whether a script asks, which can do nothing with a page to log in."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "text/event-stream"])
    return best in ("application/json", "text/event-stream")


def audit(actor: str, action: str, object: str, detail: str = "") -> None:
    """Log an act about something outside state.sqlite3; within it, use `indexer.add_act` in the same transaction.

    `action` in a few Chinese words; `object`: which one; `detail`: reason, values. Raises StateError.
    """
    record_act(services().data_dir, actor, action, object, detail)


# sessions


def current_session() -> Session | None:
    """The session of this request, looked up once. Searchers have no cookie, and for them nothing is looked up."""
    if "desk_session" not in g:
        token = request.cookies.get(_cookie(), "")
        g.desk_session = accounts().session(token) if token else None
    return cast("Session | None", g.desk_session)


def current_user() -> User | None:
    """Who is logged in; None for searchers."""
    session = current_session()
    return session.user if session else None


def actor() -> str:
    """The name of who is logged in, for the log; only within a guarded view."""
    user = current_user()
    assert user is not None
    return user.name


def session_token() -> str:
    """What the cookie holds, or ""."""
    return request.cookies.get(_cookie(), "")


def begin_session(response: AnyResponse, token: str) -> None:
    """Send the cookie of a new session, whose older one in this browser ends. It ends with the browser, too."""
    if old := session_token():
        accounts().log_out(old)
    _send_cookie(response, _cookie(), token)


def end_session(response: AnyResponse) -> None:
    """End this request's session, and take its cookie away."""
    if token := session_token():
        accounts().log_out(token)
    response.delete_cookie(_cookie(), secure=request.is_secure, httponly=True, samesite="Strict")


def client() -> str:
    """Who counts as one client among those who log in; this machine is one too."""
    return client_of(request.remote_addr) or "local"


def way_back(given: str) -> str:
    """Where a login leads: `given` when that is a page of this site, else the desk."""
    address = local_address(given)
    leads_to_login = address.startswith(url_for("auth.login"))
    return address if given and address == given and not leads_to_login else url_for("desk.front")


def _cookie() -> str:
    # The prefix makes browsers refuse it from another host of the domain and over plain http (RFC 6265bis, 4.1.3.2).
    return "__Host-yiwen" if request.is_secure else "yiwen"


def _send_cookie(response: AnyResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, secure=request.is_secure, httponly=True, samesite="Strict")


# forms


def form_token() -> str:
    """What a form of the desk sends along as `token`: another each time, so that packing a page tells nothing."""
    nonce = secrets.token_urlsafe(16)
    return nonce + _signature(nonce, session_token() if current_session() else _visit())


def check_form() -> None:
    """Raises Forbidden for another site's form, BadParameter for one without the token of this session."""
    refuse_cross_site()
    sent = request.form.get("token", "") or request.headers.get("X-Form-Token", "")
    nonce, signature = sent[:_NONCE_CHARS], sent[_NONCE_CHARS:]
    secret = session_token() if current_session() else request.cookies.get(_visit_cookie(), "")
    expected = _signature(nonce, secret)
    if not secret or not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
        raise BadParameter("这一页已经过期，或者浏览器没有允许 cookie。请返回上一页，刷新后再提交。")


def _signature(nonce: str, secret: str) -> str:
    key, message = secret.encode("utf-8", "replace"), b"form " + nonce.encode("utf-8", "replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _visit_cookie() -> str:
    return f"{_cookie()}-visit"


def _visit() -> str:
    """What forms before a login are bound to: random, sent with the page that has the form, gone with the browser."""
    if "desk_visit" not in g:
        g.desk_visit = request.cookies.get(_visit_cookie(), "")
        if not g.desk_visit:
            visit = g.desk_visit = secrets.token_urlsafe(TOKEN_BYTES)

            def send(response: Response) -> Response:
                _send_cookie(response, _visit_cookie(), visit)
                return response

            after_this_request(send)
    return cast(str, g.desk_visit)


# the first admin


def offer_first_admin(app: Flask) -> str | None:
    """The path of a link by which the first admin is made, once, within an hour; None when there are users.

    Call it before workers are forked: only the token's hash is kept, in memory. Raises StateError.
    """
    held = cast(Desk, app.extensions["yiwen.auth"])
    if held.accounts.users():
        return None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    held.first_link = hashlib.sha256(token.encode()).digest(), time.time() + LINK_SECONDS
    return f"{PREFIX}/first/{token}"


def is_first_link(token: str) -> bool:
    """Whether it is the link that was printed, in time, and no user was made since."""
    if desk().first_link is None:
        return False
    digest, expires = cast("tuple[bytes, float]", desk().first_link)
    given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    return hmac.compare_digest(given, digest) and time.time() < expires and not accounts().users()
