"""What people decided, as it bears on one open generation on one day: made once, and again when any of it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.curating import Rulebook
from indexer.opened import OpenGeneration
from indexer.records import SourceTrust, TrustState
from indexer.store.decisions import Decisions
from indexer.store.source_trust import trust_of


@dataclass(frozen=True)
class InForce:
    """Looked at by every search."""

    generation: OpenGeneration
    decisions: Decisions
    day: str  #: YYYY-MM-DD, UTC
    revision: str  #: stands for all that holds; "" for nothing
    hidden: NDArray[np.int32]  #: documents taken down, or of sites of which nothing is shown; ascending
    rules: Rulebook
    trust: NDArray[np.float64] | None  #: what is added to learned scores, by the number of a site; None for nothing

    def trust_of(self, site: str | None) -> SourceTrust | None:
        """What editors say of a site."""
        return trust_of(site, self.decisions.trust)


def in_force(generation: OpenGeneration, decisions: Decisions, day: str) -> InForce:
    """What holds for a generation on a day."""
    store, names = generation.store, generation.impacts.site_names
    found = [store.documents_with(field, key) for key in decisions.taken_down for field in ("id", "url")]
    if decisions.trust:
        found += [store.documents_with("site", name) for name in names if decisions.is_excluded(name)]
    return InForce(
        generation=generation,
        decisions=decisions,
        day=day,
        revision=decisions.revision(day),
        hidden=np.unique(np.concatenate(found)) if found else np.empty(0, np.int32),
        rules=Rulebook((rule for rule in decisions.rules if rule.holds_on(day)), generation.analyzer.lexicon),
        trust=_gains(generation, decisions),
    )


def _gains(generation: OpenGeneration, decisions: Decisions) -> NDArray[np.float64] | None:
    """By the number of a site; None where none gains or loses anything."""
    if not decisions.trust:
        return None
    gains = {
        TrustState.TRUSTED: generation.weights.trusted_gain,
        TrustState.DOUBTFUL: -generation.weights.doubtful_penalty,
    }
    said = (trust_of(name, decisions.trust) for name in generation.impacts.site_names)
    found = np.array([gains.get(each.state, 0.0) if each else 0.0 for each in said])
    return found if found.any() else None
