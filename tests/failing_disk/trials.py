"""Runs in a process of its own over failing_disk.c: one command after another in forked children, the disk failing at
a given call of each; prints what came of each as a line of JSON. Started by tests/test_disk_faults.py.

Standard input: lines {"command": [...], "mode", "error", "at"}. Every trial starts from the same data directory.
"""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import os
import shutil
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer import build_generation, open_engine
from indexer.errors import IndexerError
from indexer.native import keep_compiled
from indexer.settings import Settings
from indexer.store import generations
from webapp.cli import main

_CONTROL = struct.Struct("5q")
ALWAYS = "0"  #: the version of answers that no version of the corpus changes


class Trials:
    """Trials in one folder: `data` is spoilt and restored from `pristine`."""

    def __init__(self, folder: Path, resources: Path) -> None:
        self._data = folder / "watched" / "data"
        self._pristine = folder / "pristine"
        self._settings = Settings(resources=resources, workers=1)
        self._out = folder / "said"
        with open(os.environ["FAILING_DISK_CONTROL"], "r+b") as file:
            self._control = mmap.mmap(file.fileno(), _CONTROL.size)
        self._warm(folder / "warm")

    def _warm(self, data: Path) -> None:
        """Load here what each child would load anew."""
        build_generation(Path(os.environ["TRIALS_CORPUS"]), data, self._settings)
        open_engine(data, self._settings).search("面肌痉挛怎么办")

    def run(self, command: list[str], mode: int, error: int, at: int) -> dict[str, Any]:
        """Run a command on a failing disk, look at what it left, and build once more on a sound one."""
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.copytree(self._pristine, self._data)
        status = self._child(lambda: main(command), mode, error, at)
        calls, _, _, _, fired = _CONTROL.unpack(self._control[:])
        said = self._out.read_text(encoding="utf-8")
        left = self._leftovers()
        seen = self._result(lambda: {"versions": self._versions()})
        rebuilt = self._child(lambda: main(["build", "--corpus", command_corpus(command), "--data", str(self._data)]))
        return {
            "at": at,
            "calls": calls,
            "fired": bool(fired),
            "status": status,
            "said": said,
            "left": left,
            "seen": seen,
            "rebuilt": rebuilt,
            "rebuilt_said": self._out.read_text(encoding="utf-8") if rebuilt else "",
            "after": self._result(lambda: {"versions": self._versions()}),
            "left_after": self._leftovers(),
        }

    def _versions(self) -> list[str]:
        """Of all answers that are served, every byte of them checked."""
        generations.check_files(self._data, generations.current(self._data))
        engine = open_engine(self._data, self._settings)
        assert engine.problems == (), engine.problems
        answers = [answer.text.partition("第")[2].partition("版")[0] for answer in engine.answers()]
        assert engine.search("面肌痉挛怎么办").total > 0
        return [str(len(answers)), *sorted(set(answers) - {ALWAYS})]

    def _leftovers(self) -> list[str]:
        """Files of the data directory that are neither a generation's nor known."""
        known = {"generations", "CURRENT", "key", "build.lock", "cache", "state.sqlite3", "querylog.sqlite3"}
        known |= {"state.sqlite3-journal"}  # with which SQLite undoes, when it is next asked, what a full disk cut off
        found = [path.name for path in self._data.iterdir() if path.name not in known]
        drafts = (self._data / "generations").iterdir() if (self._data / "generations").is_dir() else ()
        return sorted([*found, *(path.name for path in drafts if not path.name.removeprefix("gen-").isdigit())])

    def _result(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a function gives in a child, or the sentence that it raises."""

        def tell() -> int:
            try:
                print(json.dumps(work()))
            except (IndexerError, AssertionError) as error:
                print(json.dumps({"problem": f"{type(error).__name__}: {error}"}))
            return 0

        status = self._child(tell)
        said = self._out.read_text(encoding="utf-8")
        return json.loads(said) if status == 0 else {"problem": f"{status} {said}"}

    def _child(self, work: Callable[[], int], mode: int = 0, error: int = 0, at: int = 0) -> int:
        """Exit status of a function in a forked child, all that it prints in `said`; minus a signal."""
        self._control[:] = _CONTROL.pack(0, 0, 0, 0, 0)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            out = io.StringIO()
            status = 99
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                    self._control[:] = _CONTROL.pack(0, at, mode, error, 0)
                    status = work()
            except BaseException:
                traceback.print_exc(file=out)
            finally:
                calls, _, _, _, fired = _CONTROL.unpack(self._control[:])
                self._control[:] = _CONTROL.pack(calls, 0, 0, 0, fired)
                self._out.write_text(out.getvalue(), encoding="utf-8")
                os._exit(status)
        _, waited = os.waitpid(child, 0)
        if os.WIFSIGNALED(waited):
            self._out.write_text("", encoding="utf-8")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            return -os.WTERMSIG(waited)
        return os.WEXITSTATUS(waited)


def command_corpus(command: list[str]) -> str:
    """The corpus of a build; of another command the one that was built first."""
    return command[command.index("--corpus") + 1] if "--corpus" in command else os.environ["TRIALS_CORPUS"]


def run_all() -> None:
    """Trials as standard input asks for them."""
    keep_compiled(None)
    trials = Trials(Path(sys.argv[1]), Path(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(trials.run(**json.loads(line)), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    run_all()
