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
from indexer.records import Reason, Rejected, SavedPage

_MEDIA = {"text/html": "html", "application/xhtml+xml": "html", "text/plain": "text"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)


def read(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Yield a page for each response of text; what is damaged ends the file with a rejection."""
    try:
        with open(file, "rb") as archive:
            for number, record in enumerate(ArchiveIterator(archive), 1):
                if record.rec_type == "response" and record.http_headers is not None:
                    yield from _page(record, f"{path}:{number}", max_bytes)
    except (ArchiveLoadFailed, EOFError, ValueError, zlib.error) as error:
        yield Rejected(path, Reason.UNREADABLE, f"网页存档损坏或不完整，只读到这里为止（{error}）。")
    except OSError as error:
        yield Rejected(path, Reason.UNREADABLE, f"文件无法读到底：{cause_of(error)}。")


def _page(record: ArcWarcRecord, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
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
