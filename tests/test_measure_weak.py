"""Where the share of relevant first answers passes a half."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure_weak import First, line_of


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ([], 1.0),
        ([(0.2, False)], 1.0),
        ([(0.2, True)], 0.2),
        ([(0.1, False), (0.2, False), (0.3, True), (0.4, True)], 0.3),
        ([(0.1, False), (0.2, True), (0.3, False), (0.4, True)], 0.2),  # a half of two, which are pooled
        ([(0.1, True), (0.2, False), (0.3, False), (0.4, True)], 0.4),
    ],
)
def test_the_line_is_where_the_share_passes_a_half(results: list[First], line: float) -> None:
    assert line_of(results) == line


@given(st.lists(st.tuples(st.integers(0, 999).map(lambda n: n / 1000), st.booleans()), max_size=60))
def test_above_the_line_relevant_ones_prevail(results: list[First]) -> None:
    line = line_of(results)
    above = [good for score, good in results if score >= line]
    below = [good for score, good in results if score < line]
    assert 2 * sum(above) >= len(above) and 2 * sum(below) <= len(below)
