"""The display switches in a browser: without script, over plain http, and what they do to the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from browsing import FULL_PAGES, PHONE, SMALL, UNFOLD, WEAK_CONTRAST, Watched, assert_fits, viewport

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def ground(page: Page) -> str:
    colour: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return colour


def letter(page: Page, selector: str) -> float:
    """Height of letters, in CSS pixels."""
    size: float = page.locator(selector).first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    return size


def test_large_type_is_a_quarter_larger_and_the_lines_with_it(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    lines = "e => parseFloat(getComputedStyle(e).lineHeight) / parseFloat(getComputedStyle(e).fontSize)"
    texts = (".snippet", ".hit h2", ".facts", ".foot", ".ask input", ".switches button", ".sources")
    before = {text: (letter(page, text), page.locator(text).first.evaluate(lines)) for text in texts}
    page.get_by_role("button", name="大字").click()
    assert page.url.endswith("/search?q=%E9%9D%A2%E8%82%8C%E7%97%89%E6%8C%9B")
    for text, (size, line) in before.items():
        # What stands beside the brand on a phone grows less, since it must not push the answers down.
        assert letter(page, text) >= (1.18 if text.startswith(".switches") else 1.249) * size, text
        assert page.locator(text).first.evaluate(lines) == pytest.approx(line, nan_ok=True)
    assert page.get_by_role("button", name="大字").get_attribute("aria-pressed") == "true"
    assert_fits(page)
    page.get_by_role("button", name="大字").click()
    assert letter(page, ".snippet") == before[".snippet"][0]
    assert watched.complaints == []


def test_light_and_dark_are_chosen_whatever_the_system_says(browser: Browser, full_address: str) -> None:
    grounds = {}
    for scheme in SCHEMES:
        context = browser.new_context(color_scheme=scheme, java_script_enabled=False)
        page = context.new_page()
        page.goto(full_address)
        for theme in ("跟随系统", "浅色", "深色"):
            page.get_by_text("明暗").click()
            with page.expect_navigation():
                page.get_by_role("button", name=theme).click()
            grounds[scheme, theme] = ground(page)
        context.close()
    light, dark = grounds["light", "跟随系统"], grounds["dark", "跟随系统"]
    assert light != dark
    for scheme in SCHEMES:
        assert (grounds[scheme, "浅色"], grounds[scheme, "深色"]) == (light, dark)


def test_high_contrast_reaches_seven_to_one(browser: Browser, full_address: str) -> None:
    """WCAG 1.4.6 with the switch, or by the system's own wish; 1.4.3 without."""
    plain, switched = (browser.new_context(reduced_motion="reduce") for _ in range(2))  # colours change at once
    switched.add_cookies([{"name": "contrast", "value": "high", "url": full_address}])
    for context, wanted in ((plain, 4.5), (switched, 7)):
        page = context.new_page()
        for path in FULL_PAGES:
            page.goto(full_address + path)
            page.evaluate(UNFOLD)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, contrast="no-preference")
                assert page.evaluate(WEAK_CONTRAST, wanted) == [], (path, scheme)
                page.emulate_media(contrast="more")
                assert page.evaluate(WEAK_CONTRAST, 7) == [], (path, scheme)
        context.close()


def test_the_switches_work_where_a_browser_sends_no_sec_fetch_site(browser: Browser, full_address: str) -> None:
    """Over plain http from another host than this machine, as in a clinic's own network."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(full_address.replace("127.0.0.1", "yiwen.test"))
    with page.expect_request("**/display") as sent:
        page.get_by_role("button", name="大字").click()
    headers = sent.value.all_headers()
    assert "sec-fetch-site" not in headers and headers["origin"].startswith("http://yiwen.test")
    assert page.locator("html").get_attribute("data-type") == "large"
    context.close()


def test_a_form_of_another_site_switches_nothing(browser: Browser, full_address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route(
        "http://yiwen.test/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form action="{full_address}/display" method="post"><button name="type" value="large">x</button>',
        ),
    )
    page.goto("http://yiwen.test/")
    with page.expect_response("**/display") as answered:
        page.get_by_role("button").click()
    assert answered.value.status == 403
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize("size", [SMALL, PHONE], ids=["320px", "390px"])
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_the_switches_do_not_push_the_answers_down(
    browser: Browser, full_address: str, size: dict[str, int], large: bool
) -> None:
    context = browser.new_context(viewport=viewport(size))
    if large:
        context.add_cookies([{"name": "type", "value": "large", "url": full_address}])
    page = context.new_page()
    page.goto(f"{full_address}/search?q=面肌痉挛")
    tops = [each.bounding_box() for each in page.locator(".brand, .switches > button").all()]
    middles = [box["y"] + box["height"] / 2 for box in tops if box]
    assert len(middles) == 4 and max(middles) - min(middles) < 2  # one row
    context.close()


def test_the_list_of_themes_closes_by_itself_without_script(browser: Browser, full_address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=False)
    page = context.new_page()
    page.goto(full_address)
    opener, themes = page.get_by_role("button", name="明暗"), page.locator("#themes")
    assert themes.is_hidden()
    opener.click()
    themes.wait_for(state="visible")
    button, shown = opener.bounding_box(), themes.bounding_box()
    assert button and shown and shown["y"] >= button["y"] + button["height"]  # beneath what opened it
    page.locator("h1").click(position={"x": 2, "y": 2})
    themes.wait_for(state="hidden")
    opener.click()
    themes.wait_for(state="visible")
    page.keyboard.press("Escape")
    themes.wait_for(state="hidden")
    context.close()
