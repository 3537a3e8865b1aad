"""What goes wrong becomes one clear answer, for people or programs; and the headers every response has."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from flask import Flask
from flask.testing import FlaskClient

import indexer
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing, ResourceError
from indexer.settings import Settings
from webapp import create_app, lazy_engine
from webapp.errors import UNAVAILABLE
from webapp.headers import CONTENT_SECURITY_POLICY

PAGE, API = "/search?q=面肌痉挛", "/api/v1/search?q=面肌痉挛"


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (GenerationMissing("请先运行 yiwen build。"), 503, "no_index"),
        (GenerationDamaged("请运行 yiwen roll-back。"), 503, "index_damaged"),
        (ResourceError("权重文件与程序不符。"), 503, "unavailable"),
    ],
)
def test_searchers_are_asked_to_wait_and_the_log_tells_why(
    client: FlaskClient,
    engine: FakeEngine,
    failure: Exception,
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine.failure = failure
    page, api = client.get(PAGE), client.get(API)
    assert (page.status_code, api.status_code) == (status, status)
    assert UNAVAILABLE in page.text and str(failure) not in page.text
    assert api.json == {"error": {"code": code, "message": UNAVAILABLE}}
    assert "Retry-After" in page.headers
    assert str(failure) in caplog.text


def test_what_is_wrong_with_a_question_is_passed_on(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = BadQuery("请多写几个字。")
    page, api = client.get(PAGE), client.get(API)
    assert (page.status_code, api.status_code) == (400, 400)
    assert "请多写几个字。" in page.text and "Retry-After" not in page.headers
    assert api.json == {"error": {"code": "bad_query", "message": "请多写几个字。"}}


@pytest.mark.parametrize("failure", [ZeroDivisionError("geheim"), OSError("/geheim/path")])
@pytest.mark.parametrize("testing", [False, True])
def test_internals_are_never_shown(
    app: Flask, engine: FakeEngine, failure: Exception, testing: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app.testing = testing
    engine.failure = failure
    page, api = app.test_client().get(PAGE), app.test_client().get(API)
    assert (page.status_code, api.status_code) == (500, 500)
    assert api.json and api.json["error"]["code"] == "internal"
    assert "geheim" not in page.text + api.text and "Traceback" not in page.text
    assert "geheim" in caplog.text  # but those who run the site can read it
    assert "面肌痉挛" not in caplog.text.replace("search?q=", "")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/answers/nowhere", 404, "not_found"),
        ("POST", "/search", 405, "method_not_allowed"),
        ("DELETE", "/search", 405, "method_not_allowed"),
    ],
)
def test_http_errors_fit_who_asks(client: FlaskClient, method: str, path: str, status: int, code: str) -> None:
    page, api = client.open(path, method=method), client.open(f"/api/v1{path}", method=method)
    assert (page.status_code, api.status_code) == (status, status)
    assert page.mimetype == "text/html" and "回到首页" in page.text
    assert api.json and set(api.json) == {"error"} and set(api.json["error"]) == {"code", "message"}
    assert api.json["error"]["code"] == code
    assert any("\u4e00" <= char <= "\u9fff" for char in api.json["error"]["message"])
    if status == 405:
        assert "GET" in api.headers["Allow"] and "GET" in page.headers["Allow"]


@pytest.mark.parametrize(("size", "status"), [(16 * 1024, 405), (16 * 1024 + 1, 413)])
def test_large_bodies_are_refused(client: FlaskClient, size: int, status: int) -> None:
    assert client.post("/search", data=b"x" * size).status_code == status
    assert client.post("/api/v1/search", data=b"x" * size).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/",
        PAGE,
        "/answers/bare",
        "/nowhere",
        "/api/nowhere",
        "/api/v1/search",
        "/search",
        "/healthz",
        "/readyz",
        "/static/x",
    ],
)
def test_every_response_is_guarded_and_kept_by_nobody(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in headers


def test_the_policy_is_the_strict_one() -> None:
    assert set(CONTENT_SECURITY_POLICY.split("; ")) == {
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    }


def test_errors_inside_are_guarded_too(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = ZeroDivisionError()
    assert client.get(PAGE).headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_static_files_may_be_kept(client: FlaskClient) -> None:
    home = client.get("/").text
    for name in ("style.css", "logo.svg"):
        address = home[home.index(f"/static/{name}") :].split('"')[0]
        response = client.get(address)
        assert response.status_code == 200 and "?v=" in address
        assert "max-age" in response.headers["Cache-Control"]


def test_pages_work_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[FakeEngine] = []

    def open_engine(data_dir: Path, settings: Settings | None = None) -> FakeEngine:
        assert data_dir == tmp_path
        if not found:
            raise GenerationMissing("还没有索引，请先运行 yiwen build。")
        return found[0]

    monkeypatch.setattr(indexer, "open_engine", open_engine, raising=False)
    client = create_app(tmp_path, Settings()).test_client()
    assert client.get("/").status_code == 200
    assert client.get("/healthz").json == {"status": "ok"}
    missing = client.get(PAGE)
    assert missing.status_code == 503
    assert UNAVAILABLE in missing.text and 'value="面肌痉挛"' in missing.text
    found.append(FakeEngine())
    assert client.get(PAGE).status_code == 200
    found.clear()
    assert client.get(PAGE).status_code == 200  # opened once, then kept


def test_a_damaged_index_is_not_opened_at_every_view(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    now = 100.0

    def opener() -> FakeEngine:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise GenerationDamaged("坏了")
        return FakeEngine()

    monkeypatch.setattr("webapp.lazy_engine.time.monotonic", lambda: now)
    lazy = lazy_engine.LazyEngine(opener)
    for _ in range(3):
        with pytest.raises(GenerationDamaged):
            lazy.get()
    assert tries == 1
    now += lazy_engine.DAMAGED_RETRY_SECONDS
    assert lazy.get().generation == "gen-000003"
