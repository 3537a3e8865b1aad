"""What the site says of itself: the page for readers, the description for browsers, the rules for crawlers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from flask.testing import FlaskClient
from reading import only, page_of, words

from indexer.settings import Settings
from webapp import create_app
from webapp.query_log import Event

SPACE = "{http://a9.com/-/spec/opensearch/1.1/}"


@pytest.mark.parametrize(
    "address", ["/", "/search?q=面肌痉挛", "/search?q=没有的病", "/answers/bare", "/nowhere", "/about"]
)
def test_every_page_leads_to_it(client: FlaskClient, address: str) -> None:
    links = {words(link): str(link["href"]) for link in page_of(client, address).select("footer .about-links a")}
    assert links == {
        "关于医问": "/about",
        "隐私": "/about#privacy",
        "报告问题": "/about#report",
        "程序接口": "/about/api",
    }


def test_the_page_says_what_patients_must_know(client: FlaskClient) -> None:
    page = page_of(client, "/about")
    said = words(only(page, "main"))
    for needed in (
        "不做诊断",
        "不给治疗建议",
        "没有竞价排名",
        "没有一句是机器生成的",
        "为什么是这条",
        "举报广告或错误",
    ):
        assert needed in said
    assert page.select('main a[href="tel:120"]')
    for link in page.select(".contents a"):
        assert page.select(f"h2[id='{str(link['href'])[1:]}']")
    assert not page.select('meta[name="robots"]')  # this one may be found


def test_privacy_names_exactly_what_the_log_holds(client: FlaskClient) -> None:
    told = {
        "time": "时间",
        "query": "搜索的文字",
        "total": "找到几条",
        "latency_ms": "用了多久",
        "generation": "哪一版索引",
        "surface": "从网页还是从程序接口",
        "page": "第几页",
        "token": "随机的编号",
        "visitor": "当天的会话编号",
        "words": "认出的词",
        "entity": "主要的病名",
        "aspects": "问的方面",
        "corrected": "更正后的问题",
        "site": "限定的来源",
        "aspect": "限定的方面",
        "exact": "按原样",
        "shown": "显示了哪些回答和得分",
        "direct": "摘录了哪一条",
        "urgency": "有没有急症提示",
        "partial": "省去了一部分",
        "remembered": "从内存直接回答",
        "stages_ms": "各步用了多久",
    }
    assert set(told) == {field.name for field in fields(Event)}
    (paragraph,) = [words(p) for p in page_of(client, "/about").select("p") if "每次搜索只记" in words(p)]
    assert [word for word in told.values() if word not in paragraph] == []


def test_it_needs_no_index(tmp_path: Path) -> None:
    client = create_app(tmp_path, Settings()).test_client()
    for address in ("/about", "/opensearch.xml", "/robots.txt"):
        assert client.get(address).status_code == 200


def test_browsers_can_offer_the_search(client: FlaskClient) -> None:
    link = only(page_of(client, "/"), 'link[rel="search"]')
    response = client.get(str(link["href"]), base_url="https://yiwen.test:8443/")
    assert response.mimetype == link["type"] == "application/opensearchdescription+xml"
    root = ElementTree.fromstring(response.data)
    assert root.tag == f"{SPACE}OpenSearchDescription"
    name = root.findtext(f"{SPACE}ShortName")
    assert name == "医问" and len(name) <= 16  # OpenSearch's own limit
    template = next(url.attrib["template"] for url in root.iter(f"{SPACE}Url") if url.attrib["type"] == "text/html")
    assert template == "https://yiwen.test:8443/search?q={searchTerms}"
    asked = client.get(template.replace("{searchTerms}", "面肌痉挛").removeprefix("https://yiwen.test:8443"))
    assert "找到" in asked.text


def test_a_host_never_becomes_markup(client: FlaskClient) -> None:
    response = client.get("/opensearch.xml", headers={"Host": 'a"><x>.test'})
    assert "<x>" not in response.text


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/about", True), ("/static/style.css", True), ("/search?q=面肌痉挛", False),
     ("/answers/bare", False), ("/answers/bare/source", False),
     ("/topics/面肌痉挛", False), ("/api/v1/search?q=x", False), ("/display", False)],
)  # fmt: skip
def test_crawlers_leave_searches_alone(client: FlaskClient, path: str, allowed: bool) -> None:
    response = client.get("/robots.txt")
    assert response.mimetype == "text/plain"
    rules = RobotFileParser()
    rules.parse(response.text.splitlines())
    assert rules.can_fetch("Baiduspider", path) is allowed


def test_paper_says_where_and_when(client: FlaskClient) -> None:
    foot = words(only(page_of(client, "/search?q=面肌痉挛&page=1"), "footer .paper-only"))
    assert re.fullmatch(r"医问 · http://localhost/search\?q=面肌痉挛&page=1 · 打印于 \d{4}-\d\d-\d\d", foot)
