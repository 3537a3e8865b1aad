"""jieba as a value: an own tokenizer with an own cache file, nothing global touched."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import jieba

from indexer.records import Token


class Segmenter:
    """Cuts text into words. Safe to share between threads once made."""

    def __init__(self, terms: Iterable[str] = (), cache_dir: Path | None = None) -> None:
        """`terms`, normalised, are cut out whole where they stand alone; `cache_dir` is where jieba may keep its
        dictionary.
        """
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        with _private_folder(cache_dir) as folder:
            self._tokenizer.tmp_dir = str(folder)
            self._tokenizer.cache_file = "jieba-0.42.1.cache"
            self._tokenizer.initialize()
        for term in terms:
            # Only what jieba does not cut out by itself, and no frequency given: it computes one just high enough.
            # A number of ours would overwrite the dictionary's and could split a common word (月经 added with 5).
            if self._tokenizer.lcut(term) != [term]:
                self._tokenizer.add_word(term)

    def has(self, word: str) -> bool:
        """Whether the dictionary has a word."""
        return bool(self._tokenizer.FREQ.get(word))

    def dictionary_words(self, text: str) -> list[tuple[int, int]]:
        """Spans of the words that the dictionary explains a text by, what it does not know character by character."""
        return [(start, end) for _, start, end in self._tokenizer.tokenize(text, HMM=False)]

    def cut(self, text: str) -> list[Token]:
        """Words of `text`; before a long one, the dictionary's shorter words inside it (jieba's search mode)."""
        return [Token(word, start, end) for word, start, end in self._tokenizer.tokenize(text, mode="search")]


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
