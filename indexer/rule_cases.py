"""Pages on which rules were made, kept with what must hold on them: these blocks stay, those go. No generation is
served whose rules break a case (quality_gate); a case is ended with a reason.

The pages' bytes lie in state.sqlite3, with what people decided of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.cleaning import clean_saved
from indexer.errors import ResourceError
from indexer.records import Page, Rejected, SavedPage
from indexer.settings import Settings
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state
from indexer.verdicts import Reason

MAX_CASE_BYTES = 2_000_000
MAX_CASES = 500  #: that are in force; each is cleaned by every gate
MAX_TEXTS = 50
_COLUMNS = (
    "id, path, media, charset, url, content, kept, removed, rule, actor, at, reason, ended_at, ended_by, end_reason"
)

RULE_CASES = Part(
    "rule_cases",
    (
        "CREATE TABLE rule_cases (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, media TEXT NOT NULL,"
        " charset TEXT, url TEXT, content BLOB NOT NULL, kept TEXT NOT NULL, removed TEXT NOT NULL,"
        " rule TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,"
        " ended_at TEXT NOT NULL DEFAULT '', ended_by TEXT NOT NULL DEFAULT '', end_reason TEXT NOT NULL DEFAULT '')",
    ),
)


@dataclass(frozen=True)
class RuleCase:
    """A page and what must hold on it."""

    number: int
    page: SavedPage
    kept: tuple[str, ...]  #: lines that its answers must have
    removed: tuple[str, ...]  #: lines that none of them may have
    rule: str  #: key of the rule that it was made for
    actor: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    reason: str
    ended_at: str  #: the same; "" while it is in force
    ended_by: str
    end_reason: str


@dataclass(frozen=True)
class BrokenCase:
    """A case that does not hold."""

    number: int
    path: str
    missing: tuple[str, ...]  #: of what must be kept
    leaked: tuple[str, ...]  #: of what must go
    fault: str = ""  #: why the page could not be cleaned at all: it never ended, or brought its worker down

    @property
    def sentence(self) -> str:
        """What is wrong, for people."""
        if self.fault:
            return f"用例 {self.number}（{self.path}）：{self.fault.rstrip('。')}"
        faults = [f"应保留的“{text[:30]}”没有了" for text in self.missing[:2]]
        faults += [f"应去掉的“{text[:30]}”又出现了" for text in self.leaked[:2]]
        return f"用例 {self.number}（{self.path}）：{'，'.join(faults)}"


@dataclass(frozen=True)
class CaseFacts:
    """What came of all cases in force."""

    cases: int
    broken: tuple[BrokenCase, ...]


def keep_case(
    data: Path,
    page: SavedPage,
    kept: Sequence[str],
    removed: Sequence[str],
    rule: str,
    actor: str,
    reason: str,
    resources: Path,
    settings: Settings,
) -> int:
    """Keep a page as a case; gives its number. It must hold with these resources.

    Raises ResourceError when it does not, when it is too large or says nothing; or StateError.
    """
    case = RuleCase(0, page, tuple(kept), tuple(removed), rule, actor, _now(), reason, "", "", "")
    require_sound(case, resources, settings)
    with write_state(data, [RULE_CASES, ACTS]) as database:
        [in_force] = database.execute("SELECT count(*) FROM rule_cases WHERE ended_at = ''").fetchone()
        if in_force >= MAX_CASES:
            raise ResourceError(f"用例已有 {in_force} 个，最多 {MAX_CASES} 个；请先结束一些。")
        number = database.execute(
            "INSERT INTO rule_cases (path, media, charset, url, content, kept, removed, rule, actor, at, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (page.path, page.media, page.charset, page.url, page.data, json.dumps(kept, ensure_ascii=False),
             json.dumps(removed, ensure_ascii=False), rule, actor, case.at, reason),
        ).lastrowid  # fmt: skip
        add_act(database, actor, "保存规则用例", f"用例 {number} {page.path}", reason)
    assert number is not None
    return number


def require_sound(case: RuleCase, resources: Path, settings: Settings) -> None:
    """Raises ResourceError for a case that is too large, says nothing, or does not hold."""
    if (size := len(case.page.data)) > MAX_CASE_BYTES:
        raise ResourceError(f"这一页有 {size} 字节，用例最多 {MAX_CASE_BYTES} 字节；规则可以不带用例保存。")
    texts = (*case.kept, *case.removed)
    if not texts or len(texts) > MAX_TEXTS:
        raise ResourceError(f"用例要写明保留或去掉的文字，最多 {MAX_TEXTS} 段。")
    if broken := check_cases([case], resources, settings).broken:
        raise ResourceError(f"用例现在就不成立：{broken[0].sentence}；请改规则，或不带用例保存。")


def list_cases(data: Path, with_ended: bool = False) -> list[RuleCase]:
    """The cases, those in force or all, the latest first. Raises StateError."""
    with read_state(data, RULE_CASES) as database:
        if database is None:
            return []
        return _read(database, with_ended)


def end_case(data: Path, number: int, actor: str, reason: str) -> None:
    """A case need not hold any more. Raises ResourceError when it is not in force, or no reason is given."""
    if not reason.strip():
        raise ResourceError("请写明结束这个用例的原因。")
    with write_state(data, [RULE_CASES, ACTS]) as database:
        changed = database.execute(
            "UPDATE rule_cases SET ended_at = ?, ended_by = ?, end_reason = ? WHERE id = ? AND ended_at = ''",
            (_now(), actor, reason, number),
        ).rowcount
        if not changed:
            raise ResourceError(f"没有编号为 {number} 的用例，或者已经结束。")
        add_act(database, actor, "结束规则用例", f"用例 {number}", reason)


def check_cases(cases: Sequence[RuleCase], resources: Path, settings: Settings) -> CaseFacts:
    """Clean the pages of cases with some resources, each within the limits of a build, and look whether each holds.
    Raises ResourceError.
    """
    broken = []
    for case, cleaned in zip(cases, clean_saved([case.page for case in cases], resources, settings), strict=True):
        if isinstance(cleaned, Rejected) and cleaned.reason in (Reason.TOO_SLOW, Reason.CRASHED):
            broken.append(BrokenCase(case.number, case.page.path, (), (), cleaned.detail))
            continue
        answers = cleaned.answers if isinstance(cleaned, Page) else ()
        lines = {line for answer in answers for line in answer.text.split("\n")}
        missing = tuple(text for text in case.kept if text not in lines)
        leaked = tuple(text for text in case.removed if text in lines)
        if missing or leaked:
            broken.append(BrokenCase(case.number, case.page.path, missing, leaked))
    return CaseFacts(len(cases), tuple(broken))


def _read(database: sqlite3.Connection, with_ended: bool) -> list[RuleCase]:
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM rule_cases WHERE ? OR ended_at = '' ORDER BY id DESC", (with_ended,)
    )
    return [
        RuleCase(
            number,
            SavedPage(path, media, content, charset, url),
            tuple(json.loads(kept)),
            tuple(json.loads(removed)),
            *rest,
        )
        for number, path, media, charset, url, content, kept, removed, *rest in rows.fetchall()
    ]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
