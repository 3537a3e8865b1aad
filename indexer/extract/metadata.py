"""Facts about a page from its byline: author, date, counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from indexer.extract.site_templates import Rules, first_match, simplified

_NUMBERS = re.compile(r"\d+")
_BYLINE_CHARS = 80
_EARLIEST_YEAR = 1990  # before the Chinese web: a birth year or a typing slip, not a page's date


@dataclass(frozen=True)
class Facts:
    """What a line says; None where it says nothing."""

    author: str | None = None
    date: str | None = None
    views: int | None = None
    likes: int | None = None
    author_title: str | None = None
    hospital: str | None = None

    def __bool__(self) -> bool:
        return self != _NOTHING

    def filled_from(self, other: Facts) -> Facts:
        """These facts, with gaps filled from another line's. A title and a hospital go with their author only."""
        same_author = self.author is None or other.author in (None, self.author)
        return Facts(
            self.author if self.author is not None else other.author,
            _finer(self.date, other.date),
            self.views if self.views is not None else other.views,
            self.likes if self.likes is not None else other.likes,
            _fuller(self.author_title, other.author_title if same_author else None),
            self.hospital or (other.hospital if same_author else None),
        )


_NOTHING = Facts()


def _finer(one: str | None, other: str | None) -> str | None:
    """The first date, with the other's time where that is of the same day."""
    if one is None or (other is not None and other.startswith(one)):
        return other
    return one


def _fuller(one: str | None, other: str | None) -> str | None:
    """The first title, or the other where that says more: 主治医师 for 医师."""
    if one is None or (other is not None and other.endswith(one)):
        return other
    return one


def read_facts(line: str, rules: Rules) -> Facts:
    """Facts that a short plain line states, in its own characters."""
    byline = first_match(rules.byline, line)
    if byline and not _is_no_name(byline["author"], rules):
        return Facts(_own(line, byline, "author"), parse_date(byline["date"]), _count(byline["views"]))
    date = first_match(rules.date, line)
    views = first_match(rules.views, line)
    likes = first_match(rules.likes, line)
    is_short = len(line) <= _BYLINE_CHARS
    title = first_match(rules.author_title, line) if is_short else None
    places = (m for p in rules.hospital for m in p.finditer(simplified(line)) if is_short)
    place = next((m for m in places if not first_match(rules.no_hospital, m["hospital"])), None)
    return Facts(
        _author(line, title, rules),
        parse_date(date["date"]) if date else None,
        _count(views["views"]) if views else None,
        _count(likes["likes"]) if likes else None,
        _own(line, title, "title") if title else None,
        _own(line, place, "hospital") if place else None,
    )


def _own(line: str, match: re.Match[str], group: str) -> str:
    """What the line itself has where a simplified copy of it matched."""
    return line[match.start(group) : match.end(group)]


def _author(line: str, title: re.Match[str] | None, rules: Rules) -> str | None:
    """Who is named by a label (作者：), else the person's name nearest to a doctor's title."""
    folded = simplified(line)
    for pattern in rules.author:
        if (match := pattern.search(folded)) and not _is_no_name(match["author"], rules):
            return _own(line, match, "author")
    if title is None:
        return None
    names = [m for m in rules.person.finditer(folded) if not _is_no_name(m[0], rules)]
    nearest = min(names, key=lambda m: max(m.start() - title.end(), title.start() - m.end()), default=None)
    return line[nearest.start() : nearest.end()] if nearest else None


def _is_no_name(text: str, rules: Rules) -> bool:
    return first_match(rules.not_author, text) is not None


def parse_date(text: str) -> str | None:
    """A date in any of the usual spellings as YYYY-MM-DD, with THH:MM:SS when a time is given.

    None when it is no real date, lies before 1990 or in the future.
    """
    digits = _NUMBERS.findall(re.sub(r"(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$", "", text))
    if any(len(number) > 4 for number in digits):
        return None
    numbers = [int(number) for number in digits]
    if len(numbers) not in (3, 5, 6):
        return None
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return None
    if moment.year < _EARLIEST_YEAR or moment > datetime.now():
        return None
    return moment.strftime("%Y-%m-%d" if len(numbers) == 3 else "%Y-%m-%dT%H:%M:%S")


def moment_of(seconds: int) -> str | None:
    """A moment in seconds since 1970 as YYYY-MM-DDTHH:MM:SS in China's time; None outside the years of the web."""
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(hours=8)))
    return parse_date(moment.strftime("%Y-%m-%d %H:%M:%S"))


def _count(digits: str | None) -> int | None:
    """A count as pages write it: 1203, 1,203, 1.2万."""
    if not digits:
        return None
    number = digits.replace(",", "").strip()
    if number[-1] in "万wWkK":
        return round(float(number[:-1]) * (1000 if number[-1] in "kK" else 10_000))
    return int(float(number))
