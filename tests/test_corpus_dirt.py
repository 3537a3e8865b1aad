"""What corpus/dirt.yaml asks for stands in the raw pages, and the labels say where."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from page_templates.source import SITES
from source_builders import article, labels, question, refusal, run, write_source

ORIGINAL = article("kepu", "original", body=["少吃盐可以让血压低一些。", {"h": "运动"}, "每天快走半小时。"])
BORROWER = article("zhuanti", "borrower")


def with_dirt(corpus: Path, **dirt: list[dict[str, Any]]) -> Path:
    """Writes two pages and a dirt.yaml, and returns the corpus folder."""
    write_source(corpus, ORIGINAL, BORROWER)
    (corpus / "dirt.yaml").write_text(yaml.safe_dump(dirt, allow_unicode=True), encoding="utf-8")
    return corpus


def rewritten(way: str, words: object, site: str = "html-article") -> dict[str, Any]:
    shown = {"title": "血压高了怎么吃", "author": "袁甲", "date": "2024-02-01", "views": 5}
    return {"of": "original", "as": way, "id": "other", "site": site, "words": words} | shown


def label_of(corpus: Path, page: str) -> dict[str, Any]:
    assert run(corpus) == 0
    return next(label for label in labels(corpus) if Path(label["path"]).stem == page)


@pytest.mark.parametrize(
    ("way", "words", "text"),
    [
        ("copy", {"可以": "能"}, "少吃盐能让血压低一些。\n运动\n每天快走半小时。"),
        ("spun", {"血压": "血液压力", "快走": "疾走"}, "少吃盐可以让血液压力低一些。\n运动\n每天疾走半小时。"),
        ("masked", ["血压"], "少吃盐可以让**低一些。\n运动\n每天快走半小时。"),
    ],
)
def test_another_sites_version_is_a_page_of_its_own(tmp_path: Path, way: str, words: object, text: str) -> None:
    label = label_of(with_dirt(tmp_path, rewritten=[rewritten(way, words)]), "other")
    assert (label["text"], label["title"], label["author"]) == (text, "血压高了怎么吃", "袁甲")
    assert label["dirt"] == [{"question": "血压高了怎么吃", "dirt": way, "of": "original"}]
    assert label_of(tmp_path, "original")["dirt"] == []


def test_a_stock_answer_stands_under_each_of_its_questions(tmp_path: Path) -> None:
    under = [
        {"page": "borrower", "question": "头晕要紧吗？", "date": "2020-01-02"},
        {"page": "original", "question": "腿软要紧吗？", "date": "2020-01-03"},
    ]
    corpus = with_dirt(tmp_path, stock=[{"answer": "您好，建议到医院检查。", "under": under}])
    for page, asked in (("borrower", "头晕要紧吗？"), ("original", "腿软要紧吗？")):
        label = label_of(corpus, page)
        assert label["qa_pairs"][-1] == {"question": asked, "answer": label["qa_pairs"][-1]["answer"], "date": None}
        assert "您好，建议到医院检查。" in label["qa_pairs"][-1]["answer"]
        assert label["dirt"] == [{"question": asked, "dirt": "stock_answer", "of": None}]


def test_a_borrowed_list_shows_anothers_questions_as_the_site_cuts_them(tmp_path: Path) -> None:
    corpus = with_dirt(tmp_path, borrowed=[{"on": "borrower", "from": "original", "numbers": [2]}])
    label = label_of(corpus, "borrower")
    assert [pair["question"] for pair in label["qa_pairs"]] == ["问题一？", "问题二？", "问题二？"]
    assert label["dirt"] == [{"question": "问题二？", "dirt": "copy", "of": "original"}]


@pytest.mark.parametrize(
    ("dirt", "reason"),
    [
        ({"rewritten": [rewritten("copy", {"没有的词": "词"})]}, '"没有的词" does not stand in page original'),
        ({"rewritten": [rewritten("polished", {"可以": "能"})]}, "polished"),
        ({"rewritten": [rewritten("spun", ["可以"])]}, 'field "words" must be a mapping'),
        ({"rewritten": [rewritten("copy", {"可以": "能"}) | {"of": "nobody"}]}, "there is no page nobody"),
        ({"rewritten": [rewritten("copy", {"可以": "能"}) | {"id": "borrower"}]}, "the id is used already"),
        ({"borrowed": [{"on": "borrower", "from": "original", "numbers": [7]}]}, "no embedded question number 7"),
        (
            {"stock": [{"answer": "您好。", "under": [{"page": "nobody", "question": "问？"}]}]},
            "there is no page nobody",
        ),
        ({"stolen": []}, 'field "stolen" is unknown'),
    ],
)
def test_dirt_that_cannot_be_made_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dirt: dict[str, Any], reason: str
) -> None:
    message = refusal(with_dirt(tmp_path, **dirt), capsys)
    assert message.startswith("dirt.yaml")
    assert reason in message


@pytest.mark.parametrize("site", SITES)
def test_every_site_shows_what_its_label_says(tmp_path: Path, site: str) -> None:
    thread = site in ("html-qa", "forum", "mobile")
    page = question("page", site=site) if thread else article(site, "page")
    if site == "leaflet":
        page = article(
            site, "page", title="示例病須知", author="林示例", body=["第一段說明。", {"h": "用藥"}, "第二段說明。"]
        )
        del page["related"]
    if site == "faq":
        del page["body"]
    label = label_of(write_source(tmp_path, page), "page")
    shown = html.unescape((tmp_path / label["path"]).read_bytes().decode(label["encoding"]))
    lines = [*label["text"].split("\n"), label["title"], label["author"]]
    assert [
        line for line in lines if line and line.removeprefix("问：").removeprefix("答：") not in _plain(shown)
    ] == []
    assert label["keep"] and label["text"]


def _plain(raw: str) -> str:
    """A page without tags, and with the line ends of its paragraphs."""
    return re.sub(r"<[^>]*>", "", raw) + json.dumps(raw, ensure_ascii=False)
