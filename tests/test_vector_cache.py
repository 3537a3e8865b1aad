"""The cache of vectors: what was put comes back, whoever was killed; damage costs work, never gives a wrong row."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import flip_bit

from indexer.meaning.embedder import ModelFacts
from indexer.meaning.vector_cache import (
    KEY_BYTES,
    CacheDamaged,
    Keys,
    VectorCache,
    VectorsMissing,
    cache_sizes,
    clear_other_models,
    file_of,
    key_of,
    other_files,
)

MODEL = FakeEmbedder().facts
FIRST, SECOND = ("gen-000001", "a"), ("gen-000002", "b")


def vectors_of(texts: list[str], model: ModelFacts = MODEL) -> dict[bytes, np.ndarray]:
    rows = FakeEmbedder(model.name, model.dimension).embed_questions(texts)
    return {key_of(text): row for text, row in zip(texts, rows, strict=True)}


def keys_of(texts: list[str]) -> Keys:
    return np.frombuffer(b"".join(map(key_of, texts)), np.uint8).reshape(-1, KEY_BYTES)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VectorCache]:
    with closing(VectorCache(tmp_path, MODEL)) as opened:
        yield opened


@given(st.lists(st.text(max_size=20), unique=True, max_size=40), st.data())
@settings(deadline=None, max_examples=40)
def test_what_was_put_comes_back_in_any_order_as_half_precision_keeps_it(texts: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(VectorCache(Path(folder), MODEL)) as cache:
        put = vectors_of(texts)
        cache.put(put)
        asked = data.draw(st.lists(st.sampled_from(texts), max_size=60)) if texts else []
        found = cache.rows(keys_of(asked))
        wanted = np.array([put[key_of(text)] for text in asked]).reshape(len(asked), MODEL.dimension)
        assert found.shape == wanted.shape and found.dtype == np.float32
        assert np.abs(found - wanted).max(initial=0) < 1e-3
        assert np.abs(np.linalg.norm(found, axis=1) - 1).max(initial=0) < 1e-6
        assert cache.known([key_of(text) for text in [*texts, "没有这一段"]]) == {key_of(text) for text in texts}


def test_more_keys_than_one_statement_takes(cache: VectorCache) -> None:
    texts = [f"第{number}段" for number in range(2_345)]
    cache.put(vectors_of(texts))
    assert len(cache.known([key_of(text) for text in texts])) == len(texts)
    assert np.array_equal(cache.rows(keys_of(texts))[::7], cache.rows(keys_of(texts[::7])))


def test_a_key_is_the_beginning_of_sha_256() -> None:
    # the first example of FIPS 180-2
    assert key_of("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a3"
    assert len(key_of("\ud800")) == KEY_BYTES  # half a character, as scraped pages may hold it


def test_a_vector_that_is_not_there_is_told(cache: VectorCache) -> None:
    cache.put(vectors_of(["甲"]))
    with pytest.raises(VectorsMissing):
        cache.rows(keys_of(["甲", "乙"]))


@pytest.mark.parametrize("damage", [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:-2], lambda b: b"", str])
def test_a_row_that_was_changed_is_told_forgotten_and_put_again(
    cache: VectorCache, tmp_path: Path, damage: Callable[[bytes], object]
) -> None:
    cache.put(vectors_of(["甲", "乙"]))
    with closing(sqlite3.connect(file_of(tmp_path, MODEL))) as database, database:
        [(vector,)] = database.execute("SELECT vector FROM vectors WHERE key = ?", (key_of("甲"),)).fetchall()
        database.execute("UPDATE vectors SET vector = ? WHERE key = ?", (damage(vector), key_of("甲")))
    with pytest.raises(VectorsMissing):
        cache.rows(keys_of(["甲", "乙"]))
    assert cache.known([key_of("甲"), key_of("乙")]) == {key_of("乙")}
    cache.put(vectors_of(["甲"]))
    assert cache.rows(keys_of(["甲", "乙"])).shape == (2, MODEL.dimension)


def garbage(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(50_000))


def of_other_model(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE model SET dimension = 7")


def of_other_shape(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("ALTER TABLE vectors RENAME COLUMN crc TO sum")


@pytest.mark.parametrize("damage", [garbage, of_other_model])
def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        cache.put(vectors_of(["甲"]))
    file = file_of(tmp_path, MODEL)
    damage(file)
    size = file.stat().st_size
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        [remark] = cache.remarks
        assert str(file) in remark and "已损坏" in remark and "重新" in remark
        assert cache.known([key_of("甲")]) == set()
        cache.put(vectors_of(["甲"]))
    assert file.with_suffix(".damaged").stat().st_size == size
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        assert cache.remarks == [] and cache.known([key_of("甲")])


def test_damage_met_later_is_told_and_the_cache_begins_anew(tmp_path: Path) -> None:
    texts = [f"第{number}段" for number in range(3_000)]
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        cache.put(vectors_of(texts))
    file = file_of(tmp_path, MODEL)
    for page in range(3, file.stat().st_size // 16_384, 2):
        for byte in range(64):
            flip_bit(file, 8 * (page * 16_384 + byte))
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        with pytest.raises(CacheDamaged):
            cache.rows(keys_of(texts))
        cache.begin_anew()
        assert "已损坏" in cache.remarks[0] and cache.known([key_of(text) for text in texts]) == set()


def test_tables_of_another_shape_count_as_damage(tmp_path: Path) -> None:
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        of_other_shape(file_of(tmp_path, MODEL))
        with pytest.raises(CacheDamaged):
            cache.rows(keys_of(["甲"]))


def test_what_no_listed_generation_needs_goes_when_it_is_more_than_half(cache: VectorCache, tmp_path: Path) -> None:
    old, both, new = (["旧1", "旧2", "旧3", "旧4"], ["两代1", "两代2"], ["新1"])
    cache.put(vectors_of([*old, *both, *new]))
    cache.want(*FIRST, keys_of([*old, *both]))
    cache.want(*SECOND, keys_of([*both, *new, "还没算"]))
    assert cache.prune({FIRST, SECOND}) == 0
    assert cache.prune({SECOND}) == 4
    assert cache.known([key_of(text) for text in [*old, *both, *new]]) == {key_of(text) for text in [*both, *new]}
    assert cache.prune({(SECOND[0], "另一份")}) == 3  # of the same name, but not the same answers


def test_half_or_less_that_is_useless_stays(cache: VectorCache) -> None:
    cache.put(vectors_of(["旧", "新"]))
    cache.want(*FIRST, keys_of(["旧"]))
    cache.want(*SECOND, keys_of(["新"]))
    assert cache.prune({SECOND}) == 0
    assert cache.known([key_of("旧")]) == {key_of("旧")}


def test_pruning_gives_the_room_back(cache: VectorCache, tmp_path: Path) -> None:
    cache.put(vectors_of([f"第{number}段" for number in range(3_000)]))
    cache.want(*FIRST, keys_of(["甲"]))
    cache.prune({FIRST})
    assert sum(size for _, size in cache_sizes(tmp_path)) < 200_000


def test_files_of_other_models_are_told_and_cleared(tmp_path: Path) -> None:
    other = FakeEmbedder("别的模型").facts
    for model in (MODEL, other):
        with closing(VectorCache(tmp_path, model)) as cache:
            cache.put(vectors_of(["甲"]))
    own, foreign = file_of(tmp_path, MODEL), file_of(tmp_path, other)
    aside = [own.with_suffix(".damaged"), foreign.with_suffix(".damaged")]
    for path in aside:
        path.write_bytes(b"?")
    assert set(other_files(tmp_path, MODEL)) == {foreign, *aside}
    assert foreign in clear_other_models(tmp_path, MODEL)
    assert sorted(path for path, _ in cache_sizes(tmp_path)) == [own.with_suffix(".damaged"), own]


def killed_while_putting(data: Path, ready: Callable[[int], object]) -> None:
    """Another process puts batches of ten until it is killed."""
    child = os.fork()
    if child == 0:
        cache = VectorCache(data, MODEL)
        for batch in range(10_000):
            cache.put(vectors_of([f"第{batch}批第{number}段" for number in range(10)]))
            (data / "done").write_text(str(batch))
        os._exit(0)
    ready(child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_put_when_the_process_was_killed_is_there_and_whole(tmp_path: Path, seed: int) -> None:
    def ready(child: int) -> None:
        while not (tmp_path / "done").exists():
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0, 0.2))

    killed_while_putting(tmp_path, ready)
    last = int((tmp_path / "done").read_text() or 0)
    with closing(VectorCache(tmp_path, MODEL)) as cache:
        assert cache.remarks == []
        for batch in range(last + 3):
            texts = [f"第{batch}批第{number}段" for number in range(10)]
            known = cache.known([key_of(text) for text in texts])
            assert len(known) in ((10,) if batch <= last else (0, 10))
            if known:
                assert np.abs(cache.rows(keys_of(texts)) - np.array(list(vectors_of(texts).values()))).max() < 1e-3


def test_the_sum_is_of_what_is_stored(cache: VectorCache, tmp_path: Path) -> None:
    cache.put(vectors_of(["甲"]))
    with closing(sqlite3.connect(file_of(tmp_path, MODEL))) as database:
        [(key, crc, vector)] = database.execute("SELECT * FROM vectors").fetchall()
    assert key == key_of("甲") and crc == zlib.crc32(vector) and len(vector) == 2 * MODEL.dimension
