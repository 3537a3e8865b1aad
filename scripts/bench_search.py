"""Latency of retrieval beside other engines: the same answers, the same words, the same questions, one core, top 10.

    python scripts/bench_search.py --answers 100000 --work DIR [--peers tantivy,bm25s,fts5,whoosh] [--questions 1000]

Makes a synthetic corpus (synthetic_corpus.py) and builds a generation of it in DIR unless they are there, indexes the
same words with each peer that is installed (pip install tantivy bm25s; FTS5 is part of Python's SQLite; Whoosh searches
the generation's own files), and prints p50 and p99 of the fastest of three rounds of each question. Tokens are cut
beforehand for all. The rows of yiwen: `words` is top 10 by words only, as the peers do; `retrieval` is what ranking
needs of words, bigrams and characters (200 candidates of a first pass of 1,000); `search` is everything from the
question as typed to results with snippets.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_corpus import questions, write

from indexer.analysis.analyzer import Analyzer
from indexer.build import build_generation
from indexer.engine import open_engine
from indexer.opened import OpenGeneration, open_generation
from indexer.store.base import PARTS

_TITLE_BOOST = 2.0
_ROUNDS = 3
_FEW = 50  # questions for engines that take seconds

Ask = Callable[[int], object]
Documents = Callable[[], Iterator[tuple[list[str], list[str]]]]


@dataclass(frozen=True)
class Corpus:
    """What every engine gets."""

    folder: Path
    count: int
    documents: Documents  #: words of question and answer of each
    asked: Sequence[Sequence[str]]  #: words of each question


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--peers", default="tantivy,bm25s,fts5,whoosh")
    parser.add_argument("--questions", type=int, default=1_000)
    chosen = parser.parse_args(arguments)
    data = prepared(chosen.work, chosen.answers)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core
    engine = open_engine(data)
    generation = open_generation(data, engine.generation)
    typed = questions(chosen.questions)
    print(f"{chosen.answers} answers, {len(typed)} questions; ms\n\n| engine | p50 | p99 |\n| --- | --- | --- |")
    yiwen = own_rows(generation, typed)
    report("yiwen, words", len(typed), yiwen["words"])
    corpus = Corpus(
        chosen.work,
        chosen.answers,
        lambda: documents(chosen.work / f"{chosen.answers}.jsonl", generation.analyzer),
        [list(generation.analyzer.question_terms(question).terms.words) for question in typed],
    )
    for peer in filter(None, chosen.peers.split(",")):
        make, few = PEERS[peer]
        if peer in ("tantivy", "bm25s") and find_spec(peer) is None:
            print(f"| {peer} | not installed | |")
            continue
        report(peer, _FEW if few else len(typed), make(corpus, generation))
    report("yiwen, words once more", len(typed), yiwen["words"])
    report("yiwen, retrieval", len(typed), yiwen["retrieval"])
    report("yiwen, search", len(typed), lambda number: engine.search(typed[number]))
    return 0


def prepared(work: Path, answers: int) -> Path:
    """Data directory of a generation of so many synthetic answers."""
    work.mkdir(parents=True, exist_ok=True)
    file, data = work / f"{answers}.jsonl", work / f"data-{answers}"
    if not file.exists():
        write(file, answers)
    if not (data / "CURRENT").exists():
        build_generation(file, data)
    return data


def documents(file: Path, analyzer: Analyzer) -> Iterator[tuple[list[str], list[str]]]:
    """Words of question and answer of each record."""
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield tuple(list(analyzer.terms(record[part]).words) for part in PARTS)  # type: ignore[misc]


def own_rows(generation: OpenGeneration, typed: Sequence[str]) -> dict[str, Ask]:
    """Ours, on questions that were understood beforehand."""
    ranker, bm25 = generation.ranker, generation.ranker.bm25
    asked = [generation.understanding.ask(question).terms for question in typed]
    weights = [ranker.word_weights(terms.content_words) for terms in asked]
    return {
        "words": lambda number: bm25.best_of("words", asked[number].terms.words, 10),
        "retrieval": lambda number: ranker.rank(asked[number], weights[number], 200),
    }


def report(name: str, count: int, ask: Ask) -> None:
    """One row of the table."""
    best = np.full(count, np.inf)
    for _ in range(_ROUNDS):
        for number in range(count):
            started = time.perf_counter()
            ask(number)
            best[number] = min(best[number], time.perf_counter() - started)
    print(f"| {name} | {np.median(best) * 1000:.3f} | {np.percentile(best, 99) * 1000:.3f} |", flush=True)


def tantivy_index(corpus: Corpus, generation: OpenGeneration) -> Ask:
    """One segment, two fields, the question's terms boosted."""
    import tantivy

    folder = corpus.folder / f"tantivy-{corpus.count}"
    builder = tantivy.SchemaBuilder()
    for part in PARTS:
        builder.add_text_field(part, tokenizer_name="whitespace", index_option="freq")
    schema = builder.build()
    if not folder.exists():
        (corpus.folder / "tantivy.partial").mkdir()
        index = tantivy.Index(schema, str(corpus.folder / "tantivy.partial"))
        writer = index.writer(heap_size=1_000_000_000, num_threads=1)
        for both in corpus.documents():
            fields = {part: " ".join(words) for part, words in zip(PARTS, both, strict=True)}
            writer.add_document(tantivy.Document(**fields))
        writer.commit()
        writer.wait_merging_threads()
        shutil.move(corpus.folder / "tantivy.partial", folder)
    index = tantivy.Index.open(str(folder))
    searcher = index.searcher()
    should = tantivy.Occur.Should

    def query(words: Sequence[str]) -> Any:
        terms = [(part, word) for word in words for part in PARTS]
        boosts = {"question": _TITLE_BOOST, "answer": 1.0}
        wanted = [
            (should, tantivy.Query.boost_query(tantivy.Query.term_query(schema, part, word, "freq"), boosts[part]))
            for part, word in terms
        ]
        return tantivy.Query.boolean_query(wanted)

    queries = [query(words) for words in corpus.asked]
    return lambda number: searcher.search(queries[number], 10)


def bm25s_index(corpus: Corpus, generation: OpenGeneration) -> Ask:
    """One field, the question's words twice; scored by Numba."""
    import bm25s

    numbers: dict[str, int] = {}
    texts = [
        [numbers.setdefault(word, len(numbers)) for word in (*question, *question, *text)]
        for question, text in corpus.documents()
    ]
    retriever = bm25s.BM25(backend="numba")
    retriever.index((texts, numbers), show_progress=False)
    retriever.activate_numba_scorer()
    asked = [[word for word in words if word in numbers] for words in corpus.asked]
    return lambda number: retriever.retrieve([asked[number]], k=10, show_progress=False, n_threads=1)


def fts5_index(corpus: Corpus, generation: OpenGeneration) -> Ask:
    """SQLite's full-text index; words as numbers, since its tokenizer would split some."""
    file = corpus.folder / f"fts5-{corpus.count}.sqlite3"
    is_new = not file.exists()
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY, number INTEGER)")
    if is_new:
        numbers: dict[str, int] = {}

        def rows() -> Iterator[list[str]]:
            for both in corpus.documents():
                yield [" ".join(f"t{numbers.setdefault(word, len(numbers))}" for word in words) for words in both]

        database.execute("CREATE VIRTUAL TABLE answers USING fts5(question, answer, content='', detail=column)")
        database.executemany("INSERT INTO answers (question, answer) VALUES (?, ?)", rows())
        database.execute("INSERT INTO answers (answers) VALUES ('optimize')")
        database.executemany("INSERT INTO words VALUES (?, ?)", numbers.items())
        database.commit()
    known = dict(database.execute("SELECT word, number FROM words"))
    asked = [" OR ".join(f"t{known[word]}" for word in words if word in known) for words in corpus.asked]
    statement = f"SELECT rowid FROM answers WHERE answers MATCH ? ORDER BY bm25(answers, {_TITLE_BOOST}, 1.0) LIMIT 10"
    return lambda number: database.execute(statement, (asked[number],)).fetchall()


def whoosh_index(corpus: Corpus, generation: OpenGeneration) -> Ask:
    """The generation's own Whoosh index, searched by Whoosh."""
    from whoosh import index, query

    from indexer.store.whoosh_writer import WORD_FIELDS

    folder = corpus.folder / f"data-{corpus.count}" / "generations" / generation.name / "whoosh"
    searcher = index.open_dir(str(folder)).searcher()
    boosts = dict(zip(WORD_FIELDS, (_TITLE_BOOST, 1.0), strict=True))
    asked = [
        query.Or([query.Term(field, word, boost=boosts[field]) for word in words for field in WORD_FIELDS])
        for words in corpus.asked
    ]
    return lambda number: searcher.search(asked[number], limit=10)


#: how each peer's index is made, and whether it is asked few questions only
PEERS: dict[str, tuple[Callable[[Corpus, OpenGeneration], Ask], bool]] = {
    "tantivy": (tantivy_index, False),
    "bm25s": (bm25s_index, False),
    "fts5": (fts5_index, True),
    "whoosh": (whoosh_index, True),
}

if __name__ == "__main__":
    sys.exit(main())
