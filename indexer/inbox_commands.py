"""`yiwen inbox`: pages that come in, are looked at, and join the next build."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import click
from click.termui import progressbar

from indexer.inbox.adding import add_files
from indexer.inbox.deciding import discard_batch, leave_out_page, put_page_in_again, take_batch
from indexer.inbox.inspecting import inspect_batch
from indexer.inbox.listing import INBOX_FILTERS, ListedPage, Summary, fits_filter, list_inbox_pages, read_summary
from indexer.settings import Settings, load_settings
from indexer.store.audit_log import terminal_actor
from indexer.store.batches import Batch, find_batch, left_out_pages, list_batches

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON，一行一个对象")
_number = click.argument("number", metavar="批号", type=click.IntRange(1))


@click.group("inbox", help="收件箱：把网页放进来，看过之后收进下一次建立的索引。")
def inbox() -> None:
    pass


@inbox.command("add", help="收下文件（网页、文本、WARC、JSONL 或装着它们的 ZIP），并检查每一页。")
@click.argument("files", metavar="文件...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", default="", help="这一批的名称（默认用第一个文件的名称）")
@_json
@_data
def add(files: tuple[Path, ...], name: str, as_json: bool, data: Path | None) -> None:
    settings = load_settings({"data": data})
    number = add_files(settings.data, files, name, terminal_actor(), settings)
    _inspect(settings, number)
    _show(settings.data, number, as_json)


@inbox.command("inspect", help="重新检查一批：规则改过之后，看看每一页会怎样。")
@_number
@_json
@_data
def inspect(number: int, as_json: bool, data: Path | None) -> None:
    settings = load_settings({"data": data})
    _inspect(settings, number)
    _show(settings.data, number, as_json)


@inbox.command("list", help="列出各批，最近的在前。")
@click.option("--limit", type=click.IntRange(1), default=50, help="最多列出多少批")
@_json
@_data
def show_all(limit: int, as_json: bool, data: Path | None) -> None:
    folder = load_settings({"data": data}).data
    batches = list_batches(folder, limit)
    for batch in batches:
        click.echo(_dumped(_batch_record(batch, read_summary(folder, batch.number))) if as_json else batch_line(batch))
    if not batches:
        click.echo("收件箱是空的。", err=True)


@inbox.command("show", help="一批的情况：页数、答案、不能收录的原因、编码、网站。")
@_number
@_json
@_data
def show(number: int, as_json: bool, data: Path | None) -> None:
    _show(load_settings({"data": data}).data, number, as_json)


@inbox.command("pages", help="一批里的各页。")
@_number
@click.option("--only", type=click.Choice([name for name in INBOX_FILTERS if name]), help="只列这一类")
@click.option("--site", help="只列这个网站的")
@_json
@_data
def pages(number: int, only: str | None, site: str | None, as_json: bool, data: Path | None) -> None:
    folder = load_settings({"data": data}).data
    find_batch(folder, number)
    out = left_out_pages(folder, number)
    for page in list_inbox_pages(folder, number):
        reason = out.get((number, page.key))
        if fits_filter(page, only or "", site, reason is not None):
            record = {**dataclasses.asdict(page), "left_out": reason}
            click.echo(_dumped(record) if as_json else page_line(page, reason))


@inbox.command("leave-out", help="一页不收；--undo 放回。")
@_number
@click.argument("page", metavar="页号", type=click.IntRange(1))
@click.option("--reason", default="", help="不收的原因，留作记录")
@click.option("--undo", is_flag=True, help="放回这一页")
@_data
def leave_out_command(number: int, page: int, reason: str, undo: bool, data: Path | None) -> None:
    folder = load_settings({"data": data}).data
    if undo:
        put_page_in_again(folder, number, page, terminal_actor())
        click.echo(f"第 {number} 批第 {page} 页放回来了。", err=True)
    else:
        leave_out_page(folder, number, page, terminal_actor(), reason)
        click.echo(f"第 {number} 批第 {page} 页不收。", err=True)


@inbox.command("take", help="收进一批：从下一次建立索引起可以搜到。")
@_number
@_data
def take(number: int, data: Path | None) -> None:
    take_batch(load_settings({"data": data}).data, number, terminal_actor())
    click.echo(f"第 {number} 批已收进，下一次建立索引时加入。", err=True)


@inbox.command("discard", help="丢弃一批；已经收进的也从下一次建立的索引中撤出。")
@_number
@click.option("--reason", default="", help="丢弃的原因，留作记录")
@_data
def discard(number: int, reason: str, data: Path | None) -> None:
    discard_batch(load_settings({"data": data}).data, number, terminal_actor(), reason)
    click.echo(f"第 {number} 批已丢弃。", err=True)


def batch_line(batch: Batch) -> str:
    """A batch on one line."""
    decided = f"  {batch.decided_by} {batch.reason}".rstrip() if batch.decided_at else ""
    return (
        f"{batch.number}  {batch.at}  {batch.state_label}  {batch.files} 个文件  {batch.name}  {batch.actor}{decided}"
    )


def page_line(page: ListedPage, left_out_for: str | None) -> str:
    """A page on one line."""
    outcome = f"不收：{page.rejected}" if page.rejected else f"{page.answers} 条答案，去掉 {page.removed_share:.0%}"
    remarks = [f"已有：{page.known_label}"] if page.known else []
    remarks += [f"留出：{left_out_for}"] if left_out_for is not None else []
    return "  ".join([str(page.number), page.path, page.site or "-", outcome, *remarks])


def summary_lines(summary: Summary) -> list[str]:
    """What a batch comes to."""
    lines = [f"{summary.pages} 个页面，{summary.answers} 条答案，不能收录 {summary.rejected_count} 个。"]
    for label, counts in (
        ("不能收录", summary.rejected),
        ("编码", summary.charsets),
        ("网站", summary.sites),
        ("已有", summary.known),
    ):
        if counts:
            lines.append(f"  {label}：{'，'.join(f'{name} {count}' for name, count in list(counts.items())[:20])}")
    return lines


def _inspect(settings: Settings, number: int) -> None:
    with progressbar(length=1, label="检查", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        inspect_batch(settings.data, number, settings, update)


def _show(data: Path, number: int, as_json: bool) -> None:
    batch, summary = find_batch(data, number), read_summary(data, number)
    if as_json:
        click.echo(_dumped(_batch_record(batch, summary)))
        return
    click.echo(batch_line(batch))
    for line in summary_lines(summary) if summary else ["还没有检查。"]:
        click.echo(line)
    for each in batch.unread:
        click.echo(f"  没有保留：{each.name}（{each.reason}）")


def _batch_record(batch: Batch, summary: Summary | None) -> dict[str, Any]:
    return {**dataclasses.asdict(batch), "summary": dataclasses.asdict(summary) if summary else None}


def _dumped(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)
