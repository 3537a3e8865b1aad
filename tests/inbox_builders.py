"""Uploads for tests of the inbox: pages as sites emit them, ZIPs that are whole, and ZIPs that are traps."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from indexer.inbox.unpack import Upload

AD = "无创亲子鉴定中心，电话咨询热线"


def page(title: str, more: str = "") -> str:
    """An article with a menu and an advertisement."""
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head><body>'
        '<div class="nav"><a href="/">首页</a> <a href="/ks">科室大全</a></div>'
        f"<h1>{title}</h1><p>{title}，多数是牙龈炎引起的，由牙菌斑和牙结石长期刺激造成。{more}</p>"
        "<p>建议到口腔科洗牙，每天早晚认真刷牙，用牙线清洁牙缝，通常两周左右会好转。</p>"
        f'<div class="ad"><a href="http://ad.example/dna">{AD}</a> <a href="http://ad.example/b">亲子鉴定多少钱</a></div>'
        "</body></html>"
    )


def upload(name: str, data: bytes) -> Upload:
    """A file as it is handed in."""
    return Upload(name, io.BytesIO(data), len(data))


def zip_of(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zip_of_raw_name(name: bytes, content: bytes = b"x") -> bytes:
    """A ZIP of one file whose name is these bytes, without the flag that says UTF-8."""
    stand_in = "n" * len(name)
    return zip_of({stand_in: content}).replace(stand_in.encode(), name)


def zip_of_kind(kind: int, name: str = "a.html") -> bytes:
    """A ZIP whose one member is, by its mode, no plain file."""
    out = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (kind | stat.S_IRUSR) << 16
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def files_below(folder: Path) -> list[str]:
    """Paths of all files below a folder, sorted."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
