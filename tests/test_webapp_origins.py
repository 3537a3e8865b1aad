"""Which other sites may call the API from a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEngine
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from indexer.errors import SettingError
from indexer.settings import Settings
from webapp import create_app
from webapp.origins import read_origins

SEARCH = "/api/v1/search?q=面肌痉挛"
ONE = "https://a.example"
CORS = "Access-Control-"

Serving = Callable[[str], FlaskClient]


@pytest.fixture
def serving(tmp_path: Path, engine: FakeEngine) -> Serving:
    def make(origins: str) -> FlaskClient:
        return create_app(tmp_path, Settings(api_origins=origins), engine).test_client()

    return make


def said(headers: Headers) -> set[str]:
    return {name for name in headers.keys() if name.startswith(CORS)}  # noqa: SIM118


@pytest.mark.parametrize("origins", ["", ONE, f"https://b.example:8443 {ONE.upper()}", "*"])
@pytest.mark.parametrize("origin", [ONE, "https://evil.example", "null", None])
@pytest.mark.parametrize("address", [SEARCH, "/api/nowhere", "/search?q=面肌痉挛"])
def test_only_the_allowed_may_read_and_only_the_api(
    serving: Serving,
    origins: str,
    origin: str | None,
    address: str,
) -> None:
    headers = serving(origins).get(address, headers={"Origin": origin} if origin else {}).headers
    is_allowed = address.startswith("/api/") and (origins == "*" or (origin == ONE and origins != ""))
    if is_allowed:
        assert headers["Access-Control-Allow-Origin"] == ("*" if origins == "*" else ONE)
        assert "ETag" in headers["Access-Control-Expose-Headers"]
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    else:
        assert said(headers) == set()
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Credentials" not in headers
    varies = address.startswith("/api/") and origins not in ("", "*")
    assert ("Origin" in headers.get("Vary", "")) == varies


def test_a_held_reply_may_be_read_too(serving: Serving) -> None:
    client = serving(ONE)
    held = client.get(SEARCH).headers["ETag"]
    response = client.get(SEARCH, headers={"Origin": ONE, "If-None-Match": held})
    assert response.status_code == 304 and response.headers["Access-Control-Allow-Origin"] == ONE


@pytest.mark.parametrize("address", [SEARCH, "/api/v1/answers/bare", "/api/nowhere"])
def test_a_browser_that_asks_first_is_answered(serving: Serving, engine: FakeEngine, address: str) -> None:
    asking = {
        "Origin": ONE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    response = serving(ONE).options(address, headers=asking)
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == ONE
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert response.headers["Access-Control-Allow-Headers"] == "If-None-Match"
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    refused = serving(ONE).options(address, headers={**asking, "Origin": "https://evil.example"})
    assert said(refused.headers) == set()
    assert engine.queries == []


def test_plain_options_name_the_methods(serving: Serving) -> None:
    response = serving("").options(SEARCH)
    assert response.status_code == 200 and set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert (
        serving("*").options("/search", headers={"Origin": ONE, "Access-Control-Request-Method": "GET"}).status_code
        == 200
    )


@pytest.mark.parametrize(
    "origins", ["a.example", "https://a.example/", "https://a.example/x", "ftp://a.example", "null"]
)
def test_what_is_no_origin_is_refused_by_name(serving: Serving, origins: str) -> None:
    with pytest.raises(SettingError, match="api_origins") as caught:
        serving(f"https://b.example {origins}")
    assert origins in str(caught.value)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://[::1]:8000", "https://xn--fiq228c.example"])
def test_what_a_browser_sends_may_be_listed(origin: str) -> None:
    assert read_origins(origin).answer_to(origin) == origin
