"""Builds and generations from the desk: real small builds, started, watched and switched by forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import write_corpus
from desk_accounts import fast_hashes, log_in, send, with_users
from flask.testing import FlaskClient
from store_builders import small_resources, spasm_answers
from test_build import article
from waiting import eventually, wait_for_job

from indexer import list_jobs, open_engine, read_acts, start_job
from indexer.settings import load_settings
from webapp import create_app

__all__ = ["fast_hashes"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_hashes: None) -> Path:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    (tmp_path / "data").mkdir()
    with_users(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def client(data: Path) -> Iterator[FlaskClient]:
    with create_app(data, load_settings({"data": data})).test_client() as client:
        yield client


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", spasm_answers(5))


def test_an_admin_builds_then_an_editor_builds_the_same_and_goes_back(
    client: FlaskClient, data: Path, corpus: Path
) -> None:
    log_in(client, "guanli")
    begun = send(client, "/desk/builds", corpus=str(corpus))
    assert (begun.status_code, begun.headers["Location"]) == (303, "/desk/builds/1")
    assert wait_for_job(data).status == "done"
    page = client.get("/desk/builds/1").text
    assert "gen-000001：5 条答案" in page and "已启用" in page and "guanli" in page
    send(client, "/desk/logout", form_on="/desk/builds")
    log_in(client, "bianji")
    assert send(client, "/desk/builds", corpus=str(corpus), update="1").status_code == 303
    assert wait_for_job(data).status == "done"
    assert [job.is_update for job in list_jobs(data)] == [True, False]
    listed = client.get("/desk/generations").text
    assert listed.index("gen-000002") < listed.index("gen-000001") and listed.count("<strong>正在使用</strong>") == 1
    back = send(client, "/desk/generations/roll-back", form_on="/desk/generations")
    assert back.headers["Location"] == "/desk/generations?done=gen-000001"
    assert open_engine(data).generation == "gen-000001"
    assert (
        send(client, "/desk/generations/switch", form_on="/desk/generations", generation="gen-000002").status_code
        == 303
    )
    assert open_engine(data).generation == "gen-000002"
    assert [(act.actor, act.action) for act in read_acts(data)][:2] == [
        ("bianji", "启用索引"),
        ("bianji", "回到上一代"),
    ]


def test_what_the_gate_refused_is_served_for_a_reason_only(client: FlaskClient, data: Path, corpus: Path) -> None:
    for count in (5, 1):
        wait_for_job(data, start_job(data, write_corpus(corpus, spasm_answers(count)), "a").number)
    assert [job.status for job in list_jobs(data)] == ["refused", "done"]
    log_in(client, "bianji")
    page = client.get("/desk/generations").text
    assert "未通过检查" in page and "/compare?a=gen-000001&amp;b=gen-000002" in page
    for address in ("/desk/builds", "/desk/builds/2"):
        assert 'href="/desk/generations/compare?b=gen-000002">看看差别' in client.get(address).text
    assert "看看差别" not in client.get("/desk/builds/1").text
    choice = {"form_on": "/desk/generations", "generation": "gen-000002"}
    for reason in ("", "长" * 501):
        assert send(client, "/desk/generations/switch", **choice, reason=reason).status_code == 400
    assert open_engine(data).generation == "gen-000001"
    assert send(client, "/desk/generations/switch", **choice, reason="网站已关闭").status_code == 303
    assert open_engine(data).generation == "gen-000002"
    act = read_acts(data)[0]
    assert (act.actor, act.action, act.object) == ("bianji", "启用未通过检查的索引", "gen-000002")
    assert act.detail == "网站已关闭"


def test_an_editor_may_not_read_other_folders_of_the_server(client: FlaskClient, data: Path, corpus: Path) -> None:
    log_in(client, "bianji")
    for folder in (str(corpus), "/etc", "", "relative", "x" * 2000, "/a\0b"):
        refused = send(client, "/desk/builds", corpus=folder)
        assert refused.status_code == 400
    assert list_jobs(data) == []


def test_a_build_is_watched_and_cancelled(client: FlaskClient, data: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.mkdir()
    for number in range(1500):
        (large / f"{number}.html").write_text(article(f"面肌痉挛的表现{number}", f"第{number}版。"), encoding="utf-8")
    start_job(data, large, "命令行/test")
    log_in(client, "bianji")
    told = client.get("/desk/builds/1/events")
    assert told.mimetype == "text/event-stream" and told.text.startswith("retry: 1000\ndata: {")
    assert set(json.loads(told.text.splitlines()[1].removeprefix("data: "))) == {"stage", "done", "total"}
    watching = client.get("/desk/builds/1").text
    assert "进行中" in watching and 'http-equiv="refresh"' in watching
    second = send(client, "/desk/builds", corpus=str(large))
    assert second.status_code == 400 and "请等它结束" in second.text
    assert send(client, "/desk/builds/1/cancel", form_on="/desk/builds/1").status_code == 303
    assert eventually(lambda: client.get("/desk/builds/1/events").status_code == 204)
    assert "已取消" in client.get("/desk/builds/1").text


@pytest.mark.parametrize("address", ["/desk/builds", "/desk/builds/1", "/desk/generations"])
def test_without_a_login_there_is_nothing_to_see(client: FlaskClient, address: str) -> None:
    assert client.get(address).headers["Location"].startswith("/desk/login")


def test_analysts_see_generations_and_change_nothing(client: FlaskClient) -> None:
    log_in(client, "fenxi")
    assert client.get("/desk/generations").status_code == 200
    assert client.get("/desk/builds").status_code == 403
    for address in ("/desk/generations/roll-back", "/desk/generations/switch", "/desk/builds"):
        assert send(client, address, form_on="/desk/generations").status_code == 403


def test_forms_without_the_sessions_token_change_nothing(client: FlaskClient, data: Path, corpus: Path) -> None:
    log_in(client, "guanli")
    for address in ("/desk/builds", "/desk/generations/roll-back", "/desk/generations/switch"):
        assert client.post(address, data={"corpus": str(corpus), "token": "x"}).status_code in (400, 403)
    assert list_jobs(data) == []


@pytest.mark.parametrize("number", ["7", "99999999999999999999"])
def test_a_job_that_does_not_exist_is_not_found(client: FlaskClient, number: str) -> None:
    log_in(client, "bianji")
    assert client.get(f"/desk/builds/{number}").status_code == 404
