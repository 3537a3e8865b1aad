"""The command `yiwen`: what it prints where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from fakes import FakeEngine
from store_builders import PATIENCE_SECONDS

from indexer.errors import GenerationMissing
from indexer.records import UrgencyCard
from webapp import cli, telling
from webapp.log_store.sessions import Visitor
from webapp.query_log import Event, QueryLog

ROOT = Path(__file__).parents[1]


@click.command("probe")
@click.argument("what")
def probe(what: str) -> int | None:
    """An engine command that ends in the given way."""
    if what == "missing":
        raise GenerationMissing("没有索引，请先运行 yiwen build。")
    if what == "disk":
        raise OSError(28, "No space left on device", "/data/x")
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "exit4":
        click.get_current_context().exit(4)
    return 3 if what == "three" else None


def run(*argv: str) -> int:
    return cli.run(cli.build_group([probe]), argv)


@pytest.mark.parametrize(
    ("what", "status", "sentence"),
    [
        ("fine", 0, ""),
        ("three", 3, ""),
        ("exit4", 4, ""),
        ("missing", 1, "没有索引，请先运行 yiwen build。\n"),
        ("disk", 1, "读写 /data/x 失败：磁盘已满。\n"),
        ("interrupt", 1, "\n已中断。\n"),
    ],
)
def test_ends_with_a_status_and_a_sentence(
    capfd: pytest.CaptureFixture[str], what: str, status: int, sentence: str
) -> None:
    assert run("probe", what) == status
    assert capfd.readouterr() == ("", sentence)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ((), "缺少命令。用法见 yiwen --help。"),
        (("logs",), "缺少命令。用法见 yiwen logs --help。"),
        (("nonsense",), "没有命令 nonsense。用法见 yiwen --help。"),
        (("serv",), "没有命令 serv，是不是 serve、users？用法见 yiwen --help。"),
        (("probe",), "缺少参数 WHAT。用法见 yiwen probe --help。"),
        (("probe", "a", "b"), "多出了参数 b。用法见 yiwen probe --help。"),
        (("serve", "--prt", "1"), "没有选项 --prt，是不是 --port？用法见 yiwen serve --help。"),
        (("serve", "--port", "x"), "选项 --port 的值不能用：应为 1 到 65535 的整数。用法见 yiwen serve --help。"),
        (("serve", "--port", "65536"), "选项 --port 的值不能用：应为 1 到 65535 的整数。用法见 yiwen serve --help。"),
        (
            ("logs", "top", "--limit", "0"),
            "选项 --limit 的值不能用：应为不小于 1 的整数。用法见 yiwen logs top --help。",
        ),
        (("logs", "top", "--csv=1"), "选项 --csv 后面不能带值。用法见 yiwen logs top --help。"),
        (("logs", "top", "--limit"), "选项 --limit 后面缺一个值。用法见 yiwen logs top --help。"),
    ],
)
def test_wrong_usage_is_explained_in_chinese(
    capfd: pytest.CaptureFixture[str], argv: tuple[str, ...], sentence: str
) -> None:
    assert run(*argv) == 2
    output, errors = capfd.readouterr()
    assert output == ""
    # The context of a missing value is the program's in some versions of click and the command's in others.
    assert errors.split("用法见")[0] == sentence.split("用法见")[0]
    assert re.search(r"用法见 yiwen.* --help。\n$", errors)


@pytest.mark.parametrize("argv", [("--help",), ("serve", "--help"), ("logs", "--help"), ("logs", "top", "--help")])
def test_help_is_chinese(capfd: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert run(*argv) == 0
    output, errors = capfd.readouterr()
    assert errors == ""
    assert output.startswith("用法：yiwen") and "选项：" in output
    for english in ("Usage", "Options", "Show this", "OPTIONS", "COMMAND"):
        assert english not in output


def test_main_has_the_engines_commands(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    module = type(sys)("indexer.cli")
    module.commands = (probe,)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "indexer.cli", module)
    assert cli.main(["probe", "three"]) == 3
    assert cli.main(["--help"]) == 0
    assert "probe" in capfd.readouterr().out


# yiwen logs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    log = QueryLog(tmp_path)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    number = 0
    asked = (("失眠", 3, 0, 2), ("失眠", 3, 1, 7), ("罕见病", 0, 0, 5), ("=cmd()", 0, 2, 9))
    for query, total, days_ago, times in asked:
        for _ in range(times):
            number += 1
            visitor = Visitor(number, number)
            event = Event(today - timedelta(days_ago), query, total, 12.3, "g", "page", 1, visitor=visitor)
            log.record(event)
    assert log.flush()
    return tmp_path


def test_top_is_a_table(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "top", "--data", str(data)) == 0
    output, errors = capfd.readouterr()
    lines = [line.split("  ") for line in output.splitlines()]
    assert lines[0] == ["问题", "搜索次数", "前一段", "没有结果", "有点击", "最近的结果数"]
    assert [line[:2] for line in lines[1:]] == [["=cmd()", "9"], ["失眠", "9"], ["罕见病", "5"]]
    assert lines[1][3] == "100.0%（70.1%–100.0%，共 9）样本不足" and errors == ""


@pytest.mark.parametrize(
    ("since", "queries"),
    [("0d", ["罕见病"]), ("1d", ["罕见病"]), ("2d", ["=cmd()", "罕见病"]), ("2020-01-01", ["=cmd()", "罕见病"])],
)
def test_since(data: Path, capfd: pytest.CaptureFixture[str], since: str, queries: list[str]) -> None:
    assert run("logs", "no-result", "--data", str(data), "--since", since) == 0
    assert [line.split("  ")[0] for line in capfd.readouterr().out.splitlines()[1:]] == queries


def test_csv_is_guarded_against_formulas(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "no-result", "--data", str(data), "--csv", "--limit", "1") == 0
    heading, row = csv.reader(io.StringIO(capfd.readouterr().out))
    told = dict(zip(heading, row, strict=True))
    names = ("问题", "没有结果的次数", "搜索次数", "比例")
    assert [told[name] for name in names] == ["'=cmd()", "9", "9", "1.0"]


def test_json_says_what_it_counts(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "top", "--data", str(data), "--json", "--limit", "1") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["report"] == "top" and "翻页不另算" in told["definition"]
    assert told["rows"][0]["问题"] == "=cmd()" and told["rows"][0]["没有结果（分母）"] == 9


def test_an_intranet_may_see_more(
    data: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWEN_LOG_MIN_SESSIONS", "8")
    assert run("logs", "top", "--data", str(data)) == 0
    assert [line.split("  ")[0] for line in capfd.readouterr().out.splitlines()[1:]] == ["=cmd()"]


def test_a_purge_says_what_it_did(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "purge", "--data", str(data)) == 0
    assert "已清除：0 条" in capfd.readouterr().err


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_that_could_run_are_quoted(cell: str) -> None:
    assert telling.guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "失眠", "1-1", " =1", "'"])
def test_other_cells_stay(cell: str) -> None:
    assert telling.guarded(cell) == cell


def test_no_log_is_no_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "top", "--data", str(tmp_path)) == 0
    assert capfd.readouterr() == ("", "这段时间没有符合的查询记录。\n")


def test_a_broken_log_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    QueryLog(tmp_path).path.write_text("x" * 5000)
    assert run("logs", "top", "--data", str(tmp_path)) == 1
    output, errors = capfd.readouterr()
    assert output == "" and errors.startswith("查询日志") and errors.count("\n") == 1


@pytest.mark.parametrize(
    "since", ["yesterday", "7", "d", "2024-13-01", "9999999d", "-1d", "999999d", "0001-01-01x", "0001-01-01", "24h"]
)
def test_a_wrong_time_is_wrong_usage(tmp_path: Path, capfd: pytest.CaptureFixture[str], since: str) -> None:
    assert run("logs", "top", "--data", str(tmp_path), f"--since={since}") == 2
    assert f"“{since}”应写成日期" in capfd.readouterr().err


@pytest.mark.parametrize("options", [[], ["--csv"]])  # one flushes line by line, the other at the end
def test_a_reader_that_stops_early_is_no_drama(data: Path, options: list[str]) -> None:
    code = "import sys; from webapp import cli; sys.exit(cli.run(cli.build_group(()), sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "logs", "top", "--data", str(data), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(20), errors) == (1, b"")


# yiwen serve


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port: int = probe_socket.getsockname()[1]
        return port


def test_a_busy_port_is_one_sentence(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert run("serve", "--port", str(port), "--data", str(tmp_path)) == 1
    assert capfd.readouterr() == ("", f"端口 {port} 已被占用；请停掉占用它的程序，或用 --port 换一个端口。\n")


def test_a_foreign_host_is_one_sentence(capfd: pytest.CaptureFixture[str], tmp_path: Path, free_port: int) -> None:
    assert run("serve", "--host", "192.0.2.1", "--port", str(free_port), "--data", str(tmp_path)) == 1
    assert "地址 192.0.2.1 不是本机的地址" in capfd.readouterr().err


@pytest.fixture
def served(tmp_path: Path, free_port: int) -> Iterator[subprocess.Popen[str]]:
    code = "import sys; from webapp import cli; sys.exit(cli.run(cli.build_group(()), sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", str(free_port), "--data", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    yield process
    process.kill()
    process.communicate()


def test_serving_says_where_and_stops_on_interrupt(served: subprocess.Popen[str], free_port: int) -> None:
    assert served.stderr and served.stdout
    assert served.stderr.readline() == f"医问已启动：http://127.0.0.1:{free_port}/ （按 Ctrl+C 停止）\n"
    address = f"http://127.0.0.1:{free_port}"
    with urllib.request.urlopen(f"{address}/healthz", timeout=PATIENCE_SECONDS) as response:
        assert response.read() == b'{"status":"ok"}\n'
        assert response.headers["Server"] == "yiwen"
    long_question = urllib.parse.quote("面" * 5000)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{address}/search?q={long_question}", timeout=PATIENCE_SECONDS)
    assert refused.value.code == 503  # understood, only there is no index
    served.send_signal(signal.SIGINT)
    assert served.wait(20) == 0
    assert served.stdout.read() == ""


def test_an_urgency_card_is_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import indexer.cli

    engine = FakeEngine()
    monkeypatch.setattr(indexer.cli, "_engine", lambda data: engine)
    assert cli.main(["search", "面肌痉挛"]) == 0
    answers = capsys.readouterr().out
    engine.urgency = UrgencyCard("x", "emergency", "请马上拨打120", "不要喂水。", "某指南", "", ("120", "110"))
    assert cli.main(["search", "面肌痉挛"]) == 0
    shown = capsys.readouterr()
    assert shown.out == answers
    assert shown.err.splitlines()[:3] == ["【请马上拨打120】", "不要喂水。", "电话：120、110"]
    assert "尚未经医生审核" in shown.err
    assert cli.main(["search", "面肌痉挛", "--json"]) == 0
    assert capsys.readouterr().err == ""
