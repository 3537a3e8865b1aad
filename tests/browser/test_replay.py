"""From a question that finds nothing to a judged case, in a browser: two clicks, with and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import DESK, PHONE, SCHEMES, TOO_LOW, UNFOLD, Watched, assert_fits, tab_to, viewport, violations
from builders import build_data, built, make_answer
from desk_accounts import FAST, PASSWORD
from site_server import served
from store_builders import spasm_answers

from indexer import NewGrades, case_id, drop_case, find_judged_case, list_judged_cases, save_grades, switch_to
from indexer.settings import Settings
from indexer.store import generations
from webapp import create_app, passwords
from webapp.accounts import Accounts
from webapp.log_store.sessions import Visitor
from webapp.query_log import Event, QueryLog
from webapp.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: finds nothing, for no answer names it
FAILING = "骨折后能喝咖啡吗"
GRADED = re.compile("^评级 ?偏头痛发作时")
ANSWERS = [
    make_answer(
        "coffee", "偏头痛发作时能喝咖啡吗" + "长" * 60, "偏头痛发作时咖啡要少喝。" + "y" * 120, site="a.example"
    ),
    make_answer("milk", "喝牛奶对骨头好吗", "牛奶里的钙对骨头有益。", date="2020-03-04"),
    *spasm_answers(6),
]


@pytest.fixture(scope="module")
def replay_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    data = build_data(folder, ANSWERS[:1] + ANSWERS[2:])
    name = built(folder, ANSWERS).manifest.generation
    if generations.current(data) != name:
        switch_to(data, name, "试验")
    log = QueryLog(data)
    for n in range(6):
        log.record(Event(datetime.now(UTC), FAILING, 0, 1.0, name, "page", 1, visitor=Visitor(n, n)))
    assert log.flush()
    Accounts(data, 3600, 3600).add("fenxi", Role.ANALYST, "命令行/test", PASSWORD)
    return data


@pytest.fixture
def address(replay_data: Path) -> Iterator[str]:
    """The site; what a test judged is gone after it."""
    real, passwords._hasher = passwords._hasher, FAST
    with served(create_app(replay_data, Settings())) as address:
        yield address
    passwords._hasher = real
    for case in list_judged_cases(replay_data):
        drop_case(replay_data, case.id, "test", "清理")


def enter(page: Page, address: str, path: str) -> None:
    """Log in on the way to a page."""
    page.goto(address + path)
    page.get_by_label("用户名").fill("fenxi")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()


def test_from_a_question_without_result_to_a_judged_case_in_two_clicks(
    watched: Watched, address: str, replay_data: Path
) -> None:
    page = watched.page
    enter(page, address, "/desk/logs/no-result")
    page.get_by_role("link", name=f"重放 {FAILING}").click()
    page.get_by_role("heading", name="gen-000001").wait_for()  # the other generation has been asked
    served_side = page.get_by_role("region", name="gen-000002（正在使用）")
    assert "读者看到\n0 条" in served_side.inner_text()
    assert "不够相关，读者看不到" in served_side.inner_text()
    assert FAILING not in page.title()
    assert_fits(page)
    served_side.get_by_role("button", name="就是这条，保存 偏头痛发作时").click()
    assert "评级已保存" in page.get_by_role("status").first.inner_text()
    case = find_judged_case(replay_data, case_id(FAILING))
    assert case is not None and case.by_answer == {"coffee": 3} and case.made_by == "fenxi"
    assert watched.hosts == {address.split("/")[2]} and watched.complaints == []


def test_grades_are_chosen_saved_changed_and_dropped(watched: Watched, address: str, replay_data: Path) -> None:
    page = watched.page
    enter(page, address, f"/desk/replay?q={FAILING}&b=-")
    page.get_by_role("group", name=GRADED).get_by_label("2 部分回答").check()
    page.get_by_label("列表里没有的答案").fill("milk")
    page.get_by_label("它的评级").select_option(label="0 无关")
    page.get_by_label("备注").fill("常有人问")
    page.get_by_role("button", name="保存评级").click()
    assert page.get_by_role("group", name=GRADED).get_by_label("2 部分回答").is_checked()
    page.get_by_role("group", name=GRADED).get_by_label("1 有关").check()
    page.get_by_role("button", name="保存评级").click()
    case = find_judged_case(replay_data, case_id(FAILING))
    assert case is not None and case.by_answer == {"coffee": 1, "milk": 0} and case.note == "常有人问"
    page.get_by_role("link", name="评判过的问题").click()
    page.get_by_text("各条评级；删去").click()
    page.get_by_label("删去的原因").fill("试完了")
    page.get_by_role("button", name="删去", exact=True).click()
    assert "已删去" in page.get_by_role("status").inner_text() and not list_judged_cases(replay_data)
    assert_fits(page)


def test_grading_by_keyboard_alone(desk: Watched, address: str, replay_data: Path) -> None:
    page = desk.page
    enter(page, address, f"/desk/replay?q={FAILING}&b=-")
    tab_to(page, ".grades input")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    tab_to(page, "form[aria-label=评级] button[type=submit]")
    page.keyboard.press("Enter")
    page.get_by_text("评级已保存").wait_for()
    case = find_judged_case(replay_data, case_id(FAILING))
    assert case is not None and case.by_answer == {"coffee": 1}


def test_no_page_breaks_a_rule_or_its_window(browser: Browser, address: str, replay_data: Path) -> None:
    long = "很长的问题" * 39
    save_grades(replay_data, NewGrades(long, {"x" * 200: 3, "coffee": 0}, "备注" * 200), "fenxi")
    context = browser.new_context(viewport=viewport(PHONE), reduced_motion="reduce")
    page = context.new_page()
    enter(page, address, "/desk/replay")
    for path in (
        "/desk/replay",
        f"/desk/replay?q={FAILING}",
        f"/desk/replay?q={FAILING}&b=gen-000077",
        f"/desk/replay?q={long}&b=-&n=20",
        "/desk/judgements",
        "/desk/judgements?q=没有",
        "/desk/logs/no-result",
    ):
        page.goto(address + path)
        page.get_by_text("正在打开另一代索引").wait_for(state="detached")
        page.evaluate(UNFOLD)
        for size in (PHONE, DESK):
            page.set_viewport_size(viewport(size))
            assert_fits(page)
            assert page.evaluate(TOO_LOW) == [], path
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], (path, scheme)
    context.close()
