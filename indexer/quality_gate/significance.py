"""Is one ranking better than another on the same questions, or is it chance?

A paired randomisation test, as Smucker, Allan and Carterette found fit for retrieval (A Comparison of Statistical
Significance Tests for Information Retrieval Evaluation, CIKM 2007): if two rankings were as good as each other, each
question's two scores might as well be exchanged, which turns the sign of their difference. The share of random signs
that make a mean difference at least as large as the one that was found is p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: random signs, and random samples; the smallest p is 1 / (ROUNDS + 1)
ROUNDS = 10_000
SIGNIFICANT = 0.01
_AT_ONCE = 1_000  # rounds in one array: 20 MB for 2,500 questions
_INTERVAL = (2.5, 97.5)  # percentiles of the bootstrap's means


@dataclass(frozen=True)
class Comparison:
    """Of scores after and before, question by question."""

    questions: int
    difference: float  #: mean of after - before
    low: float  #: of its 95 % interval
    high: float
    p: float  #: two-sided
    wins: int  #: questions with a higher score after than before
    losses: int
    ties: int

    @property
    def is_worse(self) -> bool:
        """Worse, and hardly by chance."""
        return self.difference < 0 and self.p < SIGNIFICANT

    @property
    def is_better(self) -> bool:
        """Better, and hardly by chance."""
        return self.difference > 0 and self.p < SIGNIFICANT


def compare(after: Sequence[float], before: Sequence[float], seed: int = 1) -> Comparison:
    """Both hold the scores of the same questions in the same order; at least one. The same seed gives the same."""
    if len(after) != len(before) or not after:
        raise ValueError(f"{len(after)} scores cannot be paired with {len(before)}")
    # what cannot be told apart in nine decimals is a tie
    differences = np.round(np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64), 9)
    chance = np.random.default_rng(seed)
    p = randomisation_p(differences, chance)
    low, high = bootstrap_interval(differences, chance)
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    ties = len(differences) - wins - losses
    return Comparison(len(differences), float(differences.mean()), low, high, p, wins, losses, ties)


def randomisation_p(differences: NDArray[np.float64], chance: np.random.Generator) -> float:
    """Two-sided p that the differences have a mean of 0. The signs as they are count as one of the rounds (Phipson
    and Smyth 2010), so that p is never 0.
    """
    changed = differences[differences != 0]  # a sign changes nothing about 0
    found = abs(changed.sum())
    almost = found - 1e-9 * np.abs(changed).sum()  # sums of the same numbers in other signs differ by rounding
    as_large = 0
    for _ in range(0, ROUNDS, _AT_ONCE):
        signs = chance.integers(0, 2, size=(_AT_ONCE, len(changed)), dtype=np.int8) * 2.0 - 1
        as_large += int((np.abs(signs @ changed) >= almost).sum())
    return (as_large + 1) / (ROUNDS + 1)


def bootstrap_interval(differences: NDArray[np.float64], chance: np.random.Generator) -> tuple[float, float]:
    """In which 95 % of the means lie of as many differences, drawn from these with replacement."""
    count = len(differences)
    means = [
        differences[chance.integers(0, count, size=(_AT_ONCE, count), dtype=np.int32)].mean(axis=1)
        for _ in range(0, ROUNDS, _AT_ONCE)
    ]
    low, high = np.percentile(np.concatenate(means), _INTERVAL)
    return float(low), float(high)
