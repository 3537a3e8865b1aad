"""The real web server: addresses as people and programs send them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeEngine

from webapp import create_app
from webapp.server import bind, with_ascii_address


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    server = bind(create_app(tmp_path, engine=FakeEngine()), "127.0.0.1", 0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(timeout=5)


def ask(port: int, address: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET " + address + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_chinese_may_stand_in_the_address_as_it_is(port: int) -> None:
    raw = ask(port, "/search?q=面肌痉挛".encode())
    encoded = ask(port, b"/search?q=%E9%9D%A2%E8%82%8C%E7%97%89%E6%8C%9B")
    assert raw.startswith(b"HTTP/1.1 200")
    assert "面肌痉挛".encode() in body(raw)
    assert body(raw) == body(encoded)


def test_bytes_of_no_character_are_no_error_of_the_server(port: int) -> None:
    assert ask(port, b"/search?q=\xff\xfe\x80").split(b" ")[1] in (b"200", b"302", b"400")


def test_only_the_first_line_is_encoded() -> None:
    head = "GET /?q=痉 HTTP/1.1\r\nX: 痉\r\n\r\n".encode()
    assert with_ascii_address(head) == b"GET /?q=%E7%97%89 HTTP/1.1\r\n" + "X: 痉\r\n\r\n".encode()
