"""Raw pages with nothing to search in them: each must be rejected, none may stop a build."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from page_templates import wording
from page_templates.layout_dumps import farm_links
from page_templates.variety import Variety

_FOLDER = Path(__file__).parent / "rejected"


@dataclass(frozen=True)
class RejectedPage:
    """A page that no source describes."""

    id: str
    site: str
    suffix: str
    text: str
    codec: str
    declared: str | None = None  #: the encoding its <meta> names
    dirt: str = "nothing"  #: what it is instead of an answer


def rejected_pages() -> tuple[RejectedPage, ...]:
    """All of them; most lie in the folder beside this file."""
    return (
        RejectedPage("empty-file", "html-article", ".html", "", "utf-8", dirt="empty"),
        _stored("navigation-only", "html-article", "gbk", "navigation"),
        _stored("ads-only-landing", "html-article", "utf-8", "advertisements"),
        _stored("login-wall", "html-qa", "gb18030", "login_wall", declared="gb2312"),
        _stored("page-not-found", "html-qa", "utf-8", "not_found"),
        _stored("search-results", "html-qa", "utf-8", "navigation"),
        _stored("thread-needs-login", "forum", "gb18030", "login_wall", declared="gb2312"),
        _stored("thread-deleted", "forum", "gb18030", "not_found", declared="gb2312"),
        _stored("question-without-answers", "mobile", "utf-8", "nothing"),
        _stored("captcha", "mobile", "utf-8", "login_wall"),
        _stored("leaflet-menu", "leaflet", "big5", "navigation"),
        _stored("ads-only-dump", "voice-qa", "utf-8", "advertisements", suffix=".txt", declared=None),
        RejectedPage("link-farm-only", "zhuanti", ".txt", _link_farm_only(), "utf-8", dirt="link_farm"),
        _garbled(_stored("garbled-article", "faq", "utf-8", "mojibake")),
        _garbled(_stored("garbled-dump", "kepu", "utf-8", "mojibake", suffix=".txt", declared=None)),
    )


def _stored(
    name: str, site: str, codec: str, dirt: str, *, suffix: str = ".html", declared: str | None = ""
) -> RejectedPage:
    """A page of the folder; it declares the encoding it is stored in, unless another is named."""
    text = (_FOLDER / f"{name}{suffix}").read_text(encoding="utf-8")
    return RejectedPage(name, site, suffix, text, codec, codec if declared == "" else declared, dirt)


def _link_farm_only() -> str:
    """What is left of a topic page whose article was taken away."""
    return "\n\n".join(["可能关注", " ".join(farm_links(Variety("link-farm-only"))), wording.ZHUANTI_DISCLAIMER])


def _garbled(page: RejectedPage) -> RejectedPage:
    """The page after a scraper took its UTF-8 for GBK and stored what it saw."""
    return replace(page, text=page.text.encode().decode("gbk", errors="replace"))
