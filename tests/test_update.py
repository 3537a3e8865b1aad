"""An update makes what a full build of the same corpus makes, from what the last build left."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import make_answer, record_of
from store_builders import flip_bit, small_resources, spasm_answers, write_files
from test_build import article, records

from indexer import build_generation, open_engine, roll_back
from indexer.build import BuildReport
from indexer.engine import Engine
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.take_downs import put_back, take_down

SETTINGS = Settings(resources=small_resources())
QUESTIONS = ("面肌痉挛怎么治", "嘴角跳", "病程 7 个月复诊", "头痛吃什么药", "面肌痉挛跳到下巴", "咖啡")
LONG = "偏头痛发作时先到安静、光线暗的房间休息，尽早吃医生开过的止痛药，每月用药不要超过十天，否则会因用药过量而更痛。"
SLOGAN = "<p>本站提醒您：以上内容由本站编辑整理，仅供患者朋友们参考学习。</p>"

Files = dict[str, str | bytes]


def updated(corpus: Path, data: Path, settings: Settings = SETTINGS) -> BuildReport:
    return build_generation(corpus, data, settings, update=True)


def found(engine: Engine) -> dict[str, object]:
    """All that can be asked of an engine, without the order of equals: documents have other numbers after an update."""
    ranked = {}
    for question in QUESTIONS:
        ranking = [(round(score, 9), id_) for id_, score in engine.retrieve(question, 1000)]
        ranked[question] = sorted(ranking, key=lambda pair: (-pair[0], pair[1]))
    return {
        "answers": sorted(engine.answers(), key=lambda answer: answer.id),
        "ranked": ranked,
        "totals": [engine.search(question).total for question in QUESTIONS],
        "suggested": [suggestion.text for suggestion in engine.suggest("面肌")],
    }


def assert_same(updated_data: Path, corpus: Path, fresh: Path) -> None:
    """The served generation is, in what it says and in its files for people, that of a full build."""
    full = build_generation(corpus, fresh, SETTINGS).manifest
    here = generations.open_manifest(updated_data, generations.current(updated_data))
    assert here.counts == full.counts
    for file in ("pages.jsonl", "rejected.jsonl", "suggestions.tsv"):
        contents = [
            (generations.folder_of(data, manifest.generation) / file).read_text(encoding="utf-8").splitlines()
            for data, manifest in ((updated_data, here), (fresh, full))
        ]
        assert contents[0] == contents[1], file
    assert found(open_engine(updated_data, SETTINGS)) == found(open_engine(fresh, SETTINGS))
    generations.check_files(updated_data, here.generation)


def many(count: int = 60) -> Files:
    """A corpus of pages of one site, records, and what is rejected."""
    pages = {
        f"site.example/{number}.html": article(f"面肌痉挛表现之{number}", f"病例{number}。") for number in range(12)
    }
    return {**pages, "records.jsonl": records(spasm_answers(count)), "empty.html": ""}


def edited(files: Files, change: Callable[[list[dict[str, object]]], object]) -> Files:
    """The files with the answers of `records.jsonl` changed."""
    answers = [record_of(answer) for answer in spasm_answers(60)]
    change(answers)
    lines = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
    return {**files, "records.jsonl": lines}


def of_all(path: str, text: str) -> Callable[[Files], Files]:
    return lambda files: {**files, path: text}


CHANGES: dict[str, Callable[[Files], Files]] = {
    "nothing": lambda files: files,
    "an answer edited": lambda files: edited(files, lambda a: a[7].update(answer="面肌痉挛不要喝咖啡。")),
    "an answer gone": lambda files: edited(files, lambda a: a.pop(59)),
    "an answer new": lambda files: edited(files, lambda a: a.append({"id": "new", "answer": "头痛吃药，别喝咖啡。"})),
    "a page edited": of_all("site.example/3.html", article("面肌痉挛表现之3", "另一个病例。")),
    "a page new": of_all("site.example/99.html", article("面肌痉挛表现之99")),
    "a page gone": lambda files: {path: text for path, text in files.items() if path != "site.example/5.html"},
    "a page that was empty": of_all("empty.html", article("头痛怎么办")),
    "two copies": of_all("copy.jsonl", records([make_answer("c1", "另一问", LONG), make_answer("c2", "问", LONG)])),
    "an id that is taken already": of_all("a.jsonl", records([make_answer("s3", "抢先的编号", "面肌痉挛复诊。")])),
    "a file moved": lambda files: {("moved/" + p if p.endswith("7.html") else p): text for p, text in files.items()},
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_an_update_makes_what_a_full_build_makes(tmp_path: Path, change: str) -> None:
    files = many()
    corpus = write_files(tmp_path / "corpus", files)
    before = build_generation(corpus, tmp_path / "data", SETTINGS).manifest
    shutil.rmtree(corpus)
    write_files(corpus, CHANGES[change](files))
    report = updated(corpus, tmp_path / "data")
    assert report.reused >= 60
    assert report.manifest.parent == before.generation
    assert_same(tmp_path / "data", corpus, tmp_path / "fresh")


def test_what_only_comparing_shows_changes_pages_that_did_not(tmp_path: Path) -> None:
    """A line becomes one that its site repeats, and an answer a copy, when others come that have it too."""
    files: Files = {
        f"site.example/{n}.html": article(f"表现之{n}", f"病例{n}。{SLOGAN if n < 4 else ''}") for n in range(12)
    }
    files["records.jsonl"] = records([*spasm_answers(60), make_answer("c1", "头痛怎么办", LONG, date="2020-01-02")])
    corpus = write_files(tmp_path / "corpus", files)
    build_generation(corpus, tmp_path / "data", SETTINGS)
    files["site.example/20.html"] = article("表现之20", f"病例二十。{SLOGAN}")
    files["other.jsonl"] = records([make_answer("c0", "偏头痛怎么办", LONG, date="2019-01-02")])
    write_files(corpus, files)
    report = updated(corpus, tmp_path / "data")
    assert report.reused == 12 + 61
    answers = {answer.id: answer for answer in open_engine(tmp_path / "data", SETTINGS).answers()}
    assert answers["c1"].copy_of == "c0"
    assert "本站提醒您" not in "".join(answer.text for answer in answers.values())
    assert_same(tmp_path / "data", corpus, tmp_path / "fresh")


def test_many_updates_one_after_another_add_up(tmp_path: Path) -> None:
    rng = random.Random(6)
    answers = {answer.id: answer for answer in spasm_answers(200)}
    data, corpus = tmp_path / "data", tmp_path / "corpus"
    write_files(corpus, {"a.jsonl": records(list(answers.values())), **many(0)})
    build_generation(corpus, data, SETTINGS)
    segments = []
    for round_ in range(12):
        for id_ in rng.sample(sorted(answers), 4):
            if rng.random() < 0.4:
                del answers[id_]
            else:
                answers[id_] = dataclasses.replace(answers[id_], text=f"面肌痉挛，第{round_}次改写，头痛、咖啡。")
        answers[f"n{round_}"] = make_answer(f"n{round_}", f"头痛之{round_}", "头痛少喝咖啡。")
        write_files(corpus, {"a.jsonl": records(list(answers.values()))})
        updated(corpus, data)
        segments.append(len(list((data / "generations" / generations.current(data) / "impacts").glob("segment-*"))))
        if round_ % 4 == 3:
            assert_same(data, corpus, tmp_path / f"fresh{round_}")
    assert max(segments) > 3 and min(segments[3:]) == 1  # written anew when it was in pieces


def test_untouched_segments_are_the_same_files_and_the_base_can_be_served_again(tmp_path: Path) -> None:
    corpus, data = write_files(tmp_path / "corpus", many()), tmp_path / "data"
    first = build_generation(corpus, data, SETTINGS).manifest.generation
    before = found(open_engine(data, SETTINGS))
    write_files(corpus, CHANGES["an answer edited"](many()))
    second = updated(corpus, data).manifest.generation
    for path in ("impacts/segment-000001/words_documents.npy", "analysis/dictionary/edges.npy"):
        files = [data / "generations" / name / path for name in (first, second)]
        assert files[0].samefile(files[1])
    tocs = [next((data / "generations" / name / "whoosh").glob("*.toc")) for name in (first, second)]
    assert not tocs[0].samefile(tocs[1])
    roll_back(data)
    assert found(open_engine(data, SETTINGS)) == before


def test_taken_down_answers_leave_with_an_update_and_come_back_with_one(tmp_path: Path) -> None:
    corpus, data = write_files(tmp_path / "corpus", many()), tmp_path / "data"
    build_generation(corpus, data, SETTINGS)
    take_down(data, "s5", "测试")
    (tmp_path / "fresh").mkdir()
    take_down(tmp_path / "fresh", "s5", "测试")
    assert updated(corpus, data).manifest.counts["rejected_taken_down"] == 1
    assert_same(data, corpus, tmp_path / "fresh")
    put_back(data, "s5")
    put_back(tmp_path / "fresh", "s5")
    assert updated(corpus, data).manifest.counts["answers"] == 72
    assert_same(data, corpus, tmp_path / "fresh")


@pytest.mark.parametrize("file", ["pages.pickle", "facts.bin", "index.pickle"])
def test_what_was_collected_is_not_opened_when_it_is_not_as_it_was_left(tmp_path: Path, file: str) -> None:
    corpus, data = write_files(tmp_path / "corpus", many()), tmp_path / "data"
    build_generation(corpus, data, SETTINGS)
    flip_bit(data / "cache" / "collected" / "gen-000001" / file, 100)
    report = updated(corpus, data)
    assert report.reused == 0 and report.manifest.counts["answers"] == 72


def test_without_a_cache_or_with_other_resources_everything_is_built(tmp_path: Path) -> None:
    corpus, data = write_files(tmp_path / "corpus", many()), tmp_path / "data"
    assert updated(corpus, data).reused == 0
    shutil.rmtree(data / "cache")
    assert updated(corpus, data).reused == 0
    assert updated(corpus, data).reused == 72
    resources = tmp_path / "resources"
    shutil.copytree(small_resources(), resources)
    (resources / "lexicon" / "zz.tsv").write_text("呱啦麻麻症\tdisease\n", encoding="utf-8")
    assert updated(corpus, data, Settings(resources=resources)).reused == 0


def test_only_what_the_last_two_builds_collected_is_kept(tmp_path: Path) -> None:
    corpus, data = write_files(tmp_path / "corpus", many()), tmp_path / "data"
    for _ in range(4):
        updated(corpus, data)
    kept = sorted(folder.name for folder in (data / "cache" / "collected").iterdir())
    assert kept == ["gen-000003", "gen-000004"]
