"""`yiwen rules`: what stays of the pages of a site, tried before it is saved, kept from being undone by test cases."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.termui import progressbar

from indexer.errors import ResourceError
from indexer.read import read_file
from indexer.records import SavedPage
from indexer.resources import effective_resources
from indexer.rule_cases import check_cases, end_case, list_cases
from indexer.rule_effects import RuleEffects, effects_of, files_known
from indexer.rule_saving import save_site_rule
from indexer.settings import Settings, load_settings
from indexer.site_rules import (
    DECISION_LABELS,
    NewSiteRule,
    SiteRule,
    changes_with,
    find_site_rule,
    list_site_rules,
    new_site_rule,
    remove_site_rule,
    rule_key,
)
from indexer.store.audit_log import terminal_actor

_SHOWN = 20
_EXIT_BROKEN = 3

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON，一行一个对象")


def _rule_options(command: Any) -> Any:
    for option in (
        click.argument("text", metavar="文字"),
        click.argument("decision", metavar="keep|remove", type=click.Choice(list(DECISION_LABELS))),
        click.argument("host", metavar="网站"),
        click.option("--pattern", "is_pattern", is_flag=True, help="文字是正则表达式（RE2 的写法）；否则是一段的原文"),
        click.option("--page", "address", default="", help="只对这一页：它的网址，或在语料中的路径"),
    ):
        command = option(command)
    return command


@click.group("rules", help="站点规则：一个网站的页面上，哪些段是广告，哪些要保留。")
def rules() -> None:
    pass


@rules.command("list", help="列出全部规则，按网站。")
@_json
@_data
def show(as_json: bool, data: Path | None) -> None:
    settings = load_settings({"data": data})
    for rule in list_site_rules(settings.data, settings.resources):
        click.echo(_dumped({"key": rule.key, **asdict(rule)}) if as_json else rule_line(rule))


@rules.command("try", help="试一条规则：哪些页面会变，变成怎样；不保存。")
@_rule_options
@click.option("--batch", type=click.IntRange(1), help="只看收件箱的这一批")
@_json
@_data
def try_rule(
    host: str,
    decision: str,
    text: str,
    is_pattern: bool,
    address: str,
    batch: int | None,
    as_json: bool,
    data: Path | None,
) -> None:
    settings = load_settings({"data": data})
    found = _effects(settings, new_site_rule(host, decision, text, is_pattern, address), batch)
    for line in [_dumped(asdict(page)) for page in found.pages] if as_json else effect_lines(found):
        click.echo(line)
    if as_json:
        click.echo(_dumped({**asdict(found), "pages": None}))


@rules.command("add", help="保存一条规则，下一次建立索引时生效。")
@_rule_options
@click.option("--reason", required=True, help="原因，留作记录")
@click.option(
    "--case",
    "case_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="把这个文件里的页面留作用例",
)
@click.option("--case-url", help="用例页面的网址")
@click.option("--case-text", help="用例中保留或去掉的一段原文（默认是规则的文字）")
@_data
def add(
    host: str,
    decision: str,
    text: str,
    is_pattern: bool,
    address: str,
    reason: str,
    case_file: Path | None,
    case_url: str | None,
    case_text: str | None,
    data: Path | None,
) -> None:
    settings = load_settings({"data": data})
    rule = new_site_rule(host, decision, text, is_pattern, address)
    page = _page_in(case_file, case_url, settings) if case_file is not None else None
    save_site_rule(settings.data, rule, terminal_actor(), reason, settings, page, [case_text or text])
    click.echo(f"已保存规则 {rule_key(rule)}{'和用例' if page else ''}，下一次建立索引时生效。", err=True)


@rules.command("remove", help="取消一条规则（编号见 yiwen rules list）；--case 结束一个用例。")
@click.argument("key", metavar="编号")
@click.option("--case", "is_case", is_flag=True, help="编号是用例的")
@click.option("--reason", required=True, help="原因，留作记录")
@_data
def remove(key: str, is_case: bool, reason: str, data: Path | None) -> None:
    settings = load_settings({"data": data})
    if is_case:
        if not key.isdecimal() or len(key) > 9:
            raise ResourceError("用例的编号是一个数，见 yiwen rules check。")
        end_case(settings.data, int(key), terminal_actor(), reason)
        click.echo(f"用例 {key} 已结束。", err=True)
        return
    remove_site_rule(
        settings.data,
        find_site_rule(settings.data, key, settings.resources),
        terminal_actor(),
        reason,
        settings.resources,
    )
    click.echo("规则已取消，下一次建立索引时生效。", err=True)


@rules.command("check", help="用现在的规则检查全部用例；有不成立的就以 3 退出。")
@_json
@_data
def check(as_json: bool, data: Path | None) -> int:
    settings = load_settings({"data": data})
    cases = list_cases(settings.data)
    found = check_cases(cases, effective_resources(settings.data, settings.resources), settings)
    broken = {each.number: each for each in found.broken}
    for case in cases:
        fault = broken.get(case.number)
        record = {
            "number": case.number, "path": case.page.path, "rule": case.rule, "holds": fault is None,
            "missing": list(fault.missing) if fault else [], "leaked": list(fault.leaked) if fault else [],
            "fault": fault.fault if fault else "",
        }  # fmt: skip
        line = fault.sentence if fault else f"用例 {case.number}（{case.page.path}）：成立"
        click.echo(_dumped(record) if as_json else line)
    click.echo(f"{found.cases} 个用例，{len(found.broken)} 个不成立。", err=True)
    return _EXIT_BROKEN if found.broken else 0


def rule_line(rule: SiteRule) -> str:
    """A rule on one line."""
    who = f"{rule.at} {rule.actor} {rule.reason}" if rule.actor else rule.file
    return f"{rule.key}  {rule.host}  {rule.label}  {rule.text}  {rule.address or '全站'}  {who}"


def effect_lines(found: RuleEffects) -> list[str]:
    """RuleEffects for reading in a terminal."""
    lines = [f"看了 {found.looked_at} 个页面，其中 {found.concerned} 个可能有关，{found.changed} 个会改变。"]
    for page in found.pages[:_SHOWN]:
        lines.append(f"{page.path}  {page.title}")
        if page.rejected_before != page.rejected_after:
            lines.append(f"  收录：{page.rejected_before or '是'} → {page.rejected_after or '是'}")
        lines += [f"  去掉：{text}" for text in page.gone] + [f"  保留：{text}" for text in page.come]
        for answer in page.answers:
            what = "多出" if not answer.before else "不再有" if not answer.after else "改变"
            lines.append(f"  {what}答案：{answer.question}")
    return lines


def _effects(settings: Settings, rule: NewSiteRule, batch: int | None) -> RuleEffects:
    changes = changes_with(settings.data, rule)
    with progressbar(length=1, label="试用", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return effects_of(settings.data, changes, settings, files_known(settings.data, batch), update)


def _page_in(file: Path, url: str | None, settings: Settings) -> SavedPage:
    for saved in read_file(file, file.name, settings.max_page_bytes):
        if isinstance(saved, SavedPage):
            return SavedPage(saved.path, saved.media, saved.data, saved.charset, url or saved.url)
    raise ResourceError(f"{file} 里没有可以读取的页面。")


def _dumped(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)
