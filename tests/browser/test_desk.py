"""The editors' desk in a browser: logging in, taking down and putting back, users; with and without script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import (
    DESK,
    HALF_DESK,
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
    tab_to,
    viewport,
    violations,
    watch,
)
from builders import build_data, make_answer
from desk_accounts import FAST, OTHER_PASSWORD, PASSWORD
from site_server import served
from waiting import wait_for_job

from indexer import (
    Action,
    NewRule,
    TrustState,
    add_rule,
    make_reviews,
    record_act,
    set_trust,
    start_task,
    switch_to,
    take_down,
)
from indexer.settings import Settings
from webapp import auth, create_app, passwords
from webapp.accounts import Accounts
from webapp.log_store.sessions import Visitor
from webapp.query_log import Event, QueryLog
from webapp.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

LONG = "https://example.com/" + "x" * 300
ANSWERS = [
    make_answer("a1", "面肌痉挛怎么治", "面肌痉挛可以打肉毒素。", url="https://example.com/1.html"),
    make_answer("a2", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶。", url=LONG),
    make_answer("a3", "面肌痉挛能根治吗" + "长" * 90, "本院保证根治面肌痉挛，一个疗程见效。" + "y" * 200),
    make_answer(
        "a4", "面肌痉挛是什么", "面肌痉挛是一侧面部肌肉不由自主的抽动，多从眼睑开始，可以打肉毒素。" + "w" * 80
    ),
    make_answer(
        "a5", "什么是面肌痉挛", "面肌痉挛是一侧面部肌肉不由自主的抽动，多从眼睑开始，可以打肉毒毒素。" + "w" * 80
    ),
]
LATER = [*ANSWERS[:3], *ANSWERS[4:], make_answer("a4", "面肌痉挛是什么", "面肌痉挛是一侧面部肌肉的抽动。" + "z" * 99)]
PAGES = (
    "/desk",
    "/desk/take-downs",
    "/desk/take-downs?done=down&key=a9",
    "/desk/curation",
    "/desk/curation?state=stale",
    "/desk/curation?answer=a1&query=面肌痉挛怎么治",
    "/desk/trust",
    "/desk/trust/site?site=example.com",
    "/desk/users",
    "/desk/users?done=role",
    "/desk/audit",
    "/desk/rules",
    "/desk/rules/new",
    "/desk/audit?actor=nobody",
    "/desk/logs",
    "/desk/logs/volume",
    "/desk/logs/success",
    "/desk/replay",
    "/desk/judgements",
    "/desk/quality",
    "/desk/quality/cures",
    "/desk/quality/copies",
    "/desk/quality/copies/item?key=a4",
    "/desk/quality/gaps",
    "/desk/logs/question?q=%E5%A4%B1%E7%9C%A0",
    "/desk/quality/stock?seen=1",
    "/desk/generations",
    "/desk/generations/compare",
    "/desk/generations/compare?a=gen-000001&b=gen-000002",
    "/desk/password",
    "/desk/link/dead",
    "/answers/a2",
)
#: so many users that tests side by side do not end each other's sessions
JOURNEYS = tuple(f"bianji{number}" for number in range(8))


@pytest.fixture(scope="module")
def desk_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    data = build_data(folder, ANSWERS)
    build_data(folder, LATER)
    switch_to(data, "gen-000001")
    make_reviews(data, "gen-000001")
    wait_for_job(data, start_task(data, "compare", "gen-000001 gen-000002", "a").number)
    log = QueryLog(data)
    for n in range(Settings().log_min_sessions):
        log.record(Event(datetime.now(UTC), "很长的问题" * 30, 0, 1.0, "gen-000001", "page", 1, visitor=Visitor(n, n)))
    assert log.flush()
    accounts = Accounts(data, 3600, 3600)
    accounts.add("guanli", Role.ADMIN, "命令行/test", PASSWORD)
    for name in (*JOURNEYS, "很长的名字" * 5):
        accounts.add(name, Role.EDITOR, "命令行/test", PASSWORD)
    take_down(data, "https://example.com/" + "y" * 400, "原因" * 60, "guanli")
    record_act(data, "guanli", "试", "z" * 400, "w" * 300)
    add_rule(data, NewRule(Action.REPLACE, "x" * 400, "原因" * 60, query="问题" * 60, replacement="y" * 300), "guanli")
    set_trust(data, "example.com", TrustState.DOUBTFUL, "依据" * 90, "https://example.com/" + "z" * 300, "guanli")
    return data


@pytest.fixture(scope="module")
def desk_address(desk_data: Path) -> Iterator[str]:
    real, passwords._hasher = passwords._hasher, FAST
    with served(create_app(desk_data, Settings())) as address:
        yield address
    passwords._hasher = real


@pytest.fixture
def admin(browser: Browser, desk_address: str) -> Iterator[Page]:
    context = browser.new_context(viewport=viewport(DESK), reduced_motion="reduce")
    page = context.new_page()
    enter(page, desk_address, "guanli")
    yield page
    context.close()


def test_an_editor_logs_in_takes_down_and_puts_back(watched: Watched, desk_address: str) -> None:
    page = watched.page
    enter(page, desk_address, JOURNEYS[0], "/desk/take-downs?q=没有")
    assert page.url.endswith("/desk/take-downs?q=%E6%B2%A1%E6%9C%89")  # where the way had led
    assert "已下架 0 项" in page.inner_text("main")
    page.goto(f"{desk_address}/search?q=面肌痉挛怎么治")
    page.get_by_role("link", name="面肌痉挛怎么治", exact=True).first.click()
    page.get_by_text("下架这条回答").click()
    page.get_by_role("button", name="下架").click()
    assert "/answers/a1" in page.url  # a reason must be given
    page.get_by_label("原因").fill("作者要求")
    page.get_by_role("button", name="下架").click()
    assert "已下架：a1。当前一代中有 1 条答案因此隐藏。" in page.get_by_role("status").inner_text()
    assert_fits(page)
    page.goto(f"{desk_address}/search?q=面肌痉挛怎么治")
    assert page.get_by_role("link", name="面肌痉挛怎么治", exact=True).count() == 0
    page.goto(f"{desk_address}/desk/take-downs?q=作者要求")
    page.get_by_text("恢复显示").first.click()
    page.get_by_label("恢复的原因").fill("查清了")
    page.get_by_role("button", name="恢复").click()
    assert "已恢复显示：a1" in page.get_by_role("status").inner_text()
    page.goto(f"{desk_address}/answers/a1")
    assert page.get_by_role("heading", level=1).inner_text() == "面肌痉挛怎么治"
    page.get_by_role("link", name="打开编辑台").click()
    assert "gen-000001" in page.inner_text("main")
    page.get_by_role("button", name="退出", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "登录"
    page.goto(f"{desk_address}/answers/a1")
    assert page.get_by_text("下架这条回答").count() == 0
    assert watched.hosts == {desk_address.split("/")[2]}
    assert watched.complaints == []


def test_a_wrong_password_is_told_and_the_name_stays(page: Page, desk_address: str) -> None:
    enter(page, desk_address, JOURNEYS[1], password="wrong")
    assert page.get_by_role("alert").inner_text() == "用户名或密码不对。"
    assert page.get_by_label("用户名").input_value() == JOURNEYS[1]
    assert page.get_by_label("密码").input_value() == ""
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    assert page.url.endswith("/desk")


def test_after_logging_out_back_shows_nothing(browser: Browser, desk_address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, desk_address, JOURNEYS[2])
    page.goto(f"{desk_address}/desk/take-downs")
    page.get_by_role("button", name="退出", exact=True).click()
    page.wait_for_url("**/desk/login")  # Chromium refuses to go back while it is still leaving the page
    page.go_back()
    page.wait_for_url("**/desk/login?**")
    assert page.locator("table, .users").count() == 0
    context.close()


def test_a_page_of_another_site_can_do_nothing(browser: Browser, desk_address: str, desk_data: Path) -> None:
    """The site under another host's name: cookies do not come along, and a form is refused."""
    context = browser.new_context()
    page = context.new_page()
    enter(page, desk_address, JOURNEYS[3])
    page.route("http://evil.test/", lambda route: route.fulfill(content_type="text/html", body=FORGED % desk_address))
    page.goto("http://evil.test/")
    page.get_by_role("button").click()
    assert page.locator("h1").inner_text() in ("没有执行", "请先登录")
    page.goto(f"{desk_address}/desk/take-downs?q=forged")
    assert "已下架 0 项" in page.inner_text("main")
    context.close()


FORGED = """<!doctype html><form method="post" action="%s/desk/take-downs">
<input name="key" value="forged"><input name="reason" value="x"><button>go</button></form>"""


def test_an_admin_adds_a_user_who_sets_a_password(browser: Browser, admin: Page, desk_address: str) -> None:
    admin.get_by_role("link", name="用户", exact=True).click()
    form = admin.get_by_role("form", name="添加用户")
    form.get_by_label("用户名").fill("Wang")
    form.get_by_label("角色").select_option(label="编辑")
    form.get_by_role("button", name="添加").click()
    link = admin.locator(".secret").inner_text()
    assert violations(admin) == []
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(link)
    assert page.get_by_label("用户名").input_value() == "wang"
    page.get_by_label("新密码", exact=True).fill(OTHER_PASSWORD)
    page.get_by_label("再输一次新密码").fill(OTHER_PASSWORD)
    page.get_by_role("button", name="保存并登录").click()
    assert "wang（编辑）" in page.inner_text("header")
    admin.goto(f"{desk_address}/desk/users")
    admin.get_by_text("更改 wang").click()
    person = admin.get_by_role("form", name="删除 wang")
    person.get_by_label("确定删除").check()
    person.get_by_role("button").click()
    assert "用户已经删除" in admin.get_by_role("status").inner_text()
    page.reload()
    page.goto(f"{desk_address}/desk")
    assert page.get_by_role("heading", level=1).inner_text() == "登录"
    context.close()


def test_the_first_admin_is_made_without_script(browser: Browser, tmp_path: Path) -> None:
    app = create_app(tmp_path, Settings())
    link = auth.offer_first_admin(app)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    with served(app) as address:
        page.goto(f"{address}{link}")
        assert page.get_by_role("heading", level=1).inner_text() == "建立第一位管理员"
        page.get_by_label("用户名").fill("Zhang")
        for typed in ("1234567890", PASSWORD):
            page.get_by_label("新密码", exact=True).fill(typed)
            page.get_by_label("再输一次新密码").fill(typed)
            page.get_by_role("button", name="保存并登录").click()
        assert "zhang（管理员）" in page.inner_text("header")
        assert "现在没有可用的索引" in page.inner_text("main")
    context.close()


def entered(context: BrowserContext, address: str, switched: dict[str, str]) -> Page:
    """A page of the admin's, with display switches."""
    page = context.new_page()
    enter(page, address, "guanli")
    for name, value in switched.items():
        context.add_cookies([{"name": name, "value": value, "url": address}])
    return page


@pytest.mark.parametrize("switched", SWITCHED.values(), ids=SWITCHED)
def test_no_page_of_the_desk_breaks_a_rule(browser: Browser, desk_address: str, switched: dict[str, str]) -> None:
    context = browser.new_context(viewport=viewport(TABLET), reduced_motion="reduce")
    page = entered(context, desk_address, switched)
    others = browser.new_context(viewport=viewport(TABLET), reduced_motion="reduce")
    others.add_cookies([{"name": name, "value": value, "url": desk_address} for name, value in switched.items()])
    stranger = others.new_page()
    for looking, path in [*((page, path) for path in PAGES), (stranger, "/desk/login?next=/desk/users")]:
        looking.goto(desk_address + path)
        looking.evaluate(UNFOLD)
        for scheme in SCHEMES:
            looking.emulate_media(color_scheme=scheme)
            assert violations(looking) == [], (path, scheme)
            assert looking.evaluate(WEAK_CONTRAST, 7 if switched else 4.5) == [], (path, scheme)
    others.close()
    context.close()


@pytest.mark.parametrize("switched", SWITCHED.values(), ids=SWITCHED)
def test_pages_of_the_desk_fit_and_can_be_tapped(browser: Browser, desk_address: str, switched: dict[str, str]) -> None:
    context = browser.new_context()
    page = entered(context, desk_address, switched)
    for path in PAGES:
        page.goto(desk_address + path)
        page.evaluate(UNFOLD)
        for size in (SMALL, PHONE, HALF_DESK, TABLET, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
            assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), (path, size)
            assert page.evaluate(TOO_LOW) == [], path
    context.close()


def test_taking_down_by_keyboard_alone(browser: Browser, desk_address: str) -> None:
    context = browser.new_context(viewport=viewport(DESK))
    watched = watch(context.new_page())
    page, press = watched.page, watched.page.keyboard.press
    page.goto(f"{desk_address}/desk/login?next=/answers/a2")
    for field, typed in (("#name", JOURNEYS[4]), ("#password", PASSWORD)):
        tab_to(page, field)
        page.keyboard.insert_text(typed)
    press("Enter")
    page.wait_for_url(f"{desk_address}/answers/a2")
    tab_to(page, "[aria-labelledby=take-down-title] summary")
    press("Enter")
    tab_to(page, "#reason")
    page.keyboard.insert_text("过时")
    press("Tab")
    press("Enter")
    page.wait_for_url("**/desk/take-downs?**")
    assert "已下架：a2" in page.get_by_role("status").inner_text()
    tab_to(page, ".users summary")
    press("Enter")
    tab_to(page, ".users input:not([type=hidden])")
    page.keyboard.insert_text("没有过时")
    press("Enter")
    page.wait_for_url("**done=back**")
    assert watched.complaints == []
    context.close()


def test_an_item_of_the_quality_desk_is_looked_through_without_script(browser: Browser, desk_address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=False)
    page = context.new_page()
    enter(page, desk_address, JOURNEYS[5], "/desk/quality")
    page.get_by_role("main").get_by_role("link", name="近似重复").click()
    page.get_by_role("link", name="并排对照").click()
    assert page.locator("mark.change").count() > 0 and "【毒】" in page.inner_text("main")
    page.get_by_label("备注").fill("转载")
    page.get_by_role("button", name="看过了").click()
    assert "看过了" in page.get_by_role("status").inner_text() and "没有要看的了" in page.inner_text("main")
    page.get_by_role("link", name="看过了的").click()
    assert "转载" in page.inner_text("main")
    page.get_by_role("button", name="重新打开").click()
    page.get_by_role("link", name="还没看的").click()
    assert page.get_by_role("link", name="并排对照").count() == 1
    context.close()


def test_the_menu_of_a_phone_opens_leads_and_closes_without_script(browser: Browser, desk_address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=False)
    page = context.new_page()
    enter(page, desk_address, JOURNEYS[6], "/desk/quality/cures")
    menu, opener = page.locator("#desk-nav"), page.get_by_role("button", name="菜单")
    assert menu.is_hidden()
    bar = page.locator(".top").bounding_box()
    assert bar and bar["height"] < 160  # two rows: the page begins above the middle of the window
    for close in ("Escape", "关闭"):
        opener.click()
        menu.wait_for(state="visible")
        assert menu.locator("[aria-current]").all_inner_texts() == ["质检"]
        if close == "Escape":
            page.keyboard.press(close)
        else:
            page.get_by_role("button", name=close).click()
        menu.wait_for(state="hidden")
    opener.click()
    menu.get_by_role("link", name="站点规则").click()
    page.wait_for_url("**/desk/rules")
    context.close()


def test_the_menu_breaks_no_rule_on_a_phone_and_stands_beside_the_page_on_a_desk(
    browser: Browser, desk_address: str
) -> None:
    context = browser.new_context(viewport=viewport(PHONE), reduced_motion="reduce")
    page = context.new_page()
    enter(page, desk_address, JOURNEYS[7])
    menu = page.locator("#desk-nav")
    page.get_by_role("button", name="菜单").click()
    menu.wait_for(state="visible")
    assert violations(page) == []
    assert page.evaluate(TOO_LOW) == []
    assert_fits(page)
    page.keyboard.press("Escape")
    page.set_viewport_size(viewport(DESK))
    assert menu.is_visible() and page.get_by_role("button", name="菜单").is_hidden()
    beside, main = menu.bounding_box(), page.locator("main").bounding_box()
    assert beside and main and beside["x"] + beside["width"] <= main["x"]
    assert abs(beside["y"] - main["y"]) < 1
    context.close()


def test_a_table_on_a_phone_names_each_cell(admin: Page, desk_address: str) -> None:
    named = "e => e.checkVisibility() && getComputedStyle(e, '::before').content"
    admin.goto(f"{desk_address}/desk/audit")
    cell = admin.locator("tbody td").nth(1)
    assert cell.evaluate(named) == "none"  # the heads of the columns stand above
    admin.set_viewport_size(viewport(PHONE))
    assert "操作人" in cell.evaluate(named)
    assert admin.locator(".table").evaluate("e => e.scrollWidth <= e.clientWidth")
