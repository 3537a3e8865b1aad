"""All segments of an index in the reach of one compiled call.

To hand a kernel an array costs as much as to score a hundred postings, and a segment has twenty. So kernels get the
addresses of all arrays as two tables of numbers, made when a generation is opened, and take the arrays from there. Who
calls them holds the arrays (`impacts.Impacts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from indexer.native import kernel
from indexer.store.postings import TermPostings, find

#: arrays of a segment in the order of the tables' columns; those of words and bigrams are TermPostings'
COLUMNS = (
    *(f"words_{name}" for name in TermPostings._fields),
    *(f"bigrams_{name}" for name in TermPostings._fields),
    "lengths",
    "units",
    "unit_ends",
    "characters_keys",
    "characters_numbers",
    "characters_answers",
)
_PER_KIND = len(TermPostings._fields)
_LENGTHS, _UNITS, _UNIT_ENDS, _KEYS, _NUMBERS, _ANSWERS = range(2 * _PER_KIND, 2 * _PER_KIND + 6)


class Directory(NamedTuple):
    """Where the arrays of all segments lie."""

    addresses: NDArray[np.int64]  #: shape (segments, COLUMNS)
    sizes: NDArray[np.int64]  #: shape (segments, COLUMNS): length of the first dimension, of `lengths` of the second
    bases: NDArray[np.int64]  #: shape (segments + 1,): number of the first document of each, and one after the last


def directory_of(segments: Sequence[dict[str, NDArray[Any]]]) -> Directory:
    """Of segments given by their arrays, which must be contiguous and outlive it."""
    addresses = np.zeros((len(segments), len(COLUMNS)), np.int64)
    sizes = np.zeros((len(segments), len(COLUMNS)), np.int64)
    for row, arrays in enumerate(segments):
        for column, name in enumerate(COLUMNS):
            assert arrays[name].flags.c_contiguous
            addresses[row, column] = arrays[name].ctypes.data
            sizes[row, column] = arrays[name].shape[1 if name == "lengths" else 0]
    bases = np.concatenate([[0], np.cumsum(sizes[:, _LENGTHS])]).astype(np.int64)
    return Directory(addresses, sizes, bases)


def _as_pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), generate


_pointer: Any = intrinsic(_as_pointer)


@kernel
def terms_at(directory: Any, segment: Any, kind: Any) -> Any:
    """TermPostings of words (kind 0) or bigrams (1) of a segment."""
    at = kind * _PER_KIND
    addresses, sizes = directory.addresses[segment], directory.sizes[segment]
    return TermPostings(
        carray(_pointer(addresses[at]), (sizes[at],), np.uint64),
        carray(_pointer(addresses[at + 1]), (sizes[at + 1],), np.int64),
        carray(_pointer(addresses[at + 2]), (sizes[at + 2],), np.uint16),
        carray(_pointer(addresses[at + 3]), (sizes[at + 3],), np.uint8),
        carray(_pointer(addresses[at + 4]), (sizes[at + 4],), np.uint8),
        carray(_pointer(addresses[at + 5]), (sizes[at + 5],), np.int64),
        carray(_pointer(addresses[at + 6]), (sizes[at + 6], 2), np.uint16),
    )


@kernel
def lengths_at(directory: Any, segment: Any, kind: Any) -> Any:
    """Number of terms of a kind (0 words, 1 bigrams, 2 characters) in both parts: shape (documents, 2)."""
    lengths = carray(
        _pointer(directory.addresses[segment, _LENGTHS]), (3, directory.sizes[segment, _LENGTHS], 2), np.int32
    )
    return lengths[kind]


@kernel
def texts_at(directory: Any, segment: Any) -> Any:
    """Sequences of characters, and where each ends."""
    addresses, sizes = directory.addresses[segment], directory.sizes[segment]
    return (
        carray(_pointer(addresses[_UNITS]), (sizes[_UNITS],), np.uint16),
        carray(_pointer(addresses[_UNIT_ENDS]), (sizes[_UNIT_ENDS],), np.int64),
    )


@kernel
def characters_at(directory: Any, segment: Any) -> Any:
    """Keys of the characters, ascending, their numbers, and how many answers hold each."""
    addresses, sizes = directory.addresses[segment], directory.sizes[segment]
    return (
        carray(_pointer(addresses[_KEYS]), (sizes[_KEYS],), np.uint64),
        carray(_pointer(addresses[_NUMBERS]), (sizes[_NUMBERS],), np.int32),
        carray(_pointer(addresses[_ANSWERS]), (sizes[_ANSWERS],), np.int32),
    )


@kernel
def locate(directory: Any, kind: Any, keys: Any, extents: Any) -> None:
    """`extents`, shape (segments, keys, 2), gets [start, end) of the postings of each term, empty ones for unknown."""
    for segment in range(len(directory.addresses)):
        terms = terms_at(directory, segment, kind)
        for i in range(len(keys)):
            place = find(terms.keys, keys[i])
            extents[segment, i, 0] = terms.starts[place] if place >= 0 else 0
            extents[segment, i, 1] = terms.starts[place + 1] if place >= 0 else 0


@kernel
def count_characters(directory: Any, keys: Any, answers: Any) -> None:
    """Add to `answers` how many answers hold each character."""
    for segment in range(len(directory.addresses)):
        known, _, held = characters_at(directory, segment)
        for i in range(len(keys)):
            place = find(known, keys[i])
            if place >= 0:
                answers[i] += held[place]
