"""Data of pages that is broken, bottomless or of strange types: it does no harm, and what can be read of it is."""

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
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.embedded import markup, parsed_json, plain_text
from indexer.records import Rejected

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
