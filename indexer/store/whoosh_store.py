"""The answers and words kept by Whoosh (the package whoosh3, see docs/dependencies.md).

Whoosh holds documents, term dictionary and postings, and is the truth of them; questions are scored on arrays derived
from the same words (`impacts.py`), since Whoosh's own OR queries take hundreds of milliseconds on a natural question.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from whoosh import index
from whoosh.reading import IndexReader, TermNotFound

from indexer.errors import GenerationDamaged
from indexer.records import Answer, Kind, QualityFact
from indexer.store.base import Postings
from indexer.verdicts import Flaw

FOLDER = "whoosh"


class WhooshStore:
    """Reads one index. A Whoosh reader must not be shared, so every thread of every process gets its own."""

    def __init__(self, folder: Path) -> None:
        """Open an index. Raises GenerationDamaged."""
        self._folder = folder
        self._local = threading.local()
        with self._naming_damage():
            self.document_count: int = self._reader().doc_count_all()

    def postings(self, field: str, term: str) -> Postings:
        """Postings of a word in "question_words" or "answer_words"."""
        return self._read_postings(field, term)

    def lengths(self, field: str) -> NDArray[np.int32]:
        """Field lengths as Whoosh keeps them, in one byte each: exact for short texts only."""
        with self._naming_damage():
            reader = self._reader()
            lengths = (reader.doc_field_length(number, field) or 0 for number in range(self.document_count))
            return np.fromiter(lengths, np.int32, self.document_count)

    def ids(self, documents: Sequence[int]) -> list[str]:
        """Answer ids of these documents."""
        with self._naming_damage():
            self._reader()
            column = self._local.id_column
            return [column[document] for document in documents]

    def documents_with(self, field: str, value: str) -> NDArray[np.int32]:
        """Documents with exactly this id, url or site."""
        return self._read_postings(field, value).documents

    def answer(self, document: int) -> Answer:
        """The answer as it was indexed. Raises GenerationDamaged."""
        with self._naming_damage():
            record = json.loads(self._reader().stored_fields(document)["record"])
        quality = tuple(QualityFact(Flaw(fact["flaw"]), fact["evidence"]) for fact in record["quality"])
        return Answer(**{**record, "kind": Kind(record["kind"]), "quality": quality})

    def segment_sizes(self) -> list[int]:
        """How many documents each segment has, removed ones too, in order."""
        with self._naming_damage():
            return [int(leaf.doc_count_all()) for leaf, _ in self._reader().leaf_readers()]

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
            local.id_column = local.reader.column_reader("id")
            local.process_id = os.getpid()
        reader: IndexReader = local.reader
        return reader

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
            pass
        return Postings(np.array(documents, np.int32), np.array(frequencies, np.float32))
