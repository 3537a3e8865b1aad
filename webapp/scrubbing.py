"""Taking personal numbers out of a question before it is kept."""

from __future__ import annotations

import re
import unicodedata

PHONE, EMAIL, ID_CARD, LONG_NUMBER = "〔电话〕", "〔邮箱〕", "〔证件号〕", "〔号码〕"

# What people put between the groups of one number: blanks, dashes, dots, and characters nobody sees.
_GAP = "[ \\t\\u00a0\\-‐‑‒–—―−.·\\u200b-\\u200d\\u2060\\ufeff]"
_SEP = f"{_GAP}{{0,3}}"
_APART = f"{_GAP}{{1,3}}"
_HIDDEN = "[\\u200b-\\u200d\\u2060\\ufeff]?"
# A decimal such as 0.13800138000 is no phone, hence no digit-and-point before; `3.` alone can number a list.
_NOT_AFTER_DIGIT = r"(?<![0-9])"
_NOT_BEFORE_DIGIT = r"(?![0-9])"

_COUNTRY = rf"(?:\(?(?:\+|00)?{_SEP}86\)?{_SEP})?"
_MOBILE_GROUPS = (
    rf"1[3-9][0-9]{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}",  # 138-0013-8000, and without gaps
    rf"1[3-9][0-9]{{2}}{_SEP}[0-9]{{3}}{_SEP}[0-9]{{4}}",
    rf"1[3-9][0-9]{_SEP}[0-9]{{3}}{_SEP}[0-9]{{5}}",
    rf"1[3-9][0-9]{{3}}{_SEP}[0-9]{{3}}{_SEP}[0-9]{{3}}",
    rf"1(?:{_APART}[0-9]){{10}}",
)
# Area codes: 010, 02x with eight digits behind; four-digit ones with seven or eight. After +86 the 0 goes.
_AREA = r"\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?"
_AREA_ABROAD = rf"\(?(?:\+|00){_SEP}86\)?{_SEP}\(?0?(?:10|2[0-9]|[3-9][0-9]{{2}})\)?"
_LANDLINE_REST = rf"{_SEP}[2-9][0-9]{{2,3}}{_SEP}[0-9]{{4}}(?:(?:-|转){_SEP}[0-9]{{1,6}})?"

_REGION = r"[1-9][0-9]{5}"
_MONTH_DAY = rf"(?:0[1-9]|1[0-2]){_SEP}(?:0[1-9]|[12][0-9]|3[01])"
_ID_18 = rf"{_REGION}{_SEP}(?:18|19|20)[0-9]{{2}}{_SEP}{_MONTH_DAY}{_SEP}[0-9]{{3}}{_SEP}[0-9Xx]"
_ID_15 = rf"{_REGION}{_SEP}[0-9]{{2}}{_SEP}{_MONTH_DAY}{_SEP}[0-9]{{3}}"

_EMAIL = r"[A-Za-z0-9._%+\-]{1,64} ?@ ?[A-Za-z0-9\-]{1,63}(?: ?\. ?[A-Za-z0-9\-]{1,63}){1,4}"

# Cards are written in fours; four years in a row are not one.
_CARD = rf"(?!19|20)[0-9]{{4}}(?:{_APART}[0-9]{{4}}){{3}}(?:{_APART}[0-9]{{1,4}})?"
_LONG_RUN = rf"[0-9](?:{_HIDDEN}[0-9]){{10,}}[Xx]?"
_SPELLED_OUT = rf"[0-9](?:{_APART}[0-9]){{10,}}"


def _number(*patterns: str) -> re.Pattern[str]:
    return re.compile(_NOT_AFTER_DIGIT + "(?:" + "|".join(patterns) + ")" + _NOT_BEFORE_DIGIT)


# In this order: an ID card holds digits that could be a phone, and what fits nothing comes last.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(_EMAIL), EMAIL),
    (_number(_ID_18, _ID_15), ID_CARD),
    (re.compile(rf"(?<![0-9+])(?<![0-9]\.){_COUNTRY}(?:{'|'.join(_MOBILE_GROUPS)}){_NOT_BEFORE_DIGIT}"), PHONE),
    (re.compile(rf"(?<![0-9])(?<![0-9]\.)(?:{_AREA}|{_AREA_ABROAD}){_LANDLINE_REST}{_NOT_BEFORE_DIGIT}"), PHONE),
    (_number(_CARD, _SPELLED_OUT), LONG_NUMBER),
    (re.compile(_LONG_RUN), LONG_NUMBER),
)


def scrub(text: str) -> str:
    """`text` with phone numbers, e-mail addresses, ID cards and other long numbers replaced by their names.

    Digits may be written in any width or script. Measurements, doses, dates and years stay as they are.
    """
    for pattern, name in _RULES:
        text = _replace(text, pattern, name)
    return text


def _replace(text: str, pattern: re.Pattern[str], name: str) -> str:
    """Search in a folded copy of the same length, so that the rest of the text keeps its own width."""
    parts: list[str] = []
    done = 0
    for match in pattern.finditer("".join(map(_folded, text))):
        parts += [text[done : match.start()], name]
        done = match.end()
    return "".join([*parts, text[done:]])


def _folded(char: str) -> str:
    """One character as ASCII if it is a digit or the wide form of an ASCII character, else itself."""
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    return " " if char == "\u3000" else char
