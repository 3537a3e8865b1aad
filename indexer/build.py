"""Recipe: corpus to generation."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TextIO

from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.suggest import load_suggestion_rules, write_suggestions
from indexer.analysis.vocabulary import MIN_ANSWERS, write_vocabulary
from indexer.cleaning import Progress, clean, no_progress
from indexer.dedupe import CopyFinder, fold_key, with_copies
from indexer.errors import CorpusError, GenerationDamaged, GenerationMissing
from indexer.quality_gate.gate import objections
from indexer.read import READERS, find_files
from indexer.records import Answer, Page, Reason, Rejected
from indexer.repetition import LineCounter
from indexer.resources import find_resources, fingerprint, read_ranking_weights
from indexer.settings import Settings
from indexer.store import generations, impacts
from indexer.store.base import PreparedAnswer
from indexer.store.generations import Manifest
from indexer.store.impacts import Impacts
from indexer.store.index_writer import IndexWriter
from indexer.store.take_downs import TakeDowns


@dataclass(frozen=True)
class BuildReport:
    """What a build made."""

    manifest: Manifest
    rejected: tuple[Rejected, ...]
    seconds: float


def build_generation(
    corpus: Path, data: Path, settings: Settings | None = None, progress: Progress = no_progress
) -> BuildReport:
    """Clean, cut and index a corpus into a new generation, and serve it if the quality gate lets it pass.

    Raises CorpusError when there is nothing to read or no answer in it, BuildRunning, or ResourceError; the
    generation that was served goes on being served.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    resources = find_resources(settings.resources)
    files = corpus_files(corpus, data)
    with generations.build_lock(data):
        served = _served(data)
        draft = generations.begin(data)
        try:
            shutil.copytree(resources, draft.folder / "resources")
            items: Iterator[Page | Rejected] = clean(files, resources, settings, progress)
            items = without_taken_down(without_repeated_ids(items), TakeDowns(data).keys())
            items = compared(items, draft.folder)
            analyzer = load_analyzer(resources, data / "cache")
            analyzer.save(draft.folder / "analysis")
            counts, rejected = index(items, draft.folder, analyzer)
            if not counts["answers"]:
                raise CorpusError(f"{corpus} 中没有可以收录的答案：{_summary(rejected)}。")
            refused = objections(counts, str(corpus.resolve()), served)
            manifest = generations.seal(draft, _facts(corpus, served, counts, resources, refused))
        except BaseException:
            generations.discard(draft)
            raise
        if not refused:
            generations.serve(data, manifest.generation)
    return BuildReport(manifest, rejected, time.perf_counter() - started)


def corpus_files(corpus: Path, data: Path) -> list[tuple[Path, str]]:
    """Files of a corpus: below its `raw` folder if it has one, never those of the data directory.

    Raises CorpusError when there are none.
    """
    if not corpus.exists():
        raise CorpusError(f"语料目录 {corpus} 不存在；请检查 --corpus 的路径。")
    root = corpus / "raw" if (corpus / "raw").is_dir() else corpus
    files = find_files([root])
    if data.resolve().is_relative_to(root.resolve()):
        files = [(file, path) for file, path in files if not file.resolve().is_relative_to(data.resolve())]
    if not files:
        raise CorpusError(f"语料目录 {root} 中没有可读的文件；可读的类型有 {'、'.join(READERS)}。")
    return files


def compared(items: Iterable[Page | Rejected], folder: Path) -> Iterator[Page | Rejected]:
    """All pages, seen twice: what their sites repeat goes, and copies among the answers are marked.

    Between the two passes the pages lie in a temporary file of our own, deleted as it is made.
    """
    lines, copies = LineCounter(), CopyFinder()
    with tempfile.TemporaryFile(dir=folder) as spool:
        for item in items:
            pickle.dump(item, spool, pickle.HIGHEST_PROTOCOL)
            if isinstance(item, Page):
                if not item.is_record:
                    lines.add(item)
                for answer in item.answers:
                    copies.add(answer)
        spool.seek(0)
        yield from with_copies(lines.repeated().strip(_unspooled(spool)), copies.copies())


def _unspooled(spool: IO[bytes]) -> Iterator[Page | Rejected]:
    while spool.peek(1):  # type: ignore[attr-defined]
        yield pickle.load(spool)


def without_repeated_ids(items: Iterable[Page | Rejected]) -> Iterator[Page | Rejected]:
    """The first answer with an id stays; each further one becomes a rejection."""
    seen: dict[str, str] = {}
    for item in items:
        if isinstance(item, Rejected):
            yield item
            continue
        fresh = []
        for answer in item.answers:
            if answer.id in seen:
                yield Rejected(item.path, Reason.DUPLICATE_ID, f"编号 {answer.id} 已用于 {seen[answer.id]}。")
            else:
                seen[answer.id] = item.path
                fresh.append(answer)
        if fresh:
            yield replace(item, answers=tuple(fresh))


def without_taken_down(items: Iterable[Page | Rejected], keys: frozenset[str]) -> Iterator[Page | Rejected]:
    """Answers whose id or address was taken down become rejections."""
    for item in items:
        if isinstance(item, Rejected) or not keys:
            yield item
            continue
        hidden = [answer for answer in item.answers if answer.id in keys or answer.url in keys]
        for answer in hidden:
            yield Rejected(item.path, Reason.TAKEN_DOWN, f"答案 {answer.id} 已下架。")
        if kept := tuple(answer for answer in item.answers if answer not in hidden):
            yield replace(item, answers=kept)


def index(
    items: Iterable[Page | Rejected], folder: Path, analyzer: Analyzer
) -> tuple[dict[str, int], tuple[Rejected, ...]]:
    """Write the index with its vocabulary and suggestions, and the pages; gives counts and what was rejected."""
    counts: Counter[str] = Counter(pages=0, answers=0, rejected=0)
    rejected: list[Rejected] = []
    questions: Counter[str] = Counter()
    resources = folder / "resources"
    writer = IndexWriter(folder, analyzer.segmenter.dictionary, read_ranking_weights(resources))
    with (
        open(folder / "pages.jsonl", "w", encoding="utf-8") as pages_out,
        open(folder / "rejected.jsonl", "w", encoding="utf-8") as rejected_out,
    ):
        for item in items:
            if isinstance(item, Rejected):
                rejected.append(item)
                counts.update(["rejected", f"rejected_{item.reason.value}"])
                _write_line(rejected_out, item)
                continue
            counts.update(["pages"])
            _write_line(pages_out, item)
            for answer in item.answers:
                writer.add(prepared(answer, analyzer))
                if answer.question and not answer.copy_of:
                    questions[answer.question] += 1
                counts.update(["answers", *(f"flaw_{fact.flaw.value}" for fact in answer.quality)])
    writer.commit()
    words = Impacts(folder / impacts.FOLDER).word_counts(analyzer.lexicon.names, MIN_ANSWERS)
    write_vocabulary(folder, analyzer.lexicon, words)
    write_suggestions(folder, analyzer.lexicon, load_suggestion_rules(resources), words, questions)
    return dict(counts), tuple(rejected)


def prepared(answer: Answer, analyzer: Analyzer) -> PreparedAnswer:
    """An answer as it is indexed."""
    question, text = analyzer.normalized(answer.question).text, analyzer.normalized(answer.text).text
    return PreparedAnswer(answer, question, text, fold_key(answer))


def _served(data: Path) -> Manifest | None:
    """Manifest of the generation that is served now; None when there is none that can be."""
    try:
        return generations.open_manifest(data, generations.current(data))
    except (GenerationMissing, GenerationDamaged):
        return None


def _facts(
    corpus: Path, served: Manifest | None, counts: dict[str, int], resources: Path, refused: tuple[str, ...]
) -> dict[str, object]:
    """What the manifest says of a build."""
    try:
        code_version = version("yiwen")
    except PackageNotFoundError:  # run from a checkout that was not installed
        code_version = "unknown"
    return {
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "parent": served.generation if served else None,
        "corpus": str(corpus.resolve()),
        "counts": counts,
        "resources": fingerprint(resources),
        "code_version": code_version,
        "objections": list(refused),
    }


def _write_line(out: TextIO, item: Page | Rejected) -> None:
    out.write(json.dumps(dataclasses.asdict(item), ensure_ascii=False) + "\n")


def _summary(rejected: Iterable[Rejected]) -> str:
    by_reason = Counter(item.reason for item in rejected)
    return "，".join(f"{reason.label} {count} 个" for reason, count in by_reason.most_common()) or "文件里没有内容"
