"""The pages as a browser gets them, over a fake engine."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fakes import BARE, FACIAL_SPASM, HOSTILE, XSS, FakeEngine, many_answers
from flask import Flask
from flask.testing import FlaskClient
from reading import without_own_script

from indexer.records import Query
from indexer.settings import Settings
from webapp import create_app
from webapp.search_pages import Paging
from webapp.services import warm_up


class Links(HTMLParser):
    """The links of a page, by what they say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: dict[str, dict[str, str | None]] = {}
        self._open: dict[str, str | None] | None = None
        self._words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open, self._words = dict(attrs), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.links.setdefault(self._words.strip(), self._open)
            self._open = None


def links(html: str) -> dict[str, dict[str, str | None]]:
    return Links(html).links


def title(html: str) -> str:
    found = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    assert found
    return found[1]


def test_home_shows_the_box_and_examples_that_work(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'lang="zh-Hans"' in page
    assert 'role="search"' in page
    assert "不做诊断" in page and 'href="tel:120"' in page
    examples = [link["href"] for link in links(page).values() if str(link["href"]).startswith("/search?q=")]
    assert len(examples) in (3, 4)
    assert all(client.get(str(example)).status_code == 200 for example in examples)


def test_a_result_shows_what_is_known_of_it(client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛怎么治").text
    assert "找到 1 条回答" in page
    assert "<mark>面肌痉挛怎么治</mark>？" in page
    for fact in ("医生回答", "www.example.com", "王医生", "2013-05-06"):
        assert fact in page
    source = links(page)["打开原网页"]
    assert str(source["href"]).startswith(f"/answers/{FACIAL_SPASM.id}/source?at=")
    assert set(str(source["rel"]).split()) == {"noopener", "nofollow", "noreferrer"}


def test_what_is_not_known_is_said(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (BARE,)
    page = client.get("/search?q=面肌痉挛").text
    assert page.count("未注明") == 3  # source, author, date; what else a source may state is left out
    assert "网页文章" in page
    assert "打开原网页" not in page
    assert client.get("/answers/bare").text.count("未注明") == 3


@pytest.mark.parametrize(("copies", "shown"), [(0, False), (7, True)])
def test_copies_are_counted(client: FlaskClient, engine: FakeEngine, copies: int, shown: bool) -> None:
    engine.copies = copies
    assert (f"同文 {copies + 1} 篇" in client.get("/search?q=面肌痉挛").text) is shown


@pytest.mark.parametrize("address", ["/search?q=面肌痉挛", "/answers/id%2Fwith%20spaces%3F%23%26%25中文?q=面肌痉挛"])
def test_source_text_never_becomes_markup(client: FlaskClient, address: str) -> None:
    page = without_own_script(client.get(address).text)
    assert HOSTILE.author and "&lt;script&gt;" in page
    for markup in ("<script", "<img src=x", "</p></main><", "<b>坏", "javascript:"):
        assert markup not in page
    assert XSS not in page


@pytest.mark.parametrize(
    "question", ['"><script>alert(1)</script>', "'onfocus=alert(1) x='", "</title><script>x</script>"]
)
def test_the_question_never_becomes_markup(client: FlaskClient, question: str) -> None:
    for address in ("/search", f"/answers/{FACIAL_SPASM.id}", "/nowhere"):
        page = client.get(address, query_string={"q": question, "site": question}).text
        assert "<script" not in without_own_script(page)
        assert 'value="' in page and "'onfocus=alert(1) x='" not in page


@pytest.mark.parametrize(
    "address", ["/search?q=面肌痉挛怎么治", "/search?q=没有的病", "/answers/0123456789abcdef?q=面肌"]
)
def test_the_question_is_not_in_the_title(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    assert "面肌" not in title(page) and "没有的病" not in title(page)
    assert "医问" in title(page)


def test_the_question_stays_in_the_box(client: FlaskClient) -> None:
    for address in ("/search?q=面肌痉挛", "/search?q=没有的病", "/answers/bare?q=面肌痉挛", "/search?q=？？"):
        assert re.search(r'<input [^>]*value="(面肌痉挛|没有的病|？？)"', client.get(address).text)


def test_every_result_leads_to_its_answer_and_back(client: FlaskClient) -> None:
    results = client.get("/search?q=面肌痉挛&site=evil.example").text
    href = str(links(results)[HOSTILE.question]["href"])
    answer = client.get(href)
    assert answer.status_code == 200
    assert "第二段" in answer.text
    back = links(answer.text)["返回搜索结果"]["href"]
    assert back == "/search?q=面肌痉挛&site=evil.example"


def test_an_answer_without_a_question_has_no_way_back(client: FlaskClient) -> None:
    page = client.get(f"/answers/{FACIAL_SPASM.id}").text
    assert "返回搜索结果" not in page
    assert page.count("<p>") >= 3
    for fact in (
        "面肌痉挛怎么治？",
        "反复发作时可以考虑微血管减压术。",
        "神经内科",
        "医生回答",
        "王医生",
        "2013-05-06",
    ):
        assert fact in page


def test_an_unknown_answer_is_not_found(client: FlaskClient) -> None:
    response = client.get("/answers/nowhere")
    assert response.status_code == 404
    assert "没有这个页面" in response.text


@pytest.mark.parametrize("address", ["/search", "/search?q=", "/search?q=%20%0A%00"])
def test_an_empty_question_goes_home(client: FlaskClient, engine: FakeEngine, address: str) -> None:
    response = client.get(address)
    assert (response.status_code, response.location) == (302, "/?empty=1")
    assert "还没有写下问题" in client.get(response.location).text
    assert "还没有写下问题" not in client.get("/").text
    assert not engine.queries


@pytest.mark.parametrize(("length", "cut"), [(200, False), (201, True)])
def test_a_long_question_is_cut_and_the_page_says_so(
    client: FlaskClient, engine: FakeEngine, length: int, cut: bool
) -> None:
    page = client.get("/search", query_string={"q": "面" * length}).text
    assert engine.queries == [Query("面" * 200)]
    assert ("问题太长，只用前 200 个字搜索" in page) is cut


def test_no_result_is_said_plainly(client: FlaskClient) -> None:
    response = client.get("/search?q=没有的病&site=a.cn")
    assert response.status_code == 200
    assert "没有找到相关的回答" in response.text
    assert links(response.text)["不限来源再搜一次"]["href"] == "/search?q=没有的病"
    assert "不限来源" not in client.get("/search?q=没有的病").text


def test_the_site_filter_comes_from_the_address(client: FlaskClient, engine: FakeEngine) -> None:
    page = client.get("/search?q=面肌痉挛").text
    assert links(page)["只看这个来源"]["href"] == "/search?q=面肌痉挛&site=www.example.com"
    filtered = client.get("/search?q=面肌痉挛&site=www.example.com").text
    assert engine.queries[-1].site == "www.example.com"
    assert "找到 1 条回答" in filtered
    assert links(filtered)["看全部来源"]["href"] == "/search?q=面肌痉挛"


def test_paging_keeps_question_and_site(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = many_answers(35)
    page = client.get("/search?q=面肌痉挛&site=www.example.com&page=2").text
    assert "医生11" in page and "医生20" in page and "医生21" not in page
    assert '<ol class="hits" start="11">' in page
    found = links(page)
    for words, number in (("上一页", 1), ("下一页", 3), ("4", 4)):
        assert found[words]["href"] == f"/search?page={number}&q=面肌痉挛&site=www.example.com"
    assert 'aria-current="page"' in page
    opened = re.sub("at=[0-9a-f]+-", "at=…-", str(found["面肌痉挛怎么治？"]["href"]))
    assert opened.endswith("?page=2&at=…-11&q=面肌痉挛&site=www.example.com")


def test_one_page_has_no_paging(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = many_answers(10)
    assert 'class="paging"' not in client.get("/search?q=面肌痉挛").text
    engine.answers = many_answers(11)
    assert 'class="paging"' in client.get("/search?q=面肌痉挛").text


@pytest.mark.parametrize(("page", "past"), [(3, False), (4, True), (999999999, True)])
def test_a_page_past_the_end_says_so(client: FlaskClient, engine: FakeEngine, page: int, past: bool) -> None:
    engine.answers = many_answers(25)
    response = client.get(f"/search?q=面肌痉挛&page={page}")
    assert response.status_code == 200
    assert (f"没有第 {page} 页" in response.text) is past
    assert ("结果一共 3 页" in response.text) is past


def test_pages_end_at_twenty(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = many_answers(400)
    assert "下一页" not in client.get("/search?q=面肌痉挛&page=20").text
    assert "结果一共 20 页" in client.get("/search?q=面肌痉挛&page=21").text


@pytest.mark.parametrize("page", ["0", "-1", "abc", "1.5", "9" * 5000, "²"])
def test_a_wrong_page_number_is_a_bad_request(client: FlaskClient, page: str) -> None:
    response = client.get("/search", query_string={"q": "面肌痉挛", "page": page})
    assert response.status_code == 400
    assert "参数 page 应为1 或更大的整数" in response.text


@pytest.mark.parametrize(
    ("page", "pages", "numbers"),
    [
        (1, 1, (1,)),
        (1, 20, (1, 2, 3, None, 20)),
        (4, 20, (1, 2, 3, 4, 5, 6, None, 20)),
        (5, 20, (1, 2, 3, 4, 5, 6, 7, None, 20)),
        (10, 20, (1, None, 8, 9, 10, 11, 12, None, 20)),
        (20, 20, (1, None, 18, 19, 20)),
        (1, 0, ()),
    ],
)
def test_page_numbers(page: int, pages: int, numbers: tuple[int | None, ...]) -> None:
    assert Paging(page, pages).numbers == numbers


def test_partial_results_are_said(client: FlaskClient, engine: FakeEngine) -> None:
    assert "可能还有没找到的回答" not in client.get("/search?q=面肌痉挛").text
    engine.partial = True
    assert "可能还有没找到的回答" in client.get("/search?q=面肌痉挛").text


def test_the_heaviest_page_is_light(client: FlaskClient, engine: FakeEngine) -> None:
    long = replace(HOSTILE, question="问" * 5000, text="面" * 5000, author="作" * 500, site="s" * 250, topic="题" * 500)
    engine.answers = tuple(replace(long, id=f"{number:0250}", url="https://a.cn/" + "x" * 500) for number in range(400))
    page = client.get("/search", query_string={"q": "面" * 200, "page": 10}).data
    assert "医问".encode() in page
    assert len(page) < 60_000


def test_searches_are_logged_after_the_response(app: Flask) -> None:
    client = app.test_client()
    log = app.extensions["yiwen"].query_log
    response = client.get("/search?q=面肌痉挛 13800138000？&page=2")
    response.close()
    client.get("/api/v1/search?q=没有的病").close()
    client.head("/search?q=面肌痉挛").close()
    client.get("/search?q=").close()
    kept = [(e.query, e.total, e.latency_ms, e.generation, e.surface, e.page) for e in log.read_events()]
    assert kept == [
        ("面肌痉挛 〔电话〕", 0, 12.3, "gen-000003", "page", 2),
        ("没有的病", 0, 12.3, "gen-000003", "api", 1),
    ]


def test_nothing_in_the_data_directory_tells_who_asked(app: Flask, tmp_path: Path) -> None:
    client = app.test_client()
    client.set_cookie("session", "canary-cookie")
    response = client.get(
        "/search?q=面肌痉挛",
        headers={"User-Agent": "canary-agent", "X-Forwarded-For": "203.0.113.77", "Referer": "http://canary-page/"},
        environ_base={"REMOTE_ADDR": "198.51.100.7"},
    )
    response.close()
    assert app.extensions["yiwen"].query_log.flush()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "面肌痉挛".encode() in stored
    for canary in (b"canary", b"203.0.113.77", b"198.51.100.7"):
        assert canary not in stored
    assert "Set-Cookie" not in response.headers


def test_a_log_that_cannot_be_written_does_not_stop_a_search(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = create_app(tmp_path / "file", Settings(), engine)
    response = app.test_client().get("/search?q=面肌痉挛")
    response.close()
    assert response.status_code == 200
    app.extensions["yiwen"].query_log.flush(30)
    assert app.extensions["yiwen"].query_log.lost_events == 1


def test_a_corrected_question_says_so_and_can_be_searched_as_typed(client: FlaskClient, engine: FakeEngine) -> None:
    engine.corrected, engine.alternatives = "面肌痉挛", ("面部痉挛",)
    page = BeautifulSoup(client.get("/search?q=面肌").text, "lxml")
    note = page.select_one(".corrected")
    assert note is not None and "已按“面肌痉挛”搜索" in note.get_text()
    link = note.select_one("a")
    assert link is not None and link.get_text() == "仍搜“面肌”"
    assert [a.get_text() for a in page.select(".others a")] == ["面部痉挛"]
    typed = BeautifulSoup(client.get(str(link["href"])).text, "lxml")
    assert typed.select_one(".corrected") is None
    assert engine.queries[-1].as_typed


def test_a_question_that_is_right_has_no_note(client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛").text
    assert "已按" not in page and "也可能是" not in page


def test_an_answer_leads_back_to_the_question_as_typed(client: FlaskClient) -> None:
    page = BeautifulSoup(client.get("/search?q=面肌痉挛&exact=1").text, "lxml")
    answer = client.get(str(page.select("article h2 a")[0]["href"])).text
    back = BeautifulSoup(answer, "lxml").select_one(".back a")
    assert back is not None and "exact=1" in str(back["href"])


def test_warming_up_asks_the_engine_and_is_quiet_without_an_index(tmp_path: Path) -> None:
    class Counting(FakeEngine):
        asked = 0

        def warm(self) -> None:
            self.asked += 1

    engine = Counting()
    warm_up(create_app(tmp_path, Settings(), engine))
    assert engine.asked == 1
    warm_up(create_app(tmp_path, Settings()))
