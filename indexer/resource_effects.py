"""What changes of terms, stop words and rules would do, before anything is saved: texts that are cut otherwise, judged
questions that gain or lose, questions that are read otherwise, urgency cards that come or go.

The pages that the served generation was built from are indexed once more, in a temporary place, with the changed
resources: what comes out is what the next build of the same pages makes (`tests/test_resource_effects.py` builds and
compares).
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.analysis.analyzer import Analyzer, QuestionTerms, Terms, load_analyzer
from indexer.answer.own_rules import CardChange, card_changes, urgent_sentences, weakened_rules
from indexer.answer.urgency import load_urgency
from indexer.build import admission_of
from indexer.cleaning import Progress, no_progress
from indexer.collecting import Collected, Collector, open_collected
from indexer.engine import Engine
from indexer.errors import BadQuery, ResourceError
from indexer.indexing import index
from indexer.opened import OpenGeneration, open_folder, open_generation
from indexer.own_resources import check_resources, with_changes
from indexer.quality_gate.analyst_cases import with_cases
from indexer.quality_gate.evaluate import DEPTH, JudgedQuery, ndcg
from indexer.quality_gate.questions import Questions, find_judgements, read_questions
from indexer.resources import effective_resources, fingerprint
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.disk import CORPUS_BYTES, disk_faults_told, need_of, refuse_without_room
from indexer.store.generations import Manifest
from indexer.store.judged_cases import list_judged_cases

_PREFIX = "preview-"  #: of temporary folders in the cache; the number of the process follows
_FIRST = 10  #: answers of a question that are compared
_SHOWN_GROUPS, _SHOWN_EXAMPLES, _SHOWN_QUESTIONS = 50, 3, 100
_TELL_EVERY = 500
#: what decides how pages are cleaned; the preview takes the pages as they were cleaned
_CLEANING = ("sites/", "quality/")


@dataclass(frozen=True)
class CutGroup:
    """Answers of which the same words come and go."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    count: int
    examples: tuple[str, ...]  #: ids


@dataclass(frozen=True)
class QuestionChange:
    """A judged question whose first ten answers, or their order, are others."""

    id: str
    text: str
    before: float  #: nDCG@10
    after: float
    gained: tuple[str, ...]  #: ids of answers among the first ten that were not there
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """A question that is read otherwise: its words, with what they weigh where that is not 1."""

    text: str
    before: str
    after: str


@dataclass(frozen=True)
class Effects:
    """What a change does."""

    generation: str  #: that was compared with; "" when none is served
    base: str  #: fingerprint of the resources that the change was made to
    pending: bool  #: changes that were saved and not yet built are in it as well
    answers: int  #: that were cut with both; 0 when the change does not concern cutting
    cut_otherwise: int
    groups: tuple[CutGroup, ...]
    questions: int  #: judged ones that were asked
    ndcg_before: float
    ndcg_after: float
    better: int
    worse: int
    changed: tuple[QuestionChange, ...]  #: the worst first
    read_otherwise: int
    readings: tuple[Reading, ...]
    sentences: int  #: that were asked for their card
    cards: tuple[CardChange, ...]
    weakened: tuple[str, ...]  #: ids of emergency rules that say less than before
    notes: tuple[str, ...]  #: sentences on what was not looked at
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def of(content: Mapping[str, Any]) -> Effects:
        """What `as_dict` gave, after JSON."""
        parts = {"groups": CutGroup, "changed": QuestionChange, "readings": Reading, "cards": CardChange}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        for name, made in parts.items():
            values[name] = tuple(
                made(**{key: tuple(one) if isinstance(one, list) else one for key, one in each.items()})
                for each in content[name]
            )
        return Effects(**values)


def compute_effects(
    data: Path,
    changes: Mapping[str, str | None],
    settings: Settings,
    progress: Progress = no_progress,
    questions: Questions | None = None,
) -> Effects:
    """Compare the served generation with what the next build would make of the same pages.

    `changes`: path -> text of an own file, or None to go back to the shipped one. `questions`: judged ones, instead of
    the corpus's own. Raises ResourceError for changes that cannot be read, and when the pages of the served generation
    were not kept; GenerationMissing; DiskFault.
    """
    started = time.perf_counter()
    check_resources(data, changes, settings.resources)
    served = generations.open_manifest(data, generations.current(data))
    of_corpus = questions or read_questions(find_judgements(settings.judgements, Path(served.corpus)))
    asked = with_cases(of_corpus, list_judged_cases(data))
    effective = effective_resources(data, settings.resources)
    base = fingerprint(effective)
    with disk_faults_told(data, "预览"), _temporary(data) as there:
        with_changes(data, changes, there / "resources", settings.resources)
        before = open_generation(data, served.generation)
        sentences = [*(query.text for query in asked.queries), *urgent_sentences(effective)]
        sentences = list(dict.fromkeys([*sentences, *urgent_sentences(there / "resources")]))
        urgency = load_urgency(there / "resources")
        notes = _notes(changes, asked)
        if any(not path.startswith("urgency/") for path in changes):
            compared = _compared(data, served, before, there, asked, settings, progress)
        else:
            compared = _same(before, asked, data, settings)
        return Effects(
            generation=served.generation,
            base=base,
            pending=served.resources != base,
            sentences=len(sentences),
            cards=tuple(card_changes(before.urgency, urgency, sentences)),
            weakened=tuple(weakened_rules(before.urgency, urgency)),
            notes=notes,
            seconds=time.perf_counter() - started,
            **compared,
        )


def _notes(changes: Mapping[str, str | None], asked: Questions) -> tuple[str, ...]:
    notes = []
    if any(path.startswith(_CLEANING) for path in changes):
        notes.append("站点模板和质量规则决定怎样清洗网页，这里没有重新清洗；它们的影响要重建索引之后才看得到。")
    if not asked.judged(1):
        notes.append("这份语料没有评判过的问题，没有比较检索质量。")
    return tuple(notes)


@contextmanager
def _temporary(data: Path) -> Iterator[Path]:
    """A folder on the data directory's disk that is gone afterwards; those of processes that were killed go first."""
    cache = data / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob(f"{_PREFIX}*"):
        if not _is_alive(old.name.removeprefix(_PREFIX)):
            shutil.rmtree(old, ignore_errors=True)
    folder = cache / f"{_PREFIX}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: str) -> bool:
    return process.isdecimal() and Path(f"/proc/{process}").exists()


def _compared(
    data: Path,
    served: Manifest,
    before: OpenGeneration,
    there: Path,
    asked: Questions,
    settings: Settings,
    progress: Progress,
) -> dict[str, Any]:
    """The facts of Effects that hang on the index."""
    known = open_collected(data / "cache", served.generation, served.collected)
    if known is None:
        raise ResourceError(
            f"{served.generation} 的网页没有留在缓存里，无法预览；请先用同一份语料重建一次索引，或不看预览直接采用。"
        )
    refuse_without_room(data, need_of(served.counts.get(CORPUS_BYTES, 0), served, update=False))
    judged = asked.judged(len(asked.queries))
    answers = known.answer_count
    total = 2 * answers + len(judged)
    progress(0, total)
    analyzer = load_analyzer(there / "resources", data / "cache")
    index(_admitted(known, there, data), there, analyzer, settings, None)
    progress(answers, total)
    after = open_folder(there, served.generation, data / "cache")
    engines = Engine(data, settings.by_words(), before), Engine(data, settings.by_words(), after)
    count, groups, cut_otherwise = _cuts(
        engines[1], before.analyzer, analyzer, lambda done: progress(answers + done, total)
    )
    changes = []
    for number, query in enumerate(judged, 1):
        changes.append(_question_change(query, (asked.qrels or {}).get(query.judged_as, {}), *engines))
        progress(2 * answers + number, total)
    readings = [
        reading for query in asked.queries if (reading := _reading(query.text, before.analyzer, analyzer)) is not None
    ]
    return {
        "answers": count,
        "cut_otherwise": cut_otherwise,
        "groups": groups,
        **_question_facts(changes),
        "read_otherwise": len(readings),
        "readings": tuple(readings[:_SHOWN_QUESTIONS]),
    }


def _same(before: OpenGeneration, asked: Questions, data: Path, settings: Settings) -> dict[str, Any]:
    """The same for changes of urgency rules alone, which say nothing about what is found."""
    engine = Engine(data, settings.by_words(), before)
    judged = asked.judged(len(asked.queries))
    changes = []
    for query in judged:
        grades = (asked.qrels or {}).get(query.judged_as, {})
        value = ndcg(_ranked(engine, query.text), grades, _FIRST)
        changes.append(QuestionChange(query.id, query.text, value, value, (), ()))
    return {
        "answers": 0,
        "cut_otherwise": 0,
        "groups": (),
        **_question_facts(changes),
        "read_otherwise": 0,
        "readings": (),
    }


def _admitted(known: Collected, there: Path, data: Path) -> Collected:
    """The pages that a build would take in now: without what was taken down since."""
    admission = admission_of(data)
    with Collector(there / "collected") as collector:
        for number, _ in enumerate(known.reasons()):
            if admission.admits(known.path_of(number), known.ids_and_urls(number)):
                collector.take_over(known, number)
            else:
                for one in admission.admitted(known.page(number)):
                    collector.add(b"", one)
        return collector.finish()


def _cuts(
    engine: Engine, old: Analyzer, new: Analyzer, tell: Callable[[int], None]
) -> tuple[int, tuple[CutGroup, ...], int]:
    """Every answer is cut with both: a new word shifts the dictionary's sum, so texts without it may change too."""
    examples: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    counts: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    number = 0
    for number, answer in enumerate(engine.answers(), 1):
        was, now = Counter[str](), Counter[str]()
        for text in (answer.question, answer.text):
            was.update(_words(old.terms(text)))
            now.update(_words(new.terms(text)))
        if was != now:
            key = tuple(sorted(now - was)), tuple(sorted(was - now))
            counts[key] += 1
            kept = examples.setdefault(key, [])
            if len(kept) < _SHOWN_EXAMPLES:
                kept.append(answer.id)
        if number % _TELL_EVERY == 0:
            tell(number)
    groups = (CutGroup(*key, count, tuple(examples[key])) for key, count in counts.most_common(_SHOWN_GROUPS))
    return number, tuple(groups), counts.total()


def _words(terms: Terms) -> tuple[str, ...]:
    return terms.words


def _question_change(query: JudgedQuery, grades: Mapping[str, int], before: Engine, after: Engine) -> QuestionChange:
    old, new = _ranked(before, query.text), _ranked(after, query.text)
    first, then = old[:_FIRST], new[:_FIRST]
    gained = tuple(id_ for id_ in then if id_ not in first)
    lost = tuple(id_ for id_ in first if id_ not in then)
    return QuestionChange(query.id, query.text, ndcg(old, grades, _FIRST), ndcg(new, grades, _FIRST), gained, lost)


def _ranked(engine: Engine, text: str) -> list[str]:
    """As `yiwen evaluate` asks."""
    try:
        return [id_ for id_, _ in engine.retrieve(text, DEPTH)]
    except BadQuery:
        return []


def _question_facts(changes: Sequence[QuestionChange]) -> dict[str, Any]:
    asked = max(len(changes), 1)
    changed = [one for one in changes if one.gained or one.lost or one.before != one.after]
    changed.sort(key=lambda one: one.after - one.before)
    if len(changed) > _SHOWN_QUESTIONS:
        half = _SHOWN_QUESTIONS // 2
        shown = [*changed[:half], *changed[-half:]]
    else:
        shown = changed
    return {
        "questions": len(changes),
        "ndcg_before": sum(one.before for one in changes) / asked,
        "ndcg_after": sum(one.after for one in changes) / asked,
        "better": sum(one.after > one.before for one in changes),
        "worse": sum(one.after < one.before for one in changes),
        "changed": tuple(shown),
    }


def _reading(text: str, old: Analyzer, new: Analyzer) -> Reading | None:
    before, after = old.question_terms(text), new.question_terms(text)
    return None if _facts(before) == _facts(after) else Reading(text, _told(before), _told(after))


def _facts(asked: QuestionTerms) -> tuple[object, ...]:
    return (
        asked.terms.words,
        asked.weights,
        asked.content_words,
        asked.entity,
        asked.aspects,
        asked.populations,
        asked.sides,
        asked.duration,
    )


def _told(asked: QuestionTerms) -> str:
    words = [word if weight == 1 else f"{word}×{weight:g}" for word, weight in asked.terms.words.items()]
    return "、".join([*words, *(f"人群：{who}" for who in asked.populations), *asked.sides])
