"""Several processes read one data directory while it is built and switched: none fails, all follow."""

from __future__ import annotations

import multiprocessing
import time
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


def read(data: Path, stop: Event, found: Queue[tuple[set[str], int, str]]) -> None:
    """Ask until told to stop; tell which generations answered, how often, and what went wrong."""
    served: set[str] = set()
    asked = 0
    try:
        engine = open_engine(data, SETTINGS)
        while not stop.is_set() or asked == 0:
            result = engine.search("面肌痉挛跳到嘴角了怎么办")
            assert result.total > 0 and engine.answer(result.hits[0].answer.id) is not None
            served.add(result.generation)
            asked += 1
        found.put((served, asked, ""))
    except Exception as error:
        found.put((served, asked, repr(error)))


def test_readers_in_other_processes_follow_every_switch_and_never_fail(tmp_path: Path) -> None:
    corpus, data = tmp_path / "corpus", tmp_path / "data"
    write_files(corpus, {"a.jsonl": records(spasm_answers(60))})
    names = [build_generation(corpus, data, SETTINGS).manifest.generation]
    spawn = multiprocessing.get_context("spawn")
    stop, found = spawn.Event(), spawn.Queue()
    readers = [spawn.Process(target=read, args=(data, stop, found)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for version in range(3):
        time.sleep(2)  # so that each is served for a while
        answers = [*spasm_answers(60), make_answer(f"n{version}", "面肌痉挛怎么办", "面肌痉挛可以打针。")]
        write_files(corpus, {"a.jsonl": records(answers)})
        names.append(build_generation(corpus, data, SETTINGS, update=version > 0).manifest.generation)
    for _ in range(20):
        switch_to(data, names[0])
        switch_to(data, names[2])
        roll_back(data)
    switch_to(data, names[-1])
    time.sleep(2)
    stop.set()
    results = [found.get(timeout=PATIENCE_SECONDS) for _ in readers]
    for reader in readers:
        reader.join(PATIENCE_SECONDS)
    assert [error for _, _, error in results] == [""] * READERS
    assert all(names[-1] in served and len(served) >= 3 for served, _, _ in results)
    assert all(asked > 50 for _, asked, _ in results)
    assert generations.current(data) == names[-1]
