"""Extraction: every page of the demonstration corpus against its label, and pages of other shapes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from indexer.extract import SiteTemplates, extract_page, load_site_templates
from indexer.read import read_file
from indexer.read.pages import text_of
from indexer.records import Kind, Page, RawPage, Rejected, SavedPage
from indexer.verdicts import Reason

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "corpus"
LABELS = [json.loads(line) for line in (CORPUS / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
SEEDS = ROOT.parent / "shared" / "seeds"
FACTS = ("title", "author", "date", "views", "likes", "topic")


@pytest.fixture(scope="module")
def templates() -> SiteTemplates:
    return load_site_templates(CORPUS / "resources")


def clean(file: Path, templates: SiteTemplates) -> Page | Rejected:
    (saved,) = read_file(file, file.name, 10_000_000)
    assert isinstance(saved, SavedPage)
    raw = text_of(saved)
    return raw if isinstance(raw, Rejected) else extract_page(raw, templates)


def page_of(text: str, media: str, templates: SiteTemplates) -> Page:
    page = extract_page(RawPage("page", media, text, "utf-8"), templates)
    assert isinstance(page, Page), page
    return page


def four_grams(text: str) -> Counter[str]:
    packed = "".join(text.split())
    return Counter(packed[i : i + 4] for i in range(len(packed) - 3))


def f1(found: str, right: str) -> float:
    a, b = four_grams(found), four_grams(right)
    return 2 * sum((a & b).values()) / (sum(a.values()) + sum(b.values()))


def pairs(label: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(pair["question"], pair["answer"], pair.get("date")) for pair in label["qa_pairs"]]


@pytest.mark.parametrize("label", [label for label in LABELS if label["keep"]], ids=lambda label: label["path"])
def test_a_page_of_the_corpus_is_extracted_as_labelled(label: dict[str, Any], templates: SiteTemplates) -> None:
    page = clean(CORPUS / label["path"], templates)
    assert isinstance(page, Page)
    assert page.text == label["text"]
    assert {name: getattr(page, name) for name in FACTS} == {name: label[name] for name in FACTS}
    assert (page.url, page.charset) == (label["url"], label["encoding"])
    assert list(page.headings) == label["headings"]
    assert [(pair.question, pair.answer, pair.date) for pair in page.qa_pairs] == pairs(label)
    if "doctor_answers" in label:
        doctors = [answer for answer in page.answers if answer.kind is not Kind.QA_EXCERPT]
        assert {answer.kind for answer in doctors} == {Kind.DOCTOR_ANSWER}
        assert [(answer.author, answer.date, answer.likes, answer.text) for answer in doctors] == [
            (answer["author"], answer["date"], answer["likes"], answer["text"]) for answer in label["doctor_answers"]
        ]


@pytest.mark.parametrize("label", [label for label in LABELS if not label["keep"]], ids=lambda label: label["path"])
def test_a_page_without_an_answer_is_rejected_with_a_reason(label: dict[str, Any], templates: SiteTemplates) -> None:
    rejected = clean(CORPUS / label["path"], templates)
    assert isinstance(rejected, Rejected)
    expected = {"empty": Reason.EMPTY, "mojibake": Reason.BAD_CHARSET}.get(label["dirt"][0]["dirt"], Reason.NO_CONTENT)
    assert rejected.reason is expected
    assert rejected.detail


def test_what_is_removed_is_kept_on_record_with_its_reason(templates: SiteTemplates) -> None:
    removed: Counter[Reason] = Counter()
    for label in LABELS:
        page = clean(CORPUS / label["path"], templates)
        removed.update(block.reason for block in page.removed)
    assert {
        Reason.NAVIGATION,
        Reason.RELATED_LIST,
        Reason.LINK_FARM,
        Reason.ADVERTISEMENT,
        Reason.DISCLAIMER,
        Reason.HIDDEN,
        Reason.OWN_TITLE,
        Reason.METADATA,
    } <= set(removed)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the four real pages (../shared/seeds) are not part of a user's clone")
@pytest.mark.parametrize("file", sorted(SEEDS.glob("*.txt")), ids=lambda file: file.stem)
def test_a_real_page_is_extracted_as_judged(file: Path, templates: SiteTemplates) -> None:
    gold = json.loads((SEEDS / "gold" / f"{file.stem}.json").read_text(encoding="utf-8"))
    page = clean(file, templates)
    assert isinstance(page, Page)
    assert f1(page.text, "\n".join(block["text"] for block in gold["blocks"])) >= 0.98
    assert {name: getattr(page, name) for name in FACTS} == {name: gold[name] for name in FACTS}
    found = {(pair.question, pair.answer, pair.date) for pair in page.qa_pairs}
    assert len(found & set(pairs(gold))) >= 0.95 * len(pairs(gold))
    assert len(found) <= len(pairs(gold))
    served = [answer.text for answer in page.answers]
    assert not [text for text in served if "亲子鉴定" in text or "丰胸" in text]
    assert not [text for text in served for disclaimer in page.disclaimers if disclaimer in text]


SITES = Path(__file__).parent / "cases" / "sites"
EXACT_CASES = [
    case
    for case in sorted(SITES.iterdir())
    if json.loads((case / "right.json").read_text(encoding="utf-8")).get("exact")
]


@pytest.mark.parametrize("case", EXACT_CASES, ids=lambda case: case.name)
def test_a_page_of_another_make(case: Path, templates: SiteTemplates) -> None:
    right = json.loads((case / "right.json").read_text(encoding="utf-8"))
    page = clean(next(case.glob("page.*")), templates)
    assert isinstance(page, Page), right["comment"]
    assert page.text.split("\n") == right["text"], right["comment"]
    assert {name: getattr(page, name) for name in FACTS} == {name: right[name] for name in FACTS}, right["comment"]
    assert (list(page.headings), page.charset) == (right["headings"], right["encoding"]), right["comment"]


ARTICLE = """<html><head><title>脚气怎么护理 - 某某健康</title></head><body>
<div class="content-with-sidebar"><h1>脚气怎么护理</h1>
<table><tr><td>发布时间：2014/3/5 8:09　作者：钱小青　阅读：1,024次</td></tr></table>
<div>洗脚之后要把脚趾缝擦干，<a href="/w">鞋袜</a>每天更换，公共浴室里不要和别人共用拖鞋。<br><br>
药膏要坚持涂到皮肤看上去正常以后，再按医生的嘱咐巩固一段时间。</div>
<p>如果流水、红肿或者发热，应当到皮肤科就诊。</p></div>
<div class="sidebar"><h3>热门文章</h3><ul><li><a href="/1">怎样选跑鞋</a></li>
<li><a href="/2">怎样选袜子</a></li></ul></div>
</body></html>"""


def test_an_article_of_an_unknown_site(templates: SiteTemplates) -> None:
    page = page_of(ARTICLE, "html", templates)
    assert page.title == "脚气怎么护理"
    assert page.text.split("\n") == [
        "洗脚之后要把脚趾缝擦干，鞋袜每天更换，公共浴室里不要和别人共用拖鞋。",
        "药膏要坚持涂到皮肤看上去正常以后，再按医生的嘱咐巩固一段时间。",
        "如果流水、红肿或者发热，应当到皮肤科就诊。",
    ]
    assert (page.author, page.date, page.views) == ("钱小青", "2014-03-05T08:09:00", 1024)


def test_one_short_sentence_is_an_answer(templates: SiteTemplates) -> None:
    page = page_of("感冒时能洗澡吗\n\n可以洗，水温合适、时间短一些就行。\n", "text", templates)
    assert (page.title, page.text) == ("感冒时能洗澡吗", "可以洗，水温合适、时间短一些就行。")


def test_a_warning_about_quacks_is_no_advertisement(templates: SiteTemplates) -> None:
    warning = "不要相信街边广告里的祖传秘方，更不要加微信买药。"
    page = page_of(
        f"<h1>白斑怎么办</h1><p>先到皮肤科确诊，再谈治疗，别急着用药。</p><p>{warning}</p>", "html", templates
    )
    assert warning in page.text


def test_an_emergency_number_stays(templates: SiteTemplates) -> None:
    advice = "突然口角歪斜、一侧手脚无力，立即拨打120，记下发病的时间。"
    page = page_of(f"<h1>怎样识别中风</h1><p>{advice}</p>", "html", templates)
    assert page.text == advice


def test_an_article_about_a_spammed_subject_stays(templates: SiteTemplates) -> None:
    text = "亲子鉴定要采集口腔拭子或血样，由有资质的机构出具报告，结果以报告为准。"
    page = page_of(f"<h1>亲子鉴定怎么做</h1><p>{text}</p>", "html", templates)
    assert page.text == text


def test_hidden_text_is_not_read(templates: SiteTemplates) -> None:
    hidden = '<div style="position:absolute;left:-9999px">彩票网站大全，点击就送，天天开奖。</div>'
    page = page_of(f"<h1>咳嗽怎么办</h1>{hidden}<p>先看有没有发热和气促，有就尽早就医。</p>", "html", templates)
    assert page.text == "先看有没有发热和气促，有就尽早就医。"
    assert [block.text for block in page.removed if block.reason is Reason.HIDDEN] == [
        "彩票网站大全，点击就送，天天开奖。"
    ]


def test_a_page_cut_off_in_its_markup_is_still_read(templates: SiteTemplates) -> None:
    page = page_of(
        "<html><body><div><h1>口干怎么办<p>少量多次喝水，查一查血糖，看看正在吃的药。<div class=", "html", templates
    )
    assert page.text == "少量多次喝水，查一查血糖，看看正在吃的药。"
