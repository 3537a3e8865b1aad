"""`yiwen resources`: lists of terms and rules as files; changes proposed, previewed, adopted or dropped."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import click

from indexer.answer.own_rules import OWN_RULES_PATH, known_rules, switch_rule
from indexer.errors import ResourceError, cause_of
from indexer.own_resources import (
    ResourceFile,
    check_resources,
    list_resources,
    read_resource,
    resource_history,
    shipped_text,
    tried_cards,
)
from indexer.proposals import (
    STATES,
    Proposal,
    adopt,
    drop,
    find_proposal,
    keep_effects,
    list_proposals,
    propose,
    proposed_text,
    urgency_effects,
)
from indexer.resource_effects import Effects, compute_effects
from indexer.resources import effective_resources
from indexer.settings import Settings, load_settings
from indexer.store.audit_log import terminal_actor

_SHOWN = 10
_T = TypeVar("_T")
_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_resources = click.option("--resources", type=click.Path(path_type=Path), help="资源目录：词表、站点模板、权重")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_path = click.argument("path", metavar="路径")
_number = click.argument("number", metavar="编号", type=click.IntRange(1))


def _settings(data: Path | None, resources: Path | None) -> Settings:
    return load_settings({"data": data, "resources": resources})


@click.group("resources", help="词表和规则的文件：查看、比较、提出修改、预览、采用。")
def resources() -> None:
    pass


@resources.command("list", help="列出可以修改的文件，或提出的修改。")
@click.option("--proposals", is_flag=True, help="列出提出的修改，不列文件")
@_json
@_data
@_resources
def show_all(proposals: bool, as_json: bool, data: Path | None, resources: Path | None) -> None:
    settings = _settings(data, resources)
    if proposals:
        _print(list_proposals(settings.data), as_json, proposal_dict, proposal_line)
    else:
        _print(list_resources(settings.data, settings.resources), as_json, asdict, lambda f: f"{state_of(f)}  {f.path}")


@resources.command("show", help="输出一个文件现在的内容。")
@_path
@_json
@_data
@_resources
def show(path: str, as_json: bool, data: Path | None, resources: Path | None) -> None:
    file = _file(path, _settings(data, resources))
    click.echo(json.dumps(asdict(file), ensure_ascii=False) if as_json else file.text, nl=as_json)


@resources.command("diff", help="本站的文件与随程序的不同之处；给出编号则与那次修改之前比较。")
@_path
@click.option("--change", type=click.IntRange(1), help="历史中一次修改的编号")
@_data
@_resources
def diff(path: str, change: int | None, data: Path | None, resources: Path | None) -> None:
    settings = _settings(data, resources)
    file = _file(path, settings)
    before = shipped_text(path, settings.resources) or ""
    if change is not None:
        found = [one for one in resource_history(settings.data, path, 1_000) if one.number == change]
        if not found:
            raise click.ClickException(f"{path} 没有编号为 {change} 的修改。")
        before = found[0].before if found[0].before is not None else before
    for line in diff_lines(before, file.text):
        click.echo(line)


@resources.command("check", help="检查所有词表和规则；给出文件则检查换成它会怎样，不保存。")
@click.argument("path", metavar="[路径]", required=False)
@click.argument("file", metavar="[文件]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@_data
@_resources
def check(path: str | None, file: Path | None, data: Path | None, resources: Path | None) -> None:
    settings = _settings(data, resources)
    changes: dict[str, str | None] = {path: _read(file)} if path and file else {}
    check_resources(settings.data, changes, settings.resources)
    click.echo("没有问题。", err=True)


@resources.command("propose", help="提出把一个文件换成另一份内容；不给文件则回到随程序的样子。")
@_path
@click.argument("file", metavar="[文件]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--title", help="改什么，一句话")
@click.option("--reason", default="", help="原因")
@click.option("--onto", type=click.IntRange(1), help="补充到这一份修改里")
@_json
@_data
@_resources
def make(
    path: str,
    file: Path | None,
    title: str | None,
    reason: str,
    onto: int | None,
    as_json: bool,
    data: Path | None,
    resources: Path | None,
) -> None:
    settings = _settings(data, resources)
    text = _read(file) if file else None
    named = title or f"{'修改' if file else '恢复出厂'} {path}"
    made = propose(settings.data, {path: text}, named, terminal_actor(), reason, settings.resources, onto)
    _print([made], as_json, proposal_dict, proposal_line)


@resources.command("preview", help="算出一份修改会改变什么：切分、检索质量、读法、急症卡片。")
@_number
@_json
@_data
@_resources
def preview(number: int, as_json: bool, data: Path | None, resources: Path | None) -> None:
    settings = _settings(data, resources)
    found = find_proposal(settings.data, number)
    effects = compute_effects(settings.data, found.changes, settings)
    keep_effects(settings.data, found, effects)
    if as_json:
        click.echo(json.dumps(effects.as_dict(), ensure_ascii=False))
        return
    for line in effects_lines(effects):
        click.echo(line)


@resources.command("adopt", help="采用一份修改；重建索引后生效。")
@_number
@click.option("--weaken", is_flag=True, help="确认：急症卡片会因此变弱（还要有原因）")
@click.option("--reason", default="", help="原因（默认用提出时的）")
@_data
@_resources
def take(number: int, weaken: bool, reason: str, data: Path | None, resources: Path | None) -> None:
    settings = _settings(data, resources)
    found = find_proposal(settings.data, number)
    urgency = urgency_effects(settings.data, found.changes, settings.resources)
    if urgency.needs_confirmation and not weaken:
        for id_ in urgency.weakened:
            click.echo(f"变弱的急症规则：{id_}", err=True)
        for card in urgency.cards:
            if card.is_weaker:
                click.echo(f"不再得到急症卡片：{card.sentence}（{card.before} → {card.after or '无'}）", err=True)
        raise click.ClickException("急症卡片会变弱；确实要这样，请加 --weaken 并用 --reason 写明原因。")
    if found.effects is None:
        click.echo("这份修改没有预览过。", err=True)
    adopt(settings.data, number, terminal_actor(), settings.resources, weaken, reason)
    click.echo(f"修改 {number} 已采用；运行 yiwen build 重建索引后生效。", err=True)


@resources.command("drop", help="放弃一份修改。")
@_number
@_data
def give_up(number: int, data: Path | None) -> None:
    drop(_settings(data, None).data, number, terminal_actor())
    click.echo(f"修改 {number} 已放弃。", err=True)


@resources.command("cards", help="一些话得到哪张急症卡片；--with 则也看采用那份修改之后。")
@click.argument("sentences", metavar="句子...", nargs=-1, required=True)
@click.option("--with", "number", type=click.IntRange(1), help="一份修改的编号")
@_json
@_data
@_resources
def cards(
    sentences: tuple[str, ...], number: int | None, as_json: bool, data: Path | None, resources: Path | None
) -> None:
    settings = _settings(data, resources)
    changes = find_proposal(settings.data, number).changes if number is not None else {}
    rows = [
        {"sentence": sentence, "before": before.id if before else None, "after": after.id if after else None}
        for sentence, before, after in tried_cards(settings.data, changes, sentences, settings.resources)
    ]
    _print(rows, as_json, dict, lambda row: f"{row['sentence']}：{row['before'] or '无'} → {row['after'] or '无'}")


@resources.command("rule", help="停用一条急症规则，或重新启用；先成为一份修改。")
@click.argument("id_", metavar="编号")
@click.option("--off", is_flag=True, help="停用，要写明原因；否则重新启用")
@click.option("--reason", default="", help="原因")
@_data
@_resources
def rule(id_: str, off: bool, reason: str, data: Path | None, resources: Path | None) -> None:
    if off and not reason.strip():
        raise click.UsageError("停用一条急症规则，请用 --reason 写明原因。")
    settings = _settings(data, resources)
    text = proposed_text(settings.data, OWN_RULES_PATH)
    known = known_rules(effective_resources(settings.data, settings.resources), text)
    changes: dict[str, str | None] = {OWN_RULES_PATH: switch_rule(text, id_, known, reason if off else "")}
    title = f"急症规则“{id_}”：{'停用' if off else '重新启用'}"
    made = propose(settings.data, changes, title, terminal_actor(), reason, settings.resources)
    click.echo(proposal_line(made))


@resources.command("history", help="词表和规则的修改历史，最近的在前。")
@click.argument("path", metavar="[路径]", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="最多列出多少次")
@_json
@_data
def history(path: str | None, limit: int, as_json: bool, data: Path | None) -> None:
    changes = resource_history(_settings(data, None).data, path, limit)
    _print(changes, as_json, asdict, lambda one: f"{one.number}  {one.at}  {one.actor}  {one.path}  {one.reason}")


def _file(path: str, settings: Settings) -> ResourceFile:
    file = read_resource(settings.data, path, settings.resources)
    if file is None:
        raise click.ClickException(f"{path} 不是可以修改的词表或规则文件；有哪些见 yiwen resources list。")
    return file


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ResourceError(f"{file} 无法读取：{cause_of(error)}。") from error
    except UnicodeDecodeError as error:
        raise ResourceError(f"{file} 不是 UTF-8 文本：{error}") from error


def _print(found: Iterable[_T], as_json: bool, as_dict: Callable[[_T], object], as_line: Callable[[_T], str]) -> None:
    found = list(found)
    if as_json:
        click.echo(json.dumps([as_dict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(as_line(one))
    if not found:
        click.echo("没有。", err=True)


def state_of(file: ResourceFile) -> str:
    """Where a file comes from, in Chinese."""
    if not file.is_own:
        return "随程序"
    return "改过" if file.is_shipped else "本站"


def proposal_dict(found: Proposal) -> dict[str, object]:
    """A proposal for JSON."""
    return {**asdict(found), "effects": found.effects.as_dict() if found.effects else None}


def proposal_line(found: Proposal) -> str:
    """A proposal on one line."""
    seen = "已预览" if found.effects else "未预览"
    state = f"{STATES[found.state]}{f'，{seen}' if found.state == 'open' else ''}"
    return f"{found.number}  {found.made}  {state}  {found.actor}  {found.title}"


def diff_lines(before: str, after: str) -> list[str]:
    """What differs, as `diff -u` tells it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "之前", "现在", lineterm="")
    return list(lines)


def effects_lines(effects: Effects) -> list[str]:
    """Effects for reading in a terminal."""
    lines = list(effects.notes)
    if effects.pending:
        lines.append("此前采用而还没有建立索引的修改也算在内。")
    lines.append(f"{effects.answers} 条答案中有 {effects.cut_otherwise} 条的切分会改变。")
    for group in effects.groups[:_SHOWN]:
        words = f"增加：{'、'.join(group.new) or '无'}  减少：{'、'.join(group.gone) or '无'}"
        lines.append(f"  {group.count} 条，例如 {'、'.join(group.examples)}  {words}")
    if effects.questions:
        lines.append(
            f"{effects.questions} 个评判过的问题：nDCG@10 {effects.ndcg_before:.4f} → {effects.ndcg_after:.4f}，"
            f"变好 {effects.better} 个，变差 {effects.worse} 个。"
        )
    for change in effects.changed[:_SHOWN]:
        lines.append(
            f"  {change.text}：{change.before:.3f} → {change.after:.3f}，新进前十 {len(change.gained)} 条，"
            f"退出前十 {len(change.lost)} 条"
        )
    lines.append(f"{effects.read_otherwise} 个问题的读法会改变。")
    lines += [f"  {one.text}：{one.before} → {one.after}" for one in effects.readings[:_SHOWN]]
    lines.append(f"{effects.sentences} 句话中有 {len(effects.cards)} 句的急症卡片会改变。")
    lines += [f"  {one.sentence}：{one.before or '无'} → {one.after or '无'}" for one in effects.cards[:_SHOWN]]
    if effects.weakened:
        lines.append(f"变弱的急症规则：{'、'.join(effects.weakened)}")
    return lines
