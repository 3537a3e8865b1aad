"""From collected pages to the files of a generation: all of them anew, or what has changed beside what has not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from json import dumps
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from indexer.analysis.about import about
from indexer.analysis.analyzer import Analyzer, open_analyzer
from indexer.analysis.suggest import FILE_NAME as SUGGESTIONS
from indexer.analysis.suggest import load_suggestion_rules, write_suggestions
from indexer.analysis.vocabulary import FILE_NAME as VOCABULARY
from indexer.analysis.vocabulary import MIN_ANSWERS, write_vocabulary
from indexer.collecting import Collected, open_collected
from indexer.dedupe import fold_key
from indexer.records import Page, Rejected
from indexer.resources import read_ranking_weights
from indexer.settings import Settings
from indexer.store import generations, impacts, whoosh_store
from indexer.store.generations import Manifest
from indexer.store.impacts import Impacts
from indexer.store.index_update import extend_index
from indexer.store.index_writer import Analysis, IndexWriter, commit_index
from indexer.store.whoosh_store import WhooshStore
from indexer.store.word_counts import word_counts
from indexer.verdicts import Reason

PAGES, REJECTED = "pages.jsonl", "rejected.jsonl"
#: an index of which a larger part has changed is written anew, and one that was updated so often
_MAX_CHANGED_SHARE = 0.2
_MAX_UPDATES = 8


class _Lines:
    """The lines of `pages.jsonl` and `rejected.jsonl`, by the numbers of their pages; read when they are asked for."""

    def __init__(self, folder: Path, reasons: Iterable[Reason | None]) -> None:
        self._files: dict[bool, IO[bytes]] = {}
        self._is_rejected = np.fromiter((reason is not None for reason in reasons), np.bool_)
        self._starts = np.zeros(len(self._is_rejected), np.int64)
        for is_rejected, name in enumerate((PAGES, REJECTED)):
            file = self._files[bool(is_rejected)] = open(folder / name, "rb")  # noqa: SIM115 - as long as the base
            ends = np.cumsum(np.fromiter((len(line) for line in file), np.int64))
            self._starts[self._is_rejected == is_rejected] = np.concatenate([[0], ends[:-1]])[: len(ends)]

    def __getitem__(self, number: int) -> bytes:
        file = self._files[bool(self._is_rejected[number])]
        file.seek(self._starts[number])
        return file.readline()


@dataclass
class Base:
    """The generation that an update starts from."""

    manifest: Manifest
    folder: Path
    collected: Collected
    linked: dict[str, Mapping[str, object]] = field(default_factory=dict)  #: its files that the new one has too

    @cached_property
    def impacts(self) -> Impacts:
        """Its arrays."""
        return Impacts(self.folder / impacts.FOLDER)

    @cached_property
    def documents(self) -> dict[str, int]:
        """Document number of each answer that it holds."""
        alive = np.flatnonzero(self.impacts.alive).tolist()
        return dict(zip(WhooshStore(self.folder / whoosh_store.FOLDER).ids(alive), alive, strict=True))

    @cached_property
    def lines(self) -> _Lines:
        """What `pages.jsonl` and `rejected.jsonl` say of each page."""
        return _Lines(self.folder, self.collected.reasons())

    @cached_property
    def sounds(self) -> dict[str, str]:
        """How the words and questions sound that were read aloud for it: that takes most of the time of an update."""
        vocabulary = (line.split("\t") for line in _lines_of(self.folder / VOCABULARY))
        suggestions = (line.split("\t") for line in _lines_of(self.folder / SUGGESTIONS))
        return {**{fields[0]: fields[-1] for fields in vocabulary}, **{fields[1]: fields[-1] for fields in suggestions}}

    def link(self, path: str, folder: Path) -> None:
        """Give the new generation one of its files."""
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(self.folder / path, folder / path)
        self.linked[path] = self.manifest.files[path]

    def link_all(self, below: str, folder: Path) -> None:
        """Give the new generation a folder of its files."""
        for path in self.manifest.files:
            if path.startswith(f"{below}/"):
                self.link(path, folder)


def find_base(data: Path, served: Manifest, resources: str, code_version: str) -> Base | None:
    """What an update can start from: the served generation, if it was built with the same resources and program and
    what its build collected is still there, untouched.
    """
    if served.resources != resources or served.code_version != code_version:
        return None
    collected = open_collected(data / "cache", served.generation, served.collected)
    return Base(served, generations.folder_of(data, served.generation), collected) if collected else None


def index(
    collected: Collected, folder: Path, analyzer: Analyzer, settings: Settings, base: Base | None
) -> dict[str, int]:
    """Write pages, index, vocabulary and suggestions of a generation; gives its counts."""
    if base:
        base.link_all("analysis", folder)
    else:
        analyzer.save(folder / "analysis")
    same = unchanged(collected, base) if base else {}
    changes = _changes(collected, base, same) if base else None
    weights = read_ranking_weights(folder / "resources")
    writer = IndexWriter(
        folder,
        open_analysis,
        weights,
        expected=changes.added if changes else collected.answer_count,
        workers=settings.workers,
        memory_mb=settings.memory_mb,
        first_segment=changes.next_segment if changes else 0,
    )
    try:
        with open(folder / PAGES, "wb") as pages, open(folder / REJECTED, "wb") as rejected:
            for number, reason in enumerate(collected.reasons()):
                out = pages if reason is None else rejected
                if number in same and base:
                    out.write(base.lines[same[number]])
                    if changes:
                        continue
                _write(collected.compared(number), None if number in same else out, writer)
        segments = writer.finish()
    finally:
        writer.stop()
    if base and changes:
        extend_index(base.folder, folder, changes.removed, segments, weights, analysis_of(analyzer), base.link)
    else:
        commit_index(folder, segments, weights)
    _write_words(collected, folder, analyzer, base.sounds if base else {})
    return counts_of(collected)


def open_analysis(folder: Path) -> Analysis:
    """What texts become in a generation, for a worker process."""
    return analysis_of(open_analyzer(folder, folder.parents[1] / "cache"))


def analysis_of(analyzer: Analyzer) -> Analysis:
    """The same of an analyzer that is open."""
    return Analysis(analyzer.lexicon.normal, analyzer.segmenter.dictionary, partial(about, analyzer=analyzer))


@dataclass(frozen=True)
class _Changes:
    """What an update does to an index."""

    added: int  #: answers that are new or not as they were
    removed: list[int]  #: documents of the base that the new index has not
    next_segment: int


def unchanged(collected: Collected, base: Base) -> dict[int, int]:
    """Pages that say the same as in the base, after comparing too: their numbers here, and there."""
    now, before = collected.comparison, base.collected.comparison
    lines = now.repeated.digests ^ before.repeated.digests
    ids = {id_ for id_, _ in set(now.copies.originals.items()) ^ set(before.copies.originals.items())}
    texts = {text for text, _ in set(now.copies.stock.items()) ^ set(before.copies.stock.items())}
    of_texts = collected.facts()["text"]
    same: dict[int, int] = {}
    for number, there in enumerate(collected.taken_from):
        if there < 0:
            continue
        answers = collected.answers_of(number)
        if lines and not lines.isdisjoint(collected.lines_of(number)):
            continue
        if ids and not ids.isdisjoint(collected.ids_of(number)):
            continue
        if texts and not texts.isdisjoint(of_texts[answers.start : answers.stop].tolist()):
            continue
        same[number] = there
    return same


def _changes(collected: Collected, base: Base, same: Mapping[int, int]) -> _Changes | None:
    """None when the index is better written anew."""
    kept: set[int] = set()
    for number in same:
        kept.update(base.documents[id_] for id_ in collected.ids_of(number))
    removed = sorted(set(base.documents.values()) - kept)
    added = collected.answer_count - len(kept)
    gone = base.impacts.document_count - len(base.documents) + len(removed)
    too_much = gone + added > _MAX_CHANGED_SHARE * base.impacts.document_count
    if too_much or base.impacts.updates >= _MAX_UPDATES:
        return None
    return _Changes(added, removed, base.impacts.next_segment)


def _write(item: Page | Rejected, out: BinaryIO | None, writer: IndexWriter) -> None:
    if out is not None:
        out.write(dumps(_as_dict(item), ensure_ascii=False).encode() + b"\n")
    for answer in item.answers if isinstance(item, Page) else ():
        writer.add(answer, fold_key(answer))


def _as_dict(item: Page | Rejected) -> dict[str, object]:
    """As dataclasses.asdict, which copies every text, and takes a hundred times as long."""
    content = {**vars(item), "removed": [vars(block) for block in item.removed]}
    if isinstance(item, Page):
        content["qa_pairs"] = [vars(pair) for pair in item.qa_pairs]
        content["kept"] = [vars(block) for block in item.kept]
        content["answers"] = [{**vars(each), "quality": [vars(fact) for fact in each.quality]} for each in item.answers]
    return content


def _write_words(collected: Collected, folder: Path, analyzer: Analyzer, sounds: Mapping[str, str]) -> None:
    """The vocabulary, for slips, and what is offered while one types."""
    counts = word_counts(Impacts(folder / impacts.FOLDER).segments, analyzer.lexicon.names, MIN_ANSWERS)
    write_vocabulary(folder, analyzer.lexicon, counts, sounds)
    questions = Counter(collected.questions())
    rules = load_suggestion_rules(folder / "resources")
    write_suggestions(folder, analyzer.lexicon, rules, counts, questions, sounds)


def _lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def counts_of(collected: Collected) -> dict[str, int]:
    """Pages, answers, rejections by reason and flaws."""
    counts = Counter(pages=0, answers=collected.answer_count, rejected=0)
    for reason in collected.reasons():
        counts.update(["pages"] if reason is None else ["rejected", f"rejected_{reason.value}"])
    counts.update(f"flaw_{flaw.value}" for flaw in collected.flaws())
    return dict(counts)
