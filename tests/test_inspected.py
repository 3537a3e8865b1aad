"""A page as an editor sees it: what was kept of it, what was taken out and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.extract import load_site_templates
from indexer.inspected import InspectedPage, inspect_page, read_inspected, write_inspected
from indexer.quality import load_quality_rules
from indexer.records import SavedPage
from indexer.resources import find_resources

PAGE = """<!doctype html><html><head><meta charset="gb18030"><title>牙龈出血是怎么回事</title></head><body>
<div class="nav"><a href="/">首页</a> <a href="/ks">科室大全</a></div>
<h1>牙龈出血是怎么回事</h1>
<p>刷牙时牙龈出血，多数是牙龈炎引起的，由牙菌斑和牙结石长期刺激造成。</p>
<p>建议到口腔科洗牙，每天早晚认真刷牙，用牙线清洁牙缝，通常两周左右会好转。</p>
<div class="ad"><a href="http://ad.example/dna">亲子鉴定中心</a> <a href="http://ad.example/b">无创亲子鉴定</a></div>
</body></html>"""


def inspected(data: bytes, media: str = "html", path: str = "site/page.html") -> InspectedPage:
    resources = find_resources()
    saved = SavedPage(path, media, data, url="https://ya.example/1.html")
    return inspect_page(saved, load_site_templates(resources), load_quality_rules(resources))


def test_each_block_says_what_became_of_it() -> None:
    page = inspected(PAGE.encode("gb18030"))
    assert (page.charset, page.title, page.rejected, page.site) == ("gb18030", "牙龈出血是怎么回事", "", "ya.example")
    kept = [block.text for block in page.blocks if block.is_kept]
    assert [text[:4] for text in kept if text.endswith("。")] == ["刷牙时牙", "建议到口"]
    gone = [block for block in page.blocks if "亲子鉴定" in block.text]
    assert gone and not any(block.is_kept for block in gone) and all(block.rule for block in gone)
    [answer] = page.answers
    assert answer.question == page.title and answer.text == "\n".join(t for t in kept if t.endswith("。")) and answer.id


@pytest.mark.parametrize(("data", "sentence"), [(b"", "没有文字"), (b"<html><body><p>404</p></body></html>", "正文")])
def test_a_rejected_page_says_why(data: bytes, sentence: str) -> None:
    page = inspected(data)
    assert sentence in page.rejected and page.answers == () and not any(block.is_kept for block in page.blocks)


def test_a_record_is_taken_as_it_is() -> None:
    record = '{"id": "a1", "question": "牙龈出血怎么办", "answer": "早晚刷牙，到口腔科洗牙。"}'
    page = inspected(record.encode(), "record", "records.jsonl:1")
    assert [(answer.id, answer.text) for answer in page.answers] == [("a1", "早晚刷牙，到口腔科洗牙。")]
    assert page.blocks == ()


def test_pages_come_back_from_their_file(tmp_path: Path) -> None:
    pages = [inspected(PAGE.encode()), inspected(b"")]
    write_inspected(iter(pages), tmp_path / "pages.jsonl")
    assert list(read_inspected(tmp_path / "pages.jsonl")) == pages
