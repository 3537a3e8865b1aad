"""`yiwen doctor`: a sound data directory is all 正常; each broken state, made for real, is named with its cure."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from builders import record_of
from store_builders import PATIENCE_SECONDS, ROOT, flip_bit, small_resources, spasm_answers

from indexer import build_generation
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.sealing import data_key, seal_of
from indexer.store.take_downs import take_down
from webapp.cli import main
from webapp.query_log import Event, QueryLog

FIRST, SECOND = "gen-000001", "gen-000002"
Outcome = tuple[int, dict[str, tuple[bool, str]]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two generations that share files, the second served, and both databases."""
    folder = tmp_path_factory.mktemp("doctor")
    settings = Settings(resources=small_resources(), workers=1)
    for version in (0, 1):
        lines = [json.dumps(record_of(answer), ensure_ascii=False) for answer in spasm_answers(8 + version)]
        (folder / "corpus").mkdir(exist_ok=True)
        (folder / "corpus" / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
        build_generation(folder / "corpus", folder / "data", settings, update=bool(version))
    take_down(folder / "data", "s7", "试")
    log = QueryLog(folder / "data")
    log.record(Event(datetime.now(UTC), "面肌痉挛", 1, 1.0, "gen-000001", "page", 1))
    assert log.flush()
    return folder / "data"


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may break, hard links kept."""
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", sound, copy], check=True)
    return copy


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], free_port: int) -> Callable[..., Outcome]:
    """Run it; gives its exit status, and of each finding by its name whether it is well, and the sentence."""

    def run(data: Path, port: int = free_port, resources: Path | None = None) -> Outcome:
        chosen = ["--resources", str(resources or small_resources()), "--port", str(port)]
        capsys.readouterr()
        status = main(["doctor", "--data", str(data), "--json", *chosen])
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert said["well"] == (status == 0) == all(finding["well"] for finding in said["findings"])
        return status, {finding["name"]: (finding["well"], finding["sentence"]) for finding in said["findings"]}

    return run


def test_a_sound_data_directory_is_all_well(
    data: Path, doctor: Callable[..., Outcome], capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    status, found = doctor(data)
    assert [name for name, (well, _) in found.items() if not well] == []
    assert status == 0
    assert {"key", "lock", "index", "counts", "resources", "golden", "state", "query_log", "site", "disk"} <= set(found)
    assert main(["doctor", "--data", str(data), "--resources", str(small_resources()), "--port", str(free_port)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found) and all(line.startswith("正常  ") for line in lines)


def reseal(data: Path, name: str = SECOND, **changes: Any) -> None:
    """Write another manifest with this data directory's own seal, as another program or clock would have."""
    file = data / "generations" / name / "manifest.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content.pop("hmac")
    content.update(changes)
    content["hmac"] = seal_of(content, data_key(data))
    file.write_text(json.dumps(content), encoding="utf-8")


def counts_of(data: Path) -> dict[str, int]:
    return dict(generations.open_manifest(data, SECOND).counts)


def shared_file(data: Path) -> Path:
    """A file of the served generation that the other one has too."""
    files = sorted(file for file in (data / "generations" / SECOND).rglob("*") if file.is_file())
    return next(file for file in files if file.stat().st_nlink > 1 and file.stat().st_size)


def own_file(data: Path) -> Path:
    return data / "generations" / SECOND / "pages.jsonl"


def event_of_the_future(data: Path) -> None:
    with closing(sqlite3.connect(data / "querylog.sqlite3")) as database, database:
        database.execute("update searches set at = 9999999999")


def many_generations(data: Path) -> None:
    for number in range(3, 13):
        name = f"gen-{number:06d}"
        subprocess.run(["cp", "-al", data / "generations" / FIRST, data / "generations" / name], check=True)
        manifest = data / "generations" / name / "manifest.json"
        content = manifest.read_text(encoding="utf-8")
        manifest.unlink()
        manifest.write_text(content, encoding="utf-8")
        reseal(data, name, generation=name)


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait(PATIENCE_SECONDS)
    return process.pid


def foreign_key(data: Path) -> None:
    (data / "key").write_text("ab" * 32, encoding="ascii")


def not_a_folder(data: Path) -> None:
    shutil.rmtree(data)
    data.write_text("", encoding="utf-8")


def no_cache_folder(data: Path) -> None:
    shutil.rmtree(data / "cache")
    (data / "cache").write_text("", encoding="utf-8")


def remove_all_generations(data: Path) -> None:
    shutil.rmtree(data / "generations")
    (data / "CURRENT").unlink()


#: name of the finding, what its sentence must hold of thing and cure, how the state is made
STATES: list[tuple[str, str, Callable[[Path], object]]] = [
    ("data_missing", "不存在.*yiwen build", shutil.rmtree),
    ("data_no_folder", "不是目录.*--data", not_a_folder),
    ("data_open_to_all", "chmod o-w", lambda data: data.chmod(0o777)),
    ("key_missing", "key 缺失.*备份", lambda data: (data / "key").unlink()),
    ("key_damaged", "key 内容损坏.*备份", lambda data: (data / "key").write_text("zz")),
    ("key_open", "chmod 600", lambda data: (data / "key").chmod(0o644)),
    ("foreign_seal", "不带本数据目录的签名.*yiwen", foreign_key),
    ("no_index", "yiwen build", remove_all_generations),
    ("current_missing", "CURRENT.*yiwen switch", lambda data: (data / "CURRENT").unlink()),
    ("current_damaged", "CURRENT.*yiwen switch", lambda data: (data / "CURRENT").write_bytes(b"\0" * 11)),
    ("current_dangling", "gen-000099 不存在.*yiwen roll-back", lambda d: (d / "CURRENT").write_text("gen-000099")),
    (
        "manifest_missing",
        "manifest.json 缺失.*yiwen",
        lambda d: (d / "generations" / SECOND / "manifest.json").unlink(),
    ),
    (
        "manifest_damaged",
        "manifest.json 内容损坏.*yiwen",
        lambda data: (data / "generations" / SECOND / "manifest.json").write_text("{"),
    ),
    ("file_missing", "pages.jsonl 缺失.*yiwen", lambda data: own_file(data).unlink()),
    ("file_cut", "pages.jsonl 应有.*yiwen", lambda data: os.truncate(own_file(data), 5)),
    ("file_changed", "pages.jsonl 内容与校验值不符.*yiwen", lambda data: flip_bit(own_file(data))),
    (
        "file_foreign",
        "b.npy 不属于这一代",
        lambda d: (d / "generations" / SECOND / "impacts" / "b.npy").write_bytes(b""),
    ),
    ("shared_file_damaged", f"与 {FIRST} 共用.*全部重建", lambda data: flip_bit(shared_file(data), 9)),
    ("older_damaged", f"{FIRST}.*缺失.*yiwen prune", lambda d: (d / "generations" / FIRST / "pages.jsonl").unlink()),
    ("other_version", "由 0.0.1 版建立.*yiwen build", lambda data: reseal(data, code_version="0.0.1")),
    (
        "counts_differ",
        "答案应有 99，实有 9.*yiwen",
        lambda data: reseal(data, counts={**counts_of(data), "answers": 99}),
    ),
    ("clock_behind", "早于 gen-000002.*校准", lambda data: reseal(data, created="2999-01-01T00:00:00Z")),
    ("golden_missed", "s1.*yiwen search", lambda data: (data / "golden.tsv").write_text("面肌痉挛\tnobody-s1\n")),
    ("leftovers", "gen-000003.partial.*yiwen prune", lambda d: (d / "generations" / "gen-000003.partial").mkdir()),
    ("leftovers", r"CURRENT\.\d+.*yiwen build", lambda data: (data / f"CURRENT.{dead_process()}").write_text("")),
    ("inbox_leftovers", ".new-dead.*删除", lambda data: (data / "inbox" / ".new-dead").mkdir(parents=True)),
    ("inbox_unknown", "pages/7.*移走", lambda data: (data / "pages" / "7").mkdir(parents=True)),
    ("cache_unwritable", "cache.*删除", no_cache_folder),
    ("many_generations", "共有 12 代.*yiwen prune --keep 3", many_generations),
    ("state_damaged", "state.sqlite3.*备份", lambda data: (data / "state.sqlite3").write_bytes(b"x" * 8192)),
    ("query_log_damaged", "querylog.sqlite3.*移走", lambda data: (data / "querylog.sqlite3").write_bytes(b"x" * 8192)),
    ("query_log_ahead", "晚于本机时间.*校准", event_of_the_future),
]


@pytest.mark.parametrize(
    ("name", "said", "break_it"), STATES, ids=[f"{n}-{state[0]}" for n, state in enumerate(STATES)]
)
def test_a_broken_state_is_named_with_its_cure(
    name: str, said: str, break_it: Callable[[Path], object], data: Path, doctor: Callable[..., Outcome]
) -> None:
    break_it(data)
    status, found = doctor(data)
    assert status == 1
    assert name in found, found
    well, sentence = found[name]
    assert not well
    assert re.search(said, sentence), sentence
    assert sentence.endswith("。")


def test_at_least_twenty_broken_states_are_made() -> None:
    assert len({name for name, _, _ in STATES}) >= 20


def test_a_log_whose_writes_wait_is_named(data: Path, doctor: Callable[..., Outcome]) -> None:
    with closing(sqlite3.connect(data / "querylog.sqlite3")) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from searches").fetchone()
        with closing(sqlite3.connect(data / "querylog.sqlite3")) as writer, writer:
            writer.execute("create table filler (bytes blob)")
            writer.executemany("insert into filler values (zeroblob(?))", [(1_000_000,)] * 70)
        status, found = doctor(data)
    assert status == 1
    assert "没有并入日志" in found["query_log_lag"][1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another user")
def test_a_file_of_another_user_is_named(data: Path, doctor: Callable[..., Outcome]) -> None:
    os.chown(data / "CURRENT", 12345, -1)
    status, found = doctor(data)
    assert status == 1
    assert "chown -R" in found["foreign_owner"][1]


def test_a_state_database_that_another_process_holds_is_named(data: Path, doctor: Callable[..., Outcome]) -> None:
    with closing(sqlite3.connect(data / "state.sqlite3", isolation_level=None)) as holder:
        holder.execute("begin exclusive")
        status, found = doctor(data)
    assert status == 1
    assert "被另一个进程占用" in found["state_locked"][1]


def test_a_full_disk_is_named(data: Path, doctor: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(data)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=7_000_000))
    status, found = doctor(data)
    assert status == 1
    assert "只剩 7 MB" in found["disk_low"][1] and "yiwen prune" in found["disk_low"][1]


def test_changed_words_and_changed_rules_are_told_apart(
    data: Path, tmp_path: Path, doctor: Callable[..., Outcome]
) -> None:
    resources = shutil.copytree(small_resources(), tmp_path / "resources")
    (resources / "sites" / "general.toml").open("a").write("\n")
    assert "sites/general.toml" in doctor(data, resources=resources)[1]["resources_differ"][1]
    (resources / "lexicon" / "terms.tsv").open("a").write("\n")
    status, found = doctor(data, resources=resources)
    assert status == 1
    assert "词表" in found["lexicon_differs"][1] and "yiwen build" in found["lexicon_differs"][1]


HOLD = """
import os, sys, time
from pathlib import Path
from indexer.store.generations import build_lock
with build_lock(Path(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os.close(1)
        time.sleep(1000)
    print(child, flush=True)
    if sys.argv[2] == "die":
        os._exit(0)
    sys.stdin.read()
"""


@contextmanager
def lock_held(data: Path, end: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, data, end],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    if end == "die":
        process.wait(PATIENCE_SECONDS)
    try:
        yield child
    finally:
        os.kill(child, 9)
        process.communicate(timeout=PATIENCE_SECONDS)


def test_a_lock_that_only_a_dead_builds_child_holds_is_named(data: Path, doctor: Callable[..., Outcome]) -> None:
    with lock_held(data, "die") as child:
        status, found = doctor(data)
    assert status == 1
    assert str(child) in found["lock_orphaned"][1] and "kill" in found["lock_orphaned"][1]
    assert doctor(data)[0] == 0


def test_a_build_that_runs_is_no_fault_and_neither_are_its_drafts(data: Path, doctor: Callable[..., Outcome]) -> None:
    (data / "generations" / "gen-000003.partial").mkdir()
    with lock_held(data, "live"):
        status, found = doctor(data)
    assert status == 0
    assert "正在建立索引" in found["lock"][1]


@contextmanager
def answering(status: int, replies: dict[str, str]) -> Iterator[int]:
    """A server on a port of its own that answers with these bodies."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(replies.get(self.path, "").encode())

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "ready", "metrics", "name", "said"),
    [
        (200, f'{{"generation": "{SECOND}"}}', "yiwen_query_log_lost 0.0\n", "site", f"正常，使用 {SECOND}"),
        (
            200,
            f'{{"generation": "{SECOND}"}}',
            'yiwen_query_log_lost{pid="7"} 3.0\n',
            "log_losses",
            "有 3 条查询没能写入",
        ),
        (200, f'{{"generation": "{FIRST}"}}', "", "site_serves_other", f"使用的是 {FIRST}.*YIWEN_DATA"),
        (503, '{"error": {"code": "no_index", "message": "没有索引。"}}', "", "site_not_ready", "没有索引。.*处理索引"),
        (200, "<h1>nginx</h1>", "", "port_foreign", "被别的程序占用.*--port"),
    ],
)
def test_what_answers_at_the_port_is_looked_at(
    status: int, ready: str, metrics: str, name: str, said: str, data: Path, doctor: Callable[..., Outcome]
) -> None:
    with answering(status, {"/readyz": ready, "/metrics": metrics}) as port:
        exit_status, found = doctor(data, port=port)
    assert exit_status == (0 if name == "site" else 1)
    assert re.search(said, found[name][1]), found[name]
