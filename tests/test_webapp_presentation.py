"""Filters of the templates: above all, that marks never change the text and source text never becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from builders import make_answer
from fakes import FakeEngine
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import Kind, QualityFact
from indexer.verdicts import Flaw
from webapp import create_app
from webapp.presentation import (
    FLAW_NOTES,
    SIMPLIFIED,
    TRADITIONAL,
    clip,
    day,
    flaw_notes,
    highlight,
    host,
    kind_label,
    link_to,
    paragraphs,
    real_date,
    script_of,
    web_address,
)

SPANS = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=6)
#: A parser normalises carriage returns and drops NUL; all else must come through.
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from("<>&\"'/=script mark;#"), st.characters(exclude_characters="\r\x00")),
    max_size=40,
)


SITE = create_app(engine=FakeEngine())


class Parsed(HTMLParser):
    """What a browser makes of a piece of HTML: its text, its tags, and the marked characters."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.marked = "", ""
        self.tags: list[object] = []
        self.feed(str(html))  # a Markup would escape what the parser joins
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *attrs))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags and self.tags[-1] == ("mark",):
            self.marked += data


@given(TEXTS, SPANS)
def test_marks_never_add_or_lose_text(text: str, spans: list[tuple[int, int]]) -> None:
    assert Parsed(highlight(text, spans)).text == text


@given(TEXTS, SPANS)
def test_only_marks_are_markup(text: str, spans: list[tuple[int, int]]) -> None:
    tags = Parsed(highlight(text, spans)).tags
    assert tags == [("mark",), "/mark"] * (len(tags) // 2)


@given(TEXTS, SPANS)
def test_exactly_the_spans_are_marked(text: str, spans: list[tuple[int, int]]) -> None:
    inside = {place for start, end in spans for place in range(start, end)}
    assert Parsed(highlight(text, spans)).marked == "".join(c for place, c in enumerate(text) if place in inside)


def test_highlight_by_example() -> None:
    assert highlight("治<b>面肌痉挛</b>", [(4, 8)]) == "治&lt;b&gt;<mark>面肌痉挛</mark>&lt;/b&gt;"
    assert highlight("面肌痉挛", [(2, 4), (0, 2)]) == "<mark>面肌痉挛</mark>"
    assert highlight("面肌痉挛", [(0, 1), (3, 9)]) == "<mark>面</mark>肌痉<mark>挛</mark>"


@pytest.mark.parametrize(
    "url", ["http://a.cn/x", "https://a.cn", "HTTPS://a.cn/?q=1#2", "http://[::1]/", "http://中文.cn/路径"]
)
def test_web_addresses_are_linked(url: str) -> None:
    assert web_address(url) == url


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "java\nscript:alert(1)", " http://a.cn", "data:text/html,x", "//a.cn", "a.cn/x",
     "http://", "http://[", "file:///etc/passwd", "ftp://a.cn/"],
)  # fmt: skip
def test_other_addresses_are_not(url: str | None) -> None:
    assert web_address(url) is None


@pytest.mark.parametrize(
    ("date", "shown"),
    [("2013-05-06T08:30:00", "2013-05-06"), ("2013-05-06", "2013-05-06"), ("昨天", "昨天"), (None, "未注明"),
     ("", "未注明"), ("2013-05-06约", "2013-05-06约")],
)  # fmt: skip
def test_day(date: str | None, shown: str) -> None:
    assert day(date) == shown


def test_every_kind_has_a_label() -> None:
    assert [kind_label(kind) for kind in Kind] == ["网页文章", "医生回答", "网友回复", "问答摘录"]


def test_clip_and_paragraphs() -> None:
    assert (clip("一二三四", 4), clip("一二三四五", 4)) == ("一二三四", "一二三…")
    assert paragraphs(" 一\n\n二 \r\n\t\n三") == ["一", "二", "三"]


@given(text=st.text())
def test_an_address_leads_back_to_the_question_it_was_made_of(text: str) -> None:
    with SITE.test_request_context():
        address = link_to("pages.search", q=text, page=None, aspect="病因")
    assert parse_qs(urlsplit(address).query, keep_blank_values=True, errors="replace") == {
        "q": [text.encode("utf-8", "replace").decode()],
        "aspect": ["病因"],
    }
    assert re.fullmatch(r"/search\?q=[0-9A-Za-z%_.~\-\u4e00-\u9fff]*&aspect=病因", address)


@pytest.mark.parametrize(
    ("date", "real"),
    [("2013-05-06T08:30:00", "2013-05-06"), ("2013-05-06", "2013-05-06"), ("2013-02-30", None), ("昨天", None),
     ("", None), (None, None), ("2013", None), ("20130506", None)],
)  # fmt: skip
def test_only_days_of_the_calendar_are_dates_for_machines(date: str | None, real: str | None) -> None:
    assert real_date(date) == real


@pytest.mark.parametrize(
    ("text", "script"),
    [("面肌痉挛怎么治疗", None), ("顏面痙攣該怎麼治療，這個病會好嗎", "zh-Hant"), ("", None), ("ABC", None),
     ("有醫生說過。我们这里的医院不是这样说的，还要问问别的医生", None), ("發烧", None)],
)  # fmt: skip
def test_the_script_is_named_where_it_is_plainly_traditional(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_no_simplified_character_counts_as_traditional() -> None:
    assert len(TRADITIONAL) == len(SIMPLIFIED) and not TRADITIONAL & SIMPLIFIED


def test_every_flaw_is_told_to_readers() -> None:
    assert set(FLAW_NOTES) == {flaw.value for flaw in Flaw}
    facts = (QualityFact(Flaw.MASKED, "吃**药"), QualityFact(Flaw.CUT_OFF, "到这里..."))
    assert flaw_notes(make_answer("a", "问", "答", quality=facts)) == [
        (FLAW_NOTES["cut_off"], ""),
        (FLAW_NOTES["masked"], "吃**药"),
    ]


def test_the_host_of_an_address() -> None:
    assert host("https://www.Example.com:8443/a?b") == "www.example.com"
