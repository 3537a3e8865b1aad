"""What two generations differ in, for reading: sites, pages, answers, judged questions, and every check."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from indexer.engine import Engine
from indexer.errors import GenerationDamaged, GenerationMissing
from indexer.opened import open_generation
from indexer.quality_gate import gate
from indexer.quality_gate.bounds import Bounds, read_bounds
from indexer.quality_gate.gate import Report, candidate_of
from indexer.quality_gate.page_facts import SiteFacts, StoredAnswer, digest_of, page_facts, stored_pages
from indexer.quality_gate.questions import JudgedFact, Questions, find_judgements, read_questions
from indexer.resources import effective_resources
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.generations import Manifest
from indexer.text_changes import changed_parts

_CONTEXT_CHARS = 30
_EXCERPT_CHARS = 80
_FIRST_RESULTS = 3


@dataclass(frozen=True)
class SiteChange:
    """Counts of one site."""

    site: str
    pages_before: int
    pages_after: int
    answers_before: int
    answers_after: int


@dataclass(frozen=True)
class ChangedAnswer:
    """An answer that is in one of the generations only, or has another text; the texts are excerpts."""

    id: str
    question: str
    page: str
    before: str | None  #: None for one that was added
    after: str | None  #: None for one that was removed


@dataclass(frozen=True)
class Changed:
    """How many, and the first of them."""

    count: int
    examples: tuple[Any, ...]


@dataclass(frozen=True)
class JudgedChange:
    """A judged question that is answered better or worse, with its first answers in both."""

    fact: JudgedFact
    first_before: tuple[str, ...]  #: questions of the first answers, or the start of their text
    first_after: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """From one generation to another."""

    before: str
    after: str
    sites: tuple[SiteChange, ...]  #: those with other counts
    pages_gained: Changed  #: paths
    pages_lost: Changed
    added: Changed  #: ChangedAnswer
    removed: Changed
    text_changed: Changed
    better: tuple[JudgedChange, ...]  #: those that gained most first
    worse: tuple[JudgedChange, ...]
    report: Report  #: of `after` against `before`, as the gate would make it now

    def as_dict(self) -> dict[str, Any]:
        """As `yiwen compare --json` prints it."""
        content = asdict(self)
        content["report"] = self.report.as_dict()
        return content


@dataclass
class _Contents:
    """Paths of pages, and of each answer what stands for its text."""

    paths: set[str]
    answers: dict[str, int]


def compare_generations(
    data: Path,
    after: str,
    before: str | None = None,
    settings: Settings | None = None,
    shown: int = 10,
    excerpt_chars: int = _EXCERPT_CHARS,
    context_chars: int = _CONTEXT_CHARS,
) -> Difference:
    """Compare a generation with another: the named one, else the one that is served, else its parent. Judged questions
    are those of the settings, else of its corpus. Of each list the first `shown` are given, of each text so many
    characters, `context_chars` of them before the first change.

    Raises GenerationMissing, GenerationDamaged, EvaluationError, ResourceError.
    """
    settings = settings or Settings()
    manifest = generations.open_manifest(data, after)
    questions = read_questions(find_judgements(settings.judgements, Path(manifest.corpus)))
    bounds = read_bounds(effective_resources(data, settings.resources))
    base = before or _base_of(data, manifest)
    return difference(data, after, base, questions, bounds, settings, shown, excerpt_chars, context_chars)


def _base_of(data: Path, manifest: Manifest) -> str:
    served = generations.current(data)
    base = manifest.parent if served == manifest.generation else served
    if base is None:
        raise GenerationMissing(f"{manifest.generation} 是第一代，没有可比较的；请写明另一代的名称。")
    return base


def difference(
    data: Path,
    after: str,
    before: str,
    questions: Questions,
    bounds: Bounds,
    settings: Settings,
    shown: int = 10,
    excerpt_chars: int = _EXCERPT_CHARS,
    context_chars: int = _CONTEXT_CHARS,
) -> Difference:
    """Compare two generations; of what is listed the first `shown`.

    Raises GenerationMissing, GenerationDamaged.
    """
    manifests = [generations.open_manifest(data, name) for name in (before, after)]
    old, new = (generations.folder_of(data, name) for name in (before, after))
    there, here = _contents(old), _contents(new)
    added = [id_ for id_ in here.answers if id_ not in there.answers]
    removed = [id_ for id_ in there.answers if id_ not in here.answers]
    changed = [id_ for id_, digest in here.answers.items() if there.answers.get(id_, digest) != digest]
    texts_after = _answers(new, {*added[:shown], *changed[:shown]})
    texts_before = _answers(old, {*removed[:shown], *changed[:shown]})
    texts = (texts_before, texts_after)

    def listed(ids: list[str]) -> Changed:
        return Changed(len(ids), tuple(_changed(id_, *texts, excerpt_chars, context_chars) for id_ in ids[:shown]))

    candidate = candidate_of(data, manifests[1])
    report = gate.examine(data, candidate, manifests[0], questions, bounds, settings)
    if before > after:  # an older one is looked at: its clock is no fault
        report = replace(report, checks=tuple(check for check in report.checks if check.name != "clock"))
    return Difference(
        before=before,
        after=after,
        sites=tuple(_site_changes(old, new, bounds)),
        pages_gained=_paths(here.paths - there.paths, shown),
        pages_lost=_paths(there.paths - here.paths, shown),
        added=listed(added),
        removed=listed(removed),
        text_changed=listed(changed),
        **_judged(data, before, after, report, settings, shown),
        report=report,
    )


def _contents(folder: Path) -> _Contents:
    found = _Contents(set(), {})
    for page in stored_pages(folder):
        found.paths.add(page.path)
        found.answers.update((each.id, digest_of(f"{each.question}\n{each.text}")) for each in page.answers)
    return found


def _answers(folder: Path, ids: Collection[str]) -> dict[str, tuple[str, StoredAnswer]]:
    """Path and answer of these ids."""
    if not ids:
        return {}
    return {each.id: (page.path, each) for page in stored_pages(folder) for each in page.answers if each.id in ids}


def _changed(
    id_: str,
    before: dict[str, tuple[str, StoredAnswer]],
    after: dict[str, tuple[str, StoredAnswer]],
    excerpt_chars: int,
    context_chars: int,
) -> ChangedAnswer:
    page, answer = after.get(id_) or before[id_]
    if id_ in before and id_ in after:
        old, new = (f"{each.question}\n{each.text}" for each in (before[id_][1], after[id_][1]))
        return ChangedAnswer(id_, answer.question, page, *_around_change(old, new, excerpt_chars, context_chars))
    excerpt = answer.text[:excerpt_chars]
    return ChangedAnswer(
        id_, answer.question, page, excerpt if id_ in before else None, excerpt if id_ in after else None
    )


def _around_change(old: str, new: str, excerpt_chars: int, context_chars: int) -> tuple[str, str]:
    """The first place where two texts differ, with some text around it."""
    place = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(place - context_chars, 0)
    return old[start : start + excerpt_chars], new[start : start + excerpt_chars]


def _paths(paths: set[str], shown: int) -> Changed:
    return Changed(len(paths), tuple(sorted(paths)[:shown]))


def _site_changes(old: Path, new: Path, bounds: Bounds) -> Iterator[SiteChange]:
    before, after = (page_facts(folder, bounds).sites for folder in (old, new))
    for site in sorted(before.keys() | after.keys()):
        was, now = before.get(site, SiteFacts()), after.get(site, SiteFacts())
        if (was.pages, was.answers) != (now.pages, now.answers):
            yield SiteChange(site, was.pages, now.pages, was.answers, now.answers)


def _judged(
    data: Path, before: str, after: str, report: Report, settings: Settings, shown: int
) -> dict[str, tuple[JudgedChange, ...]]:
    """Judged questions that are answered better and worse."""
    changed = sorted(report.judged, key=lambda one: one.ndcg_after - one.ndcg_before)
    worse = [one for one in changed if one.ndcg_after < one.ndcg_before][:shown]
    better = [one for one in reversed(changed) if one.ndcg_after > one.ndcg_before][:shown]
    if not worse and not better:
        return {"better": (), "worse": ()}
    engines = [Engine(data, settings.by_words(), open_generation(data, name)) for name in (before, after)]

    def seen(fact: JudgedFact) -> JudgedChange:
        firsts = (fact.first_before[:_FIRST_RESULTS], fact.first_after[:_FIRST_RESULTS])
        titles = (tuple(_title(engine, id_) for id_ in ids) for engine, ids in zip(engines, firsts, strict=True))
        return JudgedChange(fact, *titles)

    return {"better": tuple(map(seen, better)), "worse": tuple(map(seen, worse))}


def _title(engine: Engine, id_: str) -> str:
    """What an answer is called in a list."""
    answer = engine.answer(id_)
    if answer is None:
        raise GenerationDamaged(f"索引 {engine.generation} 中没有刚刚找到的答案 {id_}；请运行 yiwen check 核对。")
    return answer.question or answer.text[:_CONTEXT_CHARS]


def lines_of(found: Difference) -> Iterator[str]:
    """For reading in a terminal."""
    yield f"从 {found.before} 到 {found.after}"
    yield from _site_lines(found)
    yield f"网页：多出 {found.pages_gained.count} 个，减少 {found.pages_lost.count} 个。"
    for mark, pages in (("+", found.pages_gained), ("-", found.pages_lost)):
        yield from (f"  {mark} {path}" for path in pages.examples)
        yield from _rest(pages)
    counts = (found.added.count, found.removed.count, found.text_changed.count)
    yield "答案：多出 {} 条，减少 {} 条，改动 {} 条。".format(*counts)
    for mark, answers in (("+", found.added), ("-", found.removed), ("*", found.text_changed)):
        for each in answers.examples:
            yield f"  {mark} {each.id} {each.question or '（无标题）'}（{each.page}）"
            if each.before is not None and each.after is not None:
                yield from (f"      {line}" for line in marked_change(each.before, each.after))
        yield from _rest(answers)
    yield from _judged_lines(found)
    yield "检查："
    if found.report.not_compared:
        yield f"  {found.report.not_compared}"
    yield from (f"  {'通过' if check.passed else '未通过'}  {check.sentence}" for check in found.report.checks)


def marked_change(before: str, after: str) -> tuple[str, str]:
    """Two excerpts with what is different in brackets: 【】."""
    old, new = (
        "".join(f"【{part.text}】" if part.is_changed else part.text for part in parts)
        for parts in changed_parts(" ".join(before.split()), " ".join(after.split()))
    )
    return f"原：{old}", f"现：{new}"


def _site_lines(found: Difference) -> Iterator[str]:
    if not found.sites:
        yield "站点：各站点的页数和答案数相同。"
        return
    yield "站点（页数；答案数）："
    for site in found.sites:
        pages = f"{site.pages_before} → {site.pages_after}"
        yield f"  {site.site}：{pages}；{site.answers_before} → {site.answers_after}"


def _rest(changed: Changed) -> Iterator[str]:
    if more := changed.count - len(changed.examples):
        yield f"  …… 还有 {more} 个"


def _judged_lines(found: Difference) -> Iterator[str]:
    facts = found.report.judged
    if not facts:
        yield "评判过的问题：没有，或没有比较。"
        return
    worse = sum(one.ndcg_after < one.ndcg_before for one in facts)
    better = sum(one.ndcg_after > one.ndcg_before for one in facts)
    of_analysts = f"（其中分析员评判的 {len(found.report.cases)} 个）" if found.report.cases else ""
    yield f"评判过的问题：比较 {len(facts)} 个{of_analysts}，{better} 个变好，{worse} 个变差。"
    for label, changes in (("变差", found.worse), ("变好", found.better)):
        for change in changes:
            yield f"  {label} {change.fact.ndcg_before:.3f} → {change.fact.ndcg_after:.3f}  {change.fact.text}"
            yield f"      原：{'；'.join(change.first_before) or '没有答案'}"
            yield f"      现：{'；'.join(change.first_after) or '没有答案'}"
