"""Originals in the frame: what they say is there, and nothing that runs, fetches, sends or leads anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.inbox.inert import inert_page

#: elements that the frame's own markup may have; everything that acts is outside
ACTING = set(
    "a applet area audio base button embed form frame frameset iframe img input link map math object picture portal"
    " script select source svg textarea track video noscript template".split()
)
HARMFUL = [
    "<script>alert(1)</script>",
    "<SCRIPT src=//evil.example/x.js></SCRIPT>",
    '<img src=x onerror="alert(1)">',
    '<body onload="alert(1)"><p>x</p>',
    '<p onclick="alert(1)" onmouseover=alert(1)>x</p>',
    '<svg onload="alert(1)"><script>alert(1)</script><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    '<meta http-equiv="refresh" content="0;url=http://evil.example/">',
    '<base href="http://evil.example/"><a href="x">x</a>',
    '<style>@import "http://evil.example/x.css";</style>',
    "<style>p{background:url(http://evil.example/x.png)}</style>",
    "<style>p{background:u\\72l(http://evil.example/x.png)}</style>",
    '<style>p{background-image:image-set("http://evil.example/x.png" 1x)}</style>',
    '<p style="background:url(http://evil.example/x.png)">x</p>',
    '<p style="background:u/**/rl(http://evil.example/x.png)">x</p>',
    '<link rel="stylesheet" href="http://evil.example/x.css">',
    '<form action="http://evil.example/"><input name=q><button formaction="//evil.example">x</button></form>',
    '<a href="javascript:alert(1)" target="_top">x</a>',
    '<a href="http://evil.example/" target="_blank" ping="//evil.example">',
    '<iframe src="http://evil.example/" srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="http://evil.example/x.swf"><embed src="http://evil.example/x.swf"></object>',
    '<video src="http://evil.example/x.mp4" poster="http://evil.example/x.png"></video><audio src=x></audio>',
    '<table background="http://evil.example/x.png"><td background="x">x</table>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<textarea></textarea><script>alert(1)</script>",
    "<xmp><script>alert(1)</script></xmp><plaintext><script>alert(1)</script>",
    '<p title="&quot;><script>alert(1)</script>">x</p>',
    '<details ontoggle="alert(1)" open>x</details><marquee onstart=alert(1)>x</marquee>',
    '<!--[if IE]><script>alert(1)</script><![endif]--><?xml-stylesheet href="//evil.example/x.xsl"?>',
    "<style>x</style><style></sty</style><p>x</p>",
    "<title></title><script>alert(1)</script></title>",
    "<template><script>alert(1)</script></template><slot name=x>",
]


class Elements(HTMLParser):
    """Every element with its attributes, as a browser begins to see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)
            self._in_style = False


def assert_inert(page: str) -> None:
    found = Elements(page)
    for tag, attributes in found.seen:
        assert tag not in ACTING, page
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "action", "ping")]
        assert not re.search(r"url|import|\\", attributes.get("style") or ""), page
        assert tag != "meta" or attributes == {"charset": "utf-8"}
        assert "background" not in attributes and "target" not in attributes and "srcdoc" not in attributes
    assert not re.search(r"url\(|@import|http|\\", "".join(found.styles)), page


@pytest.mark.parametrize("harm", HARMFUL)
def test_nothing_that_acts_is_left(harm: str) -> None:
    assert_inert(inert_page(f"<html><body><p>牙龈出血</p>{harm}</body></html>"))
    assert_inert(inert_page(harm))


@given(
    st.lists(
        st.sampled_from([*HARMFUL, "<p>", "</p>", "</div>", "<table><tr>", "'", '"', ">", "<", "牙龈"]), max_size=8
    )
)
def test_nothing_that_acts_is_left_of_any_mixture(pieces: list[str]) -> None:
    assert_inert(inert_page("".join(pieces)))


@given(st.text(max_size=300))
def test_any_text_is_shown_without_fault(text: str) -> None:
    assert_inert(inert_page(text))


def test_what_a_page_says_is_there_with_its_form() -> None:
    shown = inert_page(
        '<html><head><title>T</title></head><body bgcolor=red><h1 class="t" style="color:red">牙龈出血</h1>'
        '<table border=1><tr><td colspan="2">甲 &lt;乙&gt;</td></tr></table><p>前<br>后</p><img alt="牙齿" src="x.png">'
        '<a href="http://a.example/?a=1&b=2">链接</a><style>.t{font-weight:bold}</style></body></html>'
    )
    assert '<h1 class="t" style="color:red">牙龈出血</h1>' in shown
    assert '<td colspan="2">甲 &lt;乙&gt;</td>' in shown and "前<br>后" in shown
    assert "图：牙齿" in shown and 'title="http://a.example/?a=1&amp;b=2">链接</span>' in shown
    assert "<style>.t{font-weight:bold}</style>" in shown


def test_a_page_that_nests_too_deep_is_shown_as_its_text() -> None:
    shown = inert_page("<div>" * 5000 + "底")
    assert "<pre>&lt;div&gt;" in shown and "底" in shown
    assert_inert(shown)
