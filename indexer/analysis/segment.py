"""jieba as a value: an own tokenizer with an own cache file, nothing global touched."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import jieba

from indexer.analysis.normalize import normalize
from indexer.records import Token


class Segmenter:
    """Cuts text into words. Safe to share between threads once made."""

    def __init__(self, terms: Iterable[str] = (), cache_dir: Path | None = None) -> None:
        """`terms` are words that must be cut out whole, in any width and case; `cache_dir` is where jieba may keep
        its dictionary.
        """
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        with _private_folder(cache_dir) as folder:
            self._tokenizer.tmp_dir = str(folder)
            self._tokenizer.cache_file = "jieba-0.42.1.cache"
            self._tokenizer.initialize()
        self._terms = frozenset(normalize(term).text for term in terms)
        self._longest_term = max(map(len, self._terms), default=0)
        for term in self._terms:
            # No frequency given: jieba computes one that is high enough to keep the word whole. A number of
            # ours would overwrite the dictionary's and could split a common word (月经 added with 5).
            self._tokenizer.add_word(term)

    def cut(self, text: str) -> list[Token]:
        """Words of `text`; before a long one, the shorter words inside it: the dictionary's of two and three
        characters (jieba's search mode), and our terms of any length.
        """
        tokens: list[Token] = []
        for word, start, end in self._tokenizer.tokenize(text, mode="search"):
            tokens.extend(self._terms_inside(word, start))
            tokens.append(Token(word, start, end))
        return tokens

    def _terms_inside(self, word: str, start: int) -> list[Token]:
        """Our terms of four characters and more that a longer word hides; jieba gives the shorter ones."""
        return [
            Token(word[i : i + size], start + i, start + i + size)
            for size in range(4, min(len(word), self._longest_term + 1))
            for i in range(len(word) - size + 1)
            if word[i : i + size] in self._terms
        ]


@contextmanager
def _private_folder(wanted: Path | None) -> Iterator[Path]:
    """The wanted folder, or one that lives for a moment where it cannot be written.

    Never jieba's own default, a file of a known name in the shared temporary folder: it is unmarshalled, so
    whoever may write it decides what we load.
    """
    if wanted is not None:
        try:
            wanted.mkdir(parents=True, exist_ok=True)
        except OSError:
            wanted = None  # a read-only data directory: served all the same, only slower to open
    if wanted is not None and os.access(wanted, os.W_OK):
        yield wanted
    else:
        with TemporaryDirectory(prefix="yiwen-") as folder:
            yield Path(folder)
