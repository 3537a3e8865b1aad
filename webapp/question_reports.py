"""One question of a report, looked at closely: its days, what was opened, what was asked before and after it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from webapp.log_store.reading import DayReader, Period
from webapp.query_log import normalise
from webapp.rates import share
from webapp.report_list import Column, Kind, Report
from webapp.reports import Row


def reports_of(question: str) -> tuple[Report, ...]:
    """The reports about one question, in the spelling that the log has; empty unless many asked it on one day."""
    asked = normalise(question)
    return tuple(replace(report, rows_of=partial(report.rows_of, question=asked)) for report in _REPORTS)


def _days(days: DayReader, period: Period, question: str = "") -> list[Row]:
    return [
        (
            each.day.isoformat() if each.day else "其余各天",
            each.tally.searches,
            share(each.tally.no_result, each.tally.searches),
            share(each.tally.weak, each.tally.searches),
            share(each.tally.clicked, max(each.tally.clickable, each.tally.clicked)),
        )
        for each in days.question(question, period)
    ]


def _opened(days: DayReader, period: Period, question: str = "") -> list[Row]:
    found = sorted(days.opened(question, period), key=lambda each: (-each[2], each[1], each[0]))
    clicks = sum(count for *_, count in found)
    return [(answer, rank, count, share(count, clicks)) for answer, rank, count in found]


def _neighbours(days: DayReader, period: Period, question: str = "") -> list[Row]:
    chains = days.chains(period)
    before: list[Row] = [("在它之前", one, visits) for one, other, visits in chains if other == question]
    after: list[Row] = [("在它之后", other, visits) for one, other, visits in chains if one == question]
    return [*after, *before]


_REPORTS = (
    Report(
        "days",
        "逐日",
        "问的人足够多的各天；其余各天合为一行。",
        (
            Column("日期", Kind.TEXT),
            Column("搜索次数", Kind.COUNT),
            Column("没有结果", Kind.RATE),
            Column("不理想", Kind.RATE),
            Column("有点击", Kind.RATE),
        ),
        _days,
    ),
    Report(
        "opened",
        "点开的答案",
        "每次搜索只算首次点击，只算问的人足够多的各天；分母是这些点击。",
        (
            Column("答案", Kind.ANSWER),
            Column("名次", Kind.COUNT),
            Column("首次点击", Kind.COUNT),
            Column("比例", Kind.RATE),
        ),
        _opened,
    ),
    Report(
        "neighbours",
        "前后问的问题",
        "同一次访问里紧接着先问或再问的问题，以及有几次访问如此；同样只列足够多的人问过的。",
        (Column("先后", Kind.TEXT), Column("问题", Kind.QUERY), Column("访问", Kind.COUNT)),
        _neighbours,
    ),
)
