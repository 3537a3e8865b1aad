"""A question asked again of a generation, by itself and as a job; and the commands that do so."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import build_data, built, make_answer
from store_builders import spasm_answers

from indexer import replaying
from indexer.engine import open_engine
from indexer.errors import GenerationMissing, JobError
from indexer.jobs import Job, find_job, start_task
from indexer.replaying import (
    Replay,
    ask_for_replay,
    default_pair,
    read_replays,
    replay,
    replay_generation,
    replay_key,
)
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.generations import list_manifests, switch_to
from indexer.store.judged_cases import case_id, list_judged_cases
from webapp.cli import main

QUESTION = "偏头痛发作时怎么办"
FIRST = [
    make_answer(
        "old", QUESTION, "在安静、暗一些的房间里休息，按医嘱尽早用止痛药。" + "还要注意休息。" * 40, site="a.example"
    ),
    *spasm_answers(5),
]
SECOND = [make_answer("new", QUESTION, "先停下手里的事，到暗一些的房间里躺下，尽早吃药。"), *spasm_answers(5)]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generations, the second one served."""
    folder = tmp_path_factory.mktemp("replaying")
    build_data(folder, FIRST)
    name = built(folder, SECOND).manifest.generation
    if generations.current(folder / "data") != name:
        switch_to(folder / "data", name, "试验")
    return folder / "data"


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command on the data directory: exit status, standard output, standard error."""

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([*arguments, "--data", str(data)])
        return status, *capsys.readouterr()

    return command


def ended(data: Path, number: int) -> Job:
    """A job, when it has come to its end."""
    while (job := find_job(data, number)).status == "running":
        time.sleep(0.05)
    return job


def test_searchers_results_come_first_and_in_their_order(data: Path) -> None:
    engine = open_engine(data)
    found, results = replay(engine, QUESTION), engine.search(QUESTION)
    shown = [each for each in found.answers if each.is_shown]
    assert [each.id for each in shown] == [hit.answer.id for hit in results.hits] and shown
    assert found.total == results.total and found.words == results.words
    assert [each.rank for each in found.answers] == list(range(1, len(found.answers) + 1))
    assert len({each.id for each in found.answers}) == len(found.answers)
    assert all(not each.is_shown for each in found.answers[len(shown) :]) and len(found.answers) > len(shown)


def test_so_many_and_no_more(data: Path) -> None:
    assert len(replay(open_engine(data), "面肌痉挛", 2).answers) == 2


def test_a_question_that_cannot_be_asked_is_told(data: Path) -> None:
    found = replay(open_engine(data), "的")
    assert not found.answers and "没有" in found.problem


def test_another_generation_is_asked_and_let_go_of(data: Path) -> None:
    found = replay_generation(data, "gen-000001", QUESTION, 3, Settings(data=data))
    assert found.generation == "gen-000001" and found.answers[0].id == "old"
    assert Replay.of(json.loads(json.dumps(found.as_dict()))) == found
    with open("/proc/self/maps", encoding="utf-8") as maps:
        assert not [line for line in maps if f"{data}/generations/gen-000001" in line], "it stays mapped"
    with pytest.raises(GenerationMissing, match="gen-000009"):
        replay_generation(data, "gen-000009", QUESTION, 3, Settings(data=data))


def test_the_usual_pair_is_the_one_before_and_the_served_one(data: Path) -> None:
    manifests = list_manifests(data)
    assert default_pair(manifests, "gen-000002") == ("gen-000001", "gen-000002")
    assert default_pair(manifests, "gen-000001") == ("", "gen-000001")
    assert default_pair(manifests[1:], "gen-000002") == ("", "gen-000002")


def test_a_job_asks_and_what_it_found_is_kept_for_some_minutes(data: Path) -> None:
    key = replay_key(QUESTION, ["gen-000001"], 5, "state")
    ask_for_replay(data, key, QUESTION, ["gen-000001"], 5)
    job = ended(data, start_task(data, "replay", key, "fenxi").number)
    assert job.status == "done" and QUESTION not in f"{job.sentence}{job.subject}"
    found = read_replays(data, key)
    assert found is not None and found["gen-000001"].answers[0].id == "old"
    folder = data / "cache" / replaying.FOLDER
    assert [file.name for file in folder.iterdir()] == [f"{key}.json"] and folder.stat().st_mode & 0o077 == 0
    long_ago = time.time() - replaying.KEPT_SECONDS - 1
    os.utime(folder / f"{key}.json", (long_ago, long_ago))
    assert read_replays(data, key) is None
    ask_for_replay(data, "other", QUESTION, ["gen-000001"], 5)
    assert [file.name for file in folder.iterdir()] == ["other.asked"]


def test_another_state_of_decisions_is_another_replay() -> None:
    keys = {replay_key(QUESTION, names, 5, state) for names in (["a"], ["a", "b"]) for state in ("x", "y")}
    assert len(keys) == 4


def test_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_MAX_KEPT", 3)
    for number in range(9):
        ask_for_replay(tmp_path, f"key{number}", QUESTION, ["gen-000001"], 5)
    assert len(list((tmp_path / "cache" / replaying.FOLDER).iterdir())) == 4


def test_a_job_without_its_question_or_generation_says_so(data: Path) -> None:
    job = ended(data, start_task(data, "replay", "nothing", "fenxi").number)
    assert job.status == "failed" and "已不在缓存里" in job.sentence
    ask_for_replay(data, "gone", QUESTION, ["gen-000077"], 5)
    job = ended(data, start_task(data, "replay", "gone", "fenxi").number)
    assert job.status == "failed" and "没有名为 gen-000077" in job.sentence


def test_it_takes_no_more_than_its_time(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MAX_SECONDS", 1)
    monkeypatch.setattr(replaying, "replay_generation", lambda *_: threading.Event().wait())
    monkeypatch.setattr(os, "nice", lambda _: None)
    before = signal.getsignal(signal.SIGALRM)
    ask_for_replay(data, "slow", QUESTION, ["gen-000001"], 5)
    job = Job(1, "replay", "slow", False, "fenxi", "", "", "running", 0, 0, "", "")
    try:
        with pytest.raises(JobError, match="已停止"):
            replaying.run(data, job, lambda done, total: None)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert read_replays(data, "slow") is None


def test_the_command_shows_both(run: Run) -> None:
    status, out, err = run("replay", QUESTION, "--limit", "3")
    assert status == 0 and out.index("gen-000002") < out.index("gen-000001") and err == ""
    assert "（只在这一代）" in out and "  old  " in out and "  new  " in out
    status, out, _ = run("replay", QUESTION, "--generation", "gen-000001", "--json")
    told = json.loads(out)
    assert [each["generation"] for each in told["replays"]] == ["gen-000001"]
    assert told["replays"][0]["answers"][0]["id"] == "old"


def test_judging_listing_and_dropping(run: Run, data: Path) -> None:
    assert run("judgements", "list") == (0, "", "还没有评判过任何问题。\n")
    status, out, err = run(
        "judgements", "add", f"{QUESTION}，我的电话13800138000", "--grade", "new=3", "--grade", "x=1=0"
    )
    assert (status, out) == (0, "") and "个人信息的部分已经换掉" in err and "没有这些答案：x=1。" in err
    [case] = list_judged_cases(data)
    assert case.by_answer == {"new": 3, "x=1": 0} and "〔电话〕" in case.question
    assert (case.topic, case.made_by[:3]) == ("偏头痛", "命令行")
    status, out, _ = run("judgements", "list", "--json")
    [told] = json.loads(out)
    assert (told["id"], told["gone"]) == (case.id, ["x=1"])
    assert "判过的答案不在了：x=1" in run("judgements", "list")[1]
    status, out, _ = run("replay", case.question)
    assert "评为完全回答" in out
    status, out, _ = run("judgements", "add", case.question, "--grade", "x=1=-", "--note", "查过", "--json")
    assert json.loads(out)["note"] == "查过" and list_judged_cases(data)[0].by_answer == {"new": 3}
    assert run("judgements", "drop", case.id, "--reason", "试完了")[0] == 0 and not list_judged_cases(data)


def test_exporting(run: Run, tmp_path: Path) -> None:
    run("judgements", "add", QUESTION, "--grade", "new=3")
    status, out, _ = run("judgements", "export", str(tmp_path / "out"))
    assert status == 0 and out.split() == [str(tmp_path / "out" / name) for name in ("topics.tsv", "qrels.tsv")]
    assert (tmp_path / "out" / "qrels.tsv").read_text(encoding="utf-8") == f"{case_id(QUESTION)}\t0\tnew\t3\n"
    assert run("judgements", "export", str(tmp_path / "out"))[0] == 1
    for _ in range(2):
        assert run("judgements", "export", str(tmp_path / "own"), "--format", "jsonl", "--append")[0] == 0
    measured = ("--queries", str(tmp_path / "own" / "queries.jsonl"), "--qrels", str(tmp_path / "own" / "qrels.tsv"))
    status, out, _ = run("evaluate", *measured)
    assert status == 0 and "nDCG@10" in out
    run("judgements", "drop", case_id(QUESTION), "--reason", "试完了")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("judgements", "add", QUESTION), 1, "至少给一条"),
        (("judgements", "add", QUESTION, "--grade", "new=4"), 2, "0 到 3"),
        (("judgements", "add", QUESTION, "--grade", "3"), 2, "编号=评级"),
        (("judgements", "drop", "case-0", "--reason", "x"), 1, "没有编号为 case-0"),
        (("judgements", "export", "x", "--append"), 2, "--append 只用于"),
        (("replay", QUESTION, "--generation", "gen-000077"), 1, "gen-000077"),
        (("replay", QUESTION, *("--generation", "a") * 3), 2, "最多写两次"),
        (("replay", QUESTION, "--limit", "21"), 2, "limit"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(run: Run, arguments: tuple[str, ...], status: int, told: str) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (status, "") and told in err
