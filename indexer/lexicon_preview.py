"""What a list of new terms would change, seen before anything is saved: the cut of existing texts, and what the judged
questions find.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.lexicon import Lexicon, Term, make_lexicon, read_lexicon, read_terms
from indexer.build import build_generation
from indexer.engine import Engine, open_engine
from indexer.errors import BadQuery, ResourceError
from indexer.quality_gate.evaluate import JudgedQuery, Qrels, ndcg
from indexer.records import Answer
from indexer.settings import Settings

_SHOWN_ANSWERS = 10  #: of each judged question that are compared


@dataclass(frozen=True)
class QuestionChange:
    """A judged question that finds something else."""

    text: str
    before: float  #: nDCG@10
    after: float
    gained: tuple[str, ...]  #: ids of answers among the first ten that were not there
    lost: tuple[str, ...]


@dataclass(frozen=True)
class CutChange:
    """A text that is cut otherwise."""

    answer_id: str
    gone: tuple[str, ...]  #: words that it no longer has
    new: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What adding a list of terms does."""

    added: tuple[Term, ...]
    known: tuple[str, ...]  #: words of the list that the lexicon has already
    answers: int  #: looked at
    cut_otherwise: tuple[CutChange, ...]
    ndcg_before: float
    ndcg_after: float
    questions: int  #: judged ones that were asked
    changed: tuple[QuestionChange, ...]


def new_terms(file: Path, lexicon: Lexicon, kind: str) -> tuple[list[Term], list[str]]:
    """The terms of a list that the lexicon lacks, and the words that it has. A bare word becomes a term of `kind`.

    Raises ResourceError naming the line that is wrong, or when the list holds no new term.
    """
    added: dict[str, Term] = {}
    known: list[str] = []
    for term in read_terms(file):
        name = lexicon.normal(term.name)
        if name in lexicon.names or name in added:
            known.append(term.name)
        else:
            free = tuple(word for word in term.same if lexicon.normal(word) not in lexicon.names)
            added[name] = Term(term.name, kind if term.kind == "other" else term.kind, free, term.broader, term.related)
    if not added:
        raise ResourceError(f"词表 {file} 中的 {len(known)} 个词都已收录，没有可添加的。")
    make_lexicon([*lexicon.terms.values(), *added.values()])  # says when two terms claim one word
    return list(added.values()), known


def preview(
    engine: Engine, resources: Path, file: Path, kind: str, queries: Sequence[JudgedQuery], qrels: Qrels
) -> Preview:
    """Index the served answers once more, with the terms, in a temporary place, and compare."""
    added, known = new_terms(file, read_lexicon(resources), kind)
    answers = list(engine.answers())
    with tempfile.TemporaryDirectory(prefix="yiwen-lexicon-") as folder:
        there = Path(folder)
        shutil.copytree(resources, there / "resources")
        write_terms(there / "resources" / "lexicon" / f"{file.stem}-new.tsv", added)
        cuts = _cut_changes(answers, load_analyzer(resources), load_analyzer(there / "resources"))
        # Both sides are built from the same records, so that nothing but the terms differs.
        before = _indexed(answers, there / "before", resources)
        after = _indexed(answers, there / "after", there / "resources")
        changes = [_compared(query, qrels.get(query.judged_as, {}), before, after) for query in queries]
    asked = max(len(changes), 1)
    return Preview(
        added=tuple(added),
        known=tuple(known),
        answers=len(answers),
        cut_otherwise=tuple(cuts),
        ndcg_before=sum(change.before for change in changes) / asked,
        ndcg_after=sum(change.after for change in changes) / asked,
        questions=len(changes),
        changed=tuple(change for change in changes if change.gained or change.lost or change.before != change.after),
    )


def write_terms(file: Path, terms: Iterable[Term]) -> None:
    """A lexicon file. Never over one that is there: raises FileExistsError."""
    with open(file, "x", encoding="utf-8") as out:
        for term in terms:
            columns = (term.name, term.kind, *("、".join(words) for words in (term.same, term.broader, term.related)))
            out.write("\t".join(columns) + "\n")


def _cut_changes(answers: Iterable[Answer], before: Analyzer, after: Analyzer) -> list[CutChange]:
    changes = []
    for answer in answers:
        text = f"{answer.question}\n{answer.text}"
        old, new = set(before.terms(text).words), set(after.terms(text).words)
        if old != new:
            changes.append(CutChange(answer.id, tuple(sorted(old - new)), tuple(sorted(new - old))))
    return changes


def _indexed(answers: Iterable[Answer], folder: Path, resources: Path) -> Engine:
    folder.mkdir()
    with open(folder / "answers.jsonl", "w", encoding="utf-8") as out:
        for answer in answers:
            record = {"id": answer.id, "question": answer.question, "answer": answer.text}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    settings = Settings(resources=resources)
    build_generation(folder / "answers.jsonl", folder / "data", settings)
    return open_engine(folder / "data", settings)


def _compared(query: JudgedQuery, grades: Mapping[str, int], before: Engine, after: Engine) -> QuestionChange:
    old, new = _first(before, query.text), _first(after, query.text)
    return QuestionChange(
        query.text,
        ndcg(old, grades, 10),
        ndcg(new, grades, 10),
        tuple(id_ for id_ in new if id_ not in old),
        tuple(id_ for id_ in old if id_ not in new),
    )


def _first(engine: Engine, text: str) -> list[str]:
    try:
        return [id_ for id_, _ in engine.retrieve(text, _SHOWN_ANSWERS)]
    except BadQuery:
        return []
