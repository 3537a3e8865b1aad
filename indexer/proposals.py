"""Proposed changes of terms, stop words and rules: kept until somebody adopts or drops them, so that nothing is saved
before its effect can be seen.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.answer.own_rules import CardChange, card_changes, urgent_sentences, weakened_rules
from indexer.answer.urgency import load_urgency
from indexer.errors import ResourceError
from indexer.jobs import Job, start_task
from indexer.own_resources import check_resources, own_text, save_resources, with_changes
from indexer.resource_effects import Effects
from indexer.resources import effective_resources, fingerprint
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state

PROPOSALS = Part(
    "proposals",
    (
        "CREATE TABLE proposals (id INTEGER PRIMARY KEY AUTOINCREMENT, made TEXT NOT NULL, actor TEXT NOT NULL,"
        " title TEXT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL, changes TEXT NOT NULL, seen TEXT NOT NULL,"
        " job INTEGER, effects TEXT, ended TEXT NOT NULL DEFAULT '', ended_by TEXT NOT NULL DEFAULT '')",
    ),
)
STATES: Mapping[str, str] = {"open": "待定", "adopted": "已采用", "dropped": "已放弃"}
MAX_TITLE_CHARS = 200
MAX_REASON_CHARS = 500
MAX_OPEN = 200
_COLUMNS = "id, made, actor, title, reason, state, changes, seen, job, effects, ended, ended_by"


@dataclass(frozen=True)
class Proposal:
    """A change that somebody would make."""

    number: int
    made: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    actor: str
    title: str  #: what it does, in a sentence
    reason: str
    state: str  #: a key of STATES
    changes: Mapping[str, str | None]  #: path -> text of the own file, or None to go back to the shipped one
    seen: Mapping[str, str | None]  #: what the own files held when it was made
    job: int | None  #: number of the job that computed its effects last, or does so
    effects: Effects | None  #: of the changes as they are now
    ended: str  #: when it was adopted or dropped; "" while it is open
    ended_by: str

    @property
    def state_label(self) -> str:
        """Its state, in Chinese."""
        return STATES[self.state]


@dataclass(frozen=True)
class UrgencyEffects:
    """What a change does to urgency cards; known at once."""

    cards: tuple[CardChange, ...]
    weakened: tuple[str, ...]  #: ids of emergency rules that say less than before

    @property
    def needs_confirmation(self) -> bool:
        """Whether an emergency might be told no longer."""
        return bool(self.weakened) or any(change.is_weaker for change in self.cards)


def propose(
    data: Path,
    changes: Mapping[str, str | None],
    title: str,
    actor: str,
    reason: str,
    chosen: Path | None = None,
    onto: int | None = None,
    seen: Mapping[str, str | None] | None = None,
) -> Proposal:
    """Keep a change until it is adopted or dropped. `onto`: the number of an open proposal that it is added to.
    `seen`: what the own files held when the editor looked, where that was earlier than now.

    Raises ResourceError naming what is wrong with it, or when it changes nothing.
    """
    if not title.strip() or len(title) > MAX_TITLE_CHARS or len(reason) > MAX_REASON_CHARS:
        raise ResourceError(f"请写明改什么（最多 {MAX_TITLE_CHARS} 个字）；原因最多 {MAX_REASON_CHARS} 个字。")
    before = {path: own_text(data, path) for path in changes}
    if onto is not None:
        return _add_to(data, onto, changes, title, actor, chosen, before)
    check_resources(data, changes, chosen)
    if all((text or None) == (before[path] or None) for path, text in changes.items()):
        raise ResourceError("与现在的内容相同，没有可改的。")
    with write_state(data, [PROPOSALS, ACTS]) as database:
        [open_now] = database.execute("SELECT count(*) FROM proposals WHERE state = 'open'").fetchone()
        if open_now >= MAX_OPEN:
            raise ResourceError(f"待定的修改已有 {open_now} 份；请先采用或放弃一些。")
        row = (_now(), actor, title, reason, _json(changes), _json({**before, **(seen or {})}))
        statement = (
            "INSERT INTO proposals (made, actor, title, reason, state, changes, seen) VALUES (?, ?, ?, ?, 'open', ?, ?)"
        )
        number = database.execute(statement, row).lastrowid
        add_act(database, actor, "提出修改", f"修改 {number}", title)
    assert number is not None
    return find_proposal(data, number)


def _add_to(
    data: Path,
    number: int,
    changes: Mapping[str, str | None],
    title: str,
    actor: str,
    chosen: Path | None,
    before: Mapping[str, str | None],
) -> Proposal:
    found = _open_one(data, number)
    together = {**found.changes, **changes}
    check_resources(data, together, chosen)
    titles = f"{found.title}；{title}"
    if len(titles) > MAX_TITLE_CHARS:
        titles = f"{titles[: MAX_TITLE_CHARS - 1]}…"
    with write_state(data, [PROPOSALS, ACTS]) as database:
        row = (titles, _json(together), _json({**before, **found.seen}), number, _json(found.changes))
        done = database.execute(
            "UPDATE proposals SET title = ?, changes = ?, seen = ?, effects = NULL, job = NULL"
            " WHERE id = ? AND state = 'open' AND changes = ?",
            row,
        )
        if not done.rowcount:
            raise ResourceError(f"修改 {number} 刚有人动过；请重新打开，再改一次。")
        add_act(database, actor, "补充修改", f"修改 {number}", title)
    return find_proposal(data, number)


def start_preview(data: Path, number: int, actor: str) -> Job:
    """Compute a proposal's effects in the background. Raises JobRunning, JobError, StateError or ResourceError."""
    _open_one(data, number)
    job = start_task(data, "preview", f"修改 {number}", actor)
    with write_state(data, [PROPOSALS]) as database:
        database.execute("UPDATE proposals SET job = ? WHERE id = ?", (job.number, number))
    return job


def keep_effects(data: Path, found: Proposal, effects: Effects) -> bool:
    """Write down what a proposal does; False when it was changed or ended meanwhile."""
    with write_state(data, [PROPOSALS]) as database:
        row = (json.dumps(effects.as_dict(), ensure_ascii=False), found.number, _json(found.changes))
        done = database.execute("UPDATE proposals SET effects = ? WHERE id = ? AND state = 'open' AND changes = ?", row)
        return bool(done.rowcount)


def adopt(
    data: Path, number: int, actor: str, chosen: Path | None = None, confirmed: bool = False, reason: str = ""
) -> Proposal:
    """Save what is proposed; the next build uses it. `confirmed`: also where an emergency may lose its card, for which
    a reason is needed.

    Raises ResourceError when somebody changed the same files since, when a confirmation is missing, or nothing is open.
    """
    found = _open_one(data, number)
    why = reason.strip() or found.reason
    if urgency_effects(data, found.changes, chosen).needs_confirmation and not (confirmed and why):
        raise ResourceError(
            "这份修改会让急症卡片变弱：有的急症规则被停用、降级或少了征象，或有紧急的话不再得到急症卡片。"
            "确实要这样，请写明原因并另外确认。"
        )
    words = f"{found.title}{f'：{why}' if why else ''}"
    save_resources(data, found.changes, actor, words, chosen, found.seen, _ending(number, actor, "adopted"))
    return find_proposal(data, number)


def drop(data: Path, number: int, actor: str) -> Proposal:
    """Give a proposal up. Raises ResourceError when it is not open."""
    _open_one(data, number)
    with write_state(data, [PROPOSALS, ACTS]) as database:
        _ending(number, actor, "dropped")(database)
    return find_proposal(data, number)


def urgency_effects(data: Path, changes: Mapping[str, str | None], chosen: Path | None = None) -> UrgencyEffects:
    """What changes do to the cards of urgent sentences, compared with the rules that are saved now. Raises
    ResourceError.
    """
    if not any(path.startswith("urgency/") for path in changes):
        return UrgencyEffects((), ())
    now = effective_resources(data, chosen)
    with tempfile.TemporaryDirectory(prefix="yiwen-urgency-") as folder:
        there = Path(folder)
        with_changes(data, changes, there, chosen)
        before, after = load_urgency(now), load_urgency(there)
        sentences = [*urgent_sentences(now), *urgent_sentences(there)]
        return UrgencyEffects(tuple(card_changes(before, after, sentences)), tuple(weakened_rules(before, after)))


def effects_are_current(data: Path, found: Proposal, served: str, chosen: Path | None = None) -> bool:
    """Whether a preview was made of the resources and the generation that are used now."""
    effects = found.effects
    return effects is not None and (effects.generation, effects.base) == (
        served,
        fingerprint(effective_resources(data, chosen)),
    )


def find_proposal(data: Path, number: int) -> Proposal:
    """Raises ResourceError when there is none of that number."""
    found = _read(data, "WHERE id = ?", (number,))
    if not found:
        raise ResourceError(f"没有编号为 {number} 的修改。")
    return found[0]


def list_proposals(data: Path, state: str | None = None, limit: int = 50, offset: int = 0) -> list[Proposal]:
    """The latest first; of one state or all. Raises StateError."""
    return _read(data, "WHERE ? IS NULL OR state = ? ORDER BY id DESC LIMIT ? OFFSET ?", (state, state, limit, offset))


def proposed_text(data: Path, path: str, onto: int | None = None) -> str | None:
    """What an own file holds, or would hold with an open proposal. Raises ResourceError."""
    if onto is not None:
        changes = _open_one(data, onto).changes
        if path in changes:
            return changes[path]
    return own_text(data, path)


def _open_one(data: Path, number: int) -> Proposal:
    found = find_proposal(data, number)
    if found.state != "open":
        raise ResourceError(f"修改 {number} {found.state_label}，不能再动。")
    return found


def _ending(number: int, actor: str, state: str) -> Callable[[sqlite3.Connection], None]:
    def end(database: sqlite3.Connection) -> None:
        done = database.execute(
            "UPDATE proposals SET state = ?, ended = ?, ended_by = ? WHERE id = ? AND state = 'open'",
            (state, _now(), actor, number),
        )
        if not done.rowcount:
            raise ResourceError(f"修改 {number} 刚有人处理过了。")
        add_act(database, actor, "采用修改" if state == "adopted" else "放弃修改", f"修改 {number}", "")

    return end


def _read(data: Path, condition: str, values: tuple[object, ...]) -> list[Proposal]:
    with read_state(data, PROPOSALS) as database:
        if database is None:
            return []
        rows = database.execute(f"SELECT {_COLUMNS} FROM proposals {condition}", values).fetchall()
    return [_proposal(row) for row in rows]


def _proposal(row: tuple[Any, ...]) -> Proposal:
    number, made, actor, title, reason, state, changes, seen, job, effects, ended, ended_by = row
    known = Effects.of(json.loads(effects)) if effects else None
    texts = json.loads(changes), json.loads(seen)
    return Proposal(number, made, actor, title, reason, state, *texts, job, known, ended, ended_by)


def _json(content: Mapping[str, str | None]) -> str:
    return json.dumps(dict(sorted(content.items())), ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
