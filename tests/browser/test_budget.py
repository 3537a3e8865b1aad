"""What a page costs and when it is there: weight, shifts, first paint, and that nothing comes from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import DESK, FULL_PAGES, PHONE, viewport, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Response, Route

MAX_BYTES = 60_000

#: Every shift of the layout, also one that a reader's key or click is held to cause.
NOTE_SHIFTS = """() => { window.shifts = [];
  new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(e => e.value)))
    .observe({ type: 'layout-shift', buffered: true }); }"""
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(window.shifts))))"


def test_results_are_light(browser: Browser, address: str) -> None:
    """A page of ten results with all that it loads, not compressed."""
    context = browser.new_context()
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{address}/search?q=面肌痉挛&page=2")
    assert page.locator(".hit").count() == 10
    weights = {answer.url.rsplit("/", 1)[1].split("?")[0]: len(answer.body()) for answer in answers}
    assert set(weights) == {"search", "style.css", "print.css", "suggest.js", "logo.svg"}
    assert sum(weights.values()) <= MAX_BYTES, weights
    context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390px", "1280px"])
def test_nothing_moves_once_it_is_shown(browser: Browser, full_address: str, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=viewport(size))
    context.add_init_script(f"({NOTE_SHIFTS})()")
    page = context.new_page()
    for path in FULL_PAGES:
        page.goto(full_address + path)
        assert page.evaluate(TWO_FRAMES) == [], path
    page.goto(full_address)
    page.get_by_role("combobox").press_sequentially("面")
    page.locator("#suggestions li").first.wait_for()
    page.get_by_role("button", name="明暗").click()
    assert page.evaluate(TWO_FRAMES) == []
    page.evaluate("() => document.querySelector('main').prepend(document.createElement('hr'))")
    assert page.evaluate(TWO_FRAMES) != []  # a shift would be seen
    context.close()


def test_the_first_paint_does_not_wait_for_the_script(browser: Browser, full_address: str) -> None:
    page = browser.new_page()
    held: list[Route] = []
    page.route("**/suggest.js**", lambda route: held.append(route))
    page.goto(f"{full_address}/search?q=面肌痉挛", wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    assert page.locator("h1").is_visible() and page.get_by_role("searchbox").is_visible()
    assert len(held) == 1
    held[0].continue_()
    page.get_by_role("combobox").wait_for()
    page.close()


def test_nothing_leaves_the_site_and_nobody_complains(browser: Browser, full_address: str) -> None:
    """No request to another host, no line in the console, no breach of the policy, on any page."""
    context = browser.new_context()
    watched = watch(context.new_page())
    missing = 0
    for path in FULL_PAGES:
        answer = watched.page.goto(full_address + path)
        assert answer
        missing += answer.status == 404
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "'self'" in policy
    watched.page.goto(full_address)
    watched.page.get_by_role("combobox").press_sequentially("面肌")
    watched.page.locator("#suggestions li").first.wait_for()
    assert watched.hosts == {full_address.split("/")[2]}
    own = [said for said in watched.complaints if "404" in said]  # Chromium's own line for a page that is not there
    assert len(own) == missing and own == watched.complaints
    assert context.cookies() == []
    context.close()


def test_a_breach_of_the_policy_would_be_seen(browser: Browser, full_address: str) -> None:
    watched = watch(browser.new_page())
    watched.page.goto(full_address)
    watched.page.evaluate("() => document.body.append(Object.assign(new Image(), {src: 'http://yiwen.test/x.png'}))")
    watched.page.wait_for_function("() => document.images.length > 1")
    assert any("Content Security Policy" in said for said in watched.complaints)
    watched.page.close()
