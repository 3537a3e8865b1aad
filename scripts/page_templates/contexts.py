"""What each HTML template shows beside the page itself: advertisements, lists of links, dates in the site's writing."""

from __future__ import annotations

import json
from collections.abc import Callable

from markupsafe import Markup, escape

from page_templates import wording
from page_templates.addresses import number_of
from page_templates.layout_dumps import embedded_pairs, farm_links
from page_templates.source import Block, SourcePage
from page_templates.variety import Variety

_DATE_FORMS = ("{0}-{1}-{2}", "{0}年{1}月{2}日", "{0}/{1}/{2}")
_HEADING_FORMS = ("<h2>{}</h2>", "<h3 class=xiaobiaoti>{}</h3>", "<p><strong>{}</strong></p>")
_PARAGRAPH_STARTS = ("<p>　　", "<p>&nbsp;&nbsp;&nbsp;&nbsp;", '<p style="text-indent:2em">', "<p class=zw_p>")
_FONT_SPAN = '<span style="font-size:16px;line-height:28px;">{}</span>'
_KEYWORD_LINK = '<a class="keylink" target="_blank" href="/bk/{}.html">{}</a>'


def _article_context(page: SourcePage) -> dict[str, object]:
    """An article; its date is in one of the forms that editors used."""
    variety = Variety(page.id)
    return {
        "body": _article_body(page, variety),
        "published": _shown_date(str(page.date), variety),
        "source": variety.pick("source", wording.ARTICLE_SOURCES),
        "marked": variety.flag("question marks"),
        "pairs": embedded_pairs(page),
        "hot": variety.sample("hot", wording.ARTICLE_HOT, 8),
        "links": variety.sample("links", page.neighbours, 6),
        "tags": [page.topic + tag for tag in variety.sample("tags", wording.ARTICLE_TAGS, 7)],
        **_shared_context(page, variety),
    }


def _question_context(page: SourcePage) -> dict[str, object]:
    """What the consultation's template shows beside the page itself."""
    variety = Variety(page.id)
    return {
        "asked": Markup("。<br>\n").join(escape(part) for part in _sentences(str(page.asked))),
        "asked_on": _shown_date(str(page.asked_date), variety),
        "answer_dates": [_shown_date(answer.date, variety) for answer in page.answers],
        "skills": [variety.pick(f"skill/{number}", wording.QA_SKILLS) for number in range(len(page.answers))],
        "ad": _advertisement(page, variety, "first"),
        "ad_in_class": variety.flag("ad in class"),
        "similar": variety.sample("similar", page.neighbours, 6),
        "hot": variety.sample("hot", wording.QA_HOT, 5),
        **_shared_context(page, variety),
    }


def _encyclopedia_context(page: SourcePage) -> dict[str, object]:
    variety = Variety(page.id)
    return {
        "headings": [block.text for block in page.body if block.is_heading],
        "updated": _shown_date(str(page.date), variety),
        "pairs": embedded_pairs(page),
        "links": variety.sample("links", page.neighbours, 5),
        "tags": [page.topic + tag for tag in variety.sample("tags", wording.ARTICLE_TAGS, 6)],
        **_shared_context(page, variety),
    }


def _leaflet_context(page: SourcePage) -> dict[str, object]:
    return {"published": _shown_date(str(page.date), Variety(page.id))}


def _faq_context(page: SourcePage) -> dict[str, object]:
    """Half of the pages also tell their questions to search engines, as JSON-LD."""
    variety = Variety(page.id)
    entities = [
        {"@type": "Question", "name": pair.question, "acceptedAnswer": {"@type": "Answer", "text": pair.answer}}
        for pair in page.related
    ]
    data = {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": entities}
    return {
        "published": _shown_date(str(page.date), variety),
        "pairs": embedded_pairs(page),
        "marked": has_question_marks(page),
        "with_data": variety.flag("json-ld"),
        "data": _script(data),
        "ad": _advertisement(page, variety, "middle"),
        "links": variety.sample("links", page.neighbours, 5),
        **_shared_context(page, variety),
    }


def _forum_context(page: SourcePage) -> dict[str, object]:
    """The thread: the question, the doctors' posts, and what other members wrote in between."""
    variety = Variety(page.id)
    names = variety.sample("members", wording.FORUM_MEMBERS, 3)
    chat = variety.sample("chat", wording.FORUM_CHAT, len(page.answers))
    posts = [_post("asker", names[0], str(page.asked_date), str(page.asked), variety)]
    for number, answer in enumerate(page.answers):
        rank = f"认证医师 {answer.author_title}"
        posts.append(_post("doctor", answer.author, answer.date, answer.text, variety) | {"rank": rank})
        posts[-1] |= {"likes": answer.likes, "sign": variety.pick("sign", wording.FORUM_SIGNATURES)}
        posts.append(_post("member", names[1 + number % 2], answer.date, chat[number], variety))
    posts.append(_post("asker", names[0], page.answers[-1].date, variety.pick("thanks", wording.FORUM_THANKS), variety))
    floors = ("楼主", "沙发", "板凳", "地板")
    for number, post in enumerate(posts):
        post["floor"] = floors[number] if number < len(floors) else f"{number + 1}#"
    return {
        "posts": posts,
        "views": thread_views(page),
        "replies": len(posts) - 1,
        "ad": _advertisement(page, variety, "thread"),
        "similar": variety.sample("similar", page.neighbours, 5),
        **_shared_context(page, variety),
    }


def has_question_marks(page: SourcePage) -> bool:
    """Whether a list of questions and answers says 问： and 答：."""
    return Variety(page.id).flag("question marks")


def thread_views(page: SourcePage) -> int:
    """How often a thread was opened; the source does not say."""
    return 200 + Variety(page.id).number("thread views", 9000)


def _post(role: str, name: str, date: str, text: str, variety: Variety) -> dict[str, object]:
    return {
        "role": role,
        "name": name,
        "rank": variety.pick(f"rank/{name}", wording.FORUM_RANKS),
        "count": variety.number(f"posts/{name}", 400),
        "date": date.replace("T", " "),
        "text": text,
        "likes": variety.number(f"likes/{name}", 4),
        "sign": "",
    }


def _mobile_context(page: SourcePage) -> dict[str, object]:
    """All that the page says stands in the data that its program starts from."""
    answers = [
        {
            "id": number_of(page) * 10 + number,
            "content": answer.text,
            "createTime": answer.date.replace("T", " "),
            "likeCount": answer.likes,
            "doctor": {"name": answer.author, "title": answer.author_title, "avatar": "//img.zhangyi.example/d.png"},
        }
        for number, answer in enumerate(page.answers, start=1)
    ]
    question = {"title": page.title, "content": page.asked, "createTime": page.asked_date, "disease": page.topic}
    hot = [{"id": number, "title": title} for number, title in enumerate(wording.QA_HOT, start=1)]
    state = {
        "user": {"isLogin": False, "nickname": ""},
        "config": {"appName": wording.MOBILE_BRAND, "downloadTip": "下载App，医生回复早知道", "version": "4.18.2"},
        "detail": {"loading": False, "question": question, "answerList": answers, "answerTotal": len(answers)},
        "recommend": {"list": Variety(page.id).sample("hot", hot, 5)},
    }
    return {"state": _script(state)}


def _script(data: object) -> Markup:
    """JSON that may stand between script tags."""
    return Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _shared_context(page: SourcePage, variety: Variety) -> dict[str, object]:
    """Advertisements, hidden spam and the footer's names, which both sites have."""
    return {
        "number": str(number_of(page)),
        "ad_class": variety.pick("ad class", wording.AD_CLASSES),
        "farm": farm_links(variety),
        "hidden_style": variety.pick("hidden style", ("display:none", "display: none;", "DISPLAY:none;height:0")),
        "side_ad": _advertisement(page, variety, "side"),
        "editor": variety.pick("editor", wording.EDITORS),
    }


def _sentences(text: str) -> list[str]:
    """The text at its full stops, without them; joined by them it is the text again."""
    head, stop, tail = text.partition("。")
    return [head, tail] if stop and tail else [text]


def _article_body(page: SourcePage, variety: Variety) -> Markup:
    """Paragraphs and headings in one of several habits of mark-up, with an advertisement in the middle."""
    heading = Markup(variety.pick("heading", _HEADING_FORMS))
    blocks = [
        heading.format(block.text) if block.is_heading else _paragraph(page, block, number, variety)
        for number, block in enumerate(page.body)
    ]
    blocks.insert(max(1, len(blocks) // 2), _article_advertisement(page, variety))
    return Markup("\n").join(blocks)


def _paragraph(page: SourcePage, block: Block, number: int, variety: Variety) -> Markup:
    """One paragraph, as editors' tools of the time wrote them."""
    content = escape(block.text)
    if variety.flag("keyword links") and page.topic in block.text:
        link = Markup(_KEYWORD_LINK).format(variety.number("topic page", 9000) + 1000, page.topic)
        content = Markup(content.replace(escape(page.topic), link, 1))
    if variety.flag("font spans"):
        content = Markup(_FONT_SPAN).format(content)
    end = Markup("<br></p>") if variety.flag(f"line break/{number}") else Markup("</p>")
    return Markup(variety.pick("paragraph", _PARAGRAPH_STARTS)) + content + end


def _article_advertisement(page: SourcePage, variety: Variety) -> Markup:
    """Half of the pages have it in a box of its own, half as a paragraph like any other."""
    text = _advertisement(page, variety, "body")
    if variety.flag("boxed advertisement"):
        box = Markup('<div class="{}" id=gg_03>\n<!-- 广告位 03 -->\n<a href="//zixun.example/to?id={}">{}</a>\n</div>')
        name = variety.pick("ad class", wording.AD_CLASSES)
        return box.format(name, variety.number("ad id", 900) + 100, text)
    return Markup(variety.pick("paragraph", _PARAGRAPH_STARTS)) + escape(text) + Markup("</p>")


def _advertisement(page: SourcePage, variety: Variety, place: str) -> str:
    return variety.pick(f"advertisement/{place}", wording.ADVERTISEMENTS).format(topic=page.topic)


def _shown_date(date: str, variety: Variety) -> str:
    """The date in the site's own writing, with the time when there is one."""
    day, _, time = date.partition("T")
    return f"{variety.pick('date form', _DATE_FORMS).format(*day.split('-'))} {time}".strip()


CONTEXTS: dict[str, Callable[[SourcePage], dict[str, object]]] = {
    "html-article": _article_context,
    "html-qa": _question_context,
    "encyclopedia": _encyclopedia_context,
    "leaflet": _leaflet_context,
    "forum": _forum_context,
    "mobile": _mobile_context,
    "faq": _faq_context,
}
