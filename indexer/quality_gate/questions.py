"""What two generations say to the same questions: judged ones, and as many as searchers ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.engine import Engine
from indexer.errors import BadQuery, EvaluationError
from indexer.quality_gate.bounds import Bounds
from indexer.quality_gate.evaluate import JudgedQuery, Qrels, ndcg, read_qrels, read_queries
from indexer.quality_gate.page_facts import PageFacts, digest_of
from indexer.records import Query

FOLDER = "judgements"
QUERIES, QRELS = "queries.jsonl", "qrels.tsv"
_DEPTH = 100
_SHOWN = 10  #: measured to this depth
_WARMING = "面肌痉挛怎么治"


@dataclass(frozen=True)
class Questions:
    """What is asked, with judgements where there are any."""

    queries: tuple[JudgedQuery, ...] = ()
    qrels: Qrels | None = None
    source: str | None = None  #: the folder that they were read from; None for questions of the corpus itself

    def judged(self, limit: int) -> list[JudgedQuery]:
        """Those with a judgement above 0, at most so many, always the same ones."""
        qrels = self.qrels or {}
        return _some(
            [q for q in self.queries if any(grade > 0 for grade in qrels.get(q.judged_as, {}).values())], limit
        )


@dataclass(frozen=True)
class JudgedFact:
    """A judged question in both generations."""

    id: str
    text: str
    ndcg_before: float  #: of the first ten
    ndcg_after: float
    first_before: tuple[str, ...]  #: ids of the first ten answers
    first_after: tuple[str, ...]
    lost: int = 0  #: relevant answers that the generation before holds and the one after does not


@dataclass(frozen=True)
class AskedFact:
    """A question asked as a searcher does."""

    text: str
    total_before: int
    total_after: int
    ms_before: float
    ms_after: float


@dataclass(frozen=True)
class QuestionFacts:
    """Of one run of both."""

    judged: tuple[JudgedFact, ...] = ()
    asked: tuple[AskedFact, ...] = ()


def find_judgements(chosen: Path | None, corpus: Path) -> Path | None:
    """The chosen folder, else the corpus's own, where it has one."""
    own = corpus / FOLDER
    return chosen or (own if (own / QUERIES).is_file() else None)


def read_questions(folder: Path | None) -> Questions:
    """Questions and, where the folder has them, judgements. Raises EvaluationError naming file and line."""
    if folder is None:
        return Questions()
    queries, qrels = read_queries(folder / QUERIES), folder / QRELS
    if not queries:
        raise EvaluationError(f"{folder / QUERIES} 中没有问题。")
    return Questions(tuple(queries), read_qrels(qrels) if qrels.is_file() else None, str(folder))


def questions_of(before: PageFacts, after: PageFacts, limit: int) -> tuple[JudgedQuery, ...]:
    """Where nobody gives questions: those of answers that both generations hold, always the same ones."""
    both = [one for answers in before.sample.values() for one in answers if one.question and after.has(one.id)]
    texts = dict.fromkeys(one.question for one in sorted(both, key=lambda one: one.digest))
    return tuple(JudgedQuery(f"q{number}", text) for number, text in enumerate(list(texts)[:limit], 1))


def ask_both(
    before: Engine,
    after: Engine,
    questions: Questions,
    had: Callable[[str], bool],
    has: Callable[[str], bool],
    bounds: Bounds,
) -> QuestionFacts:
    """Ask both generations a sample of the questions. `had`, `has`: whether the one before, the one after holds an
    answer.
    """
    judged = [
        judged_fact(query, (questions.qrels or {})[query.judged_as], before, after, had, has)
        for query in questions.judged(bounds.judged_sample)
    ]
    for engine in (before, after):  # compiled code and files are loaded when they are first used
        _searched(engine, _WARMING)
    texts = [query.text for query in _some(list(questions.queries), bounds.asked_sample)]
    return QuestionFacts(tuple(judged), tuple(_asked(text, before, after) for text in texts))


def _some(queries: Sequence[JudgedQuery], limit: int) -> list[JudgedQuery]:
    """A sample that does not depend on their order; spellings of one question do not crowd out others."""
    chosen = sorted(queries, key=lambda query: (query.twin_of is not None, digest_of(query.id)))[:limit]
    return [query for query in queries if query in set(chosen)]


def judged_fact(
    query: JudgedQuery,
    grades: Mapping[str, int],
    before: Engine,
    after: Engine,
    had: Callable[[str], bool],
    has: Callable[[str], bool],
    without: Collection[str] = (),
) -> JudgedFact:
    """Ask both generations one judged question; as if neither held the answers of `without`."""
    old, new = ([id_ for id_ in _ranked(engine, query.text) if id_ not in without] for engine in (before, after))
    # nobody could judge what is new; it would count as wrong
    comparable = [id_ for id_ in new if id_ in grades or had(id_)]
    shown = tuple(old[:_SHOWN]), tuple(new[:_SHOWN])
    lost = sum(grade > 0 and had(id_) and not has(id_) for id_, grade in grades.items())
    return JudgedFact(query.id, query.text, ndcg(old, grades, _SHOWN), ndcg(comparable, grades, _SHOWN), *shown, lost)


def _ranked(engine: Engine, text: str) -> list[str]:
    try:
        return [id_ for id_, _ in engine.retrieve(text, _DEPTH)]
    except BadQuery:
        return []


def _asked(text: str, before: Engine, after: Engine) -> AskedFact:
    """One after the other, so that what slows the machine slows both."""
    total_before, ms_before = _searched(before, text)
    total_after, ms_after = _searched(after, text)
    return AskedFact(text, total_before, total_after, ms_before, ms_after)


def _searched(engine: Engine, text: str) -> tuple[int, float]:
    started = time.perf_counter()
    try:
        total = engine.search(Query(text)).total
    except BadQuery:
        total = 0
    return total, (time.perf_counter() - started) * 1000
