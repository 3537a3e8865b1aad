"""What editors say of the blocks of a site or of a page: this goes, that stays. Their word stands above all rules.

A site file says it (`sites/*.toml` of the resources):

    hosts = ["example.com"]          # the site or any below it; the folder, for pages without address
    remove = ['^本文由.{1,20}提供$']  # patterns, each seen by a block's plain text; RE2 syntax
    keep = ['^注意：']
    [[page]]
    address = "https://example.com/1.html"  # or the page's path in the corpus
    remove = ["点击这里领取"]         # whole blocks
    keep = ["疗程请遵医嘱。"]

What is said of a page goes before what is said of its site, and to keep goes before to remove. Patterns come from
people, so RE2 matches them, in time linear in the text, whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import re2

from indexer.errors import ResourceError
from indexer.extract.plain_text import plain, simplified

EDITOR_KEYS = frozenset({"hosts", "keep", "remove", "page"})
MAX_PATTERN_CHARS = 300
MAX_TEXT_CHARS = 2_000  #: of a block that is named in full; of a longer one its beginning
MAX_ITEMS = 2_000  #: of one kind in one file
_MAX_PATTERN_BYTES = 1 << 20  # of a compiled pattern
_SHOWN_CHARS = 60
_EXACT_CHARS = 140  # with a backslash before each it fits a pattern
_MARKS, _ESCAPED = re.compile(r"[\\.^$*+?()\[\]{}|]"), r"\\\g<0>"
_HOST = re.compile(r"[^\s/:?#@\\]{1,253}")


@dataclass(frozen=True)
class EditorPattern:
    """A compiled pattern of an editor."""

    text: str
    compiled: Any  #: of re2, which has no types

    def finds(self, text: str) -> bool:
        """Whether it matches somewhere in a plain text."""
        return self.compiled.search(text) is not None


@dataclass(frozen=True)
class PageTexts:
    """What is said of whole blocks of one page, as `block_key` has them."""

    keep: frozenset[str]
    remove: frozenset[str]


@dataclass(frozen=True)
class EditorFile:
    """The editors' part of one site file."""

    file: str  #: its name
    hosts: frozenset[str]
    media: str = ""  #: "html" or "text"; "" for both
    fingerprint: tuple[re.Pattern[str], ...] = ()
    keep: tuple[EditorPattern, ...] = ()
    remove: tuple[EditorPattern, ...] = ()
    pages: Mapping[str, PageTexts] = field(default_factory=dict)  #: by address

    def fits(self, media: str, lines: Sequence[str], site: str | None) -> bool:
        """Whether it speaks of a page: of its site, and of its layout where it names one."""
        if self.hosts:
            if not fits_site(self.hosts, site):
                return False
        elif not self.fingerprint:
            return False
        if self.media and self.media != media:
            return False
        return all(any(pattern.search(line) for line in lines) for pattern in self.fingerprint)


@dataclass(frozen=True)
class PageEditors:
    """What editors say of one page."""

    files: Sequence[EditorFile] = ()
    pages: Sequence[PageTexts] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.pages)

    def verdict(self, text: str) -> tuple[bool, str] | None:
        """Whether a block stays, and the rule, for people; None where nobody said anything."""
        key = block_key(text)
        for is_kept in (True, False):
            if any(key in (page.keep if is_kept else page.remove) for page in self.pages):
                return is_kept, "编辑只对这一页的标记"
        seen = simplified(plain(text))
        for is_kept in (True, False):
            for file in self.files:
                for pattern in file.keep if is_kept else file.remove:
                    if pattern.finds(seen):
                        return is_kept, f"编辑的规则 {_clipped(pattern.text)}"
        return None


def fits_site(hosts: frozenset[str], site: str | None) -> bool:
    """Whether a site is one of the hosts, or below one."""
    name = (site or "").lower()
    while name:
        if name in hosts:
            return True
        _, _, name = name.partition(".")
    return False


def block_key(text: str) -> str:
    """What two blocks have in common that an editor calls the same."""
    return simplified(plain(text)[:MAX_TEXT_CHARS])


def compile_pattern(text: str) -> EditorPattern:
    """A pattern of an editor. Raises ResourceError with what is wrong, in a sentence."""
    if not text.strip() or len(text) > MAX_PATTERN_CHARS:
        raise ResourceError(f"正则表达式不能是空的，也不能超过 {MAX_PATTERN_CHARS} 个字。")
    options = re2.Options()
    options.max_mem = _MAX_PATTERN_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(simplified(text), options)
    except re2.error as error:
        cause = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else error
        raise ResourceError(
            f"正则表达式“{_clipped(text)}”用不了（{cause}）；只能用 RE2 的写法，不支持前后查看和反向引用。"
        ) from error
    if compiled.search("") is not None:
        raise ResourceError(f"正则表达式“{_clipped(text)}”连空白也符合，会涉及每一段；请写得具体些。")
    return EditorPattern(text, compiled)


def exact_pattern(text: str) -> str:
    """A pattern for blocks of just this text; of a long one, for blocks that begin with it."""
    start = plain(text)[:_EXACT_CHARS]
    return f"^{_MARKS.sub(_ESCAPED, start)}{'$' if start == plain(text) else ''}"


def normal_host(host: str) -> str:
    """A host or folder as files name it. Raises ResourceError."""
    host = host.strip().lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise ResourceError("请写网站的域名，如 www.example.com；没有网址的网页写它所在的文件夹。")
    return host


def read_editor_file(file: Path, content: Mapping[str, Any], fingerprint: Sequence[re.Pattern[str]]) -> EditorFile:
    """The editors' part of a file. Raises ResourceError naming the file and what is wrong."""
    try:
        return EditorFile(
            file.name,
            frozenset(normal_host(host) for host in _texts(content, "hosts")),
            content.get("media", ""),
            tuple(fingerprint),
            tuple(compile_pattern(text) for text in _texts(content, "keep")),
            tuple(compile_pattern(text) for text in _texts(content, "remove")),
            _pages(content.get("page", [])),
        )
    except ResourceError as error:
        raise ResourceError(f"站点规则 {file}：{error}") from error


def _texts(content: Mapping[str, Any], name: str) -> list[str]:
    texts = content.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ResourceError(f"{name} 应是一列文字。")
    if len(texts) > MAX_ITEMS:
        raise ResourceError(f"{name} 最多 {MAX_ITEMS} 项。")
    return texts


def _pages(tables: object) -> dict[str, PageTexts]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ResourceError("page 应写成 [[page]]。")
    if len(tables) > MAX_ITEMS:
        raise ResourceError(f"[[page]] 最多 {MAX_ITEMS} 项。")
    pages: dict[str, PageTexts] = {}
    for table in tables:
        address = table.get("address")
        if not isinstance(address, str) or not address or set(table) - {"address", "keep", "remove"}:
            raise ResourceError("[[page]] 要有 address，此外只能有 keep 和 remove。")
        before = pages.get(address, PageTexts(frozenset(), frozenset()))
        pages[address] = PageTexts(
            before.keep | {block_key(text) for text in _texts(table, "keep")},
            before.remove | {block_key(text) for text in _texts(table, "remove")},
        )
    return pages


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
