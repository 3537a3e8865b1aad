"""Writes an index: segment after segment, each into Whoosh and into arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from whoosh.codec.whoosh3 import W3Segment

from indexer.analysis.cutting import Dictionary
from indexer.resources import RankingWeights
from indexer.store import impacts, whoosh_store
from indexer.store.base import TERM_KINDS, PreparedAnswer
from indexer.store.impact_writer import MAX_DOCUMENTS, CountedSegment, SegmentCounter, save_counted
from indexer.store.whoosh_writer import AnswersWriter, commit


class IndexWriter:
    """Takes answers, once, and makes them searchable when committed."""

    def __init__(
        self, folder: Path, dictionary: Dictionary, weights: RankingWeights, max_documents: int = MAX_DOCUMENTS
    ) -> None:
        """`folder` is the generation's; `max_documents` go into one segment."""
        self._folder = folder
        self._dictionary = dictionary
        self._weights = weights
        self._max_documents = max_documents
        self._waiting: list[PreparedAnswer] = []
        self._segments: list[tuple[str, W3Segment]] = []

    def add(self, answer: PreparedAnswer) -> None:
        """Take one answer."""
        self._waiting.append(answer)
        if len(self._waiting) == self._max_documents:
            self._flush()

    def commit(self) -> None:
        """Write what is left and make it all one index."""
        self._flush()
        commit_index(self._folder, self._segments, self._weights)

    def _flush(self) -> None:
        if self._waiting:
            name = segment_name(len(self._segments))
            self._segments.append((name, write_segment(self._folder, name, self._waiting, self._dictionary)))
            self._waiting = []


def segment_name(number: int) -> str:
    """Names sort in the order of the numbers."""
    return f"segment-{number + 1:06d}"


def write_segment(folder: Path, name: str, answers: Sequence[PreparedAnswer], dictionary: Dictionary) -> W3Segment:
    """Write up to MAX_DOCUMENTS answers as a segment; gives what `commit_index` needs of it."""
    counted = write_arrays(folder / impacts.FOLDER, name, answers, dictionary)
    (folder / whoosh_store.FOLDER).mkdir(exist_ok=True)
    writer = AnswersWriter(folder / whoosh_store.FOLDER)
    lengths = counted.lengths[:, :, TERM_KINDS.index("words")].tolist()
    for answer, words in zip(answers, lengths, strict=True):
        writer.add(answer.answer, words)
    return writer.finish(counted)


def write_arrays(folder: Path, name: str, answers: Sequence[PreparedAnswer], dictionary: Dictionary) -> CountedSegment:
    """The part of a segment that is arrays."""
    counter = SegmentCounter(dictionary)
    for answer in answers:
        counter.add(answer.question, answer.text)
    counted = counter.finish()
    save_counted(counted, folder / name)
    _save_facts(answers, folder / name)
    return counted


def _save_facts(answers: Sequence[PreparedAnswer], folder: Path) -> None:
    """What is looked at while results are chosen."""
    np.save(folder / "fold_keys.npy", np.array([answer.fold_key for answer in answers], np.uint64))
    sites = {site: number for number, site in enumerate(dict.fromkeys(answer.answer.site for answer in answers))}
    np.save(folder / "sites.npy", np.array([sites[answer.answer.site] for answer in answers], np.int32))
    (folder / "sites.json").write_text(json.dumps(list(sites), ensure_ascii=False), encoding="utf-8")


def commit_index(folder: Path, segments: Sequence[tuple[str, W3Segment]], weights: RankingWeights) -> None:
    """Make written segments, by their names in the order of their documents, an index."""
    (folder / whoosh_store.FOLDER).mkdir(exist_ok=True)
    (folder / impacts.FOLDER).mkdir(exist_ok=True)
    commit(folder / whoosh_store.FOLDER, [segment for _, segment in segments])
    impacts.finish(folder / impacts.FOLDER, [name for name, _ in segments], weights)
