"""The inbox in a browser: uploading by its form, a page beside its original, and originals that would do harm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import (
    DESK,
    PHONE,
    SCHEMES,
    SMALL,
    SWITCHED,
    TABLET,
    TOO_LOW,
    UNFOLD,
    WEAK_CONTRAST,
    Watched,
    assert_fits,
    enter,
    viewport,
    violations,
)
from desk_accounts import FAST, PASSWORD
from inbox_builders import page as article
from inbox_builders import upload, zip_of
from site_server import served

from indexer.cleaning import no_progress
from indexer.inbox.adding import add_uploads
from indexer.inbox.deciding import leave_out_page
from indexer.inbox.inspecting import inspect_batch
from indexer.inbox.page_view import original_page
from indexer.settings import Settings
from webapp import create_app, inbox_page_views, inbox_pages, passwords
from webapp.accounts import Accounts
from webapp.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

#: what a page could try, each leaving a trace: a dialog, another host, another address, a changed page
HARM = """<script>alert("script")</script><img src="http://evil.test/i.png" onerror="alert('handler')">
<meta http-equiv="refresh" content="0;url=http://evil.test/refreshed">
<style>@import "http://evil.test/import.css"; p { background: url(http://evil.test/style.png) }</style>
<link rel="stylesheet" href="http://evil.test/link.css"><base href="http://evil.test/">
<p onclick="alert('click')" style="background:url(http://evil.test/inline.png)">点我</p>
<a href="http://evil.test/top" target="_top">上层链接</a> <a href="javascript:alert('link')">程序链接</a>
<a href="http://evil.test/blank" target="_blank">新窗口</a>
<form action="http://evil.test/form" target="_top"><input name="q" value="x"><button>提交表单</button></form>
<iframe src="http://evil.test/frame"></iframe><object data="http://evil.test/object"></object>
<video src="http://evil.test/video" autoplay></video><svg onload="alert('svg')"></svg>"""
LONG = "很长的标题" * 30
FILES = {
    "harm.example/harm.html": article("牙龈出血怎么办", HARM),
    "wide.html": article(LONG + "A" * 200, "B" * 300),
    "dump.txt": "牙痛怎么办\n牙痛应尽早到口腔科检查，多数需要补牙或做根管治疗。\n",
    "empty.html": "<html></html>",
    "photo.png": "x",
}
HARM_PAGE = 3
PAGES = ("/desk/inbox", "/desk/inbox/1", "/desk/inbox/1?only=rejected", *(f"/desk/inbox/1/{n}" for n in (1, 2, 3, 4)))
USERS = tuple(f"shou{number}" for number in range(8))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("inbox")
    accounts = Accounts(data, 3600, 3600)
    accounts.add("guanli", Role.ADMIN, "命令行/test", PASSWORD)
    for name in USERS:
        accounts.add(name, Role.EDITOR, "命令行/test", PASSWORD)
    settings = replace(Settings(), data=data, workers=1)
    number = add_uploads(data, [upload("网页.zip", zip_of(FILES))], LONG[:90], "guanli", settings)
    inspect_batch(data, number, settings, no_progress)
    leave_out_page(data, number, 4, "guanli", "原因" * 60)
    real, passwords._hasher = passwords._hasher, FAST
    with served(create_app(data, settings)) as address:
        yield address
    passwords._hasher = real
    shutil.rmtree(data)


def test_an_editor_uploads_by_the_form_and_takes_a_batch_in(
    watched: Watched, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inspect(data: Path, number: int, actor: str) -> None:
        inspect_batch(data, number, replace(Settings(), data=data, workers=1), no_progress)

    monkeypatch.setattr(inbox_pages, "start_inspecting", inspect)
    page = watched.page
    enter(page, site, USERS[0], "/desk/inbox")
    files = [tmp_path / "甲.html", tmp_path / "乙.zip"]
    files[0].write_text(article("牙龈肿痛怎么办"), encoding="utf-8")
    files[1].write_bytes(zip_of({f"{n}.html": article(f"牙痛{n}怎么办") for n in range(3)}))
    page.get_by_label("文件，可以选多个").set_input_files(files)
    page.get_by_label("这一批的名称").fill("两个文件")
    page.get_by_role("button", name="上传").click()
    page.wait_for_url(re.compile(r"/desk/inbox/[0-9]+$"))
    assert "4 个页面，4 条答案" in page.inner_text("main")
    assert_fits(page)
    page.get_by_role("link", name="牙痛1怎么办").click()
    blocks = page.locator(".block")
    assert blocks.count() > 3 and page.locator(".block.out").count() > 0
    assert page.locator(".block.out .fate").first.inner_text().startswith("去掉：")
    assert_fits(page)
    page.get_by_text("不收这一页").click()
    page.get_by_label("原因").fill("重复")
    page.get_by_role("button", name="不收").click()
    assert "这一页不收" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="回到第").click()
    page.get_by_role("button", name="收进这一批").click()
    assert "已收进" in page.get_by_role("status").inner_text()
    assert watched.hosts == {site.split("/")[2]} and watched.complaints == []


def test_the_frame_shows_the_page_and_nothing_of_it_runs(watched: Watched, site: str) -> None:
    page = watched.page
    enter(page, site, USERS[1], f"/desk/inbox/1/{HARM_PAGE}")
    address, frame = page.url, page.frame_locator("iframe")
    body = frame.locator("body")
    assert "牙龈出血怎么办" in body.inner_text() and "上层链接" in body.inner_text()
    for text in ("点我", "上层链接", "程序链接", "新窗口", "提交表单"):
        frame.get_by_text(text).click()
    page.wait_for_load_state("networkidle")
    assert page.url == address and len(page.context.pages) == 1
    assert watched.hosts == {site.split("/")[2]} and watched.complaints == []
    assert frame.locator("script, a[href], form, iframe, img, link, base, object, video, svg").count() == 0


def test_the_policy_alone_stops_a_page_that_was_not_made_safe(
    watched: Watched, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original as it came, as if nothing had been taken out of it: sandbox and policy must be enough."""

    def as_it_came(*args: object) -> object:
        return replace(original_page(*args), text=f"<!doctype html><body><p>牙龈出血</p>{HARM}")  # type: ignore[arg-type]

    monkeypatch.setattr(inbox_page_views, "original_page", as_it_came)
    page, reached = watched.page, []

    def note(route: Route) -> None:
        reached.append(route.request.url)
        route.fulfill(body="reached")

    page.context.route("http://evil.test/**", note)
    enter(page, site, USERS[2], f"/desk/inbox/1/{HARM_PAGE}")
    address, frame = page.url, page.frame_locator("iframe")
    assert frame.locator("form").count() == 1  # it is there, and can do nothing
    for text in ("点我", "上层链接", "程序链接", "新窗口", "提交表单"):
        frame.get_by_text(text).click()
    page.wait_for_load_state("networkidle")
    assert page.url == address and len(page.context.pages) == 1
    assert reached == []  # what the policy stops is told as a request, and never leaves the browser
    assert not any(complaint in ("script", "handler", "click", "link", "svg") for complaint in watched.complaints)


def test_the_original_opened_by_itself_runs_nothing_either(watched: Watched, site: str) -> None:
    page = watched.page
    enter(page, site, USERS[3], f"/desk/inbox/1/{HARM_PAGE}/original")
    assert "牙龈出血怎么办" in page.inner_text("body")
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/original") and watched.hosts == {site.split("/")[2]} and watched.complaints == []


def test_another_site_cannot_frame_an_original(browser: Browser, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site, USERS[4])
    framing = f'<!doctype html><iframe src="{site}/desk/inbox/1/{HARM_PAGE}/original"></iframe>'
    page.route("http://evil.test/", lambda route: route.fulfill(content_type="text/html", body=framing))
    page.goto("http://evil.test/")
    assert "牙龈出血" not in "".join(frame.content() for frame in page.frames)
    context.close()


@pytest.mark.parametrize("switched", SWITCHED.values(), ids=SWITCHED)
def test_the_inbox_breaks_no_rule_and_fits(browser: Browser, site: str, switched: dict[str, str]) -> None:
    context = browser.new_context(viewport=viewport(TABLET), reduced_motion="reduce")
    page = context.new_page()
    enter(page, site, USERS[5])
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in switched.items()])
    page.goto(f"{site}/desk/rules/new?host=harm.example&text=程序链接&pattern=1")
    page.get_by_role("button", name="看看会改变什么").click()
    page.wait_for_url("**/desk/rules/preview/*")
    effects = page.url.removeprefix(site)
    for path in (*PAGES, effects):
        page.goto(site + path)
        page.evaluate(UNFOLD)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], (path, scheme)
            assert page.evaluate(WEAK_CONTRAST, 7 if switched else 4.5) == [], (path, scheme)
        for size in (SMALL, PHONE, TABLET, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
            assert page.evaluate(TOO_LOW) == [], path
    context.close()
