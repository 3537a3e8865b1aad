"""The index kept by Whoosh (the package whoosh3, see docs/dependencies.md).

Whoosh holds documents, term dictionary and postings; the scoring is ours (`ranking/bm25.py`), since Whoosh's
own OR queries take hundreds of milliseconds on a natural question. Postings that were read stay in memory.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from whoosh import columns, fields, formats, index
from whoosh.analysis.tokenizers import SpaceSeparatedTokenizer
from whoosh.reading import IndexReader, TermNotFound

from indexer.errors import GenerationDamaged
from indexer.records import Answer, Flaw, Kind, QualityFact
from indexer.store.base import PARTS, TERM_KINDS, AnalyzedAnswer, Postings, field_name

_TERM_FIELDS = tuple(field_name(part, kind) for part in PARTS for kind in TERM_KINDS)
_NO_POSTINGS = Postings(np.empty(0, np.int32), np.empty(0, np.float32))
_POSTINGS_CACHE_BYTES = 512 * 1024 * 1024


def _schema() -> fields.Schema:
    schema = fields.Schema(
        id=fields.ID(unique=True, sortable=True),
        url=fields.ID,
        site=fields.ID,
        record=fields.STORED,
        fold_key=fields.COLUMN(columns.NumericColumn("Q")),
    )
    for name in _TERM_FIELDS:
        # Terms arrive cut; the tokenizer only satisfies Whoosh when a person opens the index with its own tools.
        schema.add(name, fields.FieldType(formats.Frequency(), SpaceSeparatedTokenizer(), scorable=True))
        # Whoosh keeps field lengths in one lossy byte; the exact ones stand in a column.
        schema.add(f"{name}_length", fields.COLUMN(columns.NumericColumn("I")))
    return schema


class WhooshWriter:
    """Writes one new index into an empty folder."""

    def __init__(self, folder: Path, memory_mb: int = 512) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._writer = index.create_in(str(folder), _schema()).writer(limitmb=memory_mb)

    def add(self, analyzed: AnalyzedAnswer) -> None:
        """Index one answer."""
        answer = analyzed.answer
        document: dict[str, object] = {
            "id": answer.id,
            "url": answer.url,
            "site": answer.site,
            "record": json.dumps(asdict(answer), ensure_ascii=False),
            "fold_key": analyzed.fold_key,
        }
        for part, terms in (("question", analyzed.question), ("answer", analyzed.text)):
            for kind in TERM_KINDS:
                name = field_name(part, kind)
                values = getattr(terms, kind)
                document[name] = list(values)
                document[f"{name}_length"] = len(values)
        self._writer.add_document(**document)

    def commit(self) -> None:
        """Make the index readable. Lock files are removed: they are no part of a generation."""
        self._writer.commit(optimize=True)
        for lock in self._folder.glob("*LOCK"):
            lock.unlink()

    def cancel(self) -> None:
        """Give up; nothing becomes readable."""
        self._writer.cancel()


class WhooshStore:
    """Reads one index. A Whoosh reader must not be shared, so every thread of every process gets its own."""

    def __init__(self, folder: Path) -> None:
        """Open an index. Raises GenerationDamaged."""
        self._folder = folder
        self._local = threading.local()
        self._cache = _PostingsCache(_POSTINGS_CACHE_BYTES)
        self._ids: Sequence[str] | None = None
        with self._naming_damage():
            self.document_count: int = self._reader().doc_count_all()
            self._lengths = {name: self._column(f"{name}_length").astype(np.float32) for name in _TERM_FIELDS}
            self._fold_keys = self._column("fold_key")

    def postings(self, field: str, term: str) -> Postings:
        """Postings of a term, from memory when they were read before."""
        found = self._cache.get((field, term))
        if found is None:
            found = self._read_postings(field, term)
            self._cache.put((field, term), found)
        return found

    def lengths(self, field: str) -> NDArray[np.float32]:
        """Exact field lengths."""
        return self._lengths[field]

    def ids(self) -> Sequence[str]:
        """Id of each document, read when first asked for."""
        if self._ids is None:
            with self._naming_damage():
                self._ids = list(self._reader().column_reader("id"))
        return self._ids

    def fold_keys(self) -> NDArray[np.uint64]:
        """Fold key of each document."""
        return self._fold_keys

    def documents_with(self, field: str, value: str) -> NDArray[np.int32]:
        """Documents with exactly this id, url or site."""
        return self._read_postings(field, value).documents

    def answer(self, document: int) -> Answer:
        """The answer as it was indexed. Raises GenerationDamaged."""
        with self._naming_damage():
            record = json.loads(self._reader().stored_fields(document)["record"])
        quality = tuple(QualityFact(Flaw(fact["flaw"]), fact["evidence"]) for fact in record["quality"])
        return Answer(**{**record, "kind": Kind(record["kind"]), "quality": quality})

    @contextmanager
    def _naming_damage(self) -> Iterator[None]:
        """Turn what damaged files make Whoosh's readers stumble over (zlib, struct, type errors) into a sentence."""
        try:
            yield
        except TermNotFound:
            raise
        except Exception as error:
            name = self._folder.parent.name
            raise GenerationDamaged(
                f"索引 {name} 的 whoosh 文件读不通（{type(error).__name__}）；"
                "请运行 yiwen check 核对，再用 yiwen roll-back 回到上一代或用 yiwen build 重建。"
            ) from error

    def _reader(self) -> IndexReader:
        local = self._local
        if getattr(local, "process_id", None) != os.getpid():
            local.reader = index.open_dir(str(self._folder), readonly=True).reader()
            local.process_id = os.getpid()
        reader: IndexReader = local.reader
        return reader

    def _column(self, name: str) -> NDArray[np.uint64]:
        return np.fromiter(self._reader().column_reader(name), np.uint64, self.document_count)

    def _read_postings(self, field: str, term: str) -> Postings:
        documents: list[int] = []
        frequencies: list[float] = []
        try:
            with self._naming_damage():
                matcher = self._reader().postings(field, term)
                while matcher.is_active():
                    documents.append(matcher.id())
                    frequencies.append(matcher.weight())
                    matcher.next()
        except TermNotFound:
            return _NO_POSTINGS
        return Postings(np.array(documents, np.int32), np.array(frequencies, np.float32))


class _PostingsCache:
    """Least recently used postings, bounded by the bytes they take."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[tuple[str, str], Postings] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str]) -> Postings | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: tuple[str, str], postings: Postings) -> None:
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = postings
            self._bytes += _size(postings)
            while self._bytes > self._max_bytes and len(self._entries) > 1:
                self._bytes -= _size(self._entries.popitem(last=False)[1])


def _size(postings: Postings) -> int:
    # 500 bytes for the key, the record and the two array headers
    return postings.documents.nbytes + postings.frequencies.nbytes + 500
