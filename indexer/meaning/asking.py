"""The vector of a question, made by a thread beside the search that waits for it, no longer than it has time."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError
from indexer.meaning.embedder import Embedder, ModelFacts

_log = logging.getLogger(__name__)

#: questions whose vectors are kept: 1.5 kB each with 384 dimensions
REMEMBERED = 2_000
#: questions that may wait for their turn; who comes later has to do without
MOST_WAITING = 8
#: a model that failed is left alone for so long
REST_S = 30.0

Vector = NDArray[np.float32]


class Waiting:
    """A question whose vector is being made."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_given_up = False
        self._done = threading.Event()
        self._vector: Vector | None = None

    def give(self, vector: Vector | None) -> None:
        """End the waiting, with nothing where there will be nothing."""
        self._vector = vector
        self._done.set()

    def vector(self, wait_s: float | None) -> Vector | None:
        """Shape (dimension,); None when it is late, or cannot be made. None as time waits to the end."""
        if not self._done.wait(wait_s):
            self.is_given_up = True
        return self._vector


class Asker:
    """Makes vectors of questions, one after another. Safe to use from many threads, and after a fork."""

    def __init__(self, load: Callable[[], Embedder], clock: Callable[[], float] = time.monotonic) -> None:
        """`load` opens the model, in the thread that will use it. `clock` gives seconds."""
        self._load = load
        self._clock = clock
        self._begin()
        begin = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (begin() or (lambda: None))())

    def _begin(self) -> None:
        """In this process: threads do not outlive a fork, and what a model has opened may not either."""
        self._lock = threading.Lock()
        self._wanted = threading.Condition(self._lock)
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._queue: deque[Waiting] = deque()
        self._thread: threading.Thread | None = None
        self._rests_until = 0.0
        self.model: ModelFacts | None = None  #: of the model that is open
        self.problem = ""  #: why it is not

    def start(self) -> None:
        """Open the model, so that no question has to wait for that; nothing when it is open or rests."""
        with self._lock:
            self._start()

    def ask(self, text: str) -> Waiting:
        """Have the vector of a question made; it may be known already."""
        waiting = Waiting(text)
        with self._lock:
            known = self._known.get(text)
            if known is not None:
                self._known.move_to_end(text)
                waiting.give(known)
            elif len(self._queue) >= MOST_WAITING or not self._start():
                waiting.give(None)
            else:
                self._queue.append(waiting)
                self._wanted.notify()
        return waiting

    def _start(self) -> bool:
        """Whether somebody is at work. The lock must be held."""
        if self._thread is None and self._clock() >= self._rests_until:
            self._thread = threading.Thread(target=self._work, name="meaning", daemon=True)
            self._thread.start()
        return self._thread is not None

    def _work(self) -> None:
        """Until the model fails; the next question after a rest begins anew."""
        try:
            embedder = self._load()
            with self._lock:
                self.model, self.problem = embedder.facts, ""
            while True:
                with self._lock:
                    while not self._queue:
                        self._wanted.wait()
                    waiting = self._queue.popleft()
                if waiting.is_given_up:
                    continue
                try:
                    vector = embedder.embed_questions([waiting.text])[0]
                except BaseException:
                    waiting.give(None)
                    raise
                with self._lock:
                    self._known[waiting.text] = vector
                    while len(self._known) > REMEMBERED:
                        self._known.popitem(last=False)
                waiting.give(vector)
        except MeaningError as error:
            self._fail(str(error))
        except Exception as error:  # a model's library may raise anything; its text may hold the question
            self._fail(f"意思模型出错（{type(error).__name__}）；检索照常按词语进行，{REST_S:.0f} 秒后再试。")

    def _fail(self, sentence: str) -> None:
        with self._lock:
            self._thread, self.problem = None, sentence
            self._rests_until = self._clock() + REST_S
            waiting = list(self._queue)
            self._queue.clear()
        _log.warning("%s", sentence)
        for each in waiting:
            each.give(None)
