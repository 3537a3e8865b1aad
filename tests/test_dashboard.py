"""The analysts' pages: every report with its definition, picture, table and exports, over made-up visitors."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pytest
from desk_accounts import fast_hashes, log_in, with_users
from flask.testing import FlaskClient
from test_counted_days import script

from indexer.settings import Settings
from webapp import create_app
from webapp.cli import main
from webapp.dashboard import SHOWN_ROWS
from webapp.pictures import picture
from webapp.query_log import QueryLog
from webapp.report_list import REPORTS

__all__ = ["fast_hashes"]

RANGE = "since=2026-03-01&until=2026-03-06"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulation = script("simulate_traffic")
    folder = tmp_path_factory.mktemp("logged")
    simulation.simulate(QueryLog(folder), simulation.Traffic(7, date(2026, 3, 1), 6, 3_000))
    return folder


@pytest.fixture(autouse=True)
def users(logged: Path, fast_hashes: None) -> None:
    if not (logged / "state.sqlite3").exists():
        with_users(logged)


@pytest.fixture
def client(logged: Path) -> Iterator[FlaskClient]:
    with create_app(logged, Settings()).test_client() as client:
        log_in(client, "fenxi")
        yield client


def test_the_front_page_tells_the_days(client: FlaskClient) -> None:
    page = client.get(f"/desk/logs?{RANGE}").text
    assert "搜索量" in page and "没有结果的问题" in page and "同一天至少有 5 次不同的会话" in page
    assert page.count("<tr>") > 20 and "2026-03-06" in page
    assert "尿疗法" in page


@pytest.mark.parametrize("name", [report.name for report in REPORTS])
def test_every_report_has_its_page_its_files_and_its_picture(client: FlaskClient, name: str) -> None:
    report = next(each for each in REPORTS if each.name == name)
    page = client.get(f"/desk/logs/{name}?{RANGE}")
    assert page.status_code == 200
    assert re.sub(r"&[a-z]+;", "", report.definition)[:12] in page.text and report.title in page.text
    rows = list(csv.reader(io.StringIO(client.get(f"/desk/logs/{name}.csv?{RANGE}").text.removeprefix("\ufeff"))))
    told = json.loads(client.get(f"/desk/logs/{name}.json?{RANGE}").text)
    assert len(rows) - 1 == len(told["rows"]) and rows[0] == list(told["rows"][0] if told["rows"] else rows[0])
    drawn = client.get(f"/desk/logs/{name}.svg?{RANGE}&theme=dark")
    assert (drawn.status_code == 200) == bool(report.picture)
    if report.picture:
        assert drawn.mimetype == "image/svg+xml"
        root = ElementTree.fromstring(drawn.text)
        assert root.tag.endswith("svg") and not [each for each in root.iter() if each.tag.endswith("script")]
        if told["rows"]:
            assert f'alt="{report.title}图：' in page.text


@pytest.mark.parametrize("name", ["top", "rising", "no-result", "weak", "unclicked", "chains"])
def test_each_question_of_a_report_leads_to_its_replay(client: FlaskClient, name: str) -> None:
    asked = json.loads(client.get(f"/desk/logs/{name}.json?{RANGE}").text)["rows"]
    columns = [column for column in ("问题", "先问", "再问") if asked and column in asked[0]]
    page = client.get(f"/desk/logs/{name}?{RANGE}").text
    linked = [unquote(each) for each in re.findall(r'href="/desk/replay\?q=([^"]+)">重放', page)]
    assert linked == [row[column] for row in asked[:SHOWN_ROWS] for column in columns]
    assert linked or name in ("rising", "weak", "unclicked")


@pytest.mark.parametrize(
    "asked",
    [
        *("since=yesterday", "until=2026-13-01", "days=0", "days=x", "days=99999999", "days=00003099999999"),
        *("since=2026-03-07&until=2026-03-01", "until=0001-01-01", "since=0001-01-01&until=0001-01-31"),
    ],
)
def test_a_wrong_range_is_a_sentence(client: FlaskClient, asked: str) -> None:
    reply = client.get(f"/desk/logs?{asked}")
    assert reply.status_code == 400 and ("应" in reply.text)


def test_an_unknown_report_is_not_there(client: FlaskClient) -> None:
    for address in ("/desk/logs/nothing", "/desk/logs/nothing.csv", "/desk/logs/top.svg", "/desk/logs/top.exe"):
        assert client.get(address).status_code == 404


def test_without_a_login_nothing_is_told(logged: Path) -> None:
    with create_app(logged, Settings()).test_client() as stranger:
        for address in ("", "/top", "/top.csv", "/top.json", "/volume.svg"):
            reply = stranger.get(f"/desk/logs{address}?{RANGE}")
            assert reply.status_code in (302, 303, 401) and "面肌痉挛" not in reply.text


def test_no_log_and_a_broken_one_are_told(tmp_path: Path, fast_hashes: None) -> None:
    with_users(tmp_path)
    with create_app(tmp_path, Settings()).test_client() as client:
        log_in(client, "fenxi")
        assert "没有可以显示的数据" in client.get("/desk/logs").text
        (tmp_path / "querylog.sqlite3").write_bytes(b"no database" * 999)
        for address in ("", "/volume", "/volume.svg", "/volume.csv", "/volume.json"):
            reply = client.get(f"/desk/logs{address}")
            assert reply.status_code == 503 and "查询日志读不出来" in reply.text, address


def test_a_picture_has_room_for_its_longest_label() -> None:
    report = next(each for each in REPORTS if each.name == "gaps")
    label = "腰椎间盘突出症 · 治疗"
    drawn = picture(report, [(label, *(5 for _ in report.columns[1:]))], "light")
    place = re.search(r"translate\((\d+)", drawn)
    assert place and int(place[1]) >= 13 * len(label)


def test_an_intranet_that_shows_more_says_so(logged: Path) -> None:
    with create_app(logged, Settings(log_min_sessions=2)).test_client() as client:
        log_in(client, "fenxi")
        page = client.get(f"/desk/logs/top?{RANGE}").text
        assert "至少有 2 次不同的会话" in page and "请只在内部使用" in page


def test_a_question_leads_to_its_days_and_what_was_opened(client: FlaskClient) -> None:
    most = client.get(f"/desk/logs/top?{RANGE}").text
    link = re.search(r'<td[^>]*><a href="(/desk/logs/question\?[^"]+)">([^<]+)</a>', most)
    assert link
    page = client.get(link[1].replace("&amp;", "&")).text
    title = re.search(r"<title>([^<]*)</title>", page)
    assert f'value="{link[2]}"' in page and title and link[2] not in title[1]
    assert "点开的答案" in page and "2026-03-0" in page and 'href="/answers/' in page
    nobody = client.get(f"/desk/logs/question?{RANGE}&q=没有人问过").text
    assert nobody.count("没有可以显示的数据") == 3
    hostile = client.get("/desk/logs/question", query_string={"q": "<script>alert(1)</script>" * 500})
    assert hostile.status_code == 200 and "<script>alert" not in hostile.text


def test_the_command_looks_at_a_question_too(logged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = ("--data", str(logged), "--since", "2026-03-01", "--until", "2026-03-06")
    assert main(["logs", "top", *days, "--json", "--limit", "1"]) == 0
    most = json.loads(capsys.readouterr().out)["rows"][0]["问题"]
    assert main(["logs", "question", most, *days, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [report["report"] for report in told] == ["days", "opened", "neighbours"] and told[0]["rows"]
    assert main(["logs", "question", most, *days]) == 0
    assert "点开的答案" in capsys.readouterr().out
    assert main(["logs", "question", "没有人问过", *days]) == 0
    assert capsys.readouterr().err == "这段时间没有足够多的人问过它。\n"
