"""The page of one answer: what its source states, what to be careful of, what one can tell the site, what is near."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from fakes import BARE, FACIAL_SPASM, HOSTILE, FakeEngine, many_answers
from flask import Blueprint, Flask, redirect
from flask.testing import FlaskClient
from reading import only, page_of, words
from werkzeug.wrappers import Response

from indexer.errors import BadQuery
from indexer.records import Kind, QualityFact, Query, SearchResult
from indexer.settings import Settings
from indexer.verdicts import Flaw
from webapp import create_app
from webapp.presentation import FLAW_NOTES

HERE = f"/answers/{FACIAL_SPASM.id}"
SIGNED = replace(FACIAL_SPASM, author_title="主任医师", hospital="某某医院", views=12345, likes=6)


def facts_of(client: FlaskClient, address: str = HERE) -> dict[str, str]:
    rows = page_of(client, address).select("dl.facts > div")
    return {words(only(row, "dt")): words(only(row, "dd")) for row in rows}


def test_what_the_source_states_is_told(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (SIGNED,)
    assert facts_of(client) == {
        "类型": "医生回答",
        "来源": "www.example.com",
        "作者": "王医生 主任医师",
        "医院": "某某医院",
        "日期": "2013-05-06",
        "分类": "神经内科",
        "阅读": "12,345 次",
        "点赞": "6 个",
    }


def test_what_it_does_not_state_is_left_out_or_said(client: FlaskClient) -> None:
    assert facts_of(client, "/answers/bare") == {
        "类型": "网页文章", "来源": "未注明", "作者": "未注明", "日期": "未注明",
    }  # fmt: skip


def test_views_of_none_are_a_number(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (replace(FACIAL_SPASM, views=0),)
    assert facts_of(client)["阅读"] == "0 次"


# For machines


def properties(page: BeautifulSoup) -> dict[str, str]:
    """Every itemprop of a page with its value."""
    return {str(each["itemprop"]): str(each.get("datetime") or words(each)) for each in page.select("[itemprop]")}


def types(page: BeautifulSoup) -> list[str]:
    return [str(each["itemtype"]).removeprefix("https://schema.org/") for each in page.select("[itemscope]")]


def test_a_doctors_answer_is_a_suggested_answer_to_a_question(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (SIGNED,)
    page = page_of(client, HERE)
    assert types(page) == ["Question", "Answer", "Person"]
    said = properties(page)
    assert set(said) == {"name", "suggestedAnswer", "author", "jobTitle", "datePublished", "text"}
    assert said["text"] == " ".join(FACIAL_SPASM.text.split())
    assert words(only(page, "h1[itemprop=name]")) == FACIAL_SPASM.question
    assert said["datePublished"] == "2013-05-06" and said["jobTitle"] == "主任医师"
    assert only(page, "[itemprop=author]").find_parent(itemprop="suggestedAnswer")


def test_an_article_is_an_article(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (replace(FACIAL_SPASM, kind=Kind.ARTICLE, date="2013-02-30", author=None),)
    page = page_of(client, HERE)
    assert types(page) == ["Article"]
    assert set(properties(page)) == {"headline", "articleBody"}  # no author, and no such day


@pytest.mark.parametrize("kind", [Kind.READER_REPLY, Kind.QA_EXCERPT])
def test_other_texts_claim_nothing(client: FlaskClient, engine: FakeEngine, kind: Kind) -> None:
    engine.answers = (replace(SIGNED, kind=kind),)
    assert not page_of(client, HERE).select("[itemscope], [itemprop]")


def test_nobody_is_said_to_have_reviewed_anything(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (SIGNED,)
    assert "reviewedBy" not in client.get(HERE).text and "application/ld+json" not in client.get(HERE).text


# What to be careful of


def test_flaws_stand_before_the_text(client: FlaskClient, engine: FakeEngine) -> None:
    facts = (QualityFact(Flaw.CURE_PROMISE, "保证根治<b>"), QualityFact(Flaw.COPY, "与 bare 相似度 1.00"))
    engine.answers = (replace(FACIAL_SPASM, quality=facts, copy_of="bare"), BARE)
    page = page_of(client, HERE)
    section = only(page, "section.flaws")
    assert [words(line) for line in section.select("li")] == [
        f"{FLAW_NOTES['cure_promise']}保证根治<b>",
        f"{FLAW_NOTES['copy']} 看那一条",
    ]
    assert only(section, "a")["href"] == "/answers/bare"
    assert only(page, ".text") in section.find_all_next("div")


def test_a_sound_text_has_no_warning(client: FlaskClient) -> None:
    assert not page_of(client, HERE).select(".flaws")


# The original


def test_the_link_to_the_original_names_the_host(client: FlaskClient, app: Flask) -> None:
    link = only(page_of(client, HERE), "article .more a")
    assert words(link) == "打开原网页（www.example.com）"
    assert set(str(link["rel"]).split() if isinstance(link["rel"], str) else link["rel"]) == {
        "noopener",
        "nofollow",
        "noreferrer",
    }
    counted = "clicks.source" in app.view_functions
    assert link["href"] == (f"{HERE}/source" if counted else FACIAL_SPASM.url)
    assert words(only(page_of(client, HERE), "article .more .paper-only")) == FACIAL_SPASM.url


def test_where_clicks_are_counted_no_page_links_away(client: FlaskClient, app: Flask) -> None:
    if "clicks.source" not in app.view_functions:
        clicks = Blueprint("clicks", __name__)

        @clicks.get("/answers/<path:answer_id>/source")
        def source(answer_id: str) -> Response:
            return redirect(answer_id)

        app.register_blueprint(clicks)
    for address in (HERE, "/search?q=面肌痉挛"):
        page = page_of(client, address)
        assert page.select(f'main a[href^="{HERE}/source"]')
        assert not [link for link in page.select("a") if "//" in str(link["href"])]


def test_an_address_that_is_none_is_not_linked(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers = (replace(HOSTILE, id="x"),)
    page = page_of(client, "/answers/x")
    assert not page.select("article .more a") and "没有原网页的地址" in words(only(page, "article .more"))
    assert "javascript:" not in str(page)


# What one can tell the site


@pytest.fixture
def told(app: Flask) -> FlaskClient:
    """The site with the part that takes votes and reports; in its place something of its shape where it is missing."""
    if "feedback.vote" not in app.view_functions:
        feedback = Blueprint("feedback", __name__)

        @feedback.post("/answers/<path:answer_id>/feedback")
        def vote(answer_id: str) -> str:
            return answer_id

        @feedback.post("/answers/<path:answer_id>/report")
        def report(answer_id: str) -> str:
            return answer_id

        app.register_blueprint(feedback)
        app.add_template_global(lambda answer_id: f"token-of-{answer_id}", "form_token")
    return app.test_client()


def test_one_can_say_whether_it_was_of_use(told: FlaskClient) -> None:
    form = only(page_of(told, f"{HERE}?q=面肌痉挛&page=2"), "form.vote")
    assert (form["action"], form["method"]) == (f"{HERE}/feedback", "post")
    assert [(each["name"], each["value"], words(each)) for each in form.select("button")] == [
        ("verdict", "useful", "有用"),
        ("verdict", "useless", "没用"),
    ]
    assert only(form, "[name=back]")["value"] == f"{HERE}?q=面肌痉挛&page=2"
    assert only(form, "[name=token]")["value"]


def test_one_can_report_what_is_wrong(told: FlaskClient) -> None:
    fold = only(page_of(told, HERE), "details.report")
    assert words(only(fold, "summary")) == "举报广告或错误" and not fold.has_attr("open")
    form = only(fold, "form")
    assert (form["action"], form["method"]) == (f"{HERE}/report", "post")
    assert [each["value"] for each in form.select("[name=reason]")] == [
        "advertisement", "wrong", "outdated", "unreadable", "other",
    ]  # fmt: skip
    assert not form.select("[name=reason][checked]")  # nothing is chosen for one
    assert only(form, "[name=note]")["maxlength"] == "200" and only(form, "label[for=note]")
    assert only(form, "[name=token]")["value"] and only(form, "[name=back]")["value"] == HERE


@pytest.mark.parametrize(("thanks", "left", "gone"), [("vote", ".report", ".vote"), ("report", ".vote", ".report")])
def test_one_is_thanked_once_it_is_done(told: FlaskClient, thanks: str, left: str, gone: str) -> None:
    page = page_of(told, f"{HERE}?q=面&thanks={thanks}")
    section = only(page, "#feedback")
    assert words(only(section, "[role=status]")).startswith("谢谢")
    assert section.select(left) and not section.select(gone)
    assert "thanks" not in str(only(section, "[name=back]")["value"])


def test_thanks_for_nothing_say_nothing(told: FlaskClient) -> None:
    section = only(page_of(told, f"{HERE}?thanks=<b>"), "#feedback")
    assert not section.select("[role=status]") and section.select(".vote") and section.select(".report")


# What is near


def test_other_answers_to_the_question_are_offered(client: FlaskClient, engine: FakeEngine) -> None:
    copy = replace(FACIAL_SPASM, id="copy", copy_of=FACIAL_SPASM.id)
    engine.answers, engine.topic_name, engine.entity = (FACIAL_SPASM, copy, *many_answers(9)), "面肌痉挛", "面肌痉挛"
    section = only(page_of(client, HERE), "section.kin")
    links = [(link["href"], words(link)) for link in section.select("li a")]
    assert [href for href, _ in links] == [f"/answers/{number:016x}" for number in range(1, 6)]
    assert all(FACIAL_SPASM.text.startswith(said[:10]) for _, said in links)  # the same question says nothing new
    assert only(section, ".more a")["href"] == "/topics/面肌痉挛"


def test_answers_about_something_else_are_not_near(client: FlaskClient, engine: FakeEngine) -> None:
    engine.answers, engine.features = many_answers(3), {"entity": 0.5}
    assert not page_of(client, f"/answers/{1:016x}").select(".kin")
    engine.features = {"entity": 1.0}
    assert len(page_of(client, f"/answers/{1:016x}").select(".kin li")) == 2


def test_an_answer_stands_without_its_kin(client: FlaskClient, engine: FakeEngine) -> None:
    def refuse(query: Query) -> SearchResult:
        raise BadQuery(query.text)

    engine.search = refuse  # type: ignore[method-assign]
    response = client.get(HERE)
    assert response.status_code == 200 and 'class="kin"' not in response.text
    assert client.get("/answers/bare").status_code == 200


def test_looking_for_kin_is_nobodys_question(client: FlaskClient, app: Flask, engine: FakeEngine) -> None:
    client.get(HERE).close()
    assert engine.queries and not app.extensions["yiwen"].query_log.read_events()


# Related questions, and the title, of the results


def test_related_questions_stand_below_the_results(client: FlaskClient, engine: FakeEngine) -> None:
    assert not page_of(client, "/search?q=面肌痉挛").select(".related")
    related = tuple(f"面肌痉挛会{number}吗<b>" for number in range(12))
    engine.answers, engine.related = many_answers(25), related
    page = page_of(client, "/search?q=面肌痉挛")
    section = only(page, "section.related")
    assert [words(link) for link in section.select("a")] == list(related[:8])
    assert section.find_previous("ol", class_="hits")
    client.get(str(section.select("a")[0]["href"]))
    assert engine.queries[-1] == Query(related[0])
    assert not page_of(client, "/search?q=面肌痉挛&page=2").select(".related")
    assert page_of(client, "/search?q=没有的病").select(".related")


@pytest.mark.parametrize("wanted", [True, False])
def test_the_title_holds_the_question_only_where_that_is_wanted(
    app: Flask, engine: FakeEngine, wanted: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(query_in_title=wanted)
    client = create_app(tmp_path_factory.mktemp("d"), settings, engine).test_client()
    for question in ("面肌痉挛", "没有的病"):
        title = words(only(page_of(client, f"/search?q={question}"), "title"))
        assert title.startswith(f"{question} · ") is wanted and (question in title) is wanted
    assert "面肌" not in words(only(page_of(client, f"{HERE}?q=面肌痉挛"), "title"))
