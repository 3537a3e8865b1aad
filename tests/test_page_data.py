"""Pages whose text stands in their scripts: JSON-LD, and the data that a page's own programs start from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import RESOURCES
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract import extract_page, load_site_templates
from indexer.extract.embedded import markup, parsed_json, plain_text
from indexer.records import Kind, Page, QaPair, RawPage, Rejected

TEMPLATES = load_site_templates(RESOURCES)
FIRST = "面肌痉挛可以打肉毒素，一般能维持三到六个月，之后要再打。"
SECOND = "症状轻的时候可以先观察，少熬夜，少喝咖啡，几个月后再复查。"
THIRD = "早期要注意保护眼睛，睡前涂一点眼膏，出门戴一副眼镜。"
SHOWN = (
    f"<h1>面瘫的护理方法</h1><p>{THIRD}</p><p>每天做几次抬眉、闭眼和鼓腮的练习，不要用力揉脸。</p>"
    "<p>三天以内到神经内科就诊，遵医嘱用药，饮食清淡一些，保证睡眠。</p>"
)
DOCTOR = {
    "@type": "Person",
    "name": "王建国",
    "jobTitle": "主任医师",
    "affiliation": {"@type": "Hospital", "name": "江北市人民医院"},
}


def html(script: str, body: str = "", title: str = "示例") -> str:
    return f"<html><head><title>{title}</title></head><body>{body}{script}</body></html>"


def ld(data: Any, body: str = "") -> str:
    """A page with this JSON-LD, as a value or as its very text."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return html(f'<script type="application/ld+json">{text}</script>', body)


def started_from(data: Any, body: str = '<div id="app"></div>', title: str = "示例") -> list[str]:
    """Pages whose program starts from this value, in each of the usual ways."""
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    quoted = json.dumps(json.dumps(data)).replace("</", "<\\/")
    scripts = (
        f'<script id="__NEXT_DATA__" type="application/json">{text}</script>',
        f"<script>window.__INITIAL_STATE__={text};(function(){{var s;}}());</script>",
        f"<script>\n// start\nwindow.__INITIAL_STATE__ = JSON.parse({quoted});</script>",
        f"<script>var a = 1; var pageData = {text};\nrun(pageData)</script>",
    )
    return [html(script, body, title) for script in scripts]


def extracted(text: str) -> Page | Rejected:
    return extract_page(RawPage("甲站/1.html", "html", text, "utf-8"), TEMPLATES)


def page_of(text: str) -> Page:
    page = extracted(text)
    assert isinstance(page, Page), page
    return page


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


def faq(*answers: str) -> dict[str, Any]:
    questions = ("面肌痉挛会自己好吗？", "平时要注意什么？", "要做手术吗？")
    return {
        "@type": "FAQPage",
        "name": "面肌痉挛常见问题",
        "mainEntity": [
            {"@type": "Question", "name": name, "acceptedAnswer": {"@type": "Answer", "text": text}}
            for name, text in zip(questions, answers, strict=False)
        ],
    }


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


NEXT_DATA = {
    "props": {
        "pageProps": {
            "article": {
                "title": "面肌痉挛怎么治疗",
                "content": f"<p>{FIRST}</p><h2>生活上</h2><p>{SECOND}</p>",
                "authorName": "王建国",
                "publishTime": "2020-05-06 07:08:09",
                "viewCount": 321,
                "likeCount": 5,
            },
            "recommendList": [{"title": "面瘫会自己好吗？", "summary": THIRD, "date": "2019-08-01"}],
            "breadcrumbs": [{"name": "首页"}, {"name": "神经内科"}],
            "footerText": {"content": "本站内容由编辑整理，转载请注明出处，谢谢合作。" * 9},
        }
    },
    "page": "/article/[id]",
}


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


BROKEN = [
    "",
    "null",
    "42",
    '"面肌痉挛"',
    "[]",
    "{bad json",
    '{"@type": "Article", "articleBody": "' + FIRST,
    '{"@type": "Article", "articleBody": "' + FIRST + '",}',
    "[" * 100_000,
    '{"@graph":' * 100_000,
    '{"a":' * 900 + "1" + "}" * 900,
    "[" * 900 + "{}" + "]" * 900,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda text: text[:40])
def test_broken_or_bottomless_data_is_ignored(broken: str) -> None:
    expected = page_of(html("", SHOWN))
    for script in (
        f'<script type="application/ld+json">{broken}</script>',
        f'<script type="application/json">{broken}</script>',
        f"<script>window.__INITIAL_STATE__ = {broken}</script>",
    ):
        assert page_of(html(script, SHOWN)).text == expected.text
        assert isinstance(extracted(html(script)), Rejected)
        assert page_of(html(script + ld(faq(FIRST, SECOND)))).qa_pairs[0].answer == FIRST


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/* 结构化数据 */ ", ""),
        ("<!--\n", "\n-->"),
        ("\n//\n", ";"),
        ("//<![CDATA[\n", "\n//]]>"),
    ],
)
def test_comments_around_the_data_do_no_harm(before: str, after: str) -> None:
    text = json.dumps({"@type": "Article", "headline": "面肌痉挛的治疗", "articleBody": f"{FIRST}|{SECOND}"})
    with_line_end = text.replace("|", "\n")  # which JSON does not allow
    assert page_of(ld(f"{before}{with_line_end}{after}")).text == f"{FIRST}\n{SECOND}"


def test_of_much_data_the_first_hundred_thousand_values_are_looked_at() -> None:
    many = [{"id": number} for number in range(100_001)]
    before, behind = (
        extracted(started_from(data)[0])
        for data in ({"article": NEXT_DATA["props"], "list": many}, {"list": many, "article": NEXT_DATA["props"]})
    )
    assert getattr(before, "author", None) == "王建国"
    assert getattr(behind, "author", None) is None


STRANGE: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    [],
    {},
    [[]],
    ["x"],
    [None],
    {"name": 5},
    {"name": ["x"]},
    {"a": {}},
]


@pytest.mark.parametrize("type_", ["QAPage", "FAQPage", "Article", "BreadcrumbList"])
@pytest.mark.parametrize(
    "key",
    "author mainEntity itemListElement articleBody text headline name @graph datePublished upvoteCount @id".split(),
)
def test_values_of_a_strange_type_are_ignored(type_: str, key: str) -> None:
    expected = page_of(html("", SHOWN))
    for value in STRANGE:
        page = page_of(ld({"@type": type_, key: value}, SHOWN))
        assert (page.title, page.text) == (expected.title, expected.text), value


@pytest.mark.parametrize("type_", [{"@id": "Article"}, [{"@id": "Article"}], [["Article"]]])
def test_a_type_of_a_strange_type_is_ignored(type_: Any) -> None:
    assert THIRD in page_of(ld({"@type": type_}, SHOWN)).text


@pytest.mark.parametrize("likes", ["²", "①", "9" * 5000], ids=["power", "circled", "long"])
def test_a_count_that_is_no_number_is_ignored(likes: str) -> None:
    assert page_of(ld({"@type": "Article", "upvoteCount": likes}, SHOWN)).likes is None


@pytest.mark.parametrize("year", ["9" * 20, "9" * 5000], ids=["20", "5000"])
@pytest.mark.parametrize("place", ["data", "meta"])
def test_a_date_with_an_endless_number_is_ignored(year: str, place: str) -> None:
    data = ld({"@type": "Article", "datePublished": f"{year}-01-02"}, SHOWN)
    meta = html("", f'<meta name="pubdate" content="{year}-01-02">{SHOWN}')
    assert page_of(data if place == "data" else meta).date is None


KEYS = (
    "@graph mainEntity acceptedAnswer suggestedAnswer itemListElement item author affiliation name text headline "
    "articleBody datePublished upvoteCount content title question answers role isDoctor time viewCount likeCount "
    "recommendList crumbs doctor patient replies list"
).split()
LEAVES = (
    st.none() | st.booleans() | st.integers(-5, 5000) | st.floats() | st.sampled_from([FIRST, SECOND, "2020-01-02"])
)
LEAVES |= st.sampled_from(
    ["", "王建国", "主任医师", "doctor", "user", "<p>", "&lt;b&gt;", "面肌痉挛怎么办呢？", "\0", "<"]
)
TYPES = st.sampled_from(["QAPage", "FAQPage", "Article", "BreadcrumbList", "Question", "Answer", "", None])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(
            lambda type_, rest: {"@type": type_, **rest},
            TYPES,
            st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_data_raises(data: Any) -> None:
    assert THIRD in page_of(ld(data, SHOWN)).text
    for text in (ld(data), *started_from(data)[:2]):
        item = extracted(text)
        assert isinstance(item, Rejected) or item.text.strip()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('/* x */ {"a": 1}; more()', {"a": 1}),
        ('"甲"', "甲"),
        ("[1, 2] [3]", [1, 2]),
        ('{"a": "b\nc"}', {"a": "b\nc"}),
        ("", None),
        ("var", None),
        ("{", None),
        (f"{' ' * 250}[1]", None),  # a value begins near the start, or there is none
    ],
)
def test_a_json_value_is_read_from_a_scripts_start(text: str, value: Any) -> None:
    assert parsed_json(text) == value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (f"{FIRST}\n\n{SECOND}", f"<p>{FIRST}</p><p>{SECOND}</p>"),
        ("<p>甲</p>\n<p>乙</p>", "<p>甲</p> <p>乙</p>"),
        ("&lt;p&gt;甲&lt;/p&gt;", "<p>甲</p>"),
        ("血压&nbsp;&gt;140", "<p>血压\xa0&gt;140</p>"),
        ("  ", ""),
        (None, ""),
        (5, ""),
        (["甲"], ""),
    ],
)
def test_a_text_of_the_data_becomes_html(value: Any, found: str) -> None:
    assert markup(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("面瘫\n怎么办", "面瘫 怎么办"),
        ("<b>面瘫</b>怎么办", "面瘫 怎么办"),
        ("&lt;b&gt;面瘫&lt;/b&gt;", "面瘫"),
        ("", None),
        (5, None),
    ],
)
def test_words_of_the_data_stand_in_one_line(value: Any, found: str | None) -> None:
    assert plain_text(value) == found
