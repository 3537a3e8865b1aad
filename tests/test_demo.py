"""The demonstration that `scripts/run --demo` serves: made once, the same each time, marked, with nobody's password."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import make_demo
import pytest
from desk_accounts import PASSWORD, fast_hashes, token_in

from indexer import open_engine
from indexer.settings import Settings
from webapp import create_app
from webapp.demonstration import REMARK, mark_demonstration
from webapp.log_store.reading import Period
from webapp.query_log import Event, QueryLog

__all__ = ["fast_hashes"]

TODAY = date(2026, 5, 20)
RUN = Path(__file__).parent.parent / "scripts" / "run"


@pytest.fixture
def built(demonstration: Path, tmp_path: Path) -> Path:
    """A marked directory whose index is made already."""
    shutil.copytree(demonstration, tmp_path / "demo")
    mark_demonstration(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred searches are enough."""
    monkeypatch.setattr(make_demo, "SEARCHES", 600)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["make_demo.py", *map(str, arguments)])
    return make_demo.main()


def timeless(log: QueryLog) -> list[Event]:
    return [replace(event, visitor=None) for event in log.read_events()]


def test_its_searches_are_what_the_engine_answers_and_the_same_each_time(
    built: Path, few: None, tmp_path: Path
) -> None:
    make_demo.fill_log(built, Settings(data=built), TODAY)
    log = QueryLog(built)
    events = log.read_events()
    assert len(events) == 600 and {event.generation for event in events} == {"gen-000001"}
    assert max(event.time.date() for event in events) == TODAY - timedelta(1)
    assert any(event.direct for event in events) and any(not event.total for event in events)
    assert {answer for event in events for answer, _ in event.shown} <= {
        answer.id for answer in open_engine(built).answers()
    }
    with log.reader(5) as days:
        assert days is not None and days.total(Period(date(2026, 1, 1), TODAY)).searches == 600
    assert sorted(path.name for path in built.glob("making-log-*")) == []

    again = tmp_path / "again"
    shutil.copytree(built, again, ignore=shutil.ignore_patterns("querylog*"))
    make_demo.fill_log(again, Settings(data=again), TODAY)
    assert timeless(QueryLog(again)) == timeless(log)


def test_it_is_made_once_and_asks_for_a_password_until_there_is_one(
    built: Path, few: None, fast_hashes: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", built) == 0
    first = capsys.readouterr().out
    assert REMARK in first and "没有预设密码" in first and "http://127.0.0.1:8000/desk/logs" in first
    assert run(monkeypatch, "--data", built, "--port", 8123, "--host", "127.0.0.1") == 0
    link = re.search(r"http://127\.0\.0\.1:8123(/desk/link/\S+)", capsys.readouterr().out)
    assert link and len(QueryLog(built).read_events()) == 600
    with create_app(built, Settings()).test_client() as client:
        form = client.get(link[1])
        sent = {"token": token_in(form), "new": PASSWORD, "again": PASSWORD}
        assert client.post(link[1], data=sent).status_code == 303
        assert REMARK in client.get("/desk/logs/top").text and REMARK in client.get("/").text
    assert run(monkeypatch, "--data", built) == 0
    assert "密码是您设置的那一个" in capsys.readouterr().out


def test_it_is_never_mixed_with_other_data(
    demonstration: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(demonstration.rglob("*"))
    assert run(monkeypatch, "--data", demonstration) == 1
    assert "已有别的数据" in capsys.readouterr().err and sorted(demonstration.rglob("*")) == before
    with create_app(demonstration, Settings()).test_client() as client:
        assert REMARK not in client.get("/").text


@pytest.fixture
def running(built: Path) -> Iterator[str]:
    """The address of what `scripts/run --demo` serves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "YIWEN_DATA": str(built.parent / "real")}
    process = subprocess.Popen(
        [RUN, "--demo", "--data", built, "--port", str(port)], env=environment, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stderr
    assert any("已启动" in line for line in process.stderr)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.communicate(timeout=60)


def test_one_command_serves_it(running: str, built: Path) -> None:
    with urllib.request.urlopen(running, timeout=60) as page:
        assert REMARK in page.read().decode()
    assert len(QueryLog(built).read_events()) == make_demo.SEARCHES
    assert not (built.parent / "real").exists()
