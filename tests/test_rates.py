"""Intervals: SciPy's, and such as hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from webapp.rates import MIN_SAMPLE, mean_reciprocal_rank, percentile, share


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_shares_have_scipys_wilson_interval(counted: tuple[int, int]) -> None:
    part, of = counted
    known = binomtest(part, of).proportion_ci(0.95, method="wilson")
    rate = share(part, of)
    assert rate.value == part / of
    assert (rate.low, rate.high) == pytest.approx((known.low, known.high), abs=1e-12)


def test_nothing_has_no_rate_and_few_are_not_enough() -> None:
    assert share(0, 0).value is None and mean_reciprocal_rank({}).value is None
    assert not share(1, MIN_SAMPLE - 1).is_enough and share(1, MIN_SAMPLE).is_enough
    with pytest.raises(ValueError, match="3 in 2"):
        share(3, 2)


def test_mean_reciprocal_ranks_have_scipys_bootstrap_interval() -> None:
    ranks = {1: 50, 2: 30, 3: 20, 7: 5}
    rate = mean_reciprocal_rank(ranks)
    data = np.repeat([1 / rank for rank in ranks], list(ranks.values()))
    known = bootstrap((data,), np.mean, n_resamples=5_000, method="percentile", rng=np.random.default_rng(1))
    assert rate.value == pytest.approx(data.mean())
    assert (rate.low, rate.high) == pytest.approx(tuple(known.confidence_interval), abs=0.01)
    assert mean_reciprocal_rank(ranks) == rate


@pytest.mark.parametrize(("true_share", "of"), [(0.03, 400), (0.2, 120), (0.5, 60), (0.9, 250)])
def test_intervals_of_shares_hold_the_truth_95_times_in_a_hundred(true_share: float, of: int) -> None:
    drawn = np.random.default_rng(3).binomial(of, true_share, 4_000)
    rates = {int(part): share(int(part), of) for part in np.unique(drawn)}
    held = [(rates[part].low or 0) <= true_share <= (rates[part].high or 0) for part in drawn.tolist()]
    assert 0.93 <= np.mean(held) <= 0.97


def test_intervals_of_mean_ranks_hold_the_truth_95_times_in_a_hundred() -> None:
    chances = np.array([0.5, 0.2, 0.1, 0.08, 0.05, 0.04, 0.03])
    truth = float(chances @ (1 / np.arange(1, 8)))
    drawn = np.random.default_rng(5).multinomial(300, chances, 1_000)
    held = 0
    for counts in drawn.tolist():
        rate = mean_reciprocal_rank({rank: count for rank, count in enumerate(counts, 1) if count})
        held += (rate.low or 0) <= truth <= (rate.high or 0)
    assert 0.93 <= held / len(drawn) <= 0.97


@given(
    st.lists(st.sampled_from([0.5, 1.0, 2.5, 7.0, 40.0]), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99])
)
def test_percentiles_are_the_nearest_rank(values: list[float], share_below: float) -> None:
    counts = {value: values.count(value) for value in values}
    known = float(np.percentile(values, share_below * 100, method="inverted_cdf"))
    assert percentile(counts, share_below) == known


def test_nothing_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
