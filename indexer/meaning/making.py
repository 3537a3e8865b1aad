"""Making the vectors of a generation: its answers in passages, each embedded unless the cache has it.

What was embedded is in the cache after each batch, so that a run that is killed loses one batch, and the next goes on.
Memory holds a number and a key for each passage (24 bytes), and one window of texts.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import DiskFault, GenerationDamaged, GenerationMissing, JobRunning, MeaningError
from indexer.meaning import vectors
from indexer.meaning.embedder import Embedder, ModelFacts, Rows, unit_rows
from indexer.meaning.passages import passages_of
from indexer.meaning.vector_cache import (
    KEY_BYTES,
    CacheDamaged,
    Keys,
    VectorCache,
    VectorsMissing,
    clear_other_models,
    key_of,
)
from indexer.store import generations, impacts, vectors_folder, whoosh_store
from indexer.store.disk import RESERVE_BYTES, disk_faults_told
from indexer.store.impacts import Impacts
from indexer.store.vectors_folder import VectorsManifest
from indexer.store.whoosh_store import WhooshStore

LOCK = "vectors.lock"
#: passages embedded together: a second or two of work, which is what a crash or a cancelling costs
BATCH = 32
#: passages among which those of like length are put together, so that none is padded much
WINDOW = 2_048
#: vectors read back at a time
_ROWS = 4_096
#: somebody who only looks holds the lock for a moment
_LOCK_PATIENCE_S = 2.0
#: so often it is begun again when the cache turns out to be damaged
_ATTEMPTS = 3

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """What came of making vectors."""

    manifest: VectorsManifest
    embedded: int = 0  #: texts whose vectors were computed now
    seconds: float = 0.0
    was_there: bool = False  #: nothing was done
    remarks: tuple[str, ...] = ()  #: what was amiss, in sentences

    @property
    def reused(self) -> int:
        """Passages whose vectors came from the cache, or are those of another passage of the same text."""
        return 0 if self.was_there else self.manifest.counts["passages"] - self.embedded

    @property
    def bytes(self) -> int:
        """Of the files."""
        return sum(int(facts["bytes"]) for facts in self.manifest.files.values())

    @property
    def sentence(self) -> str:
        """For people."""
        counts, name = self.manifest.counts, self.manifest.generation
        if self.was_there:
            return f"{name} 已有 {self.manifest.model['name']} 的意思向量（{counts['passages']} 段），没有重做。"
        return (
            f"{name} 的意思向量已生成：{counts['answers']} 条答案，{counts['passages']} 段，"
            f"新算 {self.embedded} 段，沿用 {self.reused} 段，"
            f"用时 {self.seconds:.1f} 秒，{self.bytes / 1_000_000:.1f} MB。"
        )


def untold(done: int, total: int) -> None:
    """A progress that nobody watches."""


@contextmanager
def vectors_lock(data: Path) -> Iterator[None]:
    """Hold the data directory for one process that makes vectors. Raises JobRunning when another one has it."""
    with open(data / LOCK, "a") as lock:
        end = time.monotonic() + _LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise JobRunning(
                        f"数据目录 {data} 正在生成意思向量；请等它结束，或用 yiwen jobs cancel 取消它之后再试。"
                    ) from None
                time.sleep(0.05)
        yield


def is_making(data: Path) -> bool:
    """Whether a process makes vectors now."""
    try:
        with open(data / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def leftovers(data: Path) -> list[Path]:
    """What processes that died while they wrote vectors have left; while the lock is held they may be in use."""
    return sorted((data / "generations").glob(f"gen-*/{generations.VECTORS_DRAFT}"))


def make_vectors(data: Path, generation: str, embedder: Embedder, progress: Progress = untold) -> Made:
    """Give a generation its vectors, unless it has those of this model. `progress` counts passages.

    Raises GenerationMissing, also when it was deleted meanwhile, GenerationDamaged, MeaningError, JobRunning,
    DiskFault; what was embedded until then is in the cache.
    """
    started = time.perf_counter()
    model = embedder.facts
    index = generations.open_manifest(data, generation).fingerprint
    with disk_faults_told(data, f"生成 {generation} 的意思向量"), vectors_lock(data):
        for left in leftovers(data):
            shutil.rmtree(left, ignore_errors=True)
        remarks: list[str] = []
        there = _those_there(data, generation, remarks)
        if there is not None and is_of_model(there, model):
            return Made(there, was_there=True)
        with _told_when_deleted(data, generation, index):
            texts = _Texts(generations.folder_of(data, generation))
            documents, keys = texts.listed()
            _refuse_without_room(data, generation, len(keys), model)
            with closing(VectorCache(data, model)) as cache:
                making = _Making(data, generation, index, embedder, cache, texts, documents, keys, progress)
                manifest = making.made()
                remarks += cache.remarks
                remarks += _tidied(data, generation, cache, model)
        return Made(manifest, making.embedded, time.perf_counter() - started, remarks=tuple(remarks))


def is_of_model(manifest: VectorsManifest, model: ModelFacts) -> bool:
    """Whether vectors may be compared with what this model gives."""
    known = manifest.model
    return (known.get("fingerprint"), known.get("dimension")) == (model.fingerprint, model.dimension)


def _those_there(data: Path, generation: str, remarks: list[str]) -> VectorsManifest | None:
    """Sound ones only, by every byte."""
    try:
        return vectors_folder.check_files(data, generation)
    except MeaningError as error:
        remarks.append(str(error))
        return None


def _refuse_without_room(data: Path, generation: str, passages: int, model: ModelFacts) -> None:
    if vectors.has_room(data, passages, model.dimension, RESERVE_BYTES):
        return
    need = vectors.free_bytes_wanted(passages, model.dimension) + RESERVE_BYTES
    free = shutil.disk_usage(data).free
    raise DiskFault(
        f"{data} 所在磁盘放不下 {generation} 的意思向量：{passages} 段约需 {need // 1_000_000} MB（含缓存），"
        f"只剩 {free // 1_000_000} MB；检索照常按词语进行，请腾出空间（可用 yiwen prune 删去旧的各代）后重试。"
    )


def _tidied(data: Path, generation: str, cache: VectorCache, model: ModelFacts) -> list[str]:
    """Delete what nobody needs any more of the cache. Vectors are made by now: what fails here is only told."""
    try:
        cache.prune({(one.generation, one.fingerprint) for one in generations.list_manifests(data)})
        if generation == generations.current(data):
            clear_other_models(data, model)
    except GenerationMissing:
        pass  # nothing is served: other models' vectors may be wanted
    except (CacheDamaged, OSError, MeaningError) as error:
        return [f"意思向量的缓存没有清理（{error}）；它可以随时删除。"]
    return []


@contextmanager
def _told_when_deleted(data: Path, generation: str, index: str) -> Iterator[None]:
    """Whatever a generation's deletion made fail is told as what it is."""
    try:
        yield
    except (GenerationMissing, GenerationDamaged, OSError) as error:
        if is_there(data, generation, index):
            raise
        raise GenerationMissing(
            f"{generation} 已被删除，它的意思向量没有做完；算好的部分留在缓存里，别的一代可以沿用。"
        ) from error


def is_there(data: Path, generation: str, index: str) -> bool:
    """Whether a generation is still the one of this fingerprint; a damaged one counts as there."""
    try:
        return generations.open_manifest(data, generation).fingerprint == index
    except GenerationMissing:
        return False
    except GenerationDamaged:
        return (data / "generations" / generation / generations.MANIFEST).is_file()


class _Texts:
    """The passages of a generation's answers, without those that updates have removed."""

    def __init__(self, folder: Path) -> None:
        self._store = WhooshStore(folder / whoosh_store.FOLDER)
        self._alive = np.flatnonzero(Impacts(folder / impacts.FOLDER).alive)

    def listed(self) -> tuple[NDArray[np.int32], Keys]:
        """Number of the answer of each passage, ascending, and the keys: shapes (passages,), (passages, KEY_BYTES)."""
        documents, keys = array("i"), bytearray()
        for document in self._alive.tolist():
            for text in self.of(document):
                documents.append(document)
                keys += key_of(text)
        return np.array(documents, np.int32), np.frombuffer(keys, np.uint8).reshape(-1, KEY_BYTES)

    def of(self, document: int) -> list[str]:
        """Passages of one answer."""
        answer = self._store.answer(document)
        return passages_of(answer.question, answer.text)


@dataclass
class _Making:
    """One run."""

    data: Path
    generation: str
    index: str
    embedder: Embedder
    cache: VectorCache
    texts: _Texts
    documents: NDArray[np.int32]
    keys: Keys
    progress: Progress
    embedded: int = 0

    def made(self) -> VectorsManifest:
        """Embed what the cache has not, and write what it has."""
        for _ in range(_ATTEMPTS):
            try:
                self.cache.want(self.generation, self.index, self.keys)
                self._embed_missing()
                if not is_there(self.data, self.generation, self.index):
                    raise GenerationMissing(self.generation)
                facts = self.embedder.facts
                return vectors.save_vectors(
                    self.data, self.generation, self.index, facts, self.documents, self._rows_of_all
                )
            except CacheDamaged:
                self.cache.begin_anew()
            except VectorsMissing:
                self.cache.remarks.append("意思向量的缓存里有几项已损坏，已重新计算。")
        raise MeaningError(
            f"意思向量的缓存一再损坏，{self.generation} 的意思向量没有做完；"
            f"请检查磁盘，并删除 {self.data / 'cache'} 后重试。"
        )

    def _embed_missing(self) -> None:
        is_known = self._known()
        done, total = int(is_known.sum()), len(self.keys)
        self.progress(done, total)
        for window in self._windows(np.unique(self.documents[~is_known])):
            known = self.cache.known(list(window))
            # longest first: what will not fit in memory fails at once
            missing = sorted(window.keys() - known, key=lambda key: (-len(window[key]), key))
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                self._embed({key: window[key] for key in batch})
                done = min(done + len(batch), total)
                self.progress(done, total)
        self.progress(total, total)

    def _embed(self, batch: dict[bytes, str]) -> None:
        generations.folder_of(self.data, self.generation)  # or hours of work would be for nothing
        facts = self.embedder.facts
        rows = unit_rows(self.embedder.embed_answers(list(batch.values())), len(batch), facts.dimension, facts.name)
        self.cache.put(dict(zip(batch, rows, strict=True)))
        self.embedded += len(batch)

    def _known(self) -> NDArray[np.bool_]:
        """Which passages the cache has: shape (passages,)."""
        found = np.empty(len(self.keys), np.bool_)
        for start in range(0, len(found), _ROWS):
            keys = [key.tobytes() for key in self.keys[start : start + _ROWS]]
            known = self.cache.known(keys)
            found[start : start + _ROWS] = [key in known for key in keys]
        return found

    def _windows(self, documents: NDArray[np.int32]) -> Iterator[dict[bytes, str]]:
        """Different passages of these answers by their keys, WINDOW at a time."""
        texts = (text for document in documents.tolist() for text in self.texts.of(document))
        while window := {key_of(text): text for text in islice(texts, WINDOW)}:
            yield window

    def _rows_of_all(self) -> Iterator[Rows]:
        for start in range(0, len(self.keys), _ROWS):
            yield self.cache.rows(self.keys[start : start + _ROWS])
