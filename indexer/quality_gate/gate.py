"""May a new generation go live? Compares it with the one that is served."""

from __future__ import annotations

from collections.abc import Mapping

from indexer.store.generations import Manifest
from indexer.verdicts import Reason

_MIN_KEPT_SHARE = 0.5  # a site that changes its template loses pages by the folder, not by the page


def objections(counts: Mapping[str, int], corpus: str, served: Manifest | None) -> tuple[str, ...]:
    """Reasons, as sentences, why a new generation must not be served; empty when it may.

    `counts` are the new generation's, `corpus` the absolute path that it was built from. Nothing is compared without
    a served generation, or when the corpus is another one. What was taken down on purpose is no loss.
    """
    if served is None or served.corpus != corpus:
        return ()
    before = served.counts["answers"]
    after = counts["answers"] + counts.get(f"rejected_{Reason.TAKEN_DOWN.value}", 0)
    if after < before * _MIN_KEPT_SHARE:
        return (f"答案从 {before} 条减少到 {after} 条，不足原来的一半。",)
    return ()
