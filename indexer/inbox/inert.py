"""A scraped page as something to look at: nothing of it runs, is fetched, sent or leads anywhere.

The markup is written anew from the parsed tree: elements and attributes of a list, everything else only as its text.
The page is shown in a sandboxed frame with a policy that forbids the same; each of both is to be enough alone.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from indexer.errors import TooDeep
from indexer.extract.html_tree import Tag, html_tree

#: shown as they are; none of them runs, fetches, sends or leads anywhere with the attributes below
_SHOWN: Final = frozenset(
    "abbr address article aside b big blockquote br caption center cite code col colgroup dd del details dfn div dl dt"
    " em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark nav ol p pre q rp rt ruby s"
    " samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul wbr".split()
)
_EMPTY: Final = frozenset({"br", "col", "hr", "wbr"})
_ATTRIBUTES: Final = frozenset(
    "align class colspan dir height id lang open rowspan start title valign value width".split()
)
#: gone with all that is in them
_GONE: Final = frozenset(
    "applet audio base canvas datalist embed frame frameset iframe input link map math meta noembed noframes noscript"
    " object param picture portal script source svg template title track video".split()
)
#: in a style sheet or attribute: what fetches, refers to other sheets, runs in old browsers, or hides these by escapes
_STYLE_FETCHES = re.compile(
    r"url|image|src|element|import|expression|behavio|binding|font-face|[\\<@]|/\*", re.IGNORECASE
)
_FRAME = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>原网页</title><style>'
    "body{{margin:.75rem;font:16px/1.6 sans-serif;background:#fff;color:#111;overflow-wrap:anywhere}}"
    ".yiwen-link{{color:#05a;text-decoration:underline}}"
    ".yiwen-image{{color:#555;border:1px dashed #999;padding:0 .25em}}"
    "</style></head><body>{}</body></html>"
)


def inert_page(text: str) -> str:
    """A whole page that shows what `text` would."""
    try:
        return _FRAME.format(_written(html_tree(text)))
    except TooDeep:
        return _FRAME.format(f"<pre>{escape(text)}</pre>")


def _written(root: Tag) -> str:
    pieces: list[str] = []
    waiting: list[Tag | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        before, after = _ends(item)
        if item is not root:
            waiting.append(escape(item.tail or ""))
        waiting.append(after)
        if item.tag not in _GONE and item.tag not in ("style", "img"):
            waiting.extend(reversed(item))
            waiting.append(escape(item.text or ""))
        waiting.append(before)
    return "".join(pieces)


def _ends(element: Tag) -> tuple[str, str]:
    """What stands before and after what is in an element."""
    name = element.tag
    if name == "style":
        rules = element.text or ""
        return ("", "") if _STYLE_FETCHES.search(rules) else (f"<style>{rules}</style>", "")
    if name == "img":
        return f'<span class="yiwen-image">图：{escape(element.get("alt") or "没有说明")}</span>', ""
    if name in _GONE or name in ("html", "head", "body"):
        return "", ""
    if name == "a":
        return f'<span class="yiwen-link" title="{escape(element.get("href") or "")}">', "</span>"
    if name not in _SHOWN:
        return "<span>", "</span>"
    return f"<{name}{_attributes(element)}>", "" if name in _EMPTY else f"</{name}>"


def _attributes(element: Tag) -> str:
    kept = [(name, value) for name, value in element.items() if name in _ATTRIBUTES]
    style = element.get("style")
    if style and not _STYLE_FETCHES.search(style):
        kept.append(("style", style))
    return "".join(f' {name}="{escape(value)}"' for name, value in kept)
