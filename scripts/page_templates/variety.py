"""Choices that look random but are always the same for one page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Variety:
    """Answers "which one?" from a hash of the page id and the name of the choice, never from chance or time."""

    def __init__(self, page_id: str) -> None:
        self._page_id = page_id

    def number(self, choice: str, below: int) -> int:
        """A whole number from 0 up to, not including, `below`."""
        digest = hashlib.sha256(f"{self._page_id}/{choice}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % below

    def flag(self, choice: str) -> bool:
        """True for about half of all pages."""
        return self.number(choice, 2) == 1

    def pick(self, choice: str, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.number(choice, len(options))]

    def sample(self, choice: str, options: Sequence[T], count: int) -> list[T]:
        """At most `count` different options, in an order of the page's own."""
        order = sorted(range(len(options)), key=lambda index: (self.number(f"{choice}/{index}", 2**64), index))
        return [options[index] for index in order[:count]]
