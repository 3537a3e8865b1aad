"""How well questions are understood: slips mended, right questions left alone, aliases, other spellings, time.

    python scripts/measure_questions.py --data D
        slips in terms of the lexicon, 50 a kind
    python scripts/measure_questions.py --data D --queries Q.jsonl
        also corrections in these questions, which are right; equal spellings; time
    python scripts/measure_questions.py --data D --aliases 1000
        also so many aliases of the lexicon whose name stands in three answers or more

Slips are made by chance (--seed): a term's pinyin, in one piece or in pieces; its initials; a homophone, any wrong, a
missing, or two swapped characters. Where one name of the lexicon explains a slip it must be first, where several do
among the first three. A slip that is a word itself is left out.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.analysis.pinyin import initials, syllables
from indexer.analysis.spelling import slip_between
from indexer.analysis.vocabulary import Word, read_vocabulary
from indexer.engine import Engine, open_engine
from indexer.errors import BadQuery
from indexer.opened import open_generation
from indexer.store.generations import folder_of
from indexer.understanding import Understanding

KINDS = ("pinyin", "pieces", "initials", "homophone", "wrong", "missing", "swapped")
SAMPLE = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measure how well questions are understood.")
    parser.add_argument("--data", type=Path, required=True, help="data directory with a built corpus")
    parser.add_argument("--queries", type=Path, help="questions that are right, JSON lines with text")
    parser.add_argument("--aliases", type=int, default=0, help="how many aliases to try")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    engine = open_engine(options.data)
    understanding = open_generation(options.data, engine.generation).understanding
    words = list(read_vocabulary(folder_of(options.data, engine.generation)))
    chance = random.Random(options.seed)
    measure_slips(understanding, words, chance)
    if options.queries:
        lines = options.queries.read_text(encoding="utf-8").splitlines()
        questions = chance.sample([json.loads(line)["text"] for line in lines], min(500, len(lines)))
        measure_questions(engine, understanding, questions)
    if options.aliases:
        measure_aliases(engine, understanding, options.aliases, chance)
    return 0


def measure_slips(understanding: Understanding, words: Sequence[Word], chance: random.Random) -> None:
    """A line for each kind of slip."""
    names = [word for word in words if word.is_name and len(word.sounds) == len(word.text) >= 2]
    known = {word.text for word in words if word.is_term}
    characters = Counter(character for word in words for character in word.text if word.answers)
    common = [character for character, _ in characters.most_common(2500)]
    by_sound: defaultdict[str, list[str]] = defaultdict(list)
    for character in common:
        by_sound[syllables(character)[0]].append(character)
    for kind in KINDS:
        first, among_three, alone, several = 0, 0, 0, 0
        for word in chance.sample([w for w in names if len(w.text) > 2 or kind not in ("initials", "missing")], SAMPLE):
            typed = slipped(kind, word, chance, common, by_sound)
            if typed is None or typed in known:
                continue
            asked = understanding.ask(typed)
            told = list(dict.fromkeys(filter(None, [asked.corrected, *asked.others])))
            if len(explanations(kind, typed, names)) > 1:
                several += 1
                among_three += word.text in told[:3]
            else:
                alone += 1
                first += told[:1] == [word.text]
        print(f"{kind:<10} one explains it: first {first} of {alone}; several do: in three {among_three} of {several}")


def slipped(
    kind: str, word: Word, chance: random.Random, common: Sequence[str], by_sound: dict[str, list[str]]
) -> str | None:
    """A term as somebody may mistype it; None where this kind cannot be."""
    text, i = word.text, chance.randrange(len(word.text))
    if kind in ("pinyin", "pieces"):
        return ("" if kind == "pinyin" else " ").join(word.sounds)
    if kind == "initials":
        return initials(word.sounds)
    if kind == "missing":
        return text[:i] + text[i + 1 :]
    if kind == "swapped":
        i = min(i, len(text) - 2)
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    others = [other for other in (by_sound[word.sounds[i]] if kind == "homophone" else common) if other != text[i]]
    return text[:i] + chance.choice(others) + text[i + 1 :] if others else None


def explanations(kind: str, typed: str, names: Sequence[Word]) -> list[str]:
    """The names that this slip can have made into what was typed."""
    letters = typed.replace(" ", "")
    if kind in ("pinyin", "pieces"):
        return [word.text for word in names if "".join(word.sounds) == letters]
    if kind == "initials":
        return [word.text for word in names if initials(word.sounds) == letters]
    wanted = {"homophone": "character", "wrong": "character"}.get(kind, kind)
    found = [word for word in names if slip_between(typed, word.text) == wanted]
    return [word.text for word in found if kind != "homophone" or word.sounds == syllables(typed)]


def measure_questions(engine: Engine, understanding: Understanding, questions: Sequence[str]) -> None:
    """What is done to questions that are right: corrections, other spellings, time."""
    corrected = [(text, asked) for text in questions if (asked := understanding.ask(text)).corrected]
    print(f"{len(corrected)} of {len(questions)} questions corrected:")
    for text, asked in corrected:
        print(f"  {text} -> {asked.corrected}")
    for label, change in (
        ("polite", lambda text: f"医生您好，请问{text}谢谢"),
        ("spaced", " ".join),
        ("full width", lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)),
        ("traditional", _traditional),
    ):
        shares = [_overlap(engine, text, change(text)) for text in questions[:200]]
        print(f"{label}: {np.mean([share for share in shares if share is not None]):.3f} of the first ten are the same")
    for label, ask in (
        ("understood", understanding.ask),
        ("suggested", lambda text: engine.suggest(text[:4])),
    ):
        times = []
        for text in questions:
            started = time.perf_counter()
            ask(text)
            times.append((time.perf_counter() - started) * 1000)
        print(f"{label}: p50 {np.percentile(times, 50):.2f} ms, p99 {np.percentile(times, 99):.2f} ms")


def _traditional(text: str) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(text))


def _overlap(engine: Engine, plain: str, other: str) -> float | None:
    try:
        first = {id_ for id_, _ in engine.retrieve(plain, 10)}
        return len(first & {id_ for id_, _ in engine.retrieve(other, 10)}) / len(first) if first else None
    except BadQuery:
        return None


def measure_aliases(engine: Engine, understanding: Understanding, count: int, chance: random.Random) -> None:
    """How many aliases find an answer with the common name among the first five."""
    texts = {answer.id: answer.text for answer in engine.answers()}
    lexicon = understanding.lexicon
    common = {name for name, term in lexicon.terms.items() if sum(term.name in text for text in texts.values()) >= 3}
    pairs = [(alias, name) for alias, name in lexicon.names.items() if alias != name and name in common]
    found = 0
    tried = chance.sample(pairs, min(count, len(pairs)))
    for alias, name in tried:
        written = lexicon.terms[name].name
        found += any(written in texts[id_] for id_, _ in engine.retrieve(alias, 5))
    print(f"aliases: {found} of {len(tried)} find an answer with the name among the first five")


if __name__ == "__main__":
    sys.exit(main())
