"""The reports by name: title, definition, columns. Pages, commands and exports are made from this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from webapp import reports
from webapp.log_store.counting import WEAK_SCORE
from webapp.log_store.reading import DayReader, Period
from webapp.rates import Rate
from webapp.reports import MAX_TOPICS, MIN_RISING_SEARCHES, RISING_Z, Cell, Held, Row


class Kind(Enum):
    """What a column holds, and how it is told."""

    TEXT = "text"
    QUERY = "query"  #: a question that many asked; a page links it
    ANSWER = "answer"  #: the id of an answer; a page links it
    COUNT = "count"
    RATE = "rate"
    MILLISECONDS = "ms"
    FACTOR = "factor"


@dataclass(frozen=True)
class Column:
    """One column."""

    label: str  #: in Chinese
    kind: Kind


def nothing_known(_: str) -> None:
    """For where there is no index."""


@dataclass(frozen=True)
class Report:
    """One question that analysts ask."""

    name: str  #: in addresses and commands
    title: str
    definition: str  #: what is counted, of what, in Chinese
    columns: tuple[Column, ...]
    rows_of: Callable[..., Sequence[Row]]  #: of days and a period; and of what is held, where it looks into the index
    picture: str = ""  #: "line" by the first column's days, "bars" by its texts; "" for none
    drawn: int = 1  #: the column that is drawn
    looks_into_index: bool = False

    def rows(self, days: DayReader, period: Period, held: Held = nothing_known) -> Sequence[Row]:
        """What it says; `held`: what the index holds, where the report asks that. Raises LogUnreadable."""
        more = (held,) if self.looks_into_index else ()
        return self.rows_of(days, period, *more)


_QUERY = Column("问题", Kind.QUERY)
_SEARCHES = Column("搜索次数", Kind.COUNT)
_BEFORE = Column("前一段", Kind.COUNT)


def _columns(*pairs: tuple[str, Kind]) -> tuple[Column, ...]:
    return tuple(Column(label, kind) for label, kind in pairs)


_ASKED = "一次搜索是问一个问题；翻页不另算。"
_MANY = "只列出同一天有足够多的不同会话问过的问题。"
REPORTS: tuple[Report, ...] = (
    Report(
        "volume",
        "搜索量",
        f"{_ASKED}一次访问是同一会话中停顿不超过半小时的各次搜索。日期按 UTC。",
        _columns(
            ("日期", Kind.TEXT),
            ("搜索", Kind.COUNT),
            ("会话", Kind.COUNT),
            ("访问", Kind.COUNT),
            ("没有结果", Kind.RATE),
        ),
        reports.volume,
        "line",
    ),
    Report(
        "success",
        "总体效果",
        "各项的分母写在名称里；旁边是前一段同样长的时间。能点击的只有网页上有结果的搜索。",
        _columns(("指标", Kind.TEXT), ("这段时间", Kind.RATE), ("前一段时间", Kind.RATE)),
        reports.success,
    ),
    Report(
        "top",
        "问得最多的问题",
        f"{_ASKED}{_MANY}点击率的分母是网页上有结果的搜索。",
        (
            _QUERY,
            _SEARCHES,
            _BEFORE,
            Column("没有结果", Kind.RATE),
            Column("有点击", Kind.RATE),
            Column("最近的结果数", Kind.COUNT),
        ),
        reports.top,
    ),
    Report(
        "rising",
        "上升的问题",
        f"占全部搜索的比例比前一段同样长的时间高，且差别超过偶然（z ≥ {RISING_Z}，至少 {MIN_RISING_SEARCHES} 次）。"
        f"{_MANY}",
        (_QUERY, _SEARCHES, _BEFORE, Column("比例是原来的几倍", Kind.FACTOR)),
        reports.rising,
    ),
    Report(
        "no-result",
        "没有结果的问题",
        f"一条答案也没有找到的搜索。{_MANY}",
        (_QUERY, Column("没有结果的次数", Kind.COUNT), _BEFORE, _SEARCHES, Column("比例", Kind.RATE)),
        reports.no_result,
    ),
    Report(
        "weak",
        "结果不理想的问题",
        f"有结果，但最好的一条得分也低于 {WEAK_SCORE}。{_MANY}",
        (_QUERY, Column("不理想的次数", Kind.COUNT), _BEFORE, _SEARCHES, Column("比例", Kind.RATE)),
        reports.weak,
    ),
    Report(
        "unclicked",
        "没人点击的问题",
        f"有结果、没有原文摘录、很少有人点开。样本不足的不列。{_MANY}",
        (_QUERY, _SEARCHES, Column("有点击", Kind.RATE), Column("前一段有点击", Kind.RATE)),
        reports.unclicked,
    ),
    Report(
        "chains",
        "换个说法再问",
        f"同一次访问里先后问的两个问题，以及有几次访问如此。{_MANY}",
        _columns(("先问", Kind.QUERY), ("再问", Kind.QUERY), ("访问", Kind.COUNT), ("前一段", Kind.COUNT)),
        reports.chains,
    ),
    Report(
        "clicks",
        "点击的名次",
        "每次搜索只算首次点击；点击摘录算第 1 条。分母是有点击的搜索。",
        _columns(("名次", Kind.TEXT), ("首次点击", Kind.COUNT), ("比例", Kind.RATE), ("前一段的比例", Kind.RATE)),
        reports.click_ranks,
        "bars",
    ),
    Report(
        "latency",
        "耗时",
        "一次检索在引擎中的耗时，按最近秩取百分位；从内存中直接回答的不算。",
        _columns(
            ("索引", Kind.TEXT),
            ("阶段", Kind.TEXT),
            ("次数", Kind.COUNT),
            ("p50", Kind.MILLISECONDS),
            ("p95", Kind.MILLISECONDS),
            ("p99", Kind.MILLISECONDS),
            ("前一段 p95", Kind.MILLISECONDS),
        ),
        reports.latency,
    ),
    Report(
        "topics",
        "问到的病与方面",
        "按词表认出的主题和方面计；“缺”是没有结果或结果不理想的搜索所占的比例。",
        _columns(
            ("主题", Kind.TEXT),
            ("方面", Kind.TEXT),
            ("搜索次数", Kind.COUNT),
            ("前一段", Kind.COUNT),
            ("缺", Kind.RATE),
        ),
        reports.topics,
    ),
    Report(
        "gaps",
        "缺少的内容",
        "病与方面，被问到的次数与当前索引中收录的答案数；一条也没有的在前，其次按每条答案对应的搜索次数。"
        f"“缺”是没有结果或结果不理想的搜索所占的比例。只看问得最多的 {MAX_TOPICS} 个主题，"
        "且同一天有足够多的不同会话问过。",
        _columns(
            ("主题与方面", Kind.TEXT),
            ("搜索次数", Kind.COUNT),
            ("前一段", Kind.COUNT),
            ("收录的答案", Kind.COUNT),
            ("缺", Kind.RATE),
        ),
        reports.gaps,
        "bars",
        looks_into_index=True,
    ),
    Report(
        "aspects",
        "问的方面",
        "一个问题可以问几个方面，各算一次。",
        _columns(
            ("方面", Kind.TEXT),
            ("搜索次数", Kind.COUNT),
            ("前一段", Kind.COUNT),
            ("没有结果", Kind.RATE),
            ("给出摘录", Kind.RATE),
        ),
        reports.aspects,
        "bars",
    ),
    Report(
        "cards",
        "急症提示",
        "出现提示的搜索；分母是全部搜索。",
        _columns(("提示", Kind.TEXT), ("搜索次数", Kind.COUNT), ("比例", Kind.RATE), ("前一段的比例", Kind.RATE)),
        reports.cards,
    ),
    Report(
        "generations",
        "各代索引的效果",
        "同一段时间里由各代索引回答的搜索；区间不重叠才能说有差别。",
        _columns(
            ("索引", Kind.TEXT),
            ("搜索次数", Kind.COUNT),
            ("没有结果", Kind.RATE),
            ("不理想", Kind.RATE),
            ("给出摘录", Kind.RATE),
            ("点击前 3 条", Kind.RATE),
        ),
        reports.generations,
    ),
    Report(
        "feedback",
        "读者的评价",
        "有用、没用和举报的次数。",
        _columns(("评价", Kind.TEXT), ("次数", Kind.COUNT), ("前一段", Kind.COUNT)),
        reports.feedback,
        "bars",
    ),
)


def find_report(name: str) -> Report | None:
    """By its name."""
    return next((report for report in REPORTS if report.name == name), None)


def plain_row(row: Iterable[Cell]) -> list[str | int | float | None]:
    """A row for an export: a rate becomes its value, low, high and denominator."""
    found: list[str | int | float | None] = []
    for cell in row:
        found += [cell.value, cell.low, cell.high, cell.of] if isinstance(cell, Rate) else [cell]
    return found


def plain_headings(columns: Iterable[Column]) -> list[str]:
    """The headings of such rows."""
    found: list[str] = []
    for column in columns:
        rate = [f"{column.label}{part}" for part in ("", "（下限）", "（上限）", "（分母）")]
        found += rate if column.kind is Kind.RATE else [column.label]
    return found
