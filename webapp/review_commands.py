"""`yiwen review`: the quality desk on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from indexer import (
    QUEUES,
    Listed,
    find_review,
    make_reviews,
    mark_reviewed,
    open_engine,
    reopen_review,
    review_counts,
    review_page,
    terminal_actor,
)
from indexer.errors import ReviewError
from indexer.settings import Settings, load_settings
from webapp.content_gaps import QUEUE as GAPS
from webapp.content_gaps import content_gaps
from webapp.log_commands import held_by
from webapp.query_log import QueryLog

_data = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="目录", help="数据目录（默认 var）"
)
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_queue = click.argument("queue", metavar="清单", type=click.Choice(tuple(QUEUES)))
_key = click.argument("key", metavar="编号")


@click.group("review", no_args_is_help=False)
def review() -> None:
    """质检：正在使用的索引里可能有问题的内容。"""


@review.command("list")
@click.argument("queue", metavar="[清单]", required=False, type=click.Choice(tuple(QUEUES)))
@click.option("--site", metavar="站点", help="只列这个站点的")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, metavar="项数", help="最多列出几项（默认 20）")
@click.option("--skip", type=click.IntRange(0, 10_000_000), default=0, metavar="项数", help="跳过前几项")
@click.option("--seen", is_flag=True, help="列出看过了的，而不是还没看的")
@_json
@_data
def list_reviews(
    queue: str | None, site: str | None, limit: int, skip: int, seen: bool, as_json: bool, data: Path | None
) -> None:
    """列出一个清单，最要紧的在前；不写清单则列出各清单还有几项。"""
    settings = load_settings({"data": data})
    if queue is None:
        _print_counts(settings, as_json)
        return
    total, items = _page(settings, queue, site, skip, limit, seen)
    if as_json:
        told = {"queue": queue, "total": total, "items": [_as_dict(listed) for listed in items]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for listed in items:
        item = listed.item
        title = " ".join(item.title.split())[:60]
        click.echo(f"{item.key}  {title or '（无标题）'}  {'；'.join(item.evidence)}")
    click.echo(f"{QUEUES[queue].label}{'（看过了的）' if seen else ''}：共 {total} 项。{QUEUES[queue].order}", err=True)


@review.command()
@_queue
@_key
@_json
@_data
def show(queue: str, key: str, as_json: bool, data: Path | None) -> None:
    """一项的全部内容：依据、原文和副本。"""
    listed = _find(load_settings({"data": data}), queue, key)
    if as_json:
        click.echo(json.dumps(_as_dict(listed), ensure_ascii=False))
        return
    click.echo(listed.item.title or "（无标题）")
    for words in listed.item.evidence:
        click.echo(f"  {words}")
    if listed.mark:
        since = "" if listed.is_seen else "，之后有了变化"
        click.echo(f"  {listed.mark.actor} 在 {listed.mark.at} 看过{since}  {listed.mark.note}")
    for text in listed.item.texts:
        hidden = "（已下架）" if text.id in listed.hidden else ""
        click.echo(f"\n{text.id}{hidden}  {text.site}  {text.question or '（无标题）'}\n{text.text}")


@review.command()
@_queue
@_key
@click.option("--note", default="", metavar="备注", help="看过之后要记下的话")
@_data
def done(queue: str, key: str, note: str, data: Path | None) -> None:
    """记下看过了；文字变了会再列出来。"""
    settings = load_settings({"data": data})
    listed = _find(settings, queue, key)
    mark_reviewed(settings.data, queue, key, listed.item.digest, note.strip(), terminal_actor())
    click.echo(f"已记下：{QUEUES[queue].label}，{key}。", err=True)


@review.command()
@_queue
@_key
@_data
def reopen(queue: str, key: str, data: Path | None) -> int:
    """重新打开看过了的一项。"""
    if reopen_review(load_settings({"data": data}).data, queue, key, terminal_actor()):
        click.echo(f"已重新打开：{QUEUES[queue].label}，{key}。", err=True)
        return 0
    click.echo(f"{key} 没有标为看过。", err=True)
    return 1


def _generation(settings: Settings) -> str:
    """The generation that is served, with its lists made."""
    generation = open_engine(settings.data, settings).generation
    make_reviews(settings.data, generation)
    return generation


def _gaps(settings: Settings) -> list[Listed]:
    query_log = QueryLog(settings.data, settings.log_database)
    return content_gaps(settings.data, query_log, settings.log_min_sessions, held_by(settings))


def _page(
    settings: Settings, queue: str, site: str | None, skip: int, limit: int, seen: bool
) -> tuple[int, Sequence[Listed]]:
    if not QUEUES[queue].is_of_pages:
        found = [each for each in _gaps(settings) if each.is_seen == seen]
        return len(found), found[skip : skip + limit]
    page = review_page(settings.data, _generation(settings), queue, skip, limit, site, seen)
    assert page is not None  # they were made just now
    return page.total, page.items


def _find(settings: Settings, queue: str, key: str) -> Listed:
    if QUEUES[queue].is_of_pages:
        return find_review(settings.data, _generation(settings), queue, key)
    found = next((each for each in _gaps(settings) if each.item.key == key), None)
    if found is None:
        raise ReviewError(f"“{QUEUES[queue].label}”里没有 {key}。")
    return found


def _print_counts(settings: Settings, as_json: bool) -> None:
    counts = review_counts(settings.data, _generation(settings)) or {}
    counts = {**counts, GAPS: sum(not each.is_seen for each in _gaps(settings))}
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
        return
    for queue, count in counts.items():
        click.echo(f"{queue:<8}  {count:>6}  {QUEUES[queue].label}")


def _as_dict(listed: Listed) -> dict[str, Any]:
    item = listed.item
    return {
        **{name: getattr(item, name) for name in ("queue", "key", "digest", "title", "count", "page")},
        "evidence": list(item.evidence),
        "texts": [{name: getattr(text, name) for name in text.__struct_fields__} for text in item.texts],
        "seen": listed.is_seen,
        "mark": asdict(listed.mark) if listed.mark else None,
        "hidden": sorted(listed.hidden),
    }
