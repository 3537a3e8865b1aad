"""What readers of single pages share: the size limit, and a reason for what can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.decode import decode, is_garbled
from indexer.errors import cause_of
from indexer.records import RawPage, Rejected, SavedPage
from indexer.verdicts import Reason


def read_page(file: Path, path: str, max_bytes: int, media: str) -> Iterator[SavedPage | Rejected]:
    """Yield the one page that a file is."""
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= max_bytes else b""
    except OSError as error:
        yield Rejected(path, Reason.UNREADABLE, f"文件无法读取：{cause_of(error)}。")
        return
    if size > max_bytes:
        yield Rejected(path, Reason.TOO_LARGE, f"文件有 {size} 字节，上限 max_page_bytes 为 {max_bytes} 字节。")
    else:
        yield SavedPage(path, media, data)


def text_of(saved: SavedPage) -> RawPage | Rejected:
    """The page's text, or why it has none that people can read."""
    decoded = decode(saved.data, saved.charset)
    if decoded is None:
        return Rejected(saved.path, Reason.BAD_CHARSET, "既不是 UTF-8 也不是 GB18030，声明的编码也读不通。")
    if is_garbled(decoded.text):
        detail = "文字在采集之前就已成乱码，请重新采集。"
        return Rejected(saved.path, Reason.BAD_CHARSET, detail, charset=decoded.charset)
    if not decoded.text.strip("\0 \t\r\n\ufeff\u3000"):
        return Rejected(saved.path, Reason.EMPTY, "文件中没有文字。", charset=decoded.charset)
    return RawPage(saved.path, saved.media, decoded.text, decoded.charset, decoded.declared, saved.url)
