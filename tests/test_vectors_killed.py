"""kill -9 while vectors are made: none or whole ones, searches go on by words, and the next run does only the rest."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEmbedder
from store_builders import flip_bit, small_resources
from vector_builders import arrays, indexed, long_answers, passages

from indexer import build_generation, open_engine
from indexer.errors import MeaningError
from indexer.meaning import making
from indexer.meaning.making import make_vectors
from indexer.meaning.vector_cache import VectorCache
from indexer.meaning.vectors import open_vectors
from indexer.settings import Settings
from indexer.store import generations, vectors_folder

ANSWERS = long_answers(100)
TEXTS = set(passages(ANSWERS))
BATCH = 16
BATCHES = -(-len(TEXTS) // BATCH)
#: what Python tells of before it does them: files opened, made, renamed, deleted
CALLS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect", "fcntl.flock")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are many."""
    monkeypatch.setattr(making, "BATCH", BATCH)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose vectors were made in one go, and its copy without them in `bare`."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    indexed(data, ANSWERS)
    shutil.copytree(data, data.with_name("bare"))
    make_vectors(data, generations.current(data), FakeEmbedder())
    return data


@pytest.fixture
def data(undisturbed: Path, tmp_path: Path) -> Path:
    """Without vectors."""
    shutil.copytree(undisturbed.with_name("bare"), tmp_path / "data")
    return tmp_path / "data"


def in_process(work: Callable[[], object], kill_after_s: float | None = None) -> bool:
    """Do it in a process of its own; True when it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def none_or_whole(data: Path) -> bool:
    """Whether there are vectors; half ones would raise."""
    name = generations.current(data)
    generations.check_files(data, name)  # the generation itself is served as before
    there = vectors_folder.check_files(data, name) is not None
    assert (open_vectors(data, name) is not None) == there
    return there


def embedded_by_the_next_run(data: Path, undisturbed: Path) -> set[str]:
    """Texts; the run must come to what an undisturbed one came to."""
    model, name = FakeEmbedder(), generations.current(data)
    assert len(make_vectors(data, name, model).manifest.files) == len(arrays(undisturbed, name))
    assert arrays(data, name) == arrays(undisturbed, name)
    assert making.leftovers(data) == [] and len(model.embedded) == len(set(model.embedded))
    return set(model.embedded)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("keeps", [False, True])
def test_killed_at_any_batch_the_next_run_embeds_only_the_rest(
    data: Path, undisturbed: Path, batch: int, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a batch is embedded, and after it was, but is not yet in the cache."""

    def work() -> None:
        model = FakeEmbedder(before=lambda: None if keeps or len(model.batches) < batch else die())
        if keeps:
            put = VectorCache.put
            monkeypatch.setattr(
                VectorCache,
                "put",
                lambda cache, rows: put(cache, rows) if len(model.batches) <= batch else die(),
            )
        make_vectors(data, generations.current(data), model)

    assert in_process(work)
    assert not none_or_whole(data)
    assert len(embedded_by_the_next_run(data, undisturbed)) == len(TEXTS) - batch * BATCH


def calls_of(data: Path, kill_at: int = sys.maxsize) -> int:
    """Make vectors, counting what is done to files below the data directory; die before the `kill_at`-th."""
    count = 0

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in CALLS and (event == "fcntl.flock" or str(data) in str(arguments[0])):
            count += 1
            if count > kill_at:
                die()

    sys.addaudithook(audit)
    make_vectors(data, generations.current(data), FakeEmbedder())
    return count


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.long)])
def test_killed_before_any_call_to_the_disk_there_are_none_or_whole_ones(
    data: Path, undisturbed: Path, tmp_path: Path, stride: int
) -> None:
    shutil.copytree(data, tmp_path / "counted")
    in_process(lambda: (tmp_path / "calls").write_text(str(calls_of(tmp_path / "counted"))))
    calls = int((tmp_path / "calls").read_text())
    assert calls > 30
    were_there = []
    for call in range(calls - 1, 0, -stride):
        copy = tmp_path / f"data{call}"
        shutil.copytree(data, copy)
        assert in_process(lambda copy=copy, call=call: calls_of(copy, call))  # type: ignore[misc]
        were_there.append(none_or_whole(copy))
        rest = embedded_by_the_next_run(copy, undisturbed)
        assert not were_there[-1] or rest == set()
        shutil.rmtree(copy)
    assert were_there == sorted(were_there, reverse=True) and {False, True} == set(were_there)


def test_killed_at_random_again_and_again_it_comes_to_its_end(data: Path, undisturbed: Path) -> None:
    rng, kills = random.Random(20261123), 0

    def work() -> None:
        make_vectors(data, generations.current(data), FakeEmbedder(before=lambda: time.sleep(0.1)))

    while not none_or_whole(data):
        kills += in_process(work, rng.uniform(0, 0.25))
        assert kills < 200
    assert kills > 2
    assert embedded_by_the_next_run(data, undisturbed) == set()


def test_meanwhile_and_afterwards_searches_are_answered_by_words(tmp_path: Path) -> None:
    settings = Settings(resources=small_resources(), workers=1)
    corpus, data = tmp_path / "corpus", tmp_path / "data"
    from builders import write_corpus

    build_generation(write_corpus(corpus, long_answers(40)), data, settings)
    expected = [hit.answer.id for hit in open_engine(data, settings).search("胃炎怎么治").hits]
    assert expected

    def search_and_die() -> None:
        if model.batches:
            assert [hit.answer.id for hit in open_engine(data, settings).search("胃炎怎么治").hits] == expected
            die()

    model = FakeEmbedder(before=search_and_die)
    assert in_process(lambda: make_vectors(data, generations.current(data), model))
    assert [hit.answer.id for hit in open_engine(data, settings).search("胃炎怎么治").hits] == expected


def test_a_test_that_finds_half_vectors_would_see_them(undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "data")
    folder = tmp_path / "data" / "generations" / generations.current(undisturbed) / "vectors"
    flip_bit(folder / "signs.npy", 8 * 500)
    with pytest.raises(MeaningError, match=r"signs\.npy 内容与校验值不符"):
        none_or_whole(tmp_path / "data")
    (folder / "signs.npy").unlink()
    with pytest.raises(MeaningError, match=r"signs\.npy 缺失"):
        none_or_whole(tmp_path / "data")
