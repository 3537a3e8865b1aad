"""The three sites whose pages are layout dumps: text as a scraper laid it out, UTF-8, no line end at the end."""

from __future__ import annotations

from page_templates import wording
from page_templates.source import Block, SourcePage
from page_templates.variety import Variety

VOICE_QA_CUT = 128  #: characters; this site cuts without a mark
ZHUANTI_CUT = 100  #: characters; this site adds the mark to every excerpt, cut or not
KEPU_CUT = 110  #: characters; this site adds the mark only to what it cut
MARK = "..."
_FARM_LINKS_MIN, _FARM_LINKS_MAX = 30, 40


def embedded_pairs(page: SourcePage) -> list[dict[str, str | None]]:
    """The questions and answers that stand on a page beside its main text, answers cut as its site cuts them."""
    return [
        {"question": related.question, "answer": shown_answer(page.site, related.answer), "date": related.date}
        for related in page.related
    ]


def shown_answer(site: str, answer: str) -> str:
    """As much of an embedded answer as the site shows."""
    if site == "voice-qa":
        return answer[:VOICE_QA_CUT]
    if site == "zhuanti":
        return answer[:ZHUANTI_CUT] + MARK
    if site == "kepu":
        return _cut_with_mark(answer, KEPU_CUT)
    return answer


def _cut_with_mark(text: str, limit: int) -> str:
    """The text itself, or its first `limit` characters and a mark."""
    return text if len(text) <= limit else text[:limit] + MARK


def render_dump(page: SourcePage) -> str:
    """The page as its site lays it out."""
    return {"voice-qa": _voice_qa, "zhuanti": _zhuanti, "kepu": _kepu}[page.site](page)


def _voice_qa(page: SourcePage) -> str:
    """Title, author line, indented paragraphs; then other questions, each with its date."""
    date = str(page.date).replace("T", " ")
    related = [f"{pair['question']} {pair['date']}\n\n{pair['answer']}" for pair in embedded_pairs(page)]
    return "\n\n".join(
        [
            page.title,
            f"{page.author} {date} {page.views}",
            *_indented(page.body),
            "点赞\n相关资源",
            "\n\n\n".join(related),
            "返回",
        ]
    )


def _zhuanti(page: SourcePage) -> str:
    """Breadcrumb, title, indented blocks; then excerpts of answers, a link farm and a disclaimer."""
    variety = Variety(page.id)
    excerpts: list[str] = []
    for number, pair in enumerate(embedded_pairs(page)):
        answers = variety.pick(f"answers/{number}", (1, 1, 1, 2, 3))
        excerpts += [str(pair["question"]), str(pair["answer"]), f"{answers}个回答"]
    return "\n\n".join(
        [
            *("当前位置:", "专题", ">", page.topic, ">", page.title, page.title),
            *_indented(page.body),
            f"{page.topic}在线咨询",
            "更多",
            *excerpts,
            "可能关注",
            " ".join(farm_links(variety)),
            wording.ZHUANTI_DISCLAIMER,
        ]
    )


def _kepu(page: SourcePage) -> str:
    """Brand, title, views, blocks, a tip; then questions and answers line by line, the page itself first."""
    own_text = "".join(block.text for block in page.body)
    recommended = [page.title, _cut_with_mark(own_text, KEPU_CUT)]
    for pair in embedded_pairs(page):
        recommended += [str(pair["question"]), str(pair["answer"])]
    return "\n\n".join(
        [
            wording.KEPU_BRAND,
            "科普文章",
            "查疾病 找医生 找医院",
            page.title,
            f"{page.views}次浏览",
            *(block.text for block in page.body),
            wording.KEPU_TIP,
            "相关推荐",
            "\n".join(recommended),
        ]
    )


def _indented(body: tuple[Block, ...]) -> list[str]:
    return [f"  {block.text}" for block in body]


def farm_links(variety: Variety) -> list[str]:
    """The texts of a link farm: 30 to 40 spam lines without a space in them."""
    count = _FARM_LINKS_MIN + variety.number("farm length", _FARM_LINKS_MAX - _FARM_LINKS_MIN + 1)
    towns = [start + end for start in wording.TOWN_STARTS for end in wording.TOWN_ENDS]
    chosen_towns = variety.sample("farm towns", towns, count)
    return [
        variety.pick(f"farm link/{number}", wording.FARM_LINKS).format(town=town)
        for number, town in enumerate(chosen_towns)
    ]
