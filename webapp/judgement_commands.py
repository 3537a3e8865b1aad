"""`yiwen replay` and `yiwen judgements`: questions asked again, and what analysts say of their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from indexer import (
    DEFAULT_ANSWERS,
    GRADES,
    MAX_ANSWERS,
    Engine,
    JudgedCase,
    NewGrades,
    Query,
    Replay,
    add_to_judgements,
    case_id,
    default_pair,
    drop_case,
    find_judged_case,
    list_judged_cases,
    list_manifests,
    open_engine,
    replay_generation,
    save_grades,
    terminal_actor,
    write_judgements,
)
from indexer import replay as ask
from indexer.errors import BadQuery, GenerationMissing, StateError
from indexer.settings import load_settings
from webapp.query_log import normalise, without_persons

_data = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="目录", help="数据目录（默认 var）"
)
_json = click.option("--json", "as_json", is_flag=True, help="输出 JSON")
_question = click.argument("question", metavar="问题")


@click.command("replay")
@_question
@click.option(
    "--generation", "names", multiple=True, metavar="名称", help="哪一代，可写两次（默认使用中的和它的上一代）"
)
@click.option("--limit", type=click.IntRange(1, MAX_ANSWERS), default=DEFAULT_ANSWERS, metavar="条数", help="每代几条")
@_json
@_data
def replay(question: str, names: tuple[str, ...], limit: int, as_json: bool, data: Path | None) -> None:
    """把一个问题再问一次，看各代索引怎么答；不记入查询日志。"""
    settings = load_settings({"data": data})
    if len(names) > 2:
        raise click.BadParameter("--generation 最多写两次。")
    engine = open_engine(settings.data, settings)
    question = _kept(question, engine)
    if not names:
        before, served = default_pair(list_manifests(settings.data), engine.generation)
        names = (served, *filter(None, [before]))
    replays = [
        ask(engine, question, limit)
        if name == engine.generation
        else replay_generation(settings.data, name, question, limit, settings)
        for name in dict.fromkeys(names)
    ]
    case = find_judged_case(settings.data, case_id(question))
    grades = case.by_answer if case else {}
    if as_json:
        told = {"question": question, "replays": [each.as_dict() for each in replays], "grades": grades}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for each in replays:
        _print(each, grades, replays)


@click.group("judgements", no_args_is_help=False)
def judgements() -> None:
    """评判过的问题：分析员给答案的评级，新一代索引启用前都要检查。"""


@judgements.command("list")
@_json
@_data
def show(as_json: bool, data: Path | None) -> None:
    """列出评判过的问题，最近改动的在前。"""
    folder = _folder(data)
    cases = list_judged_cases(folder)
    gone = _gone(_engine(folder), cases)
    if as_json:
        rows = [{**case.as_dict(), "gone": sorted(gone.get(case.id, ()))} for case in cases]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for case in cases:
        grades = "，".join(f"{each.answer} {each.label}" for each in case.grades)
        lost = f"  判过的答案不在了：{'、'.join(sorted(gone[case.id]))}" if gone.get(case.id) else ""
        click.echo(f"{case.id}  {case.question}  {grades}  {case.changed_by} {case.changed}{lost}")
    if not cases:
        click.echo("还没有评判过任何问题。", err=True)


@judgements.command("add")
@_question
@click.option(
    "--grade", "grades", multiple=True, metavar="编号=评级", help="答案的编号和评级，可写多次；评级写 - 是撤回"
)
@click.option("--note", metavar="备注", help="备注")
@_json
@_data
def add(question: str, grades: tuple[str, ...], note: str | None, as_json: bool, data: Path | None) -> None:
    """给答案评级：0 无关，1 有关，2 部分回答，3 完全回答。评过的可以改。"""
    folder = _folder(data)
    given = dict(map(_grade, grades))
    engine = _engine(folder)
    kept = _kept(question, engine)
    topic, aspects = _subject(kept, engine)
    missing = [each for each, grade in given.items() if grade is not None and engine and not engine.count_of(each)]
    case = save_grades(folder, NewGrades(kept, given, note, topic, aspects), terminal_actor())
    if kept != normalise(question):
        click.echo("问题里像是个人信息的部分已经换掉。", err=True)
    if missing:
        click.echo(f"正在使用的索引里没有这些答案：{'、'.join(missing)}。", err=True)
    if as_json:
        click.echo(json.dumps(case.as_dict(), ensure_ascii=False))
    else:
        click.echo(f"已保存：{case.id} {case.question}，共评 {len(case.grades)} 条。", err=True)


@judgements.command("drop")
@click.argument("id_", metavar="编号")
@click.option("--reason", required=True, metavar="原因", help="为什么删去，留作记录")
@_data
def drop(id_: str, reason: str, data: Path | None) -> None:
    """删去一个评判过的问题；评过什么留在操作记录里。"""
    case = drop_case(_folder(data), id_, terminal_actor(), reason)
    click.echo(f"已删去：{case.id} {case.question}。", err=True)


@judgements.command("export")
@click.argument("folder", metavar="文件夹", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "kind",
    type=click.Choice(("trec", "jsonl")),
    default="trec",
    help="trec：topics.tsv 和 qrels.tsv；jsonl：queries.jsonl 和 qrels.tsv，与 corpus/judgements 相同",
)
@click.option("--append", is_flag=True, help="加到已有的文件里（只用于 jsonl），编号相同的换成现在的")
@_data
def export(folder: Path, kind: str, append: bool, data: Path | None) -> None:
    """把评判过的问题写成文件。"""
    if append and kind != "jsonl":
        raise click.BadParameter("--append 只用于 --format jsonl。")
    cases = list_judged_cases(_folder(data))
    written = add_to_judgements(folder, cases) if append else write_judgements(folder, cases, kind == "trec")
    for file in written:
        click.echo(file)
    click.echo(f"共 {len(cases)} 个问题，{sum(len(case.grades) for case in cases)} 条评级。", err=True)


def _grade(written: str) -> tuple[str, int | None]:
    """An id and its grade; None for one that is taken back. Ids may hold a `=`."""
    answer, _, grade = written.rpartition("=")
    if not answer or grade not in (*map(str, GRADES), "-"):
        raise click.BadParameter(f"--grade 应写成 编号=评级，评级是 0 到 3（或 - 撤回），却是“{written}”。")
    return answer, None if grade == "-" else int(grade)


def _engine(data: Path) -> Engine | None:
    """None where nothing is served: questions can be judged all the same."""
    try:
        return open_engine(data, load_settings({"data": data}))
    except GenerationMissing:
        return None


def _kept(question: str, engine: Engine | None) -> str:
    """A question as it is kept: in the log's spelling, and without persons."""
    known: Sequence[str] = ()
    if engine is not None:
        with suppress(BadQuery):
            known = engine.search(Query(normalise(question), limit=1)).terms
    return without_persons(question, known)


def _subject(question: str, engine: Engine | None) -> tuple[str, tuple[str, ...]]:
    """What a question is about, as far as the engine can tell."""
    if engine is not None:
        with suppress(BadQuery):
            found = engine.search(Query(question, limit=1))
            return found.entity or "", found.aspects
    return "", ()


def _gone(engine: Engine | None, cases: Sequence[JudgedCase]) -> dict[str, list[str]]:
    """By case the judged answers that the served generation does not hold; nothing where none is served."""
    if engine is None:
        return {}
    return {case.id: [each.answer for each in case.grades if not engine.count_of(each.answer)] for case in cases}


def _print(found: Replay, grades: dict[str, int], replays: Sequence[Replay]) -> None:
    click.echo(f"{found.generation}：{found.problem or f'读者看到 {found.total} 条'}")
    read = [("当作", found.corrected), ("主题", found.entity), ("方面", "、".join(found.aspects))]
    read += [("要找的词", "、".join(found.words))]
    click.echo("  " + "；".join(f"{name} {value}" for name, value in read if value))
    elsewhere = {each.id: each.rank for other in replays if other is not found for each in other.answers}
    for each in found.answers:
        told = [f"{each.rank}", f"{each.score:.3f}", each.id, " ".join(each.name.split())[:60], each.site, each.date]
        told.append("" if each.is_shown else "（读者看不到）")
        if len(replays) > 1:
            told.append(f"（另一代第 {elsewhere[each.id]} 条）" if each.id in elsewhere else "（只在这一代）")
        told.append(f"评为{GRADES[grades[each.id]]}" if each.id in grades else "")
        click.echo("  " + "  ".join(filter(None, told)))


def _folder(data: Path | None) -> Path:
    folder = load_settings({"data": data}).data
    if not folder.is_dir():
        raise StateError(f"数据目录 {folder} 不存在；请检查 --data。")
    return folder
