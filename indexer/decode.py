"""Bytes to text: byte order mark, UTF-8, what the page declares, GB18030; says which it chose."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,20})""", re.IGNORECASE)
_HEAD_BYTES = 4096  # where browsers look for a declaration too (HTML standard: 1024; old pages put it later)
#: a longest multi-byte sequence less one: a page cut off in mid-character loses at most that
_CUT_BYTES = 3
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: pages that declare gb2312 often hold characters of gb18030, of which it is a part
_SUPERSETS = {"gb2312": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gbk", "utf8": "utf-8"}


@dataclass(frozen=True)
class Decoded:
    """Text, and how it was read."""

    text: str
    charset: str
    declared: str | None  #: lower case; None when the page declares nothing


def declared_charset(data: bytes) -> str | None:
    """The charset that a <meta> near the start names, lower case."""
    found = _DECLARED.search(data[:_HEAD_BYTES])
    return found.group(1).decode("ascii").lower() if found else None


def decode(data: bytes) -> Decoded | None:
    """Decode a page; None when no charset that we know reads it without errors.

    UTF-8 is tried before the declared one: text that is not UTF-8 practically never passes as such, while
    declarations are often wrong.
    """
    declared = declared_charset(data)
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return Decoded(data[len(mark) :].decode(charset, errors="replace"), charset, declared)
    candidates = ["utf-8", "gb18030"]
    if declared and (charset := _SUPERSETS.get(declared, declared)) not in candidates:
        candidates.insert(1, charset)
    for charset in candidates:
        text = _decode_strictly(data, charset)
        if text is not None:
            return Decoded(text, charset, declared)
    return None


def _decode_strictly(data: bytes, charset: str) -> str | None:
    """Decode without errors, but for a last character that was cut in two. None when that fails."""
    try:
        decoder = codecs.getincrementaldecoder(charset)()
        text = decoder.decode(data)
        pending = decoder.getstate()[0]
    except (LookupError, UnicodeDecodeError, NotImplementedError):
        return None
    return text if len(pending) <= _CUT_BYTES else None
