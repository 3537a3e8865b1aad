"""The job that computes what a proposal does."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.cleaning import Progress
from indexer.errors import ResourceError
from indexer.jobs import Job, Outcome
from indexer.proposals import find_proposal, keep_effects
from indexer.resource_effects import compute_effects
from indexer.settings import load_settings


def run(data: Path, job: Job, progress: Progress) -> Outcome:
    """Compute it and keep it with the proposal."""
    number = re.fullmatch(r"修改 ([0-9]+)", job.subject)
    if number is None:
        raise ResourceError(f"任务“{job.subject}”没有写明是哪一份修改。")
    found = find_proposal(data, int(number[1]))
    effects = compute_effects(data, found.changes, load_settings({"data": data}), progress)
    if not keep_effects(data, found, effects):
        return Outcome(f"修改 {found.number} 在预览时有了变化；请再预览一次。", "failed")
    return Outcome(f"修改 {found.number} 的影响已经算出，用时 {effects.seconds:.0f} 秒。")
