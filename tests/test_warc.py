"""Web archives: which records are pages, what the headers say of them, and what damage leaves."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from indexer.read import decoded_page, find_files, read_file
from indexer.read.warc import read
from indexer.records import Page, RawPage, Rejected, SavedPage
from indexer.verdicts import Reason

LIMIT = 1000
SITE = "http://archiv.example/"
HTML = "<html><body><p>面肌痉挛怎么治？可以打肉毒素。</p></body></html>"


class Archive:
    """A WARC being written to memory."""

    def __init__(self, packed: bool) -> None:
        self._buffer = BytesIO()
        self._writer = WARCWriter(self._buffer, gzip=packed)

    def add(
        self, url: str, body: bytes | str, content_type: str | None = "text/html", status: str = "200 OK", **known: str
    ) -> Archive:
        """Write a response, or a record of another `kind`."""
        fields = [("Content-Type", content_type)] if content_type else []
        kind = known.get("kind", "response")
        first = ("GET / HTTP/1.1", "") if kind == "request" else (status, "HTTP/1.1")
        headers = StatusAndHeaders(first[0], fields, first[1], is_http_request=kind == "request")
        if kind in ("metadata", "resource", "warcinfo"):
            headers = None
        payload = BytesIO(body if isinstance(body, bytes) else body.encode())
        self._writer.write_record(
            self._writer.create_warc_record(SITE + url, kind, payload=payload, http_headers=headers)
        )
        return self

    @property
    def data(self) -> bytes:
        """All that was written so far."""
        return self._buffer.getvalue()


@pytest.fixture(params=["a.warc", "a.warc.gz"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def archive(name: str) -> Archive:
    return Archive(packed=name.endswith(".gz"))


def read_data(folder: Path, name: str, data: bytes, limit: int = LIMIT) -> list[SavedPage | Page | Rejected]:
    (folder / name).write_bytes(data)
    return list(read_file(folder / name, name, limit))


def outcome(items: Sequence[SavedPage | Page | Rejected]) -> Iterator[str]:
    """The address of each page, the reason of each rejection."""
    for item in items:
        assert isinstance(item, SavedPage | Rejected)
        yield item.reason.value if isinstance(item, Rejected) else str(item.url).removeprefix(SITE)


def test_a_response_is_a_page_with_its_address_and_the_charset_of_its_header(
    tmp_path: Path, name: str, archive: Archive
) -> None:
    data = archive.add("1.html", HTML.encode("gb18030"), "text/html; charset=GBK").data
    [item] = read_data(tmp_path, name, data)
    assert item == SavedPage(f"{name}:1", "html", HTML.encode("gb18030"), "GBK", SITE + "1.html")
    assert isinstance(item, SavedPage)
    raw = decoded_page(item)
    assert isinstance(raw, RawPage)
    assert (raw.text, raw.url) == (HTML, SITE + "1.html")


def test_only_responses_are_pages_and_each_is_numbered_among_all_records(
    tmp_path: Path, name: str, archive: Archive
) -> None:
    archive.add("info", "software: none", kind="warcinfo").add("1", "", kind="request").add("1", HTML)
    archive.add("1", "fetchTimeMs: 5", kind="metadata").add("2", HTML, "text/html", kind="resource")
    data = archive.add("3", HTML).data
    found = read_data(tmp_path, name, data)
    assert [(item.path, end) for item, end in zip(found, outcome(found), strict=True)] == [
        (f"{name}:3", "1"),
        (f"{name}:6", "3"),
    ]


@pytest.mark.parametrize(
    ("content_type", "media", "charset"),
    [
        ("text/html", "html", None),
        ("Text/HTML ; Charset=utf-8", "html", "utf-8"),
        ('text/html;charset="gb2312"', "html", "gb2312"),
        ("text/html; charset = big5-hkscs; boundary=x", "html", "big5-hkscs"),
        ("text/html; charset=", "html", None),
        ("application/xhtml+xml", "html", None),
        ("text/plain; charset=utf-8", "text", "utf-8"),
        (None, "html", None),
    ],
)
def test_the_content_type_tells_medium_and_charset(
    tmp_path: Path, content_type: str | None, media: str, charset: str | None
) -> None:
    [item] = read_data(tmp_path, "a.warc", Archive(False).add("1", HTML, content_type).data)
    assert isinstance(item, SavedPage)
    assert (item.media, item.charset, item.data.decode()) == (media, charset, HTML)


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "text/css", "application/javascript", "application/json", "video/mp4", "x"]
)
def test_what_is_no_page_of_text_is_passed_over(tmp_path: Path, name: str, archive: Archive, content_type: str) -> None:
    data = archive.add("picture", b"\xff\xd8\xff" * LIMIT, content_type).add("1", HTML).data
    assert [*outcome(read_data(tmp_path, name, data))] == ["1"]


@pytest.mark.parametrize("status", ["404 Not Found", "301 Moved Permanently", "503 Service Unavailable", "304 -"])
def test_an_answer_other_than_200_is_rejected_with_its_number_and_address(
    tmp_path: Path, name: str, archive: Archive, status: str
) -> None:
    rejected, page = read_data(tmp_path, name, archive.add("gone", HTML, status=status).add("1", HTML).data)
    assert isinstance(rejected, Rejected) and isinstance(page, SavedPage)
    assert (rejected.path, rejected.reason) == (f"{name}:1", Reason.NO_CONTENT)
    assert status[:3] in rejected.detail and SITE + "gone" in rejected.detail
    assert page.path == f"{name}:2"


@pytest.mark.parametrize(("size", "end"), [(LIMIT, "1"), (LIMIT + 1, "too_large"), (50 * LIMIT, "too_large")])
def test_a_page_above_the_limit_is_rejected_alone(
    tmp_path: Path, name: str, archive: Archive, size: int, end: str
) -> None:
    found = read_data(tmp_path, name, archive.add("1", b"x" * size).add("2", HTML).data)
    assert [*outcome(found)] == [end, "2"]
    if end == "too_large":
        assert isinstance(found[0], Rejected)
        assert str(LIMIT) in found[0].detail and found[0].path == f"{name}:1"


def test_a_body_packed_on_its_way_is_unpacked(tmp_path: Path) -> None:
    buffer = BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), ("Content-Encoding", "gzip")], "HTTP/1.1")
    payload = BytesIO(gzip.compress(HTML.encode()))
    writer.write_record(writer.create_warc_record(SITE + "1", "response", payload=payload, http_headers=headers))
    [item] = read_data(tmp_path, "a.warc.gz", buffer.getvalue())
    assert isinstance(item, SavedPage)
    assert item.data.decode() == HTML


def cuts(archive: Archive) -> Iterator[bytes]:
    """Archives of two whole pages and a third of which something is missing."""
    whole = len(archive.add("1", HTML).add("2", HTML).data)
    data = archive.add("3", HTML * 9).data
    return (data[:length] for length in range(whole + 1, len(data) - 20, 23))


def test_the_pages_before_a_cut_are_kept(tmp_path: Path, name: str, archive: Archive) -> None:
    for data in cuts(archive):
        (tmp_path / name).write_bytes(data)
        assert [*outcome([*islice(read(tmp_path / name, name, LIMIT), 2)])] == ["1", "2"], len(data)


def test_a_cut_is_a_rejection_and_no_half_page_is_kept(tmp_path: Path, name: str, archive: Archive) -> None:
    for data in cuts(archive):
        *pages, end = read_data(tmp_path, name, data, 10**6)
        assert [*outcome(pages)] == ["1", "2"], len(data)
        assert isinstance(end, Rejected)
        assert (end.path, end.reason, "不完整" in end.detail) == (name, Reason.UNREADABLE, True), len(data)


def test_damage_in_the_middle_keeps_the_pages_before_it(tmp_path: Path, name: str, archive: Archive) -> None:
    first = archive.add("1", HTML).data
    whole = archive.add("2", HTML).data
    data = first + b"\0" * 60 + whole[len(first) + 60 :]
    *pages, end = outcome(read_data(tmp_path, name, data))
    assert (pages, end) == (["1"], "unreadable")


@pytest.mark.parametrize(
    "data",
    [
        b"no archive at all",
        HTML.encode(),
        b"\0" * 500,
        b"\x1f\x8b\x08\x00no gzip",
        b"WARC/1.0\r\nbroken",
    ],
)
def test_bytes_that_are_no_archive_are_one_rejection(tmp_path: Path, name: str, data: bytes) -> None:
    [item] = read_data(tmp_path, name, data)
    assert isinstance(item, Rejected)
    assert (item.path, item.reason) == (name, Reason.UNREADABLE)


def test_an_archive_that_is_not_there_is_one_rejection(tmp_path: Path) -> None:
    [item] = read(tmp_path / "gone.warc", "gone.warc", LIMIT)
    assert isinstance(item, Rejected)
    assert (item.reason, "无法读" in item.detail) == (Reason.UNREADABLE, True)


def test_an_empty_archive_holds_nothing(tmp_path: Path, name: str) -> None:
    assert read_data(tmp_path, name, b"") == []


def test_a_response_without_an_address_raises_nothing(tmp_path: Path, name: str) -> None:
    record = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {len(HTML)}\r\n\r\n{HTML}\r\n\r\n".encode()
    found = read_data(tmp_path, name, gzip.compress(record) if name.endswith(".gz") else record)
    assert all(isinstance(item, Rejected) for item in found)


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=30), st.booleans())
def test_no_damage_behind_the_headers_raises(
    tmp_path_factory: pytest.TempPathFactory, at: int, noise: bytes, packed: bool
) -> None:
    first = Archive(packed).add("1", HTML).data
    data = Archive(packed).add("1", HTML).add("2", HTML, "text/html; charset=gbk").data
    start = 0 if packed else first.index(b"<html>")
    at = start + at % (len(first) - start)
    file = tmp_path_factory.mktemp("warc") / "a.warc"
    file.write_bytes(data[:at] + noise + data[at + len(noise) :])
    assert all(isinstance(item, SavedPage | Rejected) for item in read(file, "a.warc", LIMIT))


def test_archives_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("a.warc", "B.WARC.GZ", "c.warc.bz2", "d.arc"):
        (tmp_path / name).write_bytes(b"x")
    assert [path for _, path in find_files([tmp_path])] == ["B.WARC.GZ", "a.warc"]
