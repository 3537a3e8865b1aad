"""Sends fuzzed questions to a running site on this machine, and reports statuses, the slowest, and what went wrong.

    scripts/fuzz_site.py http://127.0.0.1:8000 [--requests 100000] [--connections 4] [--seed 1] [--budget-ms 1000]

Ends with 1 when an answer was 5xx, no HTTP, or slower than the budget; with 2 for wrong usage. The same seed sends the
same requests in the same order, whatever the number of connections; only who sends which differs.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import random
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

QUESTIONS = Path(__file__).parent.parent / "corpus" / "judgements" / "queries.jsonl"
SHOWN = 10  #: slowest and wrong ones that are listed
TIMEOUT_SECONDS = 30.0
MAX_REQUESTS = 10_000_000
#: the log of a browser's address bar is no place for more
MAX_ADDRESS_BYTES = 60_000

#: what breaks programs that put questions into queries, pages, files and formulas
TRICKS = (
    "' OR 1=1 --", '"; DROP TABLE events; --', "') UNION SELECT * FROM take_downs --", "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>', "</title><svg/onload=x>", "{{7*7}}", "${7*7}", "%s%n%x", "../../../../etc/passwd",
    "..\\..\\windows", "file:///etc/passwd", "=1+1", '=HYPERLINK("http://a")', "@SUM(A1)", "-2+3", "a AND b OR NOT c",
    "question:治 AND answer:*", "治*", "?治", "[a TO z]", "治~2", "治^9", '"面肌 痉挛"~3', "/.*/", "(((((", "((a+)+)+$",
    "NaN", "null", "None", "0", "-1", "1e309", "\\x00", "\\u0000", "&#x9762;", "&amp;", "\r\nSet-Cookie: a=b",
)  # fmt: skip
#: characters that programs stumble over: controls, directions, joiners, combining marks, beyond the first plane
ODD = "".join(map(chr, (
    0, 1, 7, 8, 9, 10, 13, 27, 0x7F, 0x85, 0xA0, 0xAD, 0x200B, 0x200D, 0x202E, 0x2028, 0x2066,
    0x0301, 0x0489, 0xFE0F, 0xFEFF, 0xFFFD, 0xFFFF, 0x1F600, 0x1F468, 0x20000, 0xE0001, 0x10FFFF,
)))  # fmt: skip
ARABIC = "ما هو علاج الصداع"
#: bytes that are no UTF-8, and escapes that are none
BROKEN = (b"%", b"%z", b"%zz", b"%f", b"%ff", b"%C3", b"%E9%9D", b"%ED%A0%BD", b"%C0%80", b"%F8%88%80%80%80", b"%00",
          b"\xff\xfe", b"\xed\xa0\xbd", b"\xe9\x9d", b"%25%32", b"%u9762", b"+", b"&", b"=", b"#", b";")  # fmt: skip
NUMBERS = ("0", "1", "2", "10", "100", "101", "-1", "1.5", "x", "", "٣", "9" * 30, "1e3", "0x10", "%00")
PATHS = ("/search", "/search", "/search", "/api/v1/search", "/api/v1/search", "/api/v1/suggest", "/api/v1/suggest")


def questions_of(file: Path) -> list[str]:
    """The judged questions, from which mangled ones are made."""
    return [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]


def targets(seed: int, count: int, questions: Sequence[str]) -> Iterator[bytes]:
    """The request targets (path and query, as bytes on the wire), so many of them, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _target(chance, questions)[:MAX_ADDRESS_BYTES]


def _target(chance: random.Random, questions: Sequence[str]) -> bytes:
    value = _escaped(chance, question(chance, questions))
    if chance.random() < 0.08:  # what stands in a path
        return chance.choice((b"/answers/", b"/topics/", b"/api/v1/answers/", b"/api/v1/topics/")) + value
    parts = [b"q=" + value]
    if chance.random() < 0.4:
        parts += [_parameter(chance, questions) for _ in range(chance.randint(1, 4))]
        chance.shuffle(parts)
    return chance.choice(PATHS).encode() + b"?" + b"&".join(parts)


def _parameter(chance: random.Random, questions: Sequence[str]) -> bytes:
    name = chance.choice(("q", "page", "limit", "site", "aspect", "exact", "q[]", "", "x", "page"))
    value = chance.choice(NUMBERS) if chance.random() < 0.6 else question(chance, questions)
    return name.encode() + chance.choice((b"=", b"=", b"=", b"", b"==")) + _escaped(chance, value)


def _escaped(chance: random.Random, text: str) -> bytes:
    """Text as it stands in an address: mostly right, else raw, or with broken escapes in it."""
    encoded = text.encode("utf-8", "surrogatepass")
    escaped = quote(encoded, safe="").encode()
    kind = chance.random()
    if kind < 0.1:  # as it is, without what would end the line
        return re.sub(rb"[\x00-\x20#?&]", b"+", encoded)
    if kind < 0.25:
        place = chance.randrange(len(escaped) + 1)
        return escaped[:place] + chance.choice(BROKEN) + escaped[place:]
    if kind < 0.3:
        return escaped[: chance.randrange(len(escaped) + 1)]  # cut in the middle of a character
    return escaped


def question(chance: random.Random, questions: Sequence[str]) -> str:
    """One fuzzed question."""
    kind = chance.random()
    if kind < 0.45:
        return _mangled(chance, chance.choice(questions))
    if kind < 0.6:
        return "".join(chr(_code_point(chance)) for _ in range(chance.choice((1, 2, 5, 20, 80))))
    if kind < 0.75:
        trick: str = chance.choice(TRICKS)
        return trick if chance.random() < 0.5 else f"{chance.choice(questions)}{trick}"
    if kind < 0.85:
        return _mangled(chance, "".join(chance.choice(ODD + ARABIC) for _ in range(chance.randint(1, 40))))
    if kind < 0.95:
        return " ".join(chance.choice(questions) for _ in range(chance.choice((2, 5, 40))))
    character: str = chance.choice((*chance.choice(questions), *ODD))
    return character * chance.choice((100, 201, 1000, 5000))


def _code_point(chance: random.Random) -> int:
    """Any character, half a pair too; Chinese more often than not."""
    top = chance.choice((0x7F, 0x2FF, 0xFFFF, 0x10FFFF))
    return chance.randint(0x4E00, 0x9FFF) if chance.random() < 0.5 else chance.randint(0, top)


def _mangled(chance: random.Random, text: str) -> str:
    """Some characters dropped, doubled, moved, or others in between."""
    for _ in range(chance.randint(0, 4)):
        place = chance.randrange(len(text) + 1)
        end = min(place + chance.randint(0, 3), len(text))
        text = chance.choice(
            (
                text[:place] + text[end:],
                text[:end] + text[place:],
                text[end:] + text[place:end] + text[:place],
                text[:place] + chance.choice(ODD) + text[place:],
                text[:place] + chance.choice(TRICKS) + text[place:],
                text.swapcase(),
            )
        )
    return text


@dataclass
class Report:
    """What came back; shared by all connections."""

    budget_ms: float
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: list[tuple[float, bytes]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, target: bytes, status: int, took_ms: float) -> None:
        """One answer; status 0 stands for none."""
        with self.lock:
            self.statuses[status] += 1
            self.slowest = sorted([*self.slowest, (took_ms, target)], reverse=True)[:SHOWN]
            if status >= 500 or status < 200:
                self.wrong.append(f"{status or '没有应答'} {_shown(target)}")
            elif took_ms > self.budget_ms:
                self.wrong.append(f"{took_ms:.0f} ms {_shown(target)}")

    def lines(self, seconds: float) -> Iterator[str]:
        """For people."""
        count = self.statuses.total()
        yield f"发出 {count} 个请求，用时 {seconds:.1f} 秒，每秒 {count / seconds:.0f} 个"
        yield "状态：" + "，".join(
            f"{status or '没有应答'} {number} 次" for status, number in sorted(self.statuses.items())
        )
        yield "最慢："
        yield from (f"  {took_ms:.1f} ms {_shown(target)}" for took_ms, target in self.slowest)
        if self.wrong:
            yield f"出错或超过 {self.budget_ms:g} 毫秒的有 {len(self.wrong)} 个："
            yield from (f"  {line}" for line in self.wrong[:SHOWN])


def _shown(target: bytes) -> str:
    return ascii(target[:160].decode("latin-1"))[1:-1]


class Connection:
    """Speaks HTTP/1.1 to one address, with targets as they are: http.client refuses what is fuzzed here."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._socket: socket.socket | None = None
        self._held = b""

    def get(self, target: bytes) -> int:
        """Ask, read the whole answer and give its status; 0 when none came."""
        for attempt in (1, 2):
            is_fresh = self._socket is None
            try:
                return self._get(target)
            except (OSError, ValueError):
                self.close()
                if is_fresh or attempt == 2:  # else the server had closed a connection that lay idle
                    return 0
        return 0

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._held = None, b""

    def _get(self, target: bytes) -> int:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, TIMEOUT_SECONDS)
        self._socket.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + self._host.encode() + b"\r\n\r\n")
        head = self._until(b"\r\n\r\n").decode("latin-1")
        status = int(head.split(" ", 2)[1])
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                self._take(size + 2)
            self._until(b"\r\n")
        elif status not in (204, 304):
            self._take(int(headers["content-length"]) if "content-length" in headers else None)
        if headers.get("connection", "").lower() == "close" or "content-length" not in headers:
            self.close()
        return status

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            self._more()
        taken, _, self._held = self._held.partition(mark)
        return taken

    def _take(self, size: int | None) -> None:
        """Read so many bytes, or all to the end of the connection."""
        if size is None:
            assert self._socket is not None
            while self._socket.recv(1 << 16):
                pass
            return
        while len(self._held) < size:
            self._more()
        self._held = self._held[size:]

    def _more(self) -> None:
        assert self._socket is not None
        got = self._socket.recv(1 << 16)
        if not got:
            raise ConnectionError
        self._held += got


def fuzz(host: str, port: int, requests: Iterator[bytes], connections: int, budget_ms: float) -> Report:
    """Send all requests over so many connections at a time."""
    report, lock = Report(budget_ms), threading.Lock()

    def work() -> None:
        connection = Connection(host, port)
        while True:
            with lock:
                target = next(requests, None)
            if target is None:
                connection.close()
                return
            started = time.perf_counter()
            status = connection.get(target)
            report.note(target, status, (time.perf_counter() - started) * 1000)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; gives the exit status."""
    parser = argparse.ArgumentParser(description="向本机正在运行的网站发送随机的问题，报告状态和耗时。")
    parser.add_argument("site", help="网站的地址，如 http://127.0.0.1:8000，只能是本机")
    parser.add_argument("--requests", type=int, default=100_000, help="请求数（默认 100000）")
    parser.add_argument("--connections", type=int, default=4, help="同时的连接数（默认 4）")
    parser.add_argument("--seed", type=int, default=1, help="随机数种子，相同的种子发送相同的请求（默认 1）")
    parser.add_argument("--budget-ms", type=float, default=1000, help="一次应答最多几毫秒（默认 1000）")
    options = parser.parse_args(argv)
    parts = urlsplit(options.site)
    if parts.scheme != "http" or not _is_loopback(parts.hostname):
        parser.error("只能向本机发送，地址如 http://127.0.0.1:8000")
    if not 1 <= options.requests <= MAX_REQUESTS or not 1 <= options.connections <= 64:
        parser.error(f"请求数应为 1 到 {MAX_REQUESTS}，连接数应为 1 到 64")
    requests = targets(options.seed, options.requests, questions_of(QUESTIONS))
    started = time.perf_counter()
    report = fuzz(parts.hostname or "", parts.port or 80, requests, options.connections, options.budget_ms)
    print("\n".join(report.lines(time.perf_counter() - started)))
    return 1 if report.wrong else 0


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
