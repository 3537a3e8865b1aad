"""jieba's dictionary and the lexicon's words as arrays that are mapped, not loaded: what `cutting.py` works on."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.cutting import (
    EMPTY,
    FIRST_HAN,
    LAST_HAN,
    NO_NODE,
    Codes,
    Dictionary,
    cut,
    insert,
    moved,
    node_of,
)

_MIN_LOG = -3.14e100  # jieba's log probability of what never happens
_MAX_LOAD = 0.7
_SMALL_BYTES = 4096


def codes_of(text: str) -> Codes:
    """A text as an array of code points, shape (characters,); read-only."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def save(dictionary: Dictionary, folder: Path) -> None:
    """Write each array to a file of its own."""
    folder.mkdir()
    for name, values in dictionary._asdict().items():
        np.save(folder / f"{name}.npy", values)


def open_saved(folder: Path) -> Dictionary:
    """Map what `save` wrote. Raises OSError or ValueError when a file is missing or none."""
    return Dictionary(*(mapped(folder / f"{name}.npy") for name in Dictionary._fields))


def mapped(file: Path) -> NDArray[Any]:
    """An array as it lies in a file, without reading it; what is small is read. Raises OSError or ValueError."""
    if file.stat().st_size < _SMALL_BYTES:
        read: NDArray[Any] = np.load(file)
        return read
    # "c": private to us if anyone should write, and of the one type that the kernels are compiled for
    return np.asarray(np.load(file, mmap_mode="c"))


def make(names: Sequence[str], same: Mapping[str, str]) -> Dictionary:
    """jieba's dictionary with the lexicon: `names` of terms are cut out whole where they stand alone; `same` are all
    words of the lexicon, each with its term's name. The words' numbers are their places in `same`.
    """
    growing = _Growing()
    growing.add_jieba(_jieba_words())
    for name in names:
        growing.add_term(name)
    numbers = {word: number for number, word in enumerate(same)}
    return growing.finished(list(same), np.array([numbers[name] for name in same.values()], np.int32))


def _jieba_words() -> Iterable[tuple[str, int]]:
    spec = find_spec("jieba")
    assert spec is not None and spec.origin is not None
    with open(Path(spec.origin).with_name("dict.txt"), encoding="utf-8") as lines:
        for line in lines:
            word, frequency = line.split(" ")[:2]
            yield word, int(frequency)


class _Growing:
    """A dictionary while words are added, with the frequencies themselves."""

    def __init__(self) -> None:
        self._edges = np.full(2**21, EMPTY, np.uint64)
        self._targets = np.zeros(2**21, np.int32)
        self._nodes = 1
        self._frequencies: dict[int, int] = {}  # by node
        self._logs = np.full(2**16, -1.0)
        self._total = 0
        self._start, self._transition, self._emission = _markov_model()
        self._letters = _letters()

    def add_jieba(self, words: Iterable[tuple[str, int]]) -> None:
        """jieba's dictionary; of a word that stands there twice the later frequency, and both in the sum."""
        texts, frequencies = zip(*words, strict=True)
        for node, frequency in zip(self._inserted(texts).tolist(), frequencies, strict=True):
            self._set(node, frequency)
        self._total += sum(frequencies)

    def add_term(self, term: str) -> None:
        """As jieba's add_word without a frequency, which computes one just high enough; and only where jieba does not
        cut the term out by itself: a number of ours would overwrite the dictionary's and could split a common word
        (月经 added with 5).
        """
        codes = codes_of(term)
        dictionary = self._dictionary((), np.empty(0, np.int32), np.empty(0, np.int32))
        if len(_spans(dictionary, codes, by_model=True)) == 1:
            return
        # what follows is jieba.Tokenizer.suggest_freq, in its order
        share = 1.0
        for start, end in _spans(dictionary, codes, by_model=False):
            node = int(node_of(dictionary, codes, start, end))
            # a prefix that is no word counts 0 there, what is unknown 1
            frequency = 1 if node == NO_NODE else self._frequencies.get(node, 0)
            share *= frequency / float(self._total)
        node = int(self._inserted([term])[0])
        frequency = max(int(share * self._total) + 1, self._frequencies.get(node, 1))
        self._set(node, frequency)
        self._total += frequency

    def finished(self, words: Sequence[str], same: NDArray[np.int32]) -> Dictionary:
        """The dictionary with the lexicon's words, in a table just large enough."""
        nodes = self._inserted(words)
        word_of_node = np.full(self._nodes, -1, np.int32)
        word_of_node[nodes] = np.arange(len(words), dtype=np.int32)
        size = 2 ** math.ceil(math.log2(self._nodes / _MAX_LOAD))
        edges, targets = np.full(size, EMPTY, np.uint64), np.zeros(size, np.int32)
        moved(self._edges, self._targets, edges, targets)
        self._edges, self._targets = edges, targets
        return self._dictionary(words, word_of_node, same)

    def _dictionary(self, words: Sequence[str], word_of_node: NDArray[np.int32], same: NDArray[np.int32]) -> Dictionary:
        return Dictionary(
            self._edges,
            self._targets,
            self._logs[: self._nodes] if words else self._logs,
            word_of_node,
            np.array([math.log(self._total)]),
            self._start,
            self._transition,
            self._emission,
            self._letters,
            same,
            codes_of("".join(words)).copy(),
            np.cumsum([0, *map(len, words)], dtype=np.int64),
        )

    def _inserted(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The node of each word, made where there was none."""
        found = np.empty(len(words), np.int32)
        ends = np.cumsum([len(word) for word in words], dtype=np.int64)
        while self._nodes + (int(ends[-1]) if len(ends) else 0) > _MAX_LOAD * len(self._edges):
            edges, targets = np.full(2 * len(self._edges), EMPTY, np.uint64), np.zeros(2 * len(self._edges), np.int32)
            moved(self._edges, self._targets, edges, targets)
            self._edges, self._targets = edges, targets
        self._nodes = int(insert(self._edges, self._targets, self._nodes, codes_of("".join(words)), ends, found))
        self._make_room()
        return found

    def _make_room(self) -> None:
        if self._nodes > len(self._logs):
            self._logs = np.concatenate([self._logs, np.full(self._nodes, -1.0)])

    def _set(self, node: int, frequency: int) -> None:
        self._frequencies[node] = frequency
        self._logs[node] = math.log(frequency) if frequency else -1.0


def _spans(dictionary: Dictionary, codes: Codes, by_model: bool) -> list[tuple[int, int]]:
    spans = np.empty((len(codes), 2), np.int32)
    return [(start, end) for start, end in spans[: cut(dictionary, codes, spans, by_model)].tolist()]


def _markov_model() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """jieba's, as arrays in the order of `cutting.py`'s states."""
    from jieba.finalseg import prob_emit, prob_start, prob_trans

    states = "BEMS"
    start = np.array([prob_start.P[state] for state in states])
    transition = np.array([[prob_trans.P[first].get(then, _MIN_LOG) for then in states] for first in states])
    emission = np.full((4, LAST_HAN - FIRST_HAN + 1), _MIN_LOG)
    for row, state in zip(emission, states, strict=True):
        for character, log in prob_emit.P[state].items():
            if FIRST_HAN <= ord(character) <= LAST_HAN:
                row[ord(character) - FIRST_HAN] = log
    return start, transition, emission


def _letters() -> NDArray[np.uint8]:
    r"""A bit for each code point that \w matches: letters, digits and the underscore."""
    wanted = np.zeros(sys.maxunicode + 1, np.bool_)
    for code in range(sys.maxunicode + 1):
        wanted[code] = chr(code).isalnum()
    wanted[ord("_")] = True
    return np.packbits(wanted, bitorder="little")
