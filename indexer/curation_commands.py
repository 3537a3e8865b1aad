"""`yiwen curation`: rules of editors for single questions, and for questions about an illness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from indexer.analysis.aspects import ASPECTS
from indexer.curation_check import preview, stale_rules
from indexer.engine import Engine, open_engine
from indexer.errors import StateError
from indexer.records import Hit
from indexer.settings import load_settings
from indexer.store.audit_log import terminal_actor
from indexer.store.curation import (
    Action,
    NewRule,
    Rule,
    add_rule,
    end_rule,
    extend_rule,
    list_rules,
    rule_from,
    utc_day,
)

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_number = click.argument("number", metavar="编号", type=click.IntRange(1))


def _asking(command: Callable[..., None]) -> Callable[..., None]:
    """What a rule does, and where."""
    for option in (
        click.option("--with", "replacement", default="", help="换成哪条答案的编号，只用于 replace"),
        click.option("--aspect", default="", help=f"只对问这个方面的问题有效：{'、'.join(ASPECTS)}"),
        click.option("--entity", default="", help="对关于这种疾病、症状或药物的问题有效，写它的任一名称"),
        click.option("--query", default="", help="只对这个问题有效"),
        click.argument("answer", metavar="答案编号"),
        click.argument("action", metavar="pin|hide|replace", type=click.Choice([each.value for each in Action])),
    ):
        command = option(command)
    return command


@click.group("curation", help="编辑规则：对某个问题或某种疾病，置顶、隐藏或替换一条答案。")
def curation() -> None:
    pass


@curation.command("list", help="列出没有结束的规则，新的在前。")
@click.option("--all", "with_ended", is_flag=True, help="也列出已经结束的")
@_json
@_data
def show(with_ended: bool, as_json: bool, data: Path | None) -> None:
    rules = [rule for rule in list_rules(_folder(data)) if with_ended or not rule.ended]
    if as_json:
        click.echo(json.dumps([rule.as_dict() for rule in rules], ensure_ascii=False))
        return
    for rule in rules:
        click.echo(rule_line(rule))
    if not rules:
        click.echo("没有规则。", err=True)


@curation.command("add", help="添加一条规则，立即生效：pin 置顶，hide 隐藏，replace 替换。")
@_asking
@click.option("--reason", required=True, help="原因，留作记录")
@click.option("--expires", default="", help="最后一天，如 2025-05-01（默认 180 天之后，最长两年）")
@_data
def add(
    action: str,
    answer: str,
    query: str,
    entity: str,
    aspect: str,
    replacement: str,
    reason: str,
    expires: str,
    data: Path | None,
) -> None:
    asked = NewRule(Action(action), answer, reason, query, entity, aspect, replacement, expires)
    click.echo(f"已添加：{rule_line(add_rule(_folder(data), asked, terminal_actor()))}", err=True)


@curation.command("preview", help="添加之前看看：没有和有这条规则时的前十条结果。")
@_asking
@_json
@_data
def show_preview(
    action: str,
    answer: str,
    query: str,
    entity: str,
    aspect: str,
    replacement: str,
    as_json: bool,
    data: Path | None,
) -> None:
    folder = _folder(data)
    new = rule_from(NewRule(Action(action), answer, "预览", query, entity, aspect, replacement))
    found = preview(_engine(folder), new, list(reversed(list_rules(folder))), utc_day())
    if as_json:
        before, after = ([hit.as_dict() for hit in hits] for hits in (found.before, found.after))
        body = {"question": found.question, "before": before, "after": after, "remarks": list(found.remarks)}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    for remark in found.remarks:
        click.echo(remark, err=True)
    for heading, hits in (("没有这条规则：", found.before), ("有这条规则：", found.after)):
        click.echo(heading)
        for line in _hit_lines(hits):
            click.echo(line)


@curation.command("end", help="结束一条规则，立即生效。")
@_number
@click.option("--reason", required=True, help="原因，留作记录")
@_data
def end(number: int, reason: str, data: Path | None) -> None:
    click.echo(f"已结束：{rule_line(end_rule(_folder(data), number, terminal_actor(), reason))}", err=True)


@curation.command("extend", help="改一条规则的有效期；已到期的由此重新有效。")
@_number
@click.option("--expires", default="", help="最后一天，如 2025-05-01（默认 180 天之后，最长两年）")
@_data
def extend(number: int, expires: str, data: Path | None) -> None:
    click.echo(f"已改：{rule_line(extend_rule(_folder(data), number, expires, terminal_actor()))}", err=True)


@curation.command("stale", help="列出该处理的规则和理由：到期、答案已不在、已不需要。")
@_json
@_data
def stale(as_json: bool, data: Path | None) -> None:
    folder = _folder(data)
    found = stale_rules(_engine(folder), list(reversed(list_rules(folder))), utc_day())
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{rule_line(each.rule)}  {''.join(each.reasons)}")
    if not found:
        click.echo("没有该处理的规则。", err=True)


def rule_line(rule: Rule) -> str:
    """A rule on one line."""
    end = f"{rule.ended} 由 {rule.ended_by} 结束（{rule.ended_why}）" if rule.ended else f"有效至 {rule.expires}"
    return f"{rule.number}  {rule.scope}：{rule.told}  {end}  {rule.owner}  {rule.reason}"


def _hit_lines(hits: Iterable[Hit]) -> list[str]:
    marks = {True: "（置顶）", False: ""}
    return [
        f"  {hit.rank}. {hit.answer.id}  {hit.answer.question or '（无标题）'}{marks[hit.pinned]}" for hit in hits
    ] or ["  没有结果"]


def _folder(data: Path | None) -> Path:
    folder = load_settings({"data": data}).data
    if not folder.is_dir():
        raise StateError(f"数据目录 {folder} 不存在；请检查 --data。")
    return folder


def _engine(folder: Path) -> Engine:
    return open_engine(folder, load_settings({"data": folder}))
