"""The engine's commands. `yiwen` (webapp.cli) collects them.

Standard output carries only what was asked for; progress and remarks go to standard error. A command returns
its exit status where that is neither 0 nor an error's 1.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from click.termui import progressbar

from indexer.answer.urgency import urgency_card
from indexer.build import BuildReport, build_generation
from indexer.cleaning import Progress, clean
from indexer.command_acts import log_done
from indexer.compare_commands import compare
from indexer.curation_commands import curation
from indexer.engine import Engine, open_engine
from indexer.errors import BuildRunning, IndexerError, TooDeep
from indexer.extract import load_site_templates
from indexer.extract.explain import explain
from indexer.generation_commands import commands as generation_commands
from indexer.generation_commands import served_name
from indexer.inbox_commands import inbox
from indexer.job_commands import jobs
from indexer.lexicon_commands import lexicon
from indexer.maintenance_commands import commands as maintenance_commands
from indexer.meaning.background import start_when_wanted
from indexer.quality_gate.evaluate import evaluate, read_qrels, read_queries
from indexer.read import decoded_page, find_files, read_file
from indexer.records import Hit, Page, Query, Rejected, SavedPage, SearchResult, UrgencyCard
from indexer.resource_commands import resources as resources_group
from indexer.resources import effective_resources
from indexer.rule_commands import rules
from indexer.settings import Settings, load_settings
from indexer.store.audit_log import terminal_actor
from indexer.store.take_downs import put_back, take_down
from indexer.trust_commands import trust
from indexer.vectors_commands import vectors
from indexer.verdicts import Flaw

_EXIT_REFUSED = 3
_EXIT_BUILD_RUNNING = 4
_NOT_STATED = "未注明"

_data = click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
_resources = click.option("--resources", type=click.Path(path_type=Path), help="资源目录：词表、站点模板、权重")


def _file(**kwargs: Any) -> click.Path:
    return click.Path(path_type=Path, dir_okay=False, **kwargs)


@click.command(help="清洗网页并逐页输出结果，一行一个 JSON 对象。")
@click.argument("paths", metavar="路径...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON（默认的格式，可省略）")
@click.option("--explain", "with_reasons", is_flag=True, help="不输出 JSON，而是逐段说明保留或去掉的理由，供人阅读")
@_resources
def extract(paths: tuple[Path, ...], as_json: bool, with_reasons: bool, resources: Path | None) -> None:
    settings = load_settings({"resources": resources})
    if with_reasons:
        for line in explanations(paths, settings):
            click.echo(line)
        return
    for cleaned in clean(find_files(paths), effective_resources(settings.data, settings.resources), settings):
        assert cleaned.item is not None
        click.echo(json.dumps(extraction_line(cleaned.item), ensure_ascii=False))


def explanations(paths: Sequence[Path], settings: Settings) -> Iterator[str]:
    """Why each block of each page was kept or taken out, in lines."""
    templates = load_site_templates(effective_resources(settings.data, settings.resources))
    for file, path in find_files(paths):
        for saved in read_file(file, path, settings.max_page_bytes):
            yield f"== {saved.path}"
            raw = decoded_page(saved) if isinstance(saved, SavedPage) else saved
            if isinstance(raw, Page):
                yield "   记录按原样收录，不做清洗。"
            elif isinstance(raw, Rejected):
                yield f"   未收录：{raw.reason.label}。{raw.detail}"
            else:
                try:
                    result, verdicts = explain(raw, templates)
                except TooDeep as error:
                    yield f"   未收录：{error}"
                    continue
                if isinstance(result, Rejected):
                    yield f"   未收录：{result.reason.label}。{result.detail}"
                else:
                    yield f"   收录：{result.title or '（无标题）'}"
                yield from (verdict.as_line() for verdict in verdicts)


def extraction_line(item: Page | Rejected) -> dict[str, Any]:
    """A page as `yiwen extract` prints it: all keys always there."""
    page = item if isinstance(item, Page) else None
    rejected = None if isinstance(item, Page) else item
    return {
        "path": item.path,
        "name": Path(item.path).stem,
        "url": page.url if page else None,
        "keep": page is not None,
        "reason": rejected.reason.value if rejected else None,
        "detail": rejected.detail if rejected else None,
        "encoding": item.charset,
        "title": page.title if page else None,
        "text": page.text if page else None,
        "headings": list(page.headings) if page else [],
        "author": page.author if page else None,
        "date": page.date if page else None,
        "views": page.views if page else None,
        "likes": page.likes if page else None,
        "author_title": page.author_title if page else None,
        "hospital": page.hospital if page else None,
        "answer_count": page.answer_count if page else None,
        "topic": page.topic if page else None,
        "qa_pairs": [dataclasses.asdict(pair) for pair in page.qa_pairs] if page else [],
        "disclaimers": list(page.disclaimers) if page else [],
        "removed": [{"reason": block.reason.value, "text": block.text} for block in item.removed],
        "quality": [
            {"answer": number, "flaw": fact.flaw.value, "evidence": fact.evidence}
            for number, answer in enumerate(page.answers if page else (), 1)
            for fact in answer.quality
        ],
    }


@click.command(help="用语料建立新一代索引，通过检查后立即启用。")
@click.option("--corpus", required=True, type=click.Path(path_type=Path), help="语料目录")
@_data
@_resources
@click.option("--memory-mb", type=click.IntRange(min=100), help="写索引最多用多少内存（默认 1000）")
@click.option("--if-missing", is_flag=True, help="已有可用的索引时什么都不做")
@click.option("--update", is_flag=True, help="只处理上次建立之后有变化的页面，结果与全部重建相同")
@click.option("--judgements", type=click.Path(path_type=Path), help="评判过的问题所在的目录，启用前用来与上一代比较")
def build(
    corpus: Path,
    data: Path | None,
    resources: Path | None,
    memory_mb: int | None,
    if_missing: bool,
    update: bool,
    judgements: Path | None,
) -> int:
    settings = load_settings({"data": data, "resources": resources, "memory_mb": memory_mb, "judgements": judgements})
    if if_missing:
        if served_name(settings.data):
            return 0
        click.echo(f"还没有索引，用 {corpus} 建立一个", err=True)
    try:
        with _progress("清洗并建立索引") as progress:
            report = build_generation(corpus, settings.data, settings, progress, update)
    except BuildRunning as error:
        click.echo(str(error), err=True)
        return _EXIT_BUILD_RUNNING
    made = report.manifest
    outcome = "没有通过检查，没有启用" if made.objections else "已启用"
    how = "，只处理变化" if update else ""
    log_done(settings.data, "建立索引", str(corpus.resolve()), f"{made.generation}，{outcome}{how}")
    for line in build_summary(report):
        click.echo(line, err=True)
    if job := start_when_wanted(settings.data, settings, terminal_actor()):
        click.echo(f"意思向量在后台生成：任务 {job.number}，用 yiwen jobs show {job.number} 查看进度。", err=True)
    return _EXIT_REFUSED if report.manifest.objections else 0


@contextmanager
def _progress(label: str) -> Iterator[Progress]:
    """A progress bar on standard error, which appears only when that is a terminal."""
    with progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield update


def build_summary(report: BuildReport) -> list[str]:
    """What a build did, in lines: counts, each reason with its number, and the first pages of each."""
    counts = report.manifest.counts
    lines = [
        f"{report.manifest.generation}：{counts['pages']} 个页面，{counts['answers']} 条答案，"
        f"未收录 {counts['rejected']} 个，用时 {report.seconds:.1f} 秒。"
    ]
    if report.reused:
        lines.append(f"  其中 {report.reused} 个页面与上次相同，没有重新清洗。")
    for reason, number in Counter(item.reason for item in report.rejected).most_common():
        examples = [item for item in report.rejected if item.reason is reason][:3]
        lines.append(
            f"  {reason.label} {number} 个：" + "；".join(f"{item.path}（{item.detail}）" for item in examples)
        )
    flawed = [f"{flaw.label} {flaws} 条" for flaw in Flaw if (flaws := counts.get(f"flaw_{flaw.value}"))]
    if flawed:
        lines.append(f"  收录的答案中：{'，'.join(flawed)}。")
    if report.manifest.objections:
        name = report.manifest.generation
        lines.append(f"{name} 没有启用：")
        lines += [f"  {objection}" for objection in report.manifest.objections]
        lines.append(
            f"原来的一代继续使用。查看差异：yiwen compare {name}；"
            f"确认无误后启用：yiwen switch {name} --override --reason 原因"
        )
    else:
        lines.append(f"已启用 {report.manifest.generation}。")
    return lines


@click.command(help="检索并输出排序后的答案。")
@click.argument("query", metavar="问题")
@_data
@click.option("--limit", type=click.IntRange(1, 200), default=10, help="最多输出多少条")
@click.option("--exact", is_flag=True, help="按输入的原文搜索，不改错别字")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def search(query: str, data: Path | None, limit: int, exact: bool, as_json: bool) -> None:
    try:
        result = _engine(data).search(Query(query, limit=limit, as_typed=exact))
    except IndexerError:
        # Whatever failed, somebody in an emergency is told what to do; rules that fail too must not hide the cause.
        with suppress(IndexerError):
            settings = load_settings({"data": data})
            _tell(urgency_card(query, settings.resources, settings.data))
        raise
    if as_json:
        click.echo(json.dumps(result.as_dict(), ensure_ascii=False))
        return
    _tell(result.urgency)
    if result.corrected:
        click.echo(f"已按“{result.corrected}”搜索；加 --exact 仍搜“{query}”。", err=True)
    for line in result_lines(result):
        click.echo(line)
    if not result.hits:
        click.echo("没有找到相关的答案；换一种说法，或只写疾病和症状的名称试试。", err=True)


def _tell(card: UrgencyCard | None) -> None:
    for line in card_lines(card):
        click.echo(line, err=True)


def card_lines(card: UrgencyCard | None) -> list[str]:
    """What to do now, for reading in a terminal. It is no answer: standard output has the ranked answers only."""
    if card is None:
        return []
    phones = [f"电话：{'、'.join(card.phones)}"] if card.phones else []
    reviewed = f"由{card.reviewed_by}审核" if card.reviewed_by else "尚未经医生审核"
    return [f"【{card.title}】", card.text, *phones, f"依据：{card.source}。{reviewed}。", ""]


def result_lines(result: SearchResult) -> list[str]:
    """A result for reading in a terminal."""
    return [line for hit in result.hits for line in _hit_lines(hit)]


def _hit_lines(hit: Hit) -> list[str]:
    answer, snippet = hit.answer, hit.snippet
    facts = [
        f"来源：{answer.site or _NOT_STATED}",
        f"作者：{answer.author or _NOT_STATED}",
        f"日期：{answer.date[:10] if answer.date else _NOT_STATED}",
        *([f"同文 {hit.copies + 1} 篇"] if hit.copies else []),
        *(["编辑置顶"] if hit.pinned else []),
        *(["意思相近，用词不同"] if hit.by_meaning else []),
        *([f"编辑评为{hit.trust.state.label}"] if hit.trust else []),
    ]
    text = " ".join(snippet.text.split())
    return [
        f"{hit.rank}. {answer.question or '（无标题）'}",
        f"   {'…' if snippet.cut_before else ''}{text}{'…' if snippet.cut_after else ''}",
        f"   {'  '.join(facts)}",
    ]


@click.command("evaluate", help="用评判过的问题衡量排序质量（nDCG@10、MRR@10、recall@100、P@1）和耗时。")
@_data
@click.option("--queries", required=True, type=_file(), help="问题，每行一个带 id 和 text 的 JSON 对象")
@click.option("--qrels", required=True, type=_file(), help="评判，TREC qrels 格式")
@click.option("--run-out", type=_file(), help="把排序结果写成 TREC run 文件")
@click.option("--limit", type=click.IntRange(1), help="只用前几个问题")
def evaluate_command(data: Path | None, queries: Path, qrels: Path, run_out: Path | None, limit: int | None) -> None:
    judged, judgements = read_queries(queries)[:limit], read_qrels(qrels)
    engine = _engine(data)
    if run_out is None:
        scores = evaluate(engine, judged, judgements)
    else:
        with open(run_out, "w", encoding="utf-8") as out:
            scores = evaluate(engine, judged, judgements, out)
    click.echo(f"queries     {scores.queries}")
    for name, value in (
        ("nDCG@10", scores.ndcg_at_10),
        ("MRR@10", scores.mrr_at_10),
        ("recall@100", scores.recall_at_100),
    ):
        click.echo(f"{name:<11} {value:.12f}")
    for name, value in (("p50", scores.p50_ms), ("p95", scores.p95_ms), ("p99", scores.p99_ms)):
        click.echo(f"{name:<11} {value:.2f} ms")
    click.echo(f"{'P@1':<11} {scores.p_at_1:.12f}")


@click.command("take-down", help="下架一条答案或一个网址的全部答案，立即生效，今后重建也不再收录。")
@click.argument("key", metavar="编号或网址")
@click.option("--reason", help="下架（或撤销）的原因，留作记录")
@click.option("--undo", is_flag=True, help="撤销下架，答案恢复显示")
@_data
def take_down_command(key: str, reason: str | None, undo: bool, data: Path | None) -> int:
    settings = load_settings({"data": data})
    if not settings.data.is_dir():
        raise click.ClickException(f"数据目录 {settings.data} 不存在；请检查 --data。")
    if undo:
        if not put_back(settings.data, key, terminal_actor(), reason or ""):
            click.echo(f"{key} 没有被下架过。", err=True)
            return 1
        click.echo(f"已撤销下架：{key}。", err=True)
        return 0
    if not key.strip() or not (reason or "").strip():
        raise click.UsageError("请写明要下架的编号或网址，并用 --reason 说明原因。")
    take_down(settings.data, key, str(reason), terminal_actor())
    count = open_engine(settings.data, settings).count_of(key) if served_name(settings.data) else 0
    remark = (
        f"当前一代中有 {count} 条答案因此隐藏。"
        if count
        else "当前一代中没有这个编号或网址的答案；今后建立索引时会跳过它。"
    )
    click.echo(f"已登记下架：{key}。{remark}", err=True)
    return 0


def _engine(data: Path | None) -> Engine:
    settings: Settings = load_settings({"data": data})
    engine = open_engine(settings.data, settings)
    for problem in engine.problems:
        click.echo(f"注意：{problem} 现在使用的是 {engine.generation}。", err=True)
    return engine


commands: Sequence[click.Command] = (
    extract,
    build,
    search,
    evaluate_command,
    *generation_commands,
    compare,
    take_down_command,
    jobs,
    inbox,
    rules,
    lexicon,
    curation,
    trust,
    resources_group,
    vectors,
    *maintenance_commands,
)
