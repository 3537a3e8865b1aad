"""Faults sown into a corpus, its resources or a build: the gate stops each and names it; what is well passes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from gate_builders import ANOTHER_SITE, ARCHIVE, ARCHIVED, RECORDS, World, copy_site, make_world, read_page

from indexer import build, indexing
from indexer.build import BuildReport
from indexer.errors import GenerationMissing
from indexer.ranking.trees import FILE as TREES
from indexer.ranking.trees import load_ranking, save_ranking
from indexer.store import generations


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A built world, and an untouched copy of it."""
    folder = tmp_path_factory.mktemp("gate")
    world = make_world(folder / "world")
    return world, shutil.copytree(folder / "world", folder / "untouched")


@pytest.fixture
def world(good: tuple[World, Path]) -> World:
    """The world as it was built: its place is the same for all, since a generation knows its corpus by its path."""
    world, untouched = good
    shutil.rmtree(world.corpus.parent)
    shutil.copytree(untouched, world.corpus.parent)
    return world


def failed(report: BuildReport) -> dict[str, str]:
    """The sentence of each check that did not pass, by its name."""
    assert report.gate is not None
    return {check.name: check.sentence for check in report.gate.checks if not check.passed}


def refused(world: World, report: BuildReport, name: str) -> str:
    """The sentence of a check that must have stopped the build; the old generation must still be served, and the new
    one must be there to be looked at.
    """
    faults = failed(report)
    assert name in faults, faults
    assert faults[name] in report.manifest.objections
    assert generations.current(world.data) == "gen-000001"
    assert generations.check_files(world.data, "gen-000002").objections == list(faults.values())
    return faults[name]


def passed(world: World, report: BuildReport) -> set[str]:
    """Names of all checks of a build that must have passed."""
    assert failed(report) == {}
    assert generations.current(world.data) == "gen-000002"
    assert report.gate is not None and report.gate.compared_with == "gen-000001"
    return {check.name for check in report.gate.checks}


def change_records(world: World, count: int, change: Callable[[str], str]) -> None:
    """Change the answers of the first records."""
    file = world.corpus / "raw" / "records.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for record in records[:count]:
        record["answer"] = change(record["answer"])
    file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


ALL_CHECKS = {
    *("resources", "lexicon", "weights", "arrays", "clock", "leaks", "garbled", "answers", "sites", "charsets"),
    *("unreadable", "removal", "cut_off", "doubles", "judged", "without_result", "latency"),
}


def test_a_clean_rebuild_passes_every_check(world: World) -> None:
    assert passed(world, world.build()) == ALL_CHECKS


def test_an_update_after_a_few_changed_pages_passes(world: World) -> None:
    first, second, third = world.site("yiku.example")[:3]
    first.write_text(read_page(first).replace("。</p>", "，请听医生的。</p>"), encoding="utf-8")
    second.unlink()
    third.rename(third.with_name("renamed.html"))
    report = world.build(update=True)
    assert report.reused > 0
    assert passed(world, report) == ALL_CHECKS


def test_a_grown_corpus_passes(world: World) -> None:
    copy_site(world.corpus / "raw", *ANOTHER_SITE)
    report = world.build()
    assert passed(world, report) == ALL_CHECKS
    assert report.manifest.counts["pages"] > generations.open_manifest(world.data, "gen-000001").counts["pages"]


def test_a_site_whose_pages_are_empty(world: World) -> None:
    world.rewrite("yiku.example", lambda _: "")
    sentence = refused(world, world.build(), "sites")
    assert "yiku.example" in sentence and "16 页全部消失" in sentence


def test_a_site_that_loses_half_of_its_pages(world: World) -> None:
    for file in world.site("luntan.example")[:8]:
        file.unlink()
    assert "luntan.example 从 16 页减少到 8 页" in refused(world, world.build(), "sites")


def test_pages_that_were_garbled_when_they_were_scraped(world: World) -> None:
    world.rewrite("luntan.example", lambda text: text.encode().decode("gbk", "replace"))
    sentence = refused(world, world.build(), "charsets")
    assert "乱码" in sentence and "从 0 个变为 16 个" in sentence


def test_records_that_are_garbled_in_part(world: World) -> None:
    """Too little for a record to be rejected: its question is whole, half of its answer is UTF-8 read as GBK."""
    change_records(world, 6, lambda answer: answer + answer.encode().decode("gbk", "replace").replace("\ufffd", "") * 2)
    report = world.build()
    sentence = refused(world, report, "garbled")
    assert "的答案是乱码" in sentence and "面肌痉挛" in sentence
    assert "charsets" not in failed(report)


def test_a_lexicon_that_was_lost(world: World) -> None:
    for file in (world.resources / "lexicon").glob("*.tsv"):
        if file.stem != "symptoms":
            file.write_text("", encoding="utf-8")
    sentence = refused(world, world.build(), "lexicon")
    assert "词表从" in sentence and "减少到" in sentence


def test_resources_that_change_while_the_build_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexing.index

    def meddle(collected: object, folder: Path, *others: object) -> object:
        counts = index(collected, folder, *others)  # type: ignore[arg-type]
        with open(folder / "resources" / "lexicon" / "foods.tsv", "a", encoding="utf-8") as out:
            out.write("忽然多出的食物\tfood\t\t\t\n")
        return counts

    monkeypatch.setattr(build, "index", meddle)
    report = world.build()
    assert "建立期间被改动" in refused(world, report, "resources")
    assert "另一份" in failed(report)["lexicon"]


def test_a_template_that_changed(world: World) -> None:
    """The site now puts the first heading of its list of other entries into the middle of each article."""
    related = '<section class="see-also"><h3>相关词条</h3>'
    world.rewrite("yiku.example", lambda text: text.replace('<h2 class="section">', f'{related}<h2 class="section">'))
    sentence = refused(world, world.build(), "removal")
    assert "yiku.example" in sentence and "模板" in sentence


def test_pages_that_are_there_twice(world: World) -> None:
    shutil.copytree(world.corpus / "raw" / "yiku.example", world.corpus / "raw" / "mirror")
    for file in world.site("mirror"):
        text = read_page(file)
        file.write_text(re.sub(r"yiku\.example", "mirror.example", text), encoding="utf-8")
    sentence = refused(world, world.build(), "doubles")
    assert "重复" in sentence and "yiku.example/" in sentence and "mirror/" in sentence


def test_an_archive_that_was_cut_off(world: World) -> None:
    archive = world.corpus / "raw" / ARCHIVE
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 9 // 10])
    sentence = refused(world, world.build(), "unreadable")
    assert ARCHIVE in sentence and f"原有 {ARCHIVED[1]} 页" in sentence and "不完整" in sentence


def test_advertisements_that_leak(world: World) -> None:
    """Cleaning lets them through since somebody emptied its lists; the served generation's lists still know them."""
    general = world.resources / "sites" / "general.toml"
    text = general.read_text(encoding="utf-8")
    emptied = re.sub(r"(?ms)^advertisement = \[.*?^\]", "advertisement = ['永不出现']", text)
    assert emptied != text
    general.write_text(emptied, encoding="utf-8")

    def advertise(text: str) -> str:
        topic = text.partition("<h1>")[2].partition("</h1>")[0]  # what all pages say alike goes as a slogan of the site
        advertisement = (
            f'<div class="para">想要根治{topic}请加微信客服咨询，点击领取免费名额，专家在线一对一解答。</div>'
        )
        return text.replace('<h2 class="section">', f'{advertisement}<h2 class="section">')

    world.rewrite("yiku.example", advertise)
    sentence = refused(world, world.build(), "leaks")
    assert "广告" in sentence and "yiku.example" in sentence and "加微信" in sentence


def test_records_that_send_to_another_site(world: World) -> None:
    change_records(world, RECORDS // 2, lambda answer: f"{answer}详情见 https://buy.shangcheng.example/item?id=7。")
    sentence = refused(world, world.build(), "leaks")
    assert "jilu.example" in sentence and "buy.shangcheng.example" in sentence


def set_weights(world: World, **values: float) -> None:
    file = world.resources / "weights" / "ranking.toml"
    text = file.read_text(encoding="utf-8")
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert count == 1
    file.write_text(text, encoding="utf-8")


def test_ranking_weights_that_are_zero(world: World) -> None:
    set_weights(world, words=0, bigrams=0, characters=0)
    assert "words、bigrams、characters 全为 0" in refused(world, world.build(), "weights")


@pytest.mark.parametrize(("fault", "words"), [("missing", "ranker.npz"), ("flat", "同为一个值"), ("cut", "ranker.npz")])
def test_trees_that_say_nothing(world: World, fault: str, words: str) -> None:
    file = world.resources / TREES
    if fault == "missing":
        file.unlink()
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:1000])
    else:
        learned = load_ranking(world.resources)
        flat = np.where(learned.trees.features < 0, np.float32(0), learned.trees.thresholds)
        save_ranking(replace(learned, trees=learned.trees._replace(thresholds=flat)), file)
    assert words in refused(world, world.build(), "weights")


def test_a_ranking_that_is_worse_but_whole(world: World) -> None:
    """Nothing is wrong with the files; only the judged questions show that scores were turned round."""
    learned = load_ranking(world.resources)
    leaf = learned.trees.features < 0
    turned = np.where(leaf, -learned.trees.thresholds, learned.trees.thresholds).astype(np.float32)
    save_ranking(replace(learned, trees=learned.trees._replace(thresholds=turned)), world.resources / TREES)
    report = world.build()
    assert "个评判过的问题明显变差" in refused(world, report, "judged")
    assert not {"weights", "arrays", "resources"} & set(failed(report))


@pytest.mark.parametrize("fault", ["missing", "cut"])
def test_arrays_that_are_missing_or_cut(world: World, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexing.index

    def lose(collected: object, folder: Path, *others: object) -> object:
        counts = index(collected, folder, *others)  # type: ignore[arg-type]
        [array] = folder.glob("impacts/*/bigrams_documents.npy")
        if fault == "missing":
            array.unlink()
        else:
            array.write_bytes(array.read_bytes()[:5000])
        return counts

    monkeypatch.setattr(build, "index", lose)
    assert "bigrams_documents.npy" in refused(world, world.build(), "arrays")


def test_a_clock_that_went_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_now", lambda: "2001-01-01T00:00:00Z")
    sentence = refused(world, world.build(), "clock")
    assert "时钟倒退" in sentence and "2001-01-01" in sentence and str(date.today().year) in sentence


def test_a_first_generation_must_be_sound_though_there_is_nothing_to_compare_it_with(world: World) -> None:
    shutil.rmtree(world.data)
    set_weights(world, question=0, answer=0)
    report = world.build()
    assert "weights" in failed(report)
    assert generations.list_generations(world.data) == ["gen-000001"]
    with pytest.raises(GenerationMissing):
        generations.current(world.data)
    assert report.gate is not None and report.gate.not_compared is not None


def test_what_the_gate_found_is_sealed_with_the_generation(world: World) -> None:
    world.rewrite("yiku.example", lambda _: "")
    report = world.build()
    content = json.loads((world.data / "generations" / "gen-000002" / "gate.json").read_text(encoding="utf-8"))
    assert report.gate is not None
    assert content == json.loads(json.dumps(report.gate.as_dict()))
    assert "gate.json" in report.manifest.files
    assert content["passed"] is False and content["compared_with"] == "gen-000001"
    assert [check["name"] for check in content["checks"] if not check["passed"]] == list(failed(report))
