"""Pages whose text stands in their scripts: JSON-LD, and the data that a page's own programs start from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from data_pages import (
    FIRST,
    NEXT_DATA,
    SECOND,
    SHOWN,
    THIRD,
    extracted,
    faq,
    html,
    ld,
    page_of,
    started_from,
)

from indexer.records import Kind, QaPair, Rejected

DOCTOR = {
    "@type": "Person",
    "name": "王建国",
    "jobTitle": "主任医师",
    "affiliation": {"@type": "Hospital", "name": "江北市人民医院"},
}


QA_PAGE = {
    "@context": "https://schema.org",
    "@type": "QAPage",
    "mainEntity": {
        "@type": "Question",
        "name": "面肌痉挛怎么治？",
        "acceptedAnswer": {
            "@type": "Answer",
            "text": FIRST,
            "upvoteCount": 12,
            "datePublished": "2021-03-02T10:20:30+08:00",
            "author": DOCTOR,
        },
        "suggestedAnswer": [
            {"@type": "Answer", "text": f"<p>{SECOND}</p>", "upvoteCount": "3", "author": {"name": "李小红"}},
            {"@type": "Answer", "text": ""},
        ],
    },
}


@pytest.mark.parametrize("data", [QA_PAGE, [QA_PAGE], {"@graph": [{"@type": "WebSite"}, QA_PAGE]}])
def test_a_question_page_gives_each_answer_with_its_facts(data: Any) -> None:
    page = page_of(ld(data))
    assert (page.title, page.text) == ("面肌痉挛怎么治？", f"{FIRST}\n{SECOND}")
    first, second = page.answers
    assert (first.kind, second.kind) == (Kind.DOCTOR_ANSWER, Kind.ARTICLE)  # the second names no doctor
    assert (first.text, first.author, first.author_title, first.hospital, first.date, first.likes) == (
        FIRST,
        "王建国",
        "主任医师",
        "江北市人民医院",
        "2021-03-02T10:20:30",
        12,
    )
    assert (second.text, second.author, second.author_title, second.date, second.likes) == (
        SECOND,
        "李小红",
        None,
        None,
        3,
    )


def test_a_page_of_frequent_questions_gives_pairs() -> None:
    page = page_of(ld(faq(FIRST, f"&lt;p&gt;{SECOND}&lt;/p&gt;&lt;p&gt;{THIRD}&lt;/p&gt;")))
    assert page.title == "面肌痉挛常见问题"
    assert page.qa_pairs == (
        QaPair("面肌痉挛会自己好吗？", FIRST),
        QaPair("平时要注意什么？", f"{SECOND}\n{THIRD}"),
    )
    assert [(answer.kind, answer.question) for answer in page.answers] == [
        (Kind.QA_EXCERPT, pair.question) for pair in page.qa_pairs
    ]
    assert page.text.split("\n") == ["面肌痉挛会自己好吗？", FIRST, "平时要注意什么？", SECOND, THIRD]


@pytest.mark.parametrize("type_", ["Article", "MedicalWebPage", "NewsArticle", "BlogPosting", ["Thing", "Article"]])
def test_an_article_gives_its_text_facts_and_topic(type_: str | list[str]) -> None:
    crumbs = [{"@type": "ListItem", "name": "首页"}, {"@type": "ListItem", "item": {"name": "神经内科"}}]
    article = {
        "@type": type_,
        "headline": "面肌痉挛的治疗",
        "datePublished": "2020-01-02",
        "author": [DOCTOR],
        "articleBody": f"{FIRST}\n{SECOND}",
    }
    data = {"@graph": [{"@type": "BreadcrumbList", "itemListElement": crumbs}, article]}
    page = page_of(ld(data))
    assert (page.title, page.text, page.topic) == ("面肌痉挛的治疗", f"{FIRST}\n{SECOND}", "神经内科")
    assert (page.author, page.author_title, page.date) == ("王建国", "主任医师", "2020-01-02")
    assert [answer.kind for answer in page.answers] == [Kind.ARTICLE]


def test_what_the_page_shows_comes_before_what_its_data_says() -> None:
    article = {"@type": "Article", "headline": "别的标题", "articleBody": FIRST, "datePublished": "2020-01-02"}
    page = page_of(ld(article, SHOWN))
    assert page.title == "面瘫的护理方法"
    assert (FIRST in page.text, THIRD in page.text) == (False, True)
    assert page.date == "2020-01-02"  # which the page itself does not say


def test_an_organization_is_no_author() -> None:
    author = {"@type": "Organization", "name": "某某健康"}
    assert page_of(ld({"@type": "Article", "author": author}, SHOWN)).author is None
    assert page_of(ld({"@type": "Article", "author": "王建国"}, SHOWN)).author == "王建国"


@pytest.mark.parametrize("text", started_from(NEXT_DATA))
def test_the_article_in_a_pages_state_is_read_with_its_facts(text: str) -> None:
    page = page_of(text)
    assert (page.title, page.text) == ("面肌痉挛怎么治疗", f"{FIRST}\n生活上\n{SECOND}")
    assert (page.author, page.date, page.views, page.likes) == ("王建国", "2020-05-06T07:08:09", 321, 5)
    assert page.topic == "神经内科"
    assert page.qa_pairs == (QaPair("面瘫会自己好吗？", THIRD, "2019-08-01"),)


DIALOGUE = {
    "consult": {
        "question": {"title": "面肌痉挛怎么办？", "description": "我的左眼皮跳了三个月，越来越厉害，怎么办才好？"},
        "replies": [
            {
                "role": "doctor",
                "content": f"&lt;p&gt;{FIRST}&lt;/p&gt;",
                "time": "2019-01-02",
                "doctor": {"name": "王建国", "title": "主任医师", "hospital": "江北市人民医院"},
            },
            {"role": "patient", "content": "谢谢医生，别的医院说可以做手术，不知道行不行，我再想想。"},
            {"role": "system", "content": "本次问诊将在二十四小时以后自动结束，请您及时评价。"},
            {"role": "doctor", "content": SECOND},
        ],
    }
}


@pytest.mark.parametrize("text", started_from(DIALOGUE, title="面肌痉挛怎么办？"))
def test_of_a_dialogue_only_the_doctors_words_are_read(text: str) -> None:
    page = page_of(text)
    assert (page.title, page.text) == ("面肌痉挛怎么办？", f"{FIRST}\n{SECOND}")
    assert (page.author, page.author_title, page.hospital) == ("王建国", "主任医师", "江北市人民医院")
    assert page.date == "2019-01-02"


@pytest.mark.parametrize(
    ("others", "read"),
    [
        ({"role": "patient"}, [FIRST, SECOND]),  # an asker's words are none, whoever speaks besides
        ({"userType": "提问的患者"}, [FIRST, SECOND]),
        ({}, [FIRST, SECOND, THIRD]),  # nobody says who speaks
    ],
)
def test_where_no_doctor_is_named_all_but_the_asker_are_read(others: dict[str, str], read: list[str]) -> None:
    replies = [{"content": FIRST}, {"content": SECOND}, {"content": THIRD, **others}]
    assert page_of(started_from({"replies": replies}, title="面肌痉挛怎么办？")[0]).text.split("\n") == read


def test_where_a_doctor_is_named_nobody_else_is_read() -> None:
    replies = [{"content": FIRST, "isDoctor": True}, {"content": SECOND}, {"content": THIRD, "isDoctor": False}]
    assert page_of(started_from({"replies": replies}, title="面肌痉挛怎么办？")[0]).text == FIRST


SETTINGS = {"config": {"content": FIRST * 3}, "seo": {"text": SECOND * 3}, "commentList": [{"content": THIRD * 3}]}


@pytest.mark.parametrize("text", started_from(SETTINGS)[:2])
def test_a_state_of_settings_only_is_no_article(text: str) -> None:
    assert isinstance(extracted(text), Rejected)


def test_what_stands_in_a_script_from_elsewhere_is_never_run_and_never_read() -> None:
    data = json.dumps(NEXT_DATA, ensure_ascii=False).replace("</", "<\\/")
    assert isinstance(extracted(html(f'<script src="/a.js">window.__DATA__ = {data}</script>')), Rejected)


@pytest.mark.parametrize("program", ["x = load('state'); var data = [1, 2];", "window.__DATA__ = ", "data = {", "<!--"])
def test_scripts_without_data_are_passed_over(program: str) -> None:
    assert isinstance(extracted(html(f"<script>{program}</script>")), Rejected)
