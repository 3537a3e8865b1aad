"""`yiwen logs`: what people ask, and what they do not find."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from indexer import open_engine
from indexer.errors import IndexerError
from indexer.settings import Settings, load_settings
from webapp.demonstration import REMARK, is_demonstration
from webapp.holdings import holdings_of
from webapp.log_store.reading import FIRST_DAY, Period
from webapp.query_log import QueryLog
from webapp.question_reports import reports_of
from webapp.report_list import REPORTS, Report, nothing_known
from webapp.reports import Held, Row
from webapp.telling import as_csv, as_json, told

DATA_DIR = click.Path(path_type=Path, file_okay=False)
DEFAULT_DAYS = 30


class Day(click.ParamType[date]):
    """A day (UTC), or a span back from today."""

    name = "日期"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read 2024-05-01 or 7d."""
        if isinstance(value, date):
            return value
        try:
            span = re.fullmatch(r"([0-9]{1,5})d", value.strip())
            today = datetime.now(UTC).date()
            day = today - timedelta(days=int(span[1])) if span else date.fromisoformat(value.strip())
        except (ValueError, OverflowError):
            day = date.min
        if day < FIRST_DAY:
            self.fail(f"“{value}”应写成日期（如 2024-05-01）或天数（如 7d），不早于 {FIRST_DAY}", param, ctx)
        return day


def _report_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "wants_json", is_flag=True, help="输出 JSON"),
        click.option("--csv", "wants_csv", is_flag=True, help="输出 CSV"),
        click.option("--limit", type=click.IntRange(min=1), default=20, metavar="行数", help="最多列出几行（默认 20）"),
        click.option("--until", type=Day(), metavar="日期", help="到哪一天（默认今天），按 UTC"),
        click.option(
            "--since", type=Day(), metavar="日期", help=f"从哪一天起，如 2024-05-01、7d（天）；默认 {DEFAULT_DAYS} 天"
        ),
        click.option("--data", type=DATA_DIR, metavar="目录", help="数据目录（默认 var）"),
    ):
        command = option(command)
    return command


@click.group(no_args_is_help=False)
def logs() -> None:
    """查询日志：大家问什么，什么没搜到。"""


@logs.command("list")
def show_reports() -> None:
    """列出所有报表。"""
    for report in REPORTS:
        click.echo(f"{report.name:<12}{report.title}：{report.definition}")


def _add(report: Report) -> None:
    @logs.command(report.name, help=f"{report.title}。{report.definition}")
    @_report_options
    def show(
        data: Path | None, since: date | None, until: date | None, limit: int, wants_csv: bool, wants_json: bool
    ) -> None:
        settings, period = load_settings({"data": data}), _period(since, until)
        if is_demonstration(settings.data):
            click.echo(REMARK, err=True)
        _print(report, rows_of(report, settings, period)[:limit], wants_csv, wants_json)


def _period(since: date | None, until: date | None) -> Period:
    until = until or datetime.now(UTC).date()
    period = Period(since or until - timedelta(days=DEFAULT_DAYS - 1), until)
    if period.days < 1:
        raise click.BadParameter("--since 应不晚于 --until。")
    return period


for _each in REPORTS:
    _add(_each)


def rows_of(report: Report, settings: Settings, period: Period) -> Sequence[Row]:
    """The rows of a report. Raises LogUnreadable."""
    with QueryLog(settings.data, settings.log_database).reader(settings.log_min_sessions) as days:
        held = held_by(settings) if report.looks_into_index else nothing_known
        return report.rows(days, period, held) if days else []


def held_by(settings: Settings) -> Held:
    """What the served generation holds; nothing is known where there is none."""
    try:
        return holdings_of(open_engine(settings.data, settings))
    except IndexerError as error:
        click.echo(str(error), err=True)
        return nothing_known


@logs.command("question")
@click.argument("text", metavar="问题")
@_report_options
def question(
    text: str,
    data: Path | None,
    since: date | None,
    until: date | None,
    limit: int,
    wants_csv: bool,
    wants_json: bool,
) -> None:
    """一个问题：逐日的次数、点开的答案、前后问的问题。"""
    settings, period = load_settings({"data": data}), _period(since, until)
    if is_demonstration(settings.data):
        click.echo(REMARK, err=True)
    found = [(report, rows_of(report, settings, period)[:limit]) for report in reports_of(text)]
    if wants_json:
        click.echo(f"[{', '.join(as_json(report, rows) for report, rows in found)}]")
        return
    if not any(rows for _, rows in found):
        click.echo("这段时间没有足够多的人问过它。", err=True)
        return
    for number, (report, rows) in enumerate(found):
        click.echo(("\n" if number else "") + ("" if wants_csv else f"{report.title}"), nl=not wants_csv)
        _print(report, rows, wants_csv, wants_json=False)


@logs.command("purge")
@click.option("--data", type=DATA_DIR, metavar="目录", help="数据目录（默认 var）")
def purge(data: Path | None) -> None:
    """清除超过保留期限（log_retention_days）的记录，并压缩文件，使删去的内容不再留在磁盘上。"""
    settings = load_settings({"data": data})
    before = datetime.now(UTC).date() - timedelta(days=settings.log_retention_days)
    removed = QueryLog(settings.data, settings.log_database).purge(before)
    rest = "数据库的表已重写；服务器的预写日志和备份里可能还有" if settings.log_database else "文件已压缩，查无残留"
    click.echo(f"{before} 之前的记录已清除：{removed} 条；{rest}。", err=True)


def _print(report: Report, rows: Sequence[Row], wants_csv: bool, wants_json: bool) -> None:
    if wants_json:
        click.echo(as_json(report, rows))
    elif wants_csv:
        click.echo(as_csv(report, rows), nl=False)
    elif rows:
        click.echo("  ".join(column.label for column in report.columns))
        for row in rows:
            click.echo("  ".join(told(cell, column.kind) for cell, column in zip(row, report.columns, strict=True)))
    else:
        click.echo("这段时间没有符合的查询记录。", err=True)
