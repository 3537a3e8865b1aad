"""`yiwen vectors`: what answers mean, as vectors beside the words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.termui import progressbar

from indexer.errors import MeaningError
from indexer.generation_commands import served_name
from indexer.meaning.background import wanted_embedder
from indexer.meaning.making import Progress, make_vectors
from indexer.meaning.vector_cache import cache_sizes
from indexer.settings import load_settings
from indexer.store import generations, vectors_folder
from indexer.store.disk import disk_faults_told


@click.command(help="为一代索引的答案生成意思向量，按意思查找时用；不写名称则为正在使用的一代。")
@click.option("--generation", metavar="名称", help="为哪一代生成（默认正在使用的一代）")
@click.option("--status", is_flag=True, help="只列出各代的意思向量，什么都不做")
@click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
def vectors(generation: str | None, status: bool, data: Path | None) -> None:
    settings = load_settings({"data": data})
    if status:
        for line in status_lines(settings.data, generation):
            click.echo(line)
        return
    name = generation or generations.current(settings.data)
    generations.open_manifest(settings.data, name)  # a wrong name is told before a model is opened
    with disk_faults_told(settings.data, f"生成 {name} 的意思向量"):
        embedder = wanted_embedder(settings.data, settings)
    with _progress() as progress:
        made = make_vectors(settings.data, name, embedder, progress)
    for remark in made.remarks:
        click.echo(f"注意：{remark}", err=True)
    click.echo(made.sentence, err=True)


def status_lines(data: Path, only: str | None = None) -> Iterator[str]:
    """Of each generation, or one: the model of its vectors, passages and size; then what the cache takes."""
    names = generations.list_generations(data)
    if only is not None or not names:
        # says what there is, or what to do
        names = [only] if only and generations.folder_of(data, only) else [generations.current(data)]
    served = served_name(data)
    for name in names:
        yield f"{'*' if name == served else ' '} {name}  {_told(data, name)}"
    for file, size in cache_sizes(data):
        yield f"  缓存 {file}  {size / 1_000_000:.1f} MB（可以随时删除）"


def _told(data: Path, name: str) -> str:
    try:
        manifest = vectors_folder.open_manifest(data, name)
    except MeaningError as error:
        return f"已损坏：{error}"
    if manifest is None:
        return "没有意思向量"
    size = sum(int(facts["bytes"]) for facts in manifest.files.values())
    passages, model = manifest.counts["passages"], manifest.model["name"]
    return f"{model}  {passages} 段  {size / 1_000_000:.1f} MB  {manifest.created}"


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar on standard error, which appears only when that is a terminal."""
    with progressbar(length=1, label="生成意思向量", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield update
