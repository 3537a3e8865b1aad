"""Commands that look after a data directory: what is wrong with it, and what may go."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from indexer.command_acts import log_done
from indexer.health import findings
from indexer.settings import load_settings
from indexer.store.pruning import plan_pruning
from indexer.store.pruning import prune as prune_generations

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")


@click.command(help="检查安装、数据目录、索引、资源、日志和网站，逐项说明问题和办法。")
@_data
@click.option("--resources", type=click.Path(path_type=Path), help="资源目录：词表、站点模板、权重")
@click.option("--port", type=click.IntRange(1, 65535), help="网站监听的端口（默认按设置）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def doctor(data: Path | None, resources: Path | None, port: int | None, as_json: bool) -> int:
    settings = load_settings({"data": data, "resources": resources, "port": port})
    found = []
    for finding in findings(settings):
        found.append(finding)
        if not as_json:
            click.echo(f"{'正常' if finding.well else '问题'}  {finding.subject}：{finding.sentence}")
    well = all(finding.well for finding in found)
    if as_json:
        listed = [dataclasses.asdict(finding) for finding in found]
        click.echo(json.dumps({"well": well, "findings": listed}, ensure_ascii=False))
    return 0 if well else 1


@click.command(help="删去旧的各代索引；正在使用的一代、它的上一代和最新的几代总会留下。")
@_data
@click.option("--keep", type=click.IntRange(0), default=3, show_default=True, help="留下最新的几代")
@click.option("--dry-run", is_flag=True, help="只说会删去哪些，什么都不删")
def prune(data: Path | None, keep: int, dry_run: bool) -> None:
    folder = load_settings({"data": data}).data
    plan = plan_pruning(folder, keep) if dry_run else prune_generations(folder, keep)
    kept = f"留下 {'、'.join(plan.kept)}"
    if not plan.removed:
        click.echo(f"没有可删的；{kept}。", err=True)
        return
    size = f"{plan.freed_bytes / 1_000_000:.1f} MB"
    if not dry_run:
        log_done(folder, "删去旧的各代索引", "、".join(plan.removed), f"腾出 {size}；{kept}")
    done = f"会删去 {'、'.join(plan.removed)}，腾出" if dry_run else f"已删去 {'、'.join(plan.removed)}，腾出"
    click.echo(f"{done} {size}；{kept}。", err=True)


commands = (doctor, prune)
