"""Whole journeys through the pages in a real browser, from a real server, with and without script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from browsing import (
    DESK,
    FULL_PAGES,
    HALF_DESK,
    PHONE,
    SMALL,
    TABLET,
    TOO_LOW,
    UNFOLD,
    WEAK_CONTRAST,
    Watched,
    assert_fits,
    viewport,
)
from fakes import FACIAL_SPASM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def test_from_home_to_an_answer_and_back(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(address)
    assert_fits(page)
    page.get_by_label("想问的健康问题").fill("面肌痉挛")
    page.get_by_label("想问的健康问题").press("Enter")
    assert page.get_by_role("heading", level=1).inner_text().startswith("找到 32 条回答")
    assert "面肌痉挛" not in page.title()
    assert_fits(page)

    page.get_by_role("navigation", name="翻页").get_by_text("下一页").click()
    results = page.url
    assert "page=2" in results
    assert page.locator("ol.hits > li").count() == 10
    page.get_by_role("link", name="面肌痉挛怎么治？").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "面肌痉挛怎么治？"
    assert_fits(page)

    page.get_by_role("link", name="返回搜索结果").click()
    assert page.get_by_role("navigation", name="翻页").locator("[aria-current=page]").inner_text() == "2"
    assert page.get_by_label("想问的健康问题").input_value() == "面肌痉挛"
    page.go_back()
    assert "/answers/" in page.url

    assert watched.hosts == {address.split("/")[2]}
    assert watched.complaints == []


def test_scripts_in_an_answer_are_text(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/search?q=面肌痉挛")
    assert "<script>document.title='被改'</script>" in page.locator(".hit").first.inner_text()
    page.locator(".hit h2 a").first.click()
    assert "<img src=x onerror=alert(1)>" in page.locator(".text").inner_text()
    assert page.locator("main script, main img").count() == 0
    assert page.title() == "回答全文 · 医问"
    assert watched.complaints == []


def test_no_page_scrolls_sideways(page: Page, address: str) -> None:
    for path in ("/?empty=1", "/search?q=面肌痉挛", "/search?q=没有的病", "/search?q=面肌痉挛&page=99", "/answers/wide",
                 f"/search?q={'A' * 200}&site={'b' * 250}", "/nowhere"):  # fmt: skip
        page.goto(address + path)
        assert_fits(page)


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    page.goto(f"{address}/search?q=面肌痉挛")
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().bottom < 0")
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().top >= 0")
    assert page.locator(":focus").inner_text() == "跳到正文"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("e => e.closest('.hit') !== null")
    assert page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_what_is_tapped_is_large_enough(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE))
    page = context.new_page()
    for path in ("/", "/search?q=面肌痉挛&page=2", "/answers/wide?q=面肌痉挛"):
        page.goto(address + path)
        page.get_by_role("button", name="明暗").click()
        for target in page.locator("main a, main button, header a, header button:visible").all():
            box: Any = target.bounding_box()
            assert box["height"] >= 32, target.evaluate("e => e.outerHTML")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Browser, address: str, scheme: Any) -> None:
    context = browser.new_context(viewport=viewport(PHONE), color_scheme=scheme)
    page = context.new_page()
    for path in ("/?empty=1", "/search?q=面肌痉挛&page=2&site=www.example.com", "/answers/wide?q=面肌", "/nowhere"):
        page.goto(address + path)
        weak = page.evaluate(WEAK_CONTRAST, 4.5)
        assert weak == []
    context.close()


@pytest.mark.parametrize(
    ("path", "text"),
    [("/search?q=面肌痉挛", ".snippet"), ("/answers/wide?q=面肌痉挛", ".text p"), ("/about", ".prose p")],
)
def test_paper_gets_text_and_its_origin_only(browser: Browser, full_address: str, path: str, text: str) -> None:
    context = browser.new_context(viewport=viewport(DESK), color_scheme="dark")
    context.add_cookies([{"name": "contrast", "value": "high", "url": full_address}])
    page = context.new_page()
    page.goto(full_address + path)
    assert page.locator(".switches").is_visible() and not page.locator("footer .paper-only").is_visible()
    page.emulate_media(media="print")
    for control in page.locator("form, button, input, textarea, nav, .skip, .folds, .back, .kin, .related").all():
        assert not control.is_visible(), control.evaluate("e => e.outerHTML")
    foot = page.locator("footer .paper-only")
    assert full_address + path in foot.inner_text() and "医问" in foot.inner_text() and "打印于 20" in foot.inner_text()
    assert page.locator("h1").is_visible() and page.locator(text).first.is_visible()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(text).first.evaluate("e => getComputedStyle(e).color") in INKS
    assert page.evaluate(WEAK_CONTRAST, 4.5) == []
    context.close()


#: Black, and the grey of what is less important, on paper.
INKS = ("rgb(0, 0, 0)", "rgb(51, 51, 51)")


def test_paper_names_the_original(browser: Browser, full_address: str) -> None:
    page = browser.new_page()
    page.goto(f"{full_address}/answers/wide")
    original = page.locator("article .more .paper-only")
    assert not original.is_visible()
    page.emulate_media(media="print")
    assert original.is_visible() and original.inner_text().startswith("https://eee")
    page.close()


def test_the_way_to_help_comes_first(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("href") == "tel:12356"
    card = page.get_by_role("region", name="请马上拨打120")
    assert card.get_by_role("heading", level=2).is_visible()
    box: Any = card.bounding_box()
    assert box["y"] < page.locator("h1").bounding_box()["y"]  # type: ignore[index]
    assert watched.complaints == []


def test_what_is_folded_opens_by_keyboard(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    why = page.locator(".why").first
    assert not why.locator("meter").first.is_visible()
    why.locator("summary").focus()
    page.keyboard.press("Enter")
    assert why.locator("meter").first.is_visible()
    assert why.get_by_role("meter", name="问题要点覆盖").is_visible()
    assert watched.complaints == []


@pytest.mark.parametrize("large", [True, False], ids=["large", "normal"])
def test_full_pages_fit_and_can_be_tapped(browser: Browser, full_address: str, large: bool) -> None:
    """Also a desk's window at 200 % and 400 % (WCAG 1.4.10), which is one of half and a quarter of its width."""
    context = browser.new_context()
    if large:
        context.add_cookies([{"name": "type", "value": "large", "url": full_address}])
    page = context.new_page()
    for path in FULL_PAGES:
        page.goto(full_address + path)
        page.evaluate(UNFOLD)
        for size in (SMALL, PHONE, HALF_DESK, TABLET, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
            small = page.evaluate(TOO_LOW)
            assert small == [], page.url
    context.close()


def test_back_restores_page_and_place(desk: Watched, address: str) -> None:
    page = desk.page
    page.goto(f"{address}/search?q=面肌痉挛")
    page.get_by_role("navigation", name="翻页").get_by_text("下一页").click()
    page.wait_for_url("**page=2**")
    page.evaluate("scrollTo(0, 900)")
    page.locator(".hit h2 a").nth(4).click()
    page.wait_for_url("**/answers/**")
    page.go_back()
    page.wait_for_function("() => location.search.includes('page=2') && scrollY === 900")
    assert page.locator("#q").input_value() == "面肌痉挛"


def test_votes_and_reports_end_in_thanks(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/answers/{FACIAL_SPASM.id}?q=面肌痉挛")
    page.get_by_role("button", name="有用").click()
    assert page.get_by_role("status").filter(has_text="谢谢，您的评价已经记下").is_visible()
    page.get_by_text("举报广告或错误").click()
    page.get_by_role("button", name="提交举报").click()
    assert "thanks=report" not in page.url  # a reason must be chosen
    page.get_by_label("内容有错").check()
    page.get_by_label("补充说明").fill("剂量写错了")
    page.get_by_role("button", name="提交举报").click()
    assert page.get_by_role("status").filter(has_text="您的报告已经记下").is_visible()
    page.get_by_role("link", name="返回搜索结果").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("找到")
    assert watched.complaints == []
