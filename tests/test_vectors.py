"""Vectors of a generation: what lies near, how much nearer than by chance, and that they are read whole or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from store_builders import flip_bit, sealed

from indexer.errors import GenerationMissing, MeaningError
from indexer.meaning.embedder import ModelFacts, Rows
from indexer.meaning.vectors import Vectors, open_vectors, save_vectors
from indexer.store import generations, vectors_folder

DIMENSION = 96
MODEL = ModelFacts("试", DIMENSION, "f" * 64, "问：", "答：")
#: passages of 40 answers, some with several, number 7 with none
OWNERS = np.repeat([number for number in range(41) if number != 7], [1, 2, 3, 1] * 10).astype(np.int32)
ALL = np.ones(41, np.bool_)


@pytest.fixture(scope="module")
def rows() -> Rows:
    chance = np.random.default_rng(5)
    found = chance.normal(size=(len(OWNERS), DIMENSION)) + 2 * chance.normal(size=DIMENSION)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def add(data: Path, name: str, rows: Rows) -> None:
    def batches() -> Iterator[Rows]:
        yield from (rows[start : start + 13] for start in range(0, len(rows), 13))

    index = generations.open_manifest(data, name).fingerprint
    save_vectors(data, name, index, MODEL, OWNERS, batches)


@pytest.fixture
def data(tmp_path: Path, rows: Rows) -> Path:
    add(tmp_path, sealed(tmp_path, {"a.txt": "一"}).generation, rows)
    return tmp_path


@pytest.fixture
def vectors(data: Path) -> Vectors:
    found = open_vectors(data, "gen-000001")
    assert found is not None
    return found


def best_of(rows: Rows, question: Rows) -> NDArray[np.float64]:
    """Of each answer, the exact product of its best passage; NaN without one."""
    found = np.full(41, np.nan)
    for owner, product in zip(OWNERS.tolist(), (rows @ question).tolist(), strict=True):
        found[owner] = np.fmax(found[owner], product)
    return found


def test_the_nearest_answers_are_those_with_the_best_passages(vectors: Vectors, rows: Rows) -> None:
    question = rows[11]
    near = vectors.nearest(question, 10, ALL)
    exact = best_of(rows, question)
    assert near.documents[0] == OWNERS[11] and len(set(near.documents.tolist())) == 10
    assert (np.diff(near.likeness) <= 0).all()
    least = np.sort(exact[~np.isnan(exact)])[-10]
    assert (exact[near.documents] >= least - 0.01).all()


def test_likeness_counts_standard_deviations_of_all_passages(vectors: Vectors, rows: Rows) -> None:
    question = rows[0]
    products = rows @ question
    expected = (best_of(rows, question) - products.mean()) / products.std()
    documents = np.array([3, 40, 0, 21])
    assert np.abs(vectors.likeness(question, documents) - expected[documents]).max() < 0.05
    near = vectors.nearest(question, 41, ALL)
    assert np.abs(near.likeness - expected[near.documents]).max() < 0.05


def test_closeness_counts_standard_deviations_of_two_passages_by_chance(vectors: Vectors, rows: Rows) -> None:
    pairs = rows @ rows.T  # two by chance may be the same one
    question = rows[5]
    expected = (best_of(rows, question) - pairs.mean()) / pairs.std()
    documents = np.array([3, 40, 0, 21])
    found = vectors.closeness(question, vectors.likeness(question, documents))
    assert np.abs(found - expected[documents]).max() < 0.1 * np.abs(expected[documents]).max()


def test_an_answer_without_a_vector_is_as_near_as_by_chance(vectors: Vectors, rows: Rows) -> None:
    found = vectors.likeness(rows[0], np.array([7, 0, 7]))
    assert found[0] == found[2] == 0.0 and found[1] > 3
    assert vectors.likeness(rows[0], np.array([7])).tolist() == [0.0]
    assert len(vectors.likeness(rows[0], np.array([], np.int64))) == 0
    assert 7 not in vectors.nearest(rows[0], 41, ALL).documents


def test_what_may_not_be_found_is_not(vectors: Vectors, rows: Rows) -> None:
    allowed = np.zeros(41, np.bool_)
    allowed[[4, 9]] = True
    assert sorted(vectors.nearest(rows[0], 10, allowed).documents.tolist()) == [4, 9]
    assert len(vectors.nearest(rows[0], 10, np.zeros(41, np.bool_)).documents) == 0


def test_they_are_mapped_and_say_whose_they_are(vectors: Vectors, data: Path) -> None:
    assert isinstance(vectors.codes.bytes, np.memmap) and vectors.model == MODEL
    manifest = vectors_folder.open_manifest(data, "gen-000001")
    assert manifest is not None and dict(manifest.counts) == {"answers": 40, "passages": len(OWNERS)}
    generations.check_files(data, "gen-000001")  # the generation's own files are as they were


def test_a_generation_without_them_has_none(tmp_path: Path) -> None:
    sealed(tmp_path, {"a.txt": "一"})
    assert open_vectors(tmp_path, "gen-000001") is None


@pytest.mark.parametrize("file", ["codes.npy", "manifest.json", "mean.npy"])
def test_a_file_that_is_gone_or_cut_is_named(data: Path, file: str) -> None:
    path = data / "generations" / "gen-000001" / "vectors" / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(MeaningError, match=file):
        open_vectors(data, "gen-000001")
    path.unlink()
    with pytest.raises(MeaningError, match=file):
        open_vectors(data, "gen-000001")
    path.write_bytes(whole)
    assert open_vectors(data, "gen-000001") is not None


def test_a_changed_bit_is_found_by_checking(data: Path) -> None:
    flip_bit(data / "generations" / "gen-000001" / "vectors" / "codes.npy", 4_000)
    with pytest.raises(MeaningError, match=r"codes\.npy"):
        vectors_folder.check_files(data, "gen-000001")


def test_a_changed_manifest_is_not_ours(data: Path) -> None:
    file = data / "generations" / "gen-000001" / "vectors" / "manifest.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "counts": {"answers": 1, "passages": 1}}), encoding="utf-8")
    with pytest.raises(MeaningError, match="签名"):
        open_vectors(data, "gen-000001")


def test_vectors_of_another_index_are_refused(data: Path, tmp_path: Path) -> None:
    other = sealed(data, {"a.txt": "二"}).generation
    (data / "generations" / "gen-000001" / "vectors").rename(data / "generations" / other / "vectors")
    with pytest.raises(MeaningError, match="另一份索引"):
        open_vectors(data, other)


def test_what_fails_on_the_way_leaves_what_was_there(data: Path, rows: Rows) -> None:
    def broken() -> Iterator[Rows]:
        yield rows[:5]
        raise OSError(28, "No space left on device")

    before = vectors_folder.open_manifest(data, "gen-000001")
    with pytest.raises(OSError, match="No space"):
        save_vectors(data, "gen-000001", "x", MODEL, OWNERS, broken)
    assert vectors_folder.open_manifest(data, "gen-000001") == before is not None
    assert not (data / "generations" / "gen-000001" / "vectors.partial").exists()


def test_a_generation_that_was_deleted_meanwhile_is_told(tmp_path: Path, rows: Rows) -> None:
    with pytest.raises(GenerationMissing):
        save_vectors(tmp_path, "gen-000001", "x", MODEL, OWNERS, lambda: iter([rows]))
