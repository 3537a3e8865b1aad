"""`yiwen logs`: what people ask, and what they do not find."""

from __future__ import annotations

import csv
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from webapp.query_log import Event, QueryLog
from webapp.reports import QueryRow, no_result_queries, top_queries

HEADINGS = ("问题", "次数", "无结果次数", "耗时中位数（毫秒）")

DATA_DIR = click.Path(path_type=Path, file_okay=False)

Report = Callable[[Iterable[Event], int], Sequence[QueryRow]]


class Since(click.ParamType[datetime]):
    """A day (from its start, in local time) or a span back from now; converts to a time in UTC."""

    name = "时间"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read 2024-05-01, 7d or 24h."""
        if isinstance(value, datetime):
            return value
        try:
            if span := re.fullmatch(r"([0-9]{1,6})([dh])", value.strip()):
                unit = timedelta(days=1) if span[2] == "d" else timedelta(hours=1)
                return datetime.now(UTC) - int(span[1]) * unit
            return datetime.strptime(value.strip(), "%Y-%m-%d").astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"“{value}”应写成日期（如 2024-05-01）、天数（如 7d）或小时数（如 24h）", param, ctx)


def _report_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="输出 CSV"),
        click.option("--limit", type=click.IntRange(min=1), default=20, metavar="行数", help="最多列出几行（默认 20）"),
        click.option(
            "--since", type=Since(), metavar="时间", help="从何时起，如 2024-05-01、7d（天）、24h（小时）；默认全部"
        ),
        click.option("--data", type=DATA_DIR, metavar="目录", help="数据目录（默认 var）"),
    ):
        command = option(command)
    return command


@click.group(no_args_is_help=False)
def logs() -> None:
    """查询日志：大家问什么，什么没搜到。"""


@logs.command()
@_report_options
def top(data: Path | None, since: datetime | None, limit: int, as_csv: bool) -> None:
    """问得最多的问题。"""
    _print_report(top_queries, data, since, limit, as_csv)


@logs.command("no-result")
@_report_options
def no_result(data: Path | None, since: datetime | None, limit: int, as_csv: bool) -> None:
    """没有搜到结果的问题。"""
    _print_report(no_result_queries, data, since, limit, as_csv)


def _print_report(report: Report, data: Path | None, since: datetime | None, limit: int, as_csv: bool) -> None:
    from indexer.settings import load_settings

    query_log = QueryLog(load_settings({"data": data}).data)
    try:
        events = query_log.read_events(since)
    except sqlite3.Error as error:
        raise click.ClickException(
            f"查询日志 {query_log.path} 读不出来：{error}。请把它移走，之后会重新记录。"
        ) from error
    rows = report(events, limit)
    if as_csv:
        write_csv(rows)
    elif rows:
        write_table(rows)
    else:
        click.echo("这段时间没有符合的查询记录。", err=True)


def write_csv(rows: Iterable[QueryRow]) -> None:
    """Rows for a spreadsheet, on standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows((guarded(row.query), row.searches, row.no_result, row.median_latency_ms) for row in rows)


def guarded(cell: str) -> str:
    """A spreadsheet would run a cell that starts like a formula; a quote in front makes it text."""
    formula = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel reads the wide ones too
    return f"'{cell}" if cell.startswith(formula) else cell


def write_table(rows: Iterable[QueryRow]) -> None:
    """Rows for people, on standard output; the question comes last, so that the numbers stand in columns."""
    click.echo("  次数  无结果      耗时  问题")
    for row in rows:
        click.echo(f"{row.searches:>6}  {row.no_result:>6}  {row.median_latency_ms:>5.0f} ms  {row.query}")
