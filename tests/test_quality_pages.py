"""The quality desk through real requests and the command: lists made by a job, filtered, noted, reopened; gaps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import build_data, make_answer
from desk_accounts import editor, fast_hashes, log_in, send, with_users
from fakes import XSS
from flask import Flask
from flask.testing import FlaskClient
from store_builders import spasm_answers
from waiting import eventually, wait_for_job

from indexer import find_review, list_jobs, make_reviews, open_engine, read_acts, review_counts
from indexer.settings import Settings
from webapp import create_app
from webapp.cli import main
from webapp.content_gaps import DAYS, WEAK_RESULTS
from webapp.holdings import holdings_of
from webapp.log_store.reading import Period
from webapp.log_store.sessions import Visitor
from webapp.quality_pages import PER_PAGE
from webapp.query_log import Event, QueryLog
from webapp.reports import topic_gaps

__all__ = ["editor", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")

LEAST_SESSIONS = Settings().log_min_sessions
CURE = "本院保证根治面肌痉挛，一个疗程见效，绝不复发。"
LONG = "面肌痉挛是一侧面部肌肉不由自主的抽动，多从眼睑开始，慢慢扩展到面颊和口角，紧张和劳累时加重。"
ANSWERS = [
    make_answer("cure", f"面肌痉挛能根治吗{XSS}", CURE, site="a.example", url="https://a.example/1"),
    *(make_answer(f"cure{n}", f"第 {n} 种病能治好吗", f"{CURE}{n}", site="b.example") for n in range(PER_PAGE)),
    make_answer("first", "面肌痉挛是什么", f"{LONG}可以打肉毒素。", site="a.example", date="2020-01-01"),
    make_answer("second", "什么是面肌痉挛", f"{LONG}可以打肉毒毒素。", site="b.example", date="2021-01-01"),
]
QUALITY = "/desk/quality"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = build_data(tmp_path_factory.mktemp("quality"), [*ANSWERS, *spasm_answers(3)])
    make_reviews(data, "gen-000001")
    return data


@pytest.fixture
def data(built: Path) -> Path:
    """The built directory with nothing decided."""
    for file in (built / "state.sqlite3", *built.glob("querylog.sqlite3*")):
        file.unlink(missing_ok=True)
    with_users(built)
    return built


@pytest.fixture
def app(data: Path) -> Flask:
    return create_app(data, Settings())


def total(page: str) -> int:
    found = re.search(r"：(\d+) 项</h2>", page)
    assert found, page
    return int(found[1])


def asked(data: Path, query: str, totals: list[int], days_ago: int = 1, page: int = 1) -> None:
    log, at = QueryLog(data), datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    for number, total in enumerate(totals):
        log.record(Event(at, query, total, 5.0, "gen-000001", "page", page, visitor=Visitor(number, number)))
    assert log.flush()


def test_the_front_pages_count_what_is_open(editor: FlaskClient, data: Path) -> None:
    for address in ("/desk", QUALITY):
        page = editor.get(address).text
        assert re.search(r"承诺疗效</a> (<strong>)?21", page) and re.search(r"近似重复</a> (<strong>)?\d", page)
    asked(data, "怪病怎么治", [0] * LEAST_SESSIONS)
    assert re.search(r"缺少内容</a> <strong>1</strong>", editor.get("/desk").text)


def test_an_item_is_noted_and_reopened(editor: FlaskClient, data: Path) -> None:
    address = f"{QUALITY}/cures"
    page = editor.get(f"{address}?site=a.example").text
    assert total(page) == 1 and "承诺疗效：" in page and "保证根治" in page
    assert XSS not in page and "&lt;script&gt;" in page
    assert 'href="/answers/cure"' in page and 'href="/desk/take-downs?key=cure"' in page
    digest = find_review(data, "gen-000001", "cures", "cure").item.digest
    form = {"form_on": address, "key": "cure", "digest": digest, "site": "a.example", "page": "1"}
    done = send(editor, f"{address}/done", **form, note="引用患者的话")
    assert done.status_code == 303
    page = editor.get(done.headers["Location"]).text
    assert total(page) == 0 and "看过了。文字变了会再列出来" in page and '<option value="a.example"' not in page
    page = editor.get(f"{address}?seen=1").text
    assert total(page) == 1 and "引用患者的话" in page and "bianji" in page
    again = send(editor, f"{address}/reopen", form_on=f"{address}?seen=1", key="cure", site="")
    assert "已重新打开" in editor.get(again.headers["Location"]).text
    assert total(editor.get(address).text) == 21
    assert [(act.actor, act.action) for act in read_acts(data, limit=2)] == [("bianji", "重新打开"), ("bianji", "看过")]
    twice = send(editor, f"{address}/reopen", form_on=address, key="cure")
    assert twice.status_code == 400 and "没有标为看过" in twice.text


def test_the_form_for_taking_down_has_the_id_filled_in(editor: FlaskClient) -> None:
    page = editor.get("/desk/take-downs?key=cure").text
    assert 'id="key" name="key" value="cure"' in page
    taken = send(editor, "/desk/take-downs", key="cure", reason="虚假宣传")
    assert 'name="key" value=""' in editor.get(taken.headers["Location"]).text
    assert total(editor.get(f"{QUALITY}/cures").text) == 20


def test_a_long_queue_is_read_page_by_page(editor: FlaskClient, data: Path) -> None:
    first = editor.get(f"{QUALITY}/cures").text
    assert first.count('name="digest"') == PER_PAGE and "1 / 2" in first
    second = editor.get(f"{QUALITY}/cures?page=2").text
    assert second.count('name="digest"') == 1 and "2 / 2" in second and "上一页" in second and "下一页" not in second
    for number in ("3", "999999"):  # what stood there has been done
        assert "2 / 2" in editor.get(f"{QUALITY}/cures?page={number}").text
    for number in ("0", "-1", "x", "２", "9" * 30):
        assert "1 / 2" in editor.get(f"{QUALITY}/cures?page={number}").text


def test_copies_stand_beside_their_original_with_what_differs_in_brackets(editor: FlaskClient) -> None:
    page = editor.get(f"{QUALITY}/copies/item?key=first").text
    assert "原文：面肌痉挛是什么" in page and "副本 1：什么是面肌痉挛" in page
    assert "【毒】" in page and "只在副本里" in page
    assert "并排对照" in editor.get(f"{QUALITY}/copies").text
    send(editor, "/desk/take-downs", key="second", reason="副本")
    assert "已下架" in editor.get(f"{QUALITY}/copies/item?key=first").text


def test_gaps_are_what_several_searches_did_not_find_and_the_last_one_neither(editor: FlaskClient, data: Path) -> None:
    asked(data, "怪病怎么治", [3, *[0] * LEAST_SESSIONS])
    asked(data, "少见病", [2] * (LEAST_SESSIONS + 9))
    asked(data, "只问几次", [0] * (LEAST_SESSIONS - 1))
    asked(data, "已经补上", [0] * LEAST_SESSIONS + [5])
    asked(data, "很久以前", [0] * LEAST_SESSIONS, days_ago=DAYS + 1)
    asked(data, "翻页", [0] * LEAST_SESSIONS, page=2)
    address = f"{QUALITY}/gaps"
    page = editor.get(address).text
    assert re.findall(r'name="key" value="([^"]+)"', page) == ["怪病怎么治", "少见病"]  # nothing, then little
    assert f"搜索 {LEAST_SESSIONS + 1} 次，{LEAST_SESSIONS} 次没有结果；最近一次没有结果" in page
    assert 'href="/search?q=' in page
    send(editor, f"{address}/done", form_on=address, key="少见病", digest="weak", note="在写", site="", page="1")
    assert re.findall(r'name="key" value="([^"]+)"', editor.get(address).text) == ["怪病怎么治"]
    asked(data, "少见病", [0], days_ago=0)
    page = editor.get(address).text
    assert re.findall(r'name="key" value="([^"]+)"', page) == ["少见病", "怪病怎么治"] and "之后有了变化" in page


def test_topics_that_little_is_held_of_are_the_report_s(editor: FlaskClient, data: Path) -> None:
    log, at = QueryLog(data), datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

    def asks(entity: str, aspects: tuple[str, ...], sessions: int) -> None:
        for number in range(sessions):
            seen = Event(at, f"{entity}{number}", 9, 5.0, "gen-000001", "page", 1, visitor=Visitor(number, number))
            log.record(replace(seen, entity=entity, aspects=aspects))

    asks("面肌痉挛", (), 40)
    asks("面肌痉挛", ("费用",), LEAST_SESSIONS)
    asks("失眠", ("治疗",), LEAST_SESSIONS + 4)
    asks("湿疹", ("治疗",), LEAST_SESSIONS - 1)
    with log.reader(LEAST_SESSIONS) as days:
        assert days is not None
        told = topic_gaps(days, Period(at.date(), at.date()), holdings_of(open_engine(data)))
    assert [(gap.entity, gap.aspect, gap.held) for gap in told][:2] == [("失眠", "治疗", 0), ("面肌痉挛", "费用", 0)]
    assert [(gap.entity, gap.aspect) for gap in told][2:] == [("面肌痉挛", "")] and (told[2].held or 0) > WEAK_RESULTS
    page = editor.get(f"{QUALITY}/gaps").text
    listed = [f"{gap.entity} {gap.aspect}" for gap in told if (gap.held or 0) <= WEAK_RESULTS]
    assert re.findall(r'name="key" value="([^"]+)"', page) == listed == ["失眠 治疗", "面肌痉挛 费用"]
    assert f"搜索 {LEAST_SESSIONS + 4} 次；一条答案也没有收录" in page
    page = editor.get("/desk/logs/gaps").text
    assert page.index(">失眠 · 治疗") < page.index(">面肌痉挛 · 费用") < page.index(">面肌痉挛 · 未指明")


def test_lists_are_made_by_a_job_when_they_are_first_wanted(editor: FlaskClient, data: Path) -> None:
    for file in (data / "cache" / "reviews").iterdir():
        file.unlink()
    assert "还没有整理" in editor.get("/desk").text and list_jobs(data, kind="review") == []
    waiting = editor.get(f"{QUALITY}/cures").text
    assert len(list_jobs(data, kind="review")) == 1
    assert eventually(lambda: "正在整理" not in editor.get(f"{QUALITY}/cures").text)
    [job] = list_jobs(data, kind="review")  # looking at it again began no other
    job = wait_for_job(data, job.number)  # its file is there a moment before it ends
    assert job.status == "done" and "质检清单已整理" in job.sentence
    assert "正在整理这一代的清单" in waiting and 'http-equiv="refresh"' in waiting
    assert total(editor.get(f"{QUALITY}/cures").text) == 21


def test_a_job_that_ends_between_two_looks_is_not_begun_again(
    editor: FlaskClient, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([None])  # the first look comes a moment too early
    monkeypatch.setattr("webapp.quality_pages.review_counts", lambda *names: next(looks, review_counts(*names)))
    assert total(editor.get(f"{QUALITY}/cures").text) == 21
    assert list_jobs(data, kind="review") == []


def test_a_job_that_failed_is_begun_again_only_when_told(
    editor: FlaskClient, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from indexer import jobs

    file = next((data / "cache" / "reviews").iterdir())
    content = file.read_bytes()
    file.unlink()
    monkeypatch.setattr(jobs, "_launch", lambda *_: None)  # its process dies at once
    for _ in range(2):
        page = editor.get(f"{QUALITY}/cures").text
    assert "进程中途消失了" in editor.get(QUALITY).text and "重新整理" in page
    assert len(list_jobs(data, kind="review")) == 1
    send(editor, f"{QUALITY}/again", form_on=QUALITY)
    assert len(list_jobs(data, kind="review")) == 2
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{QUALITY}/nothing", 404),
        (f"{QUALITY}/cures/item?key=nobody", 404),
        (f"{QUALITY}/cures/item", 404),
        (f"{QUALITY}/gaps/item?key=x", 404),
        (f"{QUALITY}/cures?site={'x' * 900}", 200),
    ],
)
def test_addresses_that_mean_nothing(editor: FlaskClient, address: str, status: int) -> None:
    assert editor.get(address).status_code == status


@pytest.mark.parametrize(
    "fields",
    [{"key": "", "digest": "x"}, {"key": "cure", "digest": ""}, {"key": "c", "digest": "d", "note": "长" * 501}],
)
def test_what_cannot_be_noted_is_said(editor: FlaskClient, data: Path, fields: dict[str, str]) -> None:
    answer = send(editor, f"{QUALITY}/cures/done", form_on=f"{QUALITY}/cures", **fields)
    assert answer.status_code == 400 and ("哪一项" in answer.text or "备注太长" in answer.text)
    assert "看过" not in [act.action for act in read_acts(data)]


def test_only_editors_see_and_change(app: Flask, data: Path) -> None:
    stranger, analyst = app.test_client(), app.test_client()
    log_in(analyst, "fenxi")
    for address in (QUALITY, f"{QUALITY}/cures", f"{QUALITY}/copies/item?key=first"):
        assert stranger.get(address).headers["Location"].startswith("/desk/login")
        assert analyst.get(address).status_code == 403
    assert "质检" not in analyst.get("/desk").text
    for address in (f"{QUALITY}/cures/done", f"{QUALITY}/cures/reopen", f"{QUALITY}/again"):
        assert send(analyst, address, form_on="/desk", key="cure", digest="x").status_code == 403


def test_a_damaged_query_log_is_a_sentence(editor: FlaskClient, data: Path) -> None:
    (data / "querylog.sqlite3").write_bytes(b"no database" * 1000)
    page = editor.get(f"{QUALITY}/gaps")
    assert page.status_code == 200 and "查询日志读不出来" in page.text
    assert editor.get("/desk").status_code == 200 and "21" in editor.get(QUALITY).text


# the same on the command line

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["review", *arguments, "--data", str(data)])
        return status, *capsys.readouterr()

    return command


def test_the_command_counts_lists_shows_notes_and_reopens(run: Run, data: Path) -> None:
    asked(data, "怪病怎么治", [0] * LEAST_SESSIONS)
    status, out, _ = run("list", "--json")
    assert status == 0 and json.loads(out)["cures"] == 21 and json.loads(out)["gaps"] == 1
    assert "cures         21  承诺疗效" in run("list")[1]
    status, out, err = run("list", "cures", "--site", "a.example")
    assert out.startswith("cure  ") and "承诺疗效：" in out and "共 1 项" in err
    assert json.loads(run("list", "cures", "--limit", "2", "--skip", "20", "--json")[1])["total"] == 21
    assert "什么是面肌痉挛" in run("show", "copies", "first")[1]
    assert run("done", "cures", "cure", "--note", "引用")[0] == 0
    assert run("list", "cures", "--site", "a.example")[1] == ""
    told = json.loads(run("list", "cures", "--seen", "--json")[1])
    assert [(item["key"], item["mark"]["note"]) for item in told["items"]] == [("cure", "引用")]
    assert json.loads(run("show", "cures", "cure", "--json")[1])["seen"] is True
    assert run("done", "gaps", "怪病怎么治")[0] == 0 and run("list", "gaps")[1] == ""
    assert run("reopen", "cures", "cure")[0] == 0
    assert run("reopen", "cures", "cure")[0] == 1
    assert run("list", "cures", "--site", "a.example")[1].startswith("cure  ")
    act = read_acts(data)[0]
    assert act.action == "重新打开" and act.actor.startswith("命令行/")


def test_the_command_says_what_is_not_there(run: Run) -> None:
    assert run("list", "nothing")[0] == 2
    for arguments in (("show", "cures", "nobody"), ("done", "gaps", "nobody")):
        status, out, err = run(*arguments)
        assert (status, out) == (1, "") and "没有 nobody" in err
