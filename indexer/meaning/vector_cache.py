"""Vectors by the text that they are of, so that no text is embedded twice: by an interrupted run and the one that goes
on, by one generation and the next.

    cache/vectors/<first 16 digits of a model's fingerprint>.sqlite3

Half-precision numbers with their CRC-32: SQLite does not notice a changed byte. What is put is there when the call
returns, also after a kill -9. One process uses a file at a time (making.vectors_lock).
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.errors import MeaningError, cause_of_sqlite
from indexer.meaning.embedder import ModelFacts, Rows

FOLDER = "vectors"
DAMAGED = ".damaged"
#: of SHA-256: two of a thousand million texts are mistaken for each other once in 10^30
KEY_BYTES = 20
#: keys of texts, one a row: shape (texts, KEY_BYTES)
Keys = NDArray[np.uint8]

_NAME_DIGITS = 16
_TIMEOUT_S = 30
#: SQLite takes so many values in one statement at least
_AT_ONCE = 500
#: a vector of 2,000 dimensions fits in a page
_PAGE_BYTES = 16_384
#: entries are deleted when more than this share of them is of no use
_USELESS_SHARE = 0.5
_TABLES = (
    "CREATE TABLE IF NOT EXISTS model (fingerprint TEXT NOT NULL, dimension INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, crc INTEGER NOT NULL, vector BLOB NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS generations (id INTEGER PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " UNIQUE (name, fingerprint))",
    "CREATE TABLE IF NOT EXISTS wanted (generation INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (generation, key))"
    " WITHOUT ROWID",
)
_DAMAGED_CODES = (11, 26)
_ERRNO_OF = {8: errno.EROFS, 10: errno.EIO, 13: errno.ENOSPC}


class CacheDamaged(Exception):
    """The file is no database any more, or one of another model."""


class VectorsMissing(Exception):
    """Vectors that should be there are not, or were not what was put; they are embedded again."""


class VectorCache:
    """The vectors of one model. Used by one thread."""

    def __init__(self, data: Path, model: ModelFacts) -> None:
        """Open the file, or make one; a damaged one is set aside. Raises OSError for a failing disk, MeaningError."""
        self._file = file_of(data, model)
        self._model = model
        #: what was amiss, in sentences
        self.remarks: list[str] = []
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._open()
        except CacheDamaged:
            self._set_aside()
            self._database = self._open()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def begin_anew(self) -> None:
        """Set a file aside that has turned out to be damaged, and begin another. Raises as `__init__`."""
        self.close()
        self._set_aside()
        self._database = self._open()

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that have a vector. Raises CacheDamaged, OSError, MeaningError, as all that follow."""
        with _told(self._file):
            return {key for key, _, _ in self._found(keys, "key, 0, 0")}

    def put(self, rows: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep the vectors of these keys, each of shape (dimension,). All are there afterwards, or none."""
        entries = [(key, zlib.crc32(vector), vector) for key, vector in _halves(rows)]
        with _told(self._file), _transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", entries)

    def rows(self, keys: Keys) -> Rows:
        """The vectors of these keys, with length 1: shape (keys, dimension). Raises VectorsMissing where one is not
        there or not what was put; the latter is deleted.
        """
        wanted = [key.tobytes() for key in keys]
        with _told(self._file):
            found = {
                key: vector
                for key, crc, vector in self._found(wanted, "key, crc, vector")
                if self._is_sound(crc, vector)
            }
            if lacking := set(wanted) - found.keys():
                with _transaction(self._database):
                    self._database.executemany("DELETE FROM vectors WHERE key = ?", [(key,) for key in lacking])
                raise VectorsMissing(f"{len(lacking)} vectors")
        rows = np.frombuffer(b"".join(found[key] for key in wanted), np.float16).astype(np.float32)
        rows = rows.reshape(len(wanted), self._model.dimension)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def want(self, generation: str, fingerprint: str, keys: Keys) -> None:
        """Write down what a generation needs, so that `prune` leaves it."""
        with _told(self._file), _transaction(self._database):
            row = (generation, fingerprint)
            self._database.execute("INSERT OR IGNORE INTO generations (name, fingerprint) VALUES (?, ?)", row)
            statement = "SELECT id FROM generations WHERE name = ? AND fingerprint = ?"
            [(number,)] = self._database.execute(statement, row).fetchall()
            entries = ((number, key) for key in _ascending(keys))
            self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?)", entries)

    def prune(self, listed: Collection[tuple[str, str]]) -> int:
        """Forget what generations needed that are no more; `listed`: name and fingerprint of those that are. When more
        than half of the vectors are of no use to any of them, these go; gives how many.
        """
        with _told(self._file), _transaction(self._database):
            known = self._database.execute("SELECT id, name, fingerprint FROM generations").fetchall()
            gone = [(number,) for number, *generation in known if tuple(generation) not in listed]
            self._database.executemany("DELETE FROM wanted WHERE generation = ?", gone)
            self._database.executemany("DELETE FROM generations WHERE id = ?", gone)
            useless = "FROM vectors WHERE key NOT IN (SELECT key FROM wanted)"
            [(total,)] = self._database.execute("SELECT count(*) FROM vectors").fetchall()
            [(count,)] = self._database.execute(f"SELECT count(*) {useless}").fetchall()
            if count <= _USELESS_SHARE * total:
                return 0
            self._database.execute(f"DELETE {useless}")
        with _told(self._file):
            # gives the room back; `execute` would stop after one page, since it has no rows to fetch
            self._database.executescript("PRAGMA incremental_vacuum")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return int(count)

    def _found(self, keys: Sequence[bytes], columns: str) -> Iterator[tuple[bytes, int, bytes]]:
        for batch in _batches(keys, _AT_ONCE):
            marks = ",".join("?" * len(batch))
            yield from self._database.execute(f"SELECT {columns} FROM vectors WHERE key IN ({marks})", batch)

    def _is_sound(self, crc: int, vector: bytes) -> bool:
        return isinstance(vector, bytes) and len(vector) == 2 * self._model.dimension and zlib.crc32(vector) == crc

    def _open(self) -> sqlite3.Connection:
        with _told(self._file):
            database = sqlite3.connect(self._file, timeout=_TIMEOUT_S, isolation_level=None)
            try:
                for setting in (
                    f"page_size = {_PAGE_BYTES}",
                    "auto_vacuum = INCREMENTAL",
                    "journal_mode = WAL",
                    "synchronous = NORMAL",
                ):
                    database.execute(f"PRAGMA {setting}").fetchall()
                with _transaction(database):
                    for table in _TABLES:
                        database.execute(table)
                    wanted = (self._model.fingerprint, self._model.dimension)
                    known = database.execute("SELECT fingerprint, dimension FROM model").fetchall()
                    if not known:
                        database.execute("INSERT INTO model VALUES (?, ?)", wanted)
                    elif known != [wanted]:
                        raise CacheDamaged
            except BaseException:
                database.close()
                raise
            return database

    def _set_aside(self) -> None:
        aside = self._file.with_suffix(DAMAGED)
        self.remarks.append(f"意思向量的缓存 {self._file} 已损坏，已移到 {aside.name} 并重新开始；缺的向量会重新计算。")
        for name in _beside(self._file):
            name.unlink(missing_ok=True)
        os.replace(self._file, aside)


def file_of(data: Path, model: ModelFacts) -> Path:
    """Where the vectors of a model are kept."""
    return data / "cache" / FOLDER / f"{model.fingerprint[:_NAME_DIGITS]}.sqlite3"


def key_of(text: str) -> bytes:
    """What a text's vector is found by, KEY_BYTES of them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]


def other_files(data: Path, model: ModelFacts) -> list[Path]:
    """Files of other models, and what was set aside."""
    own = file_of(data, model)
    folder = data / "cache" / FOLDER
    files = [path for pattern in ("*.sqlite3*", f"*{DAMAGED}") for path in folder.glob(pattern)]
    return sorted(set(files) - {own, *_beside(own)})


def cache_sizes(data: Path) -> list[tuple[Path, int]]:
    """All files, of whatever model, with their bytes."""
    return [(path, path.stat().st_size) for path in sorted((data / "cache" / FOLDER).glob("*.*")) if path.is_file()]


def clear_other_models(data: Path, model: ModelFacts) -> list[Path]:
    """Delete the files of other models, which nobody needs once vectors of this one are served; gives them."""
    files = [path for path in other_files(data, model) if path.suffix != DAMAGED or not _is_of(path, model)]
    for path in files:
        with suppress(OSError):
            path.unlink()
    return files


def _is_of(path: Path, model: ModelFacts) -> bool:
    return path.stem == model.fingerprint[:_NAME_DIGITS]


def _beside(file: Path) -> list[Path]:
    """What SQLite keeps beside a database."""
    return [file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm", "-journal")]


def _halves(rows: Mapping[bytes, NDArray[np.float32]]) -> Iterator[tuple[bytes, bytes]]:
    return ((key, row.astype(np.float16).tobytes()) for key, row in rows.items())


def _ascending(keys: Keys) -> Iterator[bytes]:
    """Different ones, in the order of their bytes, so that each page of the table is written once."""
    for first in range(256):
        yield from sorted({key.tobytes() for key in keys[keys[:, 0] == first]})


Item = TypeVar("Item")


def _batches(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What SQLite says, as what everybody else says of disks."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in _DAMAGED_CODES or "no such" in str(error):  # tables of another shape
            raise CacheDamaged from error
        if code in _ERRNO_OF:
            raise OSError(_ERRNO_OF[code], os.strerror(_ERRNO_OF[code]), str(file)) from error
        raise MeaningError(
            f"意思向量的缓存 {file} 无法读写：{cause_of_sqlite(error)}；请检查权限和占用它的程序，也可以删除它。"
        ) from error
