"""Workers of the real server are killed while they answer: what was written stays, what was in hand is told."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_server import CODE, Site, site
from waiting import eventually

from webapp.log_store import in_hand
from webapp.log_store.reading import Period
from webapp.query_log import QueryLog

__all__ = ["site"]

#: each answer says which worker gave it; a worker told so never gets to write what it holds
TELLING = CODE.replace(
    "    return app\n",
    """
    import os
    from pathlib import Path
    from webapp.log_store.writer import LogWriter
    app.after_request(lambda reply: (reply.headers.set("X-Worker", str(os.getpid())), reply)[1])
    write = LogWriter._write_patiently
    def held_up(writer, rows):
        import threading
        if (data / f"stop-{os.getpid()}").exists():
            threading.Event().wait()
        write(writer, rows)
    LogWriter._write_patiently = held_up
    return app
""",
)


@pytest.fixture
def code() -> str:
    return TELLING


def ask(site: Site, number: int) -> int:
    """The worker that answered."""
    head, _, _ = site.ask(f"/search?q=%E5%A4%B1%E7%9C%A0{number}".encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return next(int(line[10:]) for line in head.decode().splitlines() if line.lower().startswith("x-worker: "))


def ask_all(site: Site, numbers: range) -> dict[int, list[int]]:
    """The worker -> what it answered; asked until each of two has had some."""
    answered: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        answered[ask(site, number)].append(number)
    return answered


def written(data: Path) -> set[int]:
    return {int(event.query.removeprefix("失眠")) for event in QueryLog(data).read_events()}


def held(data: Path) -> int:
    """What all processes have in hand. An event is put there a moment after its answer is out."""
    return sum(int.from_bytes(file.read_bytes(), "big") for file in data.glob(f"{in_hand.PREFIX}*"))


def losses(data: Path) -> int:
    log, today = QueryLog(data), datetime.now(UTC).date()
    with log.reader(5) as days:
        assert days is not None
        return days.losses(Period(today - timedelta(1), today))


def test_what_a_killed_worker_wrote_stays_and_what_it_held_is_told(site: Site, tmp_path: Path) -> None:
    first = ask_all(site, range(60))
    assert sorted(first) == sorted(site.workers()), "both workers answer"
    assert eventually(lambda: written(tmp_path) == set(range(60)))

    killed = min(first)
    (tmp_path / f"stop-{killed}").touch()
    second = ask_all(site, range(60, 120))
    assert second[killed] and len(second) == 2
    others = {number for worker, numbers in second.items() if worker != killed for number in numbers}
    assert eventually(lambda: others <= written(tmp_path))
    assert eventually(lambda: held(tmp_path) == len(second[killed]))
    assert losses(tmp_path) == 0  # it lives, and may yet write
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: killed not in site.workers() and len(site.workers()) == 2)

    third = range(120, 160)
    assert killed not in ask_all(site, third)
    kept = set(range(60)) | others | set(third)
    assert eventually(lambda: written(tmp_path) == kept)
    assert losses(tmp_path) == len(second[killed])
    assert losses(tmp_path) == len(second[killed])  # once


def test_a_kill_in_the_midst_of_searches_costs_a_tail(site: Site, tmp_path: Path) -> None:
    """Whatever the moment: nothing is missing in the middle of what the killed worker answered, and what is missing is
    told, but for the one that was being answered.
    """
    answered = ask_all(site, range(300))
    killed = min(answered)
    os.kill(killed, signal.SIGKILL)
    others = {number for worker, numbers in answered.items() if worker != killed for number in numbers}
    assert eventually(lambda: others <= written(tmp_path))
    there = written(tmp_path)
    kept = [number for number in answered[killed] if number in there]
    assert kept == answered[killed][: len(kept)]
    missing = len(answered[killed]) - len(kept)
    assert eventually(lambda: missing - 1 <= losses(tmp_path) <= len(answered[killed]))


def test_a_site_that_stops_in_good_order_loses_nothing_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    ask_all(site, range(40))
    site.process.terminate()
    assert site.process.wait(60) == 0
    assert written(tmp_path) == set(range(40)) and losses(tmp_path) == 0
    assert not list(tmp_path.glob(f"{in_hand.PREFIX}*"))


def test_a_whole_site_that_is_killed_is_told_by_the_next(site: Site, tmp_path: Path) -> None:
    ask_all(site, range(20))
    assert eventually(lambda: written(tmp_path) == set(range(20)))
    workers = site.workers()
    for worker in workers:
        (tmp_path / f"stop-{worker}").touch()
    ask_all(site, range(20, 50))
    assert eventually(lambda: held(tmp_path) == 30)
    for process in (site.process.pid, *workers):
        os.kill(process, signal.SIGKILL)
    assert eventually(lambda: losses(tmp_path) == 30)  # a moment after the kill: the lock goes last of all
    assert losses(tmp_path) == 30  # once
