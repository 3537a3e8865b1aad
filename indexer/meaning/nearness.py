"""Which of many vectors lie nearest to one, in two passes of compiled code.

The first looks at the signs alone, a bit for each dimension, of vectors whose mean was taken off (48 bytes of 384
dimensions: 200,000 fit where caches do) and leaves some thousands; the second multiplies these with one byte for each
dimension. docs/meaning.md holds what the first pass loses and what other ways cost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from indexer.native import kernel

#: how far codes go; -128 is not used, so that every code has an opposite
_MOST = 127
#: the question's numbers: 127 x 2,047 x 8,000 dimensions still fit in 32 bits
_MOST_OF_QUESTION = 2047
#: so many vectors are left to the second pass, or this share where that is more
LEFT_OVER, LEFT_SHARE = 8_000, 0.04
_CACHE_LINE = 64  #: bytes
_AHEAD = 16  #: rows


class Codes(NamedTuple):
    """Vectors as they are stored."""

    bytes: NDArray[np.int8]  #: shape (vectors, dimension)
    scales: NDArray[np.float32]  #: what a code of 1 stands for, in each vector
    signs: NDArray[np.uint64]  #: bits of the vectors less their mean: shape (vectors, ceil(dimension / 64))


def codes_of(rows: NDArray[np.float32], mean: NDArray[np.float32]) -> Codes:
    """Of vectors of length 1, shape (vectors, dimension)."""
    scales = np.maximum(np.abs(rows).max(axis=1, initial=0), np.float32(1e-9)).astype(np.float32) / np.float32(_MOST)
    return Codes(np.rint(rows / scales[:, None]).astype(np.int8), scales, signs_of(rows - mean))


def signs_of(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A bit for each dimension, 1 where it is above 0: shape (rows, ceil(dimension / 64))."""
    packed = np.packbits(rows > 0, axis=1, bitorder="little")
    padded = np.zeros((len(rows), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def nearest(
    codes: Codes,
    question: NDArray[np.float32],
    question_signs: NDArray[np.uint64],
    owners: NDArray[np.int32],
    may: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places of vectors whose owners may be found, ascending, and their products with the question: all of them where
    they are few, else those that agree with it in most signs. `owners` has one entry a vector, `may` one an owner.
    """
    left = max(LEFT_OVER, int(LEFT_SHARE * len(owners)))
    if len(owners) <= left:
        places = np.flatnonzero(may[owners])
    else:
        found = np.empty(left, np.int64)
        places = found[: _by_signs(codes.signs, question_signs, owners, may, found)]
    return places, products(codes, question, places)


def products(codes: Codes, question: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Of a question's vector with some of the vectors, to about .002."""
    scale = max(float(np.abs(question).max(initial=0)), 1e-9) / _MOST_OF_QUESTION
    sums = np.empty(len(places), np.int32)
    _multiply(codes.bytes, np.rint(question / scale).astype(np.int16), places, sums)
    return np.asarray(sums * codes.scales[places] * np.float32(scale), np.float32)


def _as_population(typing_context: Any, bits: Any) -> Any:
    """How many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        assert isinstance(arguments[0].type, ir.IntType)
        return builder.ctpop(arguments[0])

    return bits(bits), generate


_population: Any = intrinsic(_as_population)


@kernel
def _by_signs(signs: Any, question: Any, owners: Any, may: Any, found: Any) -> int:
    """Fill `found` with the places of those that differ from the question in the fewest signs; the first of equals
    where not all have room. Returns how many.
    """
    words = signs.shape[1]
    unlike = np.empty(len(signs), np.uint16)
    counts = np.zeros(64 * words + 2, np.int64)
    for place in range(len(signs)):
        difference = np.uint64(0)
        for word in range(words):
            difference += _population(signs[place, word] ^ question[word])
        unlike[place] = difference
        if may[owners[place]]:
            counts[difference] += 1
    limit, taken = 0, 0
    while limit < len(counts) - 1 and taken + counts[limit] <= len(found):
        taken += counts[limit]
        limit += 1
    at_limit = len(found) - taken
    count = 0
    for place in range(len(signs)):
        if unlike[place] > limit or not may[owners[place]]:
            continue
        if unlike[place] == limit:
            if at_limit == 0:
                continue
            at_limit -= 1
        found[count] = place
        count += 1
    return count


_pointer_to: Any = cgutils.get_item_pointer


def _as_prefetch(typing_context: Any, codes: Any, place: Any, dimension: Any) -> Any:
    """Have a processor fetch the 64 bytes of a row that begin at a dimension, and go on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        shape = context.make_array(codes)(context, builder, arguments[0])
        there = _pointer_to(context, builder, codes, shape, arguments[1:])
        number, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        to_read, soon, data = (ir.Constant(number, value) for value in (0, 2, 1))
        builder.call(fetch, [builder.bitcast(there, byte), to_read, soon, data])
        return context.get_dummy_value()

    return types.void(codes, place, dimension), generate


_prefetch: Any = intrinsic(_as_prefetch)


@kernel
def _multiply(codes: Any, question: Any, places: Any, sums: Any) -> None:
    for i in range(len(places)):
        if i + _AHEAD < len(places):  # rows lie apart: to wait for each would take four times as long
            for dimension in range(0, len(question), _CACHE_LINE):
                _prefetch(codes, places[i + _AHEAD], dimension)
        row = codes[places[i]]
        total = np.int32(0)
        for dimension in range(len(question)):
            total += np.int32(row[dimension]) * np.int32(question[dimension])
        sums[i] = total
