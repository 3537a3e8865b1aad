"""How well urgency cards are raised: by urgent questions, and not by calm ones with the same words.

    python scripts/measure_urgency.py corpus/judgements/urgency.jsonl
        recall (a card is raised), right level, right card, false alarms, time
    python scripts/measure_urgency.py FILE --misses
        also every question that got no card, another level, or a card it should not have

FILE: JSON lines with `text`, `card` (null for calm questions), `level`, and for calm ones `why`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.answer.urgency import load_urgency
from indexer.records import UrgencyCard
from indexer.resources import find_resources

Judged = tuple[dict[str, Any], UrgencyCard | None]


@dataclass(frozen=True)
class Figures:
    """Shares of the urgent questions, and of the calm ones."""

    urgent: int
    calm: int
    recall: float  #: any card
    level: float  #: a card of the right level
    card: float  #: the right card
    false_alarms: float


def figures(judged: Sequence[Judged]) -> Figures:
    urgent = [(record, card) for record, card in judged if record["card"]]
    calm = [card for record, card in judged if not record["card"]]
    return Figures(
        len(urgent),
        len(calm),
        _share([card is not None for _, card in urgent]),
        _share([card is not None and card.level == record["level"] for record, card in urgent]),
        _share([card is not None and card.id == record["card"] for record, card in urgent]),
        _share([card is not None for card in calm]),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measure how well urgency cards are raised.")
    parser.add_argument("questions", type=Path, help="JSON lines with text, card, level")
    parser.add_argument("--resources", type=Path)
    parser.add_argument("--misses", action="store_true", help="list what went wrong")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    urgency = load_urgency(find_resources(options.resources))
    print(f"rules: {len(urgency.rules)}, loaded in {(time.perf_counter() - started) * 1000:.0f} ms")
    records = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines()]
    judged = [(record, urgency.card(record["text"])) for record in records]
    times = []
    for record in records:
        started = time.perf_counter()
        urgency.card(record["text"])
        times.append((time.perf_counter() - started) * 1000)
    told = figures(judged)
    print(f"urgent: {told.urgent}, calm: {told.calm}")
    print(f"recall {told.recall:.3f}, right level {told.level:.3f}, right card {told.card:.3f}")
    print(f"false alarms {told.false_alarms:.3f}")
    print(f"time: p50 {np.percentile(times, 50):.2f} ms, p99 {np.percentile(times, 99):.2f} ms")
    if options.misses:
        print_misses(judged)
    return 0


def print_misses(judged: Sequence[Judged]) -> None:
    """A line for each question that went wrong, the worst kinds first."""
    kinds: Counter[str] = Counter()
    lines = []
    for record, card in judged:
        kind = _kind(record, card)
        kinds[kind] += 1
        if kind:
            wanted = record["card"] or record.get("why") or "calm"
            lines.append((kind, f"{kind}: {record['text']} | {wanted} | {card.id if card else None}"))
    for _, line in sorted(lines):
        print(line)


def _kind(record: dict[str, Any], card: UrgencyCard | None) -> str:
    if not record["card"]:
        return "1 false alarm" if card else ""
    if card is None:
        return "0 missed"
    if card.level != record["level"]:
        return "2 other level"
    return "" if card.id == record["card"] else "3 other card"


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if right else float("nan")


if __name__ == "__main__":
    sys.exit(main())
