"""The guard of the desk: what each view needs, who is let in, and what the others are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk_accounts import app, editor, fast_hashes, log_in, send
from fakes import FakeEngine
from flask import Flask
from flask.testing import FlaskClient

from indexer.errors import DiskFault, GenerationMissing, IndexerError
from indexer.settings import Settings
from webapp import auth, create_app
from webapp.roles import Role

__all__ = ["app", "editor", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")


#: what a browser may be at without being logged in
OPEN = {"auth.login", "auth.first", "auth.link"}


def desk_rules(app: Flask) -> list[tuple[str, str, set[str]]]:
    """Endpoint, an address, methods of all views of the desk."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule == "/desk" or rule.rule.startswith("/desk/")]
    return [(r.endpoint, re.sub("<[^>]+>", "1", r.rule), (r.methods or set()) - {"HEAD", "OPTIONS"}) for r in rules]


def needed_role(app: Flask, endpoint: str) -> Role | None:
    """What `require` or `open_to_all` has noted on a view."""
    role: Role | None = vars(app.view_functions[endpoint])["desk_role"]
    return role


def test_every_view_of_the_desk_is_guarded(app: Flask) -> None:
    rules = desk_rules(app)
    assert {"desk.front", "users.add", "take_downs.add", "audit.export", "auth.logout"} <= {rule[0] for rule in rules}
    for endpoint, address, methods in rules:
        assert (needed_role(app, endpoint) is None) is (endpoint in OPEN)
        client = app.test_client()
        for method in methods if endpoint not in OPEN else ():
            answer = client.open(address, method=method)
            assert answer.status_code == (303 if method == "GET" else 401), address
            assert "/desk/login" in (answer.headers.get("Location", "") + answer.text)


def test_what_each_view_needs(app: Flask) -> None:
    needed = {
        "desk": Role.ANALYST,
        "auth": Role.ANALYST,
        "builds": Role.EDITOR,
        "comparison": Role.EDITOR,
        "quality": Role.EDITOR,
        "take_downs": Role.EDITOR,
        "curation": Role.EDITOR,
        "trust": Role.EDITOR,
        "inbox": Role.EDITOR,
        "users": Role.ADMIN,
        "audit": Role.ADMIN,
    }
    for endpoint, _, _ in desk_rules(app):
        part = endpoint.split(".")[0]
        if part in needed and endpoint not in OPEN:
            assert needed_role(app, endpoint) is needed[part], endpoint


def test_each_role_sees_its_pages_and_no_others(app: Flask) -> None:
    for name, role in (("fenxi", Role.ANALYST), ("bianji", Role.EDITOR), ("guanli", Role.ADMIN)):
        client = app.test_client()
        log_in(client, name)
        shown = set(re.findall(r'href="(/desk[\w/-]*)"', client.get("/desk").text))
        for endpoint, address, methods in desk_rules(app):
            needed = needed_role(app, endpoint)
            if needed is None:
                continue
            for method in methods:
                refused = client.open(address, method=method).status_code == 403
                assert refused is (role < needed), (name, address)
        assert ("/desk/users" in shown) is (role is Role.ADMIN)
        assert ("/desk/take-downs" in shown) is (role >= Role.EDITOR)


def test_a_refusal_names_the_role_that_is_needed(app: Flask) -> None:
    client = app.test_client()
    log_in(client, "fenxi")
    answer = client.get("/desk/users")
    assert answer.status_code == 403 and "“管理员”" in answer.text and "“分析员”" in answer.text


def test_a_view_that_nobody_guarded_is_seen_by_nobody(tmp_path: Path) -> None:
    app = create_app(tmp_path, Settings(), FakeEngine())
    app.add_url_rule("/desk/forgotten", "forgotten", lambda: "secret")
    app.add_url_rule("/desktop", "desktop", lambda: "public")
    answer = app.test_client().get("/desk/forgotten")
    assert answer.status_code == 403 and "secret" not in answer.text
    assert app.test_client().get("/desktop").text == "public"


@pytest.mark.parametrize("accepts", ["application/json", "text/event-stream"])
def test_a_program_is_told_instead_of_led_to_a_page(client: FlaskClient, accepts: str) -> None:
    answer = client.get("/desk", headers={"Accept": accepts})
    assert answer.status_code == 401 and "WWW-Authenticate" in answer.headers


def test_a_changed_role_counts_from_the_next_request_on(app: Flask, editor: FlaskClient) -> None:
    admin = app.test_client()
    log_in(admin, "guanli")
    assert editor.get("/desk/take-downs").status_code == 200
    assert send(admin, "/desk/users/role", form_on="/desk/users", name="bianji", role="analyst").status_code == 303
    assert editor.get("/desk/take-downs").status_code == 303
    log_in(editor, "bianji")
    assert editor.get("/desk/take-downs").status_code == 403


def test_a_state_that_cannot_be_read_is_a_sentence(app: Flask, editor: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    answer = editor.get("/desk")
    assert answer.status_code == 503 and "状态库" in answer.text and str(tmp_path) not in answer.text


@pytest.mark.parametrize(
    "failure", [GenerationMissing("/var/lib 没有索引。"), DiskFault("/var/lib 读不了。")], ids=["missing", "disk"]
)
def test_a_desk_page_without_an_index_speaks_of_the_desk_and_not_of_searching(
    app: Flask, editor: FlaskClient, failure: IndexerError
) -> None:
    @auth.require(Role.EDITOR)
    def fails() -> str:
        raise failure

    app.view_functions["generations.show"] = fails
    answer = editor.get("/desk/generations?q=胸痛")
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    main = answer.text.split("<main")[1].split("</main>")[0]
    assert "索引暂时打不开，这一步没有完成" in main and 'href="/desk/generations"' in main and "再试一次" in main
    assert "搜索" not in main and "您写的问题" not in main and "身体不舒服" not in main and "/var/lib" not in main


def test_what_is_no_page_of_the_desk_speaks_of_searching(app: Flask) -> None:
    def fails() -> str:
        raise GenerationMissing("没有索引。")

    app.view_functions["pages.home"] = fails
    answer = app.test_client().get("/")
    assert answer.status_code == 503 and "暂时还不能搜索" in answer.text and "身体不舒服" in answer.text
