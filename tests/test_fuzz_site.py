"""The script that fuzzes a running site: the same requests each time, of every sort, and it sees what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import fuzz_site
import pytest
from fakes import FakeEngine
from site_server import served

from indexer.records import Query, SearchResult
from webapp import create_app

QUESTIONS = fuzz_site.questions_of(fuzz_site.QUESTIONS)
Serve = Callable[[FakeEngine], str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves an engine and gives the address."""
    with ExitStack() as running:
        yield lambda engine: running.enter_context(served(create_app(tmp_path, engine=engine)))


class Failing(FakeEngine):
    """Fails now and then, as no engine should."""

    def search(self, query: Query) -> SearchResult:
        if len(query.text) % 5 == 0:
            raise ZeroDivisionError
        return super().search(query)


def test_the_same_seed_sends_the_same_requests() -> None:
    first, again, other = (list(fuzz_site.targets(seed, 300, QUESTIONS)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) > 290


def test_requests_are_of_every_sort_and_fit_on_a_line() -> None:
    sent = list(fuzz_site.targets(5, 4000, QUESTIONS))
    assert all(target.startswith(b"/") and len(target) <= fuzz_site.MAX_ADDRESS_BYTES for target in sent)
    assert not any(byte in target for target in sent for byte in (b" ", b"\r", b"\n"))
    together = b"\n".join(sent)
    for sort in (
        b"/search?", b"/api/v1/search?", b"/api/v1/suggest?", b"/answers/", b"/topics/", b"%zz", b"\xff\xfe", b"%00",
        b"%ED%A0", b"script", b"UNION", b"%2A", b"page=", b"limit=", b"%E2%80%AE", b"%F0%9F%98%80", "面".encode(),
    ):  # fmt: skip
        assert sort in together, sort
    assert any(target.count(b"q=") > 1 for target in sent)
    assert any(len(target) > 9 * 1000 for target in sent)


def test_a_sound_site_passes(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    address = serve(FakeEngine())
    assert fuzz_site.main([address, "--requests", "300", "--connections", "3", "--budget-ms", "60000"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("发出 300 个请求") and "200 " in out and "400 " in out and "出错" not in out


def test_what_fails_is_told(serve: Serve, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    assert fuzz_site.main([serve(Failing()), "--requests", "200", "--budget-ms", "60000"]) == 1
    out = capsys.readouterr().out
    assert "500 " in out.splitlines()[1] and "出错或超过 60000 毫秒的有" in out


def test_what_is_too_slow_is_told(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz_site.main([serve(FakeEngine()), "--requests", "20", "--budget-ms", "0"]) == 1
    assert "超过 0 毫秒的有 20 个" in capsys.readouterr().out


def test_a_site_that_is_not_there_is_no_success(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert fuzz_site.main([address, "--requests", "3"]) == 1
    assert "没有应答 3 次" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["http://192.0.2.1"], ["https://127.0.0.1"], ["example.com"], ["http://127.0.0.1", "--requests", "0"],
     ["http://127.0.0.1", "--connections", "1000"]],
)  # fmt: skip
def test_only_this_machine_is_fuzzed_and_within_bounds(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fuzz_site.main(arguments)
    assert ended.value.code == 2
