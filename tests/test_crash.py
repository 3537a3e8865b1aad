"""What a reader sees when builds die and files are damaged: always one whole generation, or a sentence."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_builders import PATIENCE_SECONDS, ROOT, flip_bit, small_resources, spasm_answers
from test_build import article

from indexer import build_generation, open_engine
from indexer.errors import GenerationDamaged
from indexer.settings import Settings
from indexer.store import generations

SETTINGS = Settings(resources=small_resources())
KILLS = 200


def write_corpus(folder: Path, version: int) -> Path:
    """Answers and pages that all say which version of the corpus they are of."""
    folder.mkdir(exist_ok=True)
    with open(folder / "a.jsonl", "w", encoding="utf-8") as out:
        for number, answer in enumerate(spasm_answers(30)):
            # an update finds some of them as they were; their version is the last that changed them
            text = f"{answer.text}第{version if number % 3 else 0}版。"
            out.write(json.dumps({"id": answer.id, "answer": text}, ensure_ascii=False) + "\n")
    (folder / "p.html").write_text(article("面肌痉挛的表现", f"第{version}版。"), encoding="utf-8")
    return folder


def versions(data: Path) -> set[str]:
    """Of all answers that are found, but for those that never change."""
    engine = open_engine(data, SETTINGS)
    assert engine.problems == ()
    found = [answer.text.partition("第")[2].partition("版")[0] for answer in engine.answers()]
    assert len(found) == 31
    assert engine.search("面肌痉挛怎么办").total > 0
    return set(found) - {"0"}


def yiwen(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """The command in a process group of its own."""
    command = Path(sys.executable).with_name("yiwen")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIWEN_")}
    return subprocess.Popen(
        [command, *arguments],
        env={**environment, "PYTHONPATH": str(ROOT), "YIWEN_RESOURCES": str(small_resources())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.long
def test_killed_at_any_moment_of_build_update_or_switch_a_whole_generation_is_served(tmp_path: Path) -> None:
    rng = random.Random(20261122)
    corpus, data = tmp_path / "corpus", tmp_path / "data"
    build_generation(write_corpus(corpus, 1), data, SETTINGS)
    started = time.perf_counter()
    build_generation(write_corpus(corpus, 2), data, SETTINGS)
    seconds = time.perf_counter() - started + 1.0  # a process takes a moment to begin
    done = killed = 0
    for version in range(3, 3 + KILLS):
        write_corpus(corpus, version)
        kept = generations.list_generations(data)
        action = rng.choice(["build", "update", "update", "switch"])
        if action == "switch":
            process = yiwen("switch", rng.choice(kept), "--data", data)
        else:
            update = ["--update"] if action == "update" else []
            process = yiwen("build", "--corpus", corpus, "--data", data, *update)
        try:
            process.wait(rng.uniform(0, seconds))
            done += 1
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)
            killed += 1
        assert len(versions(data)) == 1
        for name in kept[:-3]:  # room on disk
            if name != generations.current(data):
                remove(data / "generations" / name)
    assert killed > KILLS // 2 and done > 0
    report = build_generation(corpus, data, SETTINGS, update=True)
    assert versions(data) == {str(2 + KILLS)}
    leftovers = [path.name for path in (data / "generations").iterdir() if not path.name.startswith("gen-")]
    assert leftovers == [] and not list((data / "generations").glob("*.partial"))
    generations.check_files(data, report.manifest.generation)


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose served generation has removed documents and two segments."""
    folder = tmp_path_factory.mktemp("whole")
    build_generation(write_corpus(folder / "corpus", 1), folder / "data", SETTINGS)
    lines = (folder / "corpus" / "a.jsonl").read_text(encoding="utf-8").splitlines()
    lines[3] = '{"id": "s3", "answer": "面肌痉挛，别喝咖啡。"}'
    (folder / "corpus" / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    build_generation(folder / "corpus", folder / "data", SETTINGS, update=True)
    return folder / "data"


def files_of(data: Path) -> Iterator[tuple[str, Path]]:
    name = generations.current(data)
    for path in generations.open_manifest(data, name).files:
        yield name, data / "generations" / name / path


def test_a_flipped_bit_in_any_file_is_found_by_check(whole: Path) -> None:
    rng = random.Random(7)
    checked = 0
    for name, file in files_of(whole):
        if not file.stat().st_size:
            continue
        bit = rng.randrange(8 * file.stat().st_size)
        flip_bit(file, bit)
        with pytest.raises(GenerationDamaged, match=file.name):
            generations.check_files(whole, name)
        flip_bit(file, bit)
        checked += 1
    assert checked > 60  # of words, bigrams, characters, Whoosh, dictionary, resources ...
    generations.check_files(whole, generations.current(whole))


def test_a_file_cut_off_missing_or_foreign_is_found_on_opening(whole: Path) -> None:
    for name, file in files_of(whole):
        content = file.read_bytes()
        if content:
            os.truncate(file, len(content) - 1)
            with pytest.raises(GenerationDamaged, match=file.name):
                generations.open_manifest(whole, name)
        file.unlink()
        with pytest.raises(GenerationDamaged, match=file.name):
            generations.open_manifest(whole, name)
        file.write_bytes(content)
    name = generations.current(whole)
    foreign = whole / "generations" / name / "impacts" / "segment-000001" / "foreign.npy"
    foreign.write_bytes(b"")
    with pytest.raises(GenerationDamaged, match="foreign"):
        generations.open_manifest(whole, name)
    foreign.unlink()
    generations.check_files(whole, name)
