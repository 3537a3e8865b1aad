"""A corpus of any size with the statistics of real answers, made of jieba's dictionary: to measure with, not to read.

Words are drawn by their frequencies in jieba's dictionary, which follow Zipf's law; an answer has a subject, a dozen
words of the medical lexicon and the dictionary that come back in it, and lengths are log-normal around 120 words.
Numbers and invented names let the vocabulary grow with the corpus as it does in real ones (Heaps' law).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from indexer.analysis.lexicon import read_lexicon
from indexer.resources import find_resources

_BATCH = 10_000
_MEDIAN_WORDS, _SPREAD = 105, 0.55
_SUBJECT_WORDS, _SUBJECT_SHARE = 12, 0.22
_INVENTED_SHARE = 0.012
_MARKS = np.array(["，", "，", "，", "。", "。\n", "、", "；"])
_COMMON = ("怎么", "治疗", "怎么办", "是", "什么", "原因", "可以", "吃", "吗", "症状", "有", "的", "了", "如何", "能")
_HAN = [chr(code) for code in range(0x4E00, 0x9FA6)]


@dataclass(frozen=True)
class Draw:
    """What words are drawn from."""

    words: np.ndarray
    cumulative: np.ndarray
    terms: np.ndarray

    def some(self, rng: np.random.Generator, count: int) -> Any:
        """Words by their frequency."""
        return self.words[np.searchsorted(self.cumulative, rng.random(count) * self.cumulative[-1])]


def load_draw() -> Draw:
    """jieba's dictionary and the lexicon."""
    spec = find_spec("jieba")
    assert spec is not None and spec.origin is not None
    lines = Path(spec.origin).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ")[:2] for line in lines]
    words = np.array([word for word, _ in pairs], object)
    cumulative = np.cumsum([float(frequency) for _, frequency in pairs])
    return Draw(words, cumulative, np.array(list(read_lexicon(find_resources()).names), object))


def answers(count: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """JSONL records; the first ones are the same for any count."""
    draw = load_draw()
    for start in range(0, count, _BATCH):
        rng = np.random.default_rng([seed, start])
        lengths = np.clip(rng.lognormal(np.log(_MEDIAN_WORDS), _SPREAD, _BATCH), 8, 3000).astype(int)
        stream = draw.some(rng, int(lengths.sum()))
        marks = _MARKS[rng.integers(0, len(_MARKS), len(stream))]
        at = 0
        for number in range(start, min(start + _BATCH, count)):
            length = lengths[number - start]
            text = stream[at : at + length].copy()
            subject = np.concatenate([rng.choice(draw.terms, 4), draw.some(rng, _SUBJECT_WORDS - 4)])
            places = rng.random(length)
            about = places < _SUBJECT_SHARE
            text[about] = subject[(rng.random(about.sum()) ** 2 * _SUBJECT_WORDS).astype(int)]
            for place in np.flatnonzero(places > 1 - _INVENTED_SHARE):
                text[place] = _invented(rng)
            mark = marks[at : at + length]
            stops = rng.random(length) < 0.12
            stops[-1] = True
            words = np.where(stops, text + mark, text)
            question = "".join([str(subject[0]), str(rng.choice(_COMMON)), *map(str, subject[4:5]), "吗"])
            yield {
                "id": f"a{number}",
                "question": question,
                "answer": "".join(words.tolist()),
                "site": f"site{number % 40}.example",
                "url": f"http://site{number % 40}.example/{number}",
            }
            at += length


def _invented(rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return str(rng.integers(0, 10 ** rng.integers(1, 6)))
    return "".join(_HAN[code] for code in rng.integers(0, 3000, rng.integers(2, 4)))


def questions(count: int, seed: int = 2) -> list[str]:
    """Questions of 4 to 14 words: what one of the first answers is about, some of its words, and everyday ones."""
    rng = np.random.default_rng(seed)
    draw = load_draw()
    found = []
    for record in answers(min(count, 10_000)):
        words = int(rng.integers(4, 15))
        asked = [record["question"][:-1], *map(str, draw.some(rng, max(words - 4, 0))), str(rng.choice(_COMMON))]
        found.append("".join(asked))
        if len(found) == count:
            break
    return found


def write(file: Path, count: int, seed: int = 1) -> None:
    """The corpus as a JSONL file."""
    with open(file, "w", encoding="utf-8") as out:
        for record in answers(count, seed):
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
