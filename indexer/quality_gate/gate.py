"""May a new generation go live? Facts of it and of the one that is served are gathered, then checked one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.engine import Engine
from indexer.errors import GenerationDamaged, GenerationMissing, ResourceError
from indexer.opened import OpenGeneration, open_folder
from indexer.quality_gate import checks
from indexer.quality_gate.analyst_cases import CaseFact, ask_cases, check_cases
from indexer.quality_gate.bounds import Bounds
from indexer.quality_gate.checks import Check, Facts
from indexer.quality_gate.leaks import leaks_of, load_rules
from indexer.quality_gate.page_facts import page_facts
from indexer.quality_gate.questions import JudgedFact, QuestionFacts, Questions, ask_both, questions_of
from indexer.quality_gate.soundness import Soundness, lexicon_words, soundness
from indexer.rule_cases import check_cases as check_rule_cases
from indexer.rule_cases import list_cases
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.generations import Manifest
from indexer.store.judged_cases import list_judged_cases
from indexer.store.take_downs import list_take_downs

FILE = "gate.json"
_FORMAT = 1


@dataclass(frozen=True)
class Candidate:
    """A generation that may go live: a draft that is written but not sealed, or one that is finished."""

    folder: Path
    name: str
    created: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    corpus: str  #: absolute path
    answers: int
    resources: str  #: fingerprint of what the build started with


@dataclass(frozen=True)
class Report:
    """What was checked, and what came out."""

    generation: str
    compared_with: str | None
    not_compared: str | None  #: why some or all comparisons were left out, as a sentence
    judgements: str | None  #: the folder that judged questions came from
    checks: tuple[Check, ...]
    questions: QuestionFacts
    cases: tuple[CaseFact, ...] = ()  #: questions that analysts judged

    @property
    def judged(self) -> tuple[JudgedFact, ...]:
        """All judged questions, those of analysts last."""
        return (*self.questions.judged, *(case.whole for case in self.cases))

    @property
    def objections(self) -> tuple[str, ...]:
        """Reasons, as sentences, why the generation must not be served; empty when it may."""
        return tuple(check.sentence for check in self.checks if not check.passed)

    def as_dict(self) -> dict[str, Any]:
        """As `gate.json` holds it and `yiwen compare --json` prints it."""
        return {
            "format": _FORMAT,
            "generation": self.generation,
            "compared_with": self.compared_with,
            "not_compared": self.not_compared,
            "judgements": self.judgements,
            "passed": not self.objections,
            "checks": [asdict(check) for check in self.checks],
            "questions": {
                "judged": len(self.questions.judged),
                "cases": len(self.cases),
                "asked": len(self.questions.asked),
                "worse": [asdict(one) for one in self.judged if one.ndcg_after < one.ndcg_before],
                "better": [asdict(one) for one in self.judged if one.ndcg_after > one.ndcg_before],
                "lost": [one.text for one in self.questions.asked if one.total_before and not one.total_after],
            },
        }


def examine(
    data: Path, new: Candidate, served: Manifest | None, questions: Questions, bounds: Bounds, settings: Settings
) -> Report:
    """Check a generation, against the served one where there is one of the same corpus; a first generation, or one of
    another corpus, must only be sound in itself.

    Raises GenerationDamaged when its own lists of pages cannot be read.
    """
    found = soundness(new.folder, new.answers, data / "cache")
    opened, open_fault = _opened(new, data, found)
    same_corpus = served is not None and served.corpus == new.corpus
    reason = _why_alone(served, same_corpus)
    before, old = (None, None)
    if served is not None and same_corpus:
        try:
            before, old = _served(data, served)
        except (GenerationDamaged, GenerationMissing) as error:
            reason = f"原来的一代读不出来，没有比较：{error}"
    after, facts_before = _facts(new, found, before, bounds)
    results = [*_sound(found, new, served, open_fault, after, facts_before, bounds)]
    cases = check_rule_cases(list_cases(data), new.folder / "resources", settings)
    if (of_cases := checks.check_rule_cases(cases)) is not None:
        results.append(of_cases)
    asked, judged_cases = QuestionFacts(), tuple[CaseFact, ...]()
    if facts_before is not None:
        results += _compared(after, facts_before, bounds)
        if opened is not None and old is not None:
            if not questions.queries:
                of_corpus = questions_of(facts_before.pages, after.pages, bounds.asked_sample)
                questions = Questions(of_corpus)
            engines = Engine(data, settings.by_words(), old), Engine(data, settings.by_words(), opened)
            holding = facts_before.pages.has, after.pages.has
            asked = ask_both(*engines, questions, *holding, bounds)
            results += _asked(asked, bounds)
            taken_down = {entry.key for entry in list_take_downs(data)}
            judged_cases = ask_cases(*engines, list_judged_cases(data), *holding, taken_down)
            results += check_cases(judged_cases, bounds)
    compared_with = served.generation if served is not None and facts_before is not None else None
    return Report(new.name, compared_with, reason, questions.source, tuple(results), asked, judged_cases)


def objections(report: Report) -> tuple[str, ...]:
    """Reasons, as sentences, why a new generation must not be served; empty when it may."""
    return report.objections


def save(report: Report, folder: Path) -> None:
    """Write the report into the draft, so that it is sealed with it."""
    (folder / FILE).write_text(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(data: Path, name: str) -> dict[str, Any] | None:
    """The report that a build stored; None for a generation of before there were reports.

    Raises GenerationMissing, or GenerationDamaged when it is not as it was written.
    """
    manifest = generations.open_manifest(data, name)
    if FILE not in manifest.files:
        return None
    try:
        content: dict[str, Any] = json.loads((generations.folder_of(data, name) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GenerationDamaged(f"索引 {name} 的文件 {FILE} 读不出来；请用 yiwen build 重建。") from error
    return content


def candidate_of(data: Path, manifest: Manifest) -> Candidate:
    """A finished generation, to be looked at again."""
    folder = generations.folder_of(data, manifest.generation)
    answers = manifest.counts["answers"]
    return Candidate(folder, manifest.generation, manifest.created, manifest.corpus, answers, manifest.resources)


def _why_alone(served: Manifest | None, same_corpus: bool) -> str | None:
    if served is None:
        return "没有正在使用的一代，只检查自身。"
    return None if same_corpus else f"语料目录与 {served.generation} 的不同，只检查自身。"


def _opened(new: Candidate, data: Path, found: Soundness) -> tuple[OpenGeneration | None, str | None]:
    """The generation as it would be served, or why it cannot be; not tried where the arrays are not whole."""
    if found.array_faults:
        return None, None
    try:
        return open_folder(new.folder, new.name, data / "cache"), None
    except (GenerationDamaged, ResourceError) as error:
        return None, str(error)


def _served(data: Path, served: Manifest) -> tuple[Candidate, OpenGeneration | None]:
    """The served generation; opened too, unless this program cannot read it."""
    candidate = candidate_of(data, served)
    try:
        return candidate, open_folder(candidate.folder, candidate.name, data / "cache")
    except (GenerationDamaged, ResourceError):
        return candidate, None


def _facts(new: Candidate, found: Soundness, old: Candidate | None, bounds: Bounds) -> tuple[Facts, Facts | None]:
    """Of both, measured with the same lists."""
    pages = page_facts(new.folder, bounds)
    before = page_facts(old.folder, bounds, frozenset(pages.taken_down_paths)) if old else None
    rules = load_rules([one.folder / "resources" for one in (new, old) if one])
    after = Facts(pages, leaks_of(pages, rules), new.created, found.lexicon_words)
    if old is None or before is None:
        return after, None
    return after, Facts(before, leaks_of(before, rules), old.created, lexicon_words(old.folder / "resources"))


def _sound(
    found: Soundness,
    new: Candidate,
    served: Manifest | None,
    open_fault: str | None,
    after: Facts,
    before: Facts | None,
    bounds: Bounds,
) -> Iterator[Check]:
    yield checks.check_resources(found, new.resources)
    yield checks.check_lexicon(found, before, bounds)
    yield checks.check_weights(found)
    yield checks.check_arrays(found, None if found.weight_faults or found.lexicon_faults else open_fault)
    yield checks.check_clock(new.created, served.created if served else None)
    yield checks.check_leaks(after, before, bounds)
    yield checks.check_garbled(after, before, bounds)


_COMPARISONS: Sequence[Callable[[Facts, Facts, Bounds], Check]] = (
    checks.check_answers,
    checks.check_sites,
    checks.check_charsets,
    checks.check_unreadable,
    checks.check_removal,
    checks.check_cut_off,
    checks.check_doubles,
)


def _compared(after: Facts, before: Facts, bounds: Bounds) -> Iterator[Check]:
    return (check(after, before, bounds) for check in _COMPARISONS)


def _asked(found: QuestionFacts, bounds: Bounds) -> Iterator[Check]:
    for check in (checks.check_judged, checks.check_without_result, checks.check_latency):
        if (result := check(found, bounds)) is not None:
            yield result


def summary(report: Mapping[str, Any]) -> list[str]:
    """A stored report in lines."""
    lines = [f"{'通过' if check['passed'] else '未通过'}  {check['sentence']}" for check in report["checks"]]
    return [*([report["not_compared"]] if report["not_compared"] else []), *lines]
