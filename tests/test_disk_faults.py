"""A disk that is full, fails or kills at any write call of a build: the old or the new generation is served, whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from store_builders import ROOT, small_resources, spasm_answers

from indexer import build_generation
from indexer.settings import Settings
from indexer.store.take_downs import take_down
from webapp.log_store.databases import address_of, make_tables, open_log

HERE = Path(__file__).parent / "failing_disk"
COMPILER = shutil.which("cc")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc) to make the failing disk with"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD and /proc are Linux's"),
]
FULL, ONCE, DEAD, KILL = 1, 2, 3, 4
#: by name: mode of failing_disk.c, errno
FAULTS = {
    "ENOSPC": (FULL, errno.ENOSPC),
    "EIO": (ONCE, errno.EIO),
    "kill -9": (KILL, 0),
    "EDQUOT": (FULL, errno.EDQUOT),
    "EROFS": (DEAD, errno.EROFS),
}
#: continuous integration stops to try further calls after so long; `long` tries all
SPREAD_SECONDS = 45
SPREAD = 8
ANSWERS = "9"


def write_corpus(folder: Path, version: int) -> Path:
    """Nine answers, of which two say the version of the corpus: few enough for an update."""
    folder.mkdir(exist_ok=True)
    with open(folder / "a.jsonl", "w", encoding="utf-8") as out:
        for number, answer in enumerate(spasm_answers(int(ANSWERS))):
            text = f"{answer.text}第{0 if number % 5 else version}版。"
            out.write(json.dumps({"id": answer.id, "answer": text}, ensure_ascii=False) + "\n")
    return folder


@dataclass(frozen=True)
class Trials:
    """A process that tries commands on a failing disk."""

    process: subprocess.Popen[str]
    folder: Path

    def run(self, command: list[str], mode: int = 0, error: int = 0, at: int = 0) -> dict[str, Any]:
        """What came of one."""
        assert self.process.stdin is not None and self.process.stdout is not None
        request = {"command": [*command, "--data", str(self.folder / "watched" / "data")]}
        self.process.stdin.write(json.dumps({**request, "mode": mode, "error": error, "at": at}) + "\n")
        self.process.stdin.flush()
        outcome: dict[str, Any] = json.loads(self.process.stdout.readline())
        return outcome


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """failing_disk.c, compiled."""
    library = tmp_path_factory.mktemp("shim") / "failing_disk.so"
    assert COMPILER is not None
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([COMPILER, *flags, "-o", library, HERE / "failing_disk.c", "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def trials(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Ready to be asked; a first generation of version 1 is served, a second one is there to be switched to."""
    folder = tmp_path_factory.mktemp("trials").resolve()
    watched = folder / "watched"
    watched.mkdir()
    resources = small_resources()
    settings = Settings(resources=resources, workers=1)
    for _ in range(2):
        build_generation(write_corpus(folder / "old", 1), watched / "data", settings)
    write_corpus(folder / "new", 2)
    shutil.copytree(watched / "data", folder / "pristine")
    (folder / "control").write_bytes(bytes(40))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIWEN_")}
    process = subprocess.Popen(
        [sys.executable, HERE / "trials.py", folder, resources],
        env={
            **environment,
            **shim_environment(shim, watched, folder / "control"),
            "PYTHONPATH": str(ROOT),
            "TRIALS_CORPUS": str(folder / "old"),
            "YIWEN_RESOURCES": str(resources),
            "YIWEN_WORKERS": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Trials(process, folder)
    process.communicate()


def shim_environment(shim: Path, watched: Path, control: Path) -> dict[str, str]:
    return {"LD_PRELOAD": str(shim), "FAILING_DISK_FOLDER": str(watched), "FAILING_DISK_CONTROL": str(control)}


def problems_of(outcome: dict[str, Any], fault: str, new: str) -> list[str]:
    """What is wrong with what a failed command left; `new` is the version that it was to make."""
    found = []
    # A full disk refuses what takes room; where only a deletion is left to be done, it refuses nothing.
    only_deletes = (
        FAULTS[fault][0] == FULL and outcome["status"] == 0 and outcome["seen"].get("versions") == [ANSWERS, new]
    )
    if not outcome["fired"] and not only_deletes:
        found.append("nothing failed")
    if outcome["seen"].get("versions") not in ([ANSWERS, "1"], [ANSWERS, new]):
        found.append("no whole generation is served")
    if outcome["rebuilt"] != 0 or outcome["after"].get("versions", [])[:1] != [ANSWERS] or outcome["left_after"]:
        found.append("the next build does not work")
    if fault == "kill -9":
        if outcome["status"] != -9:
            found.append("not killed")
        return found
    if outcome["status"] not in (0, 1):  # 0: what failed was not needed, such as deleting what is outdated
        found.append("another status")
    if outcome["status"] == 1:
        [sentence, *more] = outcome["said"].splitlines() or [""]
        if more or not any(word in sentence for word in ("磁盘", "只读", "写入中断")):
            found.append("not one sentence about the disk")
    if fault != "EROFS" and outcome["left"]:
        found.append("a draft was left")
    return found


def assert_whole_at(trials: Trials, command: list[str], fault: str, new: str, every: int, seconds: float) -> None:
    """Try the command with a fault at every so many-th of its write calls."""
    mode, error = FAULTS[fault]
    calls = trials.run(command)["calls"]
    assert calls > 3
    stop = time.monotonic() + seconds
    faulty: list[Any] = []
    for at in range(1, calls + 1, every):
        if found := problems_of(outcome := trials.run(command, mode, error, at), fault, new):
            faulty.append((at, found, outcome))
        if time.monotonic() > stop:
            break
    assert faulty == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["build", "update"])
def test_a_build_that_the_disk_fails_leaves_the_old_or_the_new_generation_whole(
    trials: Trials, how: str, fault: str
) -> None:
    command = ["build", "--corpus", str(trials.folder / "new"), *(["--update"] if how == "update" else [])]
    calls = trials.run(command)["calls"]
    kinds = len(FAULTS) * 2
    assert_whole_at(trials, command, fault, "2", max(calls // SPREAD, 1) | 1, SPREAD_SECONDS / kinds)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["build", "update"])
def test_a_build_that_the_disk_fails_at_any_call_at_all(trials: Trials, how: str, fault: str) -> None:
    command = ["build", "--corpus", str(trials.folder / "new"), *(["--update"] if how == "update" else [])]
    assert_whole_at(trials, command, fault, "2", 1, float("inf"))


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "kill -9"])
@pytest.mark.parametrize("command", [["switch", "gen-000001"], ["roll-back"]], ids=["switch", "roll-back"])
def test_switching_on_a_failing_disk_serves_one_of_both(trials: Trials, command: list[str], fault: str) -> None:
    assert_whole_at(trials, command, fault, "1", 1, float("inf"))


def run_shimmed(shim: Path, folder: Path, at: int, code: str) -> str:
    """Run Python with the disk full below `folder/data` from a write call on until it calls `mend()`."""
    (folder / "control").write_bytes(b"".join(n.to_bytes(8, "little") for n in (0, at, FULL, errno.ENOSPC, 0)))
    start = "import sys\nfrom pathlib import Path\ndata, control = map(Path, sys.argv[1:])\n"
    mend = "def mend():\n    with open(control, 'r+b') as file:\n        file.seek(8); file.write(bytes(8))\n"
    result = subprocess.run(
        [sys.executable, "-c", start + mend + code, folder / "data", folder / "control"],
        env={**os.environ, **shim_environment(shim, folder / "data", folder / "control"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


TAKE_DOWN = """
from indexer.errors import StateError
from indexer.store.take_downs import TakeDowns, take_down
try:
    take_down(data, "b", "试")
    print("已登记")
except StateError as error:
    print(error)
mend()
assert TakeDowns(data).keys() >= {"a"}
take_down(data, "c", "试")
assert TakeDowns(data).keys() >= {"a", "c"}
"""


def test_a_take_down_on_a_full_disk_says_so_and_loses_nothing(shim: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    take_down(tmp_path / "data", "a", "试")
    pristine = (tmp_path / "data" / "state.sqlite3").read_bytes()
    said = []
    for at in range(1, 5):
        (tmp_path / "data" / "state.sqlite3").write_bytes(pristine)
        said.append(run_shimmed(shim, tmp_path.resolve(), at, TAKE_DOWN))
    assert all(sentence == "已登记" or ("状态库" in sentence and sentence.endswith("。")) for sentence in said)
    assert any("磁盘" in sentence or "无法打开" in sentence for sentence in said)


LOG = """
from datetime import UTC, datetime
from webapp.query_log import Event, QueryLog
log = QueryLog(data)
event = Event(datetime.now(UTC), "面肌痉挛", 1, 1.0, "gen-000001", "page", 1)
for _ in range(4):  # on a full disk the rows are given up after some seconds
    log.record(event)
    log.flush(10)
assert log.lost_events > 0
mend()
lost = log.lost_events
log.record(event)
assert log.flush() and log.lost_events == lost
print(len(log.read_events()))
"""


@pytest.mark.parametrize("at", [1, 4, 9, 14])
def test_the_query_log_counts_what_a_full_disk_loses_and_goes_on_when_there_is_room(
    at: int, shim: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    make_tables(open_log(address_of(tmp_path / "data"), 5, writes=True))
    assert 1 <= int(run_shimmed(shim, tmp_path.resolve(), at, LOG)) < 5
    with closing(sqlite3.connect(tmp_path / "data" / "querylog.sqlite3")) as database:
        assert database.execute("pragma integrity_check").fetchone()[0] == "ok"
