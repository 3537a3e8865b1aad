"""Pages of which cleaning took out far more or far less than of their site's other pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

#: makes the median absolute deviation of normal values their standard deviation, and a distance that is odd:
#: B. Iglewicz, D. C. Hoaglin, How to Detect and Handle Outliers (1993), 3.4
_NORMAL = 0.6745
_ODD_DISTANCE = 3.5
#: a site whose pages are all alike has a deviation near 0, from which everything would be far
_LEAST_DEVIATION = 0.02
_LEAST_DIFFERENCE = 0.15
#: of fewer pages no median says what is usual
_LEAST_PAGES = 8


@dataclass(frozen=True)
class Removal:
    """How much of one page was taken out."""

    page: int  #: number of the page
    site: str
    share: float  #: of its text, 0 to 1


@dataclass(frozen=True)
class OddRemoval:
    """A page that is far from its site's median."""

    removal: Removal
    median: float  #: of its site's shares
    deviation: float  #: median absolute deviation of them
    distance: float  #: robust z-score; below 0 where less was taken out than usual
    pages: int  #: of the site


def odd_removals(removals: Iterable[Removal]) -> Iterator[OddRemoval]:
    """Those that are odd, site by site."""
    sites: dict[str, list[Removal]] = {}
    for removal in removals:
        sites.setdefault(removal.site, []).append(removal)
    for of_site in sites.values():
        if len(of_site) < _LEAST_PAGES:
            continue
        shares = np.array([removal.share for removal in of_site])
        median = float(np.median(shares))
        deviation = float(np.median(np.abs(shares - median)))
        for removal in of_site:
            difference = removal.share - median
            distance = _NORMAL * difference / max(deviation, _LEAST_DEVIATION)
            if abs(distance) >= _ODD_DISTANCE and abs(difference) >= _LEAST_DIFFERENCE:
                yield OddRemoval(removal, median, deviation, distance, len(of_site))
