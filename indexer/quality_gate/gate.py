"""May a new generation go live? Compares it with the one that is served."""

from __future__ import annotations

from indexer.store.generations import Manifest

_MIN_KEPT_SHARE = 0.5  # a site that changes its template loses pages by the folder, not by the page


def objections(new: Manifest, served: Manifest | None) -> tuple[str, ...]:
    """Reasons, as sentences, why the new generation must not be served; empty when it may.

    Nothing is compared without a served generation, or when the corpus is another one.
    """
    if served is None or served.corpus != new.corpus:
        return ()
    before, after = served.counts["answers"], new.counts["answers"]
    if after < before * _MIN_KEPT_SHARE:
        return (f"答案从 {before} 条减少到 {after} 条，不足原来的一半。",)
    return ()
