"""Do answers hold their quality? Measures the judged sets against their floors and against the last release.

    .venv/bin/python scripts/check_quality.py [--own-only] [--eval ../shared/eval] [--work DIR] [--jobs N]

Prints a table (Markdown), and on standard error what is wrong. Exit 0: every floor of corpus/judgements/floors.toml
holds, and no set is significantly (p < .01) worse than in corpus/judgements/release.tsv; else 1.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import quality_sets
from quality_sets import JudgedSet, Measured, compared, worse_than_release

from indexer.errors import IndexerError
from indexer.quality_gate.floors import MEASURES, Floor, shortfalls
from indexer.quality_gate.release import Release
from indexer.quality_gate.significance import Comparison

PIN = "请运行 scripts/pin_quality.py"
HEADINGS = (
    "set",
    "questions",
    "nDCG@10",
    "release",
    "difference",
    "95 % interval",
    "p",
    "wins/losses/ties",
    "floor",
    "P@1",
    "floor of P@1",
    "verdict",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = quality_sets.parser("Check that answers hold their quality.")
    parser.add_argument("--own-only", action="store_true", help="only the sets over the demonstration corpus")
    options = parser.parse_args(arguments)
    try:
        sets, skipped = quality_sets.own_sets(), ["跳过公开评测集：指定了 --own-only。"]
        if not options.own_only:
            public, skipped = quality_sets.public_sets(options.eval)
            sets += public
        print("\n".join(skipped), end="\n" if skipped else "", file=sys.stderr)
        floors, release = quality_sets.pinned_floors_and_release()
        measured = quality_sets.measured_sets(sets, options.work, options.jobs)
    except IndexerError as error:
        print(error, file=sys.stderr)
        return 1
    lines, faults = table(sets, measured, floors, release)
    print("\n".join(lines))
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


def table(
    sets: Sequence[JudgedSet], measured: Mapping[str, Measured], floors: Mapping[str, Floor], release: Release
) -> tuple[list[str], list[str]]:
    """Lines of the table, and a sentence for all that is wrong."""
    known = {*(one.name for one in quality_sets.own_sets()), *quality_sets.PUBLIC}
    faults = [f"floors.toml 中的 {name} 不是已知的评测集；请删去。" for name in floors if name not in known]
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    for one in sets:
        found, floor = measured[one.name], floors.get(one.name)
        comparison = compared(found, release.scores.get(one.name, {}))
        wrong = faults_of(one, found, floor, comparison, release)
        faults += wrong
        lines.append(row(one.name, found, floor, comparison, "fails" if wrong else "holds"))
    return lines, faults


def faults_of(
    one: JudgedSet, found: Measured, floor: Floor | None, comparison: Comparison | None, release: Release
) -> list[str]:
    """What is wrong with one set; also that nothing was pinned for it, since it would pass whatever it scored."""
    least = floor.least if floor else {}
    faults = [f"{one.name} 没有 {MEASURES[name]} 的下限；{PIN}。" for name in one.measures if name not in least]
    if floor:
        faults += shortfalls(one.name, floor, found.means)
    if comparison is None or comparison.questions < len(found.scores):
        new = len(found.scores) - (comparison.questions if comparison else 0)
        faults.append(f"{one.name} 有 {new} 个问题不在上一版本的分数中，无法比较；{PIN}。")
    if comparison and comparison.is_worse:
        faults.append(worse_than_release(one.name, comparison, found, release))
    return faults


def row(name: str, found: Measured, floor: Floor | None, comparison: Comparison | None, verdict: str) -> str:
    """One set's line."""
    least = floor.least if floor else {}
    now = found.means["ndcg_at_10"]
    against = ["", "", "", "", ""]
    if comparison:
        against = [
            f"{now - comparison.difference:.4f}",
            f"{comparison.difference:+.4f}",
            f"{comparison.low:+.4f} to {comparison.high:+.4f}",
            f"{comparison.p:.4f}",
            f"{comparison.wins}/{comparison.losses}/{comparison.ties}",
        ]
        verdict += ", worse" if comparison.is_worse else ", better" if comparison.is_better else ""
    floor_of = {measure: f"{least[measure]:.3f}" if measure in least else "" for measure in MEASURES}
    ranked = [name, str(len(found.scores)), f"{now:.4f}", *against, floor_of["ndcg_at_10"]]
    first = f"{found.means['p_at_1']:.4f}"
    return f"| {' | '.join([*ranked, first, floor_of['p_at_1'], verdict])} |"


if __name__ == "__main__":
    sys.exit(main())
