"""The box that offers what one may be about to ask: the combobox of the ARIA Authoring Practices Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import PHONE, Watched, viewport, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Locator, Page, Route

SUGGEST = "**/api/v1/suggest?**"
#: Longer than the script waits before it asks.
LONG_MS = 1_000


@pytest.fixture
def typing(desk: Watched, full_address: str) -> Watched:
    """The home page, the focus in the box, and a clock that only moves when a test says so."""
    desk.page.clock.install()
    desk.page.goto(full_address)
    desk.page.clock.pause_at(desk.page.evaluate("Date.now()") + LONG_MS)
    box(desk.page).focus()
    return desk


@pytest.fixture
def method(typing: Watched) -> CDPSession:
    """The input method's side of the browser."""
    return typing.page.context.new_cdp_session(typing.page)


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="想问的健康问题")


def options(page: Page) -> Locator:
    return page.locator("#suggestions [role=option]")


def asked(watched: Watched) -> list[str]:
    """What the script has asked for so far."""
    sent = [urlsplit(url) for url in watched.requests]
    return [parse_qs(url.query)["q"][0] for url in sent if url.path == "/api/v1/suggest"]


def offered(page: Page, text: str) -> None:
    """Type, and wait for the list."""
    page.keyboard.insert_text(text)
    with page.expect_response(SUGGEST):
        page.clock.run_for(LONG_MS)
    page.wait_for_function("() => !document.getElementById('suggestions').hidden")


def chosen(page: Page) -> str | None:
    """The text of the option that assistive technology is told of, which must be the selected one."""
    told = box(page).get_attribute("aria-activedescendant")
    selected = page.locator("#suggestions [aria-selected=true]")
    if told is None:
        assert selected.count() == 0
        return None
    assert selected.count() == 1 and selected.get_attribute("id") == told
    return selected.get_attribute("data-text")


def is_open(page: Page) -> bool:
    shown = page.locator("#suggestions").is_visible()
    assert box(page).get_attribute("aria-expanded") == str(shown).lower()
    return shown


def test_at_most_eight_are_offered_as_text(typing: Watched) -> None:
    page = typing.page
    assert not is_open(page)
    assert box(page).get_attribute("aria-autocomplete") == "list"
    assert box(page).get_attribute("aria-controls") == "suggestions"
    offered(page, "面")
    assert is_open(page) and options(page).count() == 8
    assert options(page).nth(1).inner_text() == "面<b>1</b>" and page.locator("#suggestions b").count() == 0
    assert "可能想找" in options(page).nth(0).inner_text()
    assert page.get_by_role("status").filter(has_text="有 8 条建议").count() == 1
    below = page.locator("#suggestions").bounding_box()
    above = page.locator("form.ask").bounding_box()
    assert below and above and below["y"] >= above["y"] + above["height"]
    assert typing.complaints == []


def test_arrows_go_round_and_leave_the_text(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    seen = []
    for _ in range(9):
        page.keyboard.press("ArrowDown")
        seen.append(chosen(page))
    assert seen == [*(f"面<b>{place}</b>" for place in range(8)), "面<b>0</b>"]
    page.keyboard.press("ArrowUp")
    assert chosen(page) == "面<b>7</b>"
    assert box(page).input_value() == "面"
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize("key", ["Home", "End", "ArrowLeft", "ArrowRight"])
def test_keys_of_the_text_go_back_to_it(typing: Watched, key: str) -> None:
    page = typing.page
    offered(page, "面肌")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(key)
    assert chosen(page) is None
    places = page.evaluate("document.activeElement.selectionStart")
    assert places == {"Home": 0, "End": 2, "ArrowLeft": 1, "ArrowRight": 2}[key]


def test_escape_closes_then_clears(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    page.keyboard.press("Escape")
    assert not is_open(page) and box(page).input_value() == "面"
    page.keyboard.press("ArrowDown")  # opens it again, without asking again
    assert is_open(page) and chosen(page) == "面<b>0</b>" and asked(typing) == ["面"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert box(page).input_value() == ""


def test_alt_and_arrows_open_and_close(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    page.keyboard.press("Alt+ArrowUp")
    assert not is_open(page)
    page.keyboard.press("Alt+ArrowDown")
    assert is_open(page) and chosen(page) is None


def test_arrow_down_asks_where_nothing_is_offered_yet(desk: Watched, full_address: str) -> None:
    desk.page.goto(f"{full_address}/search?q=面肌痉挛")
    box(desk.page).focus()
    with desk.page.expect_response(SUGGEST):
        desk.page.keyboard.press("ArrowUp")
    desk.page.wait_for_function("() => document.activeElement.hasAttribute('aria-activedescendant')")
    assert chosen(desk.page) == "面肌痉挛<b>7</b>"


def test_tab_leaves_with_what_was_typed(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert not is_open(page) and box(page).input_value() == "面"
    assert page.evaluate("document.activeElement.textContent") == "搜索"


@pytest.mark.parametrize(("arrows", "searched"), [(0, "面"), (2, "面<b>1</b>")])
def test_enter_searches_what_was_typed_or_chosen(typing: Watched, arrows: int, searched: str) -> None:
    page = typing.page
    offered(page, "面")
    for _ in range(arrows):
        page.keyboard.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert parse_qs(urlsplit(page.url).query)["q"] == [searched]
    assert typing.complaints == []


def test_a_tap_on_a_suggestion_searches_it(browser: Browser, full_address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE), has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{full_address}/search?q=没有的病")
    box(page).tap()
    page.keyboard.insert_text("面")
    options(page).nth(2).wait_for()
    options(page).nth(2).tap()
    page.wait_for_url("**/search?q=%E6%B2%A1**b%3E2**")
    context.close()


def test_the_box_stays_in_focus_while_one_points(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    options(page).nth(3).hover()
    page.mouse.down()
    assert page.evaluate("document.activeElement.id") == "q" and is_open(page)
    with page.expect_navigation():
        page.mouse.up()
    assert parse_qs(urlsplit(page.url).query)["q"] == ["面<b>3</b>"]


# Input methods


def compose(method: CDPSession, letters: str) -> None:
    """Type letters of a composition, as pinyin that is not yet a word."""
    method.send(
        "Input.imeSetComposition", {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)}
    )


def test_half_typed_pinyin_asks_for_nothing(typing: Watched, method: CDPSession) -> None:
    page = typing.page
    for letters in ("m", "mi", "mian"):
        compose(method, letters)
        page.clock.run_for(LONG_MS)
    assert box(page).input_value() == "mian" and asked(typing) == [] and not is_open(page)
    method.send("Input.insertText", {"text": "面"})
    with page.expect_response(SUGGEST):
        page.clock.run_for(LONG_MS)
    assert asked(typing) == ["面"]


def test_a_composition_closes_the_list_and_ends_what_is_under_way(typing: Watched, method: CDPSession) -> None:
    page = typing.page
    offered(page, "面")
    compose(method, "ji")
    assert not is_open(page)
    page.clock.run_for(LONG_MS)
    assert asked(typing) == ["面"]


@pytest.mark.parametrize("key", ["Enter", "ArrowDown", "Escape"])
@pytest.mark.parametrize("sign", ["isComposing", "keyCode"])
def test_keys_of_an_input_method_are_not_ours(typing: Watched, key: str, sign: str) -> None:
    page = typing.page
    offered(page, "面")
    value = {"isComposing": True} if sign == "isComposing" else {"keyCode": 229}
    prevented = page.evaluate(
        """([key, more]) => !document.getElementById('q').dispatchEvent(
             new KeyboardEvent('keydown', {key, code: key, bubbles: true, cancelable: true, ...more}))""",
        [key, value],
    )
    assert not prevented and is_open(page) and chosen(page) is None


def test_the_enter_that_confirms_a_candidate_searches_nothing(typing: Watched, method: CDPSession) -> None:
    page = typing.page
    compose(method, "mian")
    method.send("Input.insertText", {"text": "面"})
    page.keyboard.down("Enter")  # as Safari sends it: after the composition has ended
    page.keyboard.up("Enter")
    assert urlsplit(page.url).path == "/" and box(page).input_value() == "面"
    with page.expect_navigation():
        page.keyboard.press("Enter")  # this one is meant
    assert urlsplit(page.url).path == "/search"


def test_a_pause_after_a_composition_makes_enter_a_search(typing: Watched, method: CDPSession) -> None:
    page = typing.page
    compose(method, "mian")
    method.send("Input.insertText", {"text": "面"})
    page.clock.run_for(LONG_MS)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert parse_qs(urlsplit(page.url).query)["q"] == ["面"]


def test_the_search_key_of_a_screen_keyboard_searches_at_once(typing: Watched, method: CDPSession) -> None:
    page = typing.page
    compose(method, "mian")
    method.send("Input.insertText", {"text": "面"})
    key = {"key": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}  # no code: such keyboards have none
    with page.expect_navigation():
        method.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
    assert parse_qs(urlsplit(page.url).query)["q"] == ["面"]


# Answers that come late, or not at all


def test_a_question_that_is_no_longer_asked_is_given_up(typing: Watched) -> None:
    page = typing.page
    page.route(SUGGEST, lambda route: None if "%E8%82%8C" not in route.request.url else route.continue_())
    page.keyboard.insert_text("面")
    with page.expect_request(SUGGEST):
        page.clock.run_for(LONG_MS)
    page.keyboard.insert_text("肌")
    with page.expect_event("requestfailed") as given_up:
        page.clock.run_for(LONG_MS)
    assert given_up.value.url.endswith("q=%E9%9D%A2&limit=8")


def test_a_late_answer_never_takes_the_place_of_a_newer_one(typing: Watched) -> None:
    page = typing.page
    page.evaluate("() => { AbortController.prototype.abort = () => {}; }")  # given up or not
    routes: list[Route] = []
    page.route(SUGGEST, lambda route: routes.append(route))
    for text in ("面", "肌"):
        with page.expect_request(SUGGEST):
            page.keyboard.insert_text(text)
            page.clock.run_for(LONG_MS)
    for _ in range(100):  # until the browser has handed over both
        if len(routes) < 2:
            page.evaluate("1")
    first, second = routes
    second.fulfill(json={"query": "面肌", "suggestions": [{"text": "新", "kind": "term"}]})
    options(page).first.wait_for()
    first.fulfill(json={"query": "面", "suggestions": [{"text": "旧", "kind": "term"}]})
    page.keyboard.insert_text("痉")
    with page.expect_request(SUGGEST):
        page.clock.run_for(LONG_MS)
    assert [option.inner_text() for option in options(page).all()] == ["新"]


@pytest.mark.parametrize(
    "answer",
    [{"status": 503, "body": "{}"}, {"body": "<html>"}, {"body": '{"suggestions": null}'},
     {"body": '{"suggestions": [1, null, {}]}'}, None],
    ids=["no index", "no JSON", "no list", "no texts", "offline"],
)  # fmt: skip
def test_what_fails_leaves_the_plain_form(typing: Watched, answer: dict[str, object] | None) -> None:
    page = typing.page
    offered(page, "面")
    page.route(SUGGEST, lambda route: route.fulfill(**answer) if answer else route.abort())
    page.keyboard.insert_text("肌")
    with page.expect_event("requestfinished" if answer else "requestfailed"):
        page.clock.run_for(LONG_MS)
    page.wait_for_function("() => document.getElementById('suggestions').hidden")
    assert not is_open(page)
    assert not [said for said in typing.complaints if "Failed to load resource" not in said]  # the browser's own line
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert parse_qs(urlsplit(page.url).query)["q"] == ["面肌"]


def test_an_emptied_box_offers_nothing(typing: Watched) -> None:
    page = typing.page
    offered(page, "面")
    page.keyboard.press("Backspace")
    page.clock.run_for(LONG_MS)
    assert not is_open(page) and asked(typing) == ["面"]


def test_fast_typing_asks_once(typing: Watched) -> None:
    page = typing.page
    for letter in "mian":
        page.keyboard.press(letter)
    with page.expect_response(SUGGEST):
        page.clock.run_for(LONG_MS)
    assert asked(typing) == ["mian"]


def test_without_script_the_box_is_a_plain_search(browser: Browser, full_address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    watched = watch(context.new_page())
    watched.page.goto(full_address)
    field = watched.page.get_by_role("searchbox", name="想问的健康问题")
    field.press_sequentially("面肌痉挛")
    field.press("Enter")
    assert watched.page.get_by_role("heading", level=1).inner_text().startswith("找到")
    assert asked(watched) == []
    context.close()
