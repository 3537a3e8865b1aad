"""Copies among answers: the same text under many questions, and near-duplicates across the corpus.

Near-duplicates are found by MinHash (Broder 1997) over character 4-grams, banded (Leskovec, Rajaraman, Ullman:
Mining of Massive Datasets, 3.4): 21 bands of 6 rows put pairs of similarity .8 together with probability .998, and
chance pairs (.02) practically never, so that a million answers stay a matter of sorting. An excerpt, a text that stops
in mid-sentence, is found by digests of the first 48, 60, 75 ... letters.
"""

from __future__ import annotations

import hashlib
import mmap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from indexer.analysis.normalize import normalize
from indexer.records import Answer, Page, QualityFact, Rejected
from indexer.verdicts import Flaw

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
_ROWS_AT_ONCE = 65_536  # that are read of a file
_PAIRS_AT_ONCE = 50_000  # of signatures that are compared
_LONG_CHARS = 500  # with so many there are enough letters


#: what comparing needs to know of an answer, in 640 bytes; an index's answers lie in a file of these
FACTS = np.dtype(
    [
        ("text", "<u8"),  # digest of its letters
        ("question", "<u8"),
        ("letters", "<u4"),  # how many
        ("is_cut_off", "?"),  # stops in mid-sentence
        ("date", "S19"),
        ("starts", "<u8", len(_PREFIX_CHARS)),  # digests of its first letters; 0 where it has fewer
        ("signature", "<u4", _BANDS * _ROWS),
    ]
)
Facts = NDArray[np.void]


@dataclass(frozen=True)
class Copies:
    """What comparing found."""

    originals: Mapping[str, tuple[str, float]]  #: id of a copy -> id of its original, estimated similarity
    stock: Mapping[int, int]  #: digest of a text -> under how many different questions it stands, three or more


def copy_facts(answer: Answer) -> bytes:
    """One row of FACTS."""
    text = letters(answer.text)
    row = np.zeros(1, FACTS)
    row["text"], row["question"] = _digest(text), _digest(letters(answer.question))
    row["letters"], row["date"] = len(text), (answer.date or _NO_DATE).encode()[:19]
    row["is_cut_off"] = not answer.text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
    if len(text) >= _MIN_CHARS:
        minhash = RMinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
        minhash.update([text[i : i + _SHINGLE_CHARS] for i in range(len(text) - _SHINGLE_CHARS + 1)])
        row["signature"] = minhash.digest()
        row["starts"] = [_digest(text[:length]) if len(text) >= length else 0 for length in _PREFIX_CHARS]
    return row.tobytes()


class _Ids(Protocol):
    """Ids of answers, by their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> str | None: ...


def find_copies(ids: _Ids, facts: Facts) -> Copies:
    """Compare answers, given by their ids and facts in the order of reading."""
    numbers = np.flatnonzero(_column(facts, "letters") >= _MIN_CHARS)
    groups = _Groups(len(ids))
    for band in range(_BANDS):
        rows = _column(facts, "signature", slice(band * _ROWS, (band + 1) * _ROWS))[numbers]
        first, second = (numbers[each] for each in _neighbours(rows))
        alike = _similarities(facts, first, second) >= _SIMILARITY
        groups.join_all(first[alike], second[alike])
    for excerpts, wholes in _excerpts(facts, numbers):
        groups.join_all(excerpts, wholes)
    return Copies(dict(_copies_in(groups, ids, facts)), _stock(facts))


def _column(facts: Facts, name: str, part: slice = slice(None)) -> NDArray[Any]:
    """A copy of one column, or of a part of its second dimension."""
    column = facts[name] if facts[name].ndim == 1 else facts[name][:, part]
    copied = np.empty(column.shape, column.dtype)
    for start in range(0, len(facts), _ROWS_AT_ONCE):
        copied[start : start + _ROWS_AT_ONCE] = column[start : start + _ROWS_AT_ONCE]
        _release(facts)
    return copied


def _release(facts: Facts) -> None:
    """Let go of the memory that a mapped file takes: of a million answers the whole would take a gigabyte."""
    if isinstance(opened := getattr(facts, "_mmap", None), mmap.mmap):
        opened.madvise(mmap.MADV_DONTNEED)


def _stock(facts: Facts) -> dict[int, int]:
    """Texts that answer several questions, each with how many."""
    pairs = np.unique(np.column_stack([_column(facts, "text"), _column(facts, "question")]), axis=0)
    texts, questions = np.unique(pairs[:, 0], return_counts=True)
    often = questions >= _STOCK_QUESTIONS
    return dict(zip(texts[often].tolist(), questions[often].tolist(), strict=True))


def _excerpts(facts: Facts, numbers: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Texts that stop in mid-sentence, each with the longest one that begins with the same letters, if it is longer."""
    lengths, is_cut_off = _column(facts, "letters"), _column(facts, "is_cut_off")
    for level, least in enumerate(_PREFIX_CHARS):
        most = _PREFIX_CHARS[level + 1] if level + 1 < len(_PREFIX_CHARS) else 2**32 - 1
        here = numbers[lengths[numbers] >= least]
        starts = _column(facts, "starts", slice(level, level + 1))[here, 0]
        order = np.lexsort((here, -lengths[here].astype(np.int64), starts))  # of each start the longest first
        here, starts = here[order], starts[order]
        is_first = np.ones(len(here), np.bool_)
        is_first[1:] = starts[1:] != starts[:-1]
        wholes = here[is_first][np.cumsum(is_first) - 1]
        chosen = is_cut_off[here] & (lengths[here] < np.minimum(lengths[wholes], most))
        yield here[chosen], wholes[chosen]


def _copies_in(groups: _Groups, ids: _Ids, facts: Facts) -> Iterator[tuple[str, tuple[str, float]]]:
    for members in groups.of_several():
        lengths = {member: int(facts["letters"][member]) for member in members}
        whole = _EXCERPT_SHARE * max(lengths.values())
        # the earliest is the original, but an excerpt never is
        original, *others = sorted(members, key=lambda each: (lengths[each] < whole, facts["date"][each], each))
        similarities = _similarities(facts, np.full(len(others), original), np.array(others))
        for member, similarity in zip(others, similarities.tolist(), strict=True):
            yield ids[member] or "", (ids[original] or "", similarity)


class CopyFinder:
    """Takes answers one by one, then tells which are copies."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: list[bytes] = []

    def add(self, answer: Answer) -> None:
        """Take one answer."""
        self._ids.append(answer.id)
        self._rows.append(copy_facts(answer))

    def copies(self) -> Copies:
        """Compare all that was taken."""
        return find_copies(self._ids, np.frombuffer(b"".join(self._rows), FACTS))


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

    def join_all(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> None:
        """Join the pairs of two arrays."""
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self.join(one, other)

    def of_several(self) -> Iterable[list[int]]:
        members: defaultdict[int, list[int]] = defaultdict(list)
        for number, parent in enumerate(self._parent):
            if parent != number:
                members[self.root(number)].append(number)
        return ([root, *others] for root, others in members.items())


def _neighbours(band: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of rows that agree in a whole band: each with the next one of its bucket."""
    keys = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * band.itemsize))).ravel()
    order = np.argsort(keys, kind="stable")
    equal = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    return order[equal], order[equal + 1]


def _similarities(facts: Facts, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    """Share of equal rows of pairs of signatures, which estimates the Jaccard similarity of the texts' 4-grams."""
    found = np.empty(len(first))
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        pairs = slice(start, start + _PAIRS_AT_ONCE)
        found[pairs] = (facts["signature"][first[pairs]] == facts["signature"][second[pairs]]).mean(axis=1)
        _release(facts)
    return found


def with_copies(items: Iterable[Page | Rejected], copies: Copies) -> Iterator[Page | Rejected]:
    """The pages with what comparing found in their answers."""
    for item in items:
        if isinstance(item, Page):
            item = replace(item, answers=tuple(_marked(answer, copies) for answer in item.answers))
        yield item


def _marked(answer: Answer, copies: Copies) -> Answer:
    facts = list(answer.quality)
    if questions := copies.stock.get(_digest(letters(answer.text))):
        facts.append(QualityFact(Flaw.STOCK_ANSWER, f"同样的文字用在 {questions} 个问题下"))
    original, similarity = copies.originals.get(answer.id, (None, 0.0))
    if original is not None:
        alike = f"相似度 {similarity:.2f}" if similarity >= _EXCERPT_SHARE else "开头相同"
        facts.append(QualityFact(Flaw.COPY, f"与 {original} {alike}"))
    return replace(answer, quality=tuple(facts), copy_of=original)


def fold_key(answer: Answer) -> int:
    """Equal for an original and its copies, and for short answers of the same letters; unsigned 64 bit."""
    text = letters(answer.text) if len(answer.text) < _LONG_CHARS else ""
    return _digest(text if 0 < len(text) < _MIN_CHARS else f"id {answer.copy_of or answer.id}")


def letters(text: str) -> str:
    """Letters and digits of a text only, as they are searched: copies differ in spaces, punctuation and width first."""
    return "".join(filter(str.isalnum, normalize(text).text))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
