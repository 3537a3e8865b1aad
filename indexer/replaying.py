"""A question asked again, of whichever generation: what searchers get, and below it what they do not.

The served generation is asked where it is open. Another one is opened by a job in a process of its own, one at a time
for the whole data directory, at a low priority and for a minute at most: what it takes of memory ends with it, and no
search waits for it. What came of it lies in the cache for some minutes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from indexer.engine import Engine
from indexer.errors import BadQuery, JobError, cause_of
from indexer.jobs import Job, Outcome
from indexer.native import give_back_memory
from indexer.opened import open_generation
from indexer.records import Answer, Query, SearchResult
from indexer.settings import Settings, load_settings
from indexer.store.generations import Manifest

FOLDER = "replays"
DEFAULT_ANSWERS, MAX_ANSWERS = 10, 20
MAX_SECONDS = 60
#: so long a replay is shown again without being made again
KEPT_SECONDS = 600
_MAX_KEPT = 40
_PASSAGE_CHARS = 160
_NICENESS = 10
_KEY_DIGITS = 24


class Searches(Protocol):
    """What of an engine a replay needs."""

    @property
    def generation(self) -> str: ...

    def search(self, query: Query) -> SearchResult: ...

    def retrieve(self, text: str, depth: int) -> list[tuple[str, float]]: ...

    def answer(self, answer_id: str) -> Answer | None: ...


@dataclass(frozen=True)
class ReplayedAnswer:
    """One answer of a list."""

    rank: int  #: 1-based; what searchers do not see is counted on
    id: str
    score: float
    title: str  #: its question; "" where it has none
    passage: str
    site: str
    date: str  #: YYYY-MM-DD; "" where it is not known
    is_shown: bool  #: whether searchers see it: it counts as a result

    @property
    def name(self) -> str:
        """What it is called in a list."""
        return self.title or self.passage


@dataclass(frozen=True)
class Replay:
    """What one generation says to a question."""

    generation: str
    question: str
    total: int = 0  #: results that searchers get, on all pages
    answers: tuple[ReplayedAnswer, ...] = ()
    corrected: str = ""  #: what was searched instead
    entity: str = ""
    aspects: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  #: what was looked for
    terms: tuple[str, ...] = ()  #: words of the lexicon in it
    problem: str = ""  #: why the question cannot be asked, as a sentence

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def of(content: Mapping[str, Any]) -> Replay:
        """What `as_dict` gave, after JSON."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        answers = tuple(ReplayedAnswer(**each) for each in content["answers"])
        return Replay(**{**values, "answers": answers})


def replay(engine: Searches, question: str, limit: int = DEFAULT_ANSWERS) -> Replay:
    """Ask an engine: first what a searcher gets, and where that is fewer than `limit`, the best of what does
    not count as a result. Rules of editors, trust and take-downs count as they do now.
    """
    generation = engine.generation
    try:
        found = engine.search(Query(question, limit=limit))
        rest = engine.retrieve(question, limit * 2) if len(found.hits) < limit else []
    except BadQuery as error:
        return Replay(generation, question, problem=str(error))
    answers = [
        _answer(hit.rank, hit.score, hit.answer, " ".join(hit.snippet.text.split()), is_shown=True)
        for hit in found.hits
    ]
    seen = {each.id for each in answers} | {more.id for hit in found.hits for more in hit.more}
    for id_, score in rest:
        if len(answers) >= limit:
            break
        if id_ not in seen and (answer := engine.answer(id_)) is not None:
            passage = " ".join(answer.text.split())[:_PASSAGE_CHARS]
            answers.append(_answer(len(answers) + 1, score, answer, passage, is_shown=False))
    return Replay(
        generation,
        question,
        found.total,
        tuple(answers),
        found.corrected or "",
        found.entity or "",
        found.aspects,
        found.words,
        found.terms,
    )


def replay_generation(data: Path, name: str, question: str, limit: int, settings: Settings) -> Replay:
    """Open a generation, ask it, and let go of it. Raises GenerationMissing, GenerationDamaged."""
    found = replay(Engine(data, settings, open_generation(data, name)), question, limit)
    give_back_memory()
    return found


def default_pair(manifests: Sequence[Manifest], served: str) -> tuple[str, str]:
    """What is best compared: the one before, and the one that is served. The first is "" where there is none."""
    names = [manifest.generation for manifest in manifests]
    parent = next((manifest.parent for manifest in manifests if manifest.generation == served), None)
    older = [name for name in names if name < served]
    before = parent if parent in names else older[-1] if older else ""
    return before or "", served


# as a job, for pages


def replay_key(question: str, names: Sequence[str], limit: int, state: str) -> str:
    """What a kept replay is found by. `state`: of the serving engine, which changes with each decision of editors."""
    said = json.dumps([question, *names, limit, state])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_DIGITS]


def ask_for_replay(data: Path, key: str, question: str, names: Sequence[str], limit: int) -> None:
    """Write down what the job of the kind "replay" with this key as its subject is to ask. What was kept too long, or
    is more than a few, goes. Raises JobError when the cache cannot be written.
    """
    folder = data / "cache" / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        _clear(folder)
        _write(folder / f"{key}.asked", {"question": question, "generations": list(names), "limit": limit})
    except OSError as error:
        raise JobError(f"缓存 {folder} 写不进去：{cause_of(error)}；请检查磁盘空间和权限。") from error


def read_replays(data: Path, key: str) -> Mapping[str, Replay] | None:
    """What a job made of it, by the names of generations; None when it has not, or too long ago."""
    file = data / "cache" / FOLDER / f"{key}.json"
    try:
        if time.time() - file.stat().st_mtime > KEPT_SECONDS:
            return None
        content = json.loads(file.read_text(encoding="utf-8"))
        return {name: Replay.of(each) for name, each in content.items()}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def run(data: Path, job: Job, progress: Callable[[int, int], None]) -> Outcome:
    """The job of that kind; its subject is the key."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(MAX_SECONDS)
    folder, key = data / "cache" / FOLDER, Path(job.subject).name
    try:
        asked = json.loads((folder / f"{key}.asked").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError("要重放的问题已不在缓存里；请重新打开那一页。") from error
    settings = load_settings({"data": data})
    names, found = asked["generations"], {}
    for done, name in enumerate(names):
        progress(done, len(names))
        found[name] = replay_generation(data, name, asked["question"], asked["limit"], settings).as_dict()
    _write(folder / f"{key}.json", found)
    (folder / f"{key}.asked").unlink(missing_ok=True)
    signal.alarm(0)
    return Outcome(f"已重放：{'、'.join(names)}。")


def _too_late(*_: object) -> None:
    raise JobError(f"重放用了 {MAX_SECONDS} 秒还没有完成，已停止；机器可能太忙，请稍后再试。")


def _answer(rank: int, score: float, answer: Answer, passage: str, is_shown: bool) -> ReplayedAnswer:
    day = (answer.date or "")[:10]
    return ReplayedAnswer(rank, answer.id, round(score, 4), answer.question, passage, answer.site or "", day, is_shown)


def _write(file: Path, content: Mapping[str, Any]) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, file)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Questions stay in the cache for minutes, and no more than some of them."""
    ages = []
    for file in folder.iterdir():
        with suppress(OSError):  # another worker may have removed it
            ages.append((time.time() - file.stat().st_mtime, file))
    for place, (age, file) in enumerate(sorted(ages)):
        if age > KEPT_SECONDS or place >= _MAX_KEPT:
            with suppress(OSError):
                file.unlink(missing_ok=True)
