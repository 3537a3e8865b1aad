"""What is counted of the log equals what was made, and nothing is handed out that few asked."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from log_databases import Kept, Server

from webapp.log_store.counting import Asked, Opened, count_day
from webapp.log_store.reading import Period, together
from webapp.log_store.sessions import Visitor
from webapp.query_log import Click, Event, QueryLog

FIRST, DAYS = date(2026, 3, 1), 6
WHOLE = Period(FIRST, FIRST + timedelta(DAYS - 1))
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def script(name: str) -> ModuleType:
    file = Path(__file__).parent.parent / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(database: Server | None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kept, ModuleType]:
    simulation = script("simulate_traffic")
    place = Kept(tmp_path_factory.mktemp("log"), database.new_database() if database else "")
    log = place.log()
    traffic = simulation.Traffic(7, FIRST, DAYS, 4_000)
    simulation.simulate(log, traffic)
    return place, traffic.truth


def test_every_count_is_what_was_made(made: tuple[Kept, ModuleType]) -> None:
    log, truth = made[0].log(), made[1]
    with log.reader(5, LATER) as days:
        assert days is not None
        counted, total = days.days(WHOLE), days.total(WHOLE)
        assert sum(truth.searches.values()) == 4_000 == total.searches
        for name in ("searches", "no_result", "direct", "urgent", "clickable", "clicked"):
            assert {str(day.day): getattr(day.tally, name) for day in counted} == {
                str(day.day): getattr(truth, name)[str(day.day)] for day in counted
            }, name
        assert {str(day.day): day.visits for day in counted} == dict(truth.visits)
        assert {str(day.day): day.visits_without_click for day in counted} == dict(truth.visits_without_click)
        assert days.ranks(WHOLE) == dict(sorted(truth.first_ranks.items()))
        assert total.clicked_at_3 == sum(n for rank, n in truth.first_ranks.items() if rank <= 3)
        assert total.reciprocal_ranks == pytest.approx(sum(n / rank for rank, n in truth.first_ranks.items()))
        assert {name: tally.searches for name, tally in days.generations(WHOLE).items()} == dict(truth.by_generation)
        summed = together(days.generations(WHOLE).values())
        assert replace(summed, reciprocal_ranks=0) == replace(total, reciprocal_ranks=0)
        measured: Counter[float] = Counter()
        for (_, stage), of_stage in days.latencies(WHOLE).items():
            if stage == "total":
                measured.update(of_stage)
        assert measured == Counter({float(f"{ms:.3g}"): 0 for ms in truth.latencies}) + Counter(
            float(f"{ms:.3g}") for ms in truth.latencies.elements()
        )


def test_a_question_is_told_when_five_sessions_of_one_day_asked_it(made: tuple[Kept, ModuleType]) -> None:
    log, truth = made[0].log(), made[1]
    shared = {query for (_, query), who in truth.askers.items() if len(who) >= 5}
    with log.reader(5, LATER) as days:
        assert days is not None
        told = days.queries(WHOLE)
        assert {each.query for each in told} == shared and 10 < len(shared) < len(truth.queries)
        assert {each.query: each.tally.searches for each in told} == {query: truth.queries[query] for query in shared}
        assert [each.tally.searches for each in told] == sorted((truth.queries[q] for q in shared), reverse=True)


def test_chains_are_told_when_five_visits_of_one_day_had_them(made: tuple[Kept, ModuleType]) -> None:
    log, truth = made[0].log(), made[1]
    wanted: Counter[tuple[str, str]] = Counter()
    for (_, one, other), visits in truth.chains.items():
        if visits >= 5:
            wanted[one, other] += visits
    with log.reader(5, LATER) as days:
        assert days is not None
        assert {(one, other): visits for one, other, visits in days.chains(WHOLE)} == dict(wanted)
    assert wanted


def test_a_day_that_is_over_forgets_who_asked(made: tuple[Kept, ModuleType]) -> None:
    place, _ = made
    with place.log().reader(5, LATER):
        pass
    assert place.rows("select count(*) from searches where session is not null") == [(0,)]
    assert place.rows("select count(distinct at) from searches") == [(DAYS,)]  # midnights
    assert place.rows("select min(visits) from day_chains")[0][0] >= 5


def asks(log: QueryLog, query: str, visitor: Visitor, at: datetime, token: int = 0, page: int = 1) -> None:
    log.record(Event(at, query, 3, 1.0, "gen-000001", "page", page, token, visitor, shown=(("a", 0.9),)))


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(log: QueryLog, now: datetime = NOON + timedelta(hours=1)) -> list[str]:
    with log.reader(5, now) as days:
        assert days is not None
        return [each.query for each in days.queries(Period(now.date() - timedelta(30), now.date()))]


def test_one_who_asks_a_thousand_times_is_not_many(kept: Kept) -> None:
    log = kept.log()
    for number in range(1_000):
        asks(log, "我的秘密", Visitor(1, 1), NOON + timedelta(seconds=number))
    for number in range(4):
        asks(log, "四个人问的", Visitor(number, number), NOON)
    for number in range(5):
        asks(log, "五个人问的", Visitor(number, number), NOON)
    assert told(log) == ["五个人问的"]


def test_one_address_with_many_browsers_is_not_many(kept: Kept) -> None:
    log = kept.log()
    for number in range(1_000):
        asks(log, "我的秘密", Visitor(number, 1), NOON)
    assert told(log) == []


def test_five_on_five_days_are_not_many(kept: Kept) -> None:
    log = kept.log()
    for number in range(5):
        asks(log, "我的秘密", Visitor(number, number), NOON + timedelta(days=number))
    assert told(log, NOON + timedelta(days=6)) == []


def page(token: int, at: int, query: str = "失眠", session: int = 1, number: int = 1, total: int = 30) -> Asked:
    return Asked(
        token, at, session, session, "page", number, query, None, (), total, 0.9, False, None, "g", False, 5.0, {}
    )


def test_reading_on_belongs_to_its_search() -> None:
    day = count_day([page(1, 0), page(2, 60, number=2)], [Opened(2, 14, "n")])
    tally = day.queries["失眠"]
    assert (tally.searches, tally.clicked, tally.clicked_at_5, tally.reciprocal_ranks) == (1, 1, 0, 1 / 14)


def test_only_the_first_click_gives_the_rank_and_foreign_ones_nothing() -> None:
    day = count_day([page(1, 0)], [Opened(1, 3, "c"), Opened(1, 1, "a"), Opened(99, 1, "a"), Opened(1, 5_000, "x")])
    assert day.ranks == {3: 1} and day.queries["失眠"].clicked_at_1 == 0


def test_the_quoted_answer_counts_as_the_first() -> None:
    assert count_day([page(1, 0)], [Opened(1, 0, "a")]).ranks == {1: 1}


def test_half_an_hour_ends_a_visit() -> None:
    day = count_day([page(1, 0), page(2, 1_800, "头痛"), page(3, 3_601, "咳嗽")], [Opened(3, 1, "a")])
    assert (day.visits, day.visits_without_click, day.chains) == (2, 1, {("失眠", "头痛"): 1})


def test_clicks_after_midnight_count_for_the_day_of_their_search(kept: Kept) -> None:
    log = kept.log()
    late = datetime(2026, 3, 1, 23, 59, 50, tzinfo=UTC)
    asks(log, "失眠", Visitor(1, 1), late, token=5)
    log.record_click(Click(late + timedelta(seconds=30), 5, 1, "a"))
    with log.reader(1, late + timedelta(minutes=2)) as days:
        assert days is not None
        assert [day.tally.clicked for day in days.days(Period(late.date(), late.date() + timedelta(1)))] == [1, 0]


def test_a_day_that_goes_on_is_counted_anew_each_minute(kept: Kept) -> None:
    log = kept.log()
    for seconds, searches in ((0, 1), (30, 1), (90, 3)):
        asks(log, "失眠", Visitor(1, 1), NOON)
        now = NOON + timedelta(seconds=seconds)
        with log.reader(1, now) as days:
            assert days is not None and days.total(Period(NOON.date(), NOON.date())).searches == searches


def test_several_count_the_same_day_at_once(kept: Kept) -> None:
    log = kept.log()
    for number in range(200):
        asks(log, "失眠", Visitor(number, number), NOON)
    assert log.flush(30)
    logs = [kept.log() for _ in range(4)]
    counted: list[int] = []

    def count(log: QueryLog) -> None:
        with log.reader(5, NOON + timedelta(hours=1)) as days:
            assert days is not None
            counted.append(days.total(Period(FIRST, FIRST)).searches)

    threads = [threading.Thread(target=count, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [200] * 4
