"""What analysts ask, answered from made-up visitors whose numbers are known."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from webapp.log_store.reading import Period
from webapp.log_store.sessions import Visitor
from webapp.query_log import Click, Event, Feedback, QueryLog
from webapp.question_reports import reports_of
from webapp.rates import Rate, share
from webapp.report_list import REPORTS, Kind, find_report, plain_headings, plain_row
from webapp.reports import Cell

FIRST = date(2026, 3, 1)
BOTH = Period(FIRST, FIRST + timedelta(1))
SECOND = Period(FIRST + timedelta(1), FIRST + timedelta(1))
NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> QueryLog:
    """Two days: on the second湿疹 comes up, and gen-000002 answers."""
    log = QueryLog(tmp_path_factory.mktemp("log"))
    numbers = iter(range(1, 10_000))

    def asked(query: str, day: int, times: int, total: int = 20, score: float = 0.9, first_click: int = 0) -> None:
        for _ in range(times):
            number = next(numbers)
            at = datetime(2026, 3, 1 + day, 12, tzinfo=UTC) + timedelta(seconds=number)
            shown = (("a", score),) if total else ()
            log.record(
                Event(
                    time=at,
                    query=query,
                    total=total,
                    latency_ms=10.0 + number % 7,
                    generation=f"gen-00000{1 + day}",
                    surface="page",
                    page=1,
                    token=number,
                    visitor=Visitor(number, number),
                    entity=query[:2],
                    aspects=("治疗",),
                    shown=shown,
                    stages_ms={"snippets": 2.0},
                )
            )
            if first_click:
                log.record_click(Click(at, number, first_click, "a"))

    asked("失眠怎么治", 0, 60, first_click=1)
    asked("失眠怎么治", 1, 60, first_click=2)
    asked("湿疹怎么治", 0, 4)
    asked("湿疹怎么治", 1, 66)
    asked("尿疗法", 0, 12, total=0)
    asked("面抽", 1, 8, score=0.1)
    asked("只有四人问", 1, 4, total=0)
    log.record_feedback(Feedback(FIRST, "a", "gen-000001", "useful", ""))
    log.record_feedback(Feedback(FIRST, "a", "gen-000001", "wrong", ""))
    assert log.flush(30)
    return log


def held(entity: str) -> dict[str, int]:
    """What an index might hold."""
    return {"失眠": {"": 80, "治疗": 60}, "湿疹": {"": 9, "病因": 9}, "面抽": {"": 1, "治疗": 1}}.get(entity, {})


def rows(log: QueryLog, name: str, period: Period = BOTH) -> list[tuple[Cell, ...]]:
    report = find_report(name)
    assert report is not None
    with log.reader(5, NOW) as days:
        assert days is not None
        found = [*report.rows(days, period, held)]
    assert all(len(row) == len(report.columns) for row in found)
    for row in found:
        for cell, column in zip(row, report.columns, strict=True):
            assert (column.kind is Kind.RATE) == isinstance(cell, Rate), (name, column.label, cell)
    return found


def test_volume_day_by_day(log: QueryLog) -> None:
    assert rows(log, "volume") == [
        ("2026-03-01", 76, 76, 76, share(12, 76)),
        ("2026-03-02", 138, 138, 138, share(4, 138)),
    ]


def test_the_questions_asked_most(log: QueryLog) -> None:
    assert [row[:2] for row in rows(log, "top")] == [
        ("失眠怎么治", 120),
        ("湿疹怎么治", 70),
        ("尿疗法", 12),
        ("面抽", 8),
    ]
    assert rows(log, "top")[0][2:] == (0, share(0, 120), share(120, 120), 20)
    assert [row[:3] for row in rows(log, "top", SECOND)] == [
        ("湿疹怎么治", 66, 4),
        ("失眠怎么治", 60, 60),
        ("面抽", 8, 0),
    ]


def test_what_rises_more_than_chance(log: QueryLog) -> None:
    [row] = rows(log, "rising", SECOND)
    assert row[:3] == ("湿疹怎么治", 66, 4)  # on the day before too few asked it for a report of that day
    assert row[3] == pytest.approx((66 / 138) / (4 / 76))


def test_what_finds_nothing_or_nothing_good(log: QueryLog) -> None:
    assert rows(log, "no-result") == [("尿疗法", 12, 0, 12, share(12, 12))]
    assert rows(log, "weak") == [("面抽", 8, 0, 8, share(8, 8))]


def test_what_nobody_opens(log: QueryLog) -> None:
    assert rows(log, "unclicked") == [
        ("湿疹怎么治", 70, share(0, 70), share(0, 0)),
        ("失眠怎么治", 120, share(120, 120), share(0, 0)),
    ]
    assert rows(log, "unclicked", SECOND)[1] == ("失眠怎么治", 60, share(60, 60), share(60, 60))


def test_where_clicks_go(log: QueryLog) -> None:
    assert rows(log, "clicks") == [
        ("第 1 条", 60, share(60, 120), share(0, 0)),
        ("第 2 条", 60, share(60, 120), share(0, 0)),
    ]
    assert rows(log, "clicks", SECOND) == [("第 2 条", 60, share(60, 60), share(0, 60))]


def test_the_period_beside_the_one_before(log: QueryLog) -> None:
    found = {row[0]: row[1:] for row in rows(log, "success", SECOND)}
    assert found["没有结果（占搜索）"] == (share(4, 138), share(12, 76))
    assert found["点击第 1 条（占有结果的搜索）"] == (share(0, 134), share(60, 64))
    assert found["点击前 3 条（占有结果的搜索）"] == (share(60, 134), share(60, 64))
    assert found["一条也没点开（占有结果的访问）"] == (share(74, 134), share(4, 64))
    mrr = found["首次点击名次的倒数，平均（MRR，占有点击的搜索）"]
    assert [rate.value for rate in mrr if isinstance(rate, Rate)] == [0.5, 1.0]


def test_latency_by_generation_and_stage(log: QueryLog) -> None:
    assert rows(log, "latency") == [
        ("gen-000001", "全部", 76, 13.0, 16.0, 16.0, None),
        ("gen-000001", "摘要", 76, 2.0, 2.0, 2.0, None),
        ("gen-000002", "全部", 138, 13.0, 16.0, 16.0, None),
        ("gen-000002", "摘要", 138, 2.0, 2.0, 2.0, None),
    ]


def test_topics_aspects_generations_and_feedback(log: QueryLog) -> None:
    assert rows(log, "topics")[0] == ("失眠", "治疗", 120, 0, share(0, 120))
    assert ("尿疗", "治疗", 12, 0, share(12, 12)) in rows(log, "topics")
    assert rows(log, "aspects") == [("治疗", 214, 0, share(16, 214), share(0, 214))]
    assert rows(log, "aspects", SECOND)[0][:3] == ("治疗", 138, 76)
    assert [row[:3] for row in rows(log, "generations")] == [
        ("gen-000001", 76, share(12, 76)),
        ("gen-000002", 138, share(4, 138)),
    ]
    assert sorted(rows(log, "feedback")) == [("举报：内容有误", 1, 0), ("有用", 1, 0)]


def test_what_is_asked_and_not_held(log: QueryLog) -> None:
    assert rows(log, "gaps") == [  # nothing held first, then by searches for each answer; what four asked is not told
        ("湿疹 · 治疗", 70, 0, 0, share(0, 70)),
        ("尿疗 · 治疗", 12, 0, 0, share(12, 12)),
        ("面抽 · 治疗", 8, 0, 1, share(8, 8)),
        ("失眠 · 治疗", 120, 0, 60, share(0, 120)),
    ]


def test_without_an_index_nothing_is_said_of_what_is_held(log: QueryLog) -> None:
    report = find_report("gaps")
    with log.reader(5, NOW) as days:
        assert days is not None and report is not None
        most, *_ = report.rows(days, BOTH)
        assert most[:4] == ("失眠 · 治疗", 120, 0, None)


def closely(log: QueryLog, question: str, period: Period = BOTH) -> list[list[tuple[Cell, ...]]]:
    with log.reader(5, NOW) as days:
        assert days is not None
        return [[*report.rows(days, period)] for report in reports_of(question)]


def test_a_question_looked_at_closely(log: QueryLog) -> None:
    by_day, opened, neighbours = closely(log, "湿疹怎么治？")
    assert by_day == [
        ("2026-03-02", 66, share(0, 66), share(0, 66), share(0, 66)),
        ("其余各天", 4, share(0, 4), share(0, 4), share(0, 4)),
    ]
    assert (opened, neighbours) == ([], [])
    assert closely(log, "失眠怎么治")[1] == [("a", 1, 60, share(60, 120)), ("a", 2, 60, share(60, 120))]
    assert closely(log, "失眠怎么治", SECOND)[1] == [("a", 2, 60, share(60, 60))]


@pytest.mark.parametrize("question", ["只有四人问", "没有人问", "", "%", "失眠"])
def test_a_question_that_few_asked_is_not_looked_at(log: QueryLog, question: str) -> None:
    assert closely(log, question) == [[], [], []]


def test_what_few_opened_is_not_kept_for_a_question_that_few_asked(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    for number in range(1, 8):
        query = "很多人问" if number < 6 else "两个人问"
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        log.record(
            Event(at, query, 9, 5.0, "g", "page", 1, number, Visitor(number, number), shown=(("a", 0.9), ("b", 0.8)))
        )
        log.record_click(Click(at, number, 1 + number % 2, "ab"[number % 2]))
    assert sorted(closely(log, "很多人问")[1]) == [("a", 1, 2, share(2, 5)), ("b", 2, 3, share(3, 5))]
    with closing(sqlite3.connect(log.path)) as database:
        assert database.execute("select distinct query from day_query_clicks").fetchall() == [("很多人问",)]


def test_what_is_asked_before_and_after(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    for number in range(1, 8):
        for later, query in enumerate(("面抽", "面肌痉挛", "肉毒素" if number < 4 else "面肌痉挛手术")):
            at = datetime(2026, 3, 1, 12, later, tzinfo=UTC)
            log.record(Event(at, query, 9, 5.0, "g", "page", 1, 10 * number + later, Visitor(number, number)))
    assert closely(log, "面肌痉挛")[2] == [("在它之前", "面抽", 7)]  # four and three went on to others
    assert closely(log, "面抽")[2] == [("在它之后", "面肌痉挛", 7)]


def test_every_report_is_there_also_for_days_without_anything(log: QueryLog) -> None:
    nothing = Period(date(2020, 1, 1), date(2020, 1, 3))
    for report in REPORTS:
        found = rows(log, report.name, nothing)
        assert report.name in ("volume", "success") or found == []
        assert report.definition.endswith("。") and len(plain_headings(report.columns)) >= len(report.columns)


def test_few_are_nowhere(log: QueryLog) -> None:
    told = [cell for report in REPORTS for row in rows(log, report.name) for cell in plain_row(row)]
    assert "失眠怎么治" in told and "只有四人问" not in told


def test_a_purge_leaves_no_bytes(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    for number in range(1, 2_000):
        day = datetime(2026, 1, 1 + number % 28, tzinfo=UTC)
        log.record(Event(day, f"秘密{number}号", 1, 1.0, "g", "page", 1, number, Visitor(number, number)))
    with log.reader(1, NOW):
        pass  # counted: the days hold the questions too
    assert log.purge(date(2026, 1, 20)) > 1_000
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    kept = {event.query for event in log.read_events()}
    assert len(kept) == sum(number % 28 >= 19 for number in range(1, 2_000))
    for number in range(1, 2_000):
        assert (f"秘密{number}号".encode() in left) == (f"秘密{number}号" in kept)
