"""What nearest vectors cost and lose, beside an exact scan and, where it is installed, an approximate index (usearch).

    python scripts/bench_meaning.py DATA... [--passages 200000] [--questions 200]

DATA are data directories with vectors (`yiwen vectors`), all of one model. Their passages are taken together; to come
to --passages, they are repeated, turned a quarter of the way to others. Questions are passages turned half the way.
Prints milliseconds of one thread (p50, p99) and how many of the exact first 100 answers each finds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.meaning.nearness import codes_of
from indexer.meaning.vectors import Vectors, open_vectors
from indexer.native import keep_compiled
from indexer.store import generations

NEAREST = 100
_NOISE, _NOISE_OF_QUESTIONS = 0.25, 0.5
Rows = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=200)
    chosen = parser.parse_args(arguments)
    keep_compiled(None)
    opened = [found for data in chosen.data if (found := open_vectors(data, generations.current(data)))]
    chance = np.random.default_rng(1)
    rows = np.concatenate([one.codes.bytes * one.codes.scales[:, None] for one in opened]).astype(np.float32)
    questions = noisy(rows[chance.choice(len(rows), chosen.questions, replace=False)], _NOISE_OF_QUESTIONS, chance)
    whole = [rows]
    while sum(map(len, whole)) < chosen.passages:
        whole.append(noisy(rows, _NOISE, chance))
    rows = np.concatenate(whole)[: chosen.passages]
    print(f"{len(rows):,} passages of {rows.shape[1]} dimensions, {len(questions)} questions")
    exact = [set(np.argpartition(-(rows @ question), NEAREST)[:NEAREST].tolist()) for question in questions]
    allowed = np.ones(len(rows), np.bool_)
    vectors = vectors_of(rows, opened[0])

    def by_product(question: Rows) -> NDArray[Any]:
        return np.argpartition(-(rows @ question), NEAREST)[:NEAREST]

    tell("exact, float32, NumPy", by_product, questions, exact)
    tell("two passes", lambda q: vectors.nearest(q, NEAREST, allowed).documents, questions, exact)
    pool = np.sort(chance.choice(len(rows), 300, replace=False))
    tell("likeness of 300 answers", lambda q: vectors.likeness(q, pool), questions, None)
    tell_usearch(rows, questions, exact)
    return 0


def noisy(rows: Rows, share: float, chance: np.random.Generator) -> Rows:
    """Turned away a little, each in a direction of its own, within the directions that the vectors have."""
    others = rows[chance.permutation(len(rows))] - rows.mean(axis=0)
    found = rows + share * others
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def vectors_of(rows: Rows, like: Vectors) -> Vectors:
    """A passage an answer."""
    mean = rows.mean(axis=0)
    spread = np.cov(rows[:20_000].T).astype(np.float32)
    documents = np.arange(len(rows), dtype=np.int32)
    return replace(like, codes=codes_of(rows, mean), documents=documents, mean=mean, spread=spread)


def tell(label: str, find: Callable[[Rows], NDArray[Any]], questions: Rows, exact: Sequence[set[int]] | None) -> None:
    """A line; the first questions only warm up."""
    for question in questions[:5]:
        find(question)
    took, held = [], []
    for number, question in enumerate(questions):
        started = time.perf_counter()
        found = find(question)
        took.append((time.perf_counter() - started) * 1000)
        if exact is not None:
            held.append(len(exact[number] & set(found.tolist())) / NEAREST)
    p50, p99 = np.percentile(took, [50, 99])
    print(f"{label:<34} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms" + (f"  recall {np.mean(held):.3f}" if held else ""))


def tell_usearch(rows: Rows, questions: Rows, exact: Sequence[set[int]]) -> None:
    """An index of half-precision vectors with usearch's own parameters, and with more looked at."""
    try:
        from usearch.index import Index
    except ImportError:
        print("usearch is not installed: pip install usearch, in an environment of its own")
        return
    index = Index(ndim=rows.shape[1], metric="ip", dtype="f16")
    started = time.perf_counter()
    index.add(np.arange(len(rows)), rows, threads=1)
    print(f"usearch: built in {time.perf_counter() - started:.0f} s, {index.memory_usage / 1e6:.0f} MB")
    for looked_at in (index.expansion_search, 256, 1024):
        index.expansion_search = looked_at
        label = f"usearch, {looked_at} looked at"
        tell(label, lambda q: np.asarray(index.search(q, NEAREST).keys, np.int64), questions, exact)


if __name__ == "__main__":
    sys.exit(main())
