#!/usr/bin/env python3
"""Below which score the first answer is usually not relevant: what WEAK_SCORE of the query log's reports is.

Asks the judged questions of the own set (never the held out ones), those that no answer answers, and the public
sets where ../shared/eval holds them, and looks at the first result. By score: how many questions, and of how many the
first answer is judged relevant (a grade above 0; what nobody judged counts as not relevant, so that shares of the
public sets are too low rather than too high). The share as it rises with the score is fitted by isotonic regression
(pool adjacent violators; Ayer et al., Annals of Mathematical Statistics 26, 1955); the line is where it passes a half.

Usage: scripts/measure_weak.py [--eval DIR] [--jobs N]
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, groupby, repeat
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from quality_sets import CORPUS, JudgedSet, own_sets, parser, public_sets

from indexer import Query, open_engine
from indexer.build import build_generation
from indexer.errors import BadQuery
from indexer.quality_gate.evaluate import read_qrels
from indexer.settings import Settings
from webapp.log_store.counting import WEAK_SCORE
from webapp.rates import share

#: the score of the first result, and whether it is relevant
First = tuple[float, bool]

BIN = 0.05
OFF_TOPIC = CORPUS / "judgements" / "off_topic.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module's docstring."""
    options = parser("Measure which scores of first results are weak.").parse_args(arguments)
    public, missing = public_sets(options.eval)
    for sentence in missing:
        print(sentence, file=sys.stderr)
    sets = [one for one in own_sets() if "held_out" not in one.name] + public
    options.work.mkdir(parents=True, exist_ok=True)
    corpora = list(dict.fromkeys(one.corpus for one in sets))
    found: dict[str, list[First]] = {}
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        by_corpus = [[one for one in sets if one.corpus == corpus] for corpus in corpora]
        for of_corpus in pool.map(first_results, corpora, by_corpus, repeat(options.work)):
            found |= of_corpus
    for name, results in found.items():
        tell(name, results)
    own = [results for name, results in found.items() if name.startswith("own") or name == "off_topic"]
    tell("own and off_topic", [*chain.from_iterable(own)])
    tell("all", [*chain.from_iterable(found.values())])
    print(f"WEAK_SCORE is {WEAK_SCORE}")
    return 0


def first_results(corpus: Path, sets: Sequence[JudgedSet], work: Path) -> dict[str, list[First]]:
    """Of each set over a corpus; of the own one also what nothing answers."""
    settings = Settings(workers=1)
    found: defaultdict[str, list[First]] = defaultdict(list)
    with TemporaryDirectory(dir=work) as folder:
        build_generation(corpus, Path(folder), settings)
        engine = open_engine(folder, settings)

        def ask(name: str, text: str, relevant: frozenset[str]) -> None:
            try:
                hits = engine.search(Query(text, limit=1)).hits
            except BadQuery:
                return
            if hits:
                found[name].append((hits[0].score, hits[0].answer.id in relevant))

        for one in sets:
            qrels = read_qrels(one.qrels)
            for question in one.questions():
                grades = qrels.get(question.judged_as, {})
                if relevant := frozenset(answer for answer, grade in grades.items() if grade > 0):
                    ask(one.name, question.text, relevant)
        if corpus == CORPUS:
            for line in OFF_TOPIC.read_text(encoding="utf-8").splitlines():
                ask("off_topic", json.loads(line)["text"], frozenset())
    return dict(found)


def tell(name: str, results: Sequence[First]) -> None:
    """A line for each bin of scores, and where the share passes a half."""
    bins: defaultdict[int, list[bool]] = defaultdict(list)
    for score, is_relevant in results:
        bins[int(score / BIN)].append(is_relevant)
    line = line_of(results)
    below = sum(score < line for score, _ in results) / len(results)
    print(f"\n{name}: {len(results)} with a result, the first relevant in {sum(good for _, good in results)}")
    print("score      questions  first relevant (95 %)")
    for number in sorted(bins):
        rate = share(sum(bins[number]), len(bins[number]))
        start = number * BIN
        print(f"{start:.2f}-{start + BIN:.2f}  {rate.of:9}  {rate.value:.2f} ({rate.low:.2f}-{rate.high:.2f})")
    print(f"usually not relevant below {line:.2f}, as {below:.1%} are")


def line_of(results: Iterable[First]) -> float:
    """The lowest score from which on the fitted share of relevant ones is a half and more; 1 when there is none."""
    blocks: list[tuple[float, int, int]] = []  # lowest score, relevant ones, all; shares rise from block to block
    for score, same in groupby(sorted(results), key=itemgetter(0)):
        relevant = [is_relevant for _, is_relevant in same]
        blocks.append((score, sum(relevant), len(relevant)))
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            _, good, count = blocks.pop()
            lowest, good_before, count_before = blocks.pop()
            blocks.append((lowest, good_before + good, count_before + count))
    return next((lowest for lowest, good, count in blocks if 2 * good >= count), 1.0)


if __name__ == "__main__":
    sys.exit(main())
