"""The editors' desk: its front page, its navigation, and where further pages are entered.

A further page is a view under /desk with `@auth.require(role)`, whose template extends `desk/desk_base.html`, and
`add_page(app, title, endpoint, role)`, which puts it into everybody's navigation who may see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import Blueprint, Flask, current_app, render_template, request

from indexer import ActFilter, list_take_downs, read_acts
from indexer.errors import IndexerError
from webapp.auth import accounts, current_session, current_user, require, session_token
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

#: how many of one's own acts the front page shows
OWN_ACTS = 5

NOTES = {"password": "密码已经改好，其他地方的登录都已退出。"}


@dataclass(frozen=True)
class DeskPage:
    """A page of the desk's navigation."""

    title: str  #: in Chinese, a few characters
    endpoint: str  #: of a view that needs no further values
    role: Role  #: the lowest that may see it


@dataclass(frozen=True)
class Served:
    """What is served now."""

    generation: str | None  #: None when nothing is
    problems: tuple[str, ...]  #: sentences


def register(app: Flask) -> None:
    """Put the desk on the site."""
    from webapp import audit_pages, build_pages, generation_pages, take_down_pages, user_pages

    app.extensions["yiwen.desk_pages"] = []
    app.add_template_global(navigation, "desk_navigation")
    app.add_template_filter(moment)
    app.register_blueprint(blueprint)
    add_page(app, "概况", "desk.front", Role.ANALYST)
    build_pages.register(app)
    generation_pages.register(app)
    take_down_pages.register(app)
    user_pages.register(app)
    audit_pages.register(app)


def add_page(app: Flask, title: str, endpoint: str, role: Role) -> None:
    """Enter a page into the navigation, after those that were entered before."""
    app.extensions["yiwen.desk_pages"].append(DeskPage(title, endpoint, role))


def navigation() -> list[DeskPage]:
    """The pages that the user of this request may see."""
    user = current_user()
    pages = cast("list[DeskPage]", current_app.extensions["yiwen.desk_pages"])
    return [page for page in pages if user is not None and user.role >= page.role]


@blueprint.get("")
@require(Role.ANALYST)
def front() -> str:
    """Who is logged in, and what is served."""
    session = current_session()
    assert session is not None
    return render_template(
        "desk/front.html",
        session=session,
        others=accounts().other_sessions(session_token()),
        served=served_now(),
        taken_down=len(list_take_downs(services().data_dir)),
        acts=read_acts(services().data_dir, ActFilter(actor=session.user.name), OWN_ACTS),
        note=NOTES.get(request.args.get("done", ""), ""),
    )


def served_now() -> Served:
    """The generation that answers searches, and what is wrong with it."""
    try:
        engine = services().engine.get()
        return Served(engine.generation, engine.problems)
    except IndexerError as error:
        return Served(None, (str(error),))


def moment(at: int | str | None) -> str:
    """A time for people, in UTC: seconds since 1970, or as the log of acts has it."""
    if at is None:
        return "从未"
    if isinstance(at, str):
        return at.replace("T", " ").replace("Z", "")
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
