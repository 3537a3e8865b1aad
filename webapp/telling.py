"""Rows of reports for people, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from webapp.rates import Rate
from webapp.report_list import Kind, Report, plain_headings, plain_row
from webapp.reports import Cell, Row


def as_csv(report: Report, rows: Sequence[Row]) -> str:
    """Rows for a spreadsheet, in which no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(plain_headings(report.columns))
    writer.writerows([guarded(cell) if isinstance(cell, str) else cell for cell in plain_row(row)] for row in rows)
    return out.getvalue()


def as_json(report: Report, rows: Sequence[Row]) -> str:
    """Rows for a program, with what they count."""
    headings = plain_headings(report.columns)
    named = [dict(zip(headings, plain_row(row), strict=True)) for row in rows]
    whole = {"report": report.name, "title": report.title, "definition": report.definition, "rows": named}
    return json.dumps(whole, ensure_ascii=False)


def guarded(cell: str) -> str:
    """A spreadsheet would run a cell that starts like a formula; a quote in front makes it text."""
    formula = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel reads the wide ones too
    return f"'{cell}" if cell.startswith(formula) else cell


def told(cell: Cell, kind: Kind) -> str:
    """A cell for people."""
    if isinstance(cell, Rate):
        return told_rate(cell)
    if cell is None:
        return "—" if kind is not Kind.FACTOR else "新出现"
    match kind:
        case Kind.COUNT:
            return f"{cell:,}"
        case Kind.MILLISECONDS:
            return f"{cell:g} ms"
        case Kind.FACTOR:
            return f"{cell:.1f} 倍"
        case _:
            return str(cell)


def told_rate(rate: Rate) -> str:
    """A rate with its interval and denominator; too few say so."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "—"
    said = f"{rate.value:.1%}（{rate.low:.1%}–{rate.high:.1%}，共 {rate.of:,}）"
    return said if rate.is_enough else f"{said}样本不足"
