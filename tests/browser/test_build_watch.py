"""Watching a build in a browser: told as it goes with script, loaded again without, and accessible in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PHONE, assert_fits, viewport, watch
from desk_accounts import PASSWORD, fast_hashes, with_users
from site_server import served
from store_builders import small_resources
from test_build import article

from indexer import cancel_job, list_jobs, start_job
from indexer.settings import load_settings
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["fast_hashes"]


@pytest.fixture
def building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_hashes: None) -> Iterator[tuple[str, Path]]:
    """A site on which a build is going on, and its data directory."""
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    data, pages = tmp_path / "data", tmp_path / "pages"
    data.mkdir()
    pages.mkdir()
    with_users(data)
    for number in range(4000):
        (pages / f"{number}.html").write_text(article(f"面肌痉挛的表现{number}", f"第{number}版。"), encoding="utf-8")
    start_job(data, pages, "命令行/test")
    with served(create_app(data, load_settings({"data": data}))) as address:
        yield address, data
    if list_jobs(data)[0].status == "running":
        cancel_job(data, 1, "命令行/test")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_build_is_watched_until_it_has_ended(building: tuple[str, Path], browser: Browser, script: bool) -> None:
    address, _ = building
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=script)
    watched = watch(context.new_page())
    page = watched.page
    page.goto(f"{address}/desk/login?next=/desk/builds/1")
    page.fill("[name=name]", "bianji")
    page.fill("[name=password]", PASSWORD)
    page.click("form[aria-label] button:has-text('登录')")
    page.wait_for_url("**/desk/builds/1")
    first = page.inner_text("output")
    # without script the page loads itself again, and with it the number is told
    page.wait_for_function("first => document.querySelector('output')?.textContent !== first", arg=first)
    assert_fits(page)
    if script:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()[:500]
    page.click("button:has-text('取消')")
    page.wait_for_selector("text=已取消")
    assert watched.complaints == []
    context.close()
