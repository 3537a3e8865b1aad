"""How far editors trust the sites of the served generation: states with evidence, and what they were before."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import SourceTrust, TrustState, list_trust, set_trust, site_key, trust_history, trust_of
from indexer.errors import IndexerError, RefusedDecision
from webapp.asking import read_number
from webapp.auth import actor, require
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("trust", __name__, url_prefix="/desk/trust")

#: how many sites one page lists, and how many entries of one site's history
PER_PAGE = 50
MAX_HISTORY = 100
#: what takes a site's own judgement away
NO_STATE = "none"


@dataclass(frozen=True)
class SiteRow:
    """A site, with what is known of it."""

    site: str
    answers: int  #: in the served generation, shown or not
    trust: SourceTrust | None  #: what holds, perhaps by the domain above it


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "来源", "trust.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """The sites, those with most answers first: `q` (a part of the name), `state`, `page`."""
    problem = ""
    try:
        rows = site_rows()
    except IndexerError as error:
        rows, problem = [], str(error)
    sought, state = request.args.get("q", "").strip(), request.args.get("state", "")
    rows = [row for row in rows if sought.lower() in row.site and _is_in(state, row)]
    pages = max(math.ceil(len(rows) / PER_PAGE), 1)
    page = min(read_number(request.args, "page", 1), pages)
    body = render_template(
        "desk/trust.html",
        rows=rows[(page - 1) * PER_PAGE : page * PER_PAGE],
        total=len(rows),
        page=page,
        pages=pages,
        wanted={"q": sought, "state": state},
        states=list(TrustState),
        problem=problem,
    )
    return make_response(body)


@blueprint.get("/site")
@require(Role.EDITOR)
def site() -> Response:
    """One site (`site`): what holds, a form, its history."""
    note = "评定已记下，立即生效。" if request.args.get("done") else ""
    return _site_page(request.args.get("site", ""), note=note)


@blueprint.post("")
@require(Role.EDITOR)
def judge() -> Response:
    """Judge a site, or (state `none`) judge it no longer."""
    written, state = request.form.get("site", ""), request.form.get("state", "")
    evidence, link = request.form.get("evidence", ""), request.form.get("link", "")
    try:
        if state not in (NO_STATE, *(each.value for each in TrustState)):
            raise RefusedDecision("请选择一种评定。")
        chosen = None if state == NO_STATE else TrustState(state)
        entry = set_trust(services().data_dir, written, chosen, evidence, link, actor())
    except RefusedDecision as error:
        typed = {"state": state, "evidence": evidence, "link": link}
        return _site_page(written, problem=str(error), typed=typed, status=400)
    return redirect(url_for("trust.site", site=entry.site, done=1), 303)


def site_rows() -> list[SiteRow]:
    """The sites of the served generation and those that were judged, most answers first. Raises what keeps the engine
    from opening, StateError.
    """
    entries = list_trust(services().data_dir)
    answers = dict.fromkeys(entries, 0)
    for name, count in services().engine.get().site_counts().items():
        answers[site_key(name)] = answers.get(site_key(name), 0) + count
    rows = [SiteRow(name, count, trust_of(name, entries)) for name, count in answers.items() if name]
    return sorted(rows, key=lambda row: (-row.answers, row.site))


def _is_in(state: str, row: SiteRow) -> bool:
    if state == NO_STATE:
        return row.trust is None
    return not state or (row.trust is not None and row.trust.state.value == state)


def _site_page(
    written: str, note: str = "", problem: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response:
    name = site_key(written)
    entries = list_trust(services().data_dir)
    own = entries.get(name)
    held = {"state": own.state.value, "evidence": own.evidence, "link": own.link} if own and own.state else {}
    body = render_template(
        "desk/trust_site.html",
        site=name,
        trust=trust_of(name, entries),
        own=own,
        history=trust_history(services().data_dir, name)[:MAX_HISTORY],
        states=list(TrustState),
        typed=typed or held,
        note=note,
        problem=problem,
    )
    return make_response(body, status)
