"""The words of a generation with how many answers hold each and how they sound: what slips are corrected to.

Written when an index is built, since reading 60,000 words aloud takes seconds; read when the first slip is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from indexer.analysis.lexicon import Lexicon
from indexer.analysis.pinyin import syllables
from indexer.errors import GenerationDamaged

FILE_NAME = "vocabulary.tsv"
_HAN_WORD = re.compile(r"[\u4e00-\u9fff]{1,6}")
MIN_ANSWERS = 2  #: a word of one answer alone may be a slip itself
_MAX_WORDS = 150_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the lexicon or the index."""

    text: str
    answers: int  #: how many hold it
    questions: int  #: how many hold it in their question
    sounds: tuple[str, ...]  #: its syllables
    is_name: bool  #: the name of a term of the lexicon
    is_term: bool  #: a name, or another word for a term


def write_vocabulary(
    folder: Path, lexicon: Lexicon, counts: Mapping[str, tuple[int, int]], sounds: Mapping[str, str]
) -> None:
    """Every word of the lexicon, and the commonest words of the index; `counts`: in how many answers, and in how many
    questions, each stands; `sounds`: how words sound that were read aloud before, syllables parted by blanks.
    """
    common = (word for word, (answers, _) in counts.items() if answers >= MIN_ANSWERS and _HAN_WORD.fullmatch(word))
    chosen = dict.fromkeys(lexicon.names)
    chosen.update(dict.fromkeys(sorted(common, key=lambda word: (-counts[word][0], word))[:_MAX_WORDS]))
    with open(folder / FILE_NAME, "w", encoding="utf-8") as out:
        for word in chosen:
            rank = int(word in lexicon.names) + int(word in lexicon.terms)
            answers, questions = counts.get(word, (0, 0))
            out.write(f"{word}\t{answers}\t{questions}\t{rank}\t{sounds.get(word) or ' '.join(syllables(word))}\n")


def read_vocabulary(folder: Path, terms_only: bool = False) -> Iterator[Word]:
    """All words, those of the lexicon first; as they are read, for all of them at once take 60 MB. Raises
    GenerationDamaged when the file cannot be read.
    """
    try:
        with open(folder / FILE_NAME, encoding="utf-8") as file:
            lines = (line.rstrip("\n").split("\t") for line in file)
            for fields in takewhile(_is_term, lines) if terms_only else lines:
                yield _word(*fields)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise GenerationDamaged(f"索引 {folder.name} 的词汇表 {FILE_NAME} 读不出来；请用 yiwen build 重建。") from error


def _is_term(fields: Sequence[str]) -> bool:
    return fields[3] != "0"


def _word(text: str, answers: str, questions: str, rank: str, sounds: str) -> Word:
    return Word(text, int(answers), int(questions), tuple(sounds.split(" ")), rank == "2", rank != "0")
