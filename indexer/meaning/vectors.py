"""The vectors of a generation, memory-mapped: which answers lie near a question, and how much nearer than by chance.

vectors/
    codes.npy scales.npy signs.npy   one row a passage, those of an answer one after another (nearness.Codes)
    documents.npy                    number of the answer of each passage, ascending
    mean.npy spread.npy              mean of all vectors and their covariance
    manifest.json                    whose they are and which model made them (store/vectors_folder.py)

Cosines of one model lie in a narrow band (.75 to .95 with e5) that differs from question to question. What counts is
therefore how many standard deviations above the mean of all passages a product lies: with mean m and covariance C of
the passages, those of their products with a question q are q.m and sqrt(qCq). Whether anything lies near at all is told
by another measure, `closeness`: a question about other things has its most alike answers too, but is far from all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError, cause_of
from indexer.meaning.embedder import ModelFacts, Rows
from indexer.meaning.nearness import Codes, codes_of, nearest, products, signs_of
from indexer.store import vectors_folder
from indexer.store.vectors_folder import VectorsManifest, add_vectors

#: a passage by chance lies so near, in standard deviations: what an answer without a vector gets
_BY_CHANCE = 0.0


class Near(NamedTuple):
    """Answers near a question, the nearest first."""

    documents: NDArray[np.int64]
    likeness: NDArray[np.float64]  #: standard deviations above the mean


@dataclass(frozen=True)
class Vectors:
    """Safe to share between threads and after a fork."""

    model: ModelFacts
    codes: Codes
    documents: NDArray[np.int32]  #: shape (passages,)
    mean: NDArray[np.float32]  #: shape (dimension,)
    spread: NDArray[np.float32]  #: shape (dimension, dimension)
    fingerprint: str  #: of its files: vectors made anew have another

    def nearest(self, question: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]) -> Near:
        """The `count` answers nearest to a question's vector, equals by number. `allowed` marks answers that may be
        found, shape (document_count,). The best passage of an answer counts.
        """
        signs = signs_of((question - self.mean)[None, :])[0]
        places, found = nearest(self.codes, question, signs, self.documents, allowed)
        if not len(places):
            return Near(np.empty(0, np.int64), np.empty(0))
        owners = self.documents[places]
        firsts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
        best = np.maximum.reduceat(found, firsts)
        last = max(len(best) - count, 0)
        few = np.flatnonzero(best >= np.partition(best, last)[last])  # to sort all takes a millisecond
        documents, best = owners[firsts[few]].astype(np.int64), best[few]
        order = np.lexsort((documents, -best))[:count]
        return Near(documents[order], self._likeness(question, best[order]))

    def likeness(self, question: NDArray[np.float32], documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of these answers, in their order; 0 for one without a vector."""
        wanted = documents.astype(np.int32)  # else all of the others would be widened to be compared
        starts = np.searchsorted(self.documents, wanted, "left")
        ends = np.searchsorted(self.documents, wanted, "right")
        lengths = ends - starts
        total = int(lengths.sum())
        if not total:
            return np.full(len(documents), _BY_CHANCE)
        offsets = np.cumsum(lengths) - lengths
        places = np.arange(total) - np.repeat(offsets - starts, lengths)
        found = self._likeness(question, products(self.codes, question, places))
        has = lengths > 0
        best = np.full(len(documents), _BY_CHANCE)
        best[has] = np.maximum.reduceat(found, offsets[has])
        return best

    def closeness(self, question: NDArray[np.float32], likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Likeness to a question in standard deviations above what two passages by chance have in common: their product
        has the mean m.m and the variance tr(CC) + 2 mCm.
        """
        by_chance, deviation = self._by_chance(question)
        mean, deviation_of_two = self._of_two_by_chance
        return np.asarray((likeness * deviation + by_chance - mean) / deviation_of_two, np.float64)

    @cached_property
    def _of_two_by_chance(self) -> tuple[float, float]:
        """Mean and standard deviation of the product of two passages."""
        mean, spread = self.mean.astype(np.float64), self.spread.astype(np.float64)
        return float(mean @ mean), max(float((spread * spread).sum() + 2 * mean @ spread @ mean), 1e-12) ** 0.5

    def _likeness(self, question: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float64]:
        by_chance, deviation = self._by_chance(question)
        return np.asarray((found.astype(np.float64) - by_chance) / deviation, np.float64)

    def _by_chance(self, question: NDArray[np.float32]) -> tuple[float, float]:
        """Mean and standard deviation of a question's products with all passages."""
        return float(question @ self.mean), max(float(question @ self.spread @ question), 1e-9) ** 0.5


def save_vectors(
    data: Path,
    generation: str,
    index: str,
    model: ModelFacts,
    documents: NDArray[np.int32],
    batches: Callable[[], Iterator[Rows]],
) -> VectorsManifest:
    """Add vectors to a generation. `index` is its fingerprint, `documents` tells whose each row is, ascending, and
    `batches` gives the rows in that order; it is gone through twice, so that all of them never lie in memory.

    Raises OSError for a disk that fails, GenerationMissing; nothing is left then.
    """

    def write(folder: Path) -> None:
        mean, spread = _mean_and_spread(batches(), len(documents), model.dimension)
        np.save(folder / "mean.npy", mean)
        np.save(folder / "spread.npy", spread)
        np.save(folder / "documents.npy", documents.astype(np.int32))
        shapes: tuple[NDArray[Any], ...] = codes_of(np.ones((1, model.dimension), np.float32), mean)
        arrays = [
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", each.dtype, (len(documents), *each.shape[1:]))
            for name, each in zip(_FILES, shapes, strict=True)
        ]
        for path in folder.glob("*.npy"):
            with open(path, "rb+") as file:  # or a full disk would end the process while it writes to what is mapped
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        row = 0
        for rows in batches():
            for target, found in zip(arrays, codes_of(rows, mean), strict=True):
                target[row : row + len(rows)] = found
            row += len(rows)
        for target in arrays:
            target.flush()

    counts = {"answers": len(np.unique(documents)), "passages": len(documents)}
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"index": index, "model": asdict(model), "counts": counts, "created": created}
    return add_vectors(data, generation, facts, write)


_FILES = ("codes", "scales", "signs")


def _mean_and_spread(
    batches: Iterator[Rows], count: int, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    total, squares = np.zeros(dimension), np.zeros((dimension, dimension))
    for rows in batches:
        exact = rows.astype(np.float64)
        total += exact.sum(axis=0)
        squares += exact.T @ exact
    mean = total / max(count, 1)
    spread = squares / max(count, 1) - np.outer(mean, mean)
    return mean.astype(np.float32), spread.astype(np.float32)


def open_vectors(data: Path, generation: str) -> Vectors | None:
    """The vectors of a generation; None when it has none. Raises MeaningError when they are damaged."""
    manifest = vectors_folder.open_manifest(data, generation)
    if manifest is None:
        return None
    folder = vectors_folder.folder_of(data, generation)
    try:
        mapped = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
        return Vectors(
            ModelFacts(**manifest.model),
            Codes(*(mapped[name] for name in _FILES)),
            mapped["documents"],
            np.array(mapped["mean"]),
            np.array(mapped["spread"]),
            str(manifest.files["codes.npy"]["sha256"]),
        )
    except OSError as error:
        raise MeaningError(f"索引 {generation} 的意思向量无法读取：{cause_of(error)}；检索照常按词语进行。") from error
    except (ValueError, KeyError, TypeError) as error:
        raise MeaningError(
            f"索引 {generation} 的意思向量与程序不符（{error}）；请用 yiwen vectors 重新生成。"
        ) from error


def free_bytes_wanted(passages: int, dimension: int) -> int:
    """What vectors take on disk: arrays, and half-precision numbers in the cache, whose pages are two thirds full."""
    return passages * (dimension + dimension // 8 + 8 + 3 * (dimension + 40)) + 8 * dimension * dimension


def has_room(data: Path, passages: int, dimension: int, reserve_bytes: int) -> bool:
    """Whether vectors of so many passages fit on the disk."""
    return shutil.disk_usage(data).free >= free_bytes_wanted(passages, dimension) + reserve_bytes
