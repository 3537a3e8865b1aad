"""Where each page was collected from, and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from page_templates.source import HOSTS, SourcePage
from page_templates.variety import Variety


@dataclass(frozen=True)
class Encoding:
    """How a page is stored, and what it says of itself."""

    codec: str  #: what decodes every byte of it
    declared: str  #: what its <meta> names


_UTF_8 = Encoding("utf-8", "utf-8")
_GBK = Encoding("gbk", "gbk")
_FALSE_GB2312 = Encoding("gb18030", "gb2312")
_ENCODINGS = {
    "forum": _FALSE_GB2312,
    "leaflet": Encoding("big5", "big5"),
    "encyclopedia": _UTF_8,
    "mobile": _UTF_8,
    "faq": _UTF_8,
}
_ADDRESSES = {
    "html-article": "a/{day}/{number}.html",
    "html-qa": "q/{number}.html",
    "encyclopedia": "lemma/{number}",
    "leaflet": "edu_{number}.asp",
    "forum": "thread-{number}-1-1.html",
    "mobile": "question/{number}",
    "faq": "f/{number}",
}


def encoding_of(page: SourcePage) -> Encoding:
    """The encoding of its site; the two oldest sites moved to UTF-8 in mid-life."""
    if page.site in _ENCODINGS:
        return _ENCODINGS[page.site]
    if Variety(page.id).flag("stored as utf-8"):
        return _UTF_8
    return _GBK if page.site == "html-article" else _FALSE_GB2312


def number_of(page: SourcePage) -> int:
    """The page's number on its site."""
    return 10_000_000 + Variety(page.id).number("address", 90_000_000)


def address_of(page: SourcePage) -> str:
    """The canonical address."""
    day = str(page.date)[:10].replace("-", "")
    return f"https://{HOSTS[page.site]}/" + _ADDRESSES[page.site].format(number=number_of(page), day=day)
