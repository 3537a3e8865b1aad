"""What the doctor says of meaning: off, the model, the vectors of the served generation, what is left over."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fakes import FakeEmbedder
from store_builders import flip_bit
from vector_builders import indexed, long_answers

from indexer.errors import MeaningError
from indexer.health import meaning
from indexer.jobs import JOBS, KINDS
from indexer.meaning.making import make_vectors, vectors_lock
from indexer.meaning.vector_cache import VectorCache, file_of
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.state import write_state

MODEL = FakeEmbedder()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """How often a model was opened."""
    calls: list[Settings] = []

    def opening(settings: Settings) -> FakeEmbedder:
        calls.append(settings)
        return FakeEmbedder()

    monkeypatch.setattr(meaning, "open_embedder", opening)
    return calls


@pytest.fixture
def data(tmp_path: Path, opened: list[Settings]) -> Path:
    """A generation with vectors of the model."""
    make_vectors(tmp_path, indexed(tmp_path, long_answers(20)), FakeEmbedder())
    return tmp_path


def said(data: Path, model: str = "假模型") -> dict[str, tuple[bool, str]]:
    found = list(meaning.meaning(Settings(data=data, meaning_model=model)))
    assert len({finding.name for finding in found}) == len(found)
    assert {finding.subject for finding in found} == {"按意思查找"}
    return {finding.name: (finding.well, finding.sentence) for finding in found}


def folder(data: Path) -> Path:
    return data / "generations" / generations.current(data) / "vectors"


def test_all_is_well_and_the_model_is_opened_once(data: Path, opened: list[Settings]) -> None:
    started = time.perf_counter()
    found = said(data)
    assert time.perf_counter() - started < 2
    assert set(found) == {"model", "vectors"} and all(well for well, _ in found.values())
    assert "假模型 可以使用，48 维" in found["model"][1] and "20 条答案" in found["vectors"][1]
    assert len(opened) == 1


def test_one_line_where_it_is_off_and_no_model_is_opened(data: Path, opened: list[Settings]) -> None:
    assert said(data, "") == {"meaning": (True, "没有启用（设置 meaning_model），只按词语查找。")}
    assert opened == []


def test_a_model_that_cannot_be_opened_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(settings: Settings) -> FakeEmbedder:
        raise MeaningError("目录 /没有 不存在；请检查 meaning_model。")

    monkeypatch.setattr(meaning, "open_embedder", refuse)
    assert said(data) == {"model_unusable": (False, "目录 /没有 不存在；请检查 meaning_model。检索照常按词语进行。")}


def of_other_model(data: Path) -> None:
    make_vectors(data, generations.current(data), FakeEmbedder("别的模型", 32))


def without_vectors(data: Path) -> None:
    indexed(data, long_answers(3))


STATES: list[tuple[str, str, Callable[[Path], object]]] = [
    ("vectors_missing", "gen-000002 还没有意思向量.*按词语.*yiwen vectors", without_vectors),
    ("vectors_of_other_model", r"别的模型（32 维）.*假模型（48 维）.*按词语.*yiwen vectors", of_other_model),
    (
        "vectors_damaged",
        r"codes\.npy 内容与校验值不符.*yiwen vectors",
        lambda d: flip_bit(folder(d) / "codes.npy", 2_000),
    ),
    ("vectors_damaged", r"mean\.npy 缺失", lambda data: (folder(data) / "mean.npy").unlink()),
    ("vectors_damaged", r"manifest\.json 内容损坏", lambda data: (folder(data) / "manifest.json").write_text("{")),
    ("vectors_leftovers", r"vectors\.partial.*清除", lambda data: folder(data).with_name("vectors.partial").mkdir()),
]


@pytest.mark.parametrize(("name", "sentence", "break_it"), STATES)
def test_each_broken_state_is_named_with_its_cure(
    data: Path, name: str, sentence: str, break_it: Callable[[Path], object]
) -> None:
    break_it(data)
    found = said(data)
    assert [name for name, (well, _) in found.items() if not well] == [name]
    assert re.search(sentence, found[name][1]), found[name]
    if name != "vectors_leftovers":
        make_vectors(data, generations.current(data), FakeEmbedder())  # the cure
    else:
        folder(data).with_name("vectors.partial").rmdir()
    assert all(well for well, _ in said(data).values())


def test_vectors_that_are_being_made_are_no_fault(data: Path) -> None:
    without_vectors(data)
    folder(data).with_name("vectors.partial").mkdir()
    with vectors_lock(data):
        found = said(data)
    assert all(well for well, _ in found.values()) and "正在生成" in found["vectors"][1]


def test_why_the_last_job_came_to_nothing_is_told(data: Path) -> None:
    without_vectors(data)
    with write_state(data, [JOBS]) as database:
        row = ("vectors", "gen-000002", "自动", "2020-01-01T00:00:00Z", "failed", "向量接口没有回答。")
        columns = "kind, subject, actor, started, status, sentence"
        database.execute(f"INSERT INTO jobs ({columns}, is_update) VALUES (?, ?, ?, ?, ?, ?, 0)", row)
    assert "没有做成：向量接口没有回答。" in said(data)["vectors_missing"][1]
    assert KINDS["vectors"].label == "生成意思向量"


def test_what_the_cache_holds_for_nobody_is_told(data: Path) -> None:
    with closing(VectorCache(data, FakeEmbedder("别的模型").facts)):
        pass
    well, sentence = said(data)["vectors_cache"]
    assert well and "别的模型的向量" in sentence and "可以随时删除" in sentence
    file_of(data, MODEL.facts).with_suffix(".damaged").write_bytes(b"?")
    assert "损坏后移开" in said(data)["vectors_cache"][1]
