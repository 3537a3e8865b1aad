"""What `yiwen doctor` looks at: one question a function, each with its answer and the cure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from indexer.engine import open_engine
from indexer.errors import IndexerError, cause_of
from indexer.resources import find_resources, fingerprint
from indexer.settings import Settings
from indexer.store import generations

#: who should own each top-level name; another owner means that our imports may get foreign code
_OWNERS = {"indexer": "yiwen", "webapp": "yiwen", "whoosh": "whoosh3"}
_MIN_FREE_BYTES = 500_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    well: bool
    sentence: str


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything, from the installation to a search."""
    yield from _packages()
    yield _disk(settings.data)
    yield _generation(settings)
    yield _resources_match(settings)


def _packages() -> Iterator[Finding]:
    owners = packages_distributions()
    for name, expected in _OWNERS.items():
        found = sorted({owner.lower() for owner in owners.get(name, [])})
        foreign = [owner for owner in found if owner != expected]
        if foreign:
            yield Finding(
                f"软件包 {name}", False, f"被 {'、'.join(foreign)} 占用；请在单独的虚拟环境中安装医问，或先卸载它。"
            )
        elif not found and name == "whoosh":
            yield Finding("软件包 whoosh", False, "没有安装；请运行 scripts/run 或按 README 安装依赖。")
        else:
            yield Finding(f"软件包 {name}", True, f"来自 {found[0] if found else '当前目录'}。")


def _disk(data: Path) -> Finding:
    place = data if data.exists() else data.absolute().parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("数据目录", False, f"{data} 无法访问：{cause_of(error)}；请检查路径和权限。")
    if free < _MIN_FREE_BYTES:
        return Finding("磁盘", False, f"{place} 所在磁盘只剩 {free // 1_000_000} MB；请先腾出空间再建立索引。")
    return Finding("磁盘", True, f"{place} 所在磁盘还有 {free // 1_000_000_000} GB。")


def _generation(settings: Settings) -> Finding:
    """Hashes of the served generation, and one search in it."""
    try:
        named = generations.current(settings.data)
        generations.check_files(settings.data, named)
        result = open_engine(settings.data, settings).search("头痛", limit=1)
    except IndexerError as error:
        return Finding("索引", False, str(error))
    return Finding("索引", True, f"{named} 完好，检索一次用时 {result.latency_ms:.0f} 毫秒。")


def _resources_match(settings: Settings) -> Finding:
    """Whether the served generation was built with the resources that a build would use now."""
    try:
        here = fingerprint(find_resources(settings.resources))
        built_with = generations.open_manifest(settings.data, generations.current(settings.data)).resources
    except IndexerError as error:
        return Finding("资源", False, str(error))
    if here != built_with:
        return Finding("资源", False, "词表、模板或权重在建立索引后有改动；请重新运行 yiwen build 使其生效。")
    return Finding("资源", True, "与建立索引时一致。")
