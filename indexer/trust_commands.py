"""`yiwen trust`: how far editors trust a site, with evidence."""

from __future__ import annotations

import json
from pathlib import Path

import click

from indexer.engine import open_engine
from indexer.errors import GenerationMissing, StateError
from indexer.records import TrustState
from indexer.settings import load_settings
from indexer.store.audit_log import terminal_actor
from indexer.store.source_trust import TrustEntry, list_trust, set_trust, site_key, trust_history

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_site = click.argument("site", metavar="网站")
#: what takes a site's own judgement away
_NONE = "none"


@click.group("trust", help="来源评定：可靠的靠前一些，存疑的靠后一些，不收录的全部隐藏。")
def trust() -> None:
    pass


@trust.command("list", help="列出评定过的网站，和当前一代中各有多少条答案。")
@click.option("--sites", "with_others", is_flag=True, help="也列出没有评定过的网站")
@_json
@_data
def show(with_others: bool, as_json: bool, data: Path | None) -> None:
    folder = _folder(data)
    entries = list_trust(folder)
    try:
        counts = open_engine(folder, load_settings({"data": folder})).site_counts()
    except GenerationMissing:
        counts = {}
    answers: dict[str, int] = {}
    for name, count in counts.items():
        answers[site_key(name)] = answers.get(site_key(name), 0) + count
    sites = sorted({*entries, *(answers if with_others else ())})
    if as_json:
        rows = [
            {
                **(entries[site].as_dict() if site in entries else {"site": site, "state": None}),
                "answers": answers.get(site, 0),
            }
            for site in sites
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for site in sites:
        told = entry_line(entries[site]) if site in entries else f"{site}  未评"
        click.echo(f"{told}  {answers.get(site, 0)} 条答案")
    if not sites:
        click.echo("还没有评定过任何网站。", err=True)


@trust.command(
    "set",
    help="评定一个网站及其下级域名，立即生效：trusted 可靠，normal 一般，doubtful 存疑，excluded 不收录，none 撤销。",
)
@_site
@click.argument("state", metavar="评定", type=click.Choice([*(each.value for each in TrustState), _NONE]))
@click.option("--evidence", required=True, help="依据，给读者看，也留作记录")
@click.option("--link", default="", help="依据所在的网页，https 地址")
@_data
def set_state(site: str, state: str, evidence: str, link: str, data: Path | None) -> None:
    chosen = None if state == _NONE else TrustState(state)
    entry = set_trust(_folder(data), site, chosen, evidence, link, terminal_actor())
    click.echo(f"已记下：{entry_line(entry)}", err=True)


@trust.command("history", help="一个网站的全部评定，新的在前。")
@_site
@_json
@_data
def history(site: str, as_json: bool, data: Path | None) -> None:
    entries = trust_history(_folder(data), site)
    if as_json:
        click.echo(json.dumps([entry.as_dict() for entry in entries], ensure_ascii=False))
        return
    for entry in entries:
        click.echo(entry_line(entry))
    if not entries:
        click.echo(f"{site} 没有评定过。", err=True)


def entry_line(entry: TrustEntry) -> str:
    """A judgement on one line."""
    return "  ".join(filter(None, [entry.at, entry.site, entry.label, entry.evidence, entry.link, entry.owner]))


def _folder(data: Path | None) -> Path:
    folder = load_settings({"data": data}).data
    if not folder.is_dir():
        raise StateError(f"数据目录 {folder} 不存在；请检查 --data。")
    return folder
