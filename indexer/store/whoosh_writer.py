"""Writes Whoosh's segments from what was counted, in Whoosh's own format, by Whoosh's own codec.

Whoosh's writer takes documents one by one, sorts all their postings and adds them one by one; that is most of the time
of a build. Here the postings are sorted already, so its codec gets them in whole blocks. What lies on disk is the same:
Whoosh opens, searches and changes such an index without any of our code.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import dumps
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from whoosh import fields, formats, index
from whoosh.analysis.tokenizers import SpaceSeparatedTokenizer
from whoosh.codec.whoosh3 import (
    COMPRESSION_MIN_SIZE,
    WHOOSH3_HEADER_MAGIC,
    W3Codec,
    W3FieldWriter,
    W3Segment,
    W3TermInfo,
)
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC
from whoosh.system import pack_ushort
from whoosh.util.numeric import byte_to_length, length_to_byte

from indexer.records import Answer
from indexer.store.base import PARTS, TERM_KINDS, field_name
from indexer.store.impact_writer import CountedSegment

INDEX_NAME = index._DEF_INDEX_NAME
WORD_FIELDS = tuple(field_name(part, "words") for part in PARTS)
EXACT_FIELDS = ("id", "url", "site")
_BLOCK = 128  # W3Codec's default
_COMPRESSION = 3
_POSTINGS_AT_ONCE = 300_000


def schema() -> fields.Schema:
    """What Whoosh holds of an answer: the whole record, its exact values, and the words of its two parts."""
    made = fields.Schema(
        id=fields.ID(unique=True, sortable=True),
        url=fields.ID,
        site=fields.ID,
        record=fields.STORED,
    )
    for name in WORD_FIELDS:
        # Terms arrive cut; the tokenizer only satisfies Whoosh when a person opens the index with its own tools.
        made.add(name, fields.FieldType(formats.Frequency(), SpaceSeparatedTokenizer(), scorable=True))
    return made


class AnswersWriter:
    """Writes the stored answers of one new segment, then its postings."""

    def __init__(self, folder: Path) -> None:
        self._storage = FileStorage(str(folder))
        self._schema = schema()
        self._codec = W3Codec(blocklimit=_BLOCK, compression=_COMPRESSION)
        self._segment: W3Segment = self._codec.new_segment(self._storage, INDEX_NAME)
        self._per_document = self._codec.per_document_writer(self._storage, self._segment)
        self._values: dict[str, list[str | None]] = {name: [] for name in EXACT_FIELDS}
        self._count = 0

    def add(self, answer: Answer, lengths: Sequence[int]) -> None:
        """Store one answer; `lengths` are the numbers of words of its question and its text."""
        writer = self._per_document
        writer.start_doc(self._count)
        writer.add_field("record", self._schema["record"], record_of(answer), 0)
        writer.add_column_value("id", self._schema["id"].column_type, answer.id.encode())
        for name, length in zip(WORD_FIELDS, lengths, strict=True):
            writer.add_field(name, self._schema[name], None, length)
        writer.finish_doc()
        for name in EXACT_FIELDS:
            self._values[name].append(getattr(answer, name))
        self._count += 1

    def finish(self, counted: CountedSegment) -> W3Segment:
        """Write all postings; gives the segment for `commit`."""
        self._per_document.close()
        writer = _BlockWriter(self._codec, self._storage, self._segment)
        lists = {name: _exact(values) for name, values in self._values.items()}
        lists |= {name: _words(counted, part) for part, name in enumerate(WORD_FIELDS)}
        for name in sorted(lists):  # as Whoosh's own writer has them
            writer.write_field(name, self._schema[name], lists[name])
        writer.close()
        self._segment.set_doc_count(self._count)
        return self._segment


def record_of(answer: Answer) -> str:
    """An answer as it is stored."""
    return json.dumps({**answer.__dict__, "quality": [asdict(fact) for fact in answer.quality]}, ensure_ascii=False)


def commit(folder: Path, segments: Sequence[W3Segment]) -> None:
    """Make these segments, written into the folder, an index."""
    storage = FileStorage(str(folder))
    TOC(schema(), list(segments), 1).write(storage, INDEX_NAME)
    for leftover in folder.glob(f"{INDEX_NAME}.tmp"):
        leftover.rmdir()


@dataclass(frozen=True)
class _FieldPostings:
    """The terms of one field, each with at least one posting."""

    texts: list[bytes]  #: ascending
    sizes: NDArray[np.int64]  #: how many postings each has
    begins: NDArray[np.int64]  #: where these begin in the two arrays below
    documents: NDArray[np.uint16]
    frequencies: NDArray[np.uint16]
    lengths: NDArray[np.int64] | None  #: of the field in each document; None where they are not kept

    def groups(self) -> Iterator[_Group]:
        """All of them in order, some at a time, since what Whoosh wants to know of each takes memory."""
        ends = np.cumsum(self.sizes)
        first = 0
        while first < len(self.texts):
            before = ends[first - 1] if first else 0
            last = max(int(np.searchsorted(ends, before + _POSTINGS_AT_ONCE)), first + 1)
            sizes = self.sizes[first:last]
            starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            places = np.repeat(self.begins[first:last] - starts[:-1], sizes) + np.arange(starts[-1])
            documents = self.documents[places].astype(np.int64)
            lengths = None if self.lengths is None else self.lengths[documents]
            yield _Group(self.texts[first:last], starts, documents, self.frequencies[places].astype(np.int64), lengths)
            first = last


@dataclass(frozen=True)
class _Group:
    """Some terms of a field with their postings, term by term."""

    texts: list[bytes]
    starts: NDArray[np.int64]  #: shape (terms + 1,)
    documents: NDArray[np.int64]
    frequencies: NDArray[np.int64]
    lengths: NDArray[np.int64] | None  #: of the field in each posting's document


def _exact(values: Sequence[str | None]) -> _FieldPostings:
    """Postings of a field that is one term."""
    documents: defaultdict[bytes, list[int]] = defaultdict(list)
    for document, value in enumerate(values):
        if value is not None:
            documents[value.encode()].append(document)
    texts = sorted(documents)
    sizes = np.array([len(documents[text]) for text in texts], np.int64)
    numbers = np.array([document for text in texts for document in documents[text]], np.uint16)
    return _FieldPostings(texts, sizes, np.cumsum(sizes) - sizes, numbers, np.ones(len(numbers), np.uint16), None)


def _words(counted: CountedSegment, part: int) -> _FieldPostings:
    """Postings of the words of one part."""
    terms = counted.terms["words"]
    frequencies = (terms.in_question, terms.in_answer)[part]
    here = frequencies > 0
    sizes = np.add.reduceat(here, terms.starts[:-1], dtype=np.int64) if len(here) else np.empty(0, np.int64)
    begins = np.cumsum(sizes) - sizes
    letters = counted.word_codes.tobytes().decode("utf-32-le", "surrogatepass")
    ends = counted.word_ends.tolist()
    found = [
        (letters[ends[term] : ends[term + 1]].encode("utf-8", "surrogatepass"), term)
        for term in np.flatnonzero(sizes).tolist()
    ]
    found.sort()
    order = np.array([term for _, term in found], np.int64)
    lengths = _decoded(counted.lengths[:, part, TERM_KINDS.index("words")])
    texts = [text for text, _ in found]
    return _FieldPostings(texts, sizes[order], begins[order], terms.documents[here], frequencies[here], lengths)


def _decoded(lengths: NDArray[np.int32]) -> NDArray[np.int64]:
    """Lengths as Whoosh reads them back: it keeps one in a byte."""
    longest = int(lengths.max(initial=0))
    table = np.array([byte_to_length(length_to_byte(length)) for length in range(longest + 1)], np.int64)
    return table[lengths]


class _BlockWriter(W3FieldWriter):  # type: ignore[misc]
    """Whoosh's writer of postings, given a field at a time. The bytes are those of W3PostingsWriter."""

    def write_field(self, name: str, field: fields.FieldType, postings: _FieldPostings) -> None:
        """Write all terms of a field."""
        self.start_field(name, field)
        for group in postings.groups():
            starts, sizes = group.starts, np.diff(group.starts)
            blocks = (sizes + _BLOCK - 1) // _BLOCK
            first_blocks = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
            within = np.arange(first_blocks[-1]) - np.repeat(first_blocks[:-1], blocks)
            block_starts = np.repeat(starts[:-1], blocks) + within * _BLOCK
            facts = _blocks(group, block_starts, field.format.fixed_value_size() > 0)
            weights = np.add.reduceat(group.frequencies, starts[:-1]).tolist()
            numbers = first_blocks.tolist()
            for text, weight, first, last in zip(group.texts, weights, numbers, numbers[1:], strict=False):
                self._write_term(text, weight, facts[first:last])
        self.finish_field()

    def _write_term(self, text: bytes, weight: int, blocks: list[_Block]) -> None:
        out = self._postfile
        offset = out.tell()
        out.write(WHOOSH3_HEADER_MAGIC)
        for block in blocks:
            head = dumps(block.head, 2)
            size = len(head) + len(block.data)
            out.write_int(-size if block is blocks[-1] else size)
            out.write(head)
            out.write(block.data)
        info = W3TermInfo(
            weight=float(weight),
            df=sum(block.head[0] for block in blocks),
            minlength=byte_to_length(min(block.head[4] for block in blocks)),
            maxlength=byte_to_length(max(block.head[5] for block in blocks)),
            maxweight=max(block.head[2] for block in blocks),
            minid=blocks[0].first,
            maxid=blocks[-1].head[1],
        )
        info.set_extent(offset, out.tell() - offset)
        self._tindex.add(pack_ushort(self._fieldid) + text, info.to_bytes())


class _Block(NamedTuple):
    """Up to 128 postings of one term as they lie on disk."""

    head: tuple[int, int, float, int, int, int]  #: postings, last document, greatest weight, compression, length bytes
    data: bytes
    first: int  #: first document


def _blocks(postings: _Group, starts: NDArray[np.int64], with_values: bool) -> list[_Block]:
    """Blocks that begin at these postings."""
    deltas = np.diff(postings.documents, prepend=0)
    deltas[starts] = postings.documents[starts]
    all_deltas = deltas.tolist()
    all_frequencies = postings.frequencies.tolist()
    ends = [*starts[1:].tolist(), len(all_deltas)]
    most = np.maximum.reduceat(postings.frequencies, starts).tolist()
    least = np.minimum.reduceat(postings.frequencies, starts).tolist()
    first = postings.documents[starts].tolist()
    last = postings.documents[np.array(ends) - 1].tolist()
    shortest = longest = [0] * len(ends)
    if postings.lengths is not None:
        shortest = [length_to_byte(length) for length in np.minimum.reduceat(postings.lengths, starts).tolist()]
        longest = [length_to_byte(length) for length in np.maximum.reduceat(postings.lengths, starts).tolist()]
    values = postings.frequencies.astype(">u4").tobytes()
    blocks = []
    for i, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
        weights: Any = tuple(map(float, all_frequencies[start:end]))
        if most[i] == least[i]:
            weights = None if most[i] == 1 else float(most[i])
        data = dumps((tuple(all_deltas[start:end]), weights, values[4 * start : 4 * end] if with_values else None), 2)
        compression = _COMPRESSION if len(data) >= COMPRESSION_MIN_SIZE else 0
        if compression:
            data = zlib.compress(data, compression)
        head = (end - start, last[i], float(most[i]), compression, shortest[i], longest[i])
        blocks.append(_Block(head, data, first[i]))
    return blocks
