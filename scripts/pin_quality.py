"""Pins what the judged sets score now: floors in corpus/judgements/floors.toml, each question in release.tsv.

    .venv/bin/python scripts/pin_quality.py                                after answers got better, before a release
    .venv/bin/python scripts/pin_quality.py --lower-on-purpose "REASON"    where some got worse for a good reason

What scripts/check_quality.py measured of the same code and data is taken; all else is measured (a minute on two free
cores). All sets are pinned together, so the public ones must be there. A floor that no longer holds, and a set that
is significantly worse than the last release, are refused without --lower-on-purpose; the reason is written beside them.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

import quality_sets
from quality_sets import JudgedSet, Measured, compared, worse_than_release, write_whole

from indexer.build import code_version
from indexer.errors import IndexerError
from indexer.quality_gate import floors as lowest
from indexer.quality_gate.floors import Floor, Lowered, shortfalls
from indexer.quality_gate.release import Release, formatted

#: how far below what is measured a floor lies, in thousandths: room for a change that trades one question for another
MARGINS = {"ndcg_at_10": 5, "p_at_1": 20}
HEAD = """\
# The least that a ranking must reach on each judged set: docs/quality.md, "Gate". Written by scripts/pin_quality.py.
# A floor is what was measured less a margin, in three decimals: .005 for nDCG@10, and .02 for P@1, where one question
# of a spelling's ninety is .011 by itself. Floors rise with what is measured. One that no longer holds is lowered by
# --lower-on-purpose only, and then stands here with the reason, until it is back where it was.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what has changed and pins; returns the exit status."""
    parser = quality_sets.parser("Pin what the judged sets score now.")
    parser.add_argument("--lower-on-purpose", metavar="REASON", help="lower what no longer holds")
    parser.add_argument("--anew", action="store_true", help="measure all, also what was measured and did not change")
    options = parser.parse_args(arguments)
    given = options.lower_on_purpose or ""
    reason = " ".join("".join(each if each.isprintable() else " " for each in given).split())
    if options.lower_on_purpose is not None and not reason:
        parser.error("--lower-on-purpose needs a reason")
    public, missing = quality_sets.public_sets(options.eval)
    if missing:
        print("\n".join(missing), "评测集不全，没有固定；各集的分数要在同一版本上测得。", sep="\n", file=sys.stderr)
        return 1
    sets = [*quality_sets.own_sets(), *public]
    try:
        floors, release = quality_sets.pinned_floors_and_release()
        measured = figures(sets, options)
        refused = refusals(measured, floors, release)
        if refused and not reason:
            hint = "没有固定。若确实要降低，请加上 --lower-on-purpose 和理由。"
            print(*refused, hint, sep="\n", file=sys.stderr)
            return 1
        today = date.today().isoformat()
        new = {one.name: pinned(one, measured[one.name], floors, release, reason, today) for one in sets}
        scores = {one.name: measured[one.name].scores for one in sets}
        write_whole(quality_sets.FLOORS, formatted_floors(new))
        write_whole(quality_sets.RELEASE, formatted(Release(code_version(), today, scores)))
    except IndexerError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(changes(floors, new)))
    return 0


def figures(sets: Sequence[JudgedSet], options: Namespace) -> dict[str, Measured]:
    """What was measured before and did not change since, and what is measured now."""
    measured = {} if options.anew else quality_sets.measured_before(sets, options.work)
    rest = [one for one in sets if one.name not in measured]
    return measured | (quality_sets.measured_sets(rest, options.work, options.jobs) if rest else {})


def refusals(measured: Mapping[str, Measured], floors: Mapping[str, Floor], release: Release) -> list[str]:
    """A sentence for all that is pinned on purpose only."""
    sentences = []
    for name, found in measured.items():
        if name in floors:
            sentences += shortfalls(name, floors[name], found.means)
        comparison = compared(found, release.scores.get(name, {}))
        if comparison and comparison.is_worse:
            sentences.append(worse_than_release(name, comparison, found, release))
    return sentences


def pinned(
    one: JudgedSet, found: Measured, floors: Mapping[str, Floor], release: Release, reason: str, today: str
) -> Floor:
    """The set's new floor. One that holds never falls, however near it is to what was measured."""
    before = floors.get(one.name, Floor({}))
    least, lowered = {}, list(before.lowered)
    for measure in one.measures:
        value, was = found.means[measure], before.least.get(measure, 0.0)
        least[measure] = max(was, below(measure, value)) if value >= was else below(measure, value)
        if least[measure] < was:
            lowered.append(Lowered(measure, was, least[measure], today, reason))
    comparison = compared(found, release.scores.get(one.name, {}))
    if comparison and comparison.is_worse:
        now = found.means["ndcg_at_10"]
        was = now - comparison.difference
        lowered.append(Lowered(lowest.RELEASE, round(was, 4), round(now, 4), today, reason))
    reached = {**least, lowest.RELEASE: found.means["ndcg_at_10"]}
    return Floor(least, tuple(note for note in lowered if reached[note.measure] < note.was))


def below(measure: str, value: float) -> float:
    """What was measured less its margin, rounded down to thousandths."""
    return max(int(value * 1000 + 1e-6) - MARGINS[measure], 0) / 1000


def formatted_floors(floors: Mapping[str, Floor]) -> str:
    """The text of floors.toml; Python reads TOML and does not write it."""
    lines = [HEAD]
    for name, floor in floors.items():
        lines.append(f"[{name}]")
        lines += [f"{measure} = {least:.3f}" for measure, least in floor.least.items()]
        for note in floor.lowered:
            lines.append(f"[[{name}.lowered]]")
            # a JSON string without control characters is a TOML one
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in asdict(note).items()]
        lines.append("")
    return "\n".join(lines)


def changes(before: Mapping[str, Floor], after: Mapping[str, Floor]) -> list[str]:
    """A line for each floor: what it was, what it is."""
    return [
        f"{name} {measure} {before[name].least.get(measure, 0):.3f} -> {least:.3f}"
        if name in before
        else f"{name} {measure} {least:.3f}"
        for name, floor in after.items()
        for measure, least in floor.least.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
