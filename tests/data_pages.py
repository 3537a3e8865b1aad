"""Pages whose text stands in their scripts, for the tests of what is read of them."""

from __future__ import annotations

import json
from typing import Any

from builders import RESOURCES

from indexer.extract import extract_page, load_site_templates
from indexer.records import Page, RawPage, Rejected

TEMPLATES = load_site_templates(RESOURCES)


FIRST = "面肌痉挛可以打肉毒素，一般能维持三到六个月，之后要再打。"


SECOND = "症状轻的时候可以先观察，少熬夜，少喝咖啡，几个月后再复查。"


THIRD = "早期要注意保护眼睛，睡前涂一点眼膏，出门戴一副眼镜。"


SHOWN = (
    f"<h1>面瘫的护理方法</h1><p>{THIRD}</p><p>每天做几次抬眉、闭眼和鼓腮的练习，不要用力揉脸。</p>"
    "<p>三天以内到神经内科就诊，遵医嘱用药，饮食清淡一些，保证睡眠。</p>"
)


def html(script: str, body: str = "", title: str = "示例") -> str:
    return f"<html><head><title>{title}</title></head><body>{body}{script}</body></html>"


def ld(data: Any, body: str = "") -> str:
    """A page with this JSON-LD, as a value or as its very text."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return html(f'<script type="application/ld+json">{text}</script>', body)


def started_from(data: Any, body: str = '<div id="app"></div>', title: str = "示例") -> list[str]:
    """Pages whose program starts from this value, in each of the usual ways."""
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    quoted = json.dumps(json.dumps(data)).replace("</", "<\\/")
    scripts = (
        f'<script id="__NEXT_DATA__" type="application/json">{text}</script>',
        f"<script>window.__INITIAL_STATE__={text};(function(){{var s;}}());</script>",
        f"<script>\n// start\nwindow.__INITIAL_STATE__ = JSON.parse({quoted});</script>",
        f"<script>var a = 1; var pageData = {text};\nrun(pageData)</script>",
    )
    return [html(script, body, title) for script in scripts]


def extracted(text: str) -> Page | Rejected:
    return extract_page(RawPage("甲站/1.html", "html", text, "utf-8"), TEMPLATES)


def page_of(text: str) -> Page:
    page = extracted(text)
    assert isinstance(page, Page), page
    return page


def faq(*answers: str) -> dict[str, Any]:
    questions = ("面肌痉挛会自己好吗？", "平时要注意什么？", "要做手术吗？")
    return {
        "@type": "FAQPage",
        "name": "面肌痉挛常见问题",
        "mainEntity": [
            {"@type": "Question", "name": name, "acceptedAnswer": {"@type": "Answer", "text": text}}
            for name, text in zip(questions, answers, strict=False)
        ],
    }


NEXT_DATA = {
    "props": {
        "pageProps": {
            "article": {
                "title": "面肌痉挛怎么治疗",
                "content": f"<p>{FIRST}</p><h2>生活上</h2><p>{SECOND}</p>",
                "authorName": "王建国",
                "publishTime": "2020-05-06 07:08:09",
                "viewCount": 321,
                "likeCount": 5,
            },
            "recommendList": [{"title": "面瘫会自己好吗？", "summary": THIRD, "date": "2019-08-01"}],
            "breadcrumbs": [{"name": "首页"}, {"name": "神经内科"}],
            "footerText": {"content": "本站内容由编辑整理，转载请注明出处，谢谢合作。" * 9},
        }
    },
    "page": "/article/[id]",
}
