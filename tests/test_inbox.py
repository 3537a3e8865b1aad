"""Batches of the inbox: inspected as a build would clean them, taken into the next build, and out of it again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from builders import write_corpus
from inbox_builders import AD, files_below, page, upload, zip_of
from store_builders import small_resources, spasm_answers, yiwen
from waiting import wait_for_job

from indexer.build import build_generation, corpus_files
from indexer.cleaning import no_progress
from indexer.errors import CorpusError, DiskFault, InboxError
from indexer.health.inbox import inbox as inbox_findings
from indexer.inbox import page_view
from indexer.inbox.adding import add_uploads
from indexer.inbox.deciding import discard_batch, leave_out_page, put_page_in_again, take_batch
from indexer.inbox.inspecting import inspect_batch, inspecting_job, start_inspecting
from indexer.inbox.listing import INSPECTED, fits_filter, list_inbox_pages, read_summary
from indexer.inbox.page_view import original_page, view_page
from indexer.inspected import read_inspected
from indexer.jobs import find_job
from indexer.own_resources import save_resources
from indexer.settings import Settings
from indexer.store.audit_log import read_acts
from indexer.store.batches import facts_folder, find_batch, left_out_pages, list_batches, taken_files, waiting_files
from indexer.store.disk import corpus_size

RECORDS = (
    '{"id": "r1", "question": "头痛怎么办", "answer": "多休息，必要时到神经内科就诊。"}\n{"id": "r2", "answer": ""}\n'
)
FILES: Mapping[str, str | bytes] = {
    "ya.example/1.html": page("牙龈出血怎么办"),
    "ya.example/2.html": page("牙龈肿痛怎么办").encode("gb18030").replace(b"utf-8", b"gb18030"),
    "ya.example/empty.html": "<html><body></body></html>",
    "r.jsonl": RECORDS,
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    return replace(Settings(), data=tmp_path / "data", resources=small_resources(), workers=1)


@pytest.fixture
def data(settings: Settings) -> Path:
    return settings.data


def add(settings: Settings, files: Mapping[str, str | bytes] = FILES, inspect: bool = True) -> int:
    number = add_uploads(settings.data, [upload("a.zip", zip_of(files))], "", "小王", settings)
    if inspect:
        inspect_batch(settings.data, number, settings, no_progress)
    return number


def answer_paths(data: Path, generation: str = "gen-000001") -> dict[str, list[str]]:
    """Path of each page of a generation, with the ids of its answers."""
    lines = (data / "generations" / generation / "pages.jsonl").read_text(encoding="utf-8").splitlines()
    return {page["path"]: [answer["id"] for answer in page["answers"]] for page in map(json.loads, lines)}


def test_a_batch_is_inspected_page_by_page(settings: Settings, data: Path) -> None:
    number = add(settings)
    summary = read_summary(data, number)
    assert summary is not None
    assert (summary.pages, summary.answers, summary.rejected) == (5, 3, {"空页面": 1, "没有正文": 1})
    assert summary.sites == {"ya.example": 3} and summary.charsets["gb18030"] == 1 and summary.known == {}
    listed = list(list_inbox_pages(data, number))
    assert [(one.number, one.path, one.key) for one in listed] == [
        (1, "r.jsonl:1", "r.jsonl:r1"),
        (2, "r.jsonl:2", "r.jsonl:2"),
        (3, "ya.example/1.html", "ya.example/1.html"),
        (4, "ya.example/2.html", "ya.example/2.html"),
        (5, "ya.example/empty.html", "ya.example/empty.html"),
    ]
    assert (listed[3].title, listed[3].site, listed[3].charset) == ("牙龈肿痛怎么办", "ya.example", "gb18030")
    assert 0 < listed[2].removed_blocks < listed[2].blocks and 0 < listed[2].removed_share < 1
    inspected = list(read_inspected(facts_folder(data, number) / INSPECTED))
    assert [one.path for one in inspected] == [one.path for one in listed]
    assert any(AD in block.text and not block.is_kept and block.rule for block in inspected[2].blocks)


def test_filters_let_through_what_they_say(settings: Settings, data: Path) -> None:
    bare = "<title>牙痛</title><p>牙痛应尽早到口腔科检查，多数需要补牙或做根管治疗，不要自己乱吃止痛药。</p>"
    number = add(
        settings, {**FILES, "z.txt": "牙痛怎么办\n牙痛应尽早到口腔科检查，多数需要补牙或做根管治疗。\n", "b.html": bare}
    )
    leave_out_page(data, number, 1, "小王", "不是网页")
    out = left_out_pages(data, number)

    def shown(wanted: str, site: str | None = None) -> list[str]:
        pages = list_inbox_pages(data, number)
        return [one.path for one in pages if fits_filter(one, wanted, site, (number, one.key) in out)]

    assert len(shown("")) == 7
    assert shown("rejected") == ["r.jsonl:2", "ya.example/empty.html"]
    assert shown("left_out") == ["b.html"] and "b.html" not in shown("kept")
    assert shown("", "ya.example") == ["ya.example/1.html", "ya.example/2.html", "ya.example/empty.html"]
    assert all(one.removed_blocks == 0 for one in list_inbox_pages(data, number) if one.path in shown("untouched"))
    assert "ya.example/1.html" not in shown("untouched") and shown("known") == []


def test_a_batch_that_was_taken_in_is_in_the_next_build_with_the_ids_that_were_shown(
    settings: Settings, data: Path, tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(3))
    number = add(settings)
    shown = {one.path: [a.id for a in one.answers] for one in read_inspected(facts_folder(data, number) / INSPECTED)}
    leave_out_page(data, number, 4, "小王", "已过时")
    take_batch(data, number, "小王")
    assert find_batch(data, number).state == "taken" and not waiting_files(data, number).exists()
    report = build_generation(corpus, data, settings)
    built = answer_paths(data)
    assert built["desk/1/ya.example/1.html"] == shown["ya.example/1.html"]
    assert built["desk/1/r.jsonl:r1"] == ["r1"]
    assert "desk/1/ya.example/2.html" not in built and len(built) == 5
    left = [one for one in report.rejected if one.reason.value == "left_out"]
    assert [(one.path, one.detail) for one in left] == [("desk/1/ya.example/2.html", "已过时")]
    stored = (data / "generations" / "gen-000001" / "pages.jsonl").read_text(encoding="utf-8")
    assert '"site": "ya.example"' in stored and '"site": "desk"' not in stored


def test_an_update_takes_a_batch_in_and_out_as_a_full_build_does(
    settings: Settings, data: Path, tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(30))
    build_generation(corpus, data, settings)
    number = add(settings)
    take_batch(data, number, "小王")
    updated = build_generation(corpus, data, settings, update=True)
    assert updated.reused == 30
    with_batch = answer_paths(data, updated.manifest.generation)
    full = build_generation(corpus, data, settings)
    assert with_batch == answer_paths(data, full.manifest.generation) and len(with_batch) == 33
    discard_batch(data, number, "小王", "采集有误")
    assert find_batch(data, number).state == "discarded" and not taken_files(data, number).exists()
    without = build_generation(corpus, data, settings, update=True)
    assert len(answer_paths(data, without.manifest.generation)) == 30
    assert [act.action for act in read_acts(data)][:2] == ["撤出一批网页", "收进一批网页"]


def test_a_page_that_came_in_again_stands_in_for_what_it_was(settings: Settings, data: Path) -> None:
    for word in ("旧版", "新版"):
        record = {"id": "same", "question": "头痛怎么办", "answer": f"{word}：多休息，必要时就诊。"}
        take_batch(data, add(settings, {"r.jsonl": json.dumps(record, ensure_ascii=False)}), "小王")
    build_generation(data / "pages", data, settings)
    stored = (data / "generations" / "gen-000001" / "pages.jsonl").read_text(encoding="utf-8")
    assert "新版" in stored and "旧版" not in stored


def test_the_inbox_alone_can_be_built_from(settings: Settings, data: Path) -> None:
    with pytest.raises(CorpusError, match="还没有收进"):
        build_generation(data / "pages", data, settings)
    take_batch(data, add(settings), "小王")
    files = corpus_files(data / "pages", data)
    assert [path for _, path in files] == [f"desk/1/{path}" for path in sorted(FILES)]
    assert corpus_size(files) == sum(file.stat().st_size for file, _ in files) > 0  # what the disk estimate counts
    assert build_generation(data / "pages", data, settings).manifest.counts["answers"] == 3


def test_only_what_was_inspected_is_taken_in_and_only_what_waits(settings: Settings, data: Path) -> None:
    number = add(settings, inspect=False)
    with pytest.raises(InboxError, match="还没有检查"):
        take_batch(data, number, "a")
    inspect_batch(data, number, settings, no_progress)
    take_batch(data, number, "a")
    with pytest.raises(InboxError, match="已收进"):
        take_batch(data, number, "a")
    with pytest.raises(InboxError, match="已收进"):
        leave_out_page(data, number, 1, "a", "x")
    with pytest.raises(InboxError, match="原因"):
        discard_batch(data, number, "a", "  ")
    discard_batch(data, number, "a", "x")
    with pytest.raises(InboxError, match="已经丢弃"):
        discard_batch(data, number, "a", "x")
    for missing in (99, 2**70):
        with pytest.raises(InboxError, match="没有第"):
            find_batch(data, missing)


def test_a_move_that_fails_changes_nothing(settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = add(settings)
    before = read_acts(data)

    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(os, "rename", fail)
    for decide in (partial(take_batch, data, number, "a"), partial(discard_batch, data, number, "a", "x")):
        with pytest.raises(DiskFault, match="磁盘已满"):
            decide()
        assert find_batch(data, number).state == "waiting" and find_batch(data, number).decided_at == ""
    with pytest.raises(DiskFault, match="磁盘已满"):
        add(settings)
    assert read_acts(data) == before and len(list_batches(data)) == 1
    monkeypatch.undo()
    assert [path.name for path in (data / "inbox").iterdir()] == [str(number)]


def test_a_process_that_died_between_move_and_record_leaves_what_the_files_say(settings: Settings, data: Path) -> None:
    number = add(settings)
    (data / "pages").mkdir()
    os.rename(waiting_files(data, number), taken_files(data, number))  # and no more was written down
    assert find_batch(data, number).state == "taken"
    assert [path.partition("/")[0] for _, path in corpus_files(data / "pages", data)] == ["desk"] * 4


def test_pages_are_left_out_and_put_in_again_with_their_acts(settings: Settings, data: Path) -> None:
    number = add(settings)
    leave_out_page(data, number, 1, "小王", "重复")
    assert left_out_pages(data, number) == {(number, "r.jsonl:r1"): "重复"}
    put_page_in_again(data, number, 1, "小李")
    assert left_out_pages(data, number) == {}
    with pytest.raises(InboxError, match="没有被留出"):
        put_page_in_again(data, number, 1, "小李")
    with pytest.raises(InboxError, match="没有第 99 页"):
        leave_out_page(data, number, 99, "a", "x")
    assert [(act.actor, act.action, act.object) for act in read_acts(data)][:2] == [
        ("小李", "放回这一页", "第 1 批 r.jsonl:r1"),
        ("小王", "不收这一页", "第 1 批 r.jsonl:r1"),
    ]


def test_pages_that_are_there_already_are_marked(settings: Settings, data: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    addressed = '{"id": "other", "answer": "另一段文字，很不相同。", "url": "http://a.example/1"}'
    (corpus / "r.jsonl").write_text(
        addressed + '\n{"id": "r1", "answer": "早先的回答，说的是别的。"}\n', encoding="utf-8"
    )
    (corpus / "old.html").write_text(page("牙龈出血怎么办"), encoding="utf-8")
    build_generation(corpus, data, settings)
    again = '{"id": "new", "question": "另一个", "answer": "新写的文字。", "url": "http://a.example/1"}\n' + RECORDS
    number = add(settings, {**FILES, "r.jsonl": again})
    known = {one.path: one.known for one in list_inbox_pages(data, number)}
    assert known["ya.example/1.html"] == "bytes" and known["ya.example/2.html"] == ""
    assert (known["r.jsonl:1"], known["r.jsonl:2"], known["r.jsonl:3"]) == ("address", "id", "")
    summary = read_summary(data, number)
    assert summary is not None and summary.known == {"内容完全相同": 1, "网址相同": 1, "编号相同": 1}


def test_a_page_is_shown_as_the_rules_are_now(settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = add(settings)
    view = view_page(data, number, 3, settings)
    assert view.is_afresh and view.pages == 5 and view.page.path == "ya.example/1.html"
    assert view.page == next(one for one in read_inspected(facts_folder(data, number) / INSPECTED) if "1.h" in one.path)
    kept = [block.text for block in view.page.blocks if block.is_kept]
    sentence = next(text for text in kept if "建议到口腔科" in text)
    general = (small_resources() / "sites" / "general.toml").read_text(encoding="utf-8")
    assert "advertisement = [" in general
    changed = general.replace("advertisement = [", 'advertisement = [\n  "建议到口腔科",', 1)
    save_resources(data, {"sites/general.toml": changed}, "小王", "试", settings.resources)
    afresh = view_page(data, number, 3, settings).page
    assert sentence not in [block.text for block in afresh.blocks if block.is_kept]
    monkeypatch.setattr(page_view, "_UNSAFE", {""})  # as if its cleaning had not come to an end
    before = view_page(data, number, 3, settings)
    assert not before.is_afresh and before.page == view.page


def test_the_original_comes_from_its_file_whatever_it_lies_in(settings: Settings, data: Path) -> None:
    number = add(settings)
    html = original_page(data, number, 4, settings)
    assert html.is_html and "牙龈肿痛怎么办" in html.text and AD in html.text
    record = original_page(data, number, 1, settings)
    assert not record.is_html and json.loads(record.text)["id"] == "r1"
    take_batch(data, number, "a")
    assert original_page(data, number, 4, settings) == html
    discard_batch(data, number, "a", "x")
    with pytest.raises(InboxError, match="没有保留"):
        original_page(data, number, 4, settings)
    assert not view_page(data, number, 4, settings).is_afresh


def test_inspecting_goes_on_by_itself_and_comes_to_later_batches_too(settings: Settings, data: Path) -> None:
    first, second = add(settings, inspect=False), add(settings, inspect=False)
    job = start_inspecting(data, first, "小王")
    assert job is not None and inspecting_job(data, first) is not None
    start_inspecting(data, second, "小王")
    done = wait_for_job(data, job.number)
    assert done.status == "done" and "第 1 批：5 个页面" in done.sentence
    for number in (first, second):
        if read_summary(data, number) is None:
            later = inspecting_job(data, number)
            assert later is not None
            wait_for_job(data, later.number)
        assert read_summary(data, number) is not None
    assert find_job(data, job.number).label == "检查收件箱"


def test_the_doctor_counts_what_was_taken_in(settings: Settings, data: Path) -> None:
    take_batch(data, add(settings), "小王")
    [finding] = inbox_findings(settings)
    assert finding.well and "1 批，4 个文件" in finding.sentence


def test_the_command_line_does_all_of_it(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(FILES))
    where = ("--data", settings.data)
    added = yiwen("inbox", "add", tmp_path / "a.zip", "--name", "口腔", "--json", *where, cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    record = json.loads(added.stdout)
    assert (record["number"], record["name"], record["summary"]["pages"]) == (1, "口腔", 5)
    assert yiwen("inbox", "leave-out", "1", "4", "--reason", "旧", *where, cwd=tmp_path).returncode == 0
    pages = yiwen("inbox", "pages", "1", "--only", "left_out", "--json", *where, cwd=tmp_path)
    [left] = map(json.loads, pages.stdout.splitlines())
    assert (left["path"], left["left_out"]) == ("ya.example/2.html", "旧")
    assert yiwen("inbox", "take", "1", *where, cwd=tmp_path).returncode == 0
    assert "已收进" in yiwen("inbox", "list", *where, cwd=tmp_path).stdout
    assert yiwen("inbox", "discard", "1", *where, cwd=tmp_path).returncode == 1
    assert yiwen("inbox", "discard", "1", "--reason", "错", *where, cwd=tmp_path).returncode == 0
    assert "已丢弃" in yiwen("inbox", "show", "1", *where, cwd=tmp_path).stdout
    (tmp_path / "bad.zip").write_bytes(zip_of({"../a.html": "x"}))
    bad = yiwen("inbox", "add", tmp_path / "bad.zip", *where, cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (1, "") and "../a.html" in bad.stderr
    assert all(act.actor.startswith("命令行/") for act in read_acts(settings.data))
    assert files_below(settings.data / "pages") == []
