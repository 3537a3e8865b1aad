"""Logging in through real requests: cookies, ways back, forms of other sites, one-time links, and the guard."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from desk_accounts import OTHER_PASSWORD, PASSWORD, app, editor, fast_hashes, log_in, send, token_in
from fakes import FACIAL_SPASM, FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from indexer import read_acts
from indexer.settings import Settings
from webapp import auth, create_app
from webapp.accounts import LINK_SECONDS
from webapp.login_limits import FIRST_WAIT_S, FREE_FOR_NAME
from webapp.rate_limit import RateLimit

__all__ = ["app", "editor", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")


# the login


def test_a_login_sends_one_cookie_that_scripts_and_other_sites_do_not_get(client: FlaskClient) -> None:
    answer = log_in(client, "Bianji")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert re.fullmatch(r"yiwen=[\w-]{43}; HttpOnly; Path=/; SameSite=Strict", cookie)
    page = client.get("/desk")
    assert page.status_code == 200 and "bianji（编辑）" in page.text and "gen-000003" in page.text


def test_over_https_the_cookie_is_secure_and_this_hosts_only(client: FlaskClient) -> None:
    there = {"base_url": "https://yiwen.test"}
    token = token_in(client.get("/desk/login", **there))
    fields = {"token": token, "name": "bianji", "password": PASSWORD}
    answer = client.post("/desk/login", data=fields, **there)
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert re.fullmatch(r"__Host-yiwen=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Strict", cookie)
    assert client.get("/desk", **there).status_code == 200
    plain = client.get("/desk", base_url="http://yiwen.test", headers={"Cookie": cookie.split(";")[0]})
    assert plain.status_code == 303  # a cookie of that name that came over plain http is nobody's


@pytest.mark.parametrize(("name", "password"), [("bianji", "wrong"), ("nobody", PASSWORD), ("", ""), ("bianji", "")])
def test_a_wrong_login_says_the_same_whoever_it_was(client: FlaskClient, name: str, password: str) -> None:
    answer = log_in(client, name, password)
    assert answer.status_code == 401 and "用户名或密码不对" in answer.text and "WWW-Authenticate" in answer.headers
    assert [cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith("yiwen=")] == []
    assert client.get("/desk").status_code == 303


def test_a_known_and_an_unknown_name_get_the_same_page_down_to_the_lock(app: Flask) -> None:
    pages = []
    for name in ("bianji", "nobody"):
        client = app.test_client()
        answers = [log_in(client, name, "wrong") for _ in range(FREE_FOR_NAME + 1)]
        assert [answer.status_code for answer in answers] == [401] * FREE_FOR_NAME + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= FIRST_WAIT_S and "请等 1 分钟" in answers[-1].text
        pages.append([re.sub(r'value="[^"]*"', "", answer.text) for answer in answers])
    assert pages[0] == pages[1]


def test_a_token_that_was_there_before_the_login_is_not_taken_over(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("yiwen", "planted-by-somebody")
    log_in(client, "bianji")
    cookie = client.get_cookie("yiwen")
    assert cookie and cookie.value != "planted-by-somebody"
    other = app.test_client()
    other.set_cookie("yiwen", "planted-by-somebody")
    assert other.get("/desk").status_code == 303


def test_logging_in_again_ends_the_older_session_of_this_browser(app: Flask) -> None:
    client, thief = app.test_client(), app.test_client()
    log_in(client, "bianji")
    old = client.get_cookie("yiwen")
    assert old
    thief.set_cookie("yiwen", old.value)
    token = token_in(client.get("/desk"))
    client.post("/desk/login", data={"token": token, "name": "guanli", "password": PASSWORD})
    assert "guanli（管理员）" in client.get("/desk").text
    assert thief.get("/desk").status_code == 303


def test_logging_out_ends_the_session_everywhere_it_was_copied(app: Flask, editor: FlaskClient) -> None:
    kept = editor.get_cookie("yiwen")
    assert kept
    answer = send(editor, "/desk/logout", form_on="/desk")
    assert answer.status_code == 303 and editor.get_cookie("yiwen") is None
    editor.set_cookie("yiwen", kept.value)
    assert editor.get("/desk").status_code == 303
    assert editor.get("/desk/logout").status_code == 405  # no link or image logs anybody out


def test_searchers_get_no_cookie_and_are_not_looked_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.accounts.Accounts.session", lambda *_: pytest.fail("looked up"))
    client = app.test_client()
    for address in ("/", "/search?q=面肌痉挛", f"/answers/{FACIAL_SPASM.id}", "/about", "/desk"):
        assert "Set-Cookie" not in client.get(address).headers


@pytest.mark.parametrize("address", ["/desk", "/desk/take-downs", "/desk/login", "/desk/password", "/desk/first/x"])
def test_nothing_of_the_desk_is_kept_by_anybody(editor: FlaskClient, address: str) -> None:
    answer = editor.get(address)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


# the way back


def test_a_login_leads_back_to_where_one_was(client: FlaskClient) -> None:
    answer = client.get("/desk/take-downs?q=面肌&page=2")
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert where.path == "/desk/login" and not where.netloc
    [back] = parse_qs(where.query)["next"]
    assert back == "/desk/take-downs?q=面肌&page=2"
    answer = log_in(client, "bianji", next=back)
    assert client.get(answer.headers["Location"]).status_code == 200


EVIL = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "/desk/login?next=/",
    "\t//e",
]


@pytest.mark.parametrize("back", EVIL)
def test_a_login_never_leads_to_another_site_or_in_a_circle(client: FlaskClient, back: str) -> None:
    assert log_in(client, "bianji", next=back).headers["Location"] == "/desk"
    assert client.get("/desk/login", query_string={"next": back}).headers["Location"] == "/desk"  # when logged in


@given(st.text(st.sampled_from("/\\@.:?#%a\t\n 面") | st.characters(), max_size=12))
def test_no_way_back_leaves_the_site(given: str) -> None:
    app = create_app("/nowhere", Settings(), FakeEngine())
    with app.test_request_context("/"):
        where = auth.way_back(given)
    assert where == "/desk" or where == given
    assert where.startswith("/") and not where.startswith(("//", "/\\")) and "\\" not in where and "\n" not in where


def test_who_comes_from_another_site_is_offered_a_link_of_our_own(client: FlaskClient) -> None:
    from_elsewhere = client.get("/desk/login?next=/desk/password", headers={"Sec-Fetch-Site": "cross-site"})
    assert '<a href="/desk/password">请点这里继续</a>' in from_elsewhere.text
    assert "请点这里继续" not in client.get("/desk/login?next=/desk/password").text


# forms


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_another_sites_form_is_refused_even_with_a_token(
    editor: FlaskClient, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    fields = {"token": token_in(editor.get("/desk/take-downs")), "key": "a1", "reason": "试"}
    assert editor.post("/desk/take-downs", data=fields, headers=headers).status_code == status
    assert (read_acts(tmp_path)[0].action == "下架") is (status == 303)


def test_a_form_needs_the_token_of_its_own_session(app: Flask, editor: FlaskClient, tmp_path: Path) -> None:
    other = app.test_client()
    log_in(other, "guanli")
    foreign = token_in(other.get("/desk"))
    own = token_in(editor.get("/desk"))
    before = len(read_acts(tmp_path))
    for token in ("", "x" * 86, foreign, own[:-1], own[:22], own[1:], "中" * 30):
        answer = editor.post("/desk/take-downs", data={"token": token, "key": "a1", "reason": "试"})
        assert answer.status_code == 400 and "刷新" in answer.text
    assert len(read_acts(tmp_path)) == before
    assert editor.post("/desk/take-downs", data={"token": own, "key": "a1", "reason": "试"}).status_code == 303


def test_each_page_has_another_token_and_all_are_good(editor: FlaskClient) -> None:
    tokens = [token_in(editor.get("/desk")) for _ in range(3)]
    assert len(set(tokens)) == 3 and len({token[22:] for token in tokens}) == 3
    for token in tokens:
        assert editor.post("/desk/logout-others", data={"token": token}).status_code == 303


def test_the_login_itself_needs_a_token_of_this_browser(app: Flask) -> None:
    client, other = app.test_client(), app.test_client()
    fields = {"name": "bianji", "password": PASSWORD}
    foreign = token_in(other.get("/desk/login"))
    client.get("/desk/login")
    for token in ("", foreign):
        assert client.post("/desk/login", data={"token": token, **fields}).status_code == 400
    assert app.test_client().post("/desk/login", data={"token": foreign, **fields}).status_code == 400  # no cookies
    headers = {"Sec-Fetch-Site": "cross-site"}
    own = {"token": token_in(client.get("/desk/login")), **fields}
    assert client.post("/desk/login", data=own, headers=headers).status_code == 403
    assert client.post("/desk/login", data=own).status_code == 303


def test_one_client_can_make_the_server_hash_only_so_often(app: Flask) -> None:
    limit = RateLimit(auth.LOGINS_PER_MINUTE, auth.LOGINS_AT_ONCE, clock=lambda: 1000.0)  # no time passes
    app.extensions["yiwen.auth"].logins = limit
    statuses = [log_in(app.test_client(), "bianji").status_code for _ in range(auth.LOGINS_AT_ONCE + 2)]
    assert statuses == [303] * auth.LOGINS_AT_ONCE + [429] * 2  # right ones, which lock nobody


# passwords and links


def test_changing_ones_password_keeps_this_browser_only(app: Flask, editor: FlaskClient) -> None:
    elsewhere = app.test_client()
    log_in(elsewhere, "bianji")
    assert "还有 1 个登录" in editor.get("/desk").text
    fields = {"password": PASSWORD, "new": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    for changed, words in (
        ({"password": "wrong"}, "现在的密码不对"),
        ({"again": "another"}, "不一样"),
        ({"new": "short", "again": "short"}, "太短"),
        ({"new": "bianji2024", "again": "bianji2024"}, "太容易猜到"),
    ):
        answer = send(editor, "/desk/password", **{**fields, **changed})
        assert answer.status_code == 400 and words in answer.text
    assert elsewhere.get("/desk").status_code == 200
    answer = send(editor, "/desk/password", **fields)
    assert answer.status_code == 303 and "密码已经改好" in editor.get(answer.headers["Location"]).text
    assert elsewhere.get("/desk").status_code == 303
    assert log_in(elsewhere, "bianji").status_code == 401
    assert log_in(elsewhere, "bianji", OTHER_PASSWORD).status_code == 303


def test_logins_elsewhere_can_be_ended(app: Flask, editor: FlaskClient) -> None:
    elsewhere = app.test_client()
    log_in(elsewhere, "bianji")
    send(editor, "/desk/logout-others", form_on="/desk")
    assert elsewhere.get("/desk").status_code == 303 and editor.get("/desk").status_code == 200


def test_the_first_admin_is_made_by_the_printed_link_once(tmp_path: Path) -> None:
    app = create_app(tmp_path, Settings(), FakeEngine())
    link = auth.offer_first_admin(app)
    assert link and re.fullmatch(r"/desk/first/[\w-]{43}", link)
    assert list(tmp_path.iterdir()) == []  # only its hash is kept, in memory
    one, other = app.test_client(), app.test_client()
    assert one.get("/desk/first/guessed").status_code == 410
    fields = {"name": "Zhang", "new": PASSWORD, "again": PASSWORD}
    assert send(one, link, **{**fields, "new": "1234567890", "again": "1234567890"}).status_code == 400
    late = token_in(other.get(link))
    assert one.post(link, data=fields).status_code == 400  # without a token
    assert send(one, link, **fields).headers["Location"] == "/desk"
    assert "zhang（管理员）" in one.get("/desk").text
    assert other.post(link, data={"token": late, **fields, "name": "mallory"}).status_code == 410
    assert other.get(link).status_code == 410
    assert auth.offer_first_admin(app) is None


def test_the_printed_link_ends_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(tmp_path, Settings(), FakeEngine())
    link = auth.offer_first_admin(app)
    assert link and app.test_client().get(link).status_code == 200
    later = time.time() + LINK_SECONDS
    monkeypatch.setattr("time.time", lambda: later)
    assert app.test_client().get(link).status_code == 410


def test_without_a_printed_link_nobody_becomes_the_first_admin(tmp_path: Path) -> None:
    client = create_app(tmp_path, Settings(), FakeEngine()).test_client()
    for token in ("", "x", "None"):
        assert client.get(f"/desk/first/{token}").status_code in (404, 410)
        assert client.post(f"/desk/first/{token}", data={"name": "zhang", "new": PASSWORD}).status_code in (404, 410)
    assert client.get("/desk").status_code == 303 and log_in(client, "zhang").status_code == 401


def test_a_users_link_sets_the_password_and_logs_in(app: Flask) -> None:
    admin, new = app.test_client(), app.test_client()
    log_in(admin, "guanli")
    page = send(admin, "/desk/users/add", form_on="/desk/users", name="Wang", role="editor")
    assert page.status_code == 200
    found = re.search(r"http://localhost(/desk/link/[\w-]{43})", page.text)
    assert found and found[1] not in admin.get("/desk/users").text  # shown once
    assert "wang" in new.get(found[1]).text
    assert send(new, found[1], new=PASSWORD, again="another one").status_code == 400
    assert send(new, found[1], new=PASSWORD, again=PASSWORD).headers["Location"] == "/desk"
    assert "wang（编辑）" in new.get("/desk").text
    assert app.test_client().get(found[1]).status_code == 410
