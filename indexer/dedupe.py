"""Copies among answers: the same text under many questions, and near-duplicates across the corpus.

Near-duplicates are found by MinHash (Broder 1997) over character 4-grams, banded (Leskovec, Rajaraman, Ullman:
Mining of Massive Datasets, 3.4): 21 bands of 6 rows put pairs of similarity .8 together with probability .998, and
chance pairs (.02) practically never, so that a million answers stay a matter of sorting. Signatures are arrays:
126 x 4 bytes an answer. An excerpt, a text that stops in mid-sentence, is found by digests of the first 48, 60, 75 ...
letters: 12 bytes each.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from indexer.analysis.normalize import normalize
from indexer.records import Answer, Flaw, Page, QualityFact, Rejected

_BANDS, _ROWS = 21, 6
_SHINGLE_CHARS = 4
_MIN_CHARS = 24  # shorter texts agree by chance: 可以吃，但要适量。
_SIMILARITY = 0.8  # estimated Jaccard similarity from which one text is a copy of another
_STOCK_QUESTIONS = 3
_PREFIX_CHARS = (48, 60, 75, 94, 117, 146, 183, 229)  # of an excerpt at least four fifths are compared
_EXCERPT_SHARE = 0.8  # what is shorter than this part of its original is called an excerpt
_SENTENCE_ENDS = tuple("。！？!?；;")
_CLOSING = "”’\"'）)】]》 \n　"
_SEED = 20_261_122
_NO_DATE = "9999"  # sorts behind every date


@dataclass(frozen=True)
class Copies:
    """What comparing found."""

    originals: Mapping[str, tuple[str, float]]  #: id of a copy -> id of its original, estimated similarity
    stock: Mapping[int, int]  #: digest of a text -> under how many different questions it stands, three or more


class CopyFinder:
    """Takes answers one by one, then tells which are copies."""

    def __init__(self) -> None:
        self._signatures = array("I")
        self._ids: list[str] = []
        self._order: list[tuple[str, int]] = []  # date, then order of reading: the earliest is the original
        self._texts, self._questions = array("Q"), array("Q")
        self._lengths, self._cut = array("I"), array("B")
        self._prefixes = [(array("Q"), array("I")) for _ in _PREFIX_CHARS]  # digests, numbers of the answers

    def add(self, answer: Answer) -> None:
        """Take one answer."""
        text = _letters(answer.text)
        self._texts.append(_digest(text))
        self._questions.append(_digest(_letters(answer.question)))
        if len(text) < _MIN_CHARS:
            return
        minhash = RMinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
        minhash.update([text[i : i + _SHINGLE_CHARS] for i in range(len(text) - _SHINGLE_CHARS + 1)])
        self._signatures.extend(minhash.digest())
        for length, (digests, numbers) in zip(_PREFIX_CHARS, self._prefixes, strict=True):
            if len(text) >= length:
                digests.append(_digest(text[:length]))
                numbers.append(len(self._ids))
        self._lengths.append(len(text))
        self._cut.append(not answer.text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS))
        self._order.append((answer.date or _NO_DATE, len(self._ids)))
        self._ids.append(answer.id)

    def copies(self) -> Copies:
        """Compare all that was taken."""
        signatures = np.array(self._signatures, np.uint32).reshape(len(self._ids), _BANDS * _ROWS)
        groups = _Groups(len(self._ids))
        for band in range(_BANDS):
            for first, second in _neighbours(signatures[:, band * _ROWS : (band + 1) * _ROWS]):
                if groups.root(first) != groups.root(second) and _similarity(signatures, first, second) >= _SIMILARITY:
                    groups.join(first, second)
        for excerpt, whole in self._excerpts():
            groups.join(excerpt, whole)
        return Copies(dict(self._copies_in(groups, signatures)), self._stock())

    def _stock(self) -> dict[int, int]:
        """Texts that answer several questions, each with how many."""
        pairs = np.unique(np.column_stack([_numbers(self._texts), _numbers(self._questions)]), axis=0)
        texts, questions = np.unique(pairs[:, 0], return_counts=True)
        often = questions >= _STOCK_QUESTIONS
        return dict(zip(texts[often].tolist(), questions[often].tolist(), strict=True))

    def _excerpts(self) -> Iterator[tuple[int, int]]:
        """Texts that stop in mid-sentence, each with a longer one that begins with the same letters."""
        for level, (digests, numbers) in enumerate(self._prefixes):
            next_length = _PREFIX_CHARS[level + 1] if level + 1 < len(_PREFIX_CHARS) else 2**32
            longest: dict[int, int] = {}
            for digest, number in zip(digests, numbers, strict=True):
                if self._lengths[number] > self._lengths[longest.setdefault(digest, number)]:
                    longest[digest] = number
            for digest, number in zip(digests, numbers, strict=True):
                whole = longest[digest]
                if self._cut[number] and self._lengths[number] < min(next_length, self._lengths[whole]):
                    yield number, whole

    def _copies_in(self, groups: _Groups, signatures: NDArray[np.uint32]) -> Iterator[tuple[str, tuple[str, float]]]:
        for members in groups.of_several():
            whole = _EXCERPT_SHARE * max(self._lengths[member] for member in members)
            original, *others = sorted(members, key=lambda member: (self._lengths[member] < whole, self._order[member]))
            for member in others:
                yield self._ids[member], (self._ids[original], _similarity(signatures, original, member))


class _Groups:
    """Sets of numbers that grow together (union-find with path halving)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        self._parent[high] = low

    def of_several(self) -> Iterable[list[int]]:
        members: defaultdict[int, list[int]] = defaultdict(list)
        for number, parent in enumerate(self._parent):
            if parent != number:
                members[self.root(number)].append(number)
        return ([root, *others] for root, others in members.items())


def _neighbours(band: NDArray[np.uint32]) -> Iterator[tuple[int, int]]:
    """Pairs of documents that agree in all rows of a band: each with the next one of its bucket."""
    keys = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * band.itemsize))).ravel()
    order = np.argsort(keys, kind="stable")
    equal = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    return zip(order[equal].tolist(), order[equal + 1].tolist(), strict=True)


def _similarity(signatures: NDArray[np.uint32], first: int, second: int) -> float:
    """Share of equal rows, which estimates the Jaccard similarity of the two texts' 4-grams."""
    return float(np.mean(signatures[first] == signatures[second]))


def with_copies(items: Iterable[Page | Rejected], copies: Copies) -> Iterator[Page | Rejected]:
    """The pages with what comparing found in their answers."""
    for item in items:
        if isinstance(item, Page):
            item = replace(item, answers=tuple(_marked(answer, copies) for answer in item.answers))
        yield item


def _marked(answer: Answer, copies: Copies) -> Answer:
    facts = list(answer.quality)
    if questions := copies.stock.get(_digest(_letters(answer.text))):
        facts.append(QualityFact(Flaw.STOCK_ANSWER, f"同样的文字用在 {questions} 个问题下"))
    original, similarity = copies.originals.get(answer.id, (None, 0.0))
    if original is not None:
        alike = f"相似度 {similarity:.2f}" if similarity >= _EXCERPT_SHARE else "开头相同"
        facts.append(QualityFact(Flaw.COPY, f"与 {original} {alike}"))
    return replace(answer, quality=tuple(facts), copy_of=original)


def fold_key(answer: Answer) -> int:
    """Equal for an original and its copies, and for short answers of the same letters; unsigned 64 bit."""
    text = _letters(answer.text)
    return _digest(text if len(text) < _MIN_CHARS else f"id {answer.copy_of or answer.id}")


def _letters(text: str) -> str:
    """Letters and digits only, as they are searched: copies differ in spaces, punctuation and width first."""
    return "".join(filter(str.isalnum, normalize(text).text))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _numbers(values: array[int]) -> NDArray[np.uint64]:
    return np.frombuffer(values, np.uint64) if values else np.empty(0, np.uint64)
