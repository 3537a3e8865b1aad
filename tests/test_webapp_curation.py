"""Rules and trust at the desk and on the pages that readers see, through real requests over a real index."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import build_data, make_answer
from desk_accounts import editor, fast_hashes, log_in, send, token_in, with_users
from fakes import FACIAL_SPASM, XSS, FakeEngine
from flask import Flask
from flask.testing import FlaskClient

from indexer import Action, NewRule, add_rule, list_rules, list_trust, read_acts, set_trust, take_down, utc_day
from indexer.errors import GenerationMissing
from indexer.records import SourceTrust, TrustState
from indexer.settings import Settings
from webapp import create_app
from webapp.curation_pages import PER_PAGE

__all__ = ["editor", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")

RULES, TRUST = "/desk/curation", "/desk/trust"
ASKED = "面肌痉挛怎么治"
ANSWERS = [
    make_answer("a1", ASKED, "面肌痉挛可以打肉毒素，效果维持几个月。", url="https://a.example.com/1.html"),
    make_answer("a2", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶。", url="https://b.example.net/2.html"),
    make_answer("a3", "湿疹怎么办", "湿疹要保湿，少用热水洗。", url="https://b.example.net/3.html"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_data(tmp_path_factory.mktemp("curation_pages"), ANSWERS)


@pytest.fixture
def data(built: Path) -> Path:
    (built / "state.sqlite3").unlink(missing_ok=True)
    with_users(built)
    return built


@pytest.fixture
def app(data: Path) -> Flask:
    return create_app(data, Settings())


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    return app.test_client()


FIELDS = {"action": "pin", "answer": "a3", "query": ASKED, "reason": f"更全{XSS}"}


def test_an_editor_previews_saves_extends_and_ends(editor: FlaskClient, reader: FlaskClient, data: Path) -> None:
    assert "湿疹怎么办" not in reader.get("/search?q=" + ASKED).text
    seen = send(editor, f"{RULES}/preview", form_on=RULES, **FIELDS)
    assert seen.status_code == 200 and list_rules(data) == []
    before, after = seen.text.split("没有这条规则")[1].split("有这条规则</h4>")
    assert "湿疹怎么办" not in before and "湿疹怎么办" in after.split("</ol>")[0]
    assert "保存规则" in seen.text and XSS not in seen.text
    until = re.search(r'name="expires" type="date" value="([\d-]+)"', seen.text)
    assert until and until[1] == (date.fromisoformat(utc_day()) + timedelta(days=180)).isoformat()

    saved = editor.post(RULES, data={"token": token_in(seen), **FIELDS})
    assert saved.status_code == 303
    assert "规则已添加" in editor.get(saved.headers["Location"]).text
    [rule] = list_rules(data)
    assert (rule.owner, rule.answer, rule.query) == ("bianji", "a3", ASKED)
    found = reader.get("/search?q=" + ASKED).text
    assert '<p class="pinned">编辑置顶</p>' in found and "湿疹怎么办" in found.split("<ol")[1].split("</article>")[0]
    assert reader.get("/api/v1/search?q=" + ASKED).json["hits"][0]["pinned"] is True  # type: ignore[index]
    assert "编辑置顶" not in reader.get("/topics/面肌痉挛").text  # the rule is for a question

    later = (date.fromisoformat(utc_day()) + timedelta(days=300)).isoformat()
    assert send(editor, f"{RULES}/{rule.number}/extend", form_on=RULES, expires=later).status_code == 303
    assert list_rules(data)[0].expires == later
    assert send(editor, f"{RULES}/{rule.number}/end", form_on=RULES, reason="够了").status_code == 303
    assert "编辑置顶" not in reader.get("/search?q=" + ASKED).text
    assert "未结束的规则 0 条" in editor.get(RULES).text
    ended = editor.get(f"{RULES}?state=ended").text
    assert "已结束的规则 1 条" in ended and "够了" in ended
    assert [act.action for act in read_acts(data, limit=3)] == ["结束编辑规则", "改编辑规则的有效期", "添加编辑规则"]


@pytest.mark.parametrize("address", [RULES, f"{RULES}/preview"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"action": "x"}, "请选择置顶、隐藏或替换"),
        ({"answer": ""}, "请写明答案的编号"),
        ({"query": ""}, "两者只写一样"),
        ({"expires": "x"}, "这样的日期"),
        ({"reason": "长" * 501}, "原因太长"),
    ],
)
def test_what_cannot_be_done_is_said_and_what_was_typed_stays(
    editor: FlaskClient, data: Path, address: str, change: dict[str, str], sentence: str
) -> None:
    answer = send(editor, address, form_on=RULES, **{**FIELDS, "entity": "", **change})
    assert answer.status_code == 400 and sentence in answer.text and list_rules(data) == []
    assert (change.get("reason") or "更全&lt;script&gt;") in answer.text


def test_a_preview_of_what_cannot_be_searched_is_a_sentence(editor: FlaskClient) -> None:
    answer = send(editor, f"{RULES}/preview", form_on=RULES, **{**FIELDS, "query": "怎么办"})
    assert answer.status_code == 400 and "没有说是哪种病" in answer.text


@pytest.mark.parametrize("act", ["end", "extend"])
def test_a_rule_that_is_gone_is_a_sentence(editor: FlaskClient, act: str) -> None:
    answer = send(editor, f"{RULES}/99/{act}", form_on=RULES, reason="x", expires="")
    assert answer.status_code == 400 and "没有 99 号规则" in answer.text
    assert send(editor, f"{RULES}/{'9' * 30}/{act}", form_on=RULES, reason="x").status_code == 400


def test_the_list_is_filtered_and_read_page_by_page(editor: FlaskClient, data: Path) -> None:
    for number in range(PER_PAGE + 2):
        add_rule(data, NewRule(Action.PIN, f"x{number}", "理由", query=f"面肌痉挛{number}"), "guanli")
    add_rule(data, NewRule(Action.HIDE, "a1", "过时", entity="面肌痉挛"), "bianji")
    page = editor.get(f"{RULES}?state=all").text
    assert f"全部的规则 {PER_PAGE + 3} 条" in page and page.count('<p class="key">') == PER_PAGE
    following = re.search(r'href="([^"]+)">下一页', page)
    assert following
    assert editor.get(following[1].replace("&amp;", "&")).text.count('<p class="key">') == 3
    assert "未结束的规则 1 条" in editor.get(f"{RULES}?owner=bianji").text
    assert "未结束的规则 1 条" in editor.get(f"{RULES}?q=过时").text
    assert f"该处理的规则 {PER_PAGE + 2} 条" in editor.get(f"{RULES}?state=stale").text
    assert editor.get(f"{RULES}?state=nonsense&page=999").status_code == 200
    assert editor.get(f"{RULES}?page=x").status_code == 400


def test_the_front_page_counts_stale_rules_and_forgets_those_that_were_seen_to(
    editor: FlaskClient, app: Flask, data: Path
) -> None:
    assert "该处理" not in editor.get("/desk").text
    rule = add_rule(data, NewRule(Action.PIN, "a2", "理由", query=ASKED), "bianji")
    assert "该处理" not in editor.get("/desk").text
    take_down(data, "a2", "侵权")
    assert "有 1 条编辑规则该处理" in editor.get("/desk").text
    assert "已下架，或其来源不收录" in editor.get(f"{RULES}?state=stale").text
    analyst = app.test_client()
    log_in(analyst, "fenxi")
    front = analyst.get("/desk").text
    assert "有 1 条编辑规则该处理" in front and RULES not in front
    send(editor, f"{RULES}/{rule.number}/end", form_on=RULES, reason="已下架")
    assert "该处理" not in editor.get("/desk").text


def test_an_answer_leads_to_the_forms_with_its_id_and_site(editor: FlaskClient, reader: FlaskClient) -> None:
    page = editor.get("/answers/a1", query_string={"q": ASKED}).text
    found = re.search(r'href="(/desk/curation\?[^"]+)"', page)
    assert found
    form = editor.get(found[1].replace("&amp;", "&")).text
    assert 'name="answer" value="a1"' in form and f'name="query" value="{ASKED}"' in form
    assert 'href="/desk/trust/site?site=a.example.com"' in page
    assert "/desk" not in reader.get("/answers/a1").text


def test_an_editor_judges_a_site_and_readers_are_told(editor: FlaskClient, reader: FlaskClient, data: Path) -> None:
    listed = editor.get(TRUST).text
    assert "2 个来源" in listed and listed.index("b.example.net") < listed.index("a.example.com")
    assert "编辑评为" not in reader.get("/answers/a1").text + reader.get("/search?q=" + ASKED).text
    fields = {"site": "https://A.example.com/x", "state": "trusted", "evidence": f"医院主办{XSS}"}
    site = f"{TRUST}/site?site=a.example.com"
    judged = send(editor, TRUST, form_on=site, **fields, link="https://example.com/about")
    assert judged.status_code == 303
    page = editor.get(judged.headers["Location"]).text
    assert "评定已记下" in page and "现在评为<strong>可靠</strong>" in page and XSS not in page
    for shown in ("/answers/a1", "/search?q=" + ASKED):
        text = reader.get(shown).text
        assert "来源：a.example.com · 编辑评为<strong>可靠</strong>：医院主办&lt;script&gt;" in text
        assert 'href="https://example.com/about" rel="noopener nofollow noreferrer"' in text
    held = reader.get("/api/v1/answers/a1")
    assert held.json and held.json["source_trust"]["state"] == "trusted"
    assert "bianji" not in reader.get("/answers/a1").text

    excluded = send(editor, TRUST, form_on=site, site="example.net", state="excluded", evidence="抄袭")
    assert excluded.status_code == 303
    assert reader.get("/answers/a2").status_code == 404
    again = reader.get("/api/v1/answers/a1", headers={"If-None-Match": held.headers["ETag"]})
    assert again.status_code == 200  # what people decide changes every tag
    assert "按 example.net" in editor.get(f"{TRUST}?state=excluded").text
    back = send(
        editor, TRUST, form_on=f"{TRUST}/site?site=example.net", site="example.net", state="none", evidence="改好"
    )
    assert back.status_code == 303 and reader.get("/answers/a2").status_code == 200
    assert set(list_trust(data)) == {"a.example.com"}
    assert editor.get(f"{TRUST}/site?site=example.net").text.count('<p class="key">') == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"site": "", "state": "trusted", "evidence": "x"}, "请写明网站"),
        ({"site": "a.com", "state": "best", "evidence": "x"}, "请选择一种评定"),
        ({"site": "a.com", "state": "trusted", "evidence": ""}, "请写明依据"),
        ({"site": "a.com", "state": "trusted", "evidence": "x", "link": "http://b.com"}, "https://"),
        ({"site": "a.com", "state": "none", "evidence": "x"}, "不用撤销"),
    ],
)
def test_what_cannot_be_said_of_a_site_is_refused(
    editor: FlaskClient, data: Path, fields: dict[str, str], sentence: str
) -> None:
    answer = send(editor, TRUST, form_on=f"{TRUST}/site?site=a.com", **fields)
    assert answer.status_code == 400 and sentence in answer.text and list_trust(data) == {}


def test_sites_are_filtered(editor: FlaskClient, data: Path) -> None:
    set_trust(data, "gone.example", TrustState.DOUBTFUL, "查过", "", "bianji")
    for asked, count in (("", 3), ("q=B.EXAMPLE", 1), ("state=doubtful", 1), ("state=none", 2), ("q=nothing", 0)):
        assert f"{count} 个来源" in editor.get(f"{TRUST}?{asked}").text, asked
    assert "0 条" in editor.get(f"{TRUST}?state=doubtful").text


def test_a_doubtful_source_is_told_beside_what_is_quoted(tmp_path: Path) -> None:
    from indexer import DirectAnswer

    engine = FakeEngine()
    engine.direct = DirectAnswer(FACIAL_SPASM, 0, 10)
    engine.trust = {"www.example.com": SourceTrust("example.com", TrustState.DOUBTFUL, "广告多")}
    page = create_app(tmp_path, Settings(), engine).test_client().get("/search?q=面肌痉挛").text
    assert "编辑评为<strong>存疑</strong>：广告多" in page.split("</figure>")[0]


def test_without_an_index_the_pages_work_and_say_so(tmp_path: Path) -> None:
    class Gone(FakeEngine):
        def site_counts(self) -> dict[str, int]:
            raise GenerationMissing("还没有索引。")

    with_users(tmp_path)
    client = create_app(tmp_path, Settings(), Gone(failure=GenerationMissing("还没有索引。"))).test_client()
    log_in(client, "bianji")
    assert "还没有索引" in client.get(TRUST).text
    assert client.get(RULES).status_code == 200
    add_rule(tmp_path, NewRule(Action.PIN, "a1", "理由", query=ASKED), "bianji")
    assert "还没有索引" in client.get(RULES).text and "未结束的规则 1 条" in client.get(RULES).text
    seen = send(client, f"{RULES}/preview", form_on=RULES, **{**FIELDS, "answer": "a2"})
    assert seen.status_code == 400 and "还没有索引" in seen.text
