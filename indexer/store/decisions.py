"""All that people decided and that bears on searches, read at once so that a search sees one moment of it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

from indexer.records import TrustState
from indexer.store.curation import Rule, read_rules
from indexer.store.source_trust import TrustEntry, latest, trust_of
from indexer.store.take_downs import read_keys
from indexer.store.watched import Watched


@dataclass(frozen=True)
class Decisions:
    """What stands in the state database."""

    taken_down: frozenset[str] = frozenset()  #: ids and addresses
    rules: tuple[Rule, ...] = ()  #: those that nobody has ended, in the order in which they were made
    trust: Mapping[str, TrustEntry] = field(default_factory=dict)  #: by site

    def revision(self, day: str) -> str:
        """Stands for what holds on a day, YYYY-MM-DD: the same when that is the same; "" when nothing does."""
        rules = [astuple(rule) for rule in self.rules if rule.holds_on(day)]
        trust = sorted((entry.site, entry.state, entry.evidence, entry.link) for entry in self.trust.values())
        if not (self.taken_down or rules or trust):
            return ""
        return hashlib.sha256(json.dumps([sorted(self.taken_down), rules, trust]).encode()).hexdigest()

    def is_excluded(self, site: str | None) -> bool:
        """Whether nothing of a site may be shown."""
        trust = trust_of(site, self.trust)
        return trust is not None and trust.state is TrustState.EXCLUDED


def watch_decisions(data: Path) -> Watched[Decisions]:
    """The decisions of a data directory, as they are at each look."""
    return Watched(data, read_decisions, Decisions())


def read_decisions(database: sqlite3.Connection) -> Decisions:
    """All of them, at one moment."""
    database.execute("BEGIN")
    rules = tuple(rule for rule in read_rules(database) if not rule.ended)
    return Decisions(read_keys(database), rules, latest(database))
