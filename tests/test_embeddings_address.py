"""A model behind an address, against a real server that answers well, badly, late or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from indexer.errors import MeaningError
from indexer.meaning.choosing import open_embedder
from indexer.meaning.embeddings_address import EmbeddingsAddress
from indexer.settings import Settings

KEY, TEXT = "sk-geheim", "我得了什么病"


@dataclass
class Served:
    """What the server was asked, and what it is to do next; when nothing is left, it answers as it should."""

    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    next: list[Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def vector(text: str) -> list[float]:
    return [float(len(text)), 1.0, float(ord(text[-1]) % 7)]


def vectors(asked: dict[str, Any]) -> dict[str, Any]:
    data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(asked["input"])]
    return {"object": "list", "data": data[::-1]}  # in any order


def send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None, location: str = ""
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    if location:
        handler.send_header("Location", location)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(asked)
            state.keys.append(self.headers["Authorization"])
            state.paths.append(self.path)
            if state.next:
                state.next.pop(0)(self, asked)
            else:
                send(self, 200, json.dumps(vectors(asked)).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def model(served: Served, waits: list[float]) -> EmbeddingsAddress:
    return EmbeddingsAddress(served.address, "bge-small-zh", KEY, 0.5, sleep=waits.append)


def status(code: int, location: str = "") -> Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]:
    return lambda handler, asked: send(handler, code, b"no", location=location)


def body(content: Any) -> Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda handler, asked: send(handler, 200, text)


def test_vectors_come_in_the_order_of_the_texts(model: EmbeddingsAddress, served: Served) -> None:
    texts = [f"第{number}段" * (1 + number % 3) for number in range(150)]
    found = model.embed_answers(texts)
    exact = np.array([vector(text) for text in texts])
    assert np.allclose(found, exact / np.linalg.norm(exact, axis=1, keepdims=True), atol=1e-6)
    assert [len(asked["input"]) for asked in served.asked] == [1, 64, 64, 22]
    assert set(served.keys) == {f"Bearer {KEY}"} and set(served.paths) == {"/v1/embeddings"}
    assert {asked["model"] for asked in served.asked} == {"bge-small-zh"}


def test_the_family_says_what_stands_before_a_question(model: EmbeddingsAddress, served: Served) -> None:
    model.embed_questions([TEXT])
    model.embed_answers([TEXT])
    assert [asked["input"][0] for asked in served.asked[1:]] == [f"为这个句子生成表示以用于检索相关文章：{TEXT}", TEXT]


def test_without_a_key_none_is_sent(served: Served) -> None:
    EmbeddingsAddress(served.address, "m", "", 0.5)
    assert served.keys == [None]


def test_answers_are_tried_again_and_questions_are_not(
    model: EmbeddingsAddress, served: Served, waits: list[float]
) -> None:
    served.next = [status(429), status(503)]
    assert model.embed_answers([TEXT]).shape == (1, 3) and waits == [1.0, 4.0]
    served.next = [status(429)]
    with pytest.raises(MeaningError, match="429"):
        model.embed_questions([TEXT])
    assert len(waits) == 2
    served.next = [status(500)] * 4
    with pytest.raises(MeaningError, match="500"):
        model.embed_answers([TEXT])
    assert len(waits) == 5, "in the end it is given up"
    served.next = [status(400)]
    with pytest.raises(MeaningError, match="400"):
        model.embed_answers([TEXT])
    assert len(waits) == 5, "what will never do is not tried again"


def test_a_slow_server_is_given_up(model: EmbeddingsAddress, served: Served) -> None:
    served.next = [lambda handler, asked: time.sleep(3)]
    started = time.monotonic()
    with pytest.raises(MeaningError, match="秒内没有回答"):
        model.embed_questions([TEXT])
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (body(b"{"), "不是向量"),
        (body({"data": []}), "不是向量"),
        (body({"data": [{"index": 0, "embedding": [1, 2, "x"]}]}), "不是向量"),
        (body({"data": [{"index": 0, "embedding": 1}]}), "要 1 个向量"),
        (body({"data": [{"index": place, "embedding": [1, 2, 3]} for place in (0, 1)]}), "要 1 个向量"),
        (body({"data": [{"index": 0, "embedding": [1, 2]}]}), "先前的向量是 3 维，现在是 2 维"),
        (body({"data": [{"index": 0, "embedding": [1, float("nan"), 2]}]}), "无效的数"),
        (body({"data": [{"index": 0, "embedding": [0, 0, 0]}]}), "无效的数"),
        (lambda handler, asked: send(handler, 200, b"{", length=500), "不完整"),
        (status(401), "不接受密钥"),
        (status(404), "没有这个接口或模型"),
        (status(302, location="http://127.0.0.1:9/v1/embeddings"), "转到了别处"),
    ],
)
def test_what_is_no_answer_is_a_sentence_without_key_and_text(
    model: EmbeddingsAddress, served: Served, answer: Any, told: str
) -> None:
    served.next = [answer]
    with pytest.raises(MeaningError, match=told) as raised:
        model.embed_questions([TEXT])
    assert KEY not in str(raised.value) and TEXT not in str(raised.value)
    assert model.embed_questions([TEXT]).shape == (1, 3), "the next one goes well"


def test_a_reply_without_end_is_not_read_to_its_end(
    model: EmbeddingsAddress, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.meaning.embeddings_address._MOST_BYTES", 1_000_000)
    served.next = [body(b"[" + b"1," * 600_000)]
    with pytest.raises(MeaningError, match="超过 1 MB"):
        model.embed_questions([TEXT])


def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(MeaningError, match="连不上"):
        EmbeddingsAddress("http://127.0.0.1:9/v1", "m", KEY, 0.5)


@pytest.mark.parametrize(
    ("address", "name", "told"),
    [
        ("http://me:pass@127.0.0.1/v1", "m", "不能写用户名和密码"),
        ("http:///v1", "m", "应形如"),
        ("http://127.0.0.1:x/v1", "m", "写得不对"),
        ("http://127.0.0.1/v1?a=1", "m", "应形如"),
        ("http://127.0.0.1/v1", "", "meaning_name"),
    ],
)
def test_an_address_that_cannot_be_is_refused_at_once(address: str, name: str, told: str) -> None:
    with pytest.raises(MeaningError, match=told) as raised:
        EmbeddingsAddress(address, name, KEY, 0.5)
    assert "pass@" not in str(raised.value)


def test_what_makes_another_model(served: Served) -> None:
    def fingerprint(name: str, key: str, path: str = "") -> str:
        return EmbeddingsAddress(served.address + path, name, key, 0.5).facts.fingerprint

    assert fingerprint("m", "one") == fingerprint("m", "two"), "the key is none of it"
    assert len({fingerprint("m", ""), fingerprint("n", ""), fingerprint("m", "", "/x")}) == 3


def test_the_settings_choose_it(served: Served) -> None:
    found = open_embedder(Settings(meaning_model=served.address, meaning_name="m", meaning_key=KEY))
    assert found is not None and found.facts.name == "m（127.0.0.1）" and found.facts.dimension == 3
    assert open_embedder(Settings()) is None
