"""Site rules as editors make them: effects are what the next build makes, cases keep rules from being undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_accounts import fast_hashes, log_in, send, with_users
from fakes import FakeEngine
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from store_builders import small_resources
from test_editor_rules import AD, ARTICLE, QUESTION

from indexer.build import build_generation
from indexer.errors import ResourceError
from indexer.inbox.adding import add_files
from indexer.inbox.inspecting import inspect_batch
from indexer.jobs import KINDS
from indexer.own_resources import read_resource, save_resources
from indexer.records import SavedPage
from indexer.resources import effective_resources
from indexer.rule_cases import check_cases, end_case, list_cases
from indexer.rule_effects import effects_of, files_known
from indexer.rule_saving import save_site_rule
from indexer.settings import Settings
from indexer.site_rules import (
    add_site_rule,
    changes_with,
    find_site_rule,
    list_site_rules,
    new_site_rule,
    remove_site_rule,
    rule_file,
)
from indexer.store import generations
from indexer.store.audit_log import read_acts
from webapp import create_app
from webapp.cli import main

__all__ = ["fast_hashes"]

LINE = "本站医生团队整理，祝各位读者牙齿健康，笑口常开，每天都有好心情。"
HOME = '<link rel="canonical" href="https://{}/{}.html">'


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(resources=small_resources(), workers=1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def page(text: str, host: str, name: str) -> str:
    return text.replace("</title>", f"</title>{HOME.format(host, name)}")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.html").write_text(page(ARTICLE, "www.ya.example", "a"), encoding="utf-8")
    (folder / "b.html").write_text(page(QUESTION, "www.ya.example", "b"), encoding="utf-8")
    (folder / "c.html").write_text(page(ARTICLE.replace("牙龈", "舌头"), "other.example", "c"), encoding="utf-8")
    return folder


def texts_of(data: Path) -> dict[str, list[str]]:
    file = data / "generations" / generations.current(data) / "pages.jsonl"
    pages = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {page["path"]: [answer["text"] for answer in page["answers"]] for page in pages}


def test_a_rule_is_saved_listed_logged_and_taken_back(data: Path) -> None:
    rule = new_site_rule("YA.example", "remove", "^本站医生团队", True)
    add_site_rule(data, rule, "小王", "每页都有")
    [saved] = list_site_rules(data)
    assert (saved.host, saved.text, saved.decision, saved.actor, saved.reason) == (
        "ya.example", "^本站医生团队", "remove", "小王", "每页都有",
    )  # fmt: skip
    assert saved.at and saved.is_own and find_site_rule(data, saved.key) == saved
    assert [act.object for act in read_acts(data)] == ["sites/host-ya.example.toml"]
    with pytest.raises(ResourceError, match="已经有"):
        add_site_rule(data, rule, "小王", "再来")
    add_site_rule(
        data, new_site_rule("ya.example", "keep", "^本站医生团队", True), "小李", "有用的"
    )  # the later word counts
    [kept] = list_site_rules(data)
    assert (kept.decision, kept.actor) == ("keep", "小李")
    remove_site_rule(data, kept, "小王", "不要了")
    assert list_site_rules(data) == [] and read_resource(data, rule_file("ya.example")) is None
    with pytest.raises(ResourceError, match="没有这条"):
        remove_site_rule(data, kept, "小王", "再来")


def test_a_file_that_somebody_wrote_by_hand_is_not_written_over(data: Path) -> None:
    save_resources(data, {rule_file("ya.example"): 'hosts = ["ya.example"]\nnavigation = ["^听$"]\n'}, "a", "手写")
    with pytest.raises(ResourceError, match="手写"):
        add_site_rule(data, new_site_rule("ya.example", "keep", "x", False), "a", "b")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [(("a", "drop", "x", False), "请选择"), (("a", "keep", "", False), "文字"), (("a b", "keep", "x", False), "域名"),
     (("a", "keep", "x\ny", False), "控制字符"), (("a", "keep", "(", True), "正则"),
     (("a", "keep", "\ud800", False), "字符"),
     (("a", "keep", "x" * 2001, False), "2000"), (("a", "keep", "x", True, "p.html"), "原文")],
)  # fmt: skip
def test_what_a_form_may_not_say_is_refused_in_a_sentence(values: tuple[str, str, str, bool], sentence: str) -> None:
    with pytest.raises(ResourceError, match=sentence):
        new_site_rule(*values)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60), st.sampled_from(["", 'https://ya.example/1?a="b"', "目录/页.html"]))
def test_any_text_that_is_accepted_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, text: str, address: str
) -> None:
    from indexer import own_resources
    from indexer.site_rules import _said

    try:
        rule = new_site_rule("牙齿", "keep", text, False, address)
    except ResourceError:
        return
    [content] = changes_with(tmp_path_factory.mktemp("d"), rule).values()
    assert content is not None and _said(content) == [rule] and own_resources._may_edit(rule_file("牙齿"))


def test_effects_are_what_the_next_build_makes(data: Path, corpus: Path, settings: Settings) -> None:
    build_generation(corpus, data, settings)
    before = texts_of(data)
    rule = new_site_rule("ya.example", "remove", "^(本站医生团队|晚上咳得厉害)", True)
    found = effects_of(data, changes_with(data, rule), settings, files_known(data))
    assert (found.looked_at, found.concerned, found.changed, found.failed) == (3, 2, 2, 0)
    assert {page.path: page.gone for page in found.pages}["a.html"] == (LINE,)
    add_site_rule(data, rule, "小王", "广告", settings.resources)
    built = build_generation(corpus, data, settings)
    generations.serve(data, built.manifest.generation)
    after = texts_of(data)
    for effect in found.pages:
        for answer in effect.answers:
            assert not answer.before or answer.before in before[effect.path]
            assert (answer.after in after[effect.path]) if answer.after else answer.before not in after[effect.path]
    changed = {path for path in before if before[path] != after.get(path)}
    assert changed == {page.path for page in found.pages}


def test_a_case_holds_the_gate_until_it_is_ended(data: Path, corpus: Path, settings: Settings) -> None:
    rule = new_site_rule("ya.example", "keep", AD, False)
    saved = SavedPage("a.html", "html", (corpus / "a.html").read_bytes())
    save_site_rule(data, rule, "小王", "是提醒", settings, saved, [AD])
    [case] = list_cases(data)
    passed = build_generation(corpus, data, settings)
    assert passed.gate is not None
    assert [check.passed for check in passed.gate.checks if check.name == "rule_cases"] == [True]
    remove_site_rule(data, rule, "小李", "看错了", settings.resources)
    stopped = build_generation(corpus, data, settings)
    assert stopped.gate is not None and generations.current(data) == passed.manifest.generation
    assert any("用例 1（a.html）" in sentence for sentence in stopped.gate.objections)
    with pytest.raises(ResourceError, match="原因"):
        end_case(data, case.number, "小李", " ")
    end_case(data, case.number, "小李", "不再需要")
    assert list_cases(data) == [] and list_cases(data, with_ended=True)[0].end_reason == "不再需要"
    with pytest.raises(ResourceError, match="已经结束"):
        end_case(data, case.number, "小李", "再来")


def test_a_case_that_does_not_hold_saves_neither_rule_nor_case(data: Path, settings: Settings) -> None:
    saved = SavedPage("a.html", "html", ARTICLE.encode())
    with pytest.raises(ResourceError, match="不成立"):
        save_site_rule(data, new_site_rule("nowhere", "keep", AD, False), "a", "b", settings, saved, [AD])
    assert list_site_rules(data, settings.resources) == [] and list_cases(data) == []


def test_the_command_line_can_do_it_all(
    data: Path, corpus: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YIWEN_RESOURCES", str(settings.resources))

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["rules", *arguments, "--data", str(data)])
        return status, capsys.readouterr().out

    rule = ["www.ya.example", "remove", LINE]
    assert run("add", *rule, "--reason", "广告", "--case", str(corpus / "a.html"))[0] == 0
    listed = json.loads(run("list", "--json")[1])
    assert listed["host"] == "www.ya.example" and listed["reason"] == "广告"
    status, checked = run("check", "--json")
    assert status == 0 and json.loads(checked)["holds"] is True
    assert run("remove", listed["key"], "--reason", "错")[0] == 0
    status, broken = run("check")
    assert status == 3 and "又出现了" in broken
    assert run("remove", "--case", "1", "--reason", "错")[0] == 0
    assert run("check")[0] == 0
    batch_of(data, corpus, settings)
    status, tried = run("try", "--json", "--batch", "1", *rule)
    [page, total] = map(json.loads, tried.splitlines())
    assert status == 0 and page["gone"] == [LINE] and (total["looked_at"], total["changed"]) == (1, 1)
    assert list_site_rules(data, settings.resources) == []


# the desk


@pytest.fixture
def editor(data: Path, settings: Settings, fast_hashes: None) -> FlaskClient:
    with_users(data)
    client = create_app(data, settings, FakeEngine()).test_client()
    log_in(client, "bianji")
    return client


def batch_of(data: Path, corpus: Path, settings: Settings) -> int:
    number = add_files(data, [corpus / "a.html"], "", "a", settings)
    inspect_batch(data, number, settings, lambda done, total: None)
    return number


def test_a_rule_is_looked_at_saved_with_a_case_and_taken_back_at_the_desk(
    editor: FlaskClient, data: Path, corpus: Path, settings: Settings
) -> None:
    batch_of(data, corpus, settings)
    sent = send(editor, "/desk/rules/new", host="ya.example", decision="remove", text="^本站医生团队", pattern="1")
    assert sent.status_code == 303, sent.text
    seen = editor.get(sent.location)
    assert "1 个页面会改变" in seen.text and f"<del>{LINE}</del>" in seen.text and list_site_rules(data) == []
    assert send(editor, sent.location, reason="").status_code == 400
    saved = send(editor, sent.location, reason="广告", case="desk/1/a.html")
    assert saved.status_code == 303, saved.text
    [case] = list_cases(data)
    resources = effective_resources(data, settings.resources)
    assert case.removed == (LINE,) and check_cases([case], resources, settings).broken == ()
    listed = editor.get("/desk/rules?done=saved")
    assert "规则已保存" in listed.text and "^本站医生团队" in listed.text and "用例 1" in listed.text
    key = list_site_rules(data)[0].key
    assert send(editor, "/desk/rules/undo", "/desk/rules", key=key, reason="看错").status_code == 303
    assert send(editor, "/desk/rules/undo", "/desk/rules/new", key=key, reason="看错").status_code == 400
    assert send(editor, "/desk/rules/cases/1/end", "/desk/rules", reason="看错").status_code == 303
    assert list_site_rules(data) == [] and list_cases(data) == []


def test_one_click_marks_a_block_for_its_page_or_leads_to_the_form(
    editor: FlaskClient, data: Path, corpus: Path, settings: Settings
) -> None:
    from indexer.inbox.page_view import view_page

    number = batch_of(data, corpus, settings)
    block = next(b for b in view_page(data, number, 1, settings).page.blocks if b.text == AD)
    address = f"/desk/inbox/{number}/1/{block.number}/mark"
    sent = send(editor, address, "/desk/rules", decision="keep", scope="page", text=AD)
    assert sent.status_code == 303 and sent.location.endswith(f"/desk/inbox/{number}/1?blocks=1#block-{block.number}")
    assert view_page(data, number, 1, settings).page.blocks[block.number].is_kept
    led = send(editor, address, "/desk/rules", decision="remove", scope="site", text=AD)
    form = editor.get(led.location)
    assert led.status_code == 303 and 'value="www.ya.example"' in form.text and len(list_site_rules(data)) == 1
    assert send(editor, address, "/desk/rules", decision="keep", scope="page", text="别的").status_code == 400
    assert send(editor, "/desk/inbox/99/1/1/mark", "/desk/rules", decision="keep", text="x").status_code == 400


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"text": "(", "pattern": "1"}, "正则表达式"), ({"text": ""}, "文字"), ({"host": "http://x/"}, "域名"),
     ({"decision": "x"}, "请选择")],
)  # fmt: skip
def test_a_form_that_will_not_do_says_so(editor: FlaskClient, fields: dict[str, str], sentence: str) -> None:
    sent = send(editor, "/desk/rules/new", **{"host": "a.example", "decision": "keep", "text": "某段", **fields})
    assert sent.status_code == 400 and sentence in sent.text


@pytest.mark.parametrize("name", ["nothing", "..", "a" * 99])
def test_a_preview_that_is_not_there_is_no_fault(editor: FlaskClient, name: str) -> None:
    assert editor.get(f"/desk/rules/preview/{name}").status_code == 404


def test_who_may_not_edit_sees_no_rules(data: Path, settings: Settings, fast_hashes: None) -> None:
    with_users(data)
    client = create_app(data, settings, FakeEngine()).test_client()
    log_in(client, "fenxi")
    assert client.get("/desk/rules").status_code == 403


def test_the_task_is_known() -> None:
    assert KINDS["rule_effects"].home == "indexer.rule_effects"
