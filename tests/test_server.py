"""The real server in a process of its own: addresses as people send them, workers that die, a clean stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from store_builders import PATIENCE_SECONDS
from waiting import eventually

from webapp.server import MAX_HEADER_BYTES

TESTS = Path(__file__).parent
#: serves a made-up engine: what the address holds is echoed in the page
CODE = """
import sys
from pathlib import Path
from fakes import FakeEngine
from indexer.settings import Settings
from webapp import access_log, create_app, server
port, data = int(sys.argv[1]), Path(sys.argv[2])
def make_app():
    app = create_app(data, Settings(), FakeEngine())
    access_log.register(app)
    return app
server.serve(make_app, "127.0.0.1", port, 2, lambda: print("started", flush=True))
"""


@dataclass
class Site:
    """A server that is running."""

    port: int
    process: subprocess.Popen[str]

    def workers(self) -> list[int]:
        """Process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def ask(self, address: bytes, more: bytes = b"") -> bytes:
        """The whole response to a request whose first line has this address."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(b"GET " + address + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more)
            connection.sendall(b"\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def refuses(self, address: bytes, more: bytes) -> bool:
        """Whether a request is cut off while it is sent, or answered with 431 (RFC 6585)."""
        try:
            return self.ask(address, more).split(b" ")[1] == b"431"
        except OSError:
            return True

    def answers(self, address: str) -> bool:
        """Whether a page comes at all."""
        try:
            return self.status(address) == 200
        except OSError:
            return False

    def status(self, address: str) -> int:
        """Of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=PATIENCE_SECONDS) as response:
            return int(response.status)


@pytest.fixture
def code() -> str:
    """What the server's process runs."""
    return CODE


@pytest.fixture
def site(tmp_path: Path, code: str) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port), str(tmp_path)],
        env=environment,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stdout.readline() == "started\n"
    yield Site(port, process)
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def unmarked(page: bytes) -> bytes:
    """A page without the mark of its search, another one each time."""
    return re.sub(rb"at=[0-9a-f]+-", b"", page)


def test_addresses_as_programs_send_them(site: Site) -> None:
    raw = site.ask("/search?q=面肌痉挛".encode())
    encoded = site.ask(b"/search?q=%E9%9D%A2%E8%82%8C%E7%97%89%E6%8C%9B")
    assert raw.startswith(b"HTTP/1.1 200")
    assert "面肌痉挛".encode() in body(raw)
    assert unmarked(body(raw)) == unmarked(body(encoded))
    assert site.ask(b"/search?q=\xff\xfe\x80").split(b" ")[1] in (b"200", b"302", b"400")
    assert site.ask(b"/search?q=" + b"%E9%9D%A2" * 5000).startswith(b"HTTP/1.1 200")  # cut, not refused
    assert site.refuses(b"/search?q=a", b"X: " + b"a" * 2 * MAX_HEADER_BYTES + b"\r\n")
    head = site.ask(b"/healthz").partition(b"\r\n\r\n")[0].lower()
    assert b"granian" not in head and b"python" not in head  # nobody need know what serves


def test_a_worker_that_dies_is_replaced_and_the_others_go_on(site: Site) -> None:
    before = site.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    assert eventually(lambda: site.answers("/healthz"))  # what had been sent to the one that died is lost
    assert eventually(lambda: len(site.workers()) == 2 and before[0] not in site.workers())
    assert {site.status("/search?q=%E9%9D%A2") for _ in range(10)} == {200}


def test_workers_do_not_outlive_their_parent(site: Site) -> None:
    workers = site.workers()
    site.process.kill()
    assert eventually(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in workers))


def test_what_is_being_answered_is_finished_before_a_stop(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /search?q=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        site.process.terminate()
    assert site.process.wait(PATIENCE_SECONDS) == 0


def test_metrics_add_up_all_workers_and_tell_no_question(site: Site) -> None:
    for _ in range(20):
        site.ask("/search?q=面肌痉挛".encode())
    told = body(site.ask(b"/metrics")).decode()
    assert 'yiwen_requests_total{endpoint="pages.search",status="200"} 20.0' in told
    assert "yiwen_ready 1.0" in told and 'yiwen_generation_info{name="gen-000003"} 1.0' in told
    assert "面肌" not in told and "%E9" not in told


def test_the_access_log_has_no_question_and_no_address(site: Site) -> None:
    site.ask("/search?q=面肌痉挛".encode())
    site.ask(b"/answers/spasm-secret-id")
    site.process.terminate()
    _, errors = site.process.communicate(timeout=PATIENCE_SECONDS)
    lines = [line.split() for line in errors.splitlines()]
    assert [line[1:4] for line in lines] == [["GET", "pages.search", "200"], ["GET", "pages.answer", "404"]]
    assert not any(secret in errors for secret in ("面肌", "%E9", "spasm-secret", "127.0.0.1"))
