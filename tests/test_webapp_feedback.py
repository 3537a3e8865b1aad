"""Votes and reports, the way to an original, and floods: what a reader sends, and what strangers may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from fakes import BARE, FACIAL_SPASM, HOSTILE, FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from indexer.settings import Settings
from webapp import create_app
from webapp.feedback import AT_ONCE
from webapp.query_log import Feedback, QueryLog
from webapp.rate_limit import RateLimit, client_of

HERE = f"/answers/{FACIAL_SPASM.id}"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path, Settings(), FakeEngine([FACIAL_SPASM, BARE, HOSTILE]))


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def token_of(client: FlaskClient, page: str = HERE) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get(page).text)
    assert found
    return found[1]


def kept(tmp_path: Path) -> list[Feedback]:
    return QueryLog(tmp_path).read_feedback()


def test_a_vote_is_kept_and_thanked_for(client: FlaskClient, tmp_path: Path) -> None:
    token = token_of(client)
    back = f"{HERE}?q=面肌痉挛"
    answer = client.post(f"{HERE}/feedback", data={"token": token, "verdict": "useful", "back": back})
    assert answer.status_code == 303
    assert unquote(answer.headers["Location"]) == f"{HERE}?q=面肌痉挛&thanks=vote#feedback"
    [vote] = kept(tmp_path)
    assert (vote.answer_id, vote.generation, vote.verdict, vote.note) == (FACIAL_SPASM.id, "gen-000003", "useful", "")
    assert "thanks=vote" in answer.headers["Location"]
    assert client.get(answer.headers["Location"]).status_code == 200


def test_a_report_is_scrubbed_before_it_is_kept(client: FlaskClient, tmp_path: Path) -> None:
    data = {"token": token_of(client), "reason": "wrong", "note": "剂量不对，请打 13800138000"}
    assert client.post(f"{HERE}/report", data=data).status_code == 303
    [report] = kept(tmp_path)
    assert report.verdict == "wrong" and report.note == "剂量不对，请打 〔电话〕"
    assert "13800138000" not in (tmp_path / "querylog.sqlite3").read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"token": ""}, 400),
        ({"token": "forged"}, 400),
        ({"verdict": ""}, 400),
        ({"verdict": "drop table"}, 400),
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(
    client: FlaskClient, tmp_path: Path, changed: dict[str, str], status: int
) -> None:
    data = {"token": token_of(client), "verdict": "useful", **changed}
    assert client.post(f"{HERE}/feedback", data=data).status_code == status
    assert kept(tmp_path) == []


def test_a_token_is_good_for_its_answer_only(client: FlaskClient, tmp_path: Path) -> None:
    data = {"token": token_of(client, f"/answers/{BARE.id}"), "verdict": "useful"}
    assert client.post(f"{HERE}/feedback", data=data).status_code == 400
    assert kept(tmp_path) == []


def test_a_token_of_another_run_of_the_site_is_refused_with_advice(client: FlaskClient, tmp_path: Path) -> None:
    other = create_app(tmp_path, Settings(), FakeEngine([FACIAL_SPASM])).test_client()
    answer = client.post(f"{HERE}/feedback", data={"token": token_of(other), "verdict": "useful"})
    assert answer.status_code == 400 and "请刷新" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://localhost"}, 303),
    ],
)
def test_another_sites_form_is_refused(
    client: FlaskClient, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    data = {"token": token_of(client), "verdict": "useless"}
    assert client.post(f"{HERE}/feedback", data=data, headers=headers).status_code == status
    assert len(kept(tmp_path)) == (status == 303)


def test_a_flood_of_votes_ends(client: FlaskClient, tmp_path: Path) -> None:
    token = token_of(client)
    statuses = [
        client.post(f"{HERE}/feedback", data={"token": token, "verdict": "useful"}).status_code
        for _ in range(AT_ONCE + 3)
    ]
    assert statuses == [303] * AT_ONCE + [429] * 3
    assert len(kept(tmp_path)) == AT_ONCE
    refused = client.post(f"{HERE}/feedback", data={"token": token, "verdict": "useful"})
    assert int(refused.headers["Retry-After"]) >= 1 and "请求太频繁" in refused.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_thanks_never_lead_to_another_site(client: FlaskClient, back: str) -> None:
    answer = client.post(f"{HERE}/feedback", data={"token": token_of(client), "verdict": "useful", "back": back})
    assert answer.headers["Location"] == "/?thanks=vote#feedback"


def test_the_way_to_an_original_is_the_stored_one(client: FlaskClient) -> None:
    answer = client.get(f"{HERE}/source?url=https://evil.example&next=//evil.example")
    assert (answer.status_code, answer.headers["Location"]) == (302, FACIAL_SPASM.url)
    assert client.get(f"/answers/{BARE.id}/source").status_code == 404  # it has none
    assert client.get("/answers/id%2Fwith%20spaces%3F%23&%25中文/source").status_code == 404  # javascript:
    assert client.get("/answers/unknown/source").status_code == 404


# how often a client may ask


def test_a_client_that_asks_too_often_waits_and_others_do_not(app: Flask) -> None:
    client = app.test_client()
    strangers = {"REMOTE_ADDR": "203.0.113.7"}
    statuses = [client.get("/search?q=面", environ_base=strangers).status_code for _ in range(70)]
    assert statuses[:60] == [200] * 60 and 429 in statuses[60:]
    refused = client.get("/api/v1/search?q=我爸突然胸口剧痛喘不上气", environ_base=strangers)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
    assert refused.json and refused.json["error"]["code"] == "too_many"
    assert refused.json["urgency"]["level"] == "emergency"  # whatever is refused, this is said
    assert client.get("/search?q=面", environ_base={"REMOTE_ADDR": "203.0.113.8"}).status_code == 200
    for free in ("/healthz", "/readyz", "/metrics", "/static/style.css"):
        assert client.get(free, environ_base=strangers).status_code == 200
    assert {client.get("/search?q=面").status_code for _ in range(70)} == {200}  # this machine


@given(
    gaps=st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60),
    per_minute=st.integers(1, 600),
    burst=st.integers(1, 50),
)
def test_no_more_than_the_burst_and_the_rate_ever_pass(gaps: list[float], per_minute: int, burst: int) -> None:
    now = 1000.0
    limit = RateLimit(per_minute, burst, clock=lambda: now)
    passed = 0
    for gap in gaps:
        now += gap
        wait_s = limit.wait_s("203.0.113.7")
        passed += not wait_s
        if wait_s:
            now += wait_s
            assert limit.wait_s("203.0.113.7") == 0  # as long as it said, and no longer
            passed += 1
        assert passed <= burst + (now - 1000) * per_minute / 60 + 1e-3
    assert passed >= min(burst, len(gaps))


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        (None, None),
        ("unix", None),
    ],
)
def test_who_counts_as_one_client(address: str | None, client: str | None) -> None:
    assert client_of(address) == client


def test_a_proxy_is_believed_only_where_it_is_trusted(tmp_path: Path) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    proxy = {"REMOTE_ADDR": "203.0.113.1"}
    for layers, limited_together in ((0, True), (1, False)):
        app = create_app(tmp_path, Settings(trusted_proxies=layers, requests_at_once=1), FakeEngine())
        client = app.test_client()
        assert client.get("/search?q=面", environ_base=proxy).status_code == 200
        second = client.get("/search?q=面", environ_base=proxy, headers=forwarded)
        assert (second.status_code == 429) is limited_together
