"""Raw pages to clean pages: what is the article, what is embedded, what must go."""

from __future__ import annotations

import re

from indexer.extract.answers import answers_of
from indexer.extract.layout_text import divide_dump
from indexer.extract.main_content import DoctorAnswer, divide_html
from indexer.extract.sections import QA_MARK, Sections, body_text, headings, qa_pairs
from indexer.extract.site_templates import Rules, SiteTemplates, first_match, load_site_templates, plain
from indexer.records import Page, RawPage, Reason, Rejected, host_of

__all__ = ["SiteTemplates", "extract_page", "load_site_templates"]

_MIN_ANSWER_CHARS = 10  # 可以吃，但要适量。 and longer
_MIN_REPLY_CHARS = 4  # 少量可以, beneath a question
_QUESTION_END = re.compile(r"([?吗呢么]|怎么办|可以|好不好|能不能.{0,8})$")
_WALL_CHARS = 200  # a notice such as 请登录后查看 explains a page only when there is little else


def extract_page(raw: RawPage, templates: SiteTemplates) -> Page | Rejected:
    """Clean one page. Rejected when nothing on it is an answer."""
    url: str | None = None
    asked: str | None = None
    doctor_answers: tuple[DoctorAnswer, ...] = ()
    if raw.media == "html":
        html, rules = divide_html(raw, templates)
        sections, url, asked, doctor_answers = html.sections, html.url, html.asked, html.doctor_answers
    else:
        sections, rules = divide_dump(raw, templates)
    pairs = qa_pairs(sections)
    text = "\n".join(answer.text for answer in doctor_answers) or body_text(sections.body)
    if rejected := _reject(raw, sections, rules, text):
        return rejected
    facts = doctor_answers[0].facts if doctor_answers else sections.facts
    page = Page(
        path=raw.path,
        title=QA_MARK.sub("", sections.title) if sections.title else None,
        text=text,
        charset=raw.charset,
        url=url,
        site=sections.site or _site(raw.path, url),
        headings=headings(sections.body),
        author=facts.author,
        date=facts.date,
        views=sections.facts.views if facts.views is None else facts.views,
        likes=facts.likes,
        topic=_topic(sections, rules),
        qa_pairs=pairs,
        asked=asked,
        disclaimers=tuple(sections.disclaimers),
        removed=tuple(sections.removed),
    )
    return answers_of(page, rules.kind, doctor_answers)


def _reject(raw: RawPage, sections: Sections, rules: Rules, text: str) -> Rejected | None:
    removed = tuple(sections.removed)
    whole = plain(f"{sections.title or ''}\n{text}")
    notice = next(
        (line for line in (sections.title or "", *text.split("\n")) if first_match(rules.no_answer_page, plain(line))),
        None,
    )
    if notice and len(whole) <= _WALL_CHARS:
        return Rejected(raw.path, Reason.NO_CONTENT, f"页面只有提示：“{notice[:40]}”。", removed, raw.charset)
    asked = _QUESTION_END.search(plain(sections.title or "")) and sections.body
    if len(plain(text)) < (_MIN_REPLY_CHARS if asked else _MIN_ANSWER_CHARS):
        return Rejected(raw.path, Reason.NO_CONTENT, "去掉导航、广告和链接后没有正文。", removed, raw.charset)
    return None


def _topic(sections: Sections, rules: Rules) -> str | None:
    """The last part of the path that is neither the page itself nor one such as 首页."""
    title = plain(sections.title or "")
    crumbs = [crumb for crumb in sections.crumbs if plain(crumb) not in (title, *rules.breadcrumb_root)]
    return crumbs[-1] if crumbs else None


def _site(path: str, url: str | None) -> str | None:
    """The host of the page's address, else the folder that the page was collected in."""
    if url:
        return host_of(url)
    folder, _, _ = path.rpartition("/")
    return folder.split("/")[0] or None
