"""What analysts ask of the log: one question, one function, from counted days to plain rows. report_list.py names them
with their definitions.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webapp.log_store.counting import Tally
from webapp.log_store.reading import DayReader, Period, QueryCounts
from webapp.rates import Rate, mean_reciprocal_rank, percentile, share

#: a row of a report: one value for each column
Cell = str | int | float | Rate | None
Row = tuple[Cell, ...]

#: what the served generation holds about a topic: answers by aspect, "" for all; None where no index can be had
Held = Callable[[str], Mapping[str, int] | None]

#: so many topics at most are looked up in the index for a page: some milliseconds each
MAX_TOPICS = 60
#: such a rise comes by chance once in some hundred questions
RISING_Z = 2.58
MIN_RISING_SEARCHES = 10
STAGES = {
    "total": "全部",
    "understand": "理解问题",
    "retrieve and rank": "检索与排序",
    "fold": "合并",
    "snippets": "摘要",
    "answer": "摘录与相关",
}


def volume(days: DayReader, period: Period) -> list[Row]:
    """Day by day."""
    return [
        (
            day.day.isoformat(),
            day.tally.searches,
            day.sessions,
            day.visits,
            share(day.tally.no_result, day.tally.searches),
        )
        for day in days.days(period)
    ]


def top(days: DayReader, period: Period) -> list[Row]:
    """Asked most."""
    before = _before(days, period)
    return [_query_row(each, before) for each in days.queries(period)]


def rising(days: DayReader, period: Period) -> list[Row]:
    """Asked more often than before: two shares compared (Pearson's test of two proportions), the surest first."""
    now, then = days.total(period).searches, days.total(period.before).searches
    if not now or not then:
        return []
    before = _before(days, period)
    found: list[tuple[float, Row]] = []
    for each in days.queries(period):
        asked, was = each.tally.searches, before[each.query].searches
        both = (asked + was) / (now + then)
        z = (asked / now - was / then) / math.sqrt(both * (1 - both) * (1 / now + 1 / then)) if both < 1 else 0.0
        if asked >= MIN_RISING_SEARCHES and z >= RISING_Z:
            factor = (asked / now) / (was / then) if was else None
            found.append((z, (each.query, asked, was, factor)))
    return [row for _, row in sorted(found, key=lambda pair: (-pair[0], str(pair[1][0])))]


def no_result(days: DayReader, period: Period) -> list[Row]:
    """Found nothing."""
    return _worst(days, period, lambda tally: tally.no_result)


def weak(days: DayReader, period: Period) -> list[Row]:
    """Found nothing good."""
    return _worst(days, period, lambda tally: tally.weak)


def unclicked(days: DayReader, period: Period) -> list[Row]:
    """Found something that nobody opened."""
    before = _before(days, period)
    asked = [each for each in days.queries(period) if each.tally.clickable and not each.tally.direct]
    found = [(each, _clicked_share(each.tally)) for each in asked]
    enough = [(each, rate) for each, rate in found if rate.is_enough]
    enough.sort(key=lambda pair: pair[1].value or 0.0)  # those asked most stay first among equals
    return [(each.query, each.tally.searches, rate, _clicked_share(before[each.query])) for each, rate in enough]


def chains(days: DayReader, period: Period) -> list[Row]:
    """Asked one after another."""
    before = {(one, other): visits for one, other, visits in days.chains(period.before)}
    return [(one, other, visits, before.get((one, other), 0)) for one, other, visits in days.chains(period)]


def click_ranks(days: DayReader, period: Period) -> list[Row]:
    """Where the first click of a search goes."""
    ranks, before = days.ranks(period), days.ranks(period.before)
    clicks, were = sum(ranks.values()), sum(before.values())
    return [
        (f"第 {rank} 条", count, share(count, clicks), share(before.get(rank, 0), were))
        for rank, count in ranks.items()
    ]


def success(days: DayReader, period: Period) -> list[Row]:
    """The period beside the one before."""
    return [(label, *(rate_of(days, each) for each in (period, period.before))) for label, rate_of in _RATES]


def latency(days: DayReader, period: Period) -> list[Row]:
    """By generation and stage."""
    found, before = days.latencies(period), days.latencies(period.before)
    order = list(STAGES)
    rows: list[Row] = []
    for generation, stage in sorted(found, key=lambda key: (key[0], order.index(key[1]) if key[1] in order else 99)):
        counts = found[generation, stage]
        values = (percentile(counts, each) for each in (0.5, 0.95, 0.99))
        was = percentile(before.get((generation, stage), {}), 0.95)
        rows.append((generation, STAGES.get(stage, stage), sum(counts.values()), *values, was))
    return rows


def topics(days: DayReader, period: Period) -> list[Row]:
    """Diseases and aspects that are asked for."""
    before = defaultdict(Tally, days.topics(period.before))
    found = [(key, tally) for key, tally in days.topics(period).items() if tally.searches >= days.min_sessions]
    found.sort(key=lambda pair: (-pair[1].searches, pair[0]))
    return [
        (
            entity,
            aspect or "未指明",
            tally.searches,
            before[entity, aspect].searches,
            share(tally.no_result + tally.weak, tally.searches),
        )
        for (entity, aspect), tally in found
    ]


@dataclass(frozen=True)
class TopicGap:
    """What is asked of an illness, beside what is held."""

    entity: str
    aspect: str  #: "" for none
    tally: Tally
    held: int | None  #: answers; None where no index can be had

    @property
    def badness(self) -> tuple[bool, float]:
        """What nothing is held of first, then by searches for each answer."""
        return self.held == 0, self.tally.searches / max(self.held or 0, 1)


def topic_gaps(days: DayReader, period: Period, held: Held) -> list[TopicGap]:
    """What many asked of the topics asked for most, the worst first."""
    asked = days.shared_topics(period)
    searches: Counter[str] = Counter()
    for (entity, _), tally in asked.items():
        searches[entity] += tally.searches
    holdings = {entity: held(entity) for entity, _ in searches.most_common(MAX_TOPICS)}
    found = [
        TopicGap(entity, aspect, tally, None if (by_aspect := holdings[entity]) is None else by_aspect.get(aspect, 0))
        for (entity, aspect), tally in asked.items()
        if entity in holdings
    ]
    return sorted(found, key=lambda gap: (*(-each for each in gap.badness), gap.entity, gap.aspect))


def gaps(days: DayReader, period: Period, held: Held) -> list[Row]:
    """Asked for beside held."""
    before = defaultdict(Tally, days.topics(period.before))
    return [
        (
            f"{gap.entity} · {gap.aspect or '未指明'}",
            gap.tally.searches,
            before[gap.entity, gap.aspect].searches,
            gap.held,
            share(gap.tally.no_result + gap.tally.weak, gap.tally.searches),
        )
        for gap in topic_gaps(days, period, held)
    ]


def aspects(days: DayReader, period: Period) -> list[Row]:
    """What is asked about."""
    before = defaultdict(Tally, days.aspects(period.before))
    found = sorted(days.aspects(period).items(), key=lambda pair: (-pair[1].searches, pair[0]))
    return [
        (
            aspect,
            tally.searches,
            before[aspect].searches,
            share(tally.no_result, tally.searches),
            share(tally.direct, tally.searches),
        )
        for aspect, tally in found
    ]


def cards(days: DayReader, period: Period) -> list[Row]:
    """Urgency cards that were shown."""
    total, was = days.total(period).searches, days.total(period.before).searches
    before = days.cards(period.before)
    shown = sorted(days.cards(period).items(), key=lambda each: -each[1])
    return [(card, n, share(n, total), share(before.get(card, 0), was)) for card, n in shown]


def generations(days: DayReader, period: Period) -> list[Row]:
    """Before and after a generation."""
    return [
        (
            name,
            tally.searches,
            share(tally.no_result, tally.searches),
            share(tally.weak, tally.searches),
            share(tally.direct, tally.searches),
            share(tally.clicked_at_3, max(tally.clickable, tally.clicked_at_3)),
        )
        for name, tally in days.generations(period).items()
    ]


def feedback(days: DayReader, period: Period) -> list[Row]:
    """What readers said."""
    labels = {"useful": "有用", "useless": "没用", "advertisement": "举报：广告", "wrong": "举报：内容有误"}
    labels |= {"outdated": "举报：已经过时", "unreadable": "举报：看不懂", "other": "举报：其他"}
    said, before = days.feedback(period), days.feedback(period.before)
    return [
        (labels.get(verdict, verdict), n, before.get(verdict, 0))
        for verdict, n in sorted(said.items(), key=lambda each: -each[1])
    ]


def _before(days: DayReader, period: Period) -> defaultdict[str, Tally]:
    """What the questions that are told for a period came to in the one before."""
    found = {each.query: each.tally for each in days.queries(period.before, shared_in=period)}
    return defaultdict(Tally, found)


def _query_row(each: QueryCounts, before: Mapping[str, Tally]) -> Row:
    tally, was = each.tally, before[each.query].searches
    lacking = share(tally.no_result, tally.searches)
    return (each.query, tally.searches, was, lacking, _clicked_share(tally), each.last_total)


def _clicked_share(tally: Tally) -> Rate:
    return share(tally.clicked, max(tally.clickable, tally.clicked))


def _worst(days: DayReader, period: Period, bad: Callable[[Tally], int]) -> list[Row]:
    before = _before(days, period)
    found = [(each.query, bad(each.tally), each.tally.searches) for each in days.queries(period) if bad(each.tally)]
    found.sort(key=lambda row: -row[1])  # those asked most stay first among equals
    return [
        (query, bad_ones, bad(before[query]), searches, share(bad_ones, searches))
        for query, bad_ones, searches in found
    ]


def _clicked(by: Callable[[Tally], int]) -> Callable[[DayReader, Period], Rate]:
    def rate(days: DayReader, period: Period) -> Rate:
        tally = days.total(period)
        return share(by(tally), max(tally.clickable, by(tally)))

    return rate


def _of_searches(by: Callable[[Tally], int]) -> Callable[[DayReader, Period], Rate]:
    def rate(days: DayReader, period: Period) -> Rate:
        tally = days.total(period)
        return share(by(tally), tally.searches)

    return rate


def _abandoned(days: DayReader, period: Period) -> Rate:
    counted = days.days(period)
    return share(sum(day.visits_without_click for day in counted), sum(day.visits_clickable for day in counted))


_RATES: tuple[tuple[str, Callable[[DayReader, Period], Rate]], ...] = (
    ("没有结果（占搜索）", _of_searches(lambda tally: tally.no_result)),
    ("结果都不理想（占搜索）", _of_searches(lambda tally: tally.weak)),
    ("给出原文摘录（占搜索）", _of_searches(lambda tally: tally.direct)),
    ("出现急症提示（占搜索）", _of_searches(lambda tally: tally.urgent)),
    ("点击第 1 条（占有结果的搜索）", _clicked(lambda tally: tally.clicked_at_1)),
    ("点击前 3 条（占有结果的搜索）", _clicked(lambda tally: tally.clicked_at_3)),
    ("点击前 5 条（占有结果的搜索）", _clicked(lambda tally: tally.clicked_at_5)),
    ("首次点击名次的倒数，平均（MRR，占有点击的搜索）", lambda days, period: mean_reciprocal_rank(days.ranks(period))),
    ("一条也没点开（占有结果的访问）", _abandoned),
)
