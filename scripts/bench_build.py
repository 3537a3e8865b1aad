"""Time and memory of a build, beside what jieba 0.42.1 takes for cutting the same texts alone.

    python scripts/bench_build.py --answers 100000 --work DIR [--jieba-sample 5000]

Builds are processes of their own, on one core and on two; an update follows after 100 answers have changed. Memory is
the greatest sum of the proportional set sizes (PSS) of all processes of a build. Makes the synthetic corpus of
bench_search.py unless it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from synthetic_corpus import write

_CHANGED = 100


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--jieba-sample", type=int, default=5_000, help="answers that jieba cuts; its time is scaled")
    parser.add_argument("--cores", default="1,2")
    chosen = parser.parse_args(arguments)
    chosen.work.mkdir(parents=True, exist_ok=True)
    file = chosen.work / f"{chosen.answers}.jsonl"
    if not file.exists():
        write(file, chosen.answers)
    jieba = jieba_seconds(file, chosen.jieba_sample) * chosen.answers / chosen.jieba_sample
    print(f"{chosen.answers} answers\n\n| | s | of jieba's time | MB |\n| --- | --- | --- | --- |")
    print(f"| jieba 0.42.1 alone, cut_for_search, one core | {jieba:.0f} | 1 | |", flush=True)
    data = chosen.work / "built"
    for cores in map(int, chosen.cores.split(",")):
        shutil.rmtree(data, ignore_errors=True)
        seconds, megabytes = build(file, data, cores)
        print(f"| build on {cores} core(s) | {seconds:.0f} | {seconds / jieba:.2f} | {megabytes:.0f} |", flush=True)
    with tempfile.TemporaryDirectory(dir=chosen.work) as folder:
        seconds, megabytes = build(changed(file, Path(folder)), data, cores, "--update")
    print(f"| update after {_CHANGED} changed | {seconds:.1f} | {seconds / jieba:.2f} | {megabytes:.0f} |")
    sizes(data)
    return 0


def jieba_seconds(file: Path, sample: int) -> float:
    """What jieba takes for the first answers, its dictionary loaded."""
    import jieba

    jieba.setLogLevel("WARNING")
    jieba.initialize()
    with open(file, encoding="utf-8") as lines:
        records = [json.loads(line) for line in islice(lines, sample)]
    started = time.perf_counter()
    for record in records:
        jieba.lcut_for_search(record["question"])
        jieba.lcut_for_search(record["answer"])
    return time.perf_counter() - started


def changed(file: Path, folder: Path) -> Path:
    """The corpus with some answers changed, under the same name."""
    with open(file, encoding="utf-8") as lines, open(folder / file.name, "w", encoding="utf-8") as out:
        count = sum(1 for _ in lines)
        lines.seek(0)
        for number, line in enumerate(lines):
            if number % (count // _CHANGED) == 1:
                record = json.loads(line)
                line = json.dumps({**record, "answer": record["answer"] + "改动。"}, ensure_ascii=False) + "\n"
            out.write(line)
    return folder / file.name


def build(corpus: Path, data: Path, cores: int, *options: str) -> tuple[float, float]:
    """Seconds and megabytes of `yiwen build` on so many cores."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    command = [str(Path(sys.executable).with_name("yiwen")), "build", "--corpus", str(corpus), "--data", str(data)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, *options],
        env={**os.environ, "YIWEN_WORKERS": str(cores)},
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        stderr=subprocess.DEVNULL,
    )
    greatest = [0.0]
    watching = threading.Thread(target=watch, args=(process, greatest), daemon=True)
    watching.start()
    if process.wait():
        raise SystemExit(f"yiwen build ended with {process.returncode}")
    seconds = time.perf_counter() - started
    watching.join()
    return seconds, greatest[0]


def watch(process: subprocess.Popen[bytes], greatest: list[float]) -> None:
    """Note the greatest memory of a process with its children, four times a second."""
    while process.poll() is None:
        greatest[0] = max(greatest[0], sum(map(pss_mb, family(process.pid))))
        time.sleep(0.25)


def family(pid: int) -> list[int]:
    """A process and all below it, whichever of its threads started them."""
    children: list[str] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            children += file.read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def pss_mb(pid: int) -> float:
    """Proportional set size."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def sizes(data: Path) -> None:
    """What lies on disk, by kind."""
    folder = next(iter(sorted((data / "generations").iterdir())))
    text = (folder / "pages.jsonl").stat().st_size
    found: dict[str, int] = {}
    for file in folder.rglob("*"):
        if file.is_file():
            kind = (
                file.stem.split("_")[0] if file.parent.parent.name == "impacts" else file.relative_to(folder).parts[0]
            )
            found[kind] = found.get(kind, 0) + file.stat().st_size
    print("\n| on disk | MB |\n| --- | --- |")
    for kind, size in sorted(found.items(), key=lambda pair: -pair[1]):
        print(f"| {kind} | {size / 1e6:.0f} |")
    print(f"\npages.jsonl {text / 1e6:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
