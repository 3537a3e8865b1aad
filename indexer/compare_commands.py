"""`yiwen compare`: two generations side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from indexer.quality_gate.difference import compare_generations, lines_of
from indexer.settings import load_settings
from indexer.store import generations
from indexer.store.overrides import overrides


@click.command(help="比较两代索引：站点、网页、答案、评判过的问题和各项检查。不写第二个名称则与正在使用的一代比较。")
@click.argument("generation", metavar="名称")
@click.argument("other", metavar="[另一代]", required=False)
@click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
@click.option("--judgements", type=click.Path(path_type=Path), help="评判过的问题所在的目录")
@click.option("--examples", type=click.IntRange(0, 1000), default=10, help="每类变化最多列出多少个（默认 10）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def compare(
    generation: str, other: str | None, data: Path | None, judgements: Path | None, examples: int, as_json: bool
) -> None:
    settings = load_settings({"data": data, "judgements": judgements})
    found = compare_generations(settings.data, generation, other, settings, examples)
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False))
        return
    for line in lines_of(found):
        click.echo(line)
    if objections := generations.open_manifest(settings.data, generation).objections:
        click.echo(f"建立 {generation} 时没有通过检查：{' '.join(objections)}")
    for override in overrides(settings.data):
        if override.generation == generation:
            click.echo(f"{override.at} 曾不顾检查结果启用 {generation}，原因：{override.reason}")
