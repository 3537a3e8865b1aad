"""Records that are answers already, one JSON object a line: `id`, `answer` (or `text`), and what else is known:
`question`, `author`, `date`, `url`, `topic`, `site`, `kind` (article where it says nothing).

They are indexed as they are: never extracted, and rejected only when there is nothing to index.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.errors import cause_of
from indexer.records import Answer, Kind, Page, Rejected, SavedPage, host_of
from indexer.verdicts import Reason


def read(file: Path, path: str, max_bytes: int) -> Iterator[SavedPage | Rejected]:
    """Yield each line, or why there is none. `max_bytes` holds for one line."""
    try:
        with gzip.open(file) if file.name.lower().endswith(".gz") else open(file, "rb") as lines:
            number = 0
            while line := lines.readline(max_bytes + 1):
                number += 1
                if line.strip():
                    yield _saved(line, f"{path}:{number}", max_bytes)
                while len(line) > max_bytes and not line.endswith(b"\n"):  # pass over the rest of a line too long
                    line = lines.readline(max_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Rejected(path, Reason.UNREADABLE, "压缩文件损坏或不完整，只读到这里为止。")
    except OSError as error:
        yield Rejected(path, Reason.UNREADABLE, f"文件无法读到底：{cause_of(error)}。")


def _saved(line: bytes, path: str, max_bytes: int) -> SavedPage | Rejected:
    if len(line) > max_bytes:
        return Rejected(path, Reason.TOO_LARGE, f"这一行超过了上限 max_page_bytes（{max_bytes} 字节）。")
    return SavedPage(path, "record", line)


def page_of(saved: SavedPage) -> Page | Rejected:
    """The page that a line is, or why it is none. Its path names the record, not the line, which moves with others."""
    path = saved.path
    try:
        record = json.loads(saved.data)
    except (ValueError, RecursionError):
        return Rejected(path, Reason.BAD_RECORD, "这一行不是有效的 JSON。")
    if not isinstance(record, dict) or not isinstance(record.get("id"), str | int) or record["id"] == "":
        return Rejected(path, Reason.BAD_RECORD, "记录应是带有 id 的 JSON 对象。")
    text = _text(record, "answer") or _text(record, "text") or ""
    question = _text(record, "question") or ""
    if not text.strip():
        return Rejected(path, Reason.EMPTY, f"记录 {record['id']} 没有文字。")
    id_ = _text(record, "id") or ""
    path = f"{path.rpartition(':')[0]}:{id_}"
    answer = Answer(
        id=id_,
        question=question,
        text=text,
        kind=Kind(record["kind"]) if record.get("kind") in list(Kind) else Kind.ARTICLE,
        page=path,
        author=_text(record, "author"),
        date=_text(record, "date"),
        url=_text(record, "url"),
        site=_text(record, "site") or host_of(_text(record, "url")),
        topic=_text(record, "topic"),
    )
    return Page(
        path=path,
        title=question or None,
        text=text,
        charset="utf-8",
        url=answer.url,
        site=answer.site,
        author=answer.author,
        date=answer.date,
        topic=answer.topic,
        answers=(answer,),
        is_record=True,
    )


def _text(record: dict[str, Any], key: str) -> str | None:
    value = record.get(key)
    if not isinstance(value, str | int | float) or not str(value):
        return None
    # JSON can hold half of a surrogate pair, which no file and no page can
    return str(value).encode("utf-8", "replace").decode("utf-8")
