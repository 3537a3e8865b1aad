"""Rules of editors: which answer a question, or every question about an illness, is given first, or never.

Kept in the data directory's state.sqlite3; nothing is ever deleted, a rule that no longer holds is ended or runs out.
What a rule does to results is `indexer/curating.py`'s.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from indexer.analysis.aspects import ASPECTS
from indexer.analysis.normalize import normalize
from indexer.errors import RefusedDecision
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state
from indexer.store.watched import has_table

MAX_QUERY_CHARS = 200
MAX_ENTITY_CHARS = 40
MAX_ID_CHARS = 500
MAX_REASON_CHARS = 500
#: so many rules may be open at a time: more than editors can look after
MAX_OPEN_RULES = 500
DEFAULT_DAYS = 180
MAX_DAYS = 731  #: two years

CURATION = Part(
    "curation",
    (
        "CREATE TABLE curation_rules (number INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL,"
        " query TEXT NOT NULL, entity TEXT NOT NULL, aspect TEXT NOT NULL, answer TEXT NOT NULL,"
        " replacement TEXT NOT NULL, reason TEXT NOT NULL, owner TEXT NOT NULL, created TEXT NOT NULL,"
        " expires TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '', ended_by TEXT NOT NULL DEFAULT '',"
        " ended_why TEXT NOT NULL DEFAULT '')",
    ),
)
_COLUMNS = (
    "number, action, query, entity, aspect, answer, replacement, reason, owner, created, expires, ended, ended_by,"
    " ended_why"
)


class Action(StrEnum):
    """What a rule does with its answer."""

    PIN = "pin"
    HIDE = "hide"
    REPLACE = "replace"

    @property
    def label(self) -> str:
        """In Chinese."""
        return {"pin": "置顶", "hide": "隐藏", "replace": "替换"}[self.value]


@dataclass(frozen=True)
class NewRule:
    """What an editor asks for: `query`, or `entity` with or without `aspect`."""

    action: Action
    answer: str  #: the id of an answer
    reason: str
    query: str = ""  #: the question, as it was typed
    entity: str = ""  #: any name of a term of the lexicon
    aspect: str = ""  #: only for questions about this aspect of the entity
    replacement: str = ""  #: the id that stands in for `answer`
    expires: str = ""  #: YYYY-MM-DD, the last day on which it holds; "": DEFAULT_DAYS from today

    @property
    def head(self) -> tuple[Action, str, str, str, str, str, str]:
        """What a kept rule begins with, after its number."""
        return (self.action, self.query, self.entity, self.aspect, self.answer, self.replacement, self.reason)


@dataclass(frozen=True)
class Rule:
    """A rule as it is kept."""

    number: int
    action: Action
    query: str
    entity: str
    aspect: str
    answer: str
    replacement: str
    reason: str
    owner: str  #: who made it
    created: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    expires: str  #: YYYY-MM-DD, UTC: the last day on which it holds
    ended: str = ""  #: when somebody ended it, as `created`; "" while nobody has
    ended_by: str = ""
    ended_why: str = ""

    def holds_on(self, day: str) -> bool:
        """Whether it is in force on a day, YYYY-MM-DD."""
        return not self.ended and day <= self.expires

    @property
    def scope(self) -> str:
        """Where it holds, in Chinese."""
        if self.query:
            return f"问题“{self.query}”"
        return f"关于“{self.entity}”{self.aspect}的问题" if self.aspect else f"关于“{self.entity}”的问题"

    @property
    def told(self) -> str:
        """What it does, in Chinese."""
        end = f"，换成 {self.replacement}" if self.replacement else ""
        return f"{self.action.label} {self.answer}{end}"

    def as_dict(self) -> dict[str, object]:
        """As the command line prints it."""
        return {name: getattr(self, name) for name in Rule.__dataclass_fields__}


def utc_day() -> str:
    """UTC, YYYY-MM-DD."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def question_key(normal: str) -> str:
    """What makes two normalised questions the same: blanks and marks at the end say nothing."""
    letters = "".join(normal.split())
    end = len(letters)
    while end and unicodedata.category(letters[end - 1])[0] in "PZ":
        end -= 1
    return letters[:end]


def rule_from(asked: NewRule, day: str = "") -> NewRule:
    """The same without blanks around anything, its expiry filled in. `day`: today. Raises RefusedDecision."""
    day = day or utc_day()
    texts = {name: _plain(getattr(asked, name)) for name in ("answer", "query", "entity", "aspect", "replacement")}
    rule = NewRule(asked.action, reason=asked.reason.strip(), expires=expiry(asked.expires, day), **texts)
    if bool(rule.query) == bool(rule.entity):
        raise RefusedDecision("请写一个问题，或者一种疾病、症状、药物的名称，两者只写一样。")
    if rule.query and not question_key(normalize(rule.query).text):
        raise RefusedDecision("问题里没有文字。")
    if rule.aspect and not rule.entity:
        raise RefusedDecision("只有写疾病、症状或药物名称的规则才能限定方面。")
    if rule.aspect and rule.aspect not in ASPECTS:
        raise RefusedDecision(f"没有“{rule.aspect}”这个方面；可选的有{'、'.join(ASPECTS)}。")
    if not rule.answer:
        raise RefusedDecision("请写明答案的编号。")
    if (rule.action is Action.REPLACE) != bool(rule.replacement):
        raise RefusedDecision("替换要写明换成哪一条；置顶和隐藏不用写。")
    if rule.replacement == rule.answer:
        raise RefusedDecision("换成的答案和原来的是同一条。")
    if not rule.reason:
        raise RefusedDecision("请写明原因。")
    for text, limit, name in (
        (rule.query, MAX_QUERY_CHARS, "问题"),
        (rule.entity, MAX_ENTITY_CHARS, "名称"),
        (rule.answer, MAX_ID_CHARS, "编号"),
        (rule.replacement, MAX_ID_CHARS, "编号"),
        (rule.reason, MAX_REASON_CHARS, "原因"),
    ):
        if len(text) > limit:
            raise RefusedDecision(f"{name}太长：最多 {limit} 个字。")
    return rule


def expiry(written: str, day: str) -> str:
    """The last day of a rule that is made or extended on a day. Raises RefusedDecision."""
    start = date.fromisoformat(day)
    if not written.strip():
        return (start + timedelta(days=DEFAULT_DAYS)).isoformat()
    try:
        end = datetime.strptime(written.strip(), "%Y-%m-%d").date()
    except ValueError as error:
        raise RefusedDecision("有效期应写成 2025-05-01 这样的日期。") from error
    if not start <= end <= start + timedelta(days=MAX_DAYS):
        raise RefusedDecision(f"有效期应在今天（{day}，UTC）到两年之内。")
    return end.isoformat()


def add_rule(data: Path, asked: NewRule, owner: str) -> Rule:
    """Make a rule, which holds from now on, and log it. Raises RefusedDecision, StateError."""
    day = utc_day()
    new = rule_from(asked, day)
    with write_state(data, [CURATION, ACTS]) as database:
        holding = [rule for rule in read_rules(database) if rule.holds_on(day)]
        if len(holding) >= MAX_OPEN_RULES:
            raise RefusedDecision(f"有效的规则已有 {len(holding)} 条，最多 {MAX_OPEN_RULES} 条；请先结束一些。")
        for rule in holding:
            if _scope_key(rule) == _scope_key(new) and rule.answer == new.answer:
                raise RefusedDecision(f"{rule.scope}已有关于这条答案的规则：{rule.number} 号，{rule.told}。")
        values = (*new.head, owner, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), new.expires)
        number = database.execute(
            "INSERT INTO curation_rules (action, query, entity, aspect, answer, replacement, reason, owner, created,"
            " expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        ).lastrowid
        made = _one(database, number or 0)
        add_act(database, owner, "添加编辑规则", f"规则 {made.number}", f"{_told(made)}；原因：{made.reason}")
    return made


def end_rule(data: Path, number: int, actor: str, why: str) -> Rule:
    """A rule no longer holds from now on; logged. Raises RefusedDecision, StateError."""
    why = why.strip()
    if not why or len(why) > MAX_REASON_CHARS:
        raise RefusedDecision(f"请写明结束的原因，最多 {MAX_REASON_CHARS} 个字。")
    with write_state(data, [CURATION, ACTS]) as database:
        rule = _open(database, number)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        database.execute(
            "UPDATE curation_rules SET ended = ?, ended_by = ?, ended_why = ? WHERE number = ?",
            (now, actor, why, number),
        )
        add_act(database, actor, "结束编辑规则", f"规则 {number}", f"{_told(rule)}；原因：{why}")
        return _one(database, number)


def extend_rule(data: Path, number: int, expires: str, actor: str) -> Rule:
    """A rule, also one that ran out, holds until another day; "" is DEFAULT_DAYS from today. Logged. Raises
    RefusedDecision, StateError.
    """
    until = expiry(expires, utc_day())
    with write_state(data, [CURATION, ACTS]) as database:
        rule = _open(database, number)
        database.execute("UPDATE curation_rules SET expires = ? WHERE number = ?", (until, number))
        change = f"{_told(rule)}；有效期 {rule.expires} 改为 {until}"
        add_act(database, actor, "改编辑规则的有效期", f"规则 {number}", change)
        return _one(database, number)


def list_rules(data: Path) -> list[Rule]:
    """All rules, the latest first, those that no longer hold too. Raises StateError."""
    with read_state(data, CURATION) as database:
        return [] if database is None else list(reversed(read_rules(database)))


def read_rules(database: sqlite3.Connection) -> tuple[Rule, ...]:
    """All rules in the order in which they were made; none where nobody has made any."""
    if not has_table(database, "curation_rules"):
        return ()
    rows = database.execute(f"SELECT {_COLUMNS} FROM curation_rules ORDER BY number")
    return tuple(_rule(row) for row in rows)


def _rule(row: Sequence[object]) -> Rule:
    values: Mapping[str, object] = dict(zip(Rule.__dataclass_fields__, row, strict=True))
    return Rule(**{**values, "action": Action(str(values["action"]))})  # type: ignore[arg-type]


def _one(database: sqlite3.Connection, number: int) -> Rule:
    # SQLite's numbers have 64 bits
    row = database.execute(f"SELECT {_COLUMNS} FROM curation_rules WHERE number = ?", (min(number, 2**62),)).fetchone()
    if row is None:
        raise RefusedDecision(f"没有 {number} 号规则。")
    return _rule(row)


def _open(database: sqlite3.Connection, number: int) -> Rule:
    rule = _one(database, number)
    if rule.ended:
        raise RefusedDecision(f"{number} 号规则已由 {rule.ended_by} 结束。")
    return rule


def _scope_key(rule: Rule | NewRule) -> tuple[str, str, str]:
    return question_key(normalize(rule.query).text), normalize(rule.entity).text, rule.aspect


def _told(rule: Rule) -> str:
    return f"{rule.scope}：{rule.told}"


def _plain(text: str) -> str:
    """Without control characters and blanks around it."""
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text).strip()
