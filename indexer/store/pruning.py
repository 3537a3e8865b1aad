"""Deleting old generations."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import DiskFault, GenerationDamaged, GenerationMissing, cause_of
from indexer.store import generations
from indexer.store.disk import generation_sizes


@dataclass(frozen=True)
class Pruned:
    """What pruning deletes, and what it leaves."""

    removed: tuple[str, ...]  #: oldest first
    kept: tuple[str, ...]
    freed_bytes: int  #: on disk; files that kept generations share are not freed


def plan_pruning(data: Path, keep: int) -> Pruned:
    """What `prune` would do: the served generation, its parent and the last `keep` stay.

    Raises GenerationMissing when none is served: then it is not known which are needed. Raises ValueError for a
    negative `keep`.
    """
    if keep < 0:
        raise ValueError(f"keep must not be negative: {keep}")
    served = generations.current(data)
    names = generations.list_generations(data)
    if served not in names:
        raise GenerationMissing(
            f"CURRENT 指向的 {served} 不存在，无法确定哪些还要用；请先用 yiwen switch 指定要使用的一代。"
        )
    stay = {served, *names[len(names) - keep :]} if keep else {served}
    with suppress(GenerationDamaged):
        if parent := generations.open_manifest(data, served).parent:
            stay.add(parent)
    removed = [name for name in names if name not in stay]
    return Pruned(
        tuple(removed),
        tuple(name for name in names if name in stay),
        sum(generation_sizes(data, removed).values()),
    )


def prune(data: Path, keep: int) -> Pruned:
    """Delete all generations but the served one, its parent and the last `keep`; what dead builds left goes too.

    A site that still answers from a deleted one keeps its files until it lets go of them. Raises BuildRunning,
    GenerationMissing, or DiskFault when a folder cannot be deleted.
    """
    plan_pruning(data, keep)  # a data directory without a served generation is not even locked
    with generations.build_lock(data):
        plan = plan_pruning(data, keep)
        generations.clear_leftovers(data)
        spared = [name for name in plan.removed if not _remove(data, name)]
    if not spared:
        return plan
    removed = tuple(name for name in plan.removed if name not in spared)
    return Pruned(removed, tuple(sorted([*plan.kept, *spared])), plan.freed_bytes)


def _remove(data: Path, name: str) -> bool:
    """First by name, in one move, so that nobody finds half of a generation. False for one that has come to be served
    since the plan was made.
    """
    folder = data / "generations" / name
    doomed = folder.with_name(f"{name}{generations.PARTIAL}")
    try:
        with generations.serving_lock(data):
            if generations.current(data) == name:
                return False
            os.rename(folder, doomed)
        shutil.rmtree(doomed)
        shutil.rmtree(data / "cache" / "collected" / name, ignore_errors=True)
    except OSError as error:
        raise DiskFault(f"{folder} 没有删干净：{cause_of(error)}；请检查磁盘和权限后重新运行 yiwen prune。") from error
    return True
