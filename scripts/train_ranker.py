"""Learns the ranking's weights (corpus/resources/weights/ranker.npz) on judged questions: LambdaMART (Burges 2010).

    python scripts/train_ranker.py NAME=DATA:QUERIES:QRELS... [--folds 5] [--meaning MODEL] [--out FILE]

DATA is a data directory built from the set's corpus, QUERIES and QRELS as for `yiwen evaluate`. With --meaning, the
value of the setting meaning_model, DATA has vectors of that model (`yiwen vectors`), and what is learned is how to
weigh the likeness of meaning beside the words (corpus/resources/weights/ranker_with_meaning.npz). Prints nDCG@10 by
cross-validation over questions (twins of a question stay together), as retrieval orders them and as learned, then
learns on all and writes the trees. Needs the extra `train` (LightGBM); the engine follows the trees by itself.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from indexer.engine import Engine
from indexer.errors import BadQuery
from indexer.quality_gate.evaluate import ndcg, read_qrels, read_queries
from indexer.ranking.features import ALL_FEATURES, FEATURES
from indexer.ranking.trees import FILE, FILE_WITH_MEANING, LearnedRanking, Trees, save_ranking
from indexer.resources import find_resources
from indexer.settings import Settings

_ROUNDS = 200
_PARAMETERS = {
    "objective": "lambdarank",
    "metric": "none",
    "label_gain": [0, 1, 2, 3, 4],  # as trec_eval counts them
    "lambdarank_truncation_level": 20,
    "num_leaves": 15,
    "learning_rate": 0.06,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10,
    "verbose": -1,
    "deterministic": True,
    "seed": 1,
}


@dataclass(frozen=True)
class Judged:
    """One question with its candidates."""

    judged_as: str
    ids: list[str]
    values: NDArray[np.float32]  #: shape (candidates, FEATURES), or ALL_FEATURES with meaning
    grades: dict[str, int]

    def ndcg(self, scores: NDArray[np.float64]) -> float:
        """Of the candidates in the order of these scores."""
        return ndcg([self.ids[place] for place in np.argsort(-scores, kind="stable")], self.grades, 10)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=DATA:QUERIES:QRELS")
    parser.add_argument("--folds", type=int, default=5, help="0: no cross-validation")
    parser.add_argument("--meaning", default="", metavar="MODEL", help="weigh likeness of meaning, by this model")
    parser.add_argument("--out", type=Path, help="where the trees go; by default to the resources")
    chosen = parser.parse_args(arguments)
    sets = {}
    for named in chosen.sets:
        name, _, where = named.partition("=")
        data, queries, qrels = map(Path, where.split(":"))
        sets[name] = read_set(Engine(data, Settings(data=data, meaning_model=chosen.meaning)), queries, qrels)
        print(f"{name}: {len(sets[name])} questions", file=sys.stderr)
    if chosen.folds:
        cross_validate(sets, chosen.folds)
    booster = learn([question for questions in sets.values() for question in questions])
    names = tuple(feature.name for feature in (ALL_FEATURES if chosen.meaning else FEATURES))
    out = chosen.out or find_resources() / (FILE_WITH_MEANING if chosen.meaning else FILE)
    save_ranking(LearnedRanking(names, trees_of(booster)), out)
    gains = zip(booster.feature_importance("gain"), names, strict=True)
    print("gain: " + ", ".join(f"{name} {gain:.0f}" for gain, name in sorted(gains, reverse=True)), file=sys.stderr)
    return 0


def read_set(engine: Engine, queries: Path, qrels: Path) -> list[Judged]:
    """Candidates and features of each question that has a judgement above 0."""
    grades = read_qrels(qrels)
    found = []
    for query in read_queries(queries):
        judged = grades.get(query.judged_as, {})
        if any(grade > 0 for grade in judged.values()):
            try:
                ids, values = engine.features(query.text)
            except BadQuery:
                continue
            if ids:
                found.append(Judged(query.judged_as, ids, values, judged))
    return found


def learn(questions: Sequence[Judged]) -> lightgbm.Booster:
    """Trees over all candidates of these questions."""
    values = np.concatenate([question.values for question in questions])
    grades = [max(question.grades.get(id_, 0), 0) for question in questions for id_ in question.ids]
    sizes = [len(question.ids) for question in questions]
    data = lightgbm.Dataset(values, np.array(grades), group=sizes)
    return lightgbm.train(_PARAMETERS, data, _ROUNDS)


def cross_validate(sets: dict[str, list[Judged]], folds: int) -> None:
    """Print a table of nDCG@10: each question by trees that were learned without it and its twins."""
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name in sets}
    for fold in range(folds):
        booster = learn([one for each in sets.values() for one in each if fold_of(one, folds) != fold])
        for name, questions in sets.items():
            for one in (question for question in questions if fold_of(question, folds) == fold):
                plain = -np.arange(len(one.ids)).astype(np.float64)
                scores[name].append((one.ndcg(plain), one.ndcg(np.asarray(booster.predict(one.values)))))
    print("| nDCG@10 | questions | as retrieved | learned |\n| --- | --- | --- | --- |")
    for name, both in scores.items():
        plain_mean, learned_mean = np.mean(both, axis=0)
        print(f"| {name} | {len(both)} | {plain_mean:.4f} | {learned_mean:.4f} |", flush=True)


def fold_of(question: Judged, folds: int) -> int:
    """By the question that it is judged as, so that twins stay together."""
    return int(hashlib.md5(question.judged_as.encode()).hexdigest(), 16) % folds


def trees_of(booster: lightgbm.Booster) -> Trees:
    """LightGBM's trees as arrays, each node before its children."""
    roots: list[int] = []
    nodes: list[tuple[int, float, int, int]] = []

    def add(node: dict[str, Any]) -> int:
        place = len(nodes)
        if "leaf_value" in node:
            nodes.append((-1, node["leaf_value"], 0, 0))
            return place
        nodes.append((0, 0.0, 0, 0))
        # values are of single precision: the greatest of those that go left
        threshold = np.float32(node["threshold"])
        if float(threshold) > node["threshold"]:
            threshold = np.nextafter(threshold, np.float32(-np.inf))
        left, right = add(node["left_child"]), add(node["right_child"])
        nodes[place] = (node["split_feature"], float(threshold), left, right)
        return place

    for tree in booster.dump_model()["tree_info"]:
        roots.append(len(nodes))
        add(tree["tree_structure"])
    features, thresholds, left, right = zip(*nodes, strict=True)
    return Trees(
        np.array(roots, np.int32),
        np.array(features, np.int16),
        np.array(thresholds, np.float32),
        np.array(left, np.int32),
        np.array(right, np.int32),
    )


if __name__ == "__main__":
    sys.exit(main())
