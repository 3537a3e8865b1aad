"""Canaries: what tells of a person goes through the real app, and is found in no file afterwards."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from flask import Flask

from indexer.settings import Settings
from webapp import create_app
from webapp.log_store.reading import Period
from webapp.query_log import QueryLog
from webapp.report_list import REPORTS, plain_row

#: each asks two questions and opens an answer
VISITORS = [1_000, pytest.param(10_000, marks=pytest.mark.long)]
SURNAMES, GIVEN = "王李张刘陈杨赵周", "伟芳娜敏静丽强磊洋勇"
#: the shapes of all that tells of a canary, at any place: looking for each by itself takes an hour
SHAPES = re.compile(
    r"(?=(13\d{9}|11010119\d{10}|canary\d+@example\.cn|wx_canary_\d+|198\.51\.\d+\.\d+|CanaryBrowser/\d+"
    rf"|\d+号楼\d+室|我叫[{SURNAMES}][{GIVEN}]{{2}}|canary-cookie-\d+))",
    re.ASCII,
)


class Canary:
    """Somebody who is made up, and what they type."""

    def __init__(self, number: int) -> None:
        chance = random.Random(number)
        self.phone = f"13{chance.randrange(10**9):09}"
        self.id_card = (
            f"11010119{chance.randrange(50, 99)}0{chance.randrange(1, 9)}1{chance.randrange(1, 9)}{number:04}"
        )
        self.mail = f"canary{number}@example.cn"
        self.name = chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)
        self.room = f"{chance.randrange(1, 60)}号楼{chance.randrange(101, 999)}室"
        self.wechat = f"wx_canary_{number}"
        self.address = f"198.51.{number // 200}.{number % 200 + 1}"  # documentation, RFC 5737, and what is beside it
        self.browser = f"CanaryBrowser/{number}"
        self.question = chance.choice(
            [
                f"失眠 {self.phone}",
                f"身份证{self.id_card}能报销吗",
                f"请把湿疹的药方发到{self.mail}",
                f"我叫{self.name}，头痛怎么办",
                f"家住幸福路{self.room}，高血压",
                f"加微信{self.wechat} 治面肌痉挛",
            ]
        )

    def secrets(self) -> list[str]:
        """What no file may hold."""
        told = [self.phone, self.id_card, self.mail, self.wechat, self.address, self.browser, self.room]
        return [*told, f"我叫{self.name}", f"canary-cookie-{self.phone}"]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path, Settings(requests_per_minute=10**6, requests_at_once=10**6), FakeEngine())


@pytest.mark.parametrize("visitors", VISITORS)
def test_no_file_holds_who_asked(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visitors: int) -> None:
    """Nor does a temporary one: what the program and its libraries make there is put beside the data."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    canaries = [Canary(number) for number in range(visitors)]
    client = app.test_client()
    stored = _Stored(tmp_path)
    for canary in canaries:
        said: dict[str, Any] = {
            "headers": {"User-Agent": canary.browser, "Cookie": f"canary-cookie-{canary.phone}=1"},
            "environ_base": {"REMOTE_ADDR": canary.address},
        }
        for question in (canary.question, "面肌痉挛"):
            page = client.get("/search", query_string={"q": question}, **said)
            assert page.status_code == 200
            page.close()
        opened = re.search(r'href="(/answers/[^"]+at=[^"]+)"', page.text)
        assert opened
        client.get(opened[1].replace("&amp;", "&"), **said).close()
        if canary is canaries[visitors // 2]:
            stored.look()  # what is there only while it is written: write-ahead log, journal
    log: QueryLog = app.extensions["yiwen"].query_log
    assert log.flush(60) and log.lost_events == 0
    assert len(log.read_events()) == 2 * visitors and len(log.read_clicks()) == visitors
    stored.look()
    with log.reader(5):
        stored.look()  # counted
    log.purge(datetime.now(UTC).date())
    stored.look()  # written anew
    assert "面肌痉挛" in stored.text and {"querylog.sqlite3", "querylog.sqlite3-wal"} <= stored.names
    secrets = {secret for canary in canaries for secret in canary.secrets()}
    assert all(SHAPES.match(secret) for secret in secrets)
    assert secrets & set(SHAPES.findall(stored.text)) == set()


class _Stored:
    """All that was ever seen in the files of a directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.text, self.names = "", set[str]()

    def look(self) -> None:
        """See what is there now."""
        for file in self._folder.rglob("*"):
            if file.is_file():
                self.names.add(file.name)
                self.text += file.read_bytes().decode("utf-8", "replace")


def test_what_reports_tell_links_nobody(app: Flask) -> None:
    """In the style of the AOL log of 2006: somebody asks for his own name, his village, his illness. Nothing that only
    he asks is told, and nothing told says that two questions are of one person.
    """
    client, log = app.test_client(), app.extensions["yiwen"].query_log

    def ask(question: str, address: str) -> None:
        client.get("/search", query_string={"q": question}, environ_base={"REMOTE_ADDR": address}).close()

    for number in range(40):
        for question in ("失眠怎么办", "高血压能吃什么"):
            ask(question, f"198.51.100.{number}")
    own = ("王小明 李家坳", "李家坳 老中医", "艾滋病早期症状 手抖")
    for _ in range(30):
        for question in (*own, "失眠怎么办"):
            ask(question, "198.51.100.250")
    today = datetime.now(UTC).date()
    with log.reader(5) as days:
        assert days is not None
        rows = {report.name: report.rows(days, Period(today - timedelta(1), today)) for report in REPORTS}
    told = [str(cell) for report in rows.values() for row in report for cell in plain_row(row)]
    assert "失眠怎么办" in told
    assert not [cell for cell in told for question in own if question in cell or cell in question.split()]
    assert {row[:2] for row in rows["chains"]} <= {("失眠怎么办", "高血压能吃什么"), ("高血压能吃什么", "失眠怎么办")}
