"""What analysts see: each report with its definition, picture, table and exports; the time range in the address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Flask, Response, abort, make_response, render_template, request

from webapp.asking import BadParameter, read_number
from webapp.auth import require
from webapp.holdings import holdings_of_site
from webapp.log_store.reading import FIRST_DAY, Period
from webapp.pictures import described, picture
from webapp.presentation import real_date
from webapp.question_reports import reports_of
from webapp.report_list import REPORTS, Report, find_report
from webapp.reports import Row
from webapp.roles import Role
from webapp.services import services
from webapp.telling import as_csv, as_json, told

blueprint = Blueprint("dashboard", __name__, url_prefix="/desk/logs")

PRESETS = (("7 天", 7), ("30 天", 30), ("90 天", 90), ("180 天", 180))
DEFAULT_DAYS = 30
MAX_DAYS = 3_660
SHOWN_ROWS = 100
#: on the front page, in this order
FRONT = ("volume", "success", "no-result", "rising")
FRONT_ROWS = 10
#: no question of the log is longer
MAX_QUESTION_CHARS = 2_000


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    app.add_template_filter(told, "told")
    add_page(app, "查询分析", "dashboard.front", Role.ANALYST)


@blueprint.get("")
@require(Role.ANALYST)
def front() -> Response:
    """The reports that are looked at first, and the way to all others."""
    period = read_period()
    reports = [report for name in FRONT if (report := find_report(name))]
    found, lost = _rows(reports, period)
    shown = [(report, rows if report.picture == "line" else rows[:FRONT_ROWS]) for report, rows in found]
    return _page("desk/dashboard.html", period, shown=shown, lost=lost)


@blueprint.get("/question")
@require(Role.ANALYST)
def question() -> Response:
    """One question closely. `q`: the question."""
    asked, period = request.args.get("q", "")[:MAX_QUESTION_CHARS], read_period()
    shown, lost = _rows(reports_of(asked), period)
    shown = [(report, rows[:SHOWN_ROWS]) for report, rows in shown]
    return _page("desk/question.html", period, question=asked, shown=shown, lost=lost)


@blueprint.get("/<name>")
@require(Role.ANALYST)
def show(name: str) -> Response:
    """One report."""
    report, period = _report(name), read_period()
    [(_, rows)], lost = _rows([report], period)
    return _page("desk/report.html", period, report=report, rows=rows[:SHOWN_ROWS], total=len(rows), lost=lost)


@blueprint.get("/<name>.svg")
@require(Role.ANALYST)
def drawing(name: str) -> Response:
    """The picture of a report. `theme`: light or dark."""
    report = _report(name)
    if not report.picture:
        abort(404)
    [(_, rows)], _ = _rows([report], read_period())
    theme = "dark" if request.args.get("theme") == "dark" else "light"
    return Response(picture(report, rows, theme), mimetype="image/svg+xml")


@blueprint.get("/<name>.csv")
@require(Role.ANALYST)
def csv_file(name: str) -> Response:
    """A report for a spreadsheet."""
    report, period = _report(name), read_period()
    [(_, rows)], _ = _rows([report], period)
    marked = "\ufeff" + as_csv(report, rows)  # the mark is for Excel
    response = Response(marked, content_type="text/csv; charset=utf-8")
    file = f"yiwen-{report.name}-{period.since}-{period.until}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


@blueprint.get("/<name>.json")
@require(Role.ANALYST)
def json_file(name: str) -> Response:
    """A report for a program."""
    report = _report(name)
    [(_, rows)], _ = _rows([report], read_period())
    return Response(as_json(report, rows), mimetype="application/json")


def read_period() -> Period:
    """The days that the address asks for: `since` and `until`, or the last `days`. Raises BadParameter."""
    until = _day("until") or datetime.now(UTC).date()
    since = _day("since") or until - timedelta(read_number(request.args, "days", DEFAULT_DAYS, MAX_DAYS) - 1)
    if not 1 <= (until - since).days + 1 <= MAX_DAYS:
        raise BadParameter(f"起始日期应不晚于结束日期，最多 {MAX_DAYS} 天。")
    return Period(since, until)


def _day(name: str) -> date | None:
    given = request.args.get(name, "").strip()
    if given and (real_date(given) != given or given < FIRST_DAY.isoformat()):
        raise BadParameter(f"日期应写成 2024-05-01 这样，不早于 {FIRST_DAY}。")
    return date.fromisoformat(given) if given else None


def _report(name: str) -> Report:
    report = find_report(name)
    if report is None:
        abort(404)
    return report


def _rows(reports: Sequence[Report], period: Period) -> tuple[list[tuple[Report, Sequence[Row]]], int]:
    """Each report's rows, and how many events of the period were lost. Raises LogUnreadable."""
    with services().query_log.reader(services().settings.log_min_sessions) as days:
        if days is None:
            return [(report, []) for report in reports], 0
        return [(report, report.rows(days, period, holdings_of_site())) for report in reports], days.losses(period)


def _page(template: str, period: Period, **known: object) -> Response:
    page = render_template(
        template,
        period=period,
        presets=PRESETS,
        reports=REPORTS,
        min_sessions=services().settings.log_min_sessions,
        described=described,
        **known,
    )
    return make_response(page)
