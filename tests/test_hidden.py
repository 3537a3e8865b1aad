"""What a page hides: text for nobody's eyes is taken out, text behind a click is read."""

from __future__ import annotations

import pytest

from indexer.extract.html_blocks import HtmlBlocks, html_blocks
from indexer.extract.html_tree import html_tree

SHOWN = "面肌痉挛可以打肉毒素，一般能维持三到六个月。"
SECRET = "某地专治面瘫的小作坊"
STYLE = "<style>.x{display:none} /* .shown{display:none} */ .y, p.yy {font-size:0} #z{text-indent:-9999px}"
STYLE += " .dark{background:#003366} .pale{background-color:#FFF} div .deep{display:none}</style>"


def walked(html: str, style: str = "") -> HtmlBlocks:
    """A page with an ordinary paragraph and then this."""
    page = f"<html><head>{style}</head><body><p>{SHOWN}</p><p>{SHOWN}</p>{html}</body></html>"
    return html_blocks(html_tree(page))


def seen(html: str, style: str = "") -> list[str]:
    """The texts of the blocks behind the two ordinary ones."""
    found = [block.text for block in walked(html, style).blocks]
    assert found[:2] == [SHOWN, SHOWN]
    return found[2:]


@pytest.mark.parametrize(
    "style",
    [
        "font-size:0",
        "FONT-SIZE : 0px;",
        "line-height:0",
        "opacity:0",
        "opacity: 0; color: red",
        "position:absolute;left:-9999px",
        "position:absolute; top:-5000px",
        "margin-left:-1000px",
        "text-indent:-999em",
        "height:0;overflow:hidden",
        "overflow:hidden; max-height: 1px",
        "width:0",
        "clip:rect(0,0,0,0)",
        "color:#fff;background:#fff",
        "color:#333;background-color:#333",
        "color:white",
        "color:#FEFEFE",
    ],
)
def test_text_that_nobody_can_see_is_hidden(style: str) -> None:
    for tag in ("div", "p", "span", "a"):
        found = walked(f'<{tag} style="{style}">{SECRET}</{tag}>')
        assert [block.text for block in found.blocks] == [SHOWN, SHOWN], tag
        assert found.hidden == [SECRET], tag


@pytest.mark.parametrize(
    "style",
    [
        "",
        "font-size:0.9em",
        "font-size:10px",
        "opacity:0.8",
        "opacity:.5",
        "margin-left:-20px",
        "text-indent:2em",
        "height:0",  # its text flows out of it
        "height:100px;overflow:hidden",
        "min-height:0;overflow:hidden",
        "line-height:0.9",
        "border-width:0",
        "color:#333",
        "color:#fff;background:#c00",
        "background-color:white",
    ],
)
def test_text_that_people_can_see_is_shown(style: str) -> None:
    found = walked(f'<div style="{style}">{SECRET}</div>')
    assert [block.text for block in found.blocks] == [SHOWN, SHOWN, SECRET]
    assert (found.hidden, found.collapsed) == ([], set())


@pytest.mark.parametrize("attribute", ['style="display:none"', 'style="visibility: hidden"', "hidden", 'class="x"'])
def test_a_folded_block_is_read_and_known_as_folded(attribute: str) -> None:
    found = walked(f"<div {attribute}><p>{SECRET}</p></div><div>{SHOWN}</div>", STYLE)
    assert [block.text for block in found.blocks] == [SHOWN, SHOWN, SECRET, SHOWN]
    [folded] = found.collapsed
    assert [block.text for block in found.inside(folded)] == [SECRET]
    assert found.hidden == []


@pytest.mark.parametrize("attribute", ['style="display:none"', "hidden", 'class="x"'])
def test_a_folded_piece_in_line_is_hidden(attribute: str) -> None:
    found = walked(f"<p>少熬夜<span {attribute}>{SECRET}</span>少喝咖啡</p>", STYLE)
    assert (found.blocks[-1].text, found.hidden) == ("少熬夜少喝咖啡", [SECRET])


@pytest.mark.parametrize(
    ("html", "hidden"),
    [
        (f'<p class="y">{SECRET}</p>', True),
        (f'<p class="a y b">{SECRET}</p>', True),
        (f'<p class="yy">{SECRET}</p>', True),
        (f'<div id="z">{SECRET}</div>', True),
        (f'<p class="z">{SECRET}</p>', False),
        (f'<p class="Y">{SECRET}</p>', False),
        (f'<p class="shown">{SECRET}</p>', False),  # its rule stands in a comment
        (f'<p class="deep">{SECRET}</p>', False),  # only rules for one class or id count
    ],
)
def test_the_pages_own_style_sheet_hides_classes_and_ids(html: str, hidden: bool) -> None:
    found = walked(html, STYLE)
    assert found.hidden == ([SECRET] if hidden else [])
    assert [block.text for block in found.blocks[2:]] == ([] if hidden else [SECRET])


def test_a_class_that_folds_is_overruled_by_the_elements_own_style() -> None:
    found = walked(f'<div class="x" style="display:block">{SECRET}</div>', STYLE)
    assert (found.blocks[-1].text, found.collapsed) == (SECRET, set())


def test_a_size_of_nothing_against_gaps_does_not_hide_what_sets_its_own() -> None:
    assert seen(f'<div style="font-size:0"><span style="font-size:14px">{SECRET}</span></div>') == [SECRET]
    assert seen(f'<div class="y"><span>{SECRET}</span></div>', STYLE) == [SECRET]
    assert seen(f'<div style="font-size:0"><span>{SECRET}</span></div>') == []


@pytest.mark.parametrize(
    ("html", "hidden"),
    [
        (f'<font color="#fff">{SECRET}</font>', True),
        (f'<font color="#FFFFFF">{SECRET}</font>', True),
        (f'<font color="white">{SECRET}</font>', True),
        (f'<font color="#ff0000">{SECRET}</font>', False),
        (f'<p style="color:white">{SECRET}</p>', True),
        (f'<div style="background:#fff"><p style="color:#fff">{SECRET}</p></div>', True),
        (f'<div class="pale"><p style="color:#fff">{SECRET}</p></div>', True),
        (f'<div class="dark"><p style="color:#fff">{SECRET}</p></div>', False),
        (f'<div style="background-color:#036"><h2><font color="white">{SECRET}</font></h2></div>', False),
        (f'<table><tr><td bgcolor="#003366"><font color="#ffffff">{SECRET}</font></td></tr></table>', False),
        (f'<table><tr><td bgcolor="#FFFFFF"><font color="#ffffff">{SECRET}</font></td></tr></table>', True),
        (f'<table background="head.gif"><tr><td><font color="#fff">{SECRET}</font></td></tr></table>', False),
        (f'<p style="border-color:#fff">{SECRET}</p>', False),
    ],
)
def test_white_text_is_hidden_unless_something_dark_is_known_behind_it(html: str, hidden: bool) -> None:
    found = walked(html, STYLE)
    assert found.hidden == ([SECRET] if hidden else [])
    assert [block.text for block in found.blocks[2:]] == ([] if hidden else [SECRET])


def test_the_background_of_the_whole_body_does_not_save_white_text() -> None:
    page = f'<html><body style="background:#eee"><p>{SHOWN * 3}</p><p style="color:#fff">{SECRET}</p></body></html>'
    assert html_blocks(html_tree(page)).hidden == [SECRET]


def test_what_holds_most_of_the_page_in_sentences_is_shown() -> None:
    """Sites that fade in when all is loaded."""
    article = "".join(f"<p>{SHOWN}</p>" for _ in range(5))
    assert seen(f'<div style="opacity:0">{article}</div>') == [SHOWN] * 5


@pytest.mark.parametrize(
    "inner",
    [
        "面瘫 头痛 失眠 耳鸣 胃痛 鼻炎 咳嗽 腰痛 " * 40,  # words, no sentences
        f"<p><a href='/a'>{SHOWN}</a></p>" * 5,  # links
        f"<p>{SHOWN}</p>",  # less than half of it
    ],
)
def test_hidden_words_and_links_stay_hidden_however_many(inner: str) -> None:
    found = walked(f'<div style="opacity:0">{inner}</div>')
    assert [block.text for block in found.blocks] == [SHOWN, SHOWN]
    assert len(found.hidden) == 1


def test_hidden_text_inside_folded_text_is_hidden() -> None:
    found = walked(f'<div style="display:none"><p>{SHOWN}</p><p style="font-size:0">{SECRET}</p></div>')
    assert [block.text for block in found.blocks] == [SHOWN] * 3
    assert found.hidden == [SECRET]


def test_an_empty_hidden_element_is_nothing() -> None:
    assert walked('<div style="font-size:0"> <br></div><p style="opacity:0"></p>').hidden == []
