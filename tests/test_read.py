"""Files to raw pages and records: what is read, in which order, and what happens to the files that can't be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from store_builders import write_files

from indexer.errors import CorpusError
from indexer.read import decoded_page, find_files, read_file
from indexer.records import Kind, Page, RawPage, Rejected, SavedPage
from indexer.verdicts import Reason

LIMIT = 1000
HTML = "<html><body><p>面肌痉挛怎么治？</p></body></html>"


def line(id: str | int, text: str = "面肌痉挛可以打针。", **known: object) -> str:
    return json.dumps({"id": id, "answer": text, **known}, ensure_ascii=False)


def read(folder: Path, name: str, content: str | bytes, limit: int = LIMIT) -> list[RawPage | Page | Rejected]:
    write_files(folder, {name: content})
    found = read_file(folder / name, name, limit)
    return [decoded_page(item) if isinstance(item, SavedPage) else item for item in found]


def outcome(items: Sequence[RawPage | Page | Rejected]) -> list[tuple[str, str]]:
    """For each record its path and its answer's id, or the reason why there is none."""
    return [
        (item.path, item.reason.value if isinstance(item, Rejected) else item.answers[0].id)
        for item in items
        if not isinstance(item, RawPage)
    ]


@pytest.mark.parametrize(
    ("name", "media"),
    [("a.html", "html"), ("a.htm", "html"), ("A.HTML", "html"), ("病历.v2.Htm", "html"), ("a.txt", "text")],
)
def test_a_page_is_read_whole_with_its_charset(tmp_path: Path, name: str, media: str) -> None:
    assert read(tmp_path, name, HTML.encode("gb18030")) == [RawPage(name, media, HTML, "gb18030", None)]


@pytest.mark.parametrize("name", ["a.jsonl", "A.JSONL", "a.jsonl.gz", "a.JsonL.Gz"])
def test_records_are_read_line_by_line_packed_or_not(tmp_path: Path, name: str) -> None:
    content = f"{line('甲')}\n\n  \n{line('乙')}".encode()
    packed = gzip.compress(content) if name.lower().endswith(".gz") else content
    assert outcome(read(tmp_path, name, packed)) == [(f"{name}:甲", "甲"), (f"{name}:乙", "乙")]


def test_a_record_keeps_all_that_it_says(tmp_path: Path) -> None:
    known = {"question": "怎么治", "author": "王医生", "date": "2015-03-02", "url": "http://a.example/1"}
    [item] = read(tmp_path, "a.jsonl", line("r1", "打针。", **known, site="甲站", topic="神经内科", other="不认识的"))
    assert isinstance(item, Page)
    [answer] = item.answers
    assert (answer.id, answer.text, answer.page, answer.kind) == ("r1", "打针。", "a.jsonl:r1", Kind.ARTICLE)
    assert {key: getattr(answer, key) for key in known} == known
    assert (answer.site, answer.topic) == ("甲站", "神经内科")
    assert (item.title, item.text, item.url) == ("怎么治", "打针。", "http://a.example/1")


def test_a_record_may_call_its_answer_text_and_is_an_article_when_nobody_signs_it(tmp_path: Path) -> None:
    [item] = read(tmp_path, "a.jsonl", json.dumps({"id": "r1", "text": "打针。"}))
    assert isinstance(item, Page)
    assert (item.answers[0].text, item.answers[0].kind, item.answers[0].question) == ("打针。", Kind.ARTICLE, "")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{不是 JSON", "bad_record"),
        ("[" * 100_000, "bad_record"),
        ('["id", "answer"]', "bad_record"),
        ('{"answer": "没有编号"}', "bad_record"),
        ('{"id": null, "answer": "没有编号"}', "bad_record"),
        ('{"id": "", "answer": "没有编号"}', "bad_record"),
        ('{"id": ["a"], "answer": "编号不是文字"}', "bad_record"),
        ('{"id": "空"}', "empty"),
        (line("空", ""), "empty"),
        (line("空", " \n\u3000"), "empty"),
        (line("长", "痛" * LIMIT), "too_large"),
        (line("很长", "痛" * 50 * LIMIT), "too_large"),
    ],
)
def test_a_bad_line_is_rejected_alone(tmp_path: Path, bad: str, reason: str) -> None:
    limit = LIMIT if reason == "too_large" else 10**6
    content = f"{line('甲')}\n{bad}\n{line('乙')}\n"
    expected = [("a.jsonl:甲", "甲"), ("a.jsonl:2", reason), ("a.jsonl:乙", "乙")]
    assert outcome(read(tmp_path, "a.jsonl", content, limit)) == expected
    assert outcome(read(tmp_path, "a.jsonl.gz", gzip.compress(content.encode()), limit)) == [
        (path.replace("jsonl", "jsonl.gz"), found) for path, found in expected
    ]


def test_a_line_in_another_charset_is_rejected_alone(tmp_path: Path) -> None:
    content = f"{line('甲')}\n".encode() + f"{line('丙')}\n".encode("gb18030") + line("乙").encode()
    assert outcome(read(tmp_path, "a.jsonl", content)) == [
        ("a.jsonl:甲", "甲"),
        ("a.jsonl:2", "bad_record"),
        ("a.jsonl:乙", "乙"),
    ]


def test_lines_about_as_long_as_the_limit_keep_their_numbers(tmp_path: Path) -> None:
    for length in range(LIMIT - 2, LIMIT + 4):
        long = line("长", "x" * (length - len(line("长", "").encode())))
        found = outcome(read(tmp_path, "a.jsonl", f"{long}\n{line('乙')}\n"))
        assert found[1:] == [("a.jsonl:乙", "乙")]
        assert found[0][1] in ("长", "too_large") and (length < LIMIT) <= (found[0][1] == "长") <= (length <= LIMIT)


def test_a_number_as_id_is_kept_as_its_digits(tmp_path: Path) -> None:
    assert outcome(read(tmp_path, "a.jsonl", f"{line(0)}\n{line(20090101)}\n")) == [
        ("a.jsonl:0", "0"),
        ("a.jsonl:20090101", "20090101"),
    ]


@pytest.mark.parametrize("content", [f"\ufeff{line('甲')}\n{line('乙')}", f"{line('甲')}\r\n{line('乙')}\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path, content: str) -> None:
    assert outcome(read(tmp_path, "a.jsonl", content)) == [("a.jsonl:甲", "甲"), ("a.jsonl:乙", "乙")]


def test_a_packed_file_cut_off_keeps_the_records_before_the_cut(tmp_path: Path) -> None:
    content = "".join(f"{line(number, str(number) * 50)}\n" for number in range(500))
    packed = gzip.compress(content.encode(), compresslevel=1)
    *records, end = outcome(read(tmp_path, "a.jsonl.gz", packed[: len(packed) // 2]))
    assert end == ("a.jsonl.gz", "unreadable")
    assert 0 < len(records) < 500
    assert records == [(f"a.jsonl.gz:{number}", str(number)) for number in range(len(records))]


@pytest.mark.parametrize(
    "content",
    [b"", b"not packed", gzip.compress(b"")[:5], gzip.compress(b"{}" * 99)[:-9] + b"."],
    ids=["empty", "text", "header cut off", "checksum cut off"],
)
def test_a_packed_file_that_is_none_is_one_rejection_or_empty(tmp_path: Path, content: bytes) -> None:
    found = outcome(read(tmp_path, "a.jsonl.gz", content))
    assert found == ([("a.jsonl.gz", "unreadable")] if content else [])


@pytest.mark.parametrize("content", ["", " \r\n\t", "\ufeff", "\u3000\n", b"\0\0\0"])
@pytest.mark.parametrize("name", ["a.html", "a.txt"])
def test_a_page_without_a_letter_is_rejected_as_empty(tmp_path: Path, name: str, content: str | bytes) -> None:
    [item] = read(tmp_path, name, content)
    assert isinstance(item, Rejected)
    assert (item.path, item.reason, item.charset) == (name, Reason.EMPTY, "utf-8")


@pytest.mark.parametrize(("size", "kept"), [(LIMIT, True), (LIMIT + 1, False)])
def test_a_page_above_the_limit_is_rejected_with_both_sizes(tmp_path: Path, size: int, kept: bool) -> None:
    [item] = read(tmp_path, "a.txt", "x" * size)
    if kept:
        assert isinstance(item, RawPage) and len(item.text) == size
    else:
        assert isinstance(item, Rejected) and item.reason is Reason.TOO_LARGE
        assert str(size) in item.detail and str(LIMIT) in item.detail


def test_a_page_in_no_known_charset_is_rejected(tmp_path: Path) -> None:
    [item] = read(tmp_path, "a.html", HTML.encode() + b"\xff\xff\xff")
    assert isinstance(item, Rejected) and item.reason is Reason.BAD_CHARSET


@pytest.mark.parametrize("name", ["a.html", "a.txt", "a.jsonl", "a.jsonl.gz"])
def test_a_file_that_cannot_be_opened_is_a_rejection(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "gone")
    (tmp_path / "folder" / name).mkdir(parents=True)
    for file in (tmp_path / name, tmp_path / "folder" / name):
        [item] = read_file(file, name, 10**6)
        assert isinstance(item, Rejected)
        assert (item.path, item.reason) == (name, Reason.UNREADABLE)
        assert "无法读" in item.detail


def test_a_file_of_another_kind_is_rejected_with_the_kinds_that_are_read(tmp_path: Path) -> None:
    [item] = read(tmp_path, "a.pdf", "面肌痉挛")
    assert isinstance(item, Rejected)
    assert (item.path, item.reason) == ("a.pdf", Reason.UNREADABLE)
    assert ".html" in item.detail and ".jsonl.gz" in item.detail


def test_files_are_found_recursively_sorted_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    names = ["b/a.txt", "a.html", "b.html", "b/.a.txt", ".b/a.txt", "A.HTM", "a.pdf", "gz", "c/d.jsonl.gz", "乙.jsonl"]
    write_files(tmp_path, dict.fromkeys(names, "文字"))
    (tmp_path / "folder.html").mkdir()
    found = ["A.HTM", "a.html", "b.html", "b/a.txt", "c/d.jsonl.gz", "乙.jsonl"]
    assert find_files([tmp_path]) == [(tmp_path / path, path) for path in found]


def test_the_paths_asked_for_keep_their_order_and_hidden_folders_above_them_do_not_matter(tmp_path: Path) -> None:
    root = write_files(tmp_path / ".hidden", dict.fromkeys(["b/2.txt", "b/1.txt", "a.html", ".c.html"], "文字"))
    found = find_files([root / "b", root / "a.html", root / ".c.html"])
    assert [path for _, path in found] == ["1.txt", "2.txt", "a.html", ".c.html"]


def test_a_path_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere"):
        find_files([tmp_path, tmp_path / "nowhere"])


@pytest.mark.parametrize(("kind", "read_as"), [("doctor_answer", Kind.DOCTOR_ANSWER), ("ad", Kind.ARTICLE)])
def test_a_record_may_state_its_kind(tmp_path: Path, kind: str, read_as: Kind) -> None:
    [item] = read(tmp_path, "a.jsonl", line("r1", "打针。", kind=kind))
    assert isinstance(item, Page)
    assert item.answers[0].kind is read_as


def test_half_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path) -> None:
    [item] = read(tmp_path, "a.jsonl", '{"id": "r1", "text": "打针\\ud800。"}')
    assert isinstance(item, Page)
    assert item.text == "打针?。"


def test_the_host_of_an_address_is_the_site(tmp_path: Path) -> None:
    [item] = read(tmp_path, "a.jsonl", line("r1", "打针。", url="https://bi.example/a?b=1"))
    assert isinstance(item, Page)
    assert item.answers[0].site == "bi.example"
