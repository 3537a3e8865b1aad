"""What is around the data directory: the installation, the disk, the site that runs."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from importlib.metadata import packages_distributions
from pathlib import Path

from indexer.errors import GenerationDamaged, GenerationMissing, cause_of
from indexer.health.finding import Finding, broken, well
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.disk import CORPUS_BYTES, need_of

#: who should own each top-level name; another owner means that our imports may get foreign code
_OWNERS = {"indexer": "yiwen", "webapp": "yiwen", "whoosh": "whoosh3"}
_MIN_FREE_BYTES = 500_000_000
_PATIENCE_S = 3
_LOST = re.compile(r"^yiwen_query_log_lost(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


def packages(settings: Settings) -> Iterator[Finding]:
    """Whether top-level names are ours."""
    owners = packages_distributions()
    for name, expected in _OWNERS.items():
        found = sorted({owner.lower() for owner in owners.get(name, [])})
        foreign = [owner for owner in found if owner != expected]
        if foreign:
            yield broken(
                "package_foreign",
                f"软件包 {name}",
                f"被 {'、'.join(foreign)} 占用；请在单独的虚拟环境中安装医问，或先卸载它。",
            )
        elif not found and name == "whoosh":
            yield broken("package_missing", "软件包 whoosh", "没有安装；请运行 scripts/run 或按 README 安装依赖。")
        else:
            yield well(f"package_{name}", f"软件包 {name}", f"来自 {found[0] if found else '当前目录'}。")


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether the next build will fit."""
    data = settings.data
    place = data if data.exists() else data.absolute().parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        yield broken("disk_unknown", "磁盘", f"{data} 无法访问：{cause_of(error)}；请检查路径和权限。")
        return
    needed = max(_MIN_FREE_BYTES, _next_build(data))
    if free < needed:
        yield broken(
            "disk_low",
            "磁盘",
            f"{place} 所在磁盘只剩 {free // 1_000_000} MB，下一次建立索引约需 {needed // 1_000_000} MB；"
            "请腾出空间，或运行 yiwen prune 删去旧的各代。",
        )
        return
    yield well("disk", "磁盘", f"{place} 所在磁盘还有 {free / 1_000_000_000:.1f} GB。")


def _next_build(data: Path) -> int:
    """Bytes that building the served generation's corpus again would take."""
    try:
        manifest = generations.open_manifest(data, generations.current(data))
    except (GenerationMissing, GenerationDamaged, OSError):
        return 0
    return need_of(manifest.counts[CORPUS_BYTES], manifest).bytes if CORPUS_BYTES in manifest.counts else 0


def site(settings: Settings) -> Iterator[Finding]:
    """Whether what answers at the port is our site, can search, serves what CURRENT names, and loses no events."""
    address = f"http://127.0.0.1:{settings.port}"
    try:
        status, body = _get(f"{address}/readyz")
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            yield well("site", "网站", f"端口 {settings.port} 上没有网站在运行。")
        else:
            yield broken("site_stuck", "网站", f"{address} 没有回应（{error.reason}）；请重启网站。")
        return
    except (OSError, HTTPException):
        yield broken("site_stuck", "网站", f"{address} 没有正常回应；请重启网站，或检查占用这个端口的程序。")
        return
    try:
        reply = json.loads(body)
    except ValueError:
        reply = None
    known = isinstance(reply, dict) and ("generation" in reply or "error" in reply)
    if not known:
        yield broken("port_foreign", "网站", f"端口 {settings.port} 被别的程序占用；请停掉它，或用 --port 换一个端口。")
        return
    if status != 200:
        yield broken(
            "site_not_ready",
            "网站",
            f"{address} 在运行，但不能搜索：{reply.get('error', {}).get('message', '')}请按上面的问题处理索引。",
        )
        return
    yield from _what_it_serves(settings, address, str(reply.get("generation")))


def _what_it_serves(settings: Settings, address: str, generation: str) -> Iterator[Finding]:
    try:
        named = generations.current(settings.data)
    except GenerationMissing:
        named = ""
    if generation != named:
        yield broken(
            "site_serves_other",
            "网站",
            f"{address} 使用的是 {generation}，而 CURRENT 是 {named or '空的'}；"
            "请检查网站的 YIWEN_DATA 是否为同一个目录，以及那一代是否完好。",
        )
        return
    lost = sum(float(number) for number in _LOST.findall(_get(f"{address}/metrics")[1]))
    if lost:
        yield broken(
            "log_losses",
            "网站",
            f"{address} 有 {lost:.0f} 条查询没能写入日志；请检查查询日志的权限和磁盘空间，然后重启网站。",
        )
        return
    yield well("site", "网站", f"{address} 正常，使用 {generation}，日志没有丢失。")


def _get(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PATIENCE_S) as reply:
            return reply.status, reply.read(1_000_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(1_000_000).decode("utf-8", "replace")
