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
_SUPERSETS = {"gb2312": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gbk", "hz-gb-2312": "hz"}


#: charsets whose declaration is worth a try; never Python's other codecs, such as hex or zlib
_EAST_ASIAN = frozenset({"gbk", "big5", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr", "hz"})
_REPLACEMENT = "\ufffd"
_MAX_ERROR_SHARE = 0.01  # a stray byte or two in a page of some thousand characters


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
    """Decode a page; None when no charset that we know reads it.

    UTF-8 is tried before the declared one: text that is not UTF-8 practically never passes as such, while
    declarations are often wrong. A declaration of a Western charset is no evidence at all: every byte passes in
    it. What no charset reads without errors is read by the one with fewest, if these are few.
    """
    declared = declared_charset(data)
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return Decoded(data[len(mark) :].decode(charset, errors="replace"), charset, declared)
    candidates = ["utf-8", "gb18030"]
    if declared and (charset := _SUPERSETS.get(declared, declared)) in _EAST_ASIAN:
        candidates.insert(1, charset)
    for charset in candidates:
        text = _decode_strictly(data, charset)
        if text is not None:
            return Decoded(text, charset, declared)
    tolerant = [(charset, data.decode(charset, errors="replace")) for charset in candidates]
    charset, text = min(tolerant, key=lambda pair: pair[1].count(_REPLACEMENT))
    if text.count(_REPLACEMENT) <= len(text) * _MAX_ERROR_SHARE:
        return Decoded(text, charset, declared)
    return None


def is_garbled(text: str) -> bool:
    """Text that was decoded wrongly before it came to us: replacement characters, or what two wrong turns between
    UTF-8 and GBK make of them (锟斤拷), make up a good part of it.
    """
    damaged = text.count(_REPLACEMENT) + 3 * text.count("锟斤拷") + 2 * text.count("烫烫")
    return damaged > max(2, len(text) * _MAX_ERROR_SHARE)


def _decode_strictly(data: bytes, charset: str) -> str | None:
    """Decode without errors, but for a last character that was cut in two. None when that fails."""
    try:
        decoder = codecs.getincrementaldecoder(charset)()
        text = decoder.decode(data)
        pending = decoder.getstate()[0]
    except UnicodeDecodeError:
        return None
    return text if len(pending) <= _CUT_BYTES else None
