"""Questions asked again at the desk, their answers graded, and what becomes of the grades."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from builders import build_data, built, make_answer
from desk_accounts import acts, fast_hashes, log_in, token_in, with_users
from fakes import FakeEngine
from flask.testing import FlaskClient
from store_builders import flip_bit, spasm_answers
from werkzeug.test import TestResponse

from indexer import (
    case_id,
    drop_case,
    find_judged_case,
    list_jobs,
    list_judged_cases,
    put_back,
    read_acts,
    roll_back,
    switch_to,
    take_down,
)
from indexer.settings import Settings
from indexer.store import generations
from webapp import create_app

__all__ = ["fast_hashes"]

QUESTION = "偏头痛发作时怎么办"
FAIR = make_answer("fair", "偏头痛发作时能喝咖啡吗", "偏头痛发作时咖啡要少喝，每天差不多的量。", site="ya.example")
BEFORE = [
    make_answer("old", "偏头痛发作时怎么办", "在安静、暗一些的房间里休息，按医嘱尽早用止痛药。", date="2020-03-04"),
    FAIR,
    *spasm_answers(6),
]
AFTER = [
    make_answer("new", "偏头痛发作怎么办", "先停下手里的事，到暗一些的房间里躺下，尽早吃药。"),
    FAIR,
    *spasm_answers(6),
    make_answer("poor", "牙痛怎么办", "牙痛发作时先漱口，尽早去看牙医。"),
]


@pytest.fixture(scope="module")
def two_generations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    build_data(folder, BEFORE)
    report = built(folder, AFTER)
    if generations.current(folder / "data") != report.manifest.generation:
        switch_to(folder / "data", report.manifest.generation, "试验")
    return folder / "data"


@pytest.fixture
def data(two_generations: Path, fast_hashes: None) -> Iterator[Path]:
    """Two generations and users; what a test judges is gone after it."""
    if not (two_generations / "state.sqlite3").exists() or not acts(two_generations):
        with_users(two_generations)
    yield two_generations
    for case in list_judged_cases(two_generations):
        drop_case(two_generations, case.id, "test", "清理")


@pytest.fixture
def client(data: Path) -> Iterator[FlaskClient]:
    with create_app(data, Settings()).test_client() as client:
        log_in(client, "fenxi")
        yield client


def replayed(client: FlaskClient, asked: str) -> TestResponse:
    """The page, once the other generation has been asked."""
    for _ in range(600):
        page = client.get(f"/desk/replay?{asked}")
        if "正在打开另一代索引" not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError(page.text)


def sides(page: TestResponse) -> list[str]:
    """The text of each list, without markup."""
    found = re.findall(r'<section aria-labelledby="side-\d">(.*?)</section>', page.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", each).split()) for each in found]


def graded(client: FlaskClient, question: str = QUESTION, **fields: str) -> TestResponse:
    """The form of a page with one generation, sent."""
    page = client.get(f"/desk/replay?q={question}&b=-", follow_redirects=True)
    revision = re.search(r'name="revision" value="(\d+)"', page.text)
    assert revision
    carried = {"token": token_in(page), "q": question, "b": "-", "revision": revision[1]}
    return client.post("/desk/replay", data={**carried, **fields})


def test_two_generations_stand_side_by_side(client: FlaskClient) -> None:
    page = replayed(client, f"q={QUESTION}")
    served, before = sides(page)
    assert served.startswith("gen-000002（正在使用）") and before.startswith("gen-000001")
    assert "偏头痛发作怎么办" in served and "在安静、暗一些" not in served
    assert "在安静、暗一些的房间里休息" in before and "2020-03-04" in before
    assert "两边都有，名次相同" in served and "ya.example" in served and "只在这一边" in before
    assert "要找的词" in served and "主题" in before
    assert page.text.count('name="g:fair" value="3"') == 1, "one grade an answer"
    assert QUESTION not in re.findall("<title>(.*?)</title>", page.text)[0]


def test_what_searchers_do_not_see_is_told(client: FlaskClient) -> None:
    page = client.get("/desk/replay?q=骨折后能喝咖啡吗&b=-")
    [served] = sides(page)
    assert "读者看到 0 条" in served and "不够相关，读者看不到" in served and 'name="g:fair"' in page.text


def test_the_log_knows_nothing_of_a_replay(client: FlaskClient, data: Path) -> None:
    for address in (f"/desk/replay?q={QUESTION}&b=-", "/search?q=面肌痉挛"):
        with client.get(address) as reply:  # what is logged is logged when the reply is out
            assert reply.status_code == 200
    app = client.application
    assert app.extensions["yiwen"].query_log.flush()
    assert [event.query for event in app.extensions["yiwen"].query_log.read_events()][-1:] == ["面肌痉挛"]
    assert QUESTION not in str(app.extensions["yiwen"].query_log.read_events())


def test_a_generation_that_is_gone_is_told(client: FlaskClient) -> None:
    served, missing = sides(client.get(f"/desk/replay?q={QUESTION}&b=gen-000077"))
    assert "偏头痛发作怎么办" in served and "没有完好的 gen-000077：可能已经清理掉了" in missing


def test_a_generation_that_cannot_be_opened_is_told_and_tried_again(
    two_generations: Path, tmp_path: Path, fast_hashes: None
) -> None:
    ignored = shutil.ignore_patterns("state.sqlite3", "jobs", "replays")
    data = shutil.copytree(two_generations, tmp_path / "data", ignore=ignored)
    flip_bit(data / "generations" / "gen-000001" / "pages.jsonl")
    with_users(data)
    with create_app(data, Settings()).test_client() as client:
        log_in(client, "fenxi")
        page = replayed(client, f"q={QUESTION}")
        served, broken = sides(page)
        assert "偏头痛发作怎么办" in served and "gen-000001" in broken and "pages.jsonl" in broken
        assert [job.status for job in list_jobs(data)] == ["failed"]
        reply = client.post("/desk/replay/again", data={"token": token_in(page), "q": QUESTION})
        assert reply.status_code == 303 and len(list_jobs(data)) == 2
        assert "pages.jsonl" in replayed(client, f"q={QUESTION}").text


def test_a_cache_that_cannot_be_written_is_told(client: FlaskClient, data: Path, tmp_path: Path) -> None:
    shutil.rmtree(data / "cache" / "replays", ignore_errors=True)
    (data / "cache" / "replays").write_text("no folder", encoding="utf-8")
    try:
        assert "写不进去" in client.get("/desk/replay?q=面肌痉挛跳到眼皮").text
    finally:
        (data / "cache" / "replays").unlink()


def test_one_generation_alone_is_told(tmp_path: Path, fast_hashes: None) -> None:
    data = build_data(tmp_path, BEFORE)
    with_users(data)
    with create_app(data, Settings()).test_client() as client:
        log_in(client, "fenxi")
        page = client.get(f"/desk/replay?q={QUESTION}")
        assert len(sides(page)) == 1 and "现在只有这一代可看" in page.text and not list_jobs(data)


def test_the_state_of_decisions_counts_at_once(client: FlaskClient, data: Path) -> None:
    assert "在安静、暗一些" in sides(replayed(client, f"q={QUESTION}"))[1]
    take_down(data, "old", "试验", "bianji")
    try:
        assert "在安静、暗一些" not in sides(replayed(client, f"q={QUESTION}"))[1]
    finally:
        assert put_back(data, "old", "bianji", "试验完了")


def test_grades_are_kept_with_who_and_when(client: FlaskClient, data: Path) -> None:
    reply = graded(client, **{"g:new": "3", "g:fair": "1", "g:poor": "", "note": "急的"})
    assert reply.status_code == 303 and "done=saved" in reply.headers["Location"]
    case = find_judged_case(data, case_id(QUESTION))
    assert case is not None and case.by_answer == {"new": 3, "fair": 1} and case.note == "急的"
    assert case.made_by == "fenxi" and {each.owner for each in case.grades} == {"fenxi"}
    page = client.get(reply.headers["Location"])
    assert "评级已保存" in page.text and "fenxi 在" in page.text
    assert re.search(r'name="g:new" value="3" checked', page.text)
    assert acts(data)[-1] == ("fenxi", "评判答案", case.id)


def test_regrading_replaces_and_leaves_a_trace(client: FlaskClient, data: Path) -> None:
    graded(client, **{"g:new": "3", "g:fair": "1"})
    graded(client, **{"g:new": "2", "g:fair": ""})
    case = find_judged_case(data, case_id(QUESTION))
    assert case is not None and case.by_answer == {"new": 2} and case.revision == 2
    assert "new 完全回答→部分回答" in read_acts(data)[0].detail and "fair 有关→未评" in read_acts(data)[0].detail


def test_one_click_says_that_this_is_the_answer(client: FlaskClient, data: Path) -> None:
    assert graded(client, best="new").status_code == 303
    case = find_judged_case(data, case_id(QUESTION))
    assert case is not None and case.by_answer == {"new": 3}


@pytest.mark.parametrize("written", ["poor", "https://example.org/answers/poor?q=x#y", " poor "])
def test_an_answer_that_is_not_listed_is_judged_by_its_id(client: FlaskClient, data: Path, written: str) -> None:
    assert graded(client, other=written, other_grade="2").status_code == 303
    case = find_judged_case(data, case_id(QUESTION))
    assert case is not None and case.by_answer == {"poor": 2}
    page = client.get(f"/desk/replay?q={QUESTION}&b=-").text
    assert re.search(r'name="g:poor" value="2" checked', page)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "请至少给一条答案评级"),
        ({"g:new": "4"}, "评级应是 0 到 3"),
        ({"g:new": "x"}, "评级应是 0 到 3"),
        ({"g:a b": "1"}, "编号里不能有空白"),
        ({"other": "nowhere", "other_grade": "1"}, "没有这个编号的答案"),
        ({"g:new": "1", "note": "长" * 501}, "备注太长"),
        ({"g:new": "1", "revision": "x"}, "表单不完整"),
        ({"g:new": "1", "revision": "7"}, "别人刚刚改过"),
        ({"g:new": "1", "q": "长" * 201}, "问题太长"),
        ({"g:new": "1", "q": "？？"}, "问题里没有文字"),
    ],
)
def test_what_cannot_be_kept_is_told(client: FlaskClient, data: Path, fields: dict[str, str], told: str) -> None:
    reply = graded(client, **fields)
    assert reply.status_code == 400 and told in reply.text and not list_judged_cases(data)


def test_after_an_error_the_choices_are_still_there(client: FlaskClient) -> None:
    page = graded(client, **{"g:new": "2", "note": "长" * 501}).text
    assert re.search(r'name="g:new" value="2" checked', page) and "长" * 501 in page


def test_what_tells_of_a_person_is_taken_out_and_told(client: FlaskClient, data: Path) -> None:
    page = client.get("/desk/replay?b=-&q=" + quote("偏头痛怎么办 我的电话13800138000"), follow_redirects=True)
    assert "13800138000" not in page.request.url
    assert "13800138000" not in page.text and "像是个人信息的部分已经换掉" in page.text
    graded(client, "偏头痛怎么办 我的电话13800138000", **{"g:new": "1"})
    [case] = list_judged_cases(data)
    assert case.question == "偏头痛怎么办 我的电话〔电话〕"
    assert b"13800138000" not in (data / "state.sqlite3").read_bytes()


def test_the_list_tells_drops_and_exports(client: FlaskClient, data: Path) -> None:
    graded(client, **{"g:new": "3", "g:fair": "0"})
    id_ = case_id(QUESTION)
    page = client.get("/desk/judgements")
    assert QUESTION in page.text and id_ in page.text and "判过的答案不在了" not in page.text
    assert client.get("/desk/judgements/qrels.tsv").text == f"{id_}\t0\tfair\t0\n{id_}\t0\tnew\t3\n"
    assert client.get("/desk/judgements/topics.tsv").text == f"{id_}\t{QUESTION}\n"
    assert f'"id": "{id_}"' in client.get("/desk/judgements/queries.jsonl").text
    assert client.get("/desk/judgements/floors.toml").status_code == 404
    token = token_in(page)
    assert client.post("/desk/judgements/drop", data={"token": token, "id": id_, "reason": ""}).status_code == 400
    reply = client.post("/desk/judgements/drop", data={"token": token, "id": id_, "reason": "问得不清楚"})
    assert reply.status_code == 303 and not list_judged_cases(data)
    assert acts(data)[-1] == ("fenxi", "删去评判", id_)


def test_a_judged_answer_that_is_gone_is_told(client: FlaskClient, data: Path) -> None:
    roll_back(data)
    try:
        graded(client, **{"g:old": "3"})
    finally:
        switch_to(data, "gen-000002", "试验")
    for address in (f"/desk/replay?q={QUESTION}&b=-", "/desk/judgements"):
        assert "判过的答案不在了" in client.get(address).text


def test_scraped_text_is_only_text(tmp_path: Path, fast_hashes: None) -> None:
    with_users(tmp_path)
    with create_app(tmp_path, Settings(), FakeEngine()).test_client() as client:
        log_in(client, "fenxi")
        page = client.get("/desk/replay?q=面肌痉挛").text
    assert "&lt;script&gt;document.title" in page and "<script>document.title" not in page and "<img src=x" not in page
    assert "编号里有空白，不能评级" in page and 'value="id/with' not in page


@pytest.mark.parametrize("asked", ["n=21", "n=0", "n=x"])
def test_a_wrong_number_is_a_sentence(client: FlaskClient, asked: str) -> None:
    assert client.get(f"/desk/replay?q={QUESTION}&{asked}").status_code == 400


def test_a_desk_without_an_index_says_so(tmp_path: Path, fast_hashes: None) -> None:
    with_users(tmp_path)
    with create_app(tmp_path, Settings()).test_client() as client:
        log_in(client, "fenxi")
        assert "还没有可用的索引" in client.get(f"/desk/replay?q={QUESTION}").text
        assert client.get("/desk/replay").status_code == client.get("/desk/judgements").status_code == 200
