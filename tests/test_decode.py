"""Bytes to text: marks, what a page declares, what it really is, and pages cut off in mid-character."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.decode import declared_charset, decode, is_garbled

TEXT = "面肌痉挛：眼皮跳个不停，先到神经内科检查。"
TRADITIONAL = "面肌痙攣可以打針治療，先看神經內科。"
#: a character of GB18030 that takes four bytes in it, and one of GBK that GB2312 lacks
FOUR_BYTES, GBK_ONLY = "𠮷", "镕"


def page(declaration: str, text: str = TEXT) -> str:
    return f"<html><head>{declaration}<title>{text}</title></head><body>{text}</body></html>"


def declaring(charset: str, text: str = TEXT) -> str:
    return page(f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">', text)


@pytest.mark.parametrize(
    ("data", "text", "charset", "declared"),
    [
        (TEXT.encode(), TEXT, "utf-8", None),
        (TEXT.encode("gb18030"), TEXT, "gb18030", None),
        ((TEXT + FOUR_BYTES).encode("gb18030"), TEXT + FOUR_BYTES, "gb18030", None),
        (b"plain ASCII", "plain ASCII", "utf-8", None),
        (b"", "", "utf-8", None),
        # a mark says more than anything else, and is no part of the text
        (codecs.BOM_UTF8 + TEXT.encode(), TEXT, "utf-8", None),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), TEXT, "utf-16-le", None),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT, "utf-16-be", None),
        (codecs.BOM_UTF8 + declaring("gb2312").encode(), declaring("gb2312"), "utf-8", "gb2312"),
        # declarations: right, of a part, of a synonym, in capitals, wrong, unknown
        (declaring("utf-8").encode(), declaring("utf-8"), "utf-8", "utf-8"),
        (declaring("gb18030").encode("gb18030"), declaring("gb18030"), "gb18030", "gb18030"),
        (declaring("gb2312").encode("gb2312"), declaring("gb2312"), "gb18030", "gb2312"),
        (declaring("gb2312", GBK_ONLY + TEXT).encode("gbk"), declaring("gb2312", GBK_ONLY + TEXT), "gb18030", "gb2312"),
        (declaring("GBK").encode("gbk"), declaring("GBK"), "gbk", "gbk"),
        (declaring("x-gbk").encode("gbk"), declaring("x-gbk"), "gbk", "x-gbk"),
        (declaring("Big5", TRADITIONAL).encode("big5"), declaring("Big5", TRADITIONAL), "big5", "big5"),
        (declaring("utf8").encode(), declaring("utf8"), "utf-8", "utf8"),
        (declaring("gb2312").encode(), declaring("gb2312"), "utf-8", "gb2312"),
        (declaring("utf-8").encode("gb18030"), declaring("utf-8"), "gb18030", "utf-8"),
        (declaring("gbk", FOUR_BYTES).encode("gb18030"), declaring("gbk", FOUR_BYTES), "gb18030", "gbk"),
        # a Western declaration is no evidence, and Python's codecs that are no charsets are none
        *(
            (declaring(name).encode("gb18030"), declaring(name), "gb18030", name)
            for name in ("iso-8859-1", "windows-1252", "hex", "base64", "rot13", "zip", "undefined", "utf-16", "utf-7")
        ),
        (declaring("nonsense").encode("gb18030"), declaring("nonsense"), "gb18030", "nonsense"),
    ],
)
def test_a_page_is_read_as_it_was_written_and_the_choice_is_told(
    data: bytes, text: str, charset: str, declared: str | None
) -> None:
    decoded = decode(data)
    assert decoded is not None
    assert (decoded.text, decoded.charset, decoded.declared) == (text, charset, declared)


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("last", ["痛", FOUR_BYTES])
def test_a_last_character_cut_in_half_is_left_out_and_all_before_it_is_kept(charset: str, last: str) -> None:
    whole = len(last.encode(charset))
    for kept in range(1, whole):
        decoded = decode((TEXT + last).encode(charset)[: kept - whole])
        assert decoded is not None
        assert (decoded.charset, decoded.text) == (charset, TEXT)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        TEXT.encode() + b"\xff" + TEXT.encode(),
        TEXT.encode("gb18030") + b"\xff\xff" + TEXT.encode("gb18030"),
        declaring("big5").encode("ascii", "ignore") + b"\x80\xff\x80\xff.",
    ],
)
def test_bytes_that_no_charset_reads_are_not_decoded(data: bytes) -> None:
    assert decode(data) is None


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_a_stray_byte_in_a_long_page_costs_that_byte(charset: str) -> None:
    half = (TEXT * 20).encode(charset)
    decoded = decode(half + b"\xff\n" + half)
    assert decoded is not None
    assert (decoded.charset, decoded.text) == (charset, TEXT * 20 + "\ufffd\n" + TEXT * 20)


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        ("<meta charset=gbk>", "gbk"),
        ("<META CHARSET = 'GB2312' />", "gb2312"),
        ('<meta http-equiv="content-type"\n content="text/html;charset=Big5">', "big5"),
        ("<title>charset=gbk</title>", None),
        ("<meta name=keywords content=编码>", None),
        ("<!--" + " " * 5000 + "--><meta charset=gbk>", None),
    ],
)
def test_a_declaration_is_read_from_a_meta_element_near_the_start(head: str, declared: str | None) -> None:
    assert declared_charset(page(head).encode()) == declared


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_in_utf_8_comes_back(text: str) -> None:
    assume(not text.startswith("\ufeff"))
    decoded = decode(text.encode())
    assert decoded is not None
    assert (decoded.text, decoded.charset) == (text, "utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_in_gb18030_comes_back_behind_a_sentence_that_tells_it_from_utf_8(text: str) -> None:
    decoded = decode((TEXT + text).encode("gb18030"))
    assert decoded is not None
    assert (decoded.text, decoded.charset) == (TEXT + text, "gb18030")


@given(st.binary())
def test_any_bytes_are_decoded_or_refused_but_never_an_error(data: bytes) -> None:
    decoded = decode(data)
    assert decoded is None or isinstance(decoded.text, str)


@pytest.mark.parametrize("codec", ["iso-8859-1", "windows-1252", "hex", "zlib", "rot13", "undefined", "utf-7"])
def test_a_declaration_that_proves_nothing_is_passed_over(codec: str) -> None:
    decoded = decode(f"<meta charset={codec}>{TEXT}".encode("gb18030"))
    assert decoded is not None
    assert (TEXT in decoded.text, decoded.charset, decoded.declared) == (True, "gb18030", codec)


def test_a_stray_byte_costs_a_character_and_not_the_page() -> None:
    whole = TEXT * 40
    spoilt = whole.encode()[:100] + b"\xff" + whole.encode()[100:]
    decoded = decode(spoilt)
    assert decoded is not None
    assert decoded.charset == "utf-8"
    assert len(whole) * 0.99 < sum(character in TEXT for character in decoded.text) <= len(decoded.text)
    assert not is_garbled(decoded.text)


@pytest.mark.parametrize("text", ["锟斤拷" * 9, TEXT + "\ufffd" * 9, "锟斤拷烫烫烫" + TEXT])
def test_what_came_garbled_is_known(text: str) -> None:
    assert is_garbled(text)
    assert not is_garbled(TEXT * 9 + "有人打出了锟斤拷。" + TEXT * 9)
