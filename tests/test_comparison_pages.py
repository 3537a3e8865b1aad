"""The comparison page through real requests: a job compares, the page waits, then shows both generations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from desk_accounts import editor, fast_hashes, log_in, send, with_users
from fakes import XSS
from flask import Flask
from flask.testing import FlaskClient
from test_compare import data as two_generations
from waiting import wait_for_job

from indexer import base_of, find_job, list_jobs, read_comparison, start_task, switch_to
from indexer.comparisons import FOLDER
from indexer.errors import GenerationMissing
from indexer.settings import load_settings
from webapp import create_app

__all__ = ["editor", "fast_hashes", "two_generations"]

pytestmark = pytest.mark.usefixtures("fast_hashes")

BOTH = ("gen-000001", "gen-000002")
COMPARE = "/desk/generations/compare"
ADDRESS = f"{COMPARE}?a=gen-000001&b=gen-000002"


@pytest.fixture(scope="module")
def compared(two_generations: Path) -> Path:
    """The directory with both compared, by the job that a page would start."""
    number = start_task(two_generations, "compare", " ".join(BOTH), "a").number
    assert wait_for_job(two_generations, number).status == "done"
    return two_generations


@pytest.fixture
def data(compared: Path) -> Path:
    (compared / "state.sqlite3").unlink(missing_ok=True)
    with_users(compared)
    return compared


@pytest.fixture
def app(data: Path) -> Flask:
    return create_app(data, load_settings({"data": data}))


def section(page: str, name: str) -> str:
    """The words of a section."""
    found = re.search(rf'aria-labelledby="{name}-title">(.*?)</section>', page, re.DOTALL)
    assert found, page
    return " ".join(re.sub("<[^>]+>", " ", found[1]).split())


def test_everything_that_differs_is_shown(editor: FlaskClient, data: Path) -> None:
    page = editor.get(ADDRESS).text
    assert list_jobs(data) == []  # what is known is not compared again
    assert "检查：全部通过" in section(page, "checks")
    sites = section(page, "sites")
    assert "b.example 1 0 1 0" in sites and "c.example 0 1 0 1" in sites
    pages = section(page, "pages")
    assert "多出 1 个 records.jsonl:new" in pages and "减少 1 个 records.jsonl:gone" in pages
    answers = section(page, "answers")
    assert "多出 1 条 咳嗽怎么办" in answers and "减少 1 条 胃痛怎么办" in answers and "文字改动 1 条" in answers
    judged = section(page, "judged")
    assert "比较 21 个，1 个变好，1 个变差" in judged
    assert "胃痛怎么办 nDCG@10 从 1.000 到 0.000；有 1 条相关的答案不在新的一代里" in judged
    assert "1 条相关" not in judged.split("变好 1 个")[1]
    assert "胃痛怎么办 （现在不在前几条）" in judged and "咳嗽怎么办 （新到前几条）" in judged


def test_changed_passages_stand_side_by_side_marked_by_words(editor: FlaskClient) -> None:
    answers = section(editor.get(ADDRESS).text, "answers")
    assert "原来 失眠怎么办 按时起床，睡前不看 去掉或改动的： 【手机】 ，少喝" in answers
    assert "现在 失眠怎么办 按时起床，睡前不看 新加或改成的： 【电视】 ，少喝" in answers


def test_a_comparison_is_a_job_that_the_page_watches(editor: FlaskClient, data: Path) -> None:
    other_way = f"{COMPARE}?a=gen-000002&b=gen-000001"
    waiting = editor.get(other_way).text
    [job] = list_jobs(data)
    assert (job.kind, job.subject, job.actor) == ("compare", "gen-000002 gen-000001", "bianji")
    if job.status == "running":
        assert "正在比较 gen-000002 和 gen-000001" in waiting and 'http-equiv="refresh"' in waiting
        busy = send(editor, f"{COMPARE}/again", form_on="/desk", a="gen-000001", b="gen-000002")
        assert "正在比较另外两代" in editor.get(busy.headers["Location"]).text
    wait_for_job(data, job.number)
    assert "从 gen-000002 到 gen-000001：答案多出 1 条" in find_job(data, job.number).sentence
    assert "多出 1 条 胃痛怎么办" in section(editor.get(other_way).text, "answers")
    again = send(editor, f"{COMPARE}/again", form_on="/desk", a="gen-000001", b="gen-000002")
    assert again.status_code == 303 and again.headers["Location"] == ADDRESS
    wait_for_job(data, 2)
    assert list_jobs(data)[0].status == "done" and "检查：全部通过" in editor.get(ADDRESS).text


def test_a_comparison_that_failed_is_told_and_begun_again_only_when_told(
    editor: FlaskClient, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from indexer import jobs

    kept = next((data / "cache" / FOLDER).glob("gen-000001-*.json"))
    content = kept.read_bytes()
    kept.unlink()
    monkeypatch.setattr(jobs, "_launch", lambda *_: None)  # its process dies at once
    for _ in range(2):
        assert "进程中途消失了" in editor.get(ADDRESS).text
    assert len(list_jobs(data)) == 1
    send(editor, f"{COMPARE}/again", form_on=ADDRESS, a="gen-000001", b="gen-000002")
    assert len(list_jobs(data)) == 2
    kept.write_bytes(content)


def test_without_the_other_one_it_is_the_served_one_or_its_parent(editor: FlaskClient, data: Path) -> None:
    assert base_of(data, "gen-000001") == "gen-000002" and base_of(data, "gen-000002") == "gen-000001"
    assert "从 <strong>gen-000001</strong> 到" in editor.get(f"{COMPARE}?b=gen-000002").text
    with pytest.raises(GenerationMissing):
        base_of(data, "gen-000009")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        (COMPARE, 200, "原来的一代"),
        (f"{COMPARE}?b=gen-000009", 404, "没有完好的 gen-000009"),
        (f"{COMPARE}?a=../../etc&b=gen-000001", 404, "没有完好的"),
        (f"{COMPARE}?a=gen-000001&b={XSS}", 404, "没有完好的"),
        (f"{COMPARE}?a=gen-000001&b=gen-000001", 200, "请选择两个不同的代"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    editor: FlaskClient, data: Path, address: str, status: int, words: str
) -> None:
    answer = editor.get(address)
    assert answer.status_code == status and words in answer.text and XSS not in answer.text
    assert list_jobs(data) == []


def test_only_what_is_there_is_compared_again(editor: FlaskClient, data: Path) -> None:
    for a, b in (("gen-000001", "gen-000001"), ("gen-000001", "../x"), ("", "")):
        assert send(editor, f"{COMPARE}/again", form_on=ADDRESS, a=a, b=b).status_code == 400
    assert list_jobs(data) == []


def test_another_generation_of_the_same_name_is_another(data: Path) -> None:
    assert read_comparison(data, *BOTH) is not None
    file = data / "cache" / FOLDER / "gen-000001-gen-000002.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    for spoilt in (json.dumps({**found, "fingerprints": ["0", "1"]}), "[]", "{"):
        file.write_text(spoilt, encoding="utf-8")
        assert read_comparison(data, *BOTH) is None
    file.write_text(json.dumps(found), encoding="utf-8")


def test_the_list_of_generations_leads_there_and_only_editors_go(app: Flask, editor: FlaskClient, data: Path) -> None:
    page = editor.get("/desk/generations").text
    assert f'href="{ADDRESS.replace("&", "&amp;")}"' in page
    switch_to(data, "gen-000001")
    page = editor.get("/desk/generations").text
    switch_to(data, "gen-000002")
    assert "与正在使用的比较" in page and f'href="{ADDRESS.replace("&", "&amp;")}"' in page
    analyst = app.test_client()
    log_in(analyst, "fenxi")
    assert "generations/compare" not in analyst.get("/desk/generations").text
    assert analyst.get(ADDRESS).status_code == 403
    assert send(analyst, f"{COMPARE}/again", form_on="/desk", a=BOTH[0], b=BOTH[1]).status_code == 403
    assert app.test_client().get(ADDRESS).headers["Location"].startswith("/desk/login")
