"""Raw pages to clean pages: what is the article, what is embedded, what must go."""

from __future__ import annotations

from indexer.extract.answers import answers_of
from indexer.extract.blocks import is_prose, line_block
from indexer.extract.layout_text import divide_dump
from indexer.extract.main_content import divide_html
from indexer.extract.marked import site_of
from indexer.extract.sections import QA_MARK, Sections, body_text, headings, qa_pairs
from indexer.extract.site_templates import Rules, SiteTemplates, first_match, load_site_templates, plain
from indexer.extract.title import is_question, title_key, without_kind
from indexer.records import Page, RawPage, Rejected
from indexer.verdicts import Reason

__all__ = ["SiteTemplates", "extract_page", "load_site_templates"]

_MIN_ANSWER_CHARS = 24  # less, below a title that asks nothing, is a remark: 排行由患者投票产生
_MIN_REPLY_CHARS = 4  # 少量可以, beneath a question
_MIN_LIST_CHARS = 60  # a list of drugs or foods has more
_MIN_TEASERS = 4
_WALL_CHARS = 300  # a notice such as 请登录后查看 explains a page only when there is little else


def extract_page(raw: RawPage, templates: SiteTemplates) -> Page | Rejected:
    """Clean one page. Rejected when nothing on it is an answer."""
    if raw.media == "html":
        parts, rules = divide_html(raw, templates)
    else:
        parts, rules = divide_dump(raw, templates)
    sections, doctor_answers, url = parts.sections, parts.doctor_answers, parts.url
    pairs = (*parts.faq, *qa_pairs(sections), *parts.related)
    text = "\n".join(answer.text for answer in doctor_answers) or body_text(sections.body)
    if not parts.kept and (rejected := _reject(raw, sections, rules, text)):
        return rejected
    facts = doctor_answers[0].facts if doctor_answers else sections.facts
    if len(doctor_answers) == 1:
        facts = facts.filled_from(sections.facts)
    page = Page(
        path=raw.path,
        title=QA_MARK.sub("", without_kind(sections.title)) if sections.title else None,
        text=text,
        charset=raw.charset,
        url=url,
        site=sections.site or site_of(raw.path, url),
        headings=headings(sections.body),
        author=facts.author,
        date=facts.date,
        views=sections.facts.views if facts.views is None else facts.views,
        likes=facts.likes,
        author_title=facts.author_title,
        hospital=facts.hospital,
        answer_count=len(doctor_answers) or None,
        topic=_topic(sections, rules),
        qa_pairs=pairs,
        asked=parts.asked,
        disclaimers=tuple(sections.disclaimers),
        removed=tuple(sections.removed),
        kept=parts.kept,
    )
    return answers_of(page, rules.kind, doctor_answers, bool(parts.faq))


def _reject(raw: RawPage, sections: Sections, rules: Rules, text: str) -> Rejected | None:
    removed = tuple(sections.removed)
    whole = plain(f"{sections.title or ''}\n{text}")
    notice = next(
        (line for line in (sections.title or "", *text.split("\n")) if first_match(rules.no_answer_page, plain(line))),
        None,
    )
    lines = text.split("\n")
    if notice is None and text.rstrip().endswith(("...", "…")):  # cut off, and the page says why
        notice = next((p.text for p in removed if first_match(rules.no_answer_page, plain(p.text))), None)
    teasers = [line for line in lines if line.rstrip().endswith(("...", "…"))]
    if len(teasers) >= _MIN_TEASERS and len(teasers) * 2 > sum(is_prose(line_block(line)) for line in lines):
        detail = f"页面只是一列文章的开头（{len(teasers)} 篇），没有哪一篇的正文。"
        return Rejected(raw.path, Reason.NO_CONTENT, detail, removed, raw.charset)
    if notice and len(whole) <= _WALL_CHARS:
        return Rejected(raw.path, Reason.NO_CONTENT, f"页面只有提示：“{notice[:40]}”。", removed, raw.charset)
    adverts = sum(len(piece.text) for piece in removed if piece.reason is Reason.ADVERTISEMENT)
    if not is_question(sections.title) and len(whole) < _WALL_CHARS and adverts > len(whole):
        return Rejected(raw.path, Reason.NO_CONTENT, "去掉广告以后没有正文。", removed, raw.charset)
    says = any(is_prose(line_block(line)) or line.rstrip().endswith(("。", "！", "；", "!")) for line in lines if line)
    if not says and len(lines) > 1 and len(plain(text)) < _MIN_LIST_CHARS:
        return Rejected(raw.path, Reason.NO_CONTENT, "只剩下几行短语，没有成句的正文。", removed, raw.charset)
    if len(plain(text)) < (_MIN_REPLY_CHARS if is_question(sections.title) else _MIN_ANSWER_CHARS):
        return Rejected(raw.path, Reason.NO_CONTENT, "去掉导航、广告和链接后没有正文。", removed, raw.charset)
    return None


def _topic(sections: Sections, rules: Rules) -> str | None:
    """The last part of the path that is neither the page itself nor one such as 首页."""
    title = title_key(sections.title or "")
    crumbs = [
        crumb
        for position, crumb in enumerate(sections.crumbs)
        if not first_match(rules.no_topic, plain(crumb))
        and (position or len(sections.crumbs) == 1)
        and not (title and (title_key(crumb) == title or (len(crumb) > 8 and title.startswith(title_key(crumb)[:-2]))))
    ]
    return crumbs[-1] if crumbs else None
