"""The editors' desk: its front page, its navigation, and where further pages are entered.

A further page is a view under /desk with `@auth.require(role)`, whose template extends `desk/desk_base.html`, and
`add_page(app, title, endpoint, role)`, which puts it into everybody's navigation who may see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import Blueprint, Flask, current_app, render_template, request, url_for

from indexer import ActFilter, list_batches, list_proposals, list_take_downs, read_acts
from indexer.errors import IndexerError
from webapp.auth import accounts, current_session, current_user, require, session_token
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

#: how many of one's own acts the front page shows
OWN_ACTS = 5
#: how many batches and proposals it looks through
MAX_WAITING = 100

NOTES = {"password": "密码已经改好，其他地方的登录都已退出。"}


@dataclass(frozen=True)
class DeskPage:
    """A page of the desk's navigation."""

    title: str  #: in Chinese, a few characters
    endpoint: str  #: of a view that needs no further values
    role: Role  #: the lowest that may see it
    group: str  #: the heading it stands under; empty for none


@dataclass(frozen=True)
class DeskLink:
    """A page in one user's navigation."""

    title: str
    endpoint: str
    place: str  #: for `aria-current`: "page" on the page itself, "true" on a page below it, else empty


@dataclass(frozen=True)
class DeskGroup:
    """What stands together in one user's navigation."""

    title: str  #: empty for what needs none
    pages: tuple[DeskLink, ...]


@dataclass(frozen=True)
class Waiting:
    """What editors have to decide, counted among the latest `MAX_WAITING` of each."""

    batches: int
    proposals: int


@dataclass(frozen=True)
class Served:
    """What is served now."""

    generation: str | None  #: None when nothing is
    problems: tuple[str, ...]  #: sentences


def register(app: Flask) -> None:
    """Put the desk on the site."""
    from webapp import (
        audit_pages,
        build_pages,
        comparison_pages,
        curation_pages,
        dashboard,
        generation_pages,
        inbox_pages,
        judgement_pages,
        lexicon_pages,
        proposal_pages,
        quality_pages,
        replay_pages,
        resource_pages,
        rule_pages,
        take_down_pages,
        trust_pages,
        urgency_pages,
        user_pages,
    )

    # The navigation's groups, in the order in which they stand; 概况 is before them.
    groups = (
        ("分析", (dashboard, replay_pages, judgement_pages)),
        ("收录", (inbox_pages, rule_pages, build_pages, generation_pages, comparison_pages)),
        ("内容", (quality_pages, take_down_pages, curation_pages, trust_pages)),
        ("词和规则", (lexicon_pages, urgency_pages, resource_pages, proposal_pages)),
        ("管理", (user_pages, audit_pages)),
    )
    app.extensions["yiwen.desk_pages"] = []
    app.extensions["yiwen.desk_group"] = ""
    app.add_template_global(navigation, "desk_navigation")
    app.add_template_filter(moment)
    app.register_blueprint(blueprint)
    add_page(app, "概况", "desk.front", Role.ANALYST)
    for group, modules in groups:
        app.extensions["yiwen.desk_group"] = group
        for pages in modules:
            pages.register(app)


def add_page(app: Flask, title: str, endpoint: str, role: Role) -> None:
    """Enter a page into the navigation, after those that were entered before and in the group that is being filled."""
    group = app.extensions["yiwen.desk_group"]
    app.extensions["yiwen.desk_pages"].append(DeskPage(title, endpoint, role, group))


def navigation() -> list[DeskGroup]:
    """The pages that the user of this request may see, with the one they are on."""
    user = current_user()
    pages = cast("list[DeskPage]", current_app.extensions["yiwen.desk_pages"])
    addresses = {page: url_for(page.endpoint) for page in pages if user is not None and user.role >= page.role}
    here = request.script_root + request.path
    above = [page for page, address in addresses.items() if f"{here}/".startswith(f"{address}/")]
    nearest = max(above, key=lambda page: len(addresses[page]), default=None)
    groups: dict[str, list[DeskLink]] = {}
    for page, address in addresses.items():
        place = "" if page != nearest else "page" if here == address else "true"
        groups.setdefault(page.group, []).append(DeskLink(page.title, page.endpoint, place))
    return [DeskGroup(title, tuple(links)) for title, links in groups.items()]


@blueprint.get("")
@require(Role.ANALYST)
def front() -> str:
    """Who is logged in, what is served, and what waits to be looked through."""
    from webapp.quality_pages import queue_counts

    session = current_session()
    assert session is not None
    is_editor = session.user.role >= Role.EDITOR
    return render_template(
        "desk/front.html",
        session=session,
        others=accounts().other_sessions(session_token()),
        served=served_now(),
        queues=queue_counts() if is_editor else (),
        waiting=_waiting() if is_editor else Waiting(0, 0),
        taken_down=len(list_take_downs(services().data_dir)),
        acts=read_acts(services().data_dir, ActFilter(actor=session.user.name), OWN_ACTS),
        note=NOTES.get(request.args.get("done", ""), ""),
    )


def _waiting() -> Waiting:
    """What nobody has decided yet; none where the state cannot be read, which the pages themselves tell."""
    data = services().data_dir
    try:
        batches = [batch for batch in list_batches(data, MAX_WAITING) if batch.state == "waiting"]
        return Waiting(len(batches), len(list_proposals(data, "open", MAX_WAITING)))
    except IndexerError:
        return Waiting(0, 0)


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
