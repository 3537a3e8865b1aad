"""Commands about generations: which there are, which is served, and whether one is whole."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.command_acts import log_done
from indexer.errors import GenerationDamaged, GenerationMissing
from indexer.settings import load_settings
from indexer.store import generations, vectors_folder
from indexer.store.disk import disk_faults_told

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")


def served_name(data: Path) -> str | None:
    """The generation that CURRENT names; None when there is none."""
    try:
        return generations.current(data)
    except GenerationMissing:
        return None


@click.command("generations", help="列出各代索引，正在使用的一代带 * 号。")
@_data
def list_generations(data: Path | None) -> None:
    settings = load_settings({"data": data})
    names = generations.list_generations(settings.data)
    if not names:
        generations.current(settings.data)  # says what to do
    served = served_name(settings.data)
    for name in names:
        mark = "*" if name == served else " "
        try:
            manifest = generations.open_manifest(settings.data, name)
            click.echo(f"{mark} {name}  {manifest.created}  {manifest.counts['answers']} 条答案  {manifest.corpus}")
        except GenerationDamaged as error:
            click.echo(f"{mark} {name}  已损坏：{error}")


@click.command("switch", help="启用指定的一代索引。")
@click.argument("generation", metavar="名称")
@_data
@click.option("--override", is_flag=True, help="启用没有通过检查的一代；须用 --reason 写明原因")
@click.option("--reason", metavar="原因", help="为什么不顾检查结果，留作记录")
def switch(generation: str, data: Path | None, override: bool, reason: str | None) -> None:
    if override != bool((reason or "").strip()):
        raise click.UsageError("--override 与 --reason 须一起使用，并写明原因。")
    folder = load_settings({"data": data}).data
    with disk_faults_told(folder, "切换"):
        manifest = generations.switch_to(folder, generation, reason)
    log_done(folder, "启用未通过检查的索引" if manifest.objections else "启用索引", manifest.generation, reason or "")
    remark = "（没有通过检查，原因已记录）" if manifest.objections else ""
    click.echo(f"已启用 {manifest.generation}{remark}。", err=True)


@click.command("roll-back", help="回到上一代索引。")
@_data
def roll_back(data: Path | None) -> None:
    folder = load_settings({"data": data}).data
    with disk_faults_told(folder, "回退"):
        manifest = generations.roll_back(folder)
    log_done(folder, "回到上一代", manifest.generation)
    click.echo(f"已回到 {manifest.generation}。", err=True)


@click.command(help="逐字节核对索引文件；不写名称则核对正在使用的一代。")
@click.argument("generation", metavar="[名称]", required=False)
@_data
def check(generation: str | None, data: Path | None) -> None:
    settings = load_settings({"data": data})
    manifest = generations.check_files(settings.data, generation or generations.current(settings.data))
    click.echo(f"{manifest.generation} 的 {len(manifest.files)} 个文件完好。", err=True)
    if vectors := vectors_folder.check_files(settings.data, manifest.generation):
        click.echo(f"{manifest.generation} 的意思向量（{len(vectors.files)} 个文件）完好。", err=True)


commands = (list_generations, switch, roll_back, check)
