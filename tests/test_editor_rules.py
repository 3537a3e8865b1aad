"""What editors say of blocks stands above all other rules: what they take out is gone, what they keep is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cleaning import clean_page
from indexer.errors import ResourceError
from indexer.extract.editor_rules import (
    MAX_PATTERN_CHARS,
    EditorFile,
    compile_pattern,
    exact_pattern,
    fits_site,
    normal_host,
    read_editor_file,
)
from indexer.extract.explain import explain
from indexer.extract.site_templates import SiteTemplates, load_site_templates
from indexer.quality import load_quality_rules
from indexer.read import decoded_page
from indexer.records import Kind, Page, RawPage, Rejected, SavedPage
from indexer.resources import find_resources
from indexer.verdicts import Reason

RESOURCES = find_resources()
PLAIN = load_site_templates(RESOURCES)
QUALITY = load_quality_rules(RESOURCES)
AD = "点击咨询在线专家，加微信 yake8899 领取优惠名额，前50名免费。"
ARTICLE = f"""<!doctype html><html><head><meta charset="utf-8"><title>牙龈出血是怎么回事</title></head><body>
<div class="nav"><a href="/">首页</a> <a href="/ks">科室大全</a></div>
<h1>牙龈出血是怎么回事</h1>
<p>刷牙时牙龈出血，多数是牙龈炎引起的，由牙菌斑和牙结石长期刺激造成。</p>
<p>{AD}</p>
<p>本站医生团队整理，祝各位读者牙齿健康，笑口常开，每天都有好心情。</p>
<p>建议到口腔科洗牙，每天早晚认真刷牙，用牙线清洁牙缝，通常两周左右会好转。</p>
<p>出血不止时请找大夫。加微信 yake8899 领取优惠名额，立即抢购。平时少吃过硬的食物，多吃蔬菜。</p>
<div class="sidebar"><p>洗牙之后一两天牙齿发酸是正常的，不用害怕。</p></div>
<div class="ad"><a href="http://ad.example/dna">亲子鉴定中心</a> <a href="http://ad.example/b">无创亲子鉴定</a></div>
</body></html>"""
QUESTION = """<!doctype html><html><head><meta charset="utf-8"><title>孩子咳嗽怎么办</title></head><body>
<h1>孩子咳嗽怎么办</h1><div class="ask"><p>孩子三岁，咳嗽两天了，晚上咳得厉害，没有发烧，请问要不要吃药？</p></div>
<div class="answer"><p>张伟 主治医师 儿科</p>
<p>咳嗽两天又没有发烧，多半是普通感冒，先多喝温水，注意休息，观察两三天。</p>
<p>擅长：小儿呼吸道疾病</p><p>如果咳嗽加重或呼吸费力，要及时到医院就诊。</p></div>
<div class="answer"><p>李娜 主任医师 呼吸科</p>
<p>晚上咳得厉害可以把床头垫高一些，室内保持湿润，不要自己随便用止咳药。</p></div>
<div class="foot"><p>房间的空气要常流通，家里不要有人吸烟。</p></div>
</body></html>"""
DUMP = """首页 > 口腔科 > 牙龈出血
牙龈出血是怎么回事
作者：王立新  2020-03-04

刷牙时牙龈出血，多数是牙龈炎引起的，由牙菌斑和牙结石长期刺激造成。
点击咨询在线专家，加微信 yake8899 领取优惠名额，前50名免费。
建议到口腔科洗牙，每天早晚认真刷牙，用牙线清洁牙缝，通常两周左右会好转。
相关阅读
牙结石要不要洗
洗牙会不会伤牙齿
"""


def templates(*files: EditorFile) -> SiteTemplates:
    return SiteTemplates(PLAIN.general, PLAIN.templates, files)


def site_file(keep: list[str] = [], remove: list[str] = [], host: str = "ya.example") -> EditorFile:  # noqa: B006
    content = {"hosts": [host], "keep": keep, "remove": remove}
    return read_editor_file(Path("own.toml"), content, ())


def cleaned(text: str, rules: SiteTemplates, media: str = "html", path: str = "site/1.html") -> Page | Rejected:
    url = "https://www.ya.example/1.html"
    return clean_page(SavedPage(path, media, text.encode(), "utf-8", url), rules, QUALITY)


def searched(page: Page | Rejected) -> str:
    assert isinstance(page, Page), page
    return "\n".join(f"{answer.question}\n{answer.text}" for answer in page.answers)


def blocks_of(text: str, media: str = "html") -> list[str]:
    raw = decoded_page(SavedPage("site/1.html", media, text.encode(), "utf-8", "https://www.ya.example/1.html"))
    assert isinstance(raw, RawPage)
    return [verdict.block.text for verdict in explain(raw, PLAIN)[1]]


PAGES = {"article": (ARTICLE, "html"), "question": (QUESTION, "html"), "dump": (DUMP, "text")}
BLOCKS = [(name, text) for name, (page, media) in PAGES.items() for text in blocks_of(page, media)]


def test_a_pattern_takes_out_the_block_of_its_site_and_no_other() -> None:
    page = cleaned(ARTICLE, templates(site_file(remove=["^本站医生团队"])))
    before = searched(cleaned(ARTICLE, PLAIN))
    line = "本站医生团队整理，祝各位读者牙齿健康，笑口常开，每天都有好心情。"
    assert line in before and searched(page) == before.replace(f"{line}\n", "")
    [piece] = [piece for piece in page.removed if piece.reason is Reason.EDITOR]
    assert piece.text == line and "^本站医生团队" in piece.rule and blocks_of(ARTICLE)[piece.number or 0] == line
    assert cleaned(ARTICLE, templates(site_file(remove=["^本站医生团队"], host="other.example"))) == cleaned(
        ARTICLE, PLAIN
    )


def test_numbers_of_what_other_rules_take_out_are_still_those_of_the_page() -> None:
    page = cleaned(ARTICLE, templates(site_file(remove=["^刷牙时"])))
    all_blocks = blocks_of(ARTICLE)
    for piece in page.removed:
        assert piece.number is None or piece.text in all_blocks[piece.number]


def test_a_kept_advertisement_stands_in_its_place_and_explain_names_the_rule() -> None:
    rules = templates(site_file(keep=["加微信"]))
    page = cleaned(ARTICLE, rules)
    lines = searched(page).split("\n")
    assert lines.index(AD) == lines.index(next(line for line in lines if line.startswith("刷牙时"))) + 1
    whole = "出血不止时请找大夫。加微信 yake8899 领取优惠名额，立即抢购。平时少吃过硬的食物，多吃蔬菜。"
    assert whole in lines and whole not in searched(cleaned(ARTICLE, PLAIN))  # cut from its middle, else
    raw = decoded_page(SavedPage("p.html", "html", ARTICLE.encode(), "utf-8", "https://ya.example/1"))
    assert isinstance(raw, RawPage)
    [verdict] = [verdict for verdict in explain(raw, rules)[1] if verdict.block.text == AD]
    assert (verdict.part, verdict.rule) == ("正文", "") and "加微信" in verdict.as_line().split("\n")[0]


def test_a_kept_block_of_a_question_page_joins_the_answer_it_stands_in() -> None:
    page = cleaned(QUESTION, templates(site_file(keep=["^擅长", "空气要常流通", "^孩子三岁"])))
    assert isinstance(page, Page)
    first, second, *others = page.answers
    assert "擅长：小儿呼吸道疾病" in first.text and first.author == "张伟"
    assert "空气要常流通" in second.text or any("空气要常流通" in answer.text for answer in others)
    assert "孩子三岁" not in second.text
    assert all(answer.kind is not Kind.DOCTOR_ANSWER or answer.author for answer in page.answers)


def test_one_page_can_be_marked_by_address_or_path_and_goes_before_its_site() -> None:
    page = {"address": "https://www.ya.example/1.html", "keep": [AD]}
    other = {"address": "site/2.html", "remove": ["本站医生团队整理，祝各位读者牙齿健康，笑口常开，每天都有好心情。"]}
    content = {"hosts": ["ya.example"], "remove": ["微信"], "page": [page, other]}
    rules = templates(read_editor_file(Path("own.toml"), content, ()))
    assert AD in searched(cleaned(ARTICLE, rules)) and "立即抢购" not in searched(cleaned(ARTICLE, rules))
    assert "笑口常开" in searched(cleaned(ARTICLE, rules))
    assert "笑口常开" not in searched(cleaned(ARTICLE, rules, path="site/2.html"))


def test_a_page_of_which_nothing_would_be_left_is_taken_for_a_kept_block() -> None:
    bare = "<html><body><div class='nav'><p>房间的空气要常流通。</p></div></body></html>"
    assert isinstance(cleaned(bare, PLAIN), Rejected)
    assert searched(cleaned(bare, templates(site_file(keep=["空气"])))).endswith("房间的空气要常流通。")


def test_data_in_scripts_is_marked_too() -> None:
    body = (
        "<p>刷牙时牙龈出血，多数是牙龈炎引起的，由牙菌斑刺激造成。</p><p>笑口常开，祝您每天都有好心情，天天快乐。</p>"
    )
    data = json.dumps({"@type": "Article", "headline": "牙龈出血", "articleBody": body}, ensure_ascii=False)
    script = f"<script type='application/ld+json'>{data}</script>"
    text = f"<html><title>牙龈出血</title>{script}<h1>牙龈出血</h1></html>"
    assert "笑口常开" in searched(cleaned(text, PLAIN))
    assert "笑口常开" not in searched(cleaned(text, templates(site_file(remove=["笑口"]))))


def test_a_host_file_adds_its_rules_to_the_template_that_fits(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(RESOURCES, tmp_path / "r")
    (tmp_path / "r/sites/own.toml").write_text(
        'hosts = ["ya.example"]\nnavigation = ["^本站医生团队"]\n', encoding="utf-8"
    )
    rules = load_site_templates(tmp_path / "r")
    assert "笑口常开" not in searched(cleaned(ARTICLE, rules)) and "笑口常开" in searched(cleaned(ARTICLE, PLAIN))
    (tmp_path / "r/sites/own.toml").write_text('hosts = ["ya.example"]\nremove = ["("]\n', encoding="utf-8")
    with pytest.raises(ResourceError, match=r"own\.toml.*正则表达式"):
        load_site_templates(tmp_path / "r")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BLOCKS))
def test_any_block_can_be_kept_and_any_can_be_taken_out(which: tuple[str, str]) -> None:
    name, text = which
    page, media = PAGES[name]
    kept = cleaned(page, templates(site_file(keep=[exact_pattern(text)])), media)
    assert isinstance(kept, Page) and text in searched(kept).split("\n")
    assert [block.text for block in kept.kept] == [text] * len(kept.kept) and kept.kept
    gone = cleaned(page, templates(site_file(remove=[exact_pattern(text)])), media)
    answers = gone.answers if isinstance(gone, Page) else ()
    assert not any(text in answer.text.split("\n") for answer in answers)
    assert any(piece.reason is Reason.EDITOR and piece.text == text for piece in gone.removed)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(PAGES)), st.sampled_from(["example", "a.example", "ya.example.cn", "xya.example"]))
def test_pages_of_other_hosts_are_as_before(name: str, host: str) -> None:
    page, media = PAGES[name]
    is_parent = host == "example"
    changed = cleaned(page, templates(site_file(remove=["."], host=host)), media)
    assert (changed == cleaned(page, PLAIN, media)) is not is_parent


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [("(", "用不了"), ("(?=a)b", "前后查看"), (r"(a)\1", "反向引用"), ("a*", "连空白"), ("", "空"),
     ("x" * (MAX_PATTERN_CHARS + 1), str(MAX_PATTERN_CHARS)), ("((a{1,100}){1,100}){1,100}", "用不了")],
)  # fmt: skip
def test_patterns_that_will_not_do_are_refused_in_a_sentence(pattern: str, sentence: str) -> None:
    with pytest.raises(ResourceError, match=sentence):
        compile_pattern(pattern)


def test_a_pattern_that_backtracking_would_never_finish_is_matched() -> None:
    assert not compile_pattern("(a|aa)+(a|aa)+(a|aa)+$").finds("a" * 20_000 + "b")


@given(st.text(min_size=1, max_size=400).filter(str.strip))
def test_an_exact_pattern_finds_its_own_text(text: str) -> None:
    from indexer.extract.plain_text import plain, simplified

    assert compile_pattern(exact_pattern(text)).finds(simplified(plain(text)))


@pytest.mark.parametrize(("host", "fits"), [("ya.example", True), ("example", True), ("a.example", False)])
def test_a_host_stands_for_all_below_it(host: str, fits: bool) -> None:
    assert fits_site(frozenset({host}), "www.YA.example") is fits


@pytest.mark.parametrize("host", ["", "a b", "http://a.example", "a/b", "x" * 300])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ResourceError, match="域名"):
        normal_host(host)
