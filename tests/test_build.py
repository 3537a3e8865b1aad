"""A corpus becomes a generation: what is counted, rejected and refused, and what a failed build leaves behind."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import RESOURCES, build_data, built, make_answer, record_of, write_corpus
from store_builders import spasm_answers, write_files

from indexer import build_generation, open_engine, switch_to
from indexer.errors import CorpusError, GenerationMissing, ResourceError
from indexer.records import Answer
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.take_downs import take_down
from indexer.verdicts import Reason

ARTICLE = """<html><head><title>{title}</title></head><body><h1>{title}</h1>
<p>面肌痉挛多从一侧下眼睑开始，慢慢扩展到嘴角，紧张和劳累时会加重。</p>
<p>{text}可以先到神经内科做检查，排除其他疾病之后再决定怎样治疗。</p></body></html>"""
EMPTY_PAGE, BAD_CHARSET = "", b"\xff\xff\xff"


def article(title: str = "面肌痉挛有哪些表现", text: str = "") -> str:
    return ARTICLE.format(title=title, text=text)


def records(answers: Sequence[Answer]) -> str:
    return "".join(json.dumps(record_of(answer), ensure_ascii=False) + "\n" for answer in answers)


def lines(data: Path, name: str, file: str) -> list[dict[str, object]]:
    content = (data / "generations" / name / file).read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines()]


def ids(data: Path) -> list[str]:
    return [answer.id for answer in open_engine(data).answers()]


def test_all_kinds_of_files_become_answers_and_what_does_not_is_named_with_its_reason(tmp_path: Path) -> None:
    corpus = write_files(
        tmp_path / "corpus",
        {
            "a/1.html": article(),
            "a/2.htm": article("面肌痉挛会传染吗").encode("gb18030"),
            "b.txt": "面肌痉挛怎么护理\n\n面肌痉挛的病人应当注意休息，避免劳累和熬夜，少喝浓茶和咖啡。\n",
            "c.jsonl": records(spasm_answers(3)) + "不是 JSON\n",
            "empty.html": EMPTY_PAGE,
            "bad.html": BAD_CHARSET,
            "ignored.pdf": "x",
            ".hidden.html": article("看不见的"),
        },
    )
    report = build_generation(corpus, tmp_path / "data")
    counts = report.manifest.counts
    assert {item.path: item.reason for item in report.rejected} == {
        "bad.html": Reason.BAD_CHARSET,
        "c.jsonl:4": Reason.BAD_RECORD,
        "empty.html": Reason.EMPTY,
    }
    assert (counts["pages"], counts["answers"], counts["rejected"]) == (6, 6, 3)
    assert {key: number for key, number in counts.items() if key.startswith("rejected_")} == {
        "rejected_bad_charset": 1,
        "rejected_bad_record": 1,
        "rejected_empty": 1,
    }
    assert report.manifest.objections == []

    pages = lines(tmp_path / "data", "gen-000001", "pages.jsonl")
    assert [page["path"] for page in pages] == ["a/1.html", "a/2.htm", "b.txt", *(f"c.jsonl:s{n}" for n in (0, 1, 2))]
    assert [page["charset"] for page in pages][:3] == ["utf-8", "gb18030", "utf-8"]
    kept = [(line["path"], line["reason"]) for line in lines(tmp_path / "data", "gen-000001", "rejected.jsonl")]
    assert kept == [(item.path, item.reason.value) for item in report.rejected]
    assert all(item.detail.endswith("。") for item in report.rejected)
    assert len(ids(tmp_path / "data")) == 6


def test_the_manifest_tells_what_the_generation_was_made_of(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(2))
    build_data(tmp_path, spasm_answers(3))
    first, second = (generations.check_files(data, name) for name in generations.list_generations(data))
    assert (first.parent, second.parent) == (None, "gen-000001")
    assert first.corpus == str((tmp_path / "corpus").resolve())
    assert (first.counts["answers"], second.counts["answers"]) == (2, 3)
    assert {"pages.jsonl", "rejected.jsonl", "resources/weights/ranking.toml"} <= set(first.files)
    assert not [path for path in first.files if "LOCK" in path]


def test_only_the_raw_folder_is_read_when_there_is_one(tmp_path: Path) -> None:
    corpus = write_files(tmp_path / "corpus", {"raw/a.html": article(), "labels.jsonl": records(spasm_answers(2))})
    manifest = build_generation(corpus, tmp_path / "data").manifest
    assert [page["path"] for page in lines(tmp_path / "data", "gen-000001", "pages.jsonl")] == ["a.html"]
    assert manifest.corpus == str(corpus)


def test_one_file_is_a_corpus(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(2))
    assert build_generation(corpus / "answers.jsonl", tmp_path / "data").manifest.counts["answers"] == 2


def test_progress_is_told_after_each_file(tmp_path: Path) -> None:
    corpus = write_files(tmp_path / "corpus", {"a.html": article(), "b.html": EMPTY_PAGE, "c.jsonl": "x\ny\n"})
    told: list[tuple[int, int]] = []
    build_generation(corpus, tmp_path / "data", progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (None, "corpus 不存在；请检查 --corpus 的路径"),
        ({}, "corpus 中没有可读的文件；可读的类型有 .html"),
        ({"raw/a.pdf": "x", "a.html": article()}, "raw 中没有可读的文件"),
        (
            {"a.html": EMPTY_PAGE, "b.html": BAD_CHARSET, "c.txt": ""},
            "没有可以收录的答案：空页面 2 个，编码无法识别 1 个",
        ),
        ({"a.jsonl": ""}, "没有可以收录的答案：文件里没有内容"),
    ],
)
@pytest.mark.parametrize("served", [False, True])
def test_a_corpus_of_no_use_is_a_sentence_and_changes_nothing(
    tmp_path: Path, files: dict[str, str | bytes] | None, sentence: str, served: bool
) -> None:
    data = tmp_path / "data"
    if served:
        build_data(tmp_path, spasm_answers(2))
        shutil.rmtree(tmp_path / "corpus")
    if files is not None:
        write_files(tmp_path / "corpus", files)
    with pytest.raises(CorpusError) as raised:
        build_generation(tmp_path / "corpus", data)
    assert sentence in str(raised.value) and str(tmp_path / "corpus") in str(raised.value)
    assert generations.list_generations(data) == (["gen-000001"] if served else [])
    assert list(data.glob("generations/*.partial")) == []
    if served:
        assert open_engine(data).search("面肌痉挛").total == 2
    else:
        with pytest.raises(GenerationMissing):
            generations.current(data)


def test_missing_resources_stop_the_build_before_it_writes(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(1))
    with pytest.raises(ResourceError, match="nowhere"):
        build_generation(corpus, tmp_path / "data", Settings(resources=tmp_path / "nowhere"))
    assert not (tmp_path / "data").exists()


def test_a_broken_resource_file_stops_the_build_and_leaves_no_draft(tmp_path: Path) -> None:
    resources = shutil.copytree(RESOURCES, tmp_path / "resources")
    (resources / "lexicon" / "aspects.toml").write_text("[治疗\n", encoding="utf-8")
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(1))
    with pytest.raises(ResourceError, match=r"aspects\.toml"):
        build_generation(corpus, tmp_path / "data", Settings(resources=resources))
    assert list((tmp_path / "data" / "generations").iterdir()) == []


def test_a_repeated_id_is_rejected_and_the_first_one_kept(tmp_path: Path) -> None:
    first, second = make_answer("同", text="先来的面肌痉挛"), make_answer("同", text="后到的面肌痉挛")
    corpus = write_files(
        tmp_path / "corpus",
        {"a.jsonl": records([first, second, make_answer("异", text="另一条")]), "b.jsonl": records([second])},
    )
    report = build_generation(corpus, tmp_path / "data")
    assert [(item.path, item.reason) for item in report.rejected] == [
        ("a.jsonl:同", Reason.DUPLICATE_ID),
        ("b.jsonl:同", Reason.DUPLICATE_ID),
    ]
    assert all("同" in item.detail and "a.jsonl:同" in item.detail for item in report.rejected)
    kept = open_engine(tmp_path / "data").answer("同")
    assert kept is not None and kept.text == first.text
    assert sorted(ids(tmp_path / "data")) == ["同", "异"]


def test_ids_stay_when_files_are_added_and_lines_change_places(tmp_path: Path) -> None:
    answers = spasm_answers(6)
    pages = {f"页/{number}.html": article(f"面肌痉挛的第{number}个问题") for number in range(4)}
    corpus = write_files(tmp_path / "corpus", {**pages, "r.jsonl": records(answers)})
    build_generation(corpus, tmp_path / "data")
    before = {answer.question: answer.id for answer in everything(tmp_path / "data")}
    assert len(before) == 10 and len(set(before.values())) == 10

    random.Random(3).shuffle(answers)
    write_files(corpus, {"r.jsonl": records(answers), "新/0.html": article("面肌痉挛的新问题"), "00.html": article()})
    build_generation(corpus, tmp_path / "data")
    after = {answer.question: answer.id for answer in everything(tmp_path / "data")}
    assert len(after) == 12 and len(set(after.values())) == 12
    assert {question: after[question] for question in before} == before


def everything(data: Path) -> list[Answer]:
    store = open_engine(data)._generation().store
    return [store.answer(number) for number in range(store.document_count)]


def test_resources_are_copied_and_the_generation_does_not_notice_later_changes(tmp_path: Path) -> None:
    resources = shutil.copytree(RESOURCES, tmp_path / "resources")
    (resources / "lexicon" / "aspects.toml").write_text(
        'together = []\n[features]\n[also]\n"护理" = "嘴角"\n', encoding="utf-8"
    )
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(3))
    settings = Settings(resources=resources)
    build_generation(corpus, tmp_path / "data", settings)
    copied = {path.relative_to(resources) for path in resources.rglob("*") if path.is_file()}
    inside = tmp_path / "data" / "generations" / "gen-000001" / "resources"
    assert {path: (inside / path).read_bytes() for path in copied} == {
        path: (resources / path).read_bytes() for path in copied
    }
    shutil.rmtree(resources)
    result = open_engine(tmp_path / "data", settings).search("面肌痉挛跳到嘴角怎么治")
    assert result.total == 3
    assert "护理" in result.aspects


def test_a_corpus_that_lost_more_than_half_is_refused_and_can_be_switched_to(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(10))
    engine = open_engine(data)
    report = built(tmp_path, spasm_answers(4))
    assert [("10" in sentence, "4" in sentence) for sentence in report.manifest.objections] == [(True, True)]
    assert report.manifest.generation == "gen-000002"
    assert generations.current(data) == "gen-000001"
    assert engine.search("面肌痉挛", limit=100).total == 10
    switch_to(data, "gen-000002", override_reason="语料本来就要缩小")
    assert engine.search("面肌痉挛", limit=100).total == 4


def test_half_the_answers_are_enough(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(10))
    assert built(tmp_path, spasm_answers(5)).manifest.objections == []
    assert generations.current(data) == "gen-000002"


def test_a_refused_generation_is_not_what_the_next_build_is_compared_with(tmp_path: Path) -> None:
    build_data(tmp_path, spasm_answers(10))
    assert built(tmp_path, spasm_answers(4)).manifest.objections != []
    report = built(tmp_path, spasm_answers(4))
    assert report.manifest.objections != [] and report.manifest.parent == "gen-000001"


def test_another_corpus_root_is_compared_with_nothing(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(10))
    other = write_corpus(tmp_path / "other", spasm_answers(1))
    assert build_generation(other, data).manifest.objections == []
    assert open_engine(data).search("面肌痉挛").total == 1


def test_a_build_that_is_interrupted_leaves_no_draft_and_the_old_generation(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(2))

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_generation(tmp_path / "corpus", data, progress=interrupt)
    assert [path.name for path in (data / "generations").iterdir()] == ["gen-000001"]
    assert built(tmp_path, spasm_answers(3)).manifest.generation == "gen-000002"


def test_a_data_directory_inside_the_corpus_is_not_read(tmp_path: Path) -> None:
    write_corpus(tmp_path, [make_answer("a1", "面肌痉挛", "打针有用。")])
    for _ in range(2):
        report = build_generation(tmp_path, tmp_path / "var")
    assert (report.manifest.counts["answers"], report.rejected) == (1, ())


def test_what_was_taken_down_is_no_loss(tmp_path: Path) -> None:
    answers = spasm_answers(10)
    data = build_data(tmp_path, answers)
    for answer in answers[1:]:
        take_down(data, answer.id, "作者要求")
    report = built(tmp_path, answers)
    assert (report.manifest.counts["answers"], report.manifest.objections) == (1, [])


def test_a_run_of_letters_without_end_is_indexed(tmp_path: Path) -> None:
    report = built(tmp_path, [make_answer("a1", "图片", "a" * 70_000)])
    assert report.manifest.counts["answers"] == 1


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [make_answer("a1", "面肌痉挛", "打针有用。")])
    (corpus / "b.html").symlink_to("nowhere")
    report = build_generation(corpus, tmp_path / "data")
    assert [(item.path, item.reason) for item in report.rejected] == [("b.html", Reason.UNREADABLE)]
