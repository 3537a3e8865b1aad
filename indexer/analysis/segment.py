"""jieba as a value: words and the lexicon's mentions in a text, by a dictionary of our own, nothing global touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.analysis import cutting
from indexer.analysis.cutting import Dictionary
from indexer.analysis.dictionary import codes_of, make, open_saved, save
from indexer.analysis.lexicon import Lexicon, Mention
from indexer.records import Token

_FOLDER = "dictionary"


class Segmenter:
    """Cuts text into words. Safe to share between threads."""

    def __init__(self, dictionary: Dictionary, lexicon: Lexicon) -> None:
        self.dictionary = dictionary
        self.lexicon = lexicon
        self._surfaces = list(lexicon.names)
        self._names = list(lexicon.names.values())

    def has(self, word: str) -> bool:
        """Whether jieba's dictionary has a word."""
        codes = codes_of(word)
        node = cutting.node_of(self.dictionary, codes, 0, len(codes))
        return bool(node != cutting.NO_NODE and self.dictionary.logs[node] >= 0)

    def dictionary_words(self, text: str) -> list[tuple[int, int]]:
        """Spans of the words that the dictionary explains a text by, what it does not know character by character."""
        codes = codes_of(text)
        spans = np.empty((len(codes), 2), np.int32)
        return [(start, end) for start, end in spans[: cutting.cut(self.dictionary, codes, spans, False)].tolist()]

    def cut(self, text: str) -> list[Token]:
        """Words of `text`; before a long one, the dictionary's shorter words inside it (jieba's search mode)."""
        return [Token(text[start:end], start, end) for start, end in self.spans(text)]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where these words stand."""
        codes = codes_of(text)
        spans = np.empty((3 * len(codes), 2), np.int32)
        found = spans[: cutting.cut_for_search(self.dictionary, codes, spans)].tolist()
        return [(start, end) for start, end in found]

    def mentions(self, text: str) -> list[Mention]:
        """Every place of a normalised text where a word of the lexicon stands, also within or across others."""
        spans, words = self.mention_places(codes_of(text))
        return [
            Mention(start, end, self._surfaces[word], self._names[word])
            for (start, end), word in zip(spans.tolist(), words.tolist(), strict=True)
        ]

    def mention_spans(self, text: str) -> list[tuple[int, int]]:
        """Where they stand, and no more."""
        return [(start, end) for start, end in self.mention_places(codes_of(text))[0].tolist()]

    def mention_places(self, codes: cutting.Codes) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The same as [start, end), shape (mentions, 2), and the numbers of the words."""
        room = 2 * len(codes) + 8
        while True:
            spans, words = np.empty((room, 2), np.int32), np.empty(room, np.int32)
            found = cutting.mentions(self.dictionary, codes, spans, words)
            if found <= room:
                return spans[:found], words[:found]
            room = found

    def save(self, folder: Path) -> None:
        """Write it as `open_segmenter` reads it."""
        save(self.dictionary, folder / _FOLDER)


def make_segmenter(lexicon: Lexicon) -> Segmenter:
    """A segmenter that cuts out the lexicon's terms whole where they stand alone; takes a second."""
    return Segmenter(make(list(lexicon.terms), lexicon.names), lexicon)


def open_segmenter(folder: Path, lexicon: Lexicon) -> Segmenter:
    """What `Segmenter.save` wrote for this lexicon. Raises OSError or ValueError when it is not there."""
    return Segmenter(open_saved(folder / _FOLDER), lexicon)
