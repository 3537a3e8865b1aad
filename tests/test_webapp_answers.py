"""What stands around the list of results: what to do now, a quotation, aspects, further answers, reasons."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fakes import BARE, FACIAL_SPASM, HOSTILE, XSS, FakeEngine, make_topic, many_answers
from flask.testing import FlaskClient
from reading import first_of_main, only, page_of, without_own_script, words

import indexer
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing, ResourceError
from indexer.records import DirectAnswer, Query, SearchResult, UrgencyCard
from indexer.settings import Settings
from webapp import create_app
from webapp.reasons import MAX_REASONS, Reason, reasons
from webapp.urgent import callable_phones, level_label, urgency_of

CARD = UrgencyCard("stroke", "emergency", "可能是中风", "不要喂水。\n记下时间。", "某指南", "", ("120", "12356"))
DIRECT = DirectAnswer(FACIAL_SPASM, 0, 15)
SAYS_MUCH = {"entity": 1.0, "aspect": 0.5, "coverage": 0.875, "question_alike": 0.4, "phrase": 0.2, "near": 1.0,
             "population": 0.5, "whole": 1.0, "clean": 0.0, "original": 1.0, "signed": 0.5, "place": 1.0}  # fmt: skip
URGENT = "我爸突然嘴歪，说话不清楚，半边身子动不了"


# What to do now


def test_an_emergency_stands_before_everything_else(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency, engine.corrected, engine.direct = CARD, "面肌痉挛", DIRECT
    page = page_of(client, "/search?q=面肌痉挛&site=www.example.com")
    card = first_of_main(page)
    assert card["class"] == ["urgency", "emergency"]
    assert words(only(card, ".level")) == "立即拨打120"
    assert words(only(card, "h2")) == "可能是中风"
    assert only(card, "h2")["id"] == card["aria-labelledby"]
    assert not {"role", "aria-live"} & card.attrs.keys()  # part of the page, no interruption
    assert [words(text) for text in card.select(".what")] == ["不要喂水。", "记下时间。"]
    assert [(link["href"], words(link)) for link in card.select("a")] == [
        ("tel:120", "拨打 120 急救"),
        ("tel:12356", "拨打 12356 心理援助热线"),
    ]
    assert "某指南" in words(card) and "尚未经医生审核" in words(card)
    assert page.select(".direct") and page.select(".hits")  # the rest stays, below


def test_who_has_read_a_card_is_said(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency = replace(CARD, reviewed_by="王医生", source_url="https://a.cn/x", phones=())
    card = only(page_of(client, "/search?q=面肌痉挛"), ".urgency")
    assert "由王医生审核" in words(card) and "尚未" not in words(card)
    assert [link["href"] for link in card.select("a")] == ["https://a.cn/x"]


@pytest.mark.parametrize(
    ("level", "phones", "label"),
    [
        ("emergency", ("120",), "立即拨打120"),
        ("emergency", ("12356", "120"), "立即拨打12356"),
        ("emergency", (), "立即拨打120"),
        ("today", ("120",), "今天就去医院"),
        ("watch", (), "尽快看医生"),
    ],
)
def test_each_level_says_how_soon(
    client: FlaskClient, engine: FakeEngine, level: str, phones: tuple[str, ...], label: str
) -> None:
    engine.urgency = replace(CARD, level=level, phones=phones)
    assert level_label(engine.urgency) == label
    card = only(page_of(client, "/search?q=面肌痉挛"), ".urgency")
    assert level in card["class"] and words(only(card, ".level")) == label


def test_only_numbers_are_dialled() -> None:
    assert callable_phones(["120", "010-62715275", "javascript:alert(1)", "12", "1;x", "120,9"]) == [
        "120",
        "010-62715275",
    ]


def test_there_is_a_card_without_any_result(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency = CARD
    page = page_of(client, "/search?q=没有的病")
    assert "urgency" in first_of_main(page)["class"]
    assert "没有找到相关的回答" in words(page)
    assert "天气" not in words(page)  # somebody in need is not told to look elsewhere


def test_a_page_past_the_end_has_the_card_too(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency = CARD
    assert "urgency" in first_of_main(page_of(client, "/search?q=面肌痉挛&page=9"))["class"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (BadQuery("没有说是哪种病。"), 400),
        (GenerationMissing("还没有索引。"), 503),
        (GenerationDamaged("坏了。"), 503),
        (ResourceError("权重不符。"), 503),
        (ZeroDivisionError("x"), 500),
    ],
)
def test_whatever_fails_somebody_in_an_emergency_is_told(
    client: FlaskClient, engine: FakeEngine, failure: Exception, status: int
) -> None:
    engine.failure = failure
    response = client.get("/search", query_string={"q": URGENT})
    assert response.status_code == status
    card = first_of_main(BeautifulSoup(response.text, "lxml"))
    assert card["class"] == ["urgency", "emergency"]
    assert card.select('a[href="tel:120"]')
    api = client.get("/api/v1/search", query_string={"q": URGENT})
    assert api.status_code == status and api.json
    assert api.json["urgency"]["level"] == "emergency" and "code" in api.json["error"]
    assert not page_of(client, "/search", q="面肌痉挛怎么治").select(".urgency")


def test_a_site_without_an_index_has_the_card(tmp_path: Path) -> None:
    client = create_app(tmp_path, Settings()).test_client()
    response = client.get("/search?q=不想活了")
    assert response.status_code == 503
    assert "12356" in words(only(BeautifulSoup(response.text, "lxml"), ".urgency"))


def test_a_failure_of_the_rules_never_breaks_a_page(
    client: FlaskClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(question: str, resources: Path | None = None) -> UrgencyCard | None:
        raise RuntimeError(question)

    monkeypatch.setattr(indexer, "urgency_card", broken, raising=False)
    engine.failure = GenerationMissing("还没有索引。")
    response = client.get("/search", query_string={"q": URGENT})
    assert response.status_code == 503 and "暂时还不能搜索" in response.text
    assert urgency_of(URGENT) is None
    assert "急症规则没有起作用" in caplog.text and "嘴歪" not in caplog.text
    engine.failure = None
    assert client.get("/search", query_string={"q": "面" * 300}).status_code == 200


def test_an_emergency_at_the_end_of_a_long_story_is_seen(client: FlaskClient) -> None:
    question = "家里人前几天说有点累，" * 20 + URGENT
    assert page_of(client, "/search", q=question).select(".urgency.emergency")
    found = client.get("/api/v1/search", query_string={"q": question}).json
    assert found and found["urgency"]["level"] == "emergency"


# The direct answer


def test_a_direct_answer_is_a_quotation_with_its_source(client: FlaskClient, engine: FakeEngine) -> None:
    engine.direct = DIRECT
    page = page_of(client, "/search?q=面肌痉挛怎么治")
    figure = only(page, "figure.direct")
    assert words(only(figure, "blockquote")) == FACIAL_SPASM.text[:15]
    caption = words(only(figure, "figcaption"))
    assert caption.startswith("摘自 《面肌痉挛怎么治？》")
    for fact in ("www.example.com", "王医生", "2013-05-06"):
        assert fact in caption
    link = only(figure, "a")
    assert re.fullmatch(rf"/answers/{FACIAL_SPASM.id}\?at=[0-9a-f]+-0&q=面肌痉挛怎么治", str(link["href"]))
    below = only(page, "ol.hits")
    assert below in figure.find_all_next("ol")


def test_a_quotation_says_what_its_source_does_not(client: FlaskClient, engine: FakeEngine) -> None:
    engine.direct = DirectAnswer(BARE, 0, 4)
    caption = words(only(page_of(client, "/search?q=面肌痉挛"), "figcaption"))
    assert "作者未注明" in caption and "日期未注明" in caption and "没有标题" in caption


def test_further_pages_quote_nothing(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers, engine.direct = many_answers(25), DIRECT
    assert page_of(client, "/search?q=面肌痉挛").select(".direct")
    assert not page_of(client, "/search?q=面肌痉挛&page=2").select(".direct")
    assert not page_of(client, "/search?q=没有的病").select(".direct")


# Aspects


@pytest.fixture
def with_aspects(engine: FakeEngine) -> FakeEngine:
    engine.answers = many_answers(25)
    ids = [answer.id for answer in engine.answers]
    engine.aspects_of = {id: ("治疗", "症状") if place < 12 else ("治疗",) for place, id in enumerate(ids)}
    return engine


def test_aspects_have_their_counts(client: FlaskClient, with_aspects: FakeEngine) -> None:
    chips = only(page_of(client, "/search?q=面肌痉挛&site=www.example.com&exact=1"), "nav.aspects")
    assert [words(chip) for chip in chips.select("li")] == ["全部", "症状 12 条", "治疗 25 条"]
    assert words(only(chips, "[aria-current]")) == "全部"
    assert [link["href"] for link in chips.select("a")] == [
        f"/search?aspect={aspect}&q=面肌痉挛&site=www.example.com&exact=1" for aspect in ("症状", "治疗")
    ]


def test_every_chip_leads_to_as_many_results_as_it_says(client: FlaskClient, with_aspects: FakeEngine) -> None:
    for link in only(page_of(client, "/search?q=面肌痉挛"), "nav.aspects").select("a"):
        count = words(only(link, "b"))
        chosen = page_of(client, str(link["href"]))
        assert words(only(chosen, "h1")).startswith(f"找到 {count} 条关于")


def test_a_chosen_aspect_is_marked_and_kept(client: FlaskClient, with_aspects: FakeEngine) -> None:
    page = page_of(client, "/search?q=面肌痉挛&aspect=症状")
    assert with_aspects.queries[-1] == Query("面肌痉挛", aspect="症状")
    assert words(only(page, ".aspects [aria-current]")) == "症状 12 条"
    assert page.select(".aspects a")[0]["href"] == "/search?q=面肌痉挛"  # 全部
    links = {words(link): str(link["href"]) for link in page.select("a")}
    assert links["下一页"] == "/search?page=2&q=面肌痉挛&aspect=症状"
    answer = links["面肌痉挛怎么治？"]
    assert "aspect=症状" in answer
    assert only(page_of(client, answer), ".back a")["href"] == "/search?q=面肌痉挛&aspect=症状"
    assert len(page_of(client, links["下一页"]).select(".hits > li")) == 2


def test_an_aspect_without_results_names_the_others(client: FlaskClient, with_aspects: FakeEngine) -> None:
    page = page_of(client, "/search?q=面肌痉挛&aspect=费用")
    assert words(only(page, "h1")) == "没有关于费用的回答"
    assert [words(chip) for chip in page.select(".aspects a")] == ["全部", "症状 12 条", "治疗 25 条"]


def test_an_unknown_aspect_is_said(client: FlaskClient) -> None:
    response = client.get("/search?q=面肌痉挛&aspect=八卦")
    assert response.status_code == 400
    assert "没有“八卦”这个方面" in response.text and "病因、症状" in response.text
    assert only(BeautifulSoup(response.text, "lxml"), ".actions a[href='/search?q=面肌痉挛']")
    api = client.get("/api/v1/search?q=面肌痉挛&aspect=八卦")
    assert api.status_code == 400 and api.json and api.json["error"]["code"] == "bad_query"
    assert client.get("/search", query_string={"q": "面肌", "aspect": "x" * 41}).status_code == 400


def test_the_api_takes_an_aspect(client: FlaskClient, with_aspects: FakeEngine) -> None:
    found = client.get("/api/v1/search?q=面肌痉挛&aspect=症状&limit=1").json
    assert found and (found["total"], found["aspect_counts"]) == (12, {"症状": 12, "治疗": 25})


# Each result


def test_further_answers_of_a_page_are_links(client: FlaskClient, engine: FakeEngine) -> None:
    twin = replace(FACIAL_SPASM, id="twin", author="李医生", text="先看 神经内科。")
    engine.answers, engine.more = (FACIAL_SPASM,), (twin, replace(BARE, id="b2"), replace(twin, question="会复发吗"))
    fold = only(page_of(client, "/search?q=面肌痉挛怎么治"), "details.others-here")
    assert words(only(fold, "summary")) == "同页还有 3 条"
    assert [words(line) for line in fold.select("li")] == [
        "先看 神经内科。 李医生",  # asked the same: how it begins says more
        BARE.text,
        "会复发吗 李医生",
    ]
    assert re.match(r"/answers/twin\?at=[0-9a-f]+-1&q=", str(fold.select("a")[0]["href"]))
    assert not fold.has_attr("open")


def test_a_page_without_more_has_no_fold(client: FlaskClient) -> None:
    assert not page_of(client, "/search?q=面肌痉挛").select("main details")


def test_why_is_told_in_a_few_words(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers, engine.features, engine.entity = (FACIAL_SPASM,), SAYS_MUCH, "面肌痉挛"
    fold = only(page_of(client, "/search?q=面肌痉挛怎么治"), "details.why")
    assert words(only(fold, "summary")) == "为什么是这条"
    lines = [words(line) for line in fold.select("li")]
    assert lines[:2] == ["说的是同一种病 是", "问题要点覆盖 88%"]
    assert lines[-1] == "不足：有改写、被屏蔽的词或夸大"
    assert len(lines) == MAX_REASONS
    assert [meter["value"] for meter in fold.select("meter")][:2] == ["100", "88"]
    assert all(fold.select(f"#{meter['aria-labelledby']}") for meter in fold.select("meter"))


def test_reasons_leave_out_what_compares_nothing() -> None:
    hit = FakeEngine((replace(BARE, question=""),)).search(Query("面肌痉挛")).hits[0]
    result = SearchResult(Query("x"), "g", 1, (hit,), 1.0)
    assert reasons(hit, result) == []  # no features known
    open_ = dict.fromkeys(("entity", "aspect", "population", "question_alike"), 0.5)
    assert reasons(replace(hit, features={**open_, "signed": 0.5}), result) == [Reason("有作者和日期", 50, "部分")]
    assert reasons(replace(hit, features={"phrase": 1.7, "original": 0.0}), result) == [
        Reason("连续相同的文字", 100, "100%"),
        Reason("和别的回答雷同", None),
    ]


def test_a_chosen_aspect_is_not_held_against_a_result() -> None:
    engine = FakeEngine()
    engine.aspects_of, engine.features = {BARE.id: ("症状",)}, {"aspect": 0.0, "coverage": 1.0}
    for aspect, labels in ((None, ["问的是同一方面", "问题要点覆盖"]), ("症状", ["问题要点覆盖"])):
        result = engine.search(Query("面肌痉挛", aspect=aspect))
        assert [reason.label for reason in reasons(result.hits[0], result)] == labels


# What was not found


def test_words_that_nothing_holds_are_named(client: FlaskClient, engine: FakeEngine) -> None:
    engine.unmatched = ("量子", "纠缠")
    assert words(only(page_of(client, "/search?q=面肌痉挛"), ".unmatched")) == "下面的回答都没有提到“量子”、“纠缠”。"
    nothing = page_of(client, "/search?q=没有的病")
    assert words(only(nothing, ".unmatched")) == "没有找到关于“量子、纠缠”的回答。"


@pytest.mark.parametrize(("entity", "off_topic"), [(None, True), ("怪病", False)])
def test_a_question_about_something_else_is_told_what_is_here(
    client: FlaskClient, engine: FakeEngine, entity: str | None, off_topic: bool
) -> None:
    engine.entity = entity
    page = words(page_of(client, "/search?q=房贷利率"))
    assert ("这里只收录健康方面的文章和问答" in page) is off_topic
    assert "可以试试" in page
    assert "只收录健康方面" not in words(page_of(client, "/search?q=房贷利率&site=a.cn"))


# Hostile text


def test_hostile_text_stays_text(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency = UrgencyCard("x", f'"><{XSS}', XSS, XSS, XSS, XSS, (XSS, "javascript:1"), "javascript:alert(1)")
    engine.direct = DirectAnswer(HOSTILE, 0, 60)
    engine.more, engine.unmatched, engine.entity = (HOSTILE,), (XSS,), XSS
    engine.features = SAYS_MUCH
    name = "<script>x</script>"
    engine.topics = {name: replace(make_topic(name, (XSS,), HOSTILE), other_names=(XSS,))}
    for address, query in (
        ("/search", {"q": "面肌痉挛"}),
        ("/search", {"q": "没有的病"}),
        ("/search", {"q": "面肌痉挛", "aspect": '"><script>x</script>'}),
        (f"/topics/{name.replace('/', '%2F')}", {}),
    ):
        page = without_own_script(client.get(address, query_string=query).text)
        assert "&lt;script&gt;" in page
        for markup in ("<script", "<img src=x", "</p></main><", "<b>坏", 'href="javascript', "tel:<", "tel:java"):
            assert markup not in page


def test_the_fullest_page_is_light(client: FlaskClient, engine: FakeEngine) -> None:
    long = replace(FACIAL_SPASM, question="问" * 5000, text="面肌痉挛" * 2000, url="https://a.cn/" + "x" * 500)
    engine.answers, engine.more = many_answers(30, long), many_answers(5, long)
    engine.features, engine.entity, engine.direct = SAYS_MUCH, "面肌痉挛", DirectAnswer(long, 0, 8000)
    engine.urgency = CARD
    assert len(client.get("/search?q=面肌痉挛").data) < 90_000
