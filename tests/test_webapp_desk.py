"""The desk's pages through real requests: front, users, take-downs over a real index, the log, further pages."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from builders import build_data, make_answer
from desk_accounts import PASSWORD, app, editor, fast_hashes, log_in, send, with_users
from fakes import FACIAL_SPASM, HOSTILE, XSS, FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from inbox_builders import upload
from reading import page_of, words

from indexer import list_take_downs, propose, read_acts, record_act
from indexer.errors import GenerationMissing
from indexer.inbox.adding import add_uploads
from indexer.settings import Settings
from webapp import auth, create_app, editor_console
from webapp.audit_pages import PER_PAGE
from webapp.login_limits import FREE_FOR_NAME
from webapp.roles import Role

__all__ = ["app", "editor", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")

URL = "https://example.com/面肌痉挛/1.html"
ANSWERS = [
    make_answer("a1", "面肌痉挛怎么治", "面肌痉挛可以打肉毒素。", url=URL),
    make_answer("a2", "面肌痉挛会自己好吗", "面肌痉挛很少自己好。", url=URL),
    make_answer("a3", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶。"),
]
TAKE_DOWNS = "/desk/take-downs"


def logged_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    assert log_in(client, name).status_code == 303
    return client


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return logged_in(app, "guanli")


@pytest.fixture(scope="module")
def built_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_data(tmp_path_factory.mktemp("desk"), ANSWERS)


# taking down and putting back


def test_an_editor_takes_an_answer_down_from_its_page_and_puts_it_back(built_data: Path) -> None:
    with_users(built_data)
    app = create_app(built_data, Settings())
    editor, searcher = logged_in(app, "bianji"), app.test_client()
    assert "面肌痉挛不必忌口" in searcher.get("/search?q=面肌痉挛要忌口吗").text
    taken = send(editor, TAKE_DOWNS, form_on="/answers/a3", key="a3", reason=f"作者要求{XSS}")
    page = editor.get(taken.headers["Location"]).text
    assert "已下架：a3。当前一代中有 1 条答案因此隐藏。" in page
    assert XSS not in page and "作者要求&lt;script&gt;" in page
    assert searcher.get("/answers/a3").status_code == 404
    assert "面肌痉挛不必忌口" not in searcher.get("/search?q=面肌痉挛要忌口吗").text
    [entry] = list_take_downs(built_data)
    assert (entry.key, entry.actor) == ("a3", "bianji")

    whole = send(editor, TAKE_DOWNS, key=URL, reason="侵权")
    assert "有 2 条答案因此隐藏" in editor.get(whole.headers["Location"]).text
    assert searcher.get("/answers/a1").status_code == searcher.get("/answers/a2").status_code == 404

    for key in ("a3", URL):
        back = send(editor, f"{TAKE_DOWNS}/undo", form_on=TAKE_DOWNS, key=key, reason="查清了")
        assert f"已恢复显示：{key}" in editor.get(back.headers["Location"]).text
    assert searcher.get("/answers/a3").status_code == searcher.get("/answers/a1").status_code == 200
    acts = [(act.actor, act.action, act.object) for act in read_acts(built_data, limit=4)]
    assert acts == [
        ("bianji", "恢复", URL),
        ("bianji", "恢复", "a3"),
        ("bianji", "下架", URL),
        ("bianji", "下架", "a3"),
    ]


def test_only_editors_see_the_box_on_an_answer(app: Flask, editor: FlaskClient) -> None:
    page = f"/answers/{FACIAL_SPASM.id}"
    box = editor.get(page).text
    assert "下架这条回答" in box and f'value="{FACIAL_SPASM.url}"' in box and "下架这个网址的全部回答" in box
    for client in (app.test_client(), logged_in(app, "fenxi")):
        assert "下架" not in client.get(page).text


def test_an_answer_with_any_id_can_be_taken_down(editor: FlaskClient, tmp_path: Path) -> None:
    page = "/answers/id%2Fwith%20spaces%3F%23&%25中文"
    found = re.search(r'name="key" value="([^"]+)" checked', editor.get(page).text)
    assert found
    assert send(editor, TAKE_DOWNS, key=HOSTILE.id, reason="试").status_code == 303
    assert [entry.key for entry in list_take_downs(tmp_path)] == [HOSTILE.id]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"key": "", "reason": "侵权"}, "请写明要下架的编号或网址"),
        ({"key": " ", "reason": "侵权"}, "请写明要下架的编号或网址"),
        ({"key": "a1", "reason": " "}, "请写明下架的原因"),
        ({"key": "a1"}, "请写明下架的原因"),
        ({"key": "a" * 2001, "reason": "侵权"}, "编号或网址太长"),
        ({"key": "a1", "reason": "长" * 501}, "原因太长"),
    ],
)
def test_without_key_and_reason_nothing_is_taken_down(
    editor: FlaskClient, tmp_path: Path, fields: dict[str, str], sentence: str
) -> None:
    answer = send(editor, TAKE_DOWNS, **fields)
    assert answer.status_code == 400 and sentence in answer.text
    assert list_take_downs(tmp_path) == []
    assert fields["key"].strip() in answer.text  # what was typed is not lost


def test_putting_back_needs_a_reason_and_something_to_put_back(editor: FlaskClient, tmp_path: Path) -> None:
    send(editor, TAKE_DOWNS, key="a1", reason="侵权")
    undo = f"{TAKE_DOWNS}/undo"
    assert "请写明恢复的原因" in send(editor, undo, form_on=TAKE_DOWNS, key="a1", reason="").text
    assert "没有下架" in send(editor, undo, form_on=TAKE_DOWNS, key="a2", reason="错了").text
    assert [entry.key for entry in list_take_downs(tmp_path)] == ["a1"]


def test_the_list_is_searched(editor: FlaskClient) -> None:
    for key, reason in (("a1", "侵权"), ("b2", "作者要求")):
        send(editor, TAKE_DOWNS, key=key, reason=reason)
    for sought, count in (("a1", 1), ("作者", 1), ("bianji", 2), ("没有", 0), ("", 2)):
        page = editor.get(TAKE_DOWNS, query_string={"q": sought}).text
        assert f"已下架 {count} 项" in page


def test_without_an_index_the_desk_works_and_says_so(tmp_path: Path) -> None:
    with_users(tmp_path)
    app = create_app(tmp_path, Settings(), FakeEngine(failure=GenerationMissing("还没有索引，请先运行 yiwen build。")))
    editor = logged_in(app, "bianji")

    class Gone(FakeEngine):
        @property
        def generation(self) -> str:
            raise GenerationMissing("还没有索引，请先运行 yiwen build。")

        def count_of(self, key: str) -> int:
            raise GenerationMissing("还没有索引，请先运行 yiwen build。")

    app = create_app(tmp_path, Settings(), Gone())
    editor = logged_in(app, "bianji")
    page = editor.get("/desk").text
    assert "现在没有可用的索引" in page and "请先运行 yiwen build" in page
    taken = send(editor, TAKE_DOWNS, key="a9", reason="登记在先")
    assert "今后建立索引时会跳过它" in editor.get(taken.headers["Location"]).text


# the front page and further pages


def test_the_front_page_says_who_and_what(editor: FlaskClient, app: Flask) -> None:
    page = editor.get("/desk").text
    assert "gen-000003" in page and "一切正常" in page and "上次登录</dt><dd>从未" in page
    again = logged_in(app, "bianji").get("/desk").text
    assert re.search(r"上次登录</dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d（UTC）", again)
    send(editor, TAKE_DOWNS, key="a1", reason="侵权")
    page = editor.get("/desk").text
    assert "已下架 1 个" in page and re.search(r"</span> 下架 a1", page)


def test_what_is_wrong_with_the_index_is_told(tmp_path: Path) -> None:
    class Limping(FakeEngine):
        @property
        def problems(self) -> tuple[str, ...]:
            return ("gen-000004 已损坏。",)

    with_users(tmp_path)
    page = logged_in(create_app(tmp_path, Settings(), Limping()), "fenxi").get("/desk").text
    assert "gen-000004 已损坏。" in page and "一切正常" not in page


def test_a_further_page_comes_with_one_line(tmp_path: Path) -> None:
    with_users(tmp_path)
    app = create_app(tmp_path, Settings(), FakeEngine())
    app.add_url_rule("/desk/inbox", "inbox", auth.require(Role.EDITOR)(lambda: "收到的网页"))
    editor_console.add_page(app, "收件箱", "inbox", Role.EDITOR)
    assert '<a href="/desk/inbox">收件箱</a>' in logged_in(app, "bianji").get("/desk").text
    analyst = logged_in(app, "fenxi")
    assert "收件箱" not in analyst.get("/desk").text and analyst.get("/desk/inbox").status_code == 403


def test_the_navigation_is_grouped_and_says_where_one_is(editor: FlaskClient, app: Flask) -> None:
    def place(address: str) -> list[tuple[str, str]]:
        marked = page_of(editor, address).select("#desk-nav [aria-current]")
        return [(words(link), str(link["aria-current"])) for link in marked]

    headings = [words(each) for each in page_of(editor, "/desk").select("#desk-nav p")]
    assert headings == ["分析", "收录", "内容", "词和规则"]  # 管理 is for admins
    assert place("/desk") == [("概况", "page")]
    assert place("/desk/generations") == [("各代索引", "page")]
    assert place("/desk/generations/compare") == [("各代索引", "true")]
    assert place("/desk/lexicon/words") == [("提问用词", "page")]
    assert not page_of(app.test_client(), "/desk/login").select("#desk-nav")


def test_the_front_page_says_what_waits_to_be_decided(editor: FlaskClient, app: Flask, tmp_path: Path) -> None:
    assert "等待处理" not in editor.get("/desk").text
    settings = replace(Settings(), data=tmp_path)
    add_uploads(tmp_path, [upload("a.html", b"x")], "一批", "bianji", settings)
    propose(tmp_path, {"lexicon/own.tsv": "玻璃脚\n"}, "一份", "bianji", "", Settings().resources)
    front = page_of(editor, "/desk").select_one("section[aria-labelledby=waiting-title]")
    assert front is not None and [words(link) for link in front.select("a")] == [
        "收件箱里有 1 批网页",
        "有 1 份修改待定",
    ]
    assert "等待处理" not in logged_in(app, "fenxi").get("/desk").text


def test_an_analyst_is_not_offered_to_switch_generations(tmp_path: Path) -> None:
    build_data(tmp_path, ANSWERS[:2])
    data = build_data(tmp_path, ANSWERS)
    with_users(data)
    app = create_app(data, Settings())
    for name, forms in (("bianji", 2), ("fenxi", 0)):
        assert len(page_of(logged_in(app, name), "/desk/generations").select("main form")) == forms


def test_an_error_at_the_desk_leads_back_to_it(editor: FlaskClient) -> None:
    links = page_of(editor, "/desk/logs?since=x").select(".actions a")
    assert [(words(link), link["href"]) for link in links] == [("重新填写", "/desk/logs"), ("回到编辑台", "/desk")]


# users


def test_an_admin_adds_changes_and_removes(admin: FlaskClient, app: Flask, tmp_path: Path) -> None:
    users = "/desk/users"
    page = send(admin, f"{users}/add", form_on=users, name="王五", role="analyst").text
    assert "给 王五 的一次性链接" in page and "还没有设置" in page
    assert send(admin, f"{users}/role", form_on=users, name="王五", role="editor").status_code == 303
    again = send(admin, f"{users}/link", form_on=users, name="bianji").text
    assert "给 bianji 的一次性链接" in again
    assert "请先勾选" in send(admin, f"{users}/remove", form_on=users, name="王五").text
    gone = send(admin, f"{users}/remove", form_on=users, name="王五", sure="1")
    page = admin.get(gone.headers["Location"]).text
    assert "用户已经删除" in page and "王五" not in page.split("<main")[1]
    acts = [(act.action, act.object) for act in read_acts(tmp_path, limit=5)]
    assert acts == [
        ("删除用户", "王五"),
        ("发出一次性链接", "bianji"),
        ("更改角色", "王五"),
        ("发出一次性链接", "王五"),
        ("添加用户", "王五"),
    ]
    assert {act.actor for act in read_acts(tmp_path, limit=5)} == {"guanli"}


@pytest.mark.parametrize(
    ("action", "fields", "words"),
    [
        ("add", {"name": "bianji", "role": "editor"}, "已经有"),
        ("add", {"name": "a/b", "role": "editor"}, "只能用汉字"),
        ("add", {"name": "wang", "role": "owner"}, "没有“owner”这个角色"),
        ("add", {"name": "wang"}, "角色"),
        ("role", {"name": "guanli", "role": "editor"}, "最后一位"),
        ("remove", {"name": "guanli", "sure": "1"}, "最后一位"),
        ("remove", {"name": "nobody", "sure": "1"}, "没有叫"),
        ("role", {"name": "nobody", "role": "editor"}, "没有叫"),
        ("link", {"name": "nobody"}, "没有叫"),
        ("unlock", {"name": "nobody"}, "没有叫"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(
    admin: FlaskClient, tmp_path: Path, action: str, fields: dict[str, str], words: str
) -> None:
    before = read_acts(tmp_path)
    answer = send(admin, f"/desk/users/{action}", form_on="/desk/users", **fields)
    assert answer.status_code == 400 and words in answer.text
    assert read_acts(tmp_path) == before


def test_an_admin_unlocks_a_user(admin: FlaskClient, app: Flask) -> None:
    locked = app.test_client()
    for _ in range(FREE_FOR_NAME):
        log_in(locked, "bianji", "wrong")
    assert log_in(locked, "bianji").status_code == 429
    assert re.search(r"锁定</dt><dd>还有 1 分钟", admin.get("/desk/users").text)
    assert send(admin, "/desk/users/unlock", form_on="/desk/users", name="bianji").status_code == 303
    assert "锁定</dt>" not in admin.get("/desk/users").text
    assert log_in(locked, "bianji").status_code == 303


# the log


def test_the_log_is_filtered_and_read_page_by_page(admin: FlaskClient, tmp_path: Path) -> None:
    for number in range(PER_PAGE + 5):
        record_act(tmp_path, "bianji", "下架", f"key-{number}", "侵权")
    page = admin.get("/desk/audit?action=下架").text
    assert page.count("<tr><td data-label") == PER_PAGE and f"key-{PER_PAGE + 4}<" in page and "key-4<" not in page
    older = re.search(r'href="([^"]+)">更早的记录', page)
    assert older
    rest = admin.get(older[1].replace("&amp;", "&")).text
    assert rest.count("<tr><td data-label") == 5 and "key-4<" in rest and "更早的记录" not in rest
    assert admin.get("/desk/audit?object=key-7").text.count("<tr><td data-label") == 11
    assert "没有符合的记录" in admin.get("/desk/audit?actor=nobody").text
    assert "没有符合的记录" in admin.get("/desk/audit?until=2001-01-01").text


@pytest.mark.parametrize(
    "wrong", ["since=x", "until=2024-13-01", "since=2024-5-1", "before=x", "before=-1", "before=１"]
)
def test_a_filter_that_cannot_be_read_is_a_sentence(admin: FlaskClient, wrong: str) -> None:
    assert admin.get(f"/desk/audit?{wrong}").status_code == 400


def test_what_others_wrote_into_the_log_is_only_text(admin: FlaskClient, tmp_path: Path) -> None:
    record_act(tmp_path, "bianji", "下架", XSS, f'=HYPERLINK("x"){XSS}')
    page = admin.get("/desk/audit")
    assert XSS not in page.text and "&lt;script&gt;" in page.text
    export = admin.get("/desk/audit/export.csv?action=下架")
    assert export.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert export.headers["Content-Disposition"].startswith("attachment")
    heading, row = csv.reader(io.StringIO(export.text.removeprefix("\ufeff")))
    assert heading[2] == "操作人" and row[4] == XSS and row[5].startswith("'=HYPERLINK")


def test_logins_under_unknown_names_are_counted_without_the_name(admin: FlaskClient, app: Flask) -> None:
    log_in(app.test_client(), "my-secret-password", "zhang")
    page = admin.get("/desk/audit").text
    assert "有 1 次用不存在的用户名登录" in page and "my-secret-password" not in page


def test_the_desk_is_nothing_for_crawlers(client: FlaskClient) -> None:
    assert "Disallow: /desk" in client.get("/robots.txt").text
    assert '<meta name="robots" content="noindex">' in client.get("/desk/login").text


def test_a_password_is_never_sent_back(client: FlaskClient) -> None:
    answer = log_in(client, "bianji", "wrong-but-nearly-right")
    assert answer.status_code == 401 and "wrong-but-nearly-right" not in answer.text
    assert PASSWORD not in answer.text
