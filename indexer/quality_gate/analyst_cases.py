"""What a new generation does to the questions that analysts judged: how well they are answered, and which judged
answers are gone.

These are two things. A ranking is compared over the answers that the new generation still holds, so that an answer
that went does not look like one that sank; what went is told by itself, and stops a generation by the same bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from indexer.engine import Engine
from indexer.quality_gate.bounds import Bounds
from indexer.quality_gate.checks import Check
from indexer.quality_gate.evaluate import JudgedQuery
from indexer.quality_gate.questions import JudgedFact, Questions, judged_fact
from indexer.quality_gate.significance import Comparison, compare
from indexer.store.judged_cases import JudgedCase

_SHOWN = 3
_SHOWN_CHARS = 60


@dataclass(frozen=True)
class CaseFact:
    """A question that analysts judged, in both generations."""

    whole: JudgedFact  #: judged answers that are gone count as not found
    kept: JudgedFact | None  #: over the judged answers that the new generation holds; None where none of them helps
    gone: tuple[str, ...]  #: ids of judged answers that help, were not taken down and are not in the new generation


def with_cases(questions: Questions, cases: Sequence[JudgedCase]) -> Questions:
    """Judged questions, and those of analysts."""
    queries = tuple(JudgedQuery(case.id, case.question) for case in cases)
    qrels = {**(questions.qrels or {}), **{case.id: case.by_answer for case in cases}}
    return replace(questions, queries=(*questions.queries, *queries), qrels=qrels or None)


def ask_cases(
    before: Engine,
    after: Engine,
    cases: Sequence[JudgedCase],
    had: Callable[[str], bool],
    has: Callable[[str], bool],
    taken_down: Collection[str],
) -> tuple[CaseFact, ...]:
    """Ask both generations every case in which some answer helps. `had`, `has`: whether the one before, the one after
    holds an answer. `taken_down`: ids that nobody is to see.
    """
    found = []
    for case in cases:
        if not case.is_measured:
            continue
        grades = case.by_answer
        helping = [id_ for id_, grade in grades.items() if grade > 0 and not has(id_) and id_ not in taken_down]
        # an answer that was taken down by its address is hidden in the generation before, too
        gone = tuple(id_ for id_ in helping if not had(id_) or before.answer(id_) is not None)
        query = JudgedQuery(case.id, case.question)
        whole = judged_fact(query, grades, before, after, had, has)
        left = {id_: grade for id_, grade in grades.items() if id_ not in gone}
        kept: JudgedFact | None = whole
        if gone:
            is_left = any(grade > 0 for grade in left.values())
            kept = judged_fact(query, left, before, after, had, has, without=gone) if is_left else None
        found.append(CaseFact(whole, kept, gone))
    return tuple(found)


def check_cases(facts: Sequence[CaseFact], bounds: Bounds) -> tuple[Check, ...]:
    """Judged questions of analysts are answered as well, and their answers are there; nothing where there are none.
    Unlike the questions of a corpus they are judged however few they are: each was chosen.
    """
    if not facts:
        return ()
    ranked = [fact.kept for fact in facts if fact.kept is not None]
    return (*([_check_ranks(ranked, bounds)] if ranked else []), _check_answers(facts, bounds))


def _check_ranks(facts: Sequence[JudgedFact], bounds: Bounds) -> Check:
    compared, passed, means = _compared(facts, bounds)
    worse = sorted(facts, key=lambda one: one.ndcg_after - one.ndcg_before)[:_SHOWN]
    told = "；".join(
        f"“{one.text[:_SHOWN_CHARS]}”从 {one.ndcg_before:.3f} 变为 {one.ndcg_after:.3f}"
        for one in worse
        if one.ndcg_after < one.ndcg_before
    )
    counts = f"{compared.wins} 个变好，{compared.losses} 个变差，{compared.ties} 个不变"
    verdict = f"分析员评判的 {len(facts)} 个问题{'' if passed else '明显变差'}"
    sentence = (
        f"{verdict}：nDCG@10 从 {means[0]:.3f} 变为 {means[1]:.3f}，{counts}。{f'变差的有{told}。' if told else ''}"
    )
    return Check("analyst_cases", passed, round(means[0], 4), round(means[1], 4), sentence)


def _check_answers(facts: Sequence[CaseFact], bounds: Bounds) -> Check:
    """Whether so many judged answers went that it counts. An answer that neither generation holds is told, and stops
    nothing: it went before.
    """
    lost = [fact for fact in facts if fact.gone]
    if not lost:
        return Check("analyst_answers", True, 0, 0, "分析员判过的答案都在。")
    # of the other questions only what their ranking did would show, which the other check looks at
    as_before = [replace(fact.whole, ndcg_after=fact.whole.ndcg_before) for fact in facts if not fact.gone]
    _, passed, means = _compared([*(fact.whole for fact in lost), *as_before], bounds)
    told = "；".join(f"“{fact.whole.text[:_SHOWN_CHARS]}”的 {'、'.join(fact.gone[:_SHOWN])}" for fact in lost[:_SHOWN])
    more = f"等 {len(lost)} 个问题" if len(lost) > _SHOWN else ""
    what = "" if passed else f"因此 nDCG@10 从 {means[0]:.3f} 变为 {means[1]:.3f}；请找回这些网页，或改评判。"
    sentence = f"判过的答案不在了：{told}{more}。{what}"
    return Check("analyst_answers", passed, 0, sum(len(fact.gone) for fact in lost), sentence)


def _compared(facts: Sequence[JudgedFact], bounds: Bounds) -> tuple[Comparison, bool, tuple[float, float]]:
    """By the bounds of judged questions: not worse by more than chance, and not by `max_judged_drop`."""
    before, after = [one.ndcg_before for one in facts], [one.ndcg_after for one in facts]
    compared = compare(after, before)
    passed = not compared.is_worse and compared.difference >= -bounds.max_judged_drop
    return compared, passed, (fmean(before), fmean(after))
