"""Learned trees: followed as they were learned, and refused when they are broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ResourceError
from indexer.ranking.features import FEATURES
from indexer.ranking.trees import FILE, LearnedRanking, Trees, load_ranking, save_ranking
from indexer.resources import find_resources

#: one tree: x <= .5 ? (y <= .25 ? 1 : 2) : 3
ONE = Trees(
    roots=np.array([0], np.int32),
    features=np.array([0, 1, -1, -1, -1], np.int16),
    thresholds=np.array([0.5, 0.25, 1.0, 2.0, 3.0], np.float32),
    left=np.array([1, 2, 0, 0, 0], np.int32),
    right=np.array([4, 3, 0, 0, 0], np.int32),
)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=8))
def test_a_tree_says_what_its_leaf_says(rows: list[tuple[float, float]]) -> None:
    found = LearnedRanking(("x", "y"), ONE).scores(np.array(rows, np.float32))
    assert found.tolist() == [3.0 if x > 0.5 else 1.0 if y <= 0.25 else 2.0 for x, y in rows]


def test_trees_add_up() -> None:
    two = ONE._replace(roots=np.array([0, 0], np.int32))
    assert LearnedRanking(("x", "y"), two).scores(np.array([[0, 1]], np.float32)).tolist() == [4.0]


def write(folder: Path, trees: Trees) -> Path:
    (folder / "weights").mkdir()
    save_ranking(LearnedRanking(("x", "y"), trees), folder / FILE)
    return folder


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    read = load_ranking(write(tmp_path, ONE))
    assert read.features == ("x", "y")
    for name in Trees._fields:
        assert np.array_equal(getattr(read.trees, name), getattr(ONE, name))


@pytest.mark.parametrize(
    "broken",
    [
        ONE._replace(left=np.array([0, 2, 0, 0, 0], np.int32)),  # a node that is its own child: for ever
        ONE._replace(right=np.array([9, 3, 0, 0, 0], np.int32)),  # a child that is not there
        ONE._replace(features=np.array([7, 1, -1, -1, -1], np.int16)),  # a feature that is not there
        ONE._replace(roots=np.array([5], np.int32)),
        ONE._replace(thresholds=np.array([0.5], np.float32)),
    ],
    ids=["circle", "child", "feature", "root", "short"],
)
def test_broken_trees_are_refused_with_the_file_and_the_cure(tmp_path: Path, broken: Trees) -> None:
    with pytest.raises(ResourceError, match=r"ranker\.npz.*train_ranker"):
        load_ranking(write(tmp_path, broken))


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"ranker\.npz"):
        load_ranking(tmp_path)
    (tmp_path / "weights").mkdir()
    np.savez(tmp_path / FILE, other=np.zeros(1))
    with pytest.raises(ResourceError, match=r"ranker\.npz"):
        load_ranking(tmp_path)


def test_the_shipped_trees_look_at_known_features_only() -> None:
    shipped = load_ranking(find_resources())
    assert set(shipped.features) <= {feature.name for feature in FEATURES}
    assert len(shipped.trees.roots) > 50


def test_lightgbms_own_trees_say_the_same_here() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="the extra `train` (LightGBM) is not installed")
    from train_ranker import trees_of

    random = np.random.default_rng(7)
    values = random.random((600, 5)).astype(np.float32)
    grades = (3 * values[:, 0] * values[:, 1] + random.random(600)).astype(int)
    data = lightgbm.Dataset(values, grades, group=[20] * 30)
    booster = lightgbm.train({"objective": "lambdarank", "verbose": -1, "min_data_in_leaf": 5}, data, 20)
    found = LearnedRanking(tuple("abcde"), trees_of(booster)).scores(values)
    assert np.ptp(found) > 0.5
    assert found == pytest.approx(booster.predict(values), abs=1e-5)
