"""A build as a job: started from the desk or the command line, and what is told of it when it has ended."""

from __future__ import annotations

from pathlib import Path

from indexer.build import build_generation
from indexer.cleaning import Progress
from indexer.jobs import Job, Outcome, start_task
from indexer.meaning.background import start_when_wanted
from indexer.settings import load_settings
from indexer.store import generations


def start_job(data: Path, corpus: Path, actor: str, update: bool = False) -> Job:
    """Build a corpus in a process of its own, which goes on when this one ends.

    Raises BuildRunning when a build is going on, StateError, or JobError when the process cannot be started.
    """
    with generations.build_lock(data):  # nobody builds at this moment, from the command line either
        pass
    return start_task(data, "build", str(corpus.resolve()), actor, update)


def run(data: Path, job: Job, progress: Progress) -> Outcome:
    """Build it."""
    settings = load_settings({"data": data})
    report = build_generation(Path(job.subject), data, settings, progress, job.is_update)
    manifest = report.manifest
    made = f"{manifest.generation}：{manifest.counts['answers']} 条答案，用时 {report.seconds:.0f} 秒"
    if manifest.objections:
        sentence = f"{made}。检查没有通过：{' '.join(manifest.objections)}"
        return Outcome(sentence, "refused", manifest.generation)
    start_when_wanted(data, settings)
    return Outcome(f"{made}，已启用。", generation=manifest.generation)
