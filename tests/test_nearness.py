"""Nearest vectors against plain NumPy: codes, signs, the pass that leaves some, and what may not be found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.meaning import nearness
from indexer.meaning.nearness import Codes, codes_of, nearest, products, signs_of

Rows = NDArray[np.float32]


def unit(seed: int, count: int, dimension: int) -> Rows:
    """Vectors of length 1 around a common direction, as models give them."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(count, dimension)) + 2 * chance.normal(size=dimension)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def coded(rows: Rows) -> tuple[Codes, Rows]:
    mean = rows.mean(axis=0)
    return codes_of(rows, mean), mean


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from([1, 5, 63, 64, 65, 384]))
def test_products_are_near_the_exact_ones(seed: int, count: int, dimension: int) -> None:
    rows = unit(seed, count + 1, dimension)
    question, rows = rows[0], rows[1:]
    codes, _ = coded(rows)
    found = products(codes, question, np.arange(count))
    # half a code in each dimension, of the row and of the question
    room = np.abs(question).sum() * codes.scales.max() / 2 + np.abs(rows).sum(axis=1).max() / (2 * 2047) + 1e-5
    assert np.abs(found - rows @ question).max() <= room
    assert found.dtype == np.float32


def test_384_dimensions_lose_less_than_two_thousandths() -> None:
    rows = unit(1, 2000, 384)
    codes, _ = coded(rows)
    assert np.abs(products(codes, rows[0], np.arange(2000)) - rows @ rows[0]).max() < 0.002


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 8, 64, 65, 130]))
def test_signs_are_a_bit_a_dimension(seed: int, dimension: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(5, dimension)).astype(np.float32)
    signs = signs_of(rows)
    assert signs.shape == (5, -(-dimension // 64))
    bits = (signs[:, np.arange(dimension) // 64] >> (np.arange(dimension) % 64).astype(np.uint64)) & np.uint64(1)
    assert (bits.astype(bool) == (rows > 0)).all()
    assert np.bitwise_count(signs).sum() == (rows > 0).sum()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 40), st.floats(0, 1))
def test_the_first_pass_leaves_those_that_agree_in_most_signs(seed: int, count: int, left: int, share: float) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(count, 70)).astype(np.float32)
    signs, question = signs_of(rows), signs_of(chance.normal(size=(1, 70)).astype(np.float32))[0]
    owners = np.sort(chance.integers(0, count, count)).astype(np.int32)
    may = chance.random(count) < share
    found = np.empty(left, np.int64)
    found = found[: nearness._by_signs(signs, question, owners, may, found)]
    unlike = np.bitwise_count(signs ^ question).sum(axis=1)
    best = [place for place in np.lexsort((np.arange(count), unlike)) if may[owners[place]]][:left]
    assert found.tolist() == sorted(best)


def test_few_are_all_looked_at_and_many_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit(3, 500, 96)
    codes, mean = coded(rows)
    question = rows[7]
    signs, may, owners = signs_of((question - mean)[None, :])[0], np.ones(500, np.bool_), np.arange(500, dtype=np.int32)
    may[7] = False
    places, found = nearest(codes, question, signs, owners, may)
    assert places.tolist() == [place for place in range(500) if place != 7]
    monkeypatch.setattr(nearness, "LEFT_OVER", 50)
    monkeypatch.setattr(nearness, "LEFT_SHARE", 0.0)
    fewer, nearer = nearest(codes, question, signs, owners, may)
    assert len(fewer) == 50 and 7 not in fewer and (np.diff(fewer) > 0).all()
    assert nearer.tolist() == found[np.searchsorted(places, fewer)].tolist()
    assert nearer.mean() > found.mean(), "those that are left lie nearer than all"


def test_nothing_may_be_found() -> None:
    rows = unit(4, 20, 64)
    codes, mean = coded(rows)
    signs, owners = signs_of((rows[0] - mean)[None, :])[0], np.arange(20, dtype=np.int32)
    places, found = nearest(codes, rows[0], signs, owners, np.zeros(20, np.bool_))
    assert len(places) == len(found) == 0
