"""What a program can check of the rules of WCAG 2.2 (axe-core), zoom, and journeys by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import (
    DESK,
    FULL_PAGES,
    PHONE,
    SCHEMES,
    SWITCHED,
    TABLET,
    UNFOLD,
    Watched,
    assert_fits,
    tab_to,
    viewport,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("switched", SWITCHED.values(), ids=SWITCHED)
def test_no_page_breaks_a_rule(browser: Browser, full_address: str, switched: dict[str, str]) -> None:
    context = browser.new_context(viewport=viewport(TABLET), reduced_motion="reduce")  # colours change at once
    for name, value in switched.items():
        context.add_cookies([{"name": name, "value": value, "url": full_address}])
    page = context.new_page()
    for path in FULL_PAGES:
        page.goto(full_address + path)
        page.evaluate(UNFOLD)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], (path, scheme)
    context.close()


@pytest.mark.parametrize("opened", ["#themes", "#suggestions"])
def test_what_lies_over_the_page_breaks_none_either(desk: Watched, full_address: str, opened: str) -> None:
    page = desk.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    if opened == "#suggestions":
        page.get_by_role("combobox").press("ArrowDown")
        page.wait_for_function("() => document.querySelector('[aria-activedescendant]')")
    else:
        page.get_by_role("button", name="明暗").click()
    assert page.locator(opened).is_visible()
    assert violations(page) == []


def test_a_rule_that_is_broken_is_seen(desk: Watched, full_address: str) -> None:
    desk.page.goto(full_address)
    desk.page.evaluate("() => document.documentElement.removeAttribute('lang')")
    assert [breach.split(":")[0] for breach in violations(desk.page)] == ["html-has-lang"]


@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_letters_twice_as_large_stay_on_the_page(browser: Browser, full_address: str, large: bool) -> None:
    """Zoom of text alone, as browsers' settings have it (WCAG 1.4.4); on top of large type, too."""
    context = browser.new_context()
    if large:
        context.add_cookies([{"name": "type", "value": "large", "url": full_address}])
    page = context.new_page()
    sizes = {"standard": 32, "fixed": 26}
    context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})
    for path in FULL_PAGES:
        page.goto(full_address + path)
        page.evaluate(UNFOLD)
        assert page.evaluate("() => parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 33.9
        for size in (PHONE, TABLET, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
    context.close()


def test_a_whole_journey_by_keyboard(watched: Watched, full_address: str) -> None:
    page, press = watched.page, watched.page.keyboard.press
    page.goto(full_address)
    tab_to(page, "#q")
    page.keyboard.insert_text("面肌痉挛")
    press("Enter")
    page.wait_for_url("**/search?**")
    tab_to(page, ".skip")
    press("Enter")
    tab_to(page, ".why summary")
    press("Enter")
    assert page.locator(".why meter").first.is_visible()
    tab_to(page, ".hit h2 a")
    press("Enter")
    page.wait_for_url("**/answers/**")
    tab_to(page, ".vote button")
    press("Space")
    page.wait_for_url("**thanks=vote**")
    tab_to(page, ".report summary")
    press("Enter")
    tab_to(page, ".report [name=reason]")
    press("Space")
    tab_to(page, "#note")
    page.keyboard.insert_text("看不懂")
    tab_to(page, ".report form button")
    press("Enter")
    page.wait_for_url("**thanks=report**")
    page.goto(f"{full_address}/about")
    tab_to(page, ".switches .themes")
    press("Enter")
    tab_to(page, '.switches [value="dark"]')
    press("Enter")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    assert page.url == f"{full_address}/about"
    assert watched.complaints == []
