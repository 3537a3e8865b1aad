"""Room on disk: what a build will need, who is refused before it starts, and what pruning frees."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from store_builders import sealed, small_resources, spasm_answers
from test_build import records

from indexer import build_generation, plan_pruning, prune
from indexer.errors import BuildRunning, DiskFault, GenerationMissing
from indexer.settings import Settings
from indexer.store import disk, generations
from webapp.cli import main

SETTINGS = Settings(resources=small_resources(), workers=1)
FILES = {"a": "x" * 100_000}


def corpus_of(folder: Path, answers: int) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.jsonl").write_text(records(spasm_answers(answers)), encoding="utf-8")
    return folder


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Have the disk say that it has so many bytes left."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=size))


def test_a_build_that_cannot_fit_is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    corpus, data = corpus_of(tmp_path / "corpus", 5), tmp_path / "data"
    free(monkeypatch, 12_000_000)
    assert main(["build", "--corpus", str(corpus), "--data", str(data)]) == 1
    [sentence] = capsys.readouterr().err.splitlines()
    assert str(data) in sentence and "只剩 12 MB" in sentence and "约需 1" in sentence
    assert not (data / "generations").exists()
    monkeypatch.undo()
    build_generation(corpus, data, SETTINGS)


def test_need_is_reckoned_by_the_last_generation_and_covers_what_a_build_takes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    small = build_generation(corpus_of(tmp_path / "corpus", 40), data, SETTINGS).manifest
    larger = corpus_of(tmp_path / "corpus", 400)
    size = (larger / "a.jsonl").stat().st_size
    need = disk.need_of(size, small)
    assert need.estimated_from == small.generation and need.corpus_bytes == size
    made = build_generation(larger, data, SETTINGS).manifest
    assert made.counts[disk.CORPUS_BYTES] == size
    written = sum(facts["bytes"] for facts in made.files.values())
    assert written < need.bytes - disk.RESERVE_BYTES < 20 * written
    assert (
        disk.need_of(size, made, update=True).bytes
        < disk.need_of(size, made).bytes
        < disk.need_of(2 * size, made).bytes
    )
    first = disk.need_of(size, None)
    assert first.estimated_from is None and first.bytes > written


def test_packed_files_count_for_what_they_hold(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl.gz"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    files = [(tmp_path / name, name) for name in ("a.jsonl", "b.jsonl.gz", "gone.html")]
    assert disk.corpus_size(files) > 4000


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x", "/d/a"), "写 /d/a 时磁盘已满"),
        (OSError(errno.EDQUOT, "x"), "磁盘配额已用完"),
        (shutil.Error([("/r/a", "/d/a", "[Errno 28] No space left on device: '/r/a'")]), "写 /d/a 时磁盘已满"),
        (OSError("262144 requested and 1024 written"), "多半是磁盘已满"),  # numpy's
    ],
)
def test_a_fault_of_the_disk_is_one_sentence_that_says_what_is_served(
    tmp_path: Path, error: OSError, said: str
) -> None:
    sealed(tmp_path, FILES)
    generations.switch_to(tmp_path, "gen-000001")
    with pytest.raises(DiskFault, match=said) as raised, disk.disk_faults_told(tmp_path, "建立索引"):
        raise error
    assert "正在使用的仍是完好的 gen-000001" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_error_is_not_taken_for_the_disks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk.disk_faults_told(tmp_path, "建立索引"):
        open(tmp_path / "nothing")  # noqa: SIM115


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Five generations; the third is served, the first is its parent."""
    for number in range(5):
        sealed(tmp_path, FILES, parent="gen-000001" if number == 2 else None)
    generations.switch_to(tmp_path, "gen-000003")
    return tmp_path


@pytest.mark.parametrize(
    ("keep", "kept"), [(0, [1, 3]), (1, [1, 3, 5]), (2, [1, 3, 4, 5]), (4, [1, 2, 3, 4, 5]), (9, [1, 2, 3, 4, 5])]
)
def test_pruning_keeps_the_served_one_its_parent_and_the_last(five: Path, keep: int, kept: list[int]) -> None:
    plan = plan_pruning(five, keep)
    assert len(generations.list_generations(five)) == 5
    assert prune(five, keep) == plan
    assert generations.list_generations(five) == [f"gen-{number:06d}" for number in kept] == list(plan.kept)
    generations.check_files(five, "gen-000003")


def test_pruning_tells_what_is_freed_not_what_others_share(five: Path) -> None:
    doomed, shared = five / "generations" / "gen-000002" / "a", five / "generations" / "gen-000003" / "a"
    alone = plan_pruning(five, 2).freed_bytes
    assert alone > 100_000
    doomed.unlink()
    os.link(shared, doomed)
    assert plan_pruning(five, 2).freed_bytes < alone - 90_000


def test_pruning_waits_for_no_build_and_clears_what_dead_ones_left(five: Path) -> None:
    (five / "generations" / "gen-000006.partial").mkdir()
    with generations.build_lock(five), pytest.raises(BuildRunning):
        prune(five, 0)
    assert len(generations.list_generations(five)) == 5
    prune(five, 0)
    assert list((five / "generations").glob("*.partial")) == []


def test_what_comes_to_be_served_while_others_are_deleted_stays(five: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clear = generations.clear_leftovers

    def switched_meanwhile(data: Path) -> None:  # after the plan was made
        clear(data)
        generations.switch_to(data, "gen-000004")

    monkeypatch.setattr(generations, "clear_leftovers", switched_meanwhile)
    done = prune(five, 0)
    assert done.removed == ("gen-000002", "gen-000005")
    assert done.kept == ("gen-000001", "gen-000003", "gen-000004")
    assert generations.current(five) == "gen-000004" and len(generations.list_generations(five)) == 3


def test_what_was_deleted_while_it_was_checked_is_not_served(five: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = generations.check_files

    def pruned_meanwhile(data: Path, name: str) -> generations.Manifest:
        manifest = check(data, name)
        prune(data, 0)
        return manifest

    monkeypatch.setattr(generations, "check_files", pruned_meanwhile)
    with pytest.raises(GenerationMissing, match="没有名为 gen-000004"):
        generations.switch_to(five, "gen-000004")
    assert generations.current(five) == "gen-000003" and list(five.glob("CURRENT.*")) == []


def test_nothing_is_pruned_where_it_is_not_known_what_is_served(five: Path) -> None:
    (five / "CURRENT").write_text("gen-000099")
    with pytest.raises(GenerationMissing, match="yiwen switch"):
        prune(five, 0)
    assert len(generations.list_generations(five)) == 5


def test_the_command_says_what_it_frees(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", "--keep", "1", "--data", str(five), "--dry-run"]) == 0
    assert "会删去 gen-000002、gen-000004" in capsys.readouterr().err
    assert main(["prune", "--keep", "1", "--data", str(five)]) == 0
    said = capsys.readouterr().err
    assert "已删去 gen-000002、gen-000004，腾出 0." in said and "留下 gen-000001、gen-000003、gen-000005" in said
    assert len(generations.list_generations(five)) == 3
