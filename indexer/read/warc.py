"""Web archives (WARC, ISO 28500), plain or packed: each response that is a page of text.

Requests, metadata, pictures and scripts are passed over. The charset and the status come from the HTTP headers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from indexer.errors import cause_of
from indexer.records import Rejected, SavedPage
from indexer.verdicts import Reason

#: what warcio stumbles over in damaged archives
_DAMAGE = (ArchiveLoadFailed, EOFError, ValueError, zlib.error, AttributeError, KeyError, IndexError, TypeError)
_PIECE_BYTES = 1 << 16
_LINE_ENDS = 4  # bytes that end a plain record, and are not counted in its length
_MEDIA = {"text/html": "html", "application/xhtml+xml": "html", "text/plain": "text"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)


def read(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Yield a page for each response of text; what is damaged or cut off ends the file with a rejection."""
    try:
        with open(file, "rb") as archive:
            records = ArchiveIterator(archive)
            end = 0
            for number, record in enumerate(records, 1):
                pages = list(_pages(record, f"{path}:{number}", max_bytes))
                if _is_cut(record):
                    break
                yield from pages
                end = records.get_record_offset() + records.get_record_length()
            archive.seek(0)
            line_ends = 0 if archive.read(2) == b"\x1f\x8b" else _LINE_ENDS
            if file.stat().st_size > end + line_ends:
                yield Rejected(path, Reason.UNREADABLE, "网页存档损坏或不完整，只读到这里为止。")
    except OSError as error:
        yield Rejected(path, Reason.UNREADABLE, f"文件无法读到底：{cause_of(error)}。")
    except _DAMAGE as error:
        yield Rejected(path, Reason.UNREADABLE, f"网页存档损坏或不完整，只读到这里为止（{error}）。")


def _is_cut(record: ArcWarcRecord) -> bool:
    """Whether the record's headers are cut, or tell of more than the archive holds; warcio says nothing then."""
    if record.rec_headers.get_header("Content-Length") is None:
        return True
    while record.raw_stream.read(_PIECE_BYTES):  # a record may be larger than the memory
        pass
    return getattr(record.raw_stream, "limit", 0) > 0


def _pages(record: ArcWarcRecord, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """The page of a record; none where the record is no response of text."""
    if record.rec_type != "response" or record.http_headers is None:
        return
    content_type = record.http_headers.get_header("Content-Type") or "text/html"
    media = _MEDIA.get(content_type.partition(";")[0].strip().lower())
    if media is None:
        return
    status = str(record.http_headers.get_statuscode())
    url = record.rec_headers.get_header("WARC-Target-URI")
    data = record.content_stream().read(max_bytes + 1)
    if status != "200":
        yield Rejected(path, Reason.NO_CONTENT, f"采集时服务器对 {url} 的回答是 {status}，不是网页。")
    elif len(data) > max_bytes:
        yield Rejected(path, Reason.TOO_LARGE, f"网页超过了上限 max_page_bytes（{max_bytes} 字节）。")
    else:
        charset = _CHARSET.search(content_type)
        yield SavedPage(path, media, data, charset.group(1) if charset else None, url)
