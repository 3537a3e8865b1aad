"""Urgency rules at the desk: all of them, one to change, switching off and on; which cards sentences get is shown
before anything is proposed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from indexer import (
    OWN_RULES_PATH,
    KnownRule,
    RuleText,
    drop_rule,
    effective_resources,
    known_rules,
    proposed_text,
    set_rule,
    switch_rule,
    tried_cards,
    word_groups,
)
from indexer.errors import IndexerError, ResourceError
from webapp.auth import require
from webapp.headers import allow_larger_body
from webapp.proposal_pages import my_open_proposals, onto, proposed
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("urgency", __name__, url_prefix="/desk/urgency")

LEVELS = {"emergency": "立即拨打120", "today": "今天就去医院", "watch": "尽快看医生"}
MAX_SENTENCES = 30
MAX_SENTENCE_CHARS = 300
MAX_FIELD_CHARS = 40_000
MAX_BODY_BYTES = 1_000_000
_TEXTS = ("level", "title", "text", "source", "source_url", "reviewed_by")
_LISTS = ("phones", "certain", "signs", "named", "examples", "counter_examples")
NEW = "new"


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    allow_larger_body(app, "urgency.save", MAX_BODY_BYTES)
    add_page(app, "急症规则", "urgency.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """All rules, and which cards typed sentences get."""
    rules = _rules()
    wanted = request.args.get("level", "")
    shown = [known for known in rules.values() if not wanted or known.rule.level == wanted]
    sentences, problem = _sentences(request.args.get("sentences", ""))
    page = render_template(
        "desk/urgency.html",
        rules=shown,
        levels=LEVELS,
        wanted=wanted,
        sentences=sentences,
        tried=_tried({}, sentences),
        problem=problem,
    )
    return make_response(page, 400 if problem else 200)


@blueprint.get("/<id>")
@require(Role.EDITOR)
def one(id: str) -> Response:
    """One rule in a form; `new` for another one."""
    known = _known(id)
    return _page(known, known.rule if known else RuleText(""))


@blueprint.post("/<id>")
@require(Role.EDITOR)
def save(id: str) -> Response:
    """Try a rule on its own examples and on typed sentences, or propose it."""
    known = _known(id)
    rule = _typed(id if known else request.form.get("id", "").strip()[:100])
    sentences, problem = _sentences(request.form.get("sentences", ""))
    if problem:
        return _page(known, rule, problem, 400)
    held = services()
    try:
        if known is None and rule.id in _rules():
            raise ResourceError(f"已经有编号为“{rule.id}”的规则；请换一个编号，或打开它来改。")
        text = set_rule(proposed_text(held.data_dir, OWN_RULES_PATH, onto()), rule, known.shipped if known else None)
        if request.form.get("do") == "propose":
            return proposed({OWN_RULES_PATH: text}, f"急症规则“{rule.id}”：{'改写' if known else '新增'}")
        tried = _tried({OWN_RULES_PATH: text}, [*rule.examples, *rule.counter_examples, *sentences])
    except IndexerError as error:
        return _page(known, rule, str(error), 400, sentences)
    return _page(known, rule, sentences=sentences, tried=tried)


@blueprint.post("/<id>/switch")
@require(Role.EDITOR)
def switch(id: str) -> Response:
    """Propose to switch a rule off, with a reason, or on again."""
    known = _known(id)
    if known is None:
        abort(404)
    reason, off = request.form.get("reason", "").strip(), request.form.get("do") == "off"
    if off and not reason:
        return _page(known, known.rule, "停用一条急症规则，请写明原因。", 400)
    if off and known.guards and request.form.get("sure") != "1":
        return _page(known, known.rule, "这是随程序的急症卡片；停用它请另外勾选确认。", 400)
    held = services()
    try:
        text = proposed_text(held.data_dir, OWN_RULES_PATH, onto())
        text = switch_rule(text, id, _rules(), reason[:500] if off else "")
        return proposed({OWN_RULES_PATH: text}, f"急症规则“{id}”：{'停用' if off else '重新启用'}")
    except IndexerError as error:
        return _page(known, known.rule, str(error), 400)


@blueprint.post("/<id>/restore")
@require(Role.EDITOR)
def restore(id: str) -> Response:
    """Propose a rule as it came with the program, or to take away the site's own."""
    known = _known(id)
    if known is None:
        abort(404)
    held = services()
    try:
        text = drop_rule(proposed_text(held.data_dir, OWN_RULES_PATH, onto()), id)
        return proposed({OWN_RULES_PATH: text}, f"急症规则“{id}”：{'恢复出厂' if known.shipped else '去掉'}")
    except IndexerError as error:
        return _page(known, known.rule, str(error), 400)


def _rules() -> dict[str, KnownRule]:
    held = services()
    resources = effective_resources(held.data_dir, held.settings.resources)
    return known_rules(resources, proposed_text(held.data_dir, OWN_RULES_PATH))


def _known(id: str) -> KnownRule | None:
    if id == NEW:
        return None
    found = _rules().get(id)
    if found is None:
        abort(404)
    return found


def _typed(id: str) -> RuleText:
    form = {
        name: request.form.get(name, "")[:MAX_FIELD_CHARS].replace("\r\n", "\n").strip() for name in (*_TEXTS, *_LISTS)
    }
    lists = {name: tuple(line.strip() for line in form[name].split("\n") if line.strip()) for name in _LISTS}
    values: dict[str, Any] = {name: form[name] for name in _TEXTS} | lists
    return RuleText(id=id, **values)


def _sentences(given: str) -> tuple[list[str], str]:
    """Lines that somebody typed, and what is wrong with them."""
    lines = list(dict.fromkeys(line.strip() for line in given.replace("\r\n", "\n").split("\n") if line.strip()))
    if len(lines) > MAX_SENTENCES or any(len(line) > MAX_SENTENCE_CHARS for line in lines):
        return lines[:MAX_SENTENCES], f"一次最多试 {MAX_SENTENCES} 句，每句最多 {MAX_SENTENCE_CHARS} 个字。"
    return lines, ""


def _tried(changes: dict[str, str | None], sentences: list[str]) -> list[dict[str, Any]]:
    if not sentences:
        return []
    held = services()
    found = tried_cards(held.data_dir, changes, list(dict.fromkeys(sentences)), held.settings.resources)
    return [{"sentence": sentence, "before": before, "after": after} for sentence, before, after in found]


def _page(
    known: KnownRule | None,
    rule: RuleText,
    problem: str = "",
    status: int = 200,
    sentences: list[str] | None = None,
    tried: list[dict[str, Any]] | None = None,
) -> Response:
    held = services()
    page = render_template(
        "desk/urgency_rule.html",
        known=known,
        rule=rule,
        lists={name: "\n".join(entries) for name, entries in asdict(rule).items() if name in _LISTS},
        levels=LEVELS,
        groups=word_groups(effective_resources(held.data_dir, held.settings.resources)),
        sentences=sentences or [],
        tried=tried or [],
        open_proposals=my_open_proposals(),
        problem=problem,
    )
    return make_response(page, status)
