"""Rates with what is not known of them: a small site's numbers are few, and half of what they seem to say is chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

#: of the intervals
CONFIDENCE = 0.95
#: a rate of fewer is told as 样本不足: its Wilson interval is wider than 0.34
MIN_SAMPLE = 30
_RESAMPLES = 2_000
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Rate:
    """A share, or a mean between 0 and 1, with its interval."""

    value: float | None  #: None of nothing
    of: int  #: the denominator
    low: float | None
    high: float | None

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that the rate tells something."""
        return self.of >= MIN_SAMPLE


def share(part: int, of: int) -> Rate:
    """A share with its score interval (E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference", JASA 22, 1927). Raises ValueError unless 0 <= part <= of.
    """
    if not 0 <= part <= of:
        raise ValueError(f"a share of {part} in {of}")
    if of == 0:
        return Rate(None, 0, None, None)
    value = part / of
    middle = value + _Z**2 / (2 * of)
    spread = _Z * math.sqrt(value * (1 - value) / of + (_Z / (2 * of)) ** 2)
    scale = 1 + _Z**2 / of
    # at the ends the formula is exact, and floats are not
    low = 0.0 if part == 0 else (middle - spread) / scale
    high = 1.0 if part == of else (middle + spread) / scale
    return Rate(value, of, low, high)


def mean_reciprocal_rank(ranks: Mapping[int, int]) -> Rate:
    """Of so many first clicks at each rank, with the bootstrap's percentile interval (Efron and Tibshirani, "An
    introduction to the bootstrap", 1993, chapter 13). The same ranks give the same interval.
    """
    of = sum(ranks.values())
    if of == 0:
        return Rate(None, 0, None, None)
    reciprocals = 1 / np.array(list(ranks), np.float64)
    counts = np.array(list(ranks.values()), np.float64)
    drawn = np.random.default_rng(0).multinomial(of, counts / of, size=_RESAMPLES) @ reciprocals / of
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Rate(float(counts @ reciprocals / of), of, float(low), float(high))


def percentile(counts: Mapping[float, int], share_below: float) -> float | None:
    """The smallest value that at least so large a share does not exceed (nearest rank); None of nothing."""
    total = sum(counts.values())
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share_below * total:
            return value
    return None
