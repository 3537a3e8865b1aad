"""`yiwen jobs`: builds and other work that goes on by itself."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.build_job import start_job
from indexer.jobs import Job, cancel_job, find_job, list_jobs, read_log
from indexer.settings import load_settings
from indexer.store.audit_log import terminal_actor

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_number = click.argument("number", metavar="编号", type=click.IntRange(1))


@click.group("jobs", help="在后台建立索引：开始、查看、取消，关掉终端也继续。")
def jobs() -> None:
    pass


@jobs.command("start", help="在后台用语料建立新一代索引，通过检查后启用。")
@click.option("--corpus", required=True, type=click.Path(path_type=Path), help="语料目录")
@click.option("--update", is_flag=True, help="只处理上次建立之后有变化的页面")
@_data
def start(corpus: Path, update: bool, data: Path | None) -> None:
    job = start_job(load_settings({"data": data}).data, corpus, terminal_actor(), update)
    click.echo(f"任务 {job.number} 已开始；用 yiwen jobs show {job.number} 查看进度。", err=True)


@jobs.command("list", help="列出最近的任务。")
@_data
def show_all(data: Path | None) -> None:
    found = list_jobs(load_settings({"data": data}).data)
    for job in found:
        click.echo(job_line(job))
    if not found:
        click.echo("还没有任务。", err=True)


@jobs.command("show", help="一个任务的进度、结果和日志。")
@_number
@_data
def show(number: int, data: Path | None) -> None:
    folder = load_settings({"data": data}).data
    click.echo(job_line(find_job(folder, number)))
    click.echo(read_log(folder, number), nl=False)


@jobs.command("cancel", help="取消一个任务；原来的一代继续使用。")
@_number
@_data
def cancel(number: int, data: Path | None) -> None:
    cancel_job(load_settings({"data": data}).data, number, terminal_actor())
    click.echo(f"任务 {number} 正在停下。", err=True)


def job_line(job: Job) -> str:
    """A job on one line."""
    progress = f"{job.stage} {job.done}/{job.total}" if job.status == "running" else job.sentence
    kind = f"{job.label}{'（只处理变化）' if job.is_update else ''}"
    return f"{job.number}  {job.started}  {job.status_label}  {kind} {job.subject}  {job.actor}  {progress}"
