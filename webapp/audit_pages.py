"""The log of acts, for admins: filtered, page by page, and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import replace

from flask import Blueprint, Flask, Response, render_template, request

from indexer import Act, ActFilter, act_names, read_acts
from webapp.asking import BadParameter
from webapp.auth import accounts, require
from webapp.presentation import real_date
from webapp.roles import Role
from webapp.services import services
from webapp.telling import guarded

blueprint = Blueprint("audit", __name__, url_prefix="/desk/audit")

PER_PAGE = 100
#: as many rows as a spreadsheet takes without complaint
MAX_EXPORTED = 100_000
HEADINGS = ("编号", "时间（UTC）", "操作人", "操作", "对象", "说明")


def register(app: Flask) -> None:
    """Put the page at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    add_page(app, "操作记录", "audit.show", Role.ADMIN)


@blueprint.get("")
@require(Role.ADMIN)
def show() -> str:
    """The latest acts that the filters let through, then the way to older ones."""
    wanted = read_filter()
    acts = read_acts(services().data_dir, wanted, PER_PAGE + 1)
    actors, actions = act_names(services().data_dir)
    return render_template(
        "desk/audit.html",
        acts=acts[:PER_PAGE],
        older=acts[PER_PAGE - 1].number if len(acts) > PER_PAGE else None,
        wanted=wanted,
        actors=[name for name in actors if name],
        actions=actions,
        unknown_logins=accounts().unknown_logins_today(),
    )


@blueprint.get("/export.csv")
@require(Role.ADMIN)
def export() -> Response:
    """The same acts as CSV."""
    acts = read_acts(services().data_dir, replace(read_filter(), before=None), MAX_EXPORTED)
    response = Response("\ufeff" + as_csv(acts), content_type="text/csv; charset=utf-8")  # the mark is for Excel
    response.headers["Content-Disposition"] = 'attachment; filename="yiwen-audit.csv"'
    return response


def read_filter() -> ActFilter:
    """What the address asks for. Raises BadParameter."""
    asked = {name: request.args.get(name, "").strip() for name in ("actor", "action", "object", "since", "until")}
    for name in ("since", "until"):
        if asked[name] and real_date(asked[name]) != asked[name]:
            raise BadParameter("日期应写成 2024-05-01 这样。")
    before = request.args.get("before", "")
    if before and not re.fullmatch(r"[0-9]{1,15}", before):
        raise BadParameter("before 应为编号。")
    return ActFilter(**asked, before=int(before) if before else None)


def as_csv(acts: Iterable[Act]) -> str:
    """Rows for a spreadsheet, in which no cell is a formula; a line break is in none of them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for act in acts:
        writer.writerow([act.number, act.at, *map(guarded, (act.actor, act.action, act.object, act.detail))])
    return text.getvalue()
