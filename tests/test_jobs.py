"""Builds in processes of their own: they go on, end, are cancelled, die, and are never two at once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from builders import write_corpus
from store_builders import small_resources, spasm_answers, yiwen
from test_build import article
from waiting import wait_for_job

from indexer.build_job import start_job
from indexer.errors import BuildRunning, JobError, JobRunning
from indexer.jobs import FOLDER, cancel_job, list_jobs, read_log
from indexer.store.audit_log import read_acts
from indexer.store.generations import build_lock, current, list_generations

MANY_PAGES = 1500  #: enough that a build of them is met while it cleans


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    return tmp_path / "data"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", spasm_answers(5))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(MANY_PAGES):
        (folder / f"{number}.html").write_text(article(f"面肌痉挛的表现{number}", f"第{number}版。"), encoding="utf-8")
    return folder


def test_a_job_builds_and_serves_and_says_so(data: Path, corpus: Path) -> None:
    started = start_job(data, corpus, "小王")
    assert (started.status, started.actor, started.subject, started.ended) == ("running", "小王", str(corpus), "")
    job = wait_for_job(data, started.number)
    assert (job.status, job.generation, job.done, job.total) == ("done", "gen-000001", 1, 1)
    assert "5 条答案" in job.sentence and job.ended >= job.started and job.stage == ""
    assert current(data) == "gen-000001"
    assert job.sentence in read_log(data, job.number)
    [act] = read_acts(data)
    assert (act.actor, act.action, act.object) == ("小王", "建立索引", str(corpus))


def test_what_the_gate_refuses_is_told_and_not_served(data: Path, corpus: Path) -> None:
    wait_for_job(data, start_job(data, corpus, "a").number)
    write_corpus(corpus, spasm_answers(1))
    job = wait_for_job(data, start_job(data, corpus, "a").number)
    assert (job.status, job.generation) == ("refused", "gen-000002")
    assert "答案" in job.sentence and current(data) == "gen-000001"


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_build_that_fails_ends_with_its_sentence(data: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    job = wait_for_job(data, start_job(data, tmp_path / name, "a").number)
    assert job.status == "failed" and name in job.sentence
    assert start_job(data, tmp_path / name, "a").number == job.number + 1  # and another may begin


def test_a_cancelled_build_leaves_nothing_behind(data: Path, large: Path) -> None:
    number = start_job(data, large, "a").number
    cleaning = wait_for_job(data, number, lambda job: 0 < job.done < job.total or job.status != "running")
    assert cleaning.stage == "清洗网页"
    with pytest.raises(JobRunning):
        start_job(data, large, "b")
    cancel_job(data, number, "b")
    job = wait_for_job(data, number)
    assert job.status == "cancelled" and job.done < job.total
    assert list_generations(data) == [] and [*(data / "generations").iterdir()] == []
    assert [act.action for act in read_acts(data)] == ["取消任务", "建立索引"]
    with pytest.raises(JobError, match="不用取消"):
        cancel_job(data, number, "b")


def test_a_killed_build_is_known_to_be_dead_and_another_may_begin(data: Path, large: Path, corpus: Path) -> None:
    number = start_job(data, large, "a").number
    wait_for_job(data, number, lambda job: job.done > 0)
    os.killpg(os.getpgid(int((data / FOLDER / f"{number}.lock").read_text())), signal.SIGKILL)
    job = wait_for_job(data, number)
    assert job.status == "died" and "重新开始" in job.sentence
    again = wait_for_job(data, start_job(data, corpus, "a").number)
    assert again.status == "done" and [job.status for job in list_jobs(data)] == ["done", "died"]


def test_nothing_starts_beside_a_build_on_the_command_line(data: Path, corpus: Path) -> None:
    data.mkdir()
    with build_lock(data), pytest.raises(BuildRunning):
        start_job(data, corpus, "a")
    assert list_jobs(data) == []


def test_the_command_starts_lists_and_shows(data: Path, corpus: Path) -> None:
    assert "还没有任务" in yiwen("jobs", "list", "--data", str(data), cwd=data.parent).stderr
    begun = yiwen("jobs", "start", "--corpus", str(corpus), "--data", str(data), cwd=data.parent)
    assert begun.returncode == 0 and begun.stdout == "" and "任务 1 已开始" in begun.stderr
    wait_for_job(data, 1)
    listed = yiwen("jobs", "list", "--data", str(data), cwd=data.parent)
    assert listed.stdout.startswith("1  ") and "完成" in listed.stdout and "命令行/" in listed.stdout
    assert "已启用" in yiwen("jobs", "show", "1", "--data", str(data), cwd=data.parent).stdout
    missing = yiwen("jobs", "cancel", "7", "--data", str(data), cwd=data.parent)
    assert (missing.returncode, missing.stdout) == (1, "") and "没有编号为 7 的任务" in missing.stderr
