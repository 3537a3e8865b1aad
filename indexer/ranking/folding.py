"""From candidates to results: what says the same, or stands on one page, is one result, and no site fills a page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.aspects import ASPECTS
from indexer.ranking.ranker import Candidate

#: so many results of one site may stand among `_WINDOW` in a row, as long as others are left
_MAX_OF_SITE = 3
_WINDOW = 10


@dataclass(frozen=True)
class Result:
    """The best candidate of those that are shown as one."""

    candidate: Candidate
    copies: int = 0  #: how many further candidates have the same text
    more: tuple[tuple[int, int], ...] = ()  #: further answers on the same page, best first: document, and its copies


@dataclass(frozen=True)
class Traits:
    """What folding looks at of candidates, in their order."""

    texts: NDArray[np.uint64]  #: equal for the same text
    pages: NDArray[np.uint64]  #: equal for the same page
    sites: NDArray[np.int64]  #: equal for the same site
    aspects: NDArray[np.uint16]  #: bits of the aspects that each is about


def fold(candidates: Sequence[Candidate], traits: Traits, heads: Collection[int] = ()) -> list[Result]:
    """The same text, then the same page, becomes one result at the place of its best. Documents of `heads` are shown
    before what they are folded with; no two of them may be folded into one.
    """
    groups: dict[int, list[Candidate]] = {}
    for candidate, text in zip(candidates, traits.texts.tolist(), strict=True):
        groups.setdefault(text, []).append(candidate)
    if heads:
        for group in groups.values():
            group.sort(key=lambda candidate: candidate.document not in heads)
    page_of = dict(zip((candidate.document for candidate in candidates), traits.pages.tolist(), strict=True))
    pages: dict[int, list[list[Candidate]]] = {}
    for group in groups.values():
        pages.setdefault(page_of[group[0].document], []).append(group)
    if heads:
        for of_page in pages.values():
            of_page.sort(key=lambda group: group[0].document not in heads)
    return [
        Result(first[0], len(first) - 1, tuple((group[0].document, len(group) - 1) for group in others))
        for first, *others in pages.values()
    ]


def count(candidates: Sequence[Candidate], traits: Traits, heads: Collection[int] = ()) -> dict[str, int]:
    """How many results each aspect has, were only its candidates shown; none with 0."""
    found: dict[str, int] = {}
    for place, aspect in enumerate(ASPECTS):
        here = np.flatnonzero(traits.aspects >> place & 1)
        if len(here):
            found[aspect] = len(fold([candidates[i] for i in here.tolist()], at(traits, here), heads))
    return found


def at(traits: Traits, places: NDArray[np.intp]) -> Traits:
    """Of some of the candidates."""
    return Traits(traits.texts[places], traits.pages[places], traits.sites[places], traits.aspects[places])


def mixed(results: Iterable[Result], site_of: Mapping[int, int]) -> list[Result]:
    """The same results, those of a site that fills the page moved behind the next of other sites."""
    waiting = list(results)
    placed: list[Result] = []
    while waiting:
        recent = [site_of[result.candidate.document] for result in placed[-_WINDOW + 1 :]]
        chosen = next(
            (i for i, each in enumerate(waiting) if recent.count(site_of[each.candidate.document]) < _MAX_OF_SITE), 0
        )
        placed.append(waiting.pop(chosen))
    return placed
