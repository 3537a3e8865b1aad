"""Regression trees, learned by `scripts/train_ranker.py`, kept as arrays and followed by compiled code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ResourceError, cause_of
from indexer.native import kernel

FILE = "weights/ranker.npz"
FILE_WITH_MEANING = "weights/ranker_with_meaning.npz"  #: where the question's meaning is known


class Trees(NamedTuple):
    """The nodes of all trees, one tree after another."""

    roots: NDArray[np.int32]  #: first node of each tree
    features: NDArray[np.int16]  #: what a node looks at; -1 for a leaf
    thresholds: NDArray[np.float32]  #: up to which it goes left; the value of a leaf
    left: NDArray[np.int32]
    right: NDArray[np.int32]


class LearnedRanking(NamedTuple):
    """Trees with the names of the features that they look at."""

    features: tuple[str, ...]
    trees: Trees

    def scores(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of rows of features, shape (rows, features), the sum of what all trees say: shape (rows,)."""
        found = np.zeros(len(values))
        _sum(self.trees, values, found)
        return found


@kernel
def _sum(trees: Any, values: Any, out: Any) -> None:
    roots, features, thresholds, left, right = trees
    for row in range(len(values)):
        for tree in range(len(roots)):
            node = roots[tree]
            while features[node] >= 0:
                node = left[node] if values[row, features[node]] <= thresholds[node] else right[node]
            out[row] += thresholds[node]


def save_ranking(ranking: LearnedRanking, file: Path) -> None:
    """Write it as `load_ranking` reads it."""
    np.savez_compressed(file, names=np.array("\n".join(ranking.features)), **ranking.trees._asdict())


def load_ranking_with_meaning(resources: Path) -> LearnedRanking | None:
    """None in a generation that was built before there was one. Raises ResourceError when it is broken."""
    return load_ranking(resources, FILE_WITH_MEANING) if (resources / FILE_WITH_MEANING).exists() else None


def load_ranking(resources: Path, name: str = FILE) -> LearnedRanking:
    """Raises ResourceError when it is missing or broken."""
    file = resources / name
    try:
        with np.load(file, allow_pickle=False) as stored:
            trees = Trees(
                stored["roots"].astype(np.int32),
                stored["features"].astype(np.int16),
                stored["thresholds"].astype(np.float32),
                stored["left"].astype(np.int32),
                stored["right"].astype(np.int32),
            )
            names = tuple(str(stored["names"]).split("\n"))
    except OSError as error:
        raise ResourceError(f"排序模型 {file} 无法读取：{cause_of(error)}。") from error
    except (ValueError, KeyError, BadZipFile) as error:
        raise ResourceError(f"排序模型 {file} 与程序不符：{error}；可用 scripts/train_ranker.py 重新生成。") from error
    nodes = len(trees.features)
    inner = trees.features >= 0
    sound = (
        len({len(each) for each in trees[1:]}) == 1
        and trees.features.max(initial=-1) < len(names)
        and all(bool((each[inner] < nodes).all() and (each[inner] > np.flatnonzero(inner)).all()) for each in trees[3:])
        and bool(((trees.roots >= 0) & (trees.roots < nodes)).all())
    )
    if not sound:
        raise ResourceError(f"排序模型 {file} 中的树不完整；可用 scripts/train_ranker.py 重新生成。")
    return LearnedRanking(names, trees)
