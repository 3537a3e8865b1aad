"""What of an answer is turned into vectors: its question with a piece of its text, since models read some hundreds of
characters and blur what is longer.
"""

from __future__ import annotations

import re

#: of a piece, and of what two neighbours share, so that a sentence at a seam is whole in one of them
PASSAGE_CHARS = 200
OVERLAP_CHARS = 50
#: of the question that stands before each piece; longer ones are patients' stories
QUESTION_CHARS = 60
#: of one answer: the first 6,000 characters or so. What is longer is found by its words.
MAX_PASSAGES = 40

_SENTENCE_END = re.compile(r"[。！？；!?;\n]")
#: a piece may end so many characters early, where a sentence does
_GIVE_CHARS = 60


def passages_of(question: str, text: str) -> list[str]:
    """Texts to embed for an answer, the first of them first; at least one, however short it is."""
    head = _plain(question)[:QUESTION_CHARS]
    return [f"{head}\n{piece}".strip() for piece in _pieces(text)[:MAX_PASSAGES]]


def _pieces(text: str) -> list[str]:
    lines = "\n".join(filter(None, map(_plain, text.splitlines())))
    pieces, start = [], 0
    while len(lines) - start > PASSAGE_CHARS:
        end = start + PASSAGE_CHARS
        ends = [found.end() for found in _SENTENCE_END.finditer(lines, end - _GIVE_CHARS, end)]
        end = ends[-1] if ends else end
        pieces.append(lines[start:end])
        start = end - OVERLAP_CHARS
    return [*pieces, lines[start:]]


def _plain(text: str) -> str:
    """Without NUL, at which models written in C stop reading, and with single blanks."""
    return " ".join(text.replace("\0", " ").split())
