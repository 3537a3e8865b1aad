"""The raw pages are made from the source, byte for byte, and their labels say what is in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import make_corpus
import pytest
from bs4 import BeautifulSoup, Tag
from page_templates import wording
from source_builders import article, labels, made, question, refusal, run, write_source

ROOT = Path(__file__).resolve().parent.parent

LONG_ANSWER = "".join(f"第{number:03}句话。" for number in range(40))  # 280 characters

# Expected dumps; "|" is a line end.
VOICE_QA_LAYOUT = (
    "示例病怎么办？||林示例 2023-05-14 09:12:40 128||  示例病的第一段。||  一、小标题：||  示例病的第二段。||"
    "点赞|相关资源||问题一？ 2023-05-14||回答一。|||问题二？ 2023-05-15||回答二。||返回"
)
ZHUANTI_LAYOUT = (
    "当前位置:||专题||>||示例病||>||示例病怎么办？||示例病怎么办？||  示例病的第一段。||  一、小标题：||"
    "  示例病的第二段。||示例病在线咨询||更多||问题一？||回答一。...||N个回答||问题二？||回答二。...||N个回答||"
    "可能关注||FARM||DISCLAIMER"
)
KEPU_LAYOUT = (
    "BRAND||科普文章||查疾病 找医生 找医院||示例病怎么办？||128次浏览||示例病的第一段。||一、小标题：||"
    "示例病的第二段。||TIP||相关推荐||示例病怎么办？|示例病的第一段。一、小标题：示例病的第二段。|"
    "问题一？|回答一。|问题二？|回答二。"
)


def test_voice_qa_layout(tmp_path: Path) -> None:
    _, text = made(write_source(tmp_path, article("voice-qa")), "sample-page")
    assert text.replace("\n", "|") == VOICE_QA_LAYOUT


def test_zhuanti_layout(tmp_path: Path) -> None:
    _, text = made(write_source(tmp_path, article("zhuanti")), "sample-page")
    farm = text.split("\n")[-3]
    assert 30 <= len(farm.split(" ")) <= 40
    masked = text.replace(farm, "FARM").replace(wording.ZHUANTI_DISCLAIMER, "DISCLAIMER")
    assert re.sub(r"\d个回答", "N个回答", masked).replace("\n", "|") == ZHUANTI_LAYOUT


def test_kepu_layout(tmp_path: Path) -> None:
    _, text = made(write_source(tmp_path, article("kepu")), "sample-page")
    masked = text.replace(wording.KEPU_BRAND, "BRAND").replace(wording.KEPU_TIP, "TIP")
    assert masked.replace("\n", "|") == KEPU_LAYOUT


@pytest.mark.parametrize(
    ("site", "answer", "shown"),
    [
        ("voice-qa", LONG_ANSWER, LONG_ANSWER[:128]),
        ("voice-qa", LONG_ANSWER[:128], LONG_ANSWER[:128]),
        ("zhuanti", LONG_ANSWER, LONG_ANSWER[:100] + "..."),
        ("kepu", LONG_ANSWER, LONG_ANSWER[:110] + "..."),
        ("kepu", LONG_ANSWER[:110], LONG_ANSWER[:110]),
        ("html-article", LONG_ANSWER, LONG_ANSWER),
    ],
)
def test_embedded_answers_are_cut_as_the_site_cuts_them(tmp_path: Path, site: str, answer: str, shown: str) -> None:
    pair = {"question": "长问题？", "answer": answer, "date": "2023-05-14"}
    label, text = made(write_source(tmp_path, article(site, related=[pair])), "sample-page")
    assert label["qa_pairs"][0]["answer"] == shown
    assert shown in text
    assert shown == LONG_ANSWER or shown.rstrip(".") + LONG_ANSWER[len(shown.rstrip("."))] not in text


def test_kepu_recommends_itself_first_and_the_label_leaves_that_out(tmp_path: Path) -> None:
    page = article("kepu", body=["开头。", {"h": "标题"}, LONG_ANSWER])
    label, text = made(write_source(tmp_path, page), "sample-page")
    own_start = ("开头。标题" + LONG_ANSWER)[:110] + "..."
    assert f"相关推荐\n\n示例病怎么办？\n{own_start}\n问题一？\n" in text
    assert [pair["question"] for pair in label["qa_pairs"]] == ["问题一？", "问题二？"]


def blocks_of(container: Tag) -> list[str]:
    """The lines of an article's body without the advertisement box."""
    for box in container.find_all("div"):
        box.decompose()
    return [block.get_text().strip(" 　\xa0\n") for block in container.find_all(["p", "h2", "h3"])]


def test_article_body_is_the_label_plus_one_advertisement(tmp_path: Path) -> None:
    pages = [article("html-article", f"sample-{number}") for number in range(24)]
    run(write_source(tmp_path, *pages))
    advertisements = {text.format(topic="示例病") for text in wording.ADVERTISEMENTS}
    boxed = 0
    for label in labels(tmp_path):
        if not label["keep"]:
            continue
        soup = BeautifulSoup((tmp_path / label["path"]).read_bytes().decode(label["encoding"]), "lxml")
        body = soup.select_one("#zhengwen")
        assert body is not None
        boxed += body.select_one("#gg_03") is not None
        assert any(text in body.get_text() for text in advertisements)
        assert [text for text in blocks_of(body) if text not in advertisements] == label["text"].split("\n")
        assert soup.select_one("link[rel=canonical]")["href"] == label["url"]  # type: ignore[index]
        assert len(soup.select("dl dt")) == len(label["qa_pairs"]) == 2
    assert 4 <= boxed <= 20


def test_question_page_has_one_block_for_each_answer(tmp_path: Path) -> None:
    label, text = made(write_source(tmp_path, question()), "sample-question")
    soup = BeautifulSoup(text, "lxml")
    assert [block.get_text() for block in soup.select(".daan_nr")] == ["甲的回答。", "乙的回答。"]
    assert [name.get_text() for name in soup.select(".ys_xm")] == ["周甲", "郑乙"]
    assert "有用(6)" in text and "有用(9)" in text
    assert label["text"] == "甲的回答。\n乙的回答。"
    assert (label["author"], label["date"], label["likes"]) == ("周甲", "2021-03-02T20:15:00", 6)
    assert [answer["likes"] for answer in label["doctor_answers"]] == [6, 9]
    assert label["qa_pairs"] == []
    assert re.fullmatch(r"https://wenyi\.example/q/\d+\.html", label["url"])


def test_both_encodings_of_each_html_site_occur_and_gb2312_is_a_false_claim(tmp_path: Path) -> None:
    articles = [article("html-article", f"article-{number}") for number in range(24)]
    questions = [question(f"question-{number}") for number in range(24)]
    run(write_source(tmp_path, *articles, *questions))
    kept = [label for label in labels(tmp_path) if label["keep"]]
    found = {(Path(label["path"]).parent.name, label["encoding"], label["declared_encoding"]) for label in kept}
    assert found == {
        ("jiankang.example", "gbk", "gbk"),
        ("jiankang.example", "utf-8", "utf-8"),
        ("wenyi.example", "gb18030", "gb2312"),
        ("wenyi.example", "utf-8", "utf-8"),
    }
    beyond = [label for label in kept if label["declared_encoding"] == "gb2312" and not decodes(tmp_path, label)]
    assert beyond


def decodes(corpus: Path, label: dict[str, Any]) -> bool:
    """Whether a page can be decoded as what it declares."""
    try:
        (corpus / label["path"]).read_bytes().decode(label["declared_encoding"])
    except UnicodeDecodeError:
        return False
    return True


def test_a_character_that_gbk_lacks_becomes_a_reference(tmp_path: Path) -> None:
    pages = [article("html-article", f"sample-{number}", body=["地尔硫䓬缓释片。"]) for number in range(12)]
    run(write_source(tmp_path, *pages))
    gbk = next(label for label in labels(tmp_path) if label["keep"] and label["encoding"] == "gbk")
    html = (tmp_path / gbk["path"]).read_bytes().decode("gbk")
    assert "地尔硫&#17644;缓释片" in html
    assert gbk["text"] == "地尔硫䓬缓释片。"


def test_labels_say_what_each_site_shows(tmp_path: Path) -> None:
    sites = ("voice-qa", "zhuanti", "kepu", "html-article")
    run(write_source(tmp_path, *[article(site, f"on-{site}") for site in sites]))
    shown = {
        Path(label["path"]).stem: {name for name in ("author", "date", "views", "topic", "url") if label[name]}
        for label in labels(tmp_path)
        if label["keep"]
    }
    assert shown == {
        "on-voice-qa": {"author", "date", "views"},
        "on-zhuanti": {"topic"},
        "on-kepu": {"views"},
        "on-html-article": {"author", "date", "views", "topic", "url"},
    }


def test_text_and_headings_come_from_the_body(tmp_path: Path) -> None:
    label, _ = made(write_source(tmp_path, article("zhuanti")), "sample-page")
    assert label["text"] == "示例病的第一段。\n一、小标题：\n示例病的第二段。"
    assert label["headings"] == ["一、小标题："]
    assert label["path"] == "raw/jibing.example/sample-page.txt"


def test_pages_without_an_answer_are_made_too(tmp_path: Path) -> None:
    run(write_source(tmp_path, article("voice-qa")))
    rejected = [label for label in labels(tmp_path) if not label["keep"]]
    assert len(rejected) == 15
    assert all(label["text"] == "" and label["qa_pairs"] == [] for label in rejected)
    kinds = {label["dirt"][0]["dirt"] for label in rejected}
    assert {"advertisements", "login_wall", "mojibake", "link_farm", "navigation", "empty"} <= kinds
    assert (tmp_path / "raw/jiankang.example/empty-file.html").read_bytes() == b""


def test_every_raw_page_has_one_label_and_every_address_is_an_example(tmp_path: Path) -> None:
    run(write_source(tmp_path, article("zhuanti"), question()))
    paths = [label["path"] for label in labels(tmp_path)]
    assert sorted(paths) == sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.glob("raw/*/*"))
    for path in paths:
        for host in re.findall(rb"//([a-z0-9.-]+)", (tmp_path / path).read_bytes()):
            assert host.endswith(b".example") or host == b"www.w3.org"  # the name of a document type


def test_check_is_green_after_a_run_and_red_after_a_byte_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(write_source(tmp_path, article("voice-qa"), article("kepu", "other-page")))
    assert run(tmp_path, "--check") == 0
    file = tmp_path / "raw/tingyi.example/sample-page.txt"
    changed = file.read_bytes().replace(b"128", b"129")
    file.write_bytes(changed)
    assert run(tmp_path, "--check") == 1
    assert "raw/tingyi.example/sample-page.txt differs" in capsys.readouterr().err
    assert file.read_bytes() == changed


@pytest.mark.parametrize("path", ["raw/yuyin.example/sample-page.txt", "labels.jsonl"])
def test_check_names_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    run(write_source(tmp_path, article("kepu")))
    (tmp_path / path).unlink()
    assert run(tmp_path, "--check") == 1
    assert f"{path} is missing" in capsys.readouterr().err
    assert not (tmp_path / path).exists()


def test_a_file_without_source_is_named_by_check_and_removed_by_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(write_source(tmp_path, article("kepu")))
    stray = tmp_path / "raw/yuyin.example/stray.txt"
    stray.write_text("x", encoding="utf-8")
    assert run(tmp_path, "--check") == 1
    assert "stray.txt is superfluous" in capsys.readouterr().err
    assert stray.exists()
    assert run(tmp_path) == 0
    assert not stray.exists()


def test_another_source_file_changes_no_page_of_this_one(tmp_path: Path) -> None:
    run(write_source(tmp_path, article("html-article"), question()))
    before = {file: file.read_bytes() for file in tmp_path.glob("raw/*/*")}
    run(write_source(tmp_path, question("third-page"), file="another.yaml"))
    assert all(file.read_bytes() == content for file, content in before.items())


def test_the_raw_pages_of_this_checkout_are_current() -> None:
    assert make_corpus.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (article("blog"), 'site "blog" is unknown; it must be one of voice-qa, zhuanti'),
        (article("voice-qa", author=None), 'field "author" is missing'),
        (article("kepu", views="many"), 'field "views" must be a whole number'),
        (article("kepu", titel="x"), 'field "titel" is unknown'),
        (article("zhuanti", body=[{"建议": "多休息"}]), 'body block 1: field "建议" is unknown'),
        (article("zhuanti", body=["两\n行"]), "body block 1 must be one line"),
        (article("zhuanti", body=[{"h": "只有标题"}]), "no paragraph"),
        (article("voice-qa", date="2023-02-30"), 'field "date" must be a quoted date'),
        (article("voice-qa", related=[{"question": "问？", "answer": "答。"}]), 'related 1: field "date" is missing'),
        (article("kepu", related=[]), 'field "related" must be a list'),
        (question("sample-page", answers=[{"author": "周甲"}]), 'answer 1: field "author_title" is missing'),
    ],
)
def test_wrong_data_is_refused_with_file_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], page: dict[str, Any], reason: str
) -> None:
    message = refusal(write_source(tmp_path, page), capsys)
    assert message.startswith("sample.yaml, page sample-page")
    assert reason in message


def test_a_repeated_id_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_source(tmp_path, article("kepu"), file="a.yaml")
    message = refusal(write_source(tmp_path, article("voice-qa"), file="b.yaml"), capsys)
    assert message == "b.yaml, page sample-page: the id is used already in a.yaml."


def test_an_id_of_the_scripts_own_pages_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "page login-wall: this id" in refusal(write_source(tmp_path, article("kepu", "login-wall")), capsys)


def test_a_page_without_id_and_a_broken_file_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal(write_source(tmp_path, article("kepu", id=None)), capsys)
    assert message == 'sample.yaml, page number 1: field "id" is missing.'
    (tmp_path / "source/sample.yaml").write_text("pages: [", encoding="utf-8")
    assert refusal(tmp_path, capsys).startswith("sample.yaml is not valid YAML")


def test_an_empty_source_removes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(write_source(tmp_path, article("kepu")))
    (tmp_path / "source/sample.yaml").unlink()
    assert run(tmp_path) == 1
    assert "no source file" in capsys.readouterr().err
    assert (tmp_path / "raw/yuyin.example/sample-page.txt").exists()
