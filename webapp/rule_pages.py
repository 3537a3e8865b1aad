"""Site rules at the desk: what editors say of the blocks of a site, seen in its effects before it is saved."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import (
    DECISION_LABELS,
    NewSiteRule,
    are_few,
    changes_with,
    end_case,
    exact_pattern,
    files_known,
    find_effects,
    find_page,
    find_site_rule,
    keep_proposal,
    list_cases,
    list_site_rules,
    new_site_rule,
    read_effects,
    read_proposal,
    remove_site_rule,
    save_site_rule,
    site_of,
    view_page,
)
from indexer.errors import IndexerError, ResourceError
from webapp.asking import asked_page
from webapp.auth import actor, require
from webapp.inbox_page_views import BLOCKS_PER_PAGE
from webapp.roles import Role
from webapp.services import services
from webapp.take_down_pages import too_long
from webapp.tasks import made_or_task

blueprint = Blueprint("site_rules", __name__)

TASK = "rule_effects"
MAX_RULE_CHARS = 2_000
PER_PAGE = 50
#: pages whose effects are shown one by one
SHOWN_PAGES = 30
#: the site of pages that have neither address nor folder, as the rules on them are filed
NO_SITE = "无网址"
NOTES = {
    "saved": "规则已保存，下一次建立索引时生效。",
    "undone": "规则已取消，下一次建立索引时生效。",
    "ended": "用例已结束。",
}


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "站点规则", "site_rules.show", Role.EDITOR)


@blueprint.get("/desk/rules")
@require(Role.EDITOR)
def show() -> Response:
    """All rules by host, and the cases. `q`: a part of host, text, reason or name; `page`: from 1."""
    return _list(note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.get("/desk/rules/new")
@require(Role.EDITOR)
def new() -> Response:
    """A form for a rule. `host`, `decision`, `text`, `pattern`, `address`: what stands in it."""
    return _form(request.args)


@blueprint.post("/desk/rules/new")
@require(Role.EDITOR)
def propose() -> Response:
    """Look what a rule would change, before it is saved."""
    form, held = request.form, services()
    try:
        rule = _rule_in(form)
        changes = changes_with(held.data_dir, rule)
        name = keep_proposal(held.data_dir, vars(rule), changes, held.settings.resources)
        if read_effects(held.data_dir, name) is None and are_few(files_known(held.data_dir)):
            find_effects(held.data_dir, name, held.settings)
    except IndexerError as error:
        return _form(form, str(error), 400)
    return redirect(url_for("site_rules.preview", name=name), 303)


@blueprint.get("/desk/rules/preview/<name>")
@require(Role.EDITOR)
def preview(name: str) -> Response:
    """What a rule would change, and a form to save it."""
    return _preview(name)


@blueprint.post("/desk/rules/preview/<name>")
@require(Role.EDITOR)
def save(name: str) -> Response:
    """Save the rule that was looked at, with one of the pages that it changes as a case. `reason`, `case`: a path."""
    held, reason, path = services(), _field("reason"), _field("case")
    if problem := _objection(reason):
        return _preview(name, problem, reason, 400)
    try:
        said, _ = read_proposal(held.data_dir, name)
        rule, case = NewSiteRule(**said), None
        texts: tuple[str, ...] = ()
        if path:
            effects = read_effects(held.data_dir, name)
            page = next((page for page in effects.pages if page.path == path), None) if effects else None
            case = find_page(held.data_dir, path, held.settings.max_page_bytes) if page else None
            if page is None or case is None:
                raise ResourceError("留作用例的页面不在了；请重新预览，或不带用例保存。")
            texts = page.come if rule.decision == "keep" else page.gone
        save_site_rule(held.data_dir, rule, actor(), reason, held.settings, case, texts)
    except IndexerError as error:
        return _preview(name, str(error), reason, 400)
    return redirect(url_for("site_rules.show", done="saved"), 303)


@blueprint.post("/desk/rules/undo")
@require(Role.EDITOR)
def undo() -> Response:
    """Take a rule back. `key`, `reason`."""
    held, reason = services(), _field("reason")
    if problem := _objection(reason):
        return _list(problem=problem, status=400)
    try:
        rule = find_site_rule(held.data_dir, _field("key"), held.settings.resources)
        remove_site_rule(held.data_dir, rule, actor(), reason, held.settings.resources)
    except IndexerError as error:
        return _list(problem=str(error), status=400)
    return redirect(url_for("site_rules.show", done="undone"), 303)


@blueprint.post("/desk/rules/cases/<int:number>/end")
@require(Role.EDITOR)
def end(number: int) -> Response:
    """A case need not hold any more. `reason`."""
    reason = _field("reason")
    if problem := _objection(reason):
        return _list(problem=problem, status=400)
    try:
        end_case(services().data_dir, min(number, 2**62), actor(), reason)
    except IndexerError as error:
        return _list(problem=str(error), status=400)
    return redirect(url_for("site_rules.show", done="ended"), 303)


@blueprint.post("/desk/inbox/<int:batch>/<int:page>/<int:block>/mark")
@require(Role.EDITOR)
def mark(batch: int, page: int, block: int) -> Response:
    """Keep a block of a page of the inbox, or take it out. `decision`: keep or remove; `scope`: page, which is saved at
    once, or site, which leads to the form; `text`: of the block as it was seen.
    """
    held, decision = services(), _field("decision")
    try:
        seen = view_page(held.data_dir, min(batch, 2**31), min(page, 2**31), held.settings).page
        text = next((each.text for each in seen.blocks if each.number == block), None)
        said = "".join(request.form.get("text", "").split())  # the form has the beginning of a long one
        if text is None or not said or not "".join(text.split()).startswith(said):
            raise ResourceError("这一段在您打开之后变了；请重新打开这一页，再标一次。")
        host = seen.site or site_of(seen.path, seen.url) or NO_SITE
        if _field("scope") == "site":
            return redirect(
                url_for("site_rules.new", host=host, decision=decision, text=exact_pattern(text), pattern="1"), 303
            )
        rule = new_site_rule(host, decision, text[:MAX_RULE_CHARS], False, seen.url or seen.path)
        save_site_rule(held.data_dir, rule, actor(), f"收件箱第 {batch} 批第 {page} 页第 {block} 段", held.settings)
    except IndexerError as error:
        return _list(problem=str(error), status=400)
    part = block // BLOCKS_PER_PAGE + 1  # blocks are numbered as they stand
    shown = url_for("inbox_pages.show", number=batch, page=page, blocks=part, _anchor=f"block-{block}")
    return redirect(shown, 303)


def _field(name: str) -> str:
    return request.form.get(name, "").strip()


def _objection(reason: str) -> str:
    return too_long(reason) if reason else "请写明原因。"


def _rule_in(form: Any) -> NewSiteRule:
    values = (form.get("host", ""), form.get("decision", ""), form.get("text", ""))
    return new_site_rule(*values, form.get("pattern") == "1", form.get("address", ""))


def _form(values: Any, problem: str = "", status: int = 200) -> Response:
    shown = {name: values.get(name, "")[:MAX_RULE_CHARS] for name in ("host", "decision", "text", "pattern", "address")}
    page = render_template(
        "desk/rule_new.html",
        problem=problem,
        decisions=DECISION_LABELS,
        MAX_RULE_CHARS=MAX_RULE_CHARS,
        **{**shown, "decision": shown["decision"] or "remove"},
    )
    return make_response(page, status)


def _preview(name: str, problem: str = "", reason: str = "", status: int = 200) -> Response:
    held = services()
    try:
        said, _ = read_proposal(held.data_dir, name)
        rule = NewSiteRule(**said)
        effects, job = made_or_task(lambda: read_effects(held.data_dir, name), held.data_dir, TASK, name, actor())
    except IndexerError as error:
        return _form({}, str(error), 404)
    page = render_template(
        "desk/rule_preview.html",
        name=name,
        rule=rule,
        effects=effects,
        shown=effects.pages[:SHOWN_PAGES] if effects else (),
        job=job,
        problem=problem,
        reason=reason,
    )
    return make_response(page, status)


def _list(note: str = "", problem: str = "", status: int = 200) -> Response:
    held, sought = services(), request.args.get("q", "").strip()
    rules = [
        rule
        for rule in list_site_rules(held.data_dir, held.settings.resources)
        if sought in rule.host or sought in rule.text or sought in rule.reason or sought == rule.actor
    ]
    pages = max(-(-len(rules) // PER_PAGE), 1)
    number = asked_page(last=pages)
    page = render_template(
        "desk/rules.html",
        rules=rules[(number - 1) * PER_PAGE : number * PER_PAGE],
        total=len(rules),
        number=number,
        pages=pages,
        cases=list_cases(held.data_dir),
        sought=sought,
        note=note,
        problem=problem,
    )
    return make_response(page, status)
