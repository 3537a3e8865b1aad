"""The words of a generation with how many answers hold each and how they sound: what slips are corrected to.

Written when an index is built, since reading 60,000 words aloud takes seconds; read when the first slip is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.analysis.lexicon import Lexicon
from indexer.analysis.pinyin import syllables
from indexer.errors import GenerationDamaged

FILE_NAME = "vocabulary.tsv"
_HAN_WORD = re.compile(r"[\u4e00-\u9fff]{1,6}")
_MIN_ANSWERS = 2  #: a word of one answer alone may be a slip itself
_MAX_WORDS = 150_000


@dataclass(frozen=True)
class Word:
    """A word of the lexicon or the index."""

    text: str
    answers: int  #: how many hold it
    sounds: tuple[str, ...]  #: its syllables
    is_term: bool  #: stands in the lexicon


def write_vocabulary(folder: Path, lexicon: Lexicon, answers: Mapping[str, int]) -> None:
    """Every word of the lexicon, and the commonest words of the index, `answers` telling how many hold each."""
    common = (word for word in answers if answers[word] >= _MIN_ANSWERS and _HAN_WORD.fullmatch(word))
    chosen = dict.fromkeys(lexicon.names)
    chosen.update(dict.fromkeys(sorted(common, key=lambda word: (-answers[word], word))[:_MAX_WORDS]))
    with open(folder / FILE_NAME, "w", encoding="utf-8") as out:
        for word in chosen:
            out.write(f"{word}\t{answers.get(word, 0)}\t{int(word in lexicon.names)}\t{' '.join(syllables(word))}\n")


def read_vocabulary(folder: Path) -> list[Word]:
    """Raises GenerationDamaged when the file cannot be read."""
    try:
        rows = [line.split("\t") for line in (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()]
        return [Word(text, int(answers), tuple(sounds.split(" ")), is_term == "1") for text, answers, is_term, sounds in rows]
    except (OSError, ValueError) as error:
        raise GenerationDamaged(f"索引 {folder.name} 的词汇表 {FILE_NAME} 读不出来；请用 yiwen build 重建。") from error


def counted(texts: Iterable[Iterable[str]], into: dict[str, int]) -> None:
    """Add one to the count of each different word of an answer's parts."""
    for word in {word for words in texts for word in words}:
        into[word] = into.get(word, 0) + 1
