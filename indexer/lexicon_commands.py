"""`yiwen lexicon`: look at the lexicon and change it: a proposal, or with --apply saved at once."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from indexer.analysis.lexicon import KINDS, Term, read_lexicon, read_terms
from indexer.analysis.own_terms import (
    KIND_LABELS,
    OWN_TERMS_PATH,
    KnownTerm,
    TermDesk,
    add_list,
    add_synonym,
    open_terms,
    remove_term,
    restore_term,
    set_term,
    split_words,
)
from indexer.analysis.own_words import OWN_WORDS_PATH, change_words, word_lists
from indexer.proposals import adopt, propose, proposed_text
from indexer.quality_gate.evaluate import read_qrels, read_queries
from indexer.quality_gate.questions import Questions
from indexer.resource_commands import effects_lines
from indexer.resource_effects import compute_effects
from indexer.resources import effective_resources
from indexer.settings import Settings, load_settings
from indexer.store.audit_log import terminal_actor

_resources = click.option("--resources", type=click.Path(path_type=Path), help="资源目录：词表、站点模板、权重")
_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_reason = click.option("--reason", default="", help="原因，记入操作记录")
_apply = click.option("--apply", "save", is_flag=True, help="立即采用；否则只留下一份修改，先看影响")
_onto = click.option("--onto", type=click.IntRange(1), help="补充到这一份还没有采用的修改里")
_take_over = click.option("--take-over", is_flag=True, help="词已属于别的词条时移过来；它本身是词条时合并")


@dataclasses.dataclass(frozen=True)
class _Saving:
    """What becomes of a change."""

    reason: str
    onto: int | None  #: number of the proposal that it is added to
    at_once: bool
    settings: Settings


def _saves(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The options of every command that changes something, given to it as one `saving`."""

    @_reason
    @_onto
    @_apply
    @_data
    @_resources
    @functools.wraps(command)
    def call(
        reason: str, onto: int | None, save: bool, data: Path | None, resources: Path | None, **given: Any
    ) -> int | None:
        settings = load_settings({"data": data, "resources": resources})
        return command(saving=_Saving(reason, onto, save, settings), **given)

    return call


@click.group("lexicon", help="查看词表，增改词条；采用之前可以先看会改变什么。")
def lexicon() -> None:
    pass


@lexicon.command("show", help="词条数，或一个词的词条、同义词、上位词和相关词。")
@click.argument("word", metavar="[词]", required=False)
@_json
@_data
@_resources
def show(word: str | None, as_json: bool, data: Path | None, resources: Path | None) -> int:
    settings = load_settings({"data": data, "resources": resources})
    if word is None:
        known = read_lexicon(effective_resources(settings.data, settings.resources))
        kinds = Counter(term.kind for term in known.terms.values())
        if as_json:
            click.echo(json.dumps({"terms": len(known.terms), "words": len(known.names), "kinds": kinds}))
            return 0
        for kind in KINDS:
            click.echo(f"{KIND_LABELS[kind]} {kinds[kind]}")
        click.echo(f"共 {len(known.terms)} 个词条，{len(known.names)} 个词。")
        return 0
    found = _desk(settings).find(word)
    if found is None or found.is_removed:
        click.echo(f"词表中没有“{word}”{'，本站去掉了它' if found else ''}。", err=True)
        return 1
    if as_json:
        click.echo(json.dumps(_as_dict(found), ensure_ascii=False))
        return 0
    click.echo(f"词条：{found.term.name}（{found.kind_label}）")
    for label, words in (("同义", found.term.same), ("上位", found.term.broader), ("相关", found.term.related)):
        click.echo(f"{label}：{'、'.join(words) or '无'}")
    click.echo(f"出处：{found.file}{'，本站改过' if found.is_own and found.shipped else ''}")
    return 0


@lexicon.command("own", help="列出本站自己的词条：新增的、改过的、去掉的。")
@_json
@_data
@_resources
def own(as_json: bool, data: Path | None, resources: Path | None) -> None:
    owned = _desk(load_settings({"data": data, "resources": resources})).owned()
    if as_json:
        click.echo(json.dumps([_as_dict(found) for found in owned], ensure_ascii=False))
        return
    for found in owned:
        state = "去掉" if found.is_removed else "改过" if found.shipped else "新增"
        click.echo(f"{state}  {found.term.name}  {found.kind_label}  同义：{'、'.join(found.term.same) or '无'}")
    if not owned:
        click.echo("本站没有自己的词条。", err=True)


@lexicon.command("set", help="添加一个词条，或改写同名的一个。")
@click.argument("name", metavar="词条")
@click.option("--kind", type=click.Choice(KINDS), help="类别（默认不变；新词条为 other）")
@click.option("--same", help="同义词，以、分隔（默认不变）")
@click.option("--broader", help="上位词，以、分隔（默认不变）")
@click.option("--related", help="相关词，以、分隔（默认不变）")
@_take_over
@_saves
def set_(
    name: str,
    kind: str | None,
    same: str | None,
    broader: str | None,
    related: str | None,
    take_over: bool,
    saving: _Saving,
) -> None:
    def change(desk: TermDesk) -> str:
        found = desk.find(name)
        term = found.term if found is not None and desk.normal(found.term.name) == desk.normal(name) else Term(name)
        given = {"same": same, "broader": broader, "related": related}
        words: dict[str, Any] = {column: split_words(text) for column, text in given.items() if text is not None}
        return set_term(desk, dataclasses.replace(term, kind=kind or term.kind, **words), take_over)

    _change(change, f"词条：{name}", saving)


@lexicon.command("synonym", help="给一个词条加一个同义词。")
@click.argument("name", metavar="词条")
@click.argument("word", metavar="同义词")
@_take_over
@_saves
def synonym(
    name: str,
    word: str,
    take_over: bool,
    saving: _Saving,
) -> None:
    title = f"“{name}”加同义词“{word}”"
    _change(lambda desk: add_synonym(desk, name, word, take_over), title, saving)


@lexicon.command("remove", help="去掉一个词条；随程序的词条可以用 --restore 找回。")
@click.argument("name", metavar="词条")
@click.option("--restore", is_flag=True, help="撤去本站对它的修改，回到随程序的样子")
@_saves
def remove(
    name: str,
    restore: bool,
    saving: _Saving,
) -> None:
    title = f"{'恢复' if restore else '去掉'}词条：{name}"
    _change(lambda desk: (restore_term if restore else remove_term)(desk, name), title, saving)


@lexicon.command("words", help="提问用词的各个列表；给出列表和词则加上这个词，--remove 则去掉。")
@click.argument("name", metavar="[列表]", required=False)
@click.argument("word", metavar="[词]", required=False)
@click.option("--remove", "take_away", is_flag=True, help="从列表里去掉")
@_json
@_saves
def words(
    name: str | None,
    word: str | None,
    take_away: bool,
    as_json: bool,
    saving: _Saving,
) -> None:
    settings = saving.settings
    effective = effective_resources(settings.data, settings.resources)
    text = proposed_text(settings.data, OWN_WORDS_PATH, saving.onto)
    if name is not None and word is not None:
        text = change_words(effective, text, name, word, not take_away)
        title = f"提问用词“{name}”{'去掉' if take_away else '加上'}“{word}”"
        _proposed({OWN_WORDS_PATH: text}, title, saving)
        return
    lists = [one for one in word_lists(effective, text) if name in (None, one.name)]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in lists], ensure_ascii=False))
        return
    for one in lists:
        own = f"；本站加上：{'、'.join(one.own.add) or '无'}，去掉：{'、'.join(one.own.remove) or '无'}"
        click.echo(f"{one.name}  {one.label}  随程序 {len(one.shipped)} 项{own if one.is_changed else ''}")


@lexicon.command("add", help="试加一份词表，列出切分和检索结果的变化；确认后加 --apply 保存到本站的词条。")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", type=click.Choice(KINDS), default="other", help="没有写明类别的词算哪一类")
@click.option("--queries", type=click.Path(path_type=Path, dir_okay=False), help="评判过的问题（默认语料自带的）")
@click.option("--qrels", type=click.Path(path_type=Path, dir_okay=False), help="评判，TREC qrels 格式")
@_saves
def add(
    file: Path,
    kind: str,
    queries: Path | None,
    qrels: Path | None,
    saving: _Saving,
) -> None:
    if (queries is None) != (qrels is None):
        raise click.UsageError("--queries 与 --qrels 要一起给出。")
    text, added, known = add_list(_desk(saving.settings, saving.onto), read_terms(file), kind)
    click.echo(f"新增 {len(added)} 个词条，已收录而跳过 {len(known)} 个。")
    judged = None
    if queries is not None and qrels is not None:
        judged = Questions(tuple(read_queries(queries)), read_qrels(qrels), str(queries.parent))
    settings = saving.settings
    for line in effects_lines(compute_effects(settings.data, {OWN_TERMS_PATH: text}, settings, questions=judged)):
        click.echo(line)
    if not saving.at_once and saving.onto is None:
        click.echo("尚未保存；确认后加 --apply。", err=True)
        return
    _change(lambda desk: text, f"加入词表 {file.name}，{len(added)} 个词条", saving)


def _desk(settings: Settings, onto: int | None = None) -> TermDesk:
    resources = effective_resources(settings.data, settings.resources)
    return open_terms(resources, proposed_text(settings.data, OWN_TERMS_PATH, onto))


def _change(change: Callable[[TermDesk], str], title: str, saving: _Saving) -> None:
    _proposed({OWN_TERMS_PATH: change(_desk(saving.settings, saving.onto))}, title, saving)


def _proposed(changes: Mapping[str, str | None], title: str, saving: _Saving) -> None:
    settings = saving.settings
    if saving.at_once and saving.onto is not None:
        raise click.UsageError("--apply 与 --onto 不能一起用；请用 yiwen resources adopt 采用整份修改。")
    made = propose(
        settings.data, changes, title[:200], terminal_actor(), saving.reason, settings.resources, saving.onto
    )
    if saving.at_once:
        adopt(settings.data, made.number, terminal_actor(), settings.resources)
        click.echo(
            f"已保存到 {settings.data}/resources/{'、'.join(changes)}；运行 yiwen build 重建索引后生效。", err=True
        )
    else:
        number = made.number
        click.echo(
            f"修改 {number}：{made.title}。看影响：yiwen resources preview {number}；采用：把 preview 换成 adopt"
        )


def _as_dict(found: KnownTerm) -> dict[str, object]:
    return {
        **dataclasses.asdict(found.term),
        "file": found.file,
        "is_own": found.is_own,
        "is_removed": found.is_removed,
        "shipped": dataclasses.asdict(found.shipped) if found.shipped else None,
    }
