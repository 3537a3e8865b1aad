"""The lexicon at the desk: look a word up, set, remove and restore terms, add synonyms; and the words of questions.
Every change is a proposal first.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, make_response, render_template, request
from werkzeug.wrappers import Response

from indexer import (
    KIND_LABELS,
    OWN_TERMS_PATH,
    OWN_WORDS_PATH,
    Term,
    TermDesk,
    add_synonym,
    change_words,
    effective_resources,
    open_terms,
    proposed_text,
    remove_term,
    restore_term,
    set_term,
    split_words,
    word_lists,
)
from indexer.errors import IndexerError, ResourceError
from webapp.asking import asked_page
from webapp.auth import require
from webapp.headers import allow_larger_body
from webapp.proposal_pages import my_open_proposals, onto, proposed
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("lexicon", __name__, url_prefix="/desk/lexicon")

PER_PAGE = 50
MAX_WORD_CHARS = 200  #: of what is sought
MAX_LIST_CHARS = 5_000
MAX_BODY_BYTES = 200_000


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    allow_larger_body(app, "lexicon.save", MAX_BODY_BYTES)
    add_page(app, "词表", "lexicon.show", Role.EDITOR)
    add_page(app, "提问用词", "lexicon.words", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """A word's term, a form to change it, and the site's own terms."""
    return _page()


@blueprint.post("/term")
@require(Role.EDITOR)
def save() -> Response:
    """Propose a term, new or changed."""
    name = _field("name")
    words: dict[str, Any] = {column: split_words(_field(column)) for column in ("same", "broader", "related")}
    term = Term(name, _field("kind") or "other", *(words[column] for column in ("same", "broader", "related")))
    return _changed(
        lambda desk: set_term(desk, term, request.form.get("take_over") == "1"), f"词条：{name[:100]}", typed=term
    )


@blueprint.post("/synonym")
@require(Role.EDITOR)
def synonym() -> Response:
    """Propose another word for a term."""
    name, word = _field("name"), _field("word")
    if not word:
        return _page("请写明要加的同义词。", status=400, sought=name)
    take_over = request.form.get("take_over") == "1"
    title = f"“{name[:60]}”加同义词“{word[:60]}”"
    return _changed(lambda desk: add_synonym(desk, name, word, take_over), title, sought=name)


@blueprint.post("/remove")
@require(Role.EDITOR)
def remove() -> Response:
    """Propose to use a term no longer."""
    name = _field("name")
    return _changed(lambda desk: remove_term(desk, name), f"去掉词条：{name[:100]}", sought=name)


@blueprint.post("/restore")
@require(Role.EDITOR)
def restore() -> Response:
    """Propose a term as it came with the program."""
    name = _field("name")
    return _changed(lambda desk: restore_term(desk, name), f"恢复词条：{name[:100]}", sought=name)


@blueprint.get("/words")
@require(Role.EDITOR)
def words() -> Response:
    """The lists of stop words and asking words."""
    return _words_page()


@blueprint.post("/words")
@require(Role.EDITOR)
def change_word() -> Response:
    """Propose to add a word to a list, or to take it away."""
    name, word, add = request.form.get("list", ""), _field("word"), request.form.get("do") == "add"
    held = services()
    try:
        resources = effective_resources(held.data_dir, held.settings.resources)
        text = change_words(resources, proposed_text(held.data_dir, OWN_WORDS_PATH, onto()), name, word, add)
        return proposed({OWN_WORDS_PATH: text}, f"提问用词“{name[:40]}”{'加上' if add else '去掉'}“{word[:60]}”")
    except IndexerError as error:
        return _words_page(str(error), 400)


def _field(name: str) -> str:
    return request.form.get(name, "").strip()[:MAX_LIST_CHARS]


def _desk(number: int | None = None) -> TermDesk:
    held = services()
    resources = effective_resources(held.data_dir, held.settings.resources)
    return open_terms(resources, proposed_text(held.data_dir, OWN_TERMS_PATH, number))


def _changed(change: Any, title: str, sought: str = "", typed: Term | None = None) -> Response:
    try:
        return proposed({OWN_TERMS_PATH: change(_desk(onto()))}, title)
    except IndexerError as error:
        return _page(str(error), 400, sought, typed)


def _page(problem: str = "", status: int = 200, sought: str = "", typed: Term | None = None) -> Response:
    sought = (sought or (typed.name if typed else "") or request.args.get("q", "")).strip()[:MAX_WORD_CHARS]
    page = asked_page()
    try:
        desk = _desk()
        found, owned = desk.find(sought) if sought else None, desk.owned()
    except ResourceError as error:
        found, owned, problem, status = None, [], problem or str(error), 400 if status == 200 else status
    start = (page - 1) * PER_PAGE
    answer = render_template(
        "desk/lexicon.html",
        sought=sought,
        found=found,
        form=typed or (found.term if found else Term(sought)),
        kinds=KIND_LABELS,
        owned=owned[start : start + PER_PAGE],
        total=len(owned),
        page=page,
        more=len(owned) > start + PER_PAGE,
        open_proposals=my_open_proposals(),
        problem=problem,
    )
    return make_response(answer, status)


def _words_page(problem: str = "", status: int = 200) -> Response:
    held = services()
    try:
        resources = effective_resources(held.data_dir, held.settings.resources)
        lists = word_lists(resources, proposed_text(held.data_dir, OWN_WORDS_PATH))
    except ResourceError as error:
        lists, problem = [], problem or str(error)
    answer = render_template(
        "desk/question_words.html", lists=lists, open_proposals=my_open_proposals(), problem=problem
    )
    return make_response(answer, status)
