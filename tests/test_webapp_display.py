"""The display switches: plain forms, plain cookies, and no way out of the site or into it from another."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest
from fakes import HOSTILE, FakeEngine
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from reading import only, page_of, words
from werkzeug.test import TestResponse

from indexer.settings import Settings
from webapp import create_app
from webapp.display import MAX_BACK_CHARS, MAX_CURRENT_CHARS, local_address

OWN = {"Sec-Fetch-Site": "same-origin"}
PAGES = (
    "/",
    "/?empty=1",
    "/search?q=面肌痉挛",
    "/search?q=没有的病",
    "/answers/bare",
    "/about",
    "/nowhere",
    "/topics/x",
)


def shown(client: FlaskClient, address: str = "/") -> tuple[str, ...]:
    """What the page's root says of type, contrast and theme."""
    root = only(page_of(client, address), "html")
    return tuple(str(root[f"data-{name}"]) for name in ("type", "contrast", "theme"))


def press(client: FlaskClient, address: str, switch: str) -> TestResponse:
    """Press a switch of a page as a browser without script does."""
    form = only(page_of(client, address), "form.switches")
    (button,) = [button for button in form.select("button[name]") if words(button) == switch]
    back = only(form, "input[name=back]")["value"]
    return client.post(str(form["action"]), data={"back": back, button["name"]: button["value"]}, headers=OWN)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_the_switches(client: FlaskClient, address: str) -> None:
    form = only(page_of(client, address), "header form.switches")
    pressed = {words(button): button["aria-pressed"] for button in form.select("button[name]")}
    assert pressed == {"大字": "false", "高对比": "false", "跟随系统": "true", "浅色": "false", "深色": "false"}


def test_a_switch_is_kept_and_can_be_taken_back(client: FlaskClient) -> None:
    assert shown(client) == ("normal", "normal", "system")
    for switch in ("大字", "高对比", "深色"):
        press(client, "/", switch)
    assert shown(client) == shown(client, "/nowhere") == ("large", "high", "dark")
    for switch in ("大字", "高对比", "跟随系统"):
        press(client, "/", switch)
    assert shown(client) == ("normal", "normal", "system")
    assert not client.get_cookie("type") and not client.get_cookie("contrast") and not client.get_cookie("theme")


def test_a_switch_leaves_the_others_and_leads_back(client: FlaskClient) -> None:
    press(client, "/", "浅色")
    response = press(client, "/search?q=面肌痉挛&page=2", "大字")
    assert (response.status_code, response.location) == (303, f"/search?q={quote('面肌痉挛')}&page=2")
    assert shown(client) == ("large", "normal", "light")


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_tells_nothing_and_goes_nowhere(client: FlaskClient, scheme: str, secure: bool) -> None:
    response = client.post("/display", data={"type": "large"}, headers=OWN, base_url=f"{scheme}://yiwen.test/")
    (cookie,) = response.headers.getlist("Set-Cookie")
    parts = cookie.split("; ")
    assert parts[0] == "type=large"
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"} <= set(parts)
    assert ("Secure" in parts) is secure


def test_what_no_switch_has_is_refused_and_in_a_cookie_ignored(client: FlaskClient) -> None:
    response = client.post("/display", data={"theme": "pink", "type": "large"}, headers=OWN)
    assert response.status_code == 400 and "Set-Cookie" not in response.headers
    for name in ("type", "contrast", "theme"):
        client.set_cookie(name, '"><script>')
    assert shown(client) == ("normal", "normal", "system")


def test_the_switches_need_no_index(tmp_path: Path) -> None:
    client = create_app(tmp_path, Settings()).test_client()
    press(client, "/search?q=面肌痉挛", "大字")
    assert shown(client, "/search?q=面肌痉挛") == ("large", "normal", "system")


# Back to where one was


@pytest.mark.parametrize(
    "address",
    [
        "/search?q=https://a.cn//b",
        "/answers/a//b",
        f"/answers/{quote(HOSTILE.id)}?q=%0A%5C",
        "/search?q=%C3%28&aspect=a",
    ],
)
def test_one_comes_back_to_the_very_page(client: FlaskClient, engine: FakeEngine, address: str) -> None:
    location = press(client, address, "大字").location
    with (
        client.application.test_request_context(location) as back,
        client.application.test_request_context(address) as at,
    ):
        assert back.request.path == at.request.path and dict(back.request.args) == dict(at.request.args)


def test_a_very_long_address_leads_home_instead_of_failing(client: FlaskClient) -> None:
    for length in (MAX_CURRENT_CHARS - 20, 2 * MAX_CURRENT_CHARS):
        response = press(client, f"/search?q={'面' * length}", "大字")
        assert response.status_code == 303
        assert (response.location == "/") is (length > MAX_CURRENT_CHARS)


def test_a_page_that_cannot_be_had_again_leads_home(client: FlaskClient) -> None:
    page = client.post("/search").text
    assert '<input type="hidden" name="back" value="/">' in page


@pytest.mark.parametrize(
    "given", ["", "search", "//evil.example", "/\\evil.example", "\\\\evil", "https://evil.example/", "javascript:x",
              "/a\r\nSet-Cookie: x=1", "/\t/evil.example", "/a\x7f", "/x" + "y" * MAX_BACK_CHARS, "/a//b", " /a"]
)  # fmt: skip
def test_other_addresses_lead_home(client: FlaskClient, given: str) -> None:
    response = client.post("/display", data={"back": given}, headers=OWN)
    assert (response.status_code, response.location) == (303, "/")


@given(
    st.text(st.sampled_from("/\\:@.?#%&=ae09\t\n\r 面\x00\x85"), max_size=30).map(lambda rest: "/" + rest) | st.text()
)
@example("/" + "y" * (MAX_BACK_CHARS - 1))
@example("/search?q=面肌痉挛")
def test_no_address_leaves_the_site(given: str) -> None:
    with APP.test_request_context("/"):
        address = local_address(given)
    assert address in ("/", given) and len(address) <= MAX_BACK_CHARS
    # As browsers read addresses (URL standard): blanks in lines go, a backslash is a slash.
    read = "".join(char for char in address if char not in "\t\r\n").replace("\\", "/")
    assert urlsplit(urljoin("http://own.example/x", read)).netloc == "own.example"
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in address)


def test_local_addresses_pass() -> None:
    with APP.test_request_context("/"):
        for address in ("/", "/search?q=面肌痉挛&page=2#x", "/" + "y" * (MAX_BACK_CHARS - 1)):
            assert local_address(address) == address


APP = create_app("nowhere", Settings(), FakeEngine())


# Other sites


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "Same-Origin"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),  # a proxy may rename the host
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://yiwen.test"}, False),
        ({}, True),  # no browser
        ({"Origin": "http://yiwen.test"}, True),
        ({"Origin": "https://YIWEN.test"}, True),
        ({"Origin": "http://yiwen.test:80"}, True),
        ({"Origin": "http://yiwen.test:8000"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://yiwen.test.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "yiwen.test"}, False),
        ({"Origin": "http://["}, False),
    ],
)
def test_forms_of_other_sites_change_nothing(client: FlaskClient, headers: dict[str, str], allowed: bool) -> None:
    response = client.post("/display", data={"type": "large"}, headers=headers, base_url="http://yiwen.test/")
    assert response.status_code == (303 if allowed else 403)
    assert ("Set-Cookie" in response.headers) is allowed
    if not allowed:
        assert "这个请求不是从本站的页面发出的" in response.text


def test_a_port_belongs_to_the_host(client: FlaskClient) -> None:
    for origin, status in (("http://yiwen.test:8000", 303), ("http://yiwen.test", 403)):
        sent = client.post("/display", headers={"Origin": origin}, base_url="http://yiwen.test:8000/")
        assert sent.status_code == status


def test_a_link_changes_nothing(client: FlaskClient) -> None:
    assert client.get("/display?type=large").status_code == 405
    assert shown(client) == ("normal", "normal", "system")
