"""Rules and trust in a browser, with and without script: seen before saved, told to readers with words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import DESK, PHONE, assert_fits, enter, viewport, violations
from builders import build_data, make_answer
from desk_accounts import FAST, with_users
from site_server import served

from indexer import Action, list_rules
from indexer.settings import Settings
from webapp import create_app, passwords

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ASKED = "面肌痉挛怎么治"
ANSWERS = [
    make_answer("a1", ASKED, "面肌痉挛可以打肉毒素，效果维持几个月。", url="https://a.example.com/1.html"),
    make_answer("a2", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶。", url="https://b.example.net/2.html"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_data(tmp_path_factory.mktemp("curation"), ANSWERS)


@pytest.fixture
def address(data: Path) -> Iterator[str]:
    (data / "state.sqlite3").unlink(missing_ok=True)
    real, passwords._hasher = passwords._hasher, FAST
    with_users(data)
    with served(create_app(data, Settings())) as address:
        yield address
    passwords._hasher = real


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_editor_pins_from_an_answer_and_judges_its_site(
    browser: Browser, address: str, data: Path, script: bool
) -> None:
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=script)
    page = context.new_page()
    enter(page, address, "bianji")
    page.goto(f"{address}/answers/a2?q={ASKED}")
    page.get_by_role("link", name="置顶、隐藏或替换这条").click()
    assert page.get_by_label("答案的编号").input_value() == "a2"
    assert page.get_by_label("对这个问题").input_value() == ASKED
    page.get_by_label("原因").first.fill("更稳妥")
    page.get_by_role("button", name="预览").click()
    sides = page.locator(".side-by-side ol")
    assert [side.locator("li").first.inner_text() for side in sides.all()] == [ASKED, "面肌痉挛要忌口吗 置顶"]
    assert list_rules(data) == []
    if script:
        assert violations(page) == []
        assert_fits(page)
    page.get_by_role("button", name="保存规则").click()
    assert page.get_by_role("status").inner_text() == "规则已添加，立即生效。"
    assert [(rule.action, rule.answer) for rule in list_rules(data)] == [(Action.PIN, "a2")]

    page.goto(f"{address}/answers/a2")
    page.get_by_role("link", name="评定这个来源").click()
    page.get_by_label("评定", exact=True).select_option(label="存疑")
    page.get_by_label("依据，读者会看到").fill("广告多")
    page.get_by_label("依据所在的网页").fill("https://example.com/why")
    page.get_by_role("button", name="记下").click()
    assert "现在评为存疑" in page.inner_text("main")

    page.goto(f"{address}/search?q={ASKED}")
    first = page.locator(".hit").first
    assert first.locator(".pinned").inner_text() == "编辑置顶"
    assert "来源：b.example.net · 编辑评为存疑：广告多" in first.locator(".trust").inner_text()
    assert page.locator(".hit .pinned").count() == 1
    if script:
        assert violations(page) == []
        assert_fits(page)

    page.goto(f"{address}/desk/curation")
    page.get_by_text("结束或延长").click()
    page.get_by_label("结束的原因").fill("查清了")
    page.get_by_role("button", name="结束", exact=True).click()
    assert page.get_by_role("status").inner_text() == "规则已结束。"
    page.goto(f"{address}/search?q={ASKED}")
    assert page.locator(".pinned").count() == 0
    context.close()


def test_hits_fit_wide_and_narrow(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=viewport(DESK))
    page = context.new_page()
    enter(page, address, "bianji")
    page.goto(f"{address}/desk/trust/site?site=a.example.com")
    page.get_by_label("依据，读者会看到").fill("很长的依据" * 60)
    page.get_by_role("button", name="记下").click()
    for path in (f"/search?q={ASKED}", "/answers/a1", "/desk/trust"):
        page.goto(address + path)
        for size in (PHONE, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
    context.close()
