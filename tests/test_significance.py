"""The paired randomisation test: exact values, SciPy's, the properties of a test, and the bootstrap's interval."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.quality_gate.significance import ROUNDS, compare

#: scores of questions as release.tsv holds them, after and before
pairs = st.lists(
    st.tuples(*[st.integers(0, 10_000).map(lambda thousandths: thousandths / 10_000)] * 2), min_size=1, max_size=60
)


def noisy(seed: int, count: int, shift: float) -> tuple[list[float], list[float]]:
    """Scores of as many questions, before and `shift` higher but for noise."""
    chance = np.random.default_rng(seed)
    before = chance.uniform(0.2, 0.8, count)
    after = before + chance.normal(shift, 0.1, count)
    return list(after), list(before)


@given(pairs, st.integers(0, 5))
def test_exchanged_rankings_give_the_mirrored_comparison(scores: list[tuple[float, float]], seed: int) -> None:
    after, before = zip(*scores, strict=True)
    one, other = compare(after, before, seed), compare(before, after, seed)
    assert one.p == other.p
    assert one.difference == -other.difference
    assert (one.wins, one.losses, one.ties) == (other.losses, other.wins, other.ties)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert not (one.is_worse and one.is_better)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_a_ranking_does_not_differ_from_itself(scores: list[float]) -> None:
    found = compare(scores, scores)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert (found.wins, found.losses, found.ties) == (0, 0, len(scores))
    assert not found.is_worse and not found.is_better


@given(pairs)
def test_all_questions_are_counted_and_the_mean_lies_in_its_interval(scores: list[tuple[float, float]]) -> None:
    after, before = zip(*scores, strict=True)
    found = compare(after, before)
    assert found.wins + found.losses + found.ties == found.questions == len(scores)
    assert found.difference == pytest.approx(np.mean(after) - np.mean(before), abs=1e-9)
    assert 0 < found.p <= 1
    lowest, highest = min(a - b for a, b in scores), max(a - b for a, b in scores)
    assert lowest - 1e-8 <= found.low <= found.high <= highest + 1e-8


@given(pairs.filter(lambda scores: len(scores) <= 8))
def test_p_is_that_of_all_ways_to_exchange_a_few_questions(scores: list[tuple[float, float]]) -> None:
    after, before = zip(*scores, strict=True)
    differences = [round(a - b, 9) for a, b in scores]
    means = [
        abs(sum(sign * each for sign, each in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(scores))
    ]
    exact = sum(mean >= abs(sum(differences)) - 1e-9 for mean in means) / len(means)
    # 10,000 rounds have a standard error of .005 at most
    assert compare(after, before).p == pytest.approx(exact, abs=0.025)


@pytest.mark.parametrize(("seed", "shift"), [(1, 0.0), (2, 0.01), (3, 0.02), (4, -0.03), (5, 0.05)])
def test_p_and_interval_are_those_of_scipy(seed: int, shift: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    after, before = noisy(seed, 100, shift)
    found = compare(after, before)
    differences = np.subtract(after, before)
    chance = np.random.default_rng(7)
    signs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=ROUNDS, rng=chance, vectorized=True
    )
    assert found.p == pytest.approx(signs.pvalue, abs=0.02)
    means = stats.bootstrap((differences,), np.mean, n_resamples=ROUNDS, method="percentile", rng=chance)
    assert (found.low, found.high) == pytest.approx(tuple(means.confidence_interval), abs=0.001)


@pytest.mark.parametrize("shift", [0.05, -0.05])
def test_a_planted_difference_is_found_and_its_direction_told(shift: float) -> None:
    found = compare(*noisy(1, 280, shift))
    assert found.p == pytest.approx(1 / (ROUNDS + 1))
    assert (found.is_better, found.is_worse) == (shift > 0, shift < 0)
    assert found.low < shift < found.high


def test_p_is_spread_evenly_where_nothing_differs() -> None:
    found = np.sort([compare(*noisy(seed, 50, 0.0)).p for seed in range(200)])
    # Kolmogorov-Smirnov: 200 even draws stray further than .115 from even in one case of a hundred
    assert np.abs(found - np.arange(1, 201) / 200).max() < 0.115


def test_what_differs_by_rounding_only_is_a_tie() -> None:
    found = compare([0.1 + 0.2, 0.5], [0.3, 0.5])
    assert (found.ties, found.p) == (2, 1)


def test_few_changed_questions_among_many_cannot_be_significant() -> None:
    found = compare([0.0] * 5 + [0.5] * 995, [1.0] * 5 + [0.5] * 995)
    assert (found.losses, found.ties) == (5, 995)
    assert found.p == pytest.approx(2 / 2**5, abs=0.01)
    assert not found.is_worse


def test_the_same_seed_gives_the_same() -> None:
    after, before = noisy(1, 40, 0.02)
    assert compare(after, before, 3) == compare(after, before, 3) != compare(after, before, 4)


@pytest.mark.parametrize(("after", "before"), [([], []), ([0.5], []), ([0.5], [0.5, 0.5])])
def test_scores_that_cannot_be_paired_are_an_error(after: list[float], before: list[float]) -> None:
    with pytest.raises(ValueError, match="paired"):
        compare(after, before)
