"""Why a result stands where it does: the few of the engine's features that say something to people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from indexer import ALL_FEATURES, Hit, SearchResult

MAX_REASONS = 6

#: In the order in which they are told.
_LIKENESS = ("entity", "aspect", "population", "coverage", "question_alike", "phrase", "near", "meaning")
_SOUNDNESS = ("whole", "clean", "original", "signed")
#: Yes, no or something between; all others are measured.
_YES_OR_NO = {"entity", "aspect", "population", *_SOUNDNESS}
#: What it means that a text is not sound; who did not sign is told with every result.
_FAULTS = {"whole": "文字不完整", "clean": "有改写、被屏蔽的词或夸大", "original": "和别的回答雷同"}
#: What is neither so nor not so: the question leaves open what is compared.
_OPEN = 0.5


@dataclass(frozen=True)
class Reason:
    """One feature of a result, in words."""

    label: str
    percent: int | None  #: 0 to 100; None for a fault, which is there or not
    told: str = ""  #: 是, 部分, 否, or the percentage


def reasons(hit: Hit, result: SearchResult) -> list[Reason]:
    """Likeness to the question first, then what the text is worth; a fault is never left out for room."""
    likeness = ("meaning", *_LIKENESS[:-1]) if hit.by_meaning else _LIKENESS
    told = [name for name in likeness if name in hit.features and not _is_open(name, hit, result)]
    sound = [name for name in _SOUNDNESS if name in hit.features]
    faults = [Reason(_FAULTS[name], None) for name in sound if name in _FAULTS and hit.features[name] == 0]
    merits = [name for name in sound if hit.features[name] > 0]
    room = MAX_REASONS - len(faults)
    # The last place is a merit's where there is one, so that not all is likeness.
    chosen = (told[: room - min(len(merits), 1)] + merits)[:room]
    return [*(_reason(name, hit.features[name]) for name in chosen), *faults]


def _is_open(name: str, hit: Hit, result: SearchResult) -> bool:
    """Whether a feature compares nothing here."""
    if name == "entity":
        return result.entity is None
    if name == "aspect" and result.query.aspect is not None:
        return True  # the reader has chosen one; the feature speaks of the question's own
    if name in ("aspect", "population"):
        return hit.features[name] == _OPEN
    return name == "question_alike" and not hit.answer.question


def _reason(name: str, value: float) -> Reason:
    percent = round(100 * min(max(value, 0.0), 1.0))
    if name not in _YES_OR_NO:
        return Reason(_labels()[name], percent, f"{percent}%")
    return Reason(_labels()[name], percent, "是" if percent == 100 else "部分" if percent else "否")


@cache
def _labels() -> dict[str, str]:
    return {feature.name: feature.label for feature in ALL_FEATURES}
