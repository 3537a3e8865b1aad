"""What ranking asks of the likeness of meaning; `meaning/serving.py` answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Meant(Protocol):
    """The meaning of one question beside the vectors of one generation."""

    def nearest(self, count: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The `count` documents nearest to the question of those allowed, shape (document_count,); nearest first."""
        ...

    def likeness(self, documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many standard deviations nearer to this question than by chance each of these lies; 0 for one without a
        vector. To compare the answers to one question.
        """
        ...

    def closeness(self, likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same in standard deviations of what two passages by chance have in common. To tell whether an answer is
        near enough at all: a question about something else lies far from everything.
        """
        ...


#: asked once the words have been looked up, since a question's vector is made meanwhile; None when there is none
AskMeant = Callable[[], Meant | None]


def nothing_meant() -> None:
    """Of a question that is asked by its words alone."""
