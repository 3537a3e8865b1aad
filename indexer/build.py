"""Recipe: corpus to generation."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from indexer.admission import Admission
from indexer.analysis.analyzer import load_analyzer, open_analyzer
from indexer.cleaning import Progress, clean, no_progress
from indexer.collecting import Collected, Collector, keep_collected
from indexer.errors import CorpusError, GenerationDamaged, GenerationMissing
from indexer.indexing import Base, find_base, index
from indexer.native import give_back_memory
from indexer.quality_gate import gate
from indexer.quality_gate.bounds import read_bounds
from indexer.quality_gate.gate import Candidate, Report
from indexer.quality_gate.questions import find_judgements, read_questions
from indexer.read import READERS, find_files
from indexer.records import Page, Rejected, TrustState
from indexer.resources import effective_resources, fingerprint
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.batches import PAGES, left_out_of_builds, path_in_builds, taken_in
from indexer.store.decisions import watch_decisions
from indexer.store.disk import CORPUS_BYTES, corpus_size, disk_faults_told, need_of, refuse_without_room
from indexer.store.generations import Draft, Manifest
from indexer.verdicts import Reason


@dataclass(frozen=True)
class BuildReport:
    """What a build made."""

    manifest: Manifest
    rejected: tuple[Rejected, ...]
    seconds: float
    reused: int = 0  #: pages that an update did not clean again
    gate: Report | None = None  #: what was checked before it was served


def build_generation(
    corpus: Path,
    data: Path,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    update: bool = False,
) -> BuildReport:
    """Clean, cut and index a corpus into a new generation, and serve it if the quality gate lets it pass. An update
    cleans and indexes only what has changed since the served generation was built; what it makes is the same.

    Raises CorpusError when there is nothing to read or no answer in it, BuildRunning, ResourceError, EvaluationError
    for judgements that cannot be read, or DiskFault when the disk has not the room, or fails; the generation that was
    served goes on being served.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    resources = effective_resources(data, settings.resources)
    bounds = read_bounds(resources)
    files = corpus_files(corpus, data)
    questions = read_questions(find_judgements(settings.judgements, corpus))
    size = corpus_size(files)
    with disk_faults_told(data, "建立索引"), generations.build_lock(data):
        served = _served(data)
        built_with = fingerprint(resources)
        base = find_base(data, served, built_with, code_version()) if update and served else None
        generations.clear_leftovers(data)
        refuse_without_room(data, need_of(size, served, update=base is not None))
        draft = generations.begin(data)
        try:
            shutil.copytree(resources, draft.folder / "resources")
            cache = data / "cache"
            analyzer = open_analyzer(base.folder, cache) if base else load_analyzer(resources, cache)
            collected = collect(files, draft, resources, settings, progress, base)
            give_back_memory()  # the workers that write the index need it
            counts = index(collected, draft.folder, analyzer, settings, base)
            if not counts["answers"]:
                raise CorpusError(f"{corpus} 中没有可以收录的答案：{_summary(counts)}。")
            root = str(corpus.resolve())
            new = Candidate(draft.folder, draft.name, _now(), root, counts["answers"], built_with)
            report = gate.examine(data, new, served, questions, bounds, settings)
            gate.save(report, draft.folder)
            rejected = tuple(collected.rejected())
            kept = keep_collected(collected, cache, draft.name, served.generation if served else None)
            facts = _facts(new, served, {**counts, CORPUS_BYTES: size}, report.objections, kept)
            manifest = generations.seal(draft, facts, base.linked if base else {})
        except BaseException:
            generations.discard(draft)
            raise
        if not report.objections:
            with disk_faults_told(data, f"{manifest.generation} 已写好，但启用它"):
                generations.serve(data, manifest.generation)
    return BuildReport(manifest, rejected, time.perf_counter() - started, collected.reused, report)


def collect(
    files: list[tuple[Path, str]],
    draft: Draft,
    resources: Path,
    settings: Settings,
    progress: Progress,
    base: Base | None,
) -> Collected:
    """Clean all pages, or take them over from the last build, and compare them."""
    admission = admission_of(draft.data)
    known = base.collected if base else None
    with Collector(draft.folder / "collected") as collector:
        for cleaned in clean(files, resources, settings, progress, known.numbers if known else ()):
            item = cleaned.item
            if item is None:
                assert known is not None
                number = known.numbers[cleaned.key]
                if admission.admits(known.path_of(number), known.ids_and_urls(number)):
                    collector.take_over(known, number)
                    continue
                item = known.page(number)
                admitted = list(admission.admitted(item))
                if admitted == [item]:
                    collector.take_over(known, number)
                    continue
            else:
                admitted = list(admission.admitted(item))
            unchanged = admitted == [item] and isinstance(item, Page)
            for one in admitted:
                collector.add(cleaned.key if unchanged else b"", one)
        return collector.finish()


def admission_of(data: Path) -> Admission:
    """What people's decisions let into a build now. Raises StateError."""
    decisions = watch_decisions(data).value()
    excludes_some = any(entry.state is TrustState.EXCLUDED for entry in decisions.trust.values())
    excludes = decisions.is_excluded if excludes_some else None
    return Admission(decisions.taken_down, left_out_of_builds(data), excludes)


def corpus_files(corpus: Path, data: Path) -> list[tuple[Path, str]]:
    """Files of a corpus: below its `raw` folder if it has one, never those of the data directory; before them the pages
    that came in by the editors' inbox, as desk/<batch>/<file>. The folder of these, `pages` of the data directory, may
    be the corpus itself: then there is nothing else.

    Raises CorpusError when there are none.
    """
    taken = inbox_files(data)
    if corpus.resolve() == (data / PAGES).resolve():
        if not taken:
            raise CorpusError("收件箱里还没有收进的网页；请先在收件箱收进一批，或换一个语料目录。")
        return taken
    if not corpus.exists():
        raise CorpusError(f"语料目录 {corpus} 不存在；请检查 --corpus 的路径。")
    root = corpus / "raw" if (corpus / "raw").is_dir() else corpus
    files = find_files([root])
    if data.resolve().is_relative_to(root.resolve()):
        files = [(file, path) for file, path in files if not file.resolve().is_relative_to(data.resolve())]
    if not files and not taken:
        raise CorpusError(f"语料目录 {root} 中没有可读的文件；可读的类型有 {'、'.join(READERS)}。")
    return [*taken, *files]


def inbox_files(data: Path) -> list[tuple[Path, str]]:
    """Files of the batches that were taken in, the latest batch first."""
    return [
        (file, path_in_builds(number, path)) for number, folder in taken_in(data) for file, path in find_files([folder])
    ]


def code_version() -> str:
    """Of this program."""
    try:
        return version("yiwen")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"


def _served(data: Path) -> Manifest | None:
    """Manifest of the generation that is served now; None when there is none that can be."""
    try:
        return generations.open_manifest(data, generations.current(data))
    except (GenerationMissing, GenerationDamaged):
        return None


def _now() -> str:
    """As manifests hold it: UTC, YYYY-MM-DDTHH:MM:SSZ."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(
    new: Candidate,
    served: Manifest | None,
    counts: dict[str, int],
    refused: tuple[str, ...],
    collected: dict[str, str],
) -> dict[str, object]:
    """What the manifest says of a build."""
    return {
        "created": new.created,
        "parent": served.generation if served else None,
        "corpus": new.corpus,
        "counts": counts,
        "resources": new.resources,
        "code_version": code_version(),
        "objections": list(refused),
        "collected": collected,
    }


def _summary(counts: dict[str, int]) -> str:
    by_reason = {reason: counts.get(f"rejected_{reason.value}", 0) for reason in Reason}
    found = sorted(((count, reason) for reason, count in by_reason.items() if count), key=lambda pair: -pair[0])
    return "，".join(f"{reason.label} {count} 个" for count, reason in found) or "文件里没有内容"
