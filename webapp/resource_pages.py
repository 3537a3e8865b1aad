"""Lists of terms and rules as files at the desk: all of them, one to edit, what differs, earlier versions, downloads,
and lists of terms to upload. Every change is a proposal first.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from indexer import (
    KIND_LABELS,
    OWN_TERMS_PATH,
    ResourceChange,
    ResourceFile,
    add_list,
    effective_resources,
    list_resources,
    open_terms,
    own_text,
    parse_terms,
    proposed_text,
    read_resource,
    resource_history,
    shipped_text,
)
from indexer.errors import IndexerError, ResourceError
from webapp.asking import number_in
from webapp.auth import require
from webapp.headers import allow_larger_body
from webapp.proposal_pages import diff, my_open_proposals, onto, proposed
from webapp.roles import Role
from webapp.services import services

blueprint = Blueprint("resources", __name__, url_prefix="/desk/resources")

MAX_UPLOAD_BYTES = 2_000_000
MAX_TEXT_CHARS = 1_000_000
#: a Chinese character is three bytes, each three in a form
MAX_FORM_BYTES = 9 * MAX_TEXT_CHARS + 10_000
MAX_PATH_CHARS = 200
SHOWN_VERSIONS = 30


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    allow_larger_body(app, "resources.save", MAX_FORM_BYTES)
    allow_larger_body(app, "resources.upload", MAX_UPLOAD_BYTES + 10_000)
    add_page(app, "资源文件", "resources.show", Role.EDITOR)


@blueprint.get("")
@require(Role.EDITOR)
def show() -> Response:
    """All files, and a form to upload a list of terms."""
    return _list_page()


@blueprint.get("/file")
@require(Role.EDITOR)
def file() -> Response:
    """One file: its text, what differs, its earlier versions."""
    return _file_page(_asked(request.args.get("path", "")))


@blueprint.get("/download")
@require(Role.EDITOR)
def download() -> Response:
    """One file, as it is used."""
    found = _asked(request.args.get("path", ""))
    response = make_response(found.text)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{found.path.replace("/", "-")}"'
    return response


@blueprint.post("/file")
@require(Role.EDITOR)
def save() -> Response:
    """Propose another text of a file; an empty one goes back to what came with the program."""
    found = _asked(request.form.get("path", ""))
    text = request.form.get("text", "").replace("\r\n", "\n").lstrip("\ufeff")
    held = services()
    if len(text) > MAX_TEXT_CHARS:
        return _file_page(found, f"文件太长：最多 {MAX_TEXT_CHARS} 个字。", 400)
    if text and not text.endswith("\n"):
        text += "\n"
    try:
        shipped = shipped_text(found.path, held.settings.resources)
        after = None if not text.strip() or text == shipped else text
        seen = _seen(found.path)
        return proposed({found.path: after}, f"{'修改' if after else '恢复出厂'} {found.path}", seen)
    except IndexerError as error:
        return _file_page(found, str(error), 400, text)


@blueprint.post("/back")
@require(Role.EDITOR)
def back() -> Response:
    """Propose to go back to what a file was before one of its changes."""
    found = _asked(request.form.get("path", ""))
    change = _change(found.path, request.form.get("change", ""))
    if change is None:
        return _file_page(found, "没有这一次修改；请重新选择。", 400)
    try:
        return proposed({found.path: change.before}, f"{found.path} 回到修改 {change.number} 之前")
    except IndexerError as error:
        return _file_page(found, str(error), 400)


@blueprint.post("/upload")
@require(Role.EDITOR)
def upload() -> Response:
    """Propose to add a list of terms."""
    given = request.files.get("file")
    kind = request.form.get("kind", "")
    held = services()
    try:
        if given is None or not given.filename:
            raise ResourceError("请选择一个 .tsv 或 .txt 文件。")
        if kind not in KIND_LABELS:
            raise ResourceError("请选择类别。")
        content = given.stream.read(MAX_UPLOAD_BYTES + 1)
        if len(content) > MAX_UPLOAD_BYTES:
            raise ResourceError(f"文件太大：最多 {MAX_UPLOAD_BYTES // 1_000_000} MB。")
        name = given.filename.replace("\\", "/").rsplit("/", 1)[-1][:60]
        try:
            terms = parse_terms(Path("list.tsv"), content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ResourceError("文件不是 UTF-8 文本；请另存为 UTF-8 再上传。") from None
        resources = effective_resources(held.data_dir, held.settings.resources)
        desk = open_terms(resources, proposed_text(held.data_dir, OWN_TERMS_PATH, onto()))
        text, added, known = add_list(desk, terms, kind)
        return proposed({OWN_TERMS_PATH: text}, f"词表 {name}：新增 {len(added)} 个词条，已收录而跳过 {len(known)} 个")
    except IndexerError as error:
        return _list_page(str(error), 400)


def _asked(path: str) -> ResourceFile:
    held = services()
    try:
        found = read_resource(held.data_dir, path, held.settings.resources) if len(path) <= MAX_PATH_CHARS else None
    except ResourceError:
        found = None
    if found is None:
        abort(404)
    return found


def _seen(path: str) -> dict[str, str | None]:
    """What the own file held when the form was made, as its hidden field tells: the number of its last change."""
    held = services()
    last = request.form.get("last", "")
    history = resource_history(held.data_dir, path, 1)
    if last != (str(history[0].number) if history else ""):
        raise ResourceError(f"{path} 在您打开之后有人改过；请重新打开，再改一次。")
    return {path: own_text(held.data_dir, path)}


def _change(path: str, given: str) -> ResourceChange | None:
    number = number_in(given)
    changes = resource_history(services().data_dir, path, SHOWN_VERSIONS)
    return next((change for change in changes if change.number == number), None)


def _list_page(problem: str = "", status: int = 200) -> Response:
    held = services()
    try:
        files = list_resources(held.data_dir, held.settings.resources)
    except ResourceError as error:
        files, problem = [], problem or str(error)
    page = render_template(
        "desk/resources.html",
        files=files,
        kinds=KIND_LABELS,
        open_proposals=my_open_proposals(),
        problem=problem,
    )
    return make_response(page, status)


def _file_page(found: ResourceFile, problem: str = "", status: int = 200, typed: str | None = None) -> Response:
    held = services()
    history = resource_history(held.data_dir, found.path, SHOWN_VERSIONS)
    shipped = shipped_text(found.path, held.settings.resources)
    against, before = "随程序的", shipped or ""
    change = _change(found.path, request.args.get("change", ""))
    if change is not None:
        against, before = f"修改 {change.number} 之前的", before if change.before is None else change.before
    page = render_template(
        "desk/resource.html",
        file=found,
        text=found.text if typed is None else typed,
        history=history,
        against=against,
        lines=diff(before, found.text),
        open_proposals=my_open_proposals(),
        problem=problem,
    )
    return make_response(page, status)
