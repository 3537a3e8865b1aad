"""The two sites whose pages are HTML, in the state and the encodings such sites really had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from page_templates import wording
from page_templates.layout_dumps import embedded_pairs, farm_links
from page_templates.source import Block, SourcePage
from page_templates.variety import Variety

_DATE_FORMS = ("{0}-{1}-{2}", "{0}年{1}月{2}日", "{0}/{1}/{2}")
_HEADING_FORMS = ("<h2>{}</h2>", "<h3 class=xiaobiaoti>{}</h3>", "<p><strong>{}</strong></p>")
_PARAGRAPH_STARTS = ("<p>　　", "<p>&nbsp;&nbsp;&nbsp;&nbsp;", '<p style="text-indent:2em">', "<p class=zw_p>")
_FONT_SPAN = '<span style="font-size:16px;line-height:28px;">{}</span>'
_KEYWORD_LINK = '<a class="keylink" target="_blank" href="/bk/{}.html">{}</a>'


@dataclass(frozen=True)
class Encoding:
    """How a page is stored, and what it says of itself."""

    codec: str  #: what decodes every byte of it
    declared: str  #: what its <meta> names


_UTF_8 = Encoding("utf-8", "utf-8")
_GBK = Encoding("gbk", "gbk")
_FALSE_GB2312 = Encoding("gb18030", "gb2312")


def encoding_of(page: SourcePage) -> Encoding:
    """Half of each site is UTF-8; of the other half, only one site declares what it uses."""
    if Variety(page.id).flag("stored as utf-8"):
        return _UTF_8
    return _GBK if page.site == "html-article" else _FALSE_GB2312


def address_of(page: SourcePage) -> str:
    """The canonical address."""
    number = 10_000_000 + Variety(page.id).number("address", 90_000_000)
    if page.site == "html-qa":
        return f"https://wenyi.example/q/{number}.html"
    return f"https://jiankang.example/a/{str(page.date)[:10].replace('-', '')}/{number}.html"


def render_html(page: SourcePage) -> bytes:
    """The page as its server sent it; a character its encoding lacks becomes a numeric reference."""
    context = _article_context(page) if page.site == "html-article" else _question_context(page)
    template = _environment().get_template(page.site.replace("-", "_") + ".html")
    encoding = encoding_of(page)
    html = template.render(page=page, url=address_of(page), charset=encoding.declared, words=wording, **context)
    return html.encode(encoding.codec, errors="xmlcharrefreplace")


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _article_context(page: SourcePage) -> dict[str, object]:
    """What the encyclopaedia's template shows beside the page itself."""
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


def _shared_context(page: SourcePage, variety: Variety) -> dict[str, object]:
    """Advertisements, hidden spam and the footer's names, which both sites have."""
    return {
        "number": address_of(page).rpartition("/")[2].removesuffix(".html"),
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
