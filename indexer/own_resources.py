"""Files of a data directory's own that add to the resources that came with the program, or stand in for them: terms,
stop words, urgency rules, site rules. A change is checked as a whole before it is saved; the next build uses it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.analysis.aspects import load_aspects
from indexer.analysis.lexicon import read_lexicon
from indexer.analysis.question import load_question_rules
from indexer.analysis.suggest import load_suggestion_rules
from indexer.answer.own_rules import OWN_RULES_PATH, wrong_examples
from indexer.answer.passages import load_passage_rules
from indexer.answer.urgency import load_urgency
from indexer.errors import ResourceError, cause_of
from indexer.extract import load_site_templates
from indexer.quality import load_quality_rules
from indexer.quality_gate.bounds import read_bounds
from indexer.records import UrgencyCard
from indexer.resources import OWN_FOLDER, effective_resources, find_resources, merge_resources
from indexer.slow_patterns import refuse_slow_patterns
from indexer.store.audit_log import ACTS, add_act
from indexer.store.state import Part, read_state, write_state

#: what may be changed; weights are learned, and come with the program
_EDITABLE = re.compile(r"(?:lexicon/[\w-]+\.(?:tsv|toml)|(?:sites|quality|urgency)/[\w.-]+\.toml)", re.ASCII)
MAX_FILE_CHARS = 1_000_000

RESOURCE_CHANGES = Part(
    "resource_changes",
    (
        "CREATE TABLE resource_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, before TEXT,"
        " after TEXT, reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL)",
    ),
)


@dataclass(frozen=True)
class ResourceFile:
    """One editable file."""

    path: str  #: below the resources, such as lexicon/diseases.tsv
    text: str  #: what a build would use now
    is_own: bool
    is_shipped: bool


@dataclass(frozen=True)
class ResourceChange:
    """A change of an own file."""

    number: int
    path: str
    before: str | None  #: the own file's text; None when there was none
    after: str | None
    reason: str
    actor: str
    at: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ


def list_resources(data: Path, chosen: Path | None = None) -> list[ResourceFile]:
    """All editable files, sorted by path. Raises ResourceError."""
    shipped, own = find_resources(chosen), data / OWN_FOLDER
    paths = {
        path
        for root in (shipped, own)
        for file in root.rglob("*")
        if _may_edit(path := file.relative_to(root).as_posix())
    }
    return [_file(shipped, own, path) for path in sorted(paths)]


def read_resource(data: Path, path: str, chosen: Path | None = None) -> ResourceFile | None:
    """One of them; None when there is none of that path. Raises ResourceError."""
    shipped, own = find_resources(chosen), data / OWN_FOLDER
    if not _may_edit(path) or not ((shipped / path).is_file() or (own / path).is_file()):
        return None
    return _file(shipped, own, path)


def shipped_text(path: str, chosen: Path | None = None) -> str | None:
    """The text that came with the program; None when there was none. Raises ResourceError."""
    file = find_resources(chosen) / path
    return _read(file) if _may_edit(path) and file.is_file() else None


def own_text(data: Path, path: str) -> str | None:
    """The own file's text; None when there is none. Raises ResourceError."""
    file = data / OWN_FOLDER / path
    return _read(file) if _may_edit(path) and file.is_file() else None


def save_resources(
    data: Path,
    changes: Mapping[str, str | None],
    actor: str,
    reason: str,
    chosen: Path | None = None,
    seen: Mapping[str, str | None] | None = None,
    also: Callable[[sqlite3.Connection], None] = lambda database: None,
) -> None:
    """Save own files, path -> text, or None to go back to what came with the program; all or none, and logged.

    `seen`: what the own files held when the editor looked; another content now is refused. `also` is done within the
    same transaction. Raises ResourceError naming
    the file and what is wrong with it, or StateError; then nothing has changed.
    """
    with write_state(data, [RESOURCE_CHANGES, ACTS]) as database:  # nobody else saves at this moment
        before = {path: own_text(data, path) for path in changes}
        for path, text in (seen or {}).items():
            if before.get(path) != text:
                raise ResourceError(f"{path} 在您打开之后有人改过；请重新打开，再改一次。")
        check_resources(data, changes, chosen)
        also(database)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for path, after in changes.items():
            if after == before[path]:
                continue
            row = (path, before[path], after, reason, actor, at)
            database.execute(
                "INSERT INTO resource_changes (path, before, after, reason, actor, at) VALUES (?, ?, ?, ?, ?, ?)", row
            )
            add_act(database, actor, "修改词表或规则" if after is not None else "恢复出厂词表或规则", path, reason)
        try:
            for path, after in changes.items():
                _write(data / OWN_FOLDER / path, after)
        except BaseException as error:
            for path, text in before.items():
                _write(data / OWN_FOLDER / path, text)
            if isinstance(error, OSError):
                raise ResourceError(f"{error.filename} 写不进去：{cause_of(error)}；请检查磁盘空间和权限。") from error
            raise


def check_resources(data: Path, changes: Mapping[str, str | None], chosen: Path | None = None) -> None:
    """Read all resources as they would be with these changes. Raises ResourceError naming what is wrong."""
    for path, text in changes.items():
        if not _may_edit(path):
            raise ResourceError(f"{path} 不是可以修改的词表或规则文件。")
        if text is not None and (len(text) > MAX_FILE_CHARS or "\0" in text):
            raise ResourceError(f"{path} 太长，或含有不能用的字符；最多 {MAX_FILE_CHARS} 个字。")
        if text is not None and path.endswith(".toml"):
            known = read_resource(data, path, chosen)
            refuse_slow_patterns(path, text, known.text if known else "")
    with tempfile.TemporaryDirectory(prefix="yiwen-resources-") as folder:
        there = Path(folder)
        with_changes(data, changes, there, chosen)
        try:
            load_all(there)
            if told := wrong_examples(load_urgency(there), changes.get(OWN_RULES_PATH)):
                raise ResourceError(" ".join(told))
        except ResourceError as error:
            raise ResourceError(str(error).replace(f"{there}/", "")) from error


def with_changes(data: Path, changes: Mapping[str, str | None], into: Path, chosen: Path | None = None) -> None:
    """Write the resources, as they would be with these changes, into a folder. Raises ResourceError."""
    try:
        merge_resources(find_resources(chosen), data / OWN_FOLDER, into, changes)
    except OSError as error:
        raise ResourceError(f"{error.filename} 写不进去：{cause_of(error)}；请检查磁盘空间。") from error


def tried_cards(
    data: Path, changes: Mapping[str, str | None], sentences: Sequence[str], chosen: Path | None = None
) -> list[tuple[str, UrgencyCard | None, UrgencyCard | None]]:
    """Each sentence with the card that it gets by the rules as saved, and by the changed ones. Raises ResourceError."""
    with tempfile.TemporaryDirectory(prefix="yiwen-cards-") as folder:
        there = Path(folder)
        with_changes(data, changes, there, chosen)
        try:
            after = load_urgency(there)
        except ResourceError as error:
            raise ResourceError(str(error).replace(f"{there}/", "")) from error
    before = load_urgency(effective_resources(data, chosen))
    return [(sentence, before.card(sentence), after.card(sentence)) for sentence in sentences]


def load_all(resources: Path) -> None:
    """Read everything that can be edited. Raises ResourceError naming file and fault."""
    read_lexicon(resources)
    load_question_rules(resources)
    load_aspects(resources)
    load_suggestion_rules(resources)
    load_passage_rules(resources)
    load_urgency(resources)
    load_site_templates(resources)
    load_quality_rules(resources)
    read_bounds(resources)


def resource_history(data: Path, path: str | None = None, limit: int = 50) -> list[ResourceChange]:
    """Changes of one file or all, the latest first. Raises StateError."""
    with read_state(data, RESOURCE_CHANGES) as database:
        if database is None:
            return []
        rows = database.execute(
            "SELECT id, path, before, after, reason, actor, at FROM resource_changes"
            " WHERE ? IS NULL OR path = ? ORDER BY id DESC LIMIT ?",
            (path, path, limit),
        ).fetchall()
    return [ResourceChange(*row) for row in rows]


def _may_edit(path: str) -> bool:
    return _EDITABLE.fullmatch(path) is not None and ".." not in path


def _file(shipped: Path, own: Path, path: str) -> ResourceFile:
    is_own = (own / path).is_file()
    return ResourceFile(path, _read((own if is_own else shipped) / path), is_own, (shipped / path).is_file())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ResourceError(f"资源文件 {file} 无法读取：{cause_of(error)}。") from error
    except UnicodeDecodeError as error:
        raise ResourceError(f"资源文件 {file} 不是 UTF-8 文本：{error}") from error


def _write(file: Path, text: str | None) -> None:
    """The whole text or nothing. Raises OSError."""
    if text is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(name, file)
