"""How far editors trust a site, each with evidence. Kept in the data directory's state.sqlite3, and only added to:
the latest entry of a site counts, the others are its history.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import RefusedDecision
from indexer.records import SourceTrust, TrustState, host_of
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state
from indexer.store.watched import has_table

MAX_SITE_CHARS = 253
MAX_EVIDENCE_CHARS = 500
MAX_LINK_CHARS = 1_000
#: so many sites may have been judged: each is a row of a page and of every search's table
MAX_SITES = 5_000

TRUST = Part(
    "source_trust",
    (
        "CREATE TABLE source_trust (number INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, state TEXT NOT NULL,"
        " evidence TEXT NOT NULL, link TEXT NOT NULL, owner TEXT NOT NULL, at TEXT NOT NULL)",
        "CREATE INDEX source_trust_site ON source_trust (site)",
    ),
)
_COLUMNS = "site, state, evidence, link, owner, at"
#: below these nobody can have a site of his own: a rule for them would hold for half of the web
_PUBLIC_SUFFIX = re.compile(r"(?:com|net|org|gov|edu|ac|co|or|ne)\.[a-z]{2}")


@dataclass(frozen=True)
class TrustEntry:
    """One decision about a site."""

    site: str  #: as `site_key` has it
    state: TrustState | None  #: None: no longer judged, so that what holds for the domain above holds
    evidence: str
    link: str  #: "" for none
    owner: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ

    @property
    def label(self) -> str:
        """In Chinese."""
        return self.state.label if self.state else "撤销评定"

    def as_dict(self) -> dict[str, object]:
        """As the command line prints it."""
        return {**vars(self), "state": self.state.value if self.state else None}


def site_key(written: str) -> str:
    """The site that an address, a host or a site's name means: a host in lower case, a name as it is."""
    written = " ".join(written.split())
    if "://" in written:
        return (host_of(written) or "").lower().rstrip(".")
    host = written.split("/")[0]
    return (host if "." in host else written).lower().rstrip(".")


def set_trust(data: Path, site: str, state: TrustState | None, evidence: str, link: str, owner: str) -> TrustEntry:
    """Judge a site from now on, or (None) judge it no longer; logged. Raises RefusedDecision, StateError."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = TrustEntry(site_key(site), state, evidence.strip(), link.strip(), owner, at)
    if objection := _objection(entry):
        raise RefusedDecision(objection)
    with write_state(data, [TRUST, ACTS]) as database:
        before = latest(database)
        if state is None and entry.site not in before:
            raise RefusedDecision(f"{entry.site} 没有评定过，不用撤销。")
        if entry.site not in before and len(before) >= MAX_SITES:
            raise RefusedDecision(f"评定过的网站已有 {MAX_SITES} 个，不能再多。")
        database.execute(
            f"INSERT INTO source_trust ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            (entry.site, state.value if state else "", entry.evidence, entry.link, owner, at),
        )
        was = before[entry.site].label if entry.site in before else "未评"
        detail = f"{was} 改为 {entry.label}；依据：{entry.evidence} {entry.link}"
        add_act(database, owner, "评定来源", entry.site, detail)
    return entry


def _objection(entry: TrustEntry) -> str:
    """Why an entry cannot be taken, as a sentence; "" when it can."""
    if not entry.site or len(entry.site) > MAX_SITE_CHARS:
        return f"请写明网站：域名或来源的名称，最多 {MAX_SITE_CHARS} 个字符。"
    if _PUBLIC_SUFFIX.fullmatch(entry.site):
        return f"{entry.site} 不是一个网站，而是许多网站共用的后缀。"
    if not entry.evidence:
        return "请写明依据。"
    if len(entry.evidence) > MAX_EVIDENCE_CHARS:
        return f"依据太长：最多 {MAX_EVIDENCE_CHARS} 个字。"
    if entry.link and (
        not re.fullmatch(r"https://\S+", entry.link) or not host_of(entry.link) or len(entry.link) > MAX_LINK_CHARS
    ):
        return f"依据的链接应以 https:// 开头，最多 {MAX_LINK_CHARS} 个字符。"
    return ""


def list_trust(data: Path) -> dict[str, TrustEntry]:
    """The latest entry of each site that is judged now, by site. Raises StateError."""
    with read_state(data, TRUST) as database:
        return {} if database is None else latest(database)


def trust_history(data: Path, site: str) -> list[TrustEntry]:
    """All entries of a site, the latest first. Raises StateError."""
    with read_state(data, TRUST) as database:
        if database is None:
            return []
        rows = database.execute(
            f"SELECT {_COLUMNS} FROM source_trust WHERE site = ? ORDER BY number DESC", (site_key(site),)
        ).fetchall()
    return [_entry(row) for row in rows]


def latest(database: sqlite3.Connection) -> dict[str, TrustEntry]:
    """What holds now, by site; nothing where nobody has judged any."""
    if not has_table(database, "source_trust"):
        return {}
    entries = map(_entry, database.execute(f"SELECT {_COLUMNS} FROM source_trust ORDER BY number"))
    by_site = {entry.site: entry for entry in entries}
    return {site: entry for site, entry in by_site.items() if entry.state is not None}


def _entry(row: tuple[str, str, str, str, str, str]) -> TrustEntry:
    site, state, evidence, link, owner, at = row
    return TrustEntry(site, TrustState(state) if state else None, evidence, link, owner, at)


def trust_of(site: str | None, entries: Mapping[str, TrustEntry]) -> SourceTrust | None:
    """What holds for a site: its own entry, else that of the nearest domain above it (example.com for
    www.example.com); None where nobody has said anything.
    """
    if not site or not entries:
        return None
    key = site_key(site)
    while key:
        entry = entries.get(key)
        if entry is not None and entry.state is not None:
            return SourceTrust(entry.site, entry.state, entry.evidence, entry.link or None)
        _, _, key = key.partition(".")
        if "." not in key:
            return None
    return None
