"""Facts about a page from its byline: author, date, counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from indexer.extract.site_templates import Rules, first_match

_NUMBERS = re.compile(r"\d+")
_EARLIEST_YEAR = 1990  # before the Chinese web: a birth year or a typing slip, not a page's date


@dataclass(frozen=True)
class Facts:
    """What a line says; None where it says nothing."""

    author: str | None = None
    date: str | None = None
    views: int | None = None
    likes: int | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.author, self.date, self.views, self.likes))

    def filled_from(self, other: Facts) -> Facts:
        """These facts, with gaps filled from another line's."""
        return Facts(
            self.author if self.author is not None else other.author,
            self.date if self.date is not None else other.date,
            self.views if self.views is not None else other.views,
            self.likes if self.likes is not None else other.likes,
        )


def read_facts(line: str, rules: Rules) -> Facts:
    """Facts that a short plain line states."""
    byline = first_match(rules.byline, line)
    if byline:
        return Facts(byline["author"], parse_date(byline["date"]), _count(byline["views"]))
    author = next((m for p in rules.author if (m := p.search(line)) and not _is_no_name(m["author"], rules)), None)
    date = first_match(rules.date, line)
    views = first_match(rules.views, line)
    likes = first_match(rules.likes, line)
    return Facts(
        author["author"] if author else None,
        parse_date(date["date"]) if date else None,
        _count(views["views"]) if views else None,
        _count(likes["likes"]) if likes else None,
    )


def _is_no_name(text: str, rules: Rules) -> bool:
    return first_match(rules.not_author, text) is not None


def parse_date(text: str) -> str | None:
    """A date in any of the usual spellings as YYYY-MM-DD, with THH:MM:SS when a time is given.

    None when it is no real date, lies before 1990 or in the future.
    """
    numbers = [int(number) for number in _NUMBERS.findall(text)]
    if len(numbers) not in (3, 5, 6):
        return None
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return None
    if moment.year < _EARLIEST_YEAR or moment > datetime.now():
        return None
    return moment.strftime("%Y-%m-%d" if len(numbers) == 3 else "%Y-%m-%dT%H:%M:%S")


def _count(digits: str | None) -> int | None:
    return int(digits.replace(",", "")) if digits else None
