"""Writes an index: segment after segment, each into Whoosh and into arrays, several at a time in worker processes."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from pebble import ProcessExpired, ProcessPool
from whoosh.codec.whoosh3 import W3Segment

from indexer.analysis.about import About
from indexer.analysis.cutting import Dictionary
from indexer.errors import IndexerError
from indexer.records import Answer
from indexer.resources import RankingWeights
from indexer.store import impacts, whoosh_store
from indexer.store.answer_facts import ANSWER_FACTS, answer_facts
from indexer.store.base import TERM_KINDS
from indexer.store.impact_writer import MAX_DOCUMENTS, CountedSegment, SegmentCounter, save_counted
from indexer.store.whoosh_writer import AnswersWriter, commit

#: what counting and sorting the postings of one answer takes at the most, measured at 270 characters an answer
_BYTES_PER_ANSWER = 11_000
#: what a worker process takes before it has an answer
_BYTES_PER_WORKER = 330_000_000
#: fewer answers are not worth a process, which takes a second to start
_MIN_ANSWERS_PER_WORKER = 5_000


class NewAnswer(NamedTuple):
    """An answer as it goes into an index."""

    answer: Answer
    fold_key: int  #: equal for an original and its copies; unsigned 64 bit


class Analysis(NamedTuple):
    """What a text becomes, in any process."""

    normal: Callable[[str], str]
    dictionary: Dictionary
    about: Callable[[Answer], About]


#: gives the analysis of a generation, in a worker process too
OpenAnalysis = Callable[[Path], Analysis]


class IndexWriter:
    """Takes answers, once, and makes them searchable when committed. They wait in files, not in memory."""

    def __init__(
        self,
        folder: Path,
        open_analysis: OpenAnalysis,
        weights: RankingWeights,
        expected: int,
        workers: int = 1,
        memory_mb: int = 1200,
        first_segment: int = 0,
    ) -> None:
        """`folder` is the generation's, its analysis saved; `expected` answers will come. Segments are as large as
        `memory_mb` allows, and are numbered from `first_segment`.
        """
        self._folder = folder
        self._open_analysis = open_analysis
        self._weights = weights
        self._workers = max(min(workers or os.cpu_count() or 1, expected // _MIN_ANSWERS_PER_WORKER), 1)
        self.max_documents = segment_size(expected, self._workers, memory_mb)
        self._first = first_segment
        self._spool: IO[bytes] | None = None
        self._waiting = 0
        self._segments: list[W3Segment | Future[W3Segment]] = []
        self._pool: ProcessPool | None = None

    def add(self, answer: Answer, fold_key: int) -> None:
        """Take one answer."""
        if self._spool is None:
            self._spool = open(self._spool_file(len(self._segments)), "wb")  # noqa: SIM115
        pickle.dump(NewAnswer(answer, fold_key), self._spool, pickle.HIGHEST_PROTOCOL)
        self._waiting += 1
        if self._waiting == self.max_documents:
            self._send()

    def finish(self) -> list[tuple[str, W3Segment]]:
        """Write what is left; gives what `commit_index` needs. Raises IndexerError when a worker died."""
        if self._spool is not None:
            self._send()
        try:
            return [
                (self._name(number), segment if isinstance(segment, W3Segment) else segment.result())
                for number, segment in enumerate(self._segments)
            ]
        except ProcessExpired as error:
            raise IndexerError(
                f"写索引的进程中途退出（退出码 {error.exitcode}），可能是内存不足；请调小 --memory-mb 后重试。"
            ) from error
        finally:
            self.stop()

    def commit(self) -> None:
        """Write what is left and make it all one index."""
        commit_index(self._folder, self.finish(), self._weights)

    def stop(self) -> None:
        """End the workers, also in the middle of their work."""
        if self._spool is not None:
            self._spool.close()
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()

    def _send(self) -> None:
        """Have the answers that wait written as a segment."""
        assert self._spool is not None
        self._spool.close()
        number = len(self._segments)
        arguments = (self._folder, self._name(number), self._spool_file(number), self._open_analysis)
        self._spool, self._waiting = None, 0
        if self._workers == 1:
            self._segments.append(write_segment(*arguments))
            return
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPool(max_workers=self._workers, max_tasks=1, context=context)
        self._segments.append(self._pool.schedule(write_segment, args=arguments))

    def _name(self, number: int) -> str:
        return segment_name(self._first + number)

    def _spool_file(self, number: int) -> Path:
        return self._folder / f"{self._name(number)}.answers"


def segment_name(number: int) -> str:
    """Names sort in the order of the numbers."""
    return f"segment-{number + 1:06d}"


def segment_size(answers: int, workers: int, memory_mb: int) -> int:
    """How many answers go into one segment: as many as memory holds, all segments about the same."""
    for_each = memory_mb * 1_000_000 / workers - _BYTES_PER_WORKER
    most = int(min(max(for_each / _BYTES_PER_ANSWER, 1_000), MAX_DOCUMENTS))
    rounds = math.ceil(answers / (most * workers)) or 1
    return min(max(math.ceil(answers / (rounds * workers)), 1), most)


def write_segment(folder: Path, name: str, spool: Path, open_analysis: OpenAnalysis) -> W3Segment:
    """Write the answers of a file of pickled NewAnswers as a segment, and delete the file; gives what `commit_index`
    needs of it.
    """
    counted = write_arrays(folder / impacts.FOLDER, name, spool, open_analysis(folder))
    (folder / whoosh_store.FOLDER).mkdir(exist_ok=True)
    writer = AnswersWriter(folder / whoosh_store.FOLDER)
    lengths = counted.lengths[:, :, TERM_KINDS.index("words")].tolist()
    for new, words in zip(_unspooled(spool), lengths, strict=True):
        writer.add(new.answer, words)
    spool.unlink()
    return writer.finish(counted)


def write_arrays(folder: Path, name: str, spool: Path, analysis: Analysis) -> CountedSegment:
    """The part of a segment that is arrays."""
    counter = SegmentCounter(analysis.dictionary)
    fold_keys: list[int] = []
    site_numbers: dict[str | None, int] = {}
    sites: list[int] = []
    abouts: list[bytes] = []
    for new in _unspooled(spool):
        counter.add(analysis.normal(new.answer.question), analysis.normal(new.answer.text))
        fold_keys.append(new.fold_key)
        abouts.append(answer_facts(new.answer, analysis.about(new.answer)))
        sites.append(site_numbers.setdefault(new.answer.site, len(site_numbers)))
    counted = counter.finish()
    save_counted(counted, folder / name)
    np.save(folder / name / "fold_keys.npy", np.array(fold_keys, np.uint64))
    np.save(folder / name / "facts.npy", np.frombuffer(b"".join(abouts), ANSWER_FACTS))
    np.save(folder / name / "sites.npy", np.array(sites, np.int32))
    (folder / name / "sites.json").write_text(json.dumps(list(site_numbers), ensure_ascii=False), encoding="utf-8")
    return counted


def _unspooled(spool: Path) -> Iterator[NewAnswer]:
    with open(spool, "rb") as answers:
        while answers.peek(1):
            yield pickle.load(answers)


def commit_index(folder: Path, segments: Sequence[tuple[str, W3Segment]], weights: RankingWeights) -> None:
    """Make written segments, by their names in the order of their documents, an index."""
    (folder / whoosh_store.FOLDER).mkdir(exist_ok=True)
    (folder / impacts.FOLDER).mkdir(exist_ok=True)
    commit(folder / whoosh_store.FOLDER, [segment for _, segment in segments])
    impacts.finish(folder / impacts.FOLDER, [name for name, _ in segments], weights)
