"""jieba as a value: an own tokenizer with an own cache file, nothing global touched."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import jieba

from indexer.records import Token


class Segmenter:
    """Cuts text into words. Safe to share between threads once made."""

    def __init__(self, terms: Iterable[str] = (), cache_dir: Path | None = None) -> None:
        """`terms` are words that must be cut out whole; `cache_dir` is where jieba may keep its dictionary."""
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)
            self._tokenizer.tmp_dir = str(cache_dir)
            self._tokenizer.cache_file = "jieba-0.42.1.cache"
        self._tokenizer.initialize()
        for term in terms:
            # No frequency given: jieba computes one that is high enough to keep the word whole. A number of
            # ours would overwrite the dictionary's and could split a common word (月经 added with 5).
            self._tokenizer.add_word(term)

    def cut(self, text: str) -> list[Token]:
        """Words of `text` and, for long ones, the shorter dictionary words inside (jieba's search mode)."""
        return [Token(word, start, end) for word, start, end in self._tokenizer.tokenize(text, mode="search")]
