#!/usr/bin/env python3
"""What the query log costs: room, counting, each report in a fresh process on one core, and an event on its way in.

    python scripts/simulate_traffic.py --data DIR --days 180 --searches 1000000 --new-share .27
    python scripts/bench_log.py --data DIR

Each number is the median of three. Processor time stands beside time passed: other programs lengthen only the latter.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from webapp.dashboard import FRONT
from webapp.log_store.databases import address_of, open_log
from webapp.log_store.reading import Period
from webapp.log_store.rollups import roll_up
from webapp.log_store.sessions import Visitor
from webapp.query_log import Event, QueryLog
from webapp.report_list import REPORTS, find_report

MIN_SESSIONS = 5
TIMES = 3
PERIODS = (30, 180)
PUTS, PUTS_A_SECOND = 20_000, 1_000


@dataclass(frozen=True)
class Cost:
    """Of one thing done in a process of its own."""

    passed_s: float
    processor_s: float
    peak_mb: float
    result: Any = None


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--last", type=date.fromisoformat, help="day (default: yesterday)")
    options = parser.parse_args()
    last = options.last or datetime.now(UTC).date() - timedelta(1)
    tell("counting all days that are not counted", fresh(1, count_all, options.data))
    tell("counting the last day", fresh(TIMES, count_day, options.data, last.isoformat()))
    size = sum(file.stat().st_size for file in options.data.glob("querylog.sqlite3*"))
    print(f"the file: {size / 1e6:.0f} MB")
    for days in PERIODS:
        period = Period(last - timedelta(days - 1), last)
        tell(f"the front page, {days} days", fresh(TIMES, read, options.data, FRONT, period))
        for report in REPORTS:
            tell(f"{report.name}, {days} days", fresh(TIMES, read, options.data, (report.name,), period))
    found = [fresh(1, put_many).result for _ in range(TIMES)]
    for number, name in enumerate(("passed", "processor time")):
        print(
            f"an event into the queue while others are written, p99, {name}: {median(p[number] for p in found):.3f} ms"
        )


def fresh(times: int, work: Callable[..., Any], *given: Any) -> Cost:
    """The median cost of doing something, each time in a process that has loaded the program and done nothing else."""
    costs = []
    for _ in range(times):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            costs.append(pool.submit(measured, work, given).result())
    return Cost(
        median(each.passed_s for each in costs),
        median(each.processor_s for each in costs),
        median(each.peak_mb for each in costs),
        costs[-1].result,
    )


def measured(work: Callable[..., Any], given: Sequence[Any]) -> Cost:
    """In this process, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    started, processor = time.perf_counter(), time.process_time()
    result = work(*given)
    passed, processor = time.perf_counter() - started, time.process_time() - processor
    return Cost(passed, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, result)


def tell(name: str, cost: Cost) -> None:
    """One line."""
    more = f"  ({cost.result})" if cost.result is not None else ""
    print(
        f"{name}: {cost.processor_s:.2f} s of a processor, {cost.passed_s:.2f} s, {cost.peak_mb:.0f} MB{more}",
        flush=True,
    )


def count_all(data: Path) -> None:
    """As the first look after a long time."""
    QueryLog(data).count_days(datetime.now(UTC), MIN_SESSIONS)


def count_day(data: Path, day: str) -> None:
    """And forget what came out."""
    with open_log(address_of(data), 60, writes=True).connect() as connection, connection.begin() as transaction:
        roll_up(connection, day, datetime.now(UTC), MIN_SESSIONS)
        transaction.rollback()


def read(data: Path, names: Sequence[str], period: Period) -> str:
    """The rows of reports, as a page reads them."""
    rows = 0
    with QueryLog(data).reader(MIN_SESSIONS) as days:
        for name in names:
            report = find_report(name)
            assert days is not None and report is not None
            rows += len(report.rows(days, period))
    return f"{rows:,} rows"


def put_many() -> tuple[float, float]:
    """The ninety-ninth percentile of an event's way into the queue, in ms: time passed, and this thread's own."""
    passed, processor = [], []
    with tempfile.TemporaryDirectory() as folder:
        log, now = QueryLog(Path(folder)), datetime.now(UTC).replace(microsecond=0)
        began = time.perf_counter()
        for number in range(PUTS):
            shown = tuple((f"answer-{rank}", 0.9) for rank in range(10))
            visitor = Visitor(number, number)
            event = Event(now, f"失眠{number}", 30, 5.0, "gen-000001", "page", 1, number + 1, visitor, shown=shown)
            time.sleep(max(0.0, began + number / PUTS_A_SECOND - time.perf_counter()))
            start, own = time.perf_counter_ns(), time.thread_time_ns()
            log.record(event)
            passed.append(time.perf_counter_ns() - start)
            processor.append(time.thread_time_ns() - own)
        assert log.flush(60) and log.lost_events == 0
    place = int(0.99 * PUTS)
    return sorted(passed)[place] / 1e6, sorted(processor)[place] / 1e6


if __name__ == "__main__":
    main()
