"""What a search asks: the meaning of its question beside the vectors of the generation that answers."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError
from indexer.meaning.asking import Asker, Waiting
from indexer.meaning.choosing import open_embedder
from indexer.meaning.embedder import Embedder
from indexer.meaning.vectors import Vectors, open_vectors
from indexer.settings import Settings
from indexer.store.generations import MANIFEST
from indexer.store.generations import VECTORS as FOLDER

_log = logging.getLogger(__name__)

#: how often it is looked whether a generation has got vectors
_LOOK_EVERY_S = 5.0


class QuestionMeaning:
    """The meaning of one question beside the vectors of one generation (ranking.meant.Meant)."""

    def __init__(self, vectors: Vectors, question: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self._question = question

    def nearest(self, count: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Documents, the nearest first."""
        return self._vectors.nearest(self._question, count, allowed).documents

    def likeness(self, documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Standard deviations above chance, for this question."""
        return self._vectors.likeness(self._question, documents)

    def closeness(self, likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviations above what two passages by chance have in common."""
        return self._vectors.closeness(self._question, likeness)


class AskedMeaning:
    """A question whose meaning is being worked out."""

    def __init__(self, vectors: Vectors, waiting: Waiting, wait_s: Callable[[], float | None], asker: Asker) -> None:
        self._vectors = vectors
        self._waiting = waiting
        self._wait_s = wait_s
        self._asker = asker
        self.state = "late"  #: until it has been got: "on", or "off" when the vectors are another model's

    def get(self) -> QuestionMeaning | None:
        """Wait as long as there is time; None without a vector to compare with."""
        vector = self._waiting.vector(self._wait_s())
        if vector is None:
            return None
        model = self._asker.model
        if model is None or model.fingerprint != self._vectors.model.fingerprint:
            self.state = "off"
            return None
        self.state = "on"
        return QuestionMeaning(self._vectors, vector)


class Meaning:
    """The likeness of meaning in one data directory. Safe to use from many threads, and after a fork."""

    def __init__(self, data: Path, settings: Settings, load: Callable[[], Embedder] | None = None) -> None:
        """`load` opens the model; None: the one that is set."""
        self._data = data
        self._budget_s = settings.meaning_budget_ms / 1000
        self._asker = Asker(load or (lambda: _chosen(settings)))
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, tuple[int, int] | None, Vectors | None]] = {}
        self._told: set[str] = set()

    def look_after(self) -> None:
        """Open the model before it is asked."""
        self._asker.start()

    def ask(self, generation: str, text: str, left_s: Callable[[], float | None]) -> AskedMeaning | None:
        """Begin to work out a question's meaning; None where a generation has no vectors, or none of this model.

        `left_s` tells, when the waiting begins, how long a search may wait for what else there is, in seconds; None:
        to the end, whatever the budget.
        """
        vectors = self.vectors(generation)
        model = self._asker.model
        if vectors is None or (model is not None and model.fingerprint != vectors.model.fingerprint):
            if vectors is not None:
                self._tell(
                    f"{generation} 的意思向量是用另一个模型（{vectors.model.name}，{vectors.model.dimension} 维）"
                    "生成的，不能与现在的模型一起用；检索按词语进行，请运行 yiwen vectors 重新生成。"
                )
            return None
        asked_at = time.monotonic()

        def wait_s() -> float | None:
            left = left_s()
            return None if left is None else max(min(left, asked_at + self._budget_s - time.monotonic()), 0.0)

        return AskedMeaning(vectors, self._asker.ask(text), wait_s, self._asker)

    def vectors(self, generation: str) -> Vectors | None:
        """Those of a generation, as they are now; None when there are none, or damaged ones."""
        now = time.monotonic()
        with self._lock:
            held = self._held.get(generation)
            if held is not None and now - held[0] < _LOOK_EVERY_S:
                return held[2]
            stamp = self._stamp(generation)
            vectors = held[2] if held is not None and held[1] == stamp else self._opened(generation)
            kept = {name: one for name, one in self._held.items() if now - one[0] < 10 * _LOOK_EVERY_S}
            self._held = {**kept, generation: (now, stamp, vectors)}
            return vectors

    def revision(self, generation: str) -> str:
        """Stands for what answers come from besides the words: another model or other vectors have another."""
        vectors = self.vectors(generation)
        return vectors.fingerprint if vectors is not None else ""

    def _stamp(self, generation: str) -> tuple[int, int] | None:
        """What is there, as cheaply as can be."""
        try:
            found = os.stat(self._data / "generations" / generation / FOLDER / MANIFEST)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _opened(self, generation: str) -> Vectors | None:
        try:
            return open_vectors(self._data, generation)
        except MeaningError as error:
            self._tell(str(error))
            return None

    def _tell(self, sentence: str) -> None:
        """Once in the life of a process."""
        if sentence not in self._told:
            self._told.add(sentence)
            _log.warning("%s", sentence)


def _chosen(settings: Settings) -> Embedder:
    embedder = open_embedder(settings)
    assert embedder is not None, "there is no Meaning without a model"
    return embedder
