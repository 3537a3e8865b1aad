"""Bytes to text: byte order mark, UTF-8, then what the page, its HTTP header and the bytes themselves speak for.

Declarations are witnesses, not judges: many pages declare gb2312 and are UTF-8, or the reverse. What a wrong
charset gives is known by its characters: real Chinese is written almost wholly with the characters that the
national standards rank as common (level 1 of GB 2312 and of Big5), wrong readings scatter over all of them.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache

_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_-]{2,20})""", re.I
)
_HEAD_BYTES = 4096  # where browsers look for a declaration too (HTML standard: 1024; old pages put it later)
#: a longest multi-byte sequence less one: a page cut off in mid-character loses at most that
_CUT_BYTES = 3
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: pages that declare gb2312 often hold characters of gb18030, of which it is a part
_SUPERSETS = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gbk",
    "hz-gb-2312": "hz",
    "big5-hkscs": "big5hkscs",
}
#: charsets whose declaration is worth a try; never Python's other codecs, such as hex or zlib
_EAST_ASIAN = frozenset({"gb18030", "gbk", "big5", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr", "hz"})
_REPLACEMENT = "\ufffd"
_MAX_ERROR_SHARE = 0.01  # a stray byte or two in a page of some thousand characters
_SAMPLE_CHARS = 20_000  # enough to tell one charset from another, on a page of any size
_CLEARLY_MORE = 0.15  # by how much commoner an undeclared charset's characters must be to be believed
_MIN_HAN_CHARS = 16  # fewer prove nothing: a menu, a name
_MIN_COMMON_SHARE = 0.6  # 3,000 real texts: .77 to 1; the same read as GBK: .32 on average, at most .65
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
#: what UTF-8 looks like to one who reads it as Latin-1 or Windows-1252, and GBK likewise
_LATIN_GARBLE = re.compile("[\u00c0-\u00ff][\u0080-\u00bf\u0152-\u2122]|[\u00c0-\u00ff]{3,}")


@dataclass(frozen=True)
class Decoded:
    """Text, and how it was read."""

    text: str
    charset: str
    declared: str | None  #: lower case; None when the page declares nothing


def declared_charset(data: bytes) -> str | None:
    """The charset that a <meta> or the XML declaration near the start names, lower case."""
    found = _DECLARED.search(data[:_HEAD_BYTES])
    return found.group(1).decode("ascii").lower() if found else None


def decode(data: bytes, header: str | None = None) -> Decoded | None:
    """Decode a page; None when no charset that we know reads it. `header` is the charset of its HTTP header.

    UTF-8 is tried first: text that is not UTF-8 practically never passes as such. Of the others the declared ones
    come first, and an undeclared one wins only where its characters are clearly commoner. A declaration of a Western
    charset is no evidence at all: every byte passes in it. What no charset reads without errors is read by the one
    with fewest, if these are few.
    """
    declared = declared_charset(data)
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return Decoded(data[len(mark) :].decode(charset, errors="replace"), charset, declared)
    wide = _is_wide(data)
    text = _decode_strictly(data, "utf-8")
    if text is not None and not wide:
        return Decoded(text, "utf-8", declared)
    candidates = ["utf-16-le", "utf-16-be"] if wide else _candidates([declared, header and header.lower()])
    strict = [(charset, text) for charset in candidates if (text := _decode_strictly(data, charset)) is not None]
    if strict:
        charset, text = _most_chinese(strict)
        return Decoded(text, charset, declared)
    tolerant = [(charset, data.decode(charset, errors="replace")) for charset in ["utf-8", *candidates]]
    few = [pair for pair in tolerant if pair[1].count(_REPLACEMENT) <= len(pair[1]) * _MAX_ERROR_SHARE]
    if not few:
        return None
    charset, text = min(few, key=lambda pair: pair[1].count(_REPLACEMENT))
    return Decoded(text, charset, declared)


def _is_wide(data: bytes) -> bool:
    """UTF-16 without its mark: every other byte of its markup is zero."""
    head = data[:_HEAD_BYTES]
    return head.count(0) > len(head) // 8 and (b"<\0" in head or b"\0<" in head)


def _candidates(witnesses: list[str | None]) -> list[str]:
    """Charsets to try beside UTF-8, the likeliest first."""
    declared = [_SUPERSETS.get(name, name) for name in witnesses if name]
    return list(dict.fromkeys([*(name for name in declared if name in _EAST_ASIAN), "gb18030", "big5"]))


def _most_chinese(readings: list[tuple[str, str]]) -> tuple[str, str]:
    """The first reading, unless a later one's characters are clearly commoner."""
    best, best_share = readings[0], common_share(readings[0][1])
    for reading in readings[1:]:
        share = common_share(reading[1])
        if share is not None and (best_share is None or share > best_share + _CLEARLY_MORE):
            best, best_share = reading, share
    return best


def common_share(text: str) -> float | None:
    """Share of a text's Chinese characters that are common ones, 0 to 1; None when it has too few to tell."""
    han = _HAN.findall(text[:_SAMPLE_CHARS]) or _HAN.findall(text)[:_SAMPLE_CHARS]
    if len(han) < _MIN_HAN_CHARS:
        return None
    return sum(character in _common_characters() for character in han) / len(han)


@cache
def _common_characters() -> frozenset[str]:
    """Level 1 of GB 2312 (rows 16 to 55, 3,755 characters) and of Big5 (A440 to C67E, 5,401)."""
    simplified = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    traditional = (
        bytes((row, cell))
        for row in range(0xA4, 0xC7)
        for cell in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
        if row < 0xC6 or cell <= 0x7E
    )
    level_1 = "".join(pair.decode("gb2312", "ignore") for pair in simplified)
    return frozenset(level_1 + "".join(pair.decode("big5", "ignore") for pair in traditional))


def is_garbled(text: str) -> bool:
    """Text that was decoded wrongly before it came to us.

    Its signs: replacement characters, or what two wrong turns between UTF-8 and GBK make of them (锟斤拷); Chinese
    of mostly uncommon characters (UTF-8 read as GBK: 浣犲ソ); runs of accented letters (UTF-8 read as Latin-1).
    """
    damaged = text.count(_REPLACEMENT) + 3 * text.count("锟斤拷") + 2 * text.count("烫烫")
    if damaged > max(2, len(text) * _MAX_ERROR_SHARE):
        return True
    share = common_share(text)
    if share is not None and share < _MIN_COMMON_SHARE:
        return True
    garble = sum(len(run) for run in _LATIN_GARBLE.findall(text[:_SAMPLE_CHARS]))
    return garble > _MIN_HAN_CHARS and garble > len(_HAN.findall(text[:_SAMPLE_CHARS]))


def _decode_strictly(data: bytes, charset: str) -> str | None:
    """Decode without errors, but for a last character that was cut in two. None when that fails."""
    try:
        decoder = codecs.getincrementaldecoder(charset)()
        text = decoder.decode(data)
        pending = decoder.getstate()[0]
    except UnicodeDecodeError:
        return None
    return text if len(pending) <= _CUT_BYTES else None
