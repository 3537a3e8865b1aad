"""Questions that analysts judged: a question, and how well each of some answers answers it.

Kept in the data directory's state.sqlite3: what holds now in tables, what it was before in the log of acts. The gate
asks a new generation all of them (`quality_gate/analyst_cases.py`).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.analysis.normalize import normalize
from indexer.errors import RefusedDecision
from indexer.store.audit_log import ACTS, add_act, plain
from indexer.store.curation import question_key
from indexer.store.state import Part, read_state, write_state

MAX_QUESTION_CHARS = 200
MAX_NOTE_CHARS = 500
MAX_REASON_CHARS = 500
MAX_ANSWER_CHARS = 200
MAX_TOPIC_CHARS = 40
#: each is ranked twice by the gate, some hundredths of a second each
MAX_CASES = 1_000
MAX_GRADES = 200
#: what a grade means; the same as in the judged questions of the corpus
GRADES: Mapping[int, str] = {0: "无关", 1: "有关", 2: "部分回答", 3: "完全回答"}
_ID_DIGITS = 12

JUDGED_CASES = Part(
    "judged_cases",
    (
        "CREATE TABLE judged_cases (id TEXT PRIMARY KEY, question TEXT NOT NULL, note TEXT NOT NULL,"
        " topic TEXT NOT NULL, aspects TEXT NOT NULL, revision INTEGER NOT NULL, made_by TEXT NOT NULL,"
        " made TEXT NOT NULL, changed_by TEXT NOT NULL, changed TEXT NOT NULL)",
        "CREATE TABLE judged_grades (case_id TEXT NOT NULL REFERENCES judged_cases (id) ON DELETE CASCADE,"
        " answer TEXT NOT NULL, grade INTEGER NOT NULL, owner TEXT NOT NULL, at TEXT NOT NULL,"
        " PRIMARY KEY (case_id, answer))",
    ),
)
_COLUMNS = "id, question, note, topic, aspects, revision, made_by, made, changed_by, changed"
_BETWEEN_ASPECTS = "、"


@dataclass(frozen=True)
class Grade:
    """How well an answer answers the question of its case."""

    answer: str  #: its id
    grade: int  #: a key of GRADES
    owner: str  #: who judged it
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ

    @property
    def label(self) -> str:
        """In Chinese."""
        return GRADES[self.grade]


@dataclass(frozen=True)
class JudgedCase:
    """A question with its grades, the best first."""

    id: str
    question: str
    note: str
    topic: str  #: the term of the lexicon that it is about; "" where it names none
    aspects: tuple[str, ...]
    revision: int  #: rises with each change
    made_by: str
    made: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    changed_by: str
    changed: str
    grades: tuple[Grade, ...]

    @property
    def by_answer(self) -> dict[str, int]:
        """The grade of each answer, by its id."""
        return {each.answer: each.grade for each in self.grades}

    @property
    def is_measured(self) -> bool:
        """Whether a ranking can be good or bad at it: some answer helps."""
        return any(each.grade > 0 for each in self.grades)

    def as_dict(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            **{name: value for name, value in vars(self).items() if name != "grades"},
            "aspects": list(self.aspects),
            "is_measured": self.is_measured,
            "grades": [vars(each) for each in self.grades],
        }


@dataclass(frozen=True)
class NewGrades:
    """What somebody says of a question and its answers."""

    question: str  #: with nothing in it that tells of a person
    grades: Mapping[str, int | None]  #: by the answer's id; None takes a grade back. What is not named stays
    note: str | None = None  #: None leaves it as it is
    topic: str = ""
    aspects: tuple[str, ...] = ()
    seen_revision: int | None = None  #: of the case as it was when it was judged, 0 for none; None: whatever it is


def case_id(question: str) -> str:
    """The id of a question's case. It hangs on the question alone, whatever its width, case, spacing, marks at its end
    or traditional characters, so that it is the same wherever the question is judged.
    """
    key = question_key(normalize(question).text)
    return f"case-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:_ID_DIGITS]}"


def save_grades(data: Path, new: NewGrades, actor: str) -> JudgedCase:
    """Judge answers to a question, also once more; logged with what was said before. Raises RefusedDecision, also when
    somebody else has changed the case since it was looked at, and StateError.
    """
    question = " ".join(plain(new.question, MAX_QUESTION_CHARS + 1).split())
    note = None if new.note is None else plain(new.note, MAX_NOTE_CHARS + 1)
    _refuse(question, new, note)
    id_, now = case_id(question), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with write_state(data, [JUDGED_CASES, ACTS]) as database:
        before = _one(database, id_)
        if new.seen_revision not in (None, before.revision if before else 0):
            raise RefusedDecision("别人刚刚改过这个问题的评级；下面是现在的，请看过再保存。")
        if before is None and not any(grade is not None for grade in new.grades.values()):
            raise RefusedDecision("请至少给一条答案评级。")
        known = before.by_answer if before else {}
        changes = {each: grade for each, grade in new.grades.items() if known.get(each) != grade}
        is_noted = note is not None and note != (before.note if before else "")
        if before is not None and not changes and not is_noted:
            return before
        if before is None:
            _begin(database, id_, question, new, actor, now)
        for answer, grade in changes.items():
            if grade is None:
                database.execute("DELETE FROM judged_grades WHERE case_id = ? AND answer = ?", (id_, answer))
            else:
                row = (id_, answer, grade, actor, now)
                database.execute("INSERT OR REPLACE INTO judged_grades VALUES (?, ?, ?, ?, ?)", row)
        database.execute(
            "UPDATE judged_cases SET revision = revision + 1, changed_by = ?, changed = ?, note = coalesce(?, note)"
            " WHERE id = ?",
            (actor, now, note, id_),
        )
        after = _one(database, id_)
        assert after is not None
        if not after.grades:
            raise RefusedDecision("至少留一条评级；不要这个问题了，请删去它。")
        if len(after.grades) > MAX_GRADES:
            raise RefusedDecision(f"一个问题最多评 {MAX_GRADES} 条答案。")
        told = [f"{each} {_label(known.get(each))}→{_label(grade)}" for each, grade in changes.items()]
        told += [f"备注“{before.note if before else ''}”改为“{after.note}”"] if is_noted else []
        add_act(database, actor, "评判答案", id_, f"“{after.question}”：{'；'.join(told)}")
    return after


def drop_case(data: Path, id_: str, actor: str, reason: str) -> JudgedCase:
    """Judge a question no longer; what was said of it stays in the log of acts. Raises RefusedDecision, StateError."""
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON_CHARS:
        raise RefusedDecision(f"请写明原因，最多 {MAX_REASON_CHARS} 个字。")
    with write_state(data, [JUDGED_CASES, ACTS]) as database:
        case = _one(database, id_)
        if case is None:
            raise RefusedDecision(f"没有编号为 {plain(id_, 64)} 的评判。")
        database.execute("DELETE FROM judged_cases WHERE id = ?", (id_,))
        grades = "；".join(f"{each.answer} {each.label}" for each in case.grades)
        add_act(database, actor, "删去评判", id_, f"“{case.question}”；原因：{reason}；评级：{grades}")
    return case


def list_judged_cases(data: Path) -> list[JudgedCase]:
    """All of them, those that were changed last first. Raises StateError."""
    with read_state(data, JUDGED_CASES) as database:
        if database is None:
            return []
        grades: dict[str, list[Grade]] = {}
        for id_, *row in database.execute(f"SELECT case_id, {_GRADE_COLUMNS} FROM judged_grades {_BEST_FIRST}"):
            grades.setdefault(id_, []).append(Grade(*row))
        rows = database.execute(f"SELECT {_COLUMNS} FROM judged_cases ORDER BY changed DESC, id").fetchall()
    return [_case(row, grades.get(row[0], ())) for row in rows]


def find_judged_case(data: Path, id_: str) -> JudgedCase | None:
    """By its id. Raises StateError."""
    with read_state(data, JUDGED_CASES) as database:
        return None if database is None else _one(database, id_)


_GRADE_COLUMNS = "answer, grade, owner, at"
_BEST_FIRST = "ORDER BY grade DESC, answer"


def _one(database: sqlite3.Connection, id_: str) -> JudgedCase | None:
    row = database.execute(f"SELECT {_COLUMNS} FROM judged_cases WHERE id = ?", (id_,)).fetchone()
    if row is None:
        return None
    found = database.execute(f"SELECT {_GRADE_COLUMNS} FROM judged_grades WHERE case_id = ? {_BEST_FIRST}", (id_,))
    return _case(row, [Grade(*each) for each in found])


def _case(row: Sequence[Any], grades: Sequence[Grade]) -> JudgedCase:
    values: dict[str, Any] = dict(zip(_COLUMNS.split(", "), row, strict=True))
    aspects = tuple(filter(None, values["aspects"].split(_BETWEEN_ASPECTS)))
    return JudgedCase(**{**values, "aspects": aspects}, grades=tuple(grades))


def _begin(database: sqlite3.Connection, id_: str, question: str, new: NewGrades, actor: str, now: str) -> None:
    if database.execute("SELECT count(*) FROM judged_cases").fetchone()[0] >= MAX_CASES:
        raise RefusedDecision(f"评判过的问题已有 {MAX_CASES} 个，不能再多；请先删去一些。")
    aspects = _BETWEEN_ASPECTS.join(new.aspects)
    row = (id_, question, "", plain(new.topic, MAX_TOPIC_CHARS), aspects, 0, actor, now, actor, now)
    database.execute(f"INSERT INTO judged_cases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _refuse(question: str, new: NewGrades, note: str | None) -> None:
    """Raises RefusedDecision for what cannot be kept."""
    if not question_key(normalize(question).text):
        raise RefusedDecision("问题里没有文字。")
    if len(question) > MAX_QUESTION_CHARS:
        raise RefusedDecision(f"问题太长：最多 {MAX_QUESTION_CHARS} 个字。")
    if note is not None and len(note) > MAX_NOTE_CHARS:
        raise RefusedDecision(f"备注太长：最多 {MAX_NOTE_CHARS} 个字。")
    for answer, grade in new.grades.items():
        if not is_judgeable(answer):
            raise RefusedDecision(
                f"答案编号“{plain(answer, 80)}”不能用于评判：编号里不能有空白，最多 {MAX_ANSWER_CHARS} 个字符。"
            )
        if grade is not None and grade not in GRADES:
            raise RefusedDecision("评级应是 0 到 3。")


def is_judgeable(answer: str) -> bool:
    """Whether files of judgements, whose columns blanks separate, can name an answer by this id."""
    return 0 < len(answer) <= MAX_ANSWER_CHARS and answer.split() == [answer] and plain(answer, len(answer)) == answer


def _label(grade: int | None) -> str:
    return "未评" if grade is None else GRADES[grade]
