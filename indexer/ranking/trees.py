"""Regression trees, learned by `scripts/train_ranker.py`, kept as arrays and followed by compiled code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ResourceError, cause_of
from indexer.native import kernel

FILE = "weights/ranker.npz"
FILE_WITH_MEANING = "weights/ranker_with_meaning.npz"  #: where the question's meaning is known
#: rows that are followed together: what they look at fits where the fastest cache is
_BLOCK = 64


class Trees(NamedTuple):
    """The nodes of all trees, one tree after another."""

    roots: NDArray[np.int32]  #: first node of each tree
    features: NDArray[np.int16]  #: what a node looks at; -1 for a leaf
    thresholds: NDArray[np.float32]  #: up to which it goes left; the value of a leaf
    left: NDArray[np.int32]
    right: NDArray[np.int32]


class _Steps(NamedTuple):
    """The same trees as they are followed: a leaf leads to itself, so that all rows go equally deep without a branch
    that a processor would have to guess.
    """

    roots: NDArray[np.int32]
    depths: NDArray[np.int32]  #: of the deepest leaf of each tree
    features: NDArray[np.int16]
    thresholds: NDArray[np.float32]
    children: NDArray[np.int32]  #: shape (2 x nodes,): where a node leads to when its feature is above, or not


@dataclass(frozen=True)
class LearnedRanking:
    """Trees with the names of the features that they look at."""

    features: tuple[str, ...]
    trees: Trees

    def scores(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of rows of features, shape (rows, features), the sum of what all trees say: shape (rows,)."""
        found = np.zeros(len(values))
        _sum(self._steps, values, found)
        return found

    @cached_property
    def _steps(self) -> _Steps:
        trees, is_leaf = self.trees, self.trees.features < 0
        itself = np.arange(len(is_leaf), dtype=np.int32)
        children = np.stack([np.where(is_leaf, itself, trees.right), np.where(is_leaf, itself, trees.left)], axis=1)
        heights = [0] * len(is_leaf)
        for node in np.flatnonzero(~is_leaf)[::-1].tolist():  # children stand behind their parent
            heights[node] = 1 + max(heights[trees.left[node]], heights[trees.right[node]])
        depths = np.array(heights, np.int32)[trees.roots]
        features = np.where(is_leaf, np.int16(0), trees.features)
        return _Steps(trees.roots, depths, features, trees.thresholds, children.ravel())


@kernel
def _sum(steps: Any, values: Any, out: Any) -> None:
    roots, depths, features, thresholds, children = steps
    nodes = np.empty(_BLOCK, np.int32)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        for tree in range(len(roots)):
            nodes[:] = roots[tree]
            for _ in range(depths[tree]):
                for row in range(len(block)):
                    node = nodes[row]
                    nodes[row] = children[2 * node + (block[row, features[node]] <= thresholds[node])]
            for row in range(len(block)):
                out[start + row] += thresholds[nodes[row]]


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
