"""Rules of editors: which answer a question, or questions about an illness, get first, or never; seen before made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import (
    ASPECTS,
    Action,
    NewRule,
    Preview,
    Rule,
    StaleRule,
    add_rule,
    end_rule,
    extend_rule,
    list_rules,
    preview,
    rule_from,
    stale_rules,
    utc_day,
)
from indexer.errors import IndexerError, RefusedDecision
from webapp.asking import read_number
from webapp.auth import actor, require
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("curation", __name__, url_prefix="/desk/curation")

#: how many rules one page lists
PER_PAGE = 50
#: what the list may show, by its name in addresses
STATES = {"open": "未结束", "stale": "该处理", "holding": "有效", "expired": "已到期", "ended": "已结束", "all": "全部"}
NOTES = {"added": "规则已添加，立即生效。", "ended": "规则已结束。", "extended": "有效期已改。"}
_FIELDS = ("answer", "reason", "query", "entity", "aspect", "replacement", "expires")


@dataclass(frozen=True)
class _Known:
    """Stale rules, and what they were found of."""

    key: tuple[object, ...]
    found: tuple[StaleRule, ...]


def register(app: Flask) -> None:
    """Put the page at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    app.add_template_global(stale_rule_count)
    add_page(app, "编辑规则", "curation.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """The rules: `state`, `owner`, `q` (a part of anything), `page`; `answer` and `query` fill the form in."""
    note = NOTES.get(request.args.get("done", ""), "")
    chosen = {name: request.args.get(name, "") for name in ("answer", "query", "entity")}
    return _page(note=note, typed={**chosen, "action": request.args.get("action", "pin")})


@blueprint.post("/preview")
@require(Role.EDITOR)
def see() -> Response:
    """What a rule would change; nothing is kept."""
    try:
        new = rule_from(_asked())
        found = preview(services().engine.get(), new, _in_order(), utc_day())
    except IndexerError as error:
        return _page(problem=str(error), typed=_typed(), status=400)
    return _page(typed={**_typed(), "expires": new.expires}, found=found)


@blueprint.post("")
@require(Role.EDITOR)
def add() -> Response:
    """Make a rule."""
    try:
        add_rule(services().data_dir, _asked(), actor())
    except RefusedDecision as error:
        return _page(problem=str(error), typed=_typed(), status=400)
    return redirect(url_for("curation.show", done="added"), 303)


@blueprint.post("/<int:number>/end")
@require(Role.EDITOR)
def end(number: int) -> Response:
    """A rule holds no longer."""
    try:
        end_rule(services().data_dir, number, actor(), request.form.get("reason", ""))
    except RefusedDecision as error:
        return _page(problem=str(error), status=400)
    return redirect(url_for("curation.show", done="ended"), 303)


@blueprint.post("/<int:number>/extend")
@require(Role.EDITOR)
def extend(number: int) -> Response:
    """A rule holds until another day."""
    try:
        extend_rule(services().data_dir, number, request.form.get("expires", ""), actor())
    except RefusedDecision as error:
        return _page(problem=str(error), status=400)
    return redirect(url_for("curation.show", done="extended"), 303)


def stale_rule_count() -> int:
    """How many rules somebody should look at; 0 where there is no index to tell."""
    try:
        return len(stale_now())
    except IndexerError:
        return 0


def stale_now() -> tuple[StaleRule, ...]:
    """The rules that somebody should look at; searched for again only when something has changed. Raises what keeps the
    engine from opening.
    """
    rules = tuple(rule for rule in _in_order() if not rule.ended)
    if not rules:
        return ()
    engine, day = services().engine.get(), utc_day()
    key = (engine.state, rules, day)
    known: _Known | None = current_app.extensions.get("yiwen.stale_rules")
    if known is None or known.key != key:
        known = _Known(key, tuple(stale_rules(engine, rules, day)))
        current_app.extensions["yiwen.stale_rules"] = known
    return known.found


def _in_order() -> list[Rule]:
    """All rules, the oldest first."""
    return list(reversed(list_rules(services().data_dir)))


def _asked() -> NewRule:
    """The rule that the form asks for. Raises RefusedDecision."""
    fields = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        return NewRule(Action(request.form.get("action", "")), **fields)
    except ValueError as error:
        raise RefusedDecision("请选择置顶、隐藏或替换。") from error


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("action", *_FIELDS)}


def _shown(rules: Sequence[Rule], stale: dict[int, StaleRule], state: str) -> list[Rule]:
    day = utc_day()
    lets_through: dict[str, Callable[[Rule], bool]] = {
        "open": lambda rule: not rule.ended,
        "stale": lambda rule: rule.number in stale,
        "holding": lambda rule: rule.holds_on(day),
        "expired": lambda rule: not rule.ended and not rule.holds_on(day),
        "ended": lambda rule: bool(rule.ended),
        "all": lambda rule: True,
    }
    owner, sought = request.args.get("owner", ""), request.args.get("q", "").strip()
    return [
        rule
        for rule in rules
        if lets_through[state](rule)
        and owner in ("", rule.owner)
        and any(sought in text for text in (rule.query, rule.entity, rule.answer, rule.replacement, rule.reason))
    ]


def _page(
    note: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
    found: Preview | None = None,
    status: int = 200,
) -> Response:
    all_rules = list_rules(services().data_dir)
    stale: dict[int, StaleRule] = {}
    try:
        stale = {each.rule.number: each for each in stale_now()}
    except IndexerError as error:
        problem = problem or str(error)
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    rules = _shown(all_rules, stale, state)
    pages = max(math.ceil(len(rules) / PER_PAGE), 1)
    page = min(read_number(request.args, "page", 1), pages)
    body = render_template(
        "desk/curation.html",
        rules=rules[(page - 1) * PER_PAGE : page * PER_PAGE],
        total=len(rules),
        page=page,
        pages=pages,
        stale=stale,
        wanted={"state": state, "owner": request.args.get("owner", ""), "q": request.args.get("q", "")},
        states=STATES,
        owners=sorted({rule.owner for rule in all_rules}),
        aspects=ASPECTS,
        actions=list(Action),
        typed=typed or {"action": "pin"},
        found=found,
        day=utc_day(),
        note=note,
        problem=problem,
    )
    return make_response(body, status)
