"""One day of the log, counted: from its searches and clicks, in their order, to plain numbers. Knows no database.

What is counted is a **search**: a question that was asked. Turning its pages is reading on, and belongs to it. A
**visit** is what one session does without a pause of half an hour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

#: a pause that ends a visit, as web analytics has it since the first log analysers
VISIT_PAUSE_S = 30 * 60
#: the best answer of a weak result scores less; how that was chosen: docs/analytics.md
WEAK_SCORE = 0.6
#: sessions of one address that count, of those that asked one question: a person with many browsers stays one
SESSIONS_PER_ORIGIN = 2
#: ranks beyond this are no ranks of results
_MAX_RANK = 1_000


@dataclass(frozen=True)
class Asked:
    """One page of results that was shown, as the log has it."""

    token: int
    at: int  #: seconds since 1970
    session: int | None
    origin: int | None
    surface: str
    page: int
    query: str
    entity: str | None
    aspects: tuple[str, ...]
    total: int
    top_score: float | None
    direct: bool
    urgency: str | None
    generation: str
    remembered: bool
    latency_ms: float
    stages_ms: Mapping[str, float]


@dataclass(frozen=True)
class Opened:
    """A click, as the log has it."""

    token: int
    rank: int  #: 1-based; 0 for the answer quoted above the list
    answer_id: str


@dataclass
class Tally:
    """Numbers of searches that have something in common. All are counts but the sum."""

    searches: int = 0
    no_result: int = 0
    weak: int = 0  #: has results, none of them good
    direct: int = 0
    urgent: int = 0
    clickable: int = 0  #: on a page, with results: only these can be clicked
    clicked: int = 0
    clicked_at_1: int = 0  #: first click there or above
    clicked_at_3: int = 0
    clicked_at_5: int = 0
    reciprocal_ranks: float = 0.0  #: sum over the clicked ones, of the first click


@dataclass
class QueryTally(Tally):
    """Of one question."""

    entity: str | None = None
    sessions: int = 0  #: as `_Askers` counts them
    last_total: int = 0


@dataclass
class Day:
    """What one day comes to."""

    by_generation: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    queries: dict[str, QueryTally] = field(default_factory=lambda: defaultdict(QueryTally))
    chains: Counter[tuple[str, str]] = field(default_factory=Counter)  #: question, the next one -> visits
    topics: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))  #: entity, aspect or ""
    topic_sessions: dict[tuple[str, str], int] = field(default_factory=dict)  #: as `_Askers` counts them
    aspects: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    ranks: Counter[int] = field(default_factory=Counter)  #: of first clicks
    opened: Counter[tuple[str, str, int]] = field(default_factory=Counter)  #: question, answer, rank -> first clicks
    cards: Counter[str] = field(default_factory=Counter)  #: urgency card -> searches
    latencies: Counter[tuple[str, str, float]] = field(default_factory=Counter)  #: generation, stage, ms
    visits: int = 0
    visits_without_click: int = 0  #: that had something to click
    visits_clickable: int = 0
    sessions: int = 0


@dataclass
class _Search:
    """A search while its day is counted."""

    first: Asked
    first_rank: int | None = None  #: of the first click
    opened: str = ""  #: the answer that it was on


def count_day(asked: Iterable[Asked], opened: Iterable[Opened]) -> Day:
    """Count the searches of a day; `asked` in the order of time, `opened` in the order of clicks."""
    searches, by_token, visits = _searches(asked)
    for click in opened:
        search = by_token.get(click.token)
        if search is not None and search.first_rank is None and 0 <= click.rank <= _MAX_RANK:
            search.opened = click.answer_id
            search.first_rank = max(click.rank, 1)  # the quoted answer stands above the first
    day = Day()
    for search in searches:
        _count(search, day)
    _count_visits(visits, day)
    _count_sessions(searches, day)
    return day


def _searches(asked: Iterable[Asked]) -> tuple[list[_Search], dict[int, _Search], list[list[_Search]]]:
    """Searches, the search that each page shown belongs to, and visits."""
    searches: list[_Search] = []
    by_token: dict[int, _Search] = {}
    latest: dict[tuple[int, str], _Search] = {}
    visits: list[list[_Search]] = []
    open_visits: dict[int, tuple[int, list[_Search]]] = {}  # session -> when it last did something, its visit
    for page in asked:
        reading = latest.get((page.session, page.query)) if page.session is not None and page.page > 1 else None
        if page.page == 1:
            reading = _Search(page)
            searches.append(reading)
        if reading is None:
            continue  # its first page was another day's, or nobody's
        by_token[page.token] = reading
        if page.session is None:
            continue
        latest[page.session, page.query] = reading
        last, visit = open_visits.get(page.session, (0, []))
        if not visit or page.at - last > VISIT_PAUSE_S:
            visit = []
            visits.append(visit)
        if page.page == 1:
            visit.append(reading)
        open_visits[page.session] = (page.at, visit)
    return searches, by_token, visits


def _count(search: _Search, day: Day) -> None:
    page, query = search.first, day.queries[search.first.query]
    tallies = [day.by_generation[page.generation], query]
    tallies += [day.aspects[aspect] for aspect in page.aspects]
    tallies += [day.topics[topic] for topic in _topics_of(page)]
    for tally in tallies:
        _add(tally, search)
    query.entity, query.last_total = page.entity, page.total
    if search.first_rank is not None:
        day.ranks[search.first_rank] += 1
        day.opened[page.query, search.opened, search.first_rank] += 1
    if page.urgency is not None:
        day.cards[page.urgency] += 1
    if not page.remembered:  # what comes from memory says nothing of the engine
        for stage, ms in {**page.stages_ms, "total": page.latency_ms}.items():
            day.latencies[page.generation, stage, rounded(ms)] += 1


def _topics_of(page: Asked) -> list[tuple[str, str]]:
    return [(page.entity, aspect) for aspect in page.aspects or ("",)] if page.entity is not None else []


def _add(tally: Tally, search: _Search) -> None:
    page, rank = search.first, search.first_rank
    tally.searches += 1
    tally.no_result += not page.total
    tally.weak += is_weak(page)
    tally.direct += page.direct
    tally.urgent += page.urgency is not None
    tally.clickable += page.surface == "page" and page.total > 0
    if rank is not None:
        tally.clicked += 1
        tally.clicked_at_1 += rank <= 1
        tally.clicked_at_3 += rank <= 3
        tally.clicked_at_5 += rank <= 5
        tally.reciprocal_ranks += 1 / rank


def is_weak(page: Asked) -> bool:
    """Whether it has results, and not even the best is good."""
    return page.total > 0 and page.top_score is not None and page.top_score < WEAK_SCORE


def _count_visits(visits: Iterable[list[_Search]], day: Day) -> None:
    for visit in visits:
        if not visit:
            continue
        day.visits += 1
        clickable = [search for search in visit if search.first.surface == "page" and search.first.total]
        day.visits_clickable += bool(clickable)
        day.visits_without_click += bool(clickable) and all(search.first_rank is None for search in visit)
        queries = [search.first.query for search in visit]
        day.chains.update({(one, other) for one, other in pairwise(queries) if one != other})


def _count_sessions(searches: Iterable[_Search], day: Day) -> None:
    everybody: set[int] = set()
    askers: defaultdict[str, _Askers] = defaultdict(_Askers)
    topic_askers: defaultdict[tuple[str, str], _Askers] = defaultdict(_Askers)
    for search in searches:
        page = search.first
        if page.session is not None:
            everybody.add(page.session)
            for these in (askers[page.query], *(topic_askers[topic] for topic in _topics_of(page))):
                these.add(page)
    day.sessions = len(everybody)
    for query, these in askers.items():
        day.queries[query].sessions = these.count
    day.topic_sessions = {topic: these.count for topic, these in topic_askers.items()}


class _Askers:
    """Sessions by the address that they come from."""

    def __init__(self) -> None:
        self._by_origin: defaultdict[int | None, set[int | None]] = defaultdict(set)

    def add(self, page: Asked) -> None:
        self._by_origin[page.origin].add(page.session)

    @property
    def count(self) -> int:
        """Of one address so many at most as one person may have."""
        return sum(min(len(sessions), SESSIONS_PER_ORIGIN) for sessions in self._by_origin.values())


def rounded(ms: float) -> float:
    """As durations are kept: to three digits, so that a percentile is off by less than one in a hundred."""
    return float(f"{ms:.3g}")
