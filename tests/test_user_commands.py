"""`yiwen users`, `yiwen audit`, and the link that `yiwen serve` prints while there is nobody."""

from __future__ import annotations

import csv
import http.cookiejar
import io
import os
import pty
import queue
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk_accounts import OTHER_PASSWORD, PASSWORD, fast_hashes, make_accounts
from store_builders import PATIENCE_SECONDS

from indexer import read_acts
from webapp import cli
from webapp.accounts import Accounts, WrongCredentials
from webapp.login_limits import FREE_FOR_NAME
from webapp.roles import Role

__all__ = ["fast_hashes"]

ROOT = Path(__file__).parents[1]
COMMAND = "import sys; from webapp import cli; sys.exit(cli.main())"


@dataclass
class Terminal:
    """Runs commands within this process; standard input is a text."""

    data: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]

    def run(self, *argv: str, typed: str = "") -> tuple[int, str, str]:
        """Status, output, errors."""
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = cli.main([*argv, "--data", str(self.data)])
        return status, *self.capfd.readouterr()


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fast_hashes: None
) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


def test_a_user_is_added_listed_changed_and_removed(terminal: Terminal) -> None:
    added = terminal.run("users", "add", "Zhang", "--role", "admin", typed=f"{PASSWORD}\n")
    assert added == (0, "", "已添加管理员 zhang。\n")
    assert terminal.run("users", "add", "李四", "--role", "editor", typed=PASSWORD)[0] == 0
    assert terminal.run("users", "role", "李四", "analyst") == (0, "", "李四 现在是分析员。\n")
    status, output, _ = terminal.run("users", "list")
    assert status == 0 and output.splitlines() == [
        "zhang  admin（管理员）  上次登录 从未",
        "李四  analyst（分析员）  上次登录 从未",
    ]
    assert terminal.run("users", "password", "李四", typed=OTHER_PASSWORD) == (0, "", "李四 的密码已经设置。\n")
    assert make_accounts(terminal.data).log_in("李四", OTHER_PASSWORD, "x")
    assert terminal.run("users", "remove", "李四") == (0, "", "已删除用户 李四。\n")
    assert [user.name for user in make_accounts(terminal.data).users()] == ["zhang"]
    assert {act.actor.split("/")[0] for act in read_acts(terminal.data) if act.action != "登录"} == {"命令行"}


@pytest.mark.parametrize("command", [("add", "wang", "--role", "editor"), ("password", "zhang")])
def test_a_link_instead_of_a_password(terminal: Terminal, command: tuple[str, ...]) -> None:
    make_accounts(terminal.data).add("zhang", Role.ADMIN, "x", PASSWORD)
    status, output, errors = terminal.run("users", *command, "--link", "--address", "https://yiwen.example/")
    assert status == 0 and "只能用一次" in errors
    found = re.fullmatch(r"https://yiwen\.example/desk/link/([\w-]{43})\n", output)
    assert found
    user = Accounts(terminal.data, 3600, 3600).link_user(found[1])  # by the real clock, as it was made
    assert user and user.name == command[1]


@pytest.mark.parametrize(
    ("argv", "typed", "sentence"),
    [
        (("add", "wang", "--role", "editor"), "short", "密码太短"),
        (("add", "wang", "--role", "editor"), "", "密码太短"),
        (("add", "a/b", "--role", "editor"), PASSWORD, "用户名只能用汉字"),
        (("add", "zhang", "--role", "editor"), PASSWORD, "已经有叫“zhang”的用户"),
        (("remove", "zhang"), "", "最后一位"),
        (("role", "zhang", "editor"), "", "最后一位"),
        (("remove", "nobody"), "", "没有叫“nobody”的用户"),
        (("password", "nobody"), PASSWORD, "没有叫“nobody”的用户"),
        (("unlock", "nobody"), "", "没有叫“nobody”的用户"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    terminal: Terminal, argv: tuple[str, ...], typed: str, sentence: str
) -> None:
    make_accounts(terminal.data).add("zhang", Role.ADMIN, "x", PASSWORD)
    before = read_acts(terminal.data)
    status, output, errors = terminal.run("users", *argv, typed=typed)
    assert (status, output) == (1, "") and sentence in errors and errors.count("\n") == 1
    assert read_acts(terminal.data) == before


def test_a_data_directory_that_is_none_is_not_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["users", "list", "--data", str(tmp_path / "vra")]) == 1
    assert "请检查 --data" in capfd.readouterr().err and not (tmp_path / "vra").exists()


def test_a_locked_user_is_shown_and_unlocked(terminal: Terminal) -> None:
    accounts = Accounts(terminal.data, 3600, 3600)
    accounts.add("zhang", Role.ADMIN, "x", PASSWORD)
    for _ in range(FREE_FOR_NAME):
        with pytest.raises(WrongCredentials):
            accounts.log_in("zhang", "wrong", "x")
    assert "锁定中" in terminal.run("users", "list")[1]
    assert terminal.run("users", "unlock", "zhang") == (0, "", "zhang 可以马上再登录。\n")
    assert terminal.run("users", "unlock", "zhang") == (0, "", "zhang 没有被锁定。\n")
    assert accounts.log_in("zhang", PASSWORD, "x")


def test_a_take_down_from_the_command_line_is_in_the_log(terminal: Terminal) -> None:
    terminal.run("take-down", "=a1", "--reason", "侵权")
    terminal.run("take-down", "=a1", "--undo", "--reason", "查清了")
    status, output, _ = terminal.run("audit")
    assert status == 0
    lines = output.splitlines()
    assert len(lines) == 2 and re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  命令行/\S+  恢复  =a1  查清了", lines[0])
    assert terminal.run("audit", "--action", "下架", "--limit", "1")[1].count("\n") == 1
    assert terminal.run("audit", "--until", "2001-01-01") == (0, "", "没有符合的操作记录。\n")
    rows = list(csv.reader(io.StringIO(terminal.run("audit", "--csv")[1])))
    assert len(rows) == 3 and rows[1][4] == "'=a1"
    status, _, errors = terminal.run("audit", "--since", "gestern")
    assert status == 2 and "应写成 2024-05-01 这样的日期" in errors


def test_a_password_is_asked_for_twice_on_a_terminal_and_not_shown(tmp_path: Path) -> None:
    for second, status in ((OTHER_PASSWORD, 1), (PASSWORD, 0)):
        ours, theirs = pty.openpty()
        argv = [sys.executable, "-c", COMMAND, "users", "add", "zhang", "--role", "admin", "--data", str(tmp_path)]
        process = subprocess.Popen(argv, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        shown = b""
        for asked, typed in (("新密码：", PASSWORD), ("再输一次：", second)):
            while asked.encode() not in shown:
                shown += os.read(ours, 1024)
            os.write(ours, f"{typed}\n".encode())
        shown += rest_of(ours)
        assert process.wait(30) == status, shown.decode()
        assert PASSWORD.encode() not in shown and OTHER_PASSWORD.encode() not in shown
        assert ("不一样" in shown.decode()) is (status == 1)
        os.close(ours)
    assert make_accounts(tmp_path).log_in("zhang", PASSWORD, "x")


def rest_of(terminal: int) -> bytes:
    """What a terminal shows until its process ends."""
    shown = b""
    while True:
        try:
            more = os.read(terminal, 1024)
        except OSError:  # Linux says EIO when nobody is on the other side
            return shown
        if not more:
            return shown
        shown += more


# the first start


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
def site(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", str(port), "--data", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "YIWEN_SITE_WORKERS": "3", "YIWEN_ACCESS_LOG": "false"},
        encoding="utf-8",
        stderr=subprocess.PIPE,
    )
    yield process
    process.terminate()
    process.wait(30)


def lines_of(process: subprocess.Popen[str]) -> queue.Queue[str]:
    """What a process says on standard error, so that waiting for it ends."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stderr
        for line in process.stderr:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


@dataclass
class Browser:
    """Cookies and forms over a real socket, a new connection each time, so that any worker answers."""

    status: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def ask(self, address: str, **fields: str) -> Browser:
        """Get a page, or send a form when there are fields."""
        body = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with self._opener.open(address, body, timeout=PATIENCE_SECONDS) as answer:
                self.status, self.text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.status, self.text = error.code, error.read().decode()
        return self

    @property
    def token(self) -> str:
        """Of the forms on the page that was had last."""
        found = re.search(r'name="token" value="([^"]+)"', self.text)
        assert found, self.text
        return found[1]


def test_the_first_start_prints_a_link_by_which_one_admin_is_made(site: subprocess.Popen[str], port: int) -> None:
    lines = lines_of(site)
    assert lines.get(timeout=PATIENCE_SECONDS).startswith("医问已启动")
    said = lines.get(timeout=PATIENCE_SECONDS).rstrip()
    found = re.search(rf"http://127\.0\.0\.1:{port}/desk/first/[\w-]{{43}}$", said)
    assert found
    browsers = [Browser().ask(found[0]) for _ in range(4)]
    assert [browser.status for browser in browsers] == [200] * 4

    def make(browser: Browser, name: str) -> None:
        browser.ask(found[0], token=browser.token, name=name, new=PASSWORD, again=PASSWORD)

    senders = [threading.Thread(target=make, args=(browser, f"admin{n}")) for n, browser in enumerate(browsers)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(browser.status for browser in browsers) == [200, 410, 410, 410]
    [admin] = [browser for browser in browsers if browser.status == 200]
    for _ in range(6):  # whichever worker answers, the session holds
        assert "（管理员）" in admin.ask(f"http://127.0.0.1:{port}/desk").text
    assert Browser().ask(found[0]).status == 410
    assert Browser().ask(f"http://127.0.0.1:{port}/desk").text.count("用户名") >= 1
