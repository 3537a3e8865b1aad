"""What people ask and the corpus does not answer, as items of the quality desk: questions, and topics by aspect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer import Listed, ReviewItem, review_marks
from webapp.log_store.reading import DayReader, Period, QueryCounts
from webapp.query_log import QueryLog
from webapp.reports import Held, TopicGap, topic_gaps

QUEUE = "gaps"
#: of the last so many days
DAYS = 90
#: so few results are weak, and so few answers little
WEAK_RESULTS = 2


def content_gaps(data: Path, query_log: QueryLog, min_sessions: int, held: Held) -> list[Listed]:
    """Questions that found nothing or little the last time, and topics of which nothing or little is held about what is
    asked, as the report of gaps has it; those with nothing first, seen or not. Of both such as `min_sessions` sessions
    of one day asked.

    Raises StateError, LogUnreadable.
    """
    now = datetime.now(UTC)
    period = Period((now - timedelta(days=DAYS)).date(), now.date())
    with query_log.reader(min_sessions, now) as days:
        items = _items(days, period, held) if days else []
    marks = review_marks(data, QUEUE)
    return [
        Listed(item, mark, mark is not None and mark.digest == item.digest)
        for item in items
        for mark in (marks.get(item.key),)
    ]


def _items(days: DayReader, period: Period, held: Held) -> list[ReviewItem]:
    """In each group those asked most first."""
    found = [
        (each.last_total, each.tally.searches, gap_item(each))
        for each in days.queries(period)
        if each.last_total <= WEAK_RESULTS
    ]
    found += [
        (gap.held, gap.tally.searches, topic_item(gap))
        for gap in topic_gaps(days, period, held)
        if gap.held is not None and gap.held <= WEAK_RESULTS
    ]
    return [item for *_, item in sorted(found, key=lambda each: (each[0] > 0, -each[1], each[2].key))]


def gap_item(asked: QueryCounts) -> ReviewItem:
    """A question as an item. One that was looked through comes back when it finds nothing any more."""
    last = f"最近一次有 {asked.last_total} 个结果" if asked.last_total else "最近一次没有结果"
    told = f"{DAYS} 天里搜索 {asked.tally.searches} 次，{asked.tally.no_result} 次没有结果；{last}"
    return _item(asked.query, asked.last_total, told)


def topic_item(gap: TopicGap) -> ReviewItem:
    """A topic and what is asked of it; `held` must be known."""
    held = f"收录 {gap.held} 条答案" if gap.held else "一条答案也没有收录"
    told = f"{DAYS} 天里搜索 {gap.tally.searches} 次；{held}"
    return _item(f"{gap.entity} {gap.aspect}".strip(), gap.held or 0, told)


def _item(question: str, found: int, told: str) -> ReviewItem:
    digest = "weak" if found else "none"
    return ReviewItem(QUEUE, key=question, digest=digest, title=question, evidence=(told,), count=0, texts=())
