"""Uploads: what a build can read is kept, what could do harm is refused whole, by its bytes, not by what they say."""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inbox_builders import files_below, page, upload, zip_of, zip_of_kind, zip_of_raw_name
from store_builders import ROOT
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from indexer.errors import DiskFault, IndexerError, UploadRefused
from indexer.inbox.adding import add_uploads, draft_folder, leftovers
from indexer.inbox.names import decoded_name, safe_path, spelling
from indexer.inbox.unpack import Upload, unpack
from indexer.settings import Settings
from indexer.store.audit_log import read_acts
from indexer.store.batches import list_batches, waiting_files

MB = 1_000_000
SETTINGS = Settings()


def refused(data: Path, *uploads: Upload, settings: Settings = SETTINGS) -> str:
    """Why an upload is refused; nothing of it may be left."""
    with pytest.raises(UploadRefused) as raised:
        add_uploads(data, uploads, "", "小王", settings)
    assert files_below(data / "inbox") == [] and list((data / "inbox").iterdir()) == []
    assert list_batches(data) == [] and read_acts(data) == []
    return str(raised.value)


def test_readable_files_of_every_kind_are_kept_and_the_others_listed(tmp_path: Path) -> None:
    members: dict[str, str | bytes] = {
        "site/a.html": page("牙龈出血"),
        "site/b.HTM": page("牙龈肿痛"),
        "c.txt": "一段文字",
        "d.jsonl": "{}",
        "d.jsonl.gz": gzip.compress(b"{}"),
        "e.warc": "WARC/1.0",
        "site/": "",
        "logo.png": "x",
        "__MACOSX/site/._a.html": "x",
        ".git/config.txt": "x",
    }
    number = add_uploads(tmp_path, [upload("网页.zip", zip_of(members))], "", "小王", Settings())
    kept = ["c.txt", "d.jsonl", "d.jsonl.gz", "e.warc", "site/a.html", "site/b.HTM"]
    assert files_below(waiting_files(tmp_path, number)) == kept
    [batch] = list_batches(tmp_path)
    assert (batch.name, batch.actor, batch.state, batch.files) == ("网页.zip", "小王", "waiting", 6)
    assert batch.bytes == sum((waiting_files(tmp_path, number) / path).stat().st_size for path in kept)
    assert {file.name: file.reason for file in batch.unread} == {
        "logo.png": "不是网页、文本、WARC 或 JSONL",
        "__MACOSX/site/._a.html": "隐藏文件",
        ".git/config.txt": "隐藏文件",
    }
    [act] = read_acts(tmp_path)
    assert (act.actor, act.action, act.object) == ("小王", "上传到收件箱", "第 1 批")


def test_several_zips_may_hold_files_of_the_same_names(tmp_path: Path) -> None:
    uploads = [upload(f"{name}.zip", zip_of({"index.html": page(name)})) for name in ("甲", "乙")]
    number = add_uploads(tmp_path, [*uploads, upload("丙.html", b"x")], "三处", "a", Settings())
    assert files_below(waiting_files(tmp_path, number)) == sorted(["丙.html", "乙/index.html", "甲/index.html"])


def test_bytes_arrive_as_they_were_sent(tmp_path: Path) -> None:
    content = page("牙龈出血").encode("gb18030")
    number = add_uploads(tmp_path, [upload("a.html", content)], "", "a", Settings())
    assert (waiting_files(tmp_path, number) / "a.html").read_bytes() == content


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("牙龈出血.html".encode("gb18030"), "牙龈出血.html"),
        ("牙龈出血.html".encode(), "牙龈出血.html"),
        ("联通.html".encode("gb18030"), "联通.html"),
        ("模.html".encode("gb18030"), "模.html"),  # valid UTF-8 too, of a Latin letter
    ],
)
def test_names_without_the_utf8_flag_are_read_as_what_they_are(tmp_path: Path, raw: bytes, name: str) -> None:
    number = add_uploads(tmp_path, [upload("a.zip", zip_of_raw_name(raw))], "", "a", Settings())
    assert files_below(waiting_files(tmp_path, number)) == [name]


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=20))
def test_any_chinese_name_comes_back_from_either_charset(name: str) -> None:
    assert decoded_name(name.encode()) == name
    if decoded_name(name.encode("gb18030")) != name:  # by chance UTF-8, of Chinese characters too
        assert name.encode("gb18030").decode("utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../a.html", ".."),
        ("b/../../a.html", ".."),
        ("/etc/a.html", "绝对路径"),
        ("C:/a.html", "绝对路径"),
        ("c:a.html", "绝对路径"),
        ("b\\a.html", "反斜杠"),
        ("..\\a.html", "反斜杠"),
        ("a\x00.html", "控制字符"),
        ("a\n.html", "控制字符"),
        ("a\x7f.html", "控制字符"),
        ("b//a.html", "空的一段"),
        ("./a.html", "空的一段"),
        ("x" * 300 + ".html", "太长"),
        ("y/" * 600 + "a.html", "太长"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_in_a_zip_and_as_an_upload(tmp_path: Path, name: str, said: str) -> None:
    good = {"good.html": page("好")}
    raw = zip_of({**good, "n" * len(name): "x"}).replace(b"n" * len(name), name.encode())
    assert said in refused(tmp_path, upload("a.zip", raw))
    assert said in refused(tmp_path, upload("good.html", b"x"), upload(name, b"x"))


@given(st.text(max_size=60))
def test_a_path_that_is_safe_stays_below_its_folder_whatever_the_name(name: str) -> None:
    try:
        path = safe_path(name)
    except UploadRefused:
        return
    root = Path("/somewhere")
    there = (root / path).resolve()
    assert there.is_relative_to(root) and there != root
    assert "\\" not in path and "\0" not in path and safe_path(path) == path


@pytest.mark.parametrize(
    "names", [("a.html", "A.HTML"), ("é.html", "e\u0301.html"), ("a.html", "a.html/b.html"), ("x.txt/y.html", "X.TXT")]
)
def test_names_that_a_disk_may_take_for_one_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    assert "同名" in refused(tmp_path, upload("a.zip", zip_of(dict.fromkeys(names, "x"))))
    assert spelling(names[0]).split("/")[0] == spelling(names[1]).split("/")[0]


@pytest.mark.parametrize(
    ("kind", "said"),
    [(stat.S_IFLNK, "符号链接"), (stat.S_IFIFO, "特殊文件"), (stat.S_IFCHR, "特殊文件"), (stat.S_IFSOCK, "特殊文件")],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: int, said: str) -> None:
    assert said in refused(tmp_path, upload("a.zip", zip_of_kind(kind)))


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    raw = bytearray(zip_of({"a.html": "x"}))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert "加了密码" in refused(tmp_path, upload("a.zip", bytes(raw)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds_are_refused(tmp_path: Path, method: int) -> None:
    assert "压缩方法" in refused(tmp_path, upload("a.zip", zip_of({"a.html": "x" * 500}, method)))


@pytest.mark.parametrize("name", ["b.zip", "x/b.ZIP", "b.tar.gz", "b.html.gz", "b.rar", "b.7z"])
def test_archives_within_a_zip_are_refused(tmp_path: Path, name: str) -> None:
    assert "不能再有压缩包" in refused(tmp_path, upload("a.zip", zip_of({"good.html": "x", name: "x"})))


def test_a_zip_bomb_is_refused_by_what_it_unpacks_to(tmp_path: Path) -> None:
    bomb = zip_of({"a.html": bytes(60 * MB)})
    assert len(bomb) < MB / 10
    assert "压缩炸弹" in refused(tmp_path, upload("a.zip", bomb))
    small = replace(Settings(), max_unpacked_bytes=5 * MB)
    assert "max_unpacked_bytes" in refused(tmp_path, upload("a.zip", bomb), settings=small)


def test_many_members_that_are_small_each_are_counted_together(tmp_path: Path) -> None:
    members = {f"{number}.html": bytes(MB) for number in range(30)}
    assert "压缩炸弹" in refused(tmp_path, upload("a.zip", zip_of(members)))


def test_sizes_in_the_headers_are_not_believed(tmp_path: Path) -> None:
    bomb = bytearray(zip_of({"a.html": bytes(60 * MB)}))
    for header, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", bomb, bomb.index(header) + offset, 100)  # it says 100 bytes
    assert "损坏" in refused(tmp_path, upload("a.zip", bytes(bomb)))  # no more is read than it says, and that is wrong


def test_members_are_counted_before_any_is_unpacked(tmp_path: Path) -> None:
    few = replace(Settings(), max_unpacked_files=10)
    members = {f"{number}/": "" for number in range(11)}  # whatever they are
    assert "max_unpacked_files" in refused(tmp_path, upload("a.zip", zip_of(members)), settings=few)
    assert "max_unpacked_files" in refused(tmp_path, *(upload(f"{n}.html", b"x") for n in range(11)), settings=few)


def test_a_directory_of_millions_is_never_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"{number:05}{'x' * 60}.html": "" for number in range(3000)}
    raw, few = zip_of(members), replace(Settings(), max_unpacked_files=10)
    made = 0
    real = zipfile.ZipInfo

    class Counted(real):  # type: ignore[misc, valid-type]
        def __init__(self, *args: object, **kwargs: object) -> None:
            nonlocal made
            made += 1
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(zipfile, "ZipInfo", Counted)
    assert "文件太多" in refused(tmp_path, upload("a.zip", raw), settings=few)
    assert made == 0


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.warc.gz", "a.warc"])
def test_a_gzip_bomb_is_refused_packed_once_and_in_many_members(tmp_path: Path, name: str) -> None:
    bomb = gzip.compress(bytes(30 * MB))
    assert "压缩炸弹" in refused(tmp_path, upload(name, bomb))
    assert "压缩炸弹" in refused(tmp_path, upload("a.zip", zip_of({name: bomb}, zipfile.ZIP_STORED)))
    many = gzip.compress(bytes(2 * MB)) * 20
    small = replace(Settings(), max_unpacked_bytes=20 * MB)
    assert "像是压缩炸弹" in refused(tmp_path, upload(name, many), settings=small)


def test_pages_packed_by_their_server_within_an_archive_are_counted(tmp_path: Path) -> None:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=False)
    for number in range(6):
        headers = StatusAndHeaders(
            "200 OK", [("Content-Type", "text/html"), ("Content-Encoding", "gzip")], protocol="HTTP/1.1"
        )
        body = io.BytesIO(gzip.compress(bytes(5 * MB)))
        writer.write_record(
            writer.create_warc_record(f"http://a.example/{number}", "response", body, http_headers=headers)
        )
    assert len(out.getvalue()) < MB / 10
    assert "压缩炸弹" in refused(tmp_path, upload("a.warc", out.getvalue()))


def test_an_archive_that_breaks_off_is_kept_for_cleaning_to_say_so(tmp_path: Path) -> None:
    cut = gzip.compress(b'{"id": "a1", "answer": "x"}\n' * 100)[:-20]
    add_uploads(tmp_path, [upload("a.jsonl.gz", cut)], "", "a", Settings())
    assert list_batches(tmp_path)[0].files == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"no zip at all", zip_of({"a.html": "x" * 999})[:-30]],
    ids=["empty", "signature", "text", "cut off"],
)
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "压缩包" in refused(tmp_path, upload("a.zip", data))


@given(st.data())
def test_a_damaged_zip_is_unpacked_or_refused_and_nothing_else(data: st.DataObject) -> None:
    from tempfile import TemporaryDirectory

    raw = bytearray(zip_of({"a/b.html": page("牙龈出血"), "c.txt": "x" * 300}))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder:
        try:
            found = unpack([upload("a.zip", bytes(raw))], Path(folder), Settings())
        except UploadRefused:
            return
        assert set(found.paths) == set(files_below(Path(folder)))


def test_an_upload_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    assert ".warc.gz" in refused(tmp_path, upload("a.pdf", b"x"))
    assert "没有可以读取的文件" in refused(tmp_path, upload("a.zip", zip_of({"a.png": "x"})))
    with pytest.raises(IndexerError, match="请选择"):
        add_uploads(tmp_path, [], "", "a", Settings())


def test_a_disk_without_room_refuses_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10 * MB})())
    with pytest.raises(DiskFault, match="磁盘空间不够"):
        add_uploads(tmp_path, [upload("a.html", b"x")], "", "a", Settings())
    assert files_below(tmp_path / "inbox") == []


def test_what_a_dead_process_left_goes_with_the_next_upload(tmp_path: Path) -> None:
    (tmp_path / "inbox" / ".new-dead" / "files").mkdir(parents=True)
    (tmp_path / "inbox" / ".new-dead" / "files" / "a.html").write_text("half")
    add_uploads(tmp_path, [upload("b.html", b"x")], "", "a", Settings())
    assert files_below(tmp_path / "inbox") == ["1/files/b.html"]
    assert sorted(path.name for path in (tmp_path / "inbox").iterdir()) == ["1"]


def test_what_another_process_is_unpacking_stays(tmp_path: Path) -> None:
    with draft_folder(tmp_path) as folder:
        (folder / "a.html").write_text("half")
        add_uploads(tmp_path, [upload("b.html", b"x")], "", "a", Settings())
        assert (folder / "a.html").read_text() == "half" and leftovers(tmp_path) == []
    assert not folder.exists()


def test_a_process_that_is_killed_while_it_unpacks_leaves_no_batch(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from indexer.inbox import adding, unpack\n"
        "unpack._Batch.look_into = lambda *args: os.kill(os.getpid(), 9)\n"
        "adding.add_files(Path(sys.argv[1]), [Path(sys.argv[2])], '', 'a', unpack.Settings())"
    )
    (tmp_path / "a.zip").write_bytes(zip_of({"a.html": "x", "b.html": "x"}))
    died = subprocess.run([sys.executable, "-c", code, tmp_path / "data", tmp_path / "a.zip"], cwd=ROOT, check=False)
    assert died.returncode == -9 and len(files_below(tmp_path / "data" / "inbox")) == 2
    assert list_batches(tmp_path / "data") == []
    number = add_uploads(tmp_path / "data", [upload("b.html", b"x")], "", "a", Settings())
    assert files_below(tmp_path / "data" / "inbox") == [f"{number}/files/b.html"]
