"""The time that a search may take, and where it went: stages ask whether it is over, and leave out what can be left
out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Stages:
    """How long each stage of one search took, in their order."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """The first stage begins now. `clock` gives seconds."""
        self._clock = clock
        self._since = clock()
        self.ms: dict[str, float] = {}

    def end(self, name: str) -> None:
        """What was done since the last end was this stage."""
        now = self._clock()
        self.ms[name] = self.ms.get(name, 0.0) + (now - self._since) * 1000
        self._since = now


class Deadline:
    """Of one search; not shared between threads."""

    def __init__(self, budget_ms: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        """It begins now; None never ends. `clock` gives seconds."""
        self._clock = clock
        self._end = clock() + budget_ms / 1000 if budget_ms is not None else math.inf
        self.cut_short = False  #: whether a stage was told that time is over, and left something out

    def is_over(self) -> bool:
        """Whether what is left to do should be left out; asked before each stage that can be."""
        self.cut_short = self.cut_short or self._clock() >= self._end
        return self.cut_short

    def left_s(self) -> float:
        """Seconds until it is over, at least 0; infinite without an end."""
        return max(self._end - self._clock(), 0.0)
