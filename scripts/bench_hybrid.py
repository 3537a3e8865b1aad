"""What meaning adds to the time of a search, beside the embedding of its question.

    python scripts/bench_hybrid.py --answers 100000 --work DIR [--questions 1000]

Makes a synthetic corpus (synthetic_corpus.py) and a generation of it in DIR unless they are there, with vectors by
chance: 384 dimensions, so that what is nearest to a question has nothing to do with its words, and 100 answers more are
ranked than by words, the most there can be. Every question is asked by words and with meaning in turn, each the fastest
of three rounds; from the second on its vector is remembered, so no embedding is timed. One core.
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
from bench_search import prepared
from synthetic_corpus import questions

from indexer.engine import Engine
from indexer.meaning.embedder import ModelFacts, Rows
from indexer.meaning.making import make_vectors
from indexer.settings import Settings
from indexer.store import generations

_ROUNDS = 3
_DIMENSION = 384


class Chance:
    """An embedder (embedder.py) that gives each text some vector of its own, all in a narrow cone as real ones are."""

    facts = ModelFacts("chance", _DIMENSION, "0" * 64)

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, 384), rows of length 1."""
        drawn = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(_DIMENSION) for text in texts]
        rows = np.array(drawn) + 2.5
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    embed_answers = embed_questions


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1_000)
    chosen = parser.parse_args(arguments)
    data = prepared(chosen.work, chosen.answers)
    made = make_vectors(data, generations.current(data), Chance())
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core
    patch("indexer.meaning.serving.open_embedder", lambda _: Chance()).start()
    by_words = Engine(data, Settings(data=data))
    with_meaning = Engine(data, Settings(data=data, meaning_model="chance"))
    typed = questions(chosen.questions)
    took: list[dict[str, list[float]]] = [{}, {}]
    for turn in range(_ROUNDS):
        for number, question in enumerate(typed):
            for engine, stages in zip((by_words, with_meaning), took, strict=True):
                found = engine.search(question)
                if turn and engine is with_meaning and found.meaning != "on":
                    raise SystemExit(f"{question}: meaning was {found.meaning}")
                for stage, ms in {**found.stages_ms, "all": found.latency_ms}.items():
                    best = stages.setdefault(stage, [np.inf] * len(typed))
                    best[number] = min(best[number], ms)
    print(f"{chosen.answers:,} answers, {made.manifest.counts['passages']:,} passages, {len(typed)} questions; ms\n")
    print("| stage | by words p50 | p99 | with meaning p50 | p99 | difference p50 | p99 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for stage in took[0]:
        rows = np.array([took[0][stage], took[1][stage], np.subtract(took[1][stage], took[0][stage])])
        print(f"| {stage} | " + " | ".join(f"{ms:.2f}" for row in rows for ms in np.percentile(row, [50, 99])) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
