"""Load on the running site: searches a second, latency, errors, and the memory of all its processes.

    python scripts/bench_site.py --data DIR [--seconds 20] [--connections 1,2,4,8,16] [--questions 1000] [--cache 500]
                                 [--switch] [--kill]

Serves DIR (a generation of `scripts/bench_search.py`, say) with `yiwen serve` on a free port of the loopback and asks
it with wrk (Debian's package) from one thread: questions of synthetic_corpus.py in random order, so that with --cache 1
nearly all are worked on anew. `--switch` switches to the oldest generation and back to the newest meanwhile, `--kill`
ends a worker with SIGTERM and one with SIGKILL. Memory is proportional (PSS), after the load.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from synthetic_corpus import questions

from indexer import switch_to
from indexer.store.generations import list_generations

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
SCRIPT = """
local paths = {}
for line in io.lines("PATHS") do paths[#paths + 1] = line end
math.randomseed(7)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %.1f %.1f %.1f %.1f %.1f %d %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", default="1,2,4,8,16")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--cache", type=int, default=500)
    parser.add_argument("--path", default="/search?q=")
    parser.add_argument("--switch", action="store_true")
    parser.add_argument("--kill", action="store_true")
    chosen = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, serving(chosen.data, chosen.cache) as (port, process):
        script = Path(folder) / "load.lua"
        paths = Path(folder) / "paths.txt"
        paths.write_text("\n".join(chosen.path + quote(question) for question in questions(chosen.questions)))
        script.write_text(SCRIPT.replace("PATHS", str(paths)))
        load(port, script, 2, 5)  # warm
        print(f"{chosen.questions} questions, {chosen.cache} results remembered, {chosen.seconds} s each\n")
        print("| connections | searches/s | p50 ms | p90 ms | p99 ms | most ms | socket errors | error statuses |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for connections in map(int, chosen.connections.split(",")):
            helpers = [threading.Thread(target=switching, args=(chosen.data, chosen.seconds))] if chosen.switch else []
            helpers += [threading.Thread(target=killing, args=(process, chosen.seconds))] if chosen.kill else []
            for helper in helpers:
                helper.start()
            row = load(port, script, connections, chosen.seconds)
            for helper in helpers:
                helper.join()
            print(f"| {connections} | {' | '.join(row)} |", flush=True)
        parent, workers = pss_mb(process.pid), [pss_mb(pid) for pid in children(process.pid)]
        print(f"\nPSS: workers {' + '.join(f'{each:.0f}' for each in workers)} = {sum(workers):.0f} MB", end="")
        print(f", with the process that forked them {sum(workers) + parent:.0f} MB")
    return 0


@contextmanager
def serving(data: Path, cache: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`yiwen serve` over a data directory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "YIWEN_ACCESS_LOG": "0", "YIWEN_CACHED_RESULTS": str(cache)}
    code = "import sys; from webapp.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "serve", "--port", str(port), "--data", str(data.resolve())]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            break
        except OSError:
            time.sleep(0.2)
    try:
        yield port, process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def load(port: int, script: Path, connections: int, seconds: int) -> list[str]:
    """Searches a second, p50, p90, p99 and most in ms, socket errors, error statuses."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (.*)", output)
    assert found, output
    return found[1].split()


def switching(data: Path, seconds: int) -> None:
    """Switch to the oldest generation of a data directory after a third of the time, and to the newest after two."""
    names = list_generations(data)
    for name in (names[0], names[-1]):
        time.sleep(seconds / 3)
        switch_to(data, name)


def killing(process: subprocess.Popen[bytes], seconds: int) -> None:
    """End one worker kindly at a third of the time and one at once at two thirds."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        time.sleep(seconds / 3)
        os.kill(children(process.pid)[0], how)


def children(pid: int) -> list[int]:
    """Process ids."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pss_mb(pid: int) -> float:
    """Proportional memory of a process."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
