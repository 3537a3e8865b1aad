"""Lexicon, words of questions, urgency rules and files at the desk: each change is a proposal, and only then saved."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from desk_accounts import editor, fast_hashes, log_in, send, token_in, with_users
from fakes import FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from store_builders import small_resources
from werkzeug.test import TestResponse

from indexer import KIND_LABELS, find_proposal, list_proposals, own_text, read_acts, resource_history, save_resources
from indexer.analysis.lexicon import read_lexicon
from indexer.errors import JobRunning
from indexer.resources import effective_resources
from indexer.settings import Settings
from webapp import create_app, proposal_pages
from webapp.headers import MAX_BODY_BYTES

__all__ = ["editor", "fast_hashes"]
XSS = "<script>alert(1)</script>"
PAGES = ("/desk/lexicon", "/desk/lexicon/words", "/desk/urgency", "/desk/resources", "/desk/proposals")


@pytest.fixture
def app(tmp_path: Path, fast_hashes: None) -> Flask:
    with_users(tmp_path)
    return create_app(tmp_path, Settings(resources=small_resources(), data=tmp_path), FakeEngine())


def proposed(answer: TestResponse, editor: FlaskClient) -> TestResponse:
    """The page of the proposal that a form made."""
    assert answer.status_code == 303, answer.text[-2000:]
    return editor.get(answer.headers["Location"])


def adopt(editor: FlaskClient, number: int, **fields: str) -> TestResponse:
    return send(editor, f"/desk/proposals/{number}/adopt", form_on=f"/desk/proposals/{number}", **fields)


def lexicon_of(data: Path) -> dict[str, str]:
    return dict(read_lexicon(effective_resources(data, small_resources())).names)


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_for_editors(app: Flask, editor: FlaskClient, page: str) -> None:
    assert editor.get(page).status_code == 200
    analyst = app.test_client()
    log_in(analyst, "fenxi")
    assert analyst.get(page).status_code == 403 and app.test_client().get(page).status_code == 303


def test_a_synonym_is_looked_up_proposed_and_adopted(editor: FlaskClient, tmp_path: Path) -> None:
    shown = editor.get("/desk/lexicon?q=脑袋疼").text
    assert "头痛" in shown and "lexicon/symptoms.tsv" in shown
    form = "/desk/lexicon?q=头痛"
    made = send(editor, "/desk/lexicon/synonym", form_on=form, name="头痛", word="脑壳嗡嗡", reason="方言", wait="1")
    page = proposed(made, editor).text
    assert "“头痛”加同义词“脑壳嗡嗡”" in page and "+头痛" in page and "还没有算出影响" in page
    assert own_text(tmp_path, "lexicon/own.tsv") is None  # nothing is saved before
    done = editor.get(adopt(editor, 1).headers["Location"]).text
    assert "已采用" in done and "建立索引" in done
    assert lexicon_of(tmp_path)["脑壳嗡嗡"] == "头痛"
    assert [(act.actor, act.action) for act in read_acts(tmp_path, limit=3)] == [
        ("bianji", "修改词表或规则"),
        ("bianji", "采用修改"),
        ("bianji", "提出修改"),
    ]
    assert "本站的词条 1 个" in editor.get("/desk/lexicon").text
    assert adopt(editor, 1).status_code == 400  # once is enough


def test_a_word_of_two_terms_names_both_and_what_to_do(editor: FlaskClient, tmp_path: Path) -> None:
    sent = {"form_on": "/desk/lexicon?q=腰椎", "name": "腰椎", "wait": "1"}
    refused = send(editor, "/desk/lexicon/synonym", word="膝盖", **sent)
    assert refused.status_code == 400
    assert "“膝盖”已是词条“膝关节”的同义词" in refused.text and "“腰椎”，请选择移过来" in refused.text
    refused = send(editor, "/desk/lexicon/synonym", word="髌骨", **sent)
    assert refused.status_code == 400 and "请选择合并" in refused.text
    send(editor, "/desk/lexicon/synonym", word="膝盖", take_over="1", **sent)
    send(editor, "/desk/lexicon/synonym", word="髌骨", take_over="1", onto="1", **sent)
    adopt(editor, 1)
    names = lexicon_of(tmp_path)
    assert names["膝盖"] == names["髌骨"] == names["护膝骨"] == "腰椎" and names["波棱盖"] == "膝关节"


def test_terms_are_set_removed_and_restored(editor: FlaskClient, tmp_path: Path) -> None:
    fields = {"name": "呱啦麻麻症", "kind": "disease", "same": "麻麻病，怪麻病", "broader": "", "related": "头痛"}
    send(editor, "/desk/lexicon/term", form_on="/desk/lexicon", wait="1", **fields)
    send(editor, "/desk/lexicon/remove", form_on="/desk/lexicon", name="头痛", onto="1", wait="1")
    assert len(list_proposals(tmp_path)) == 1 and "去掉词条：头痛" in find_proposal(tmp_path, 1).title
    adopt(editor, 1)
    names = lexicon_of(tmp_path)
    assert names["怪麻病"] == "呱啦麻麻症" and "头痛" not in names and "脑袋疼" not in names
    assert "本站已去掉" in editor.get("/desk/lexicon?q=头痛").text
    send(editor, "/desk/lexicon/restore", form_on="/desk/lexicon", name="头痛", wait="1")
    adopt(editor, 2)
    assert lexicon_of(tmp_path)["脑袋疼"] == "头痛"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "请写明词条"),
        ({"name": "痛"}, "只有一个字"),
        ({"name": "新 词"}, "没有空白"),
        ({"name": "新词" * 30}, "最多 40 个字"),
        ({"name": "新词", "kind": "nonsense"}, "类别“nonsense”未知"),
        ({"name": "新词", "same": "、".join(f"词{n}号" for n in range(200))}, "最多 100 个"),
        ({"name": "新词", "onto": "99"}, "没有编号为 99"),
        ({"name": "新词", "onto": "x"}, "编号不对"),
        ({"name": XSS}, "&lt;script&gt;"),
        ({"name": "新词", "reason": "长" * 501}, "最多 500"),
    ],
)
def test_what_does_not_fit_is_a_sentence(
    editor: FlaskClient, tmp_path: Path, fields: dict[str, str], sentence: str
) -> None:
    answer = send(editor, "/desk/lexicon/term", form_on="/desk/lexicon", wait="1", **fields)
    page = answer if answer.status_code == 400 else proposed(answer, editor)
    assert sentence in page.text and XSS not in page.text
    assert own_text(tmp_path, "lexicon/own.tsv") is None


def test_words_of_questions_are_added_and_taken_away(editor: FlaskClient, tmp_path: Path) -> None:
    form = "/desk/lexicon/words"
    send(editor, form, list="asking", word="咋弄", do="add", wait="1")
    send(editor, form, list="particles", word="吗", do="remove", onto="1", wait="1")
    send(editor, form, list="population.小儿", word="崽崽", do="add", onto="1", wait="1")
    adopt(editor, 1)
    text = own_text(tmp_path, "lexicon/own_questions.toml")
    assert text is not None and "咋弄" in text and "本站加上：崽崽" in editor.get(form).text
    for word, do, sentence in (("咋弄", "add", "已在"), ("没有的词", "remove", "不在"), ("", "add", "请写一个词")):
        answer = send(editor, form, list="asking", word=word, do=do, wait="1")
        assert answer.status_code == 400 and sentence in answer.text
    assert send(editor, form, list="nothing", word="词", do="add").status_code == 400


def test_what_was_typed_stands_there_again_after_an_error(editor: FlaskClient) -> None:
    form = "/desk/lexicon/words"
    typed = {"form": "words", "list": "asking", "word": "没有的词", "do": "remove", "reason": "没人这样问", "wait": "1"}
    page = send(editor, form, **typed)
    shown = BeautifulSoup(page.text, "lxml").select_one("form[aria-label=加减一个词]")
    assert page.status_code == 400 and shown is not None
    values = {
        field["name"]: field["value"] for field in shown.select("input:not([type=hidden])[value]:not([value='1'])")
    }
    assert (values["word"], values["reason"]) == ("没有的词", "没人这样问")
    chosen = [field["value"] for field in shown.select("option[selected], input[checked]")]
    assert chosen == ["asking", "remove", "1"]
    page = send(editor, "/desk/lexicon/synonym", form_on="/desk/lexicon", name="没有的词条", word="新词", reason="常用")
    assert page.status_code == 400 and 'value="常用"' not in page.text  # another form of the page has its own reason


def rule_form(**changed: str) -> dict[str, str]:
    return {
        "id": "glass-dust",
        "level": "today",
        "title": "玻璃粉进了眼睛",
        "text": "不要揉，用清水冲洗，今天去眼科。",
        "source": "试验用",
        "signs": "玻璃粉 & 眼睛",
        "examples": "我刚才把玻璃粉弄进眼睛里了，好痛",
        **changed,
    }


def test_a_rule_is_tried_then_proposed(editor: FlaskClient, tmp_path: Path) -> None:
    form = "/desk/urgency/new"
    tried = send(editor, form, do="try", sentences="今天天气好", **rule_form())
    assert tried.status_code == 200 and "玻璃粉进了眼睛（glass-dust）" in tried.text and "今天天气好" in tried.text
    assert list_proposals(tmp_path) == []
    proposed(send(editor, form, do="propose", wait="1", **rule_form()), editor)
    adopt(editor, 1)
    assert "glass-dust" in editor.get("/desk/urgency").text
    asked = editor.get("/desk/urgency", query_string={"sentences": "我刚才把玻璃粉弄进眼睛里了，好痛"}).text
    assert "glass-dust" in asked.split("<table>")[1].split("</table>")[0]
    gone = send(editor, "/desk/urgency/glass-dust/restore", form_on="/desk/urgency/glass-dust", wait="1")
    proposed(gone, editor)
    adopt(editor, 2)
    assert editor.get("/desk/urgency/glass-dust").status_code == 404


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"id": "Bad Id"}, "编号要用"),
        ({"id": "stroke"}, "已经有编号"),
        ({"title": ""}, "请写明标题"),
        ({"signs": ""}, "至少写一条征象"),
        ({"signs": "{no_such_group}"}, "没有定义"),
        ({"phones": "abc"}, "电话只写数字"),
        ({"source_url": "javascript:alert(1)"}, "网址要以"),
        ({"level": "x"}, "紧急程度"),
        ({"examples": "今天天气好"}, "没有引出"),
        ({"counter_examples": "我刚才把玻璃粉弄进眼睛里了，好痛"}, "反例"),
        ({"sentences": "\n".join(f"第{n}句" for n in range(40))}, "最多试 30 句"),
    ],
)
def test_a_rule_that_does_not_do_is_told_and_what_was_typed_stays(
    editor: FlaskClient, tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    answer = send(editor, "/desk/urgency/new", do="propose", wait="1", **rule_form(**changed))
    assert answer.status_code == 400 and sentence in answer.text and "不要揉" in answer.text
    assert list_proposals(tmp_path) == []


def test_an_emergency_is_never_weakened_by_accident(editor: FlaskClient, tmp_path: Path) -> None:
    page = "/desk/urgency/stroke"
    for fields in ({"do": "off"}, {"do": "off", "reason": "试"}):
        assert send(editor, f"{page}/switch", form_on=page, wait="1", **fields).status_code == 400
    made = send(editor, f"{page}/switch", form_on=page, wait="1", do="off", reason="换成本院的一条", sure="1")
    shown = proposed(made, editor).text
    assert "急症卡片会变弱" in shown and "我妈突然嘴歪了" in shown and "stroke" in shown
    refused = adopt(editor, 1, reason="试")
    assert refused.status_code == 400 and "另外确认" in refused.text
    assert own_text(tmp_path, "urgency/own.toml") is None
    assert adopt(editor, 1, reason="试", sure="1").status_code == 303
    assert "已停用：换成本院的一条" in editor.get("/desk/urgency").text
    proposed(send(editor, f"{page}/switch", form_on=page, wait="1", do="on"), editor)
    assert "急症卡片会变弱" not in editor.get("/desk/proposals/2").text
    assert adopt(editor, 2).status_code == 303

    known = editor.get("/desk/resources/file?path=urgency/brain.toml")
    text = known.text.split('class="code">')[1].split("</textarea>")[0]
    import html

    weaker = (
        html.unescape(text).lstrip("\n").replace('id = "stroke"\nlevel = "emergency"', 'id = "stroke"\nlevel = "watch"')
    )
    sent = {"path": "urgency/brain.toml", "last": "", "text": weaker, "wait": "1"}
    answer = editor.post("/desk/resources/file", data={"token": token_in(known), **sent})
    assert "急症卡片会变弱" in proposed(answer, editor).text  # as a file, too


def test_a_file_is_edited_compared_downloaded_and_taken_back(editor: FlaskClient, tmp_path: Path) -> None:
    path = "lexicon/regional.toml"
    page = f"/desk/resources/file?path={path}"
    assert editor.get(f"/desk/resources/download?path={path}").headers["Content-Disposition"].startswith("attachment")
    text = '[words]\r\n"攝護腺" = "前列腺"\r\n'
    sent = {"path": path, "text": text, "last": "", "wait": "1"}
    proposed(send(editor, "/desk/resources/file", form_on=page, **sent), editor)
    adopt(editor, 1)
    assert own_text(tmp_path, path) == text.replace("\r", "")
    shown = editor.get(page).text
    assert "本站改过" in shown and "不同之处" in shown and "历史" in shown
    assert send(editor, "/desk/resources/file", form_on=page, **sent).status_code == 400  # an old page
    [change] = resource_history(tmp_path, path)
    proposed(send(editor, "/desk/resources/back", form_on=page, path=path, change=str(change.number)), editor)
    adopt(editor, 2)
    assert own_text(tmp_path, path) is None
    for wrong in ("../../state.sqlite3", "weights/ranking.toml", "lexicon/none.tsv", "x" * 999, ""):
        assert editor.get("/desk/resources/file", query_string={"path": wrong}).status_code == 404
        assert editor.get("/desk/resources/download", query_string={"path": wrong}).status_code == 404


def test_a_list_of_terms_is_uploaded(editor: FlaskClient, tmp_path: Path) -> None:
    token = token_in(editor.get("/desk/resources"))

    def upload(content: bytes, name: str = "新词.tsv", kind: str = "drug") -> TestResponse:
        data = {"token": token, "kind": kind, "wait": "1", "file": (io.BytesIO(content), name)}
        return editor.post("/desk/resources/upload", data=data)

    page = proposed(upload("呱啦片\n头痛\n".encode()), editor).text
    assert "新增 1 个词条，已收录而跳过 1 个" in page
    adopt(editor, 1)
    assert read_lexicon(effective_resources(tmp_path, small_resources())).terms["呱啦片"].kind == "drug"
    for content, kind, sentence in (
        (b"\xff\xfe", "drug", "不是 UTF-8"),
        ("头痛\n".encode(), "drug", "没有可添加的"),
        ("一 词\n".encode(), "drug", "第 1 行"),
        ("新词二号\n".encode(), "x", "请选择类别"),
    ):
        answer = upload(content, kind=kind)
        assert answer.status_code == 400 and sentence in answer.text
    many = "".join(f"新词{number:05d}号\n" for number in range(2_000)).encode()
    assert len(many) > MAX_BODY_BYTES
    assert upload(many).status_code == 303
    assert upload(b"x" * 3_000_000).status_code == 413


def test_two_editors_do_not_overwrite_each_other(editor: FlaskClient, tmp_path: Path) -> None:
    send(editor, "/desk/lexicon/synonym", form_on="/desk/lexicon?q=头痛", name="头痛", word="脑壳嗡嗡", wait="1")
    save_resources(tmp_path, {"lexicon/own.tsv": "呱啦麻麻症\n"}, "小李", "先到", small_resources())
    refused = adopt(editor, 1)
    assert refused.status_code == 400 and "有人改过" in refused.text
    assert own_text(tmp_path, "lexicon/own.tsv") == "呱啦麻麻症\n"
    assert send(editor, "/desk/proposals/1/drop", form_on="/desk/proposals/1").status_code == 303
    assert find_proposal(tmp_path, 1).state == "dropped"


@pytest.mark.parametrize("number", ["7", "99999999999999999999", "0"])
def test_a_proposal_that_is_none_is_not_found(editor: FlaskClient, number: str) -> None:
    assert editor.get(f"/desk/proposals/{number}").status_code == 404


def test_every_kind_has_a_label(editor: FlaskClient) -> None:
    page = editor.get("/desk/lexicon").text
    assert all(f">{label}</option>" in page for label in KIND_LABELS.values())


def test_a_proposal_is_kept_while_another_is_previewed(
    editor: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise JobRunning("已经有一个任务在进行。")

    monkeypatch.setattr(proposal_pages, "start_preview", busy)
    made = send(editor, "/desk/lexicon/synonym", form_on="/desk/lexicon?q=头痛", name="头痛", word="脑壳嗡嗡")
    assert "还没有采用" in proposed(made, editor).text and find_proposal(tmp_path, 1).state == "open"
    page = "/desk/proposals/1"
    again = send(editor, f"{page}/preview", form_on=page)
    assert again.status_code == 400 and "已经有一个任务在进行" in again.text
