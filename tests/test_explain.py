"""`yiwen extract --explain`: every block of a page with what became of it and by which rule, in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import RESOURCES
from click.testing import CliRunner
from store_builders import ROOT, write_files

from indexer.cli import extract
from indexer.extract import load_site_templates
from indexer.extract.explain import explain
from indexer.extract.html_blocks import html_blocks
from indexer.extract.html_tree import html_tree
from indexer.read import read_file
from indexer.read.pages import text_of
from indexer.records import Page, RawPage, Rejected, SavedPage

TEMPLATES = load_site_templates(RESOURCES)
PAGES = sorted(  # neither empty nor garbled: a text that can be told of
    file
    for file in (ROOT / "corpus" / "raw").rglob("*")
    if file.suffix in (".html", ".txt") and file.stat().st_size and not file.stem.startswith("garbled")
)
FIRST = "面肌痉挛可以打肉毒素，一般能维持三到六个月，之后要再打。"
SECOND = "症状轻的时候可以先观察，少熬夜，少喝咖啡，几个月后再复查。"
PAGE = f"""<html><head><title>面肌痉挛怎么治_江北健康网</title></head><body>
<div class="nav"><a href="/">首页</a> <a href="/a">疾病</a> <a href="/b">医院</a></div>
<h1>面肌痉挛怎么治</h1>
<p>作者：王建国 2020-05-06 浏览：321</p>
<div class="content"><p>{FIRST}</p>
<p>咨询热线：400-123-4567</p><p><a href="http://ads.example/1">面肌痉挛去哪看</a></p>
<p>{SECOND}</p></div>
<div class="related"><h3>相关文章</h3><ul><li><a href="/1">面瘫的护理方法</a></li></ul></div>
<p>免责声明：本文仅供参考，不能代替医生的诊断。</p>
<div class="footer">Copyright 江北健康网 版权所有</div></body></html>"""


def explained(*paths: Path) -> list[str]:
    """What the command prints, line by line."""
    result = CliRunner().invoke(extract, ["--explain", "--resources", str(RESOURCES), *map(str, paths)])
    assert (result.exit_code, result.exception, result.stderr) == (0, None, "")
    return result.stdout.splitlines()


def verdicts(lines: list[str]) -> dict[str, str]:
    """The text of each block -> the line above it."""
    return {lines[at + 1].strip(): line for at, line in enumerate(lines) if re.match(r" *\d+  ", line)}


def test_every_block_of_a_page_appears_in_order_with_its_verdict(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE})
    head, kept, *lines = explained(tmp_path / "a.html")
    assert (head, kept) == ("== a.html", "   收录：面肌痉挛怎么治")
    blocks = html_blocks(html_tree(PAGE)).blocks
    assert [line.strip() for line in lines[1::2]] == [block.text for block in blocks]
    assert [int(line.split()[0]) for line in lines[::2]] == list(range(len(blocks)))
    assert len(blocks) == 11


@pytest.mark.parametrize(
    ("text", "verdict", "rule"),
    [
        ("首页 疾病 医院", "导航", "元素名 nav"),
        ("面肌痉挛怎么治", "与本页标题重复", ""),
        ("作者：王建国 2020-05-06 浏览：321", "页面信息", "署名行"),
        (FIRST, "正文", None),
        ("咨询热线：400-123-4567", "广告", "广告"),
        (SECOND, "正文", None),
        ("面瘫的护理方法", "相关列表", "元素名 related"),
        ("免责声明：本文仅供参考，不能代替医生的诊断。", "免责声明", "规则 disclaimer"),
        ("Copyright 江北健康网 版权所有", "页脚", "元素名 footer"),
    ],
)
def test_a_verdict_names_its_reason_and_its_rule(tmp_path: Path, text: str, verdict: str, rule: str | None) -> None:
    write_files(tmp_path, {"a.html": PAGE})
    line = verdicts(explained(tmp_path))[text]
    match = re.fullmatch(r" *\d+  (?P<part>[^（ ]+)(?:（(?P<rule>.+)）)?  <\w+> (?P<chars>\d+) 字.*", line)
    assert match is not None, line
    assert (match["part"], int(match["chars"])) == (verdict, len(text))
    assert match["rule"] is None if rule is None else rule in match["rule"]


def test_a_verdict_tells_of_links_and_where_they_lead(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE})
    found = verdicts(explained(tmp_path))
    assert "链接 3 个占 75%" in found["首页 疾病 医院"]
    assert "链接 1 个占 100%，链接通向广告" in found["面肌痉挛去哪看"]
    assert "链接" not in found[FIRST]


def test_each_file_has_a_heading_and_what_was_not_taken_says_why(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "a.html": "",
            "b.html": "<p>404 页面不存在</p>",
            "c.jsonl": '{"id": "r1", "text": "打针。"}\n坏行\n',
            "d.html": PAGE.replace("<html>", '<html lang="zh">'),
            "e.html": b"\xff\xff\xff\x00",
        },
    )
    lines = explained(tmp_path)
    at = {line.removeprefix("== "): lines[number + 1] for number, line in enumerate(lines) if line.startswith("== ")}
    assert list(at) == ["a.html", "b.html", "c.jsonl:1", "c.jsonl:2", "d.html", "e.html"]
    assert at["a.html"] == "   未收录：空页面。文件中没有文字。"
    assert at["b.html"].startswith("   未收录：没有正文。") and "404" in at["b.html"]
    assert at["c.jsonl:1"] == "   记录按原样收录，不做清洗。"
    assert at["c.jsonl:2"].startswith("   未收录：记录格式错误。")
    assert at["d.html"] == "   收录：面肌痉挛怎么治"
    assert at["e.html"].startswith("   未收录：编码无法识别。")


def test_what_is_said_besides_the_pages_own_words_is_chinese(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE, "b.html": "<p>hello</p>"})
    for line in explained(tmp_path):
        if line.startswith("   ") and not line.startswith("      "):
            assert re.search("[一-龥]", line), line


def raw_page(file: Path) -> RawPage | Rejected:
    [saved] = read_file(file, file.name, 10**7)
    assert isinstance(saved, SavedPage)
    return text_of(saved)


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_in_each_page_of_the_corpus_text_and_removals_are_told_as_they_are(file: Path) -> None:
    raw = raw_page(file)
    assert isinstance(raw, RawPage)
    result, found = explain(raw, TEMPLATES)
    assert [verdict.block.number for verdict in found] == list(range(len(found)))
    reasons = {piece.number: piece.reason.label for piece in result.removed if piece.number is not None}
    assert reasons.keys() <= set(range(len(found)))
    for verdict in found:
        reason = reasons.get(verdict.block.number)
        assert verdict.part.endswith(reason) if reason else verdict.part in ("正文", "问答或标题", "其余")
        assert bool(verdict.rule) is bool(reason)
    if isinstance(result, Page):
        main = "\n".join(verdict.block.text for verdict in found if verdict.part.startswith("正文"))
        other = "\n".join(verdict.block.text for verdict in found if not verdict.part.startswith("正文"))
        lines = result.text.split("\n")
        assert [line for line in lines if line not in main and line in other] == []
        in_scripts_only = [line for line in lines if line not in main]  # an answer that the page loads later
        assert not in_scripts_only or "<script" in raw.text


def test_a_page_that_is_nested_deeper_than_anybody_writes_ends_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": f"<p>{FIRST}</p>" + "<div>" * 20_000, "b.html": PAGE})
    lines = explained(tmp_path)
    assert any("嵌套超过上限" in line for line in lines)
    assert "   收录：面肌痉挛怎么治" in lines


def test_what_is_removed_from_a_pages_data_is_not_told_of_its_blocks() -> None:
    body = f"<p>咨询热线：400-123-4567</p><p>{FIRST}</p><p>{SECOND}</p>"
    data = f'{{"article": {{"title": "面肌痉挛怎么治疗", "content": "{body}"}}}}'
    text = f"<html><body><h2>页面正在加载</h2><script>window.__DATA__ = {data};</script></body></html>"
    result, [loading] = explain(RawPage("a.html", "html", text, "utf-8"), TEMPLATES)
    assert isinstance(result, Page) and result.text == f"{FIRST}\n{SECOND}"
    assert "广告" not in loading.part
