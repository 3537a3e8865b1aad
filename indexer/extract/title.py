"""A page's title, without the name of its site."""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.extract.html_tree import Tag, text_of
from indexer.extract.site_templates import plain
from indexer.records import Block

_SEPARATOR = re.compile(r"\s*[_|｜]\s*|\s+[-–—]+\s+|(?<=[？?])[-–—]+|(?<![A-Za-z0-9])[-–—]+(?=[^-–—]{2,16}$)")
_KIND = re.compile(
    r"^[\[【](求助|求医|咨询|讨论|分享|原创|转载|问题|問題|已解决|已采纳|精华|悬赏)[^\]】]{0,6}[\]】]\s*"
)
_COPY_LINK = re.compile(r"\s*\[复制链接\]$")
_REPLY = re.compile(r"^(re|回复)\s*[:：]\s*", re.IGNORECASE)
_TITLE_CHARS = 4
_QUESTION = re.compile(
    r"([?吗呢么]$|怎么|如何|怎样|为什么|什么|哪些?|多久|多少|几天|能不能|会不会|是不是|要不要|该不该|可不可以|好不好|有没有|请问|想问|求助|求)"
)


def page_title(page: Tag, blocks: Sequence[Block]) -> str | None:
    """The heading that <title> contains or the line that it begins with, else <title> without the site's name."""
    element = page.find(".//title")
    whole = text_of(element) if element is not None else ""
    title = _heading(plain(whole), blocks) or _SEPARATOR.split(whole)[0].strip()
    return without_kind(title) or None


def without_kind(title: str) -> str:
    """A title without [求助], [已解决] and the like before it."""
    return _COPY_LINK.sub("", _KIND.sub("", title))


def _heading(whole: str, blocks: Sequence[Block]) -> str | None:
    """The longest heading or first line that <title> contains; else the only h1, or its part that <title> begins."""
    headings = [block for block in blocks if block.tag in ("h1", "h2", "h3")]
    first_lines = [block for block in blocks if whole.startswith(block.plain)]
    last_lines = [block for block in blocks if whole.endswith(block.plain) and not block.links]
    inside = [
        block
        for block in [*headings, *first_lines] or last_lines
        if len(block.plain) >= _TITLE_CHARS and _KIND.sub("", block.plain) in whole
    ]
    if inside:
        return max(inside, key=lambda b: (len(b.plain), b.tag == "h1")).text
    main = [block for block in headings if block.tag == "h1"]
    if len(main) != 1:
        return None
    first = re.split(r"[-_|｜–—]", whole)[0].strip()
    rest = main[0].plain.removeprefix(first)
    has_more = len(first) >= 2 and rest != main[0].plain and any(map(str.isalnum, rest))
    return first if has_more else main[0].text


def title_key(text: str) -> str:
    """A title by its letters and digits, to compare: pages vary its marks and put [求助] before it."""
    return "".join(filter(str.isalnum, _REPLY.sub("", without_kind(plain(text)))))


def is_question(title: str | None) -> bool:
    """Whether a title asks."""
    return title is not None and _QUESTION.search(plain(title)) is not None
