"""Several processes read one data directory while it is built and switched: none fails, all follow."""

from __future__ import annotations

import multiprocessing
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

from builders import make_answer
from store_builders import PATIENCE_SECONDS, small_resources, spasm_answers, write_files
from test_build import records

from indexer import build_generation, open_engine, roll_back, switch_to
from indexer.settings import Settings
from indexer.store import generations

SETTINGS = Settings(resources=small_resources())
READERS = 3


def read(data: Path, stop: Event, found: Queue[tuple[str, str]]) -> None:
    """Ask until told to stop; tell each time another generation answers, and what went wrong."""
    served = ""
    try:
        engine = open_engine(data, SETTINGS)
        while not stop.is_set():
            result = engine.search("面肌痉挛跳到嘴角了怎么办")
            assert result.total > 0 and engine.answer(result.hits[0].answer.id) is not None
            if result.generation != served:
                served = result.generation
                found.put((served, ""))
    except Exception as error:
        found.put((served, repr(error)))


def wait_for_all(found: Queue[tuple[str, str]], name: str) -> None:
    """Until every reader has been answered by a generation."""
    following = 0
    while following < READERS:
        served, error = found.get(timeout=PATIENCE_SECONDS)
        assert error == ""
        following += served == name


def test_readers_in_other_processes_follow_every_switch_and_never_fail(tmp_path: Path) -> None:
    corpus, data = tmp_path / "corpus", tmp_path / "data"
    write_files(corpus, {"a.jsonl": records(spasm_answers(60))})
    names = [build_generation(corpus, data, SETTINGS).manifest.generation]
    spawn = multiprocessing.get_context("spawn")
    stop, found = spawn.Event(), spawn.Queue()
    readers = [spawn.Process(target=read, args=(data, stop, found)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    wait_for_all(found, names[0])
    for version in range(3):
        answers = [*spasm_answers(60), make_answer(f"n{version}", "面肌痉挛怎么办", "面肌痉挛可以打针。")]
        write_files(corpus, {"a.jsonl": records(answers)})
        names.append(build_generation(corpus, data, SETTINGS, update=version > 0).manifest.generation)
        wait_for_all(found, names[-1])
    for _ in range(20):
        switch_to(data, names[0])
        switch_to(data, names[2])
        roll_back(data)
    switch_to(data, names[1])
    wait_for_all(found, names[1])
    stop.set()
    for reader in readers:
        reader.join(PATIENCE_SECONDS)
    assert [reader.exitcode for reader in readers] == [0] * READERS
    while not found.empty():
        assert found.get()[1] == ""
    assert generations.current(data) == names[1]
