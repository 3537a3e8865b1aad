"""`yiwen lexicon`: look at the lexicon, and add terms after seeing what they change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from indexer.analysis.lexicon import KINDS, read_lexicon
from indexer.engine import open_engine
from indexer.lexicon_preview import Preview, preview, write_terms
from indexer.quality_gate.evaluate import read_qrels, read_queries
from indexer.resources import find_resources
from indexer.settings import load_settings

_SHOWN = 10
_KIND_LABELS = {
    "disease": "疾病",
    "symptom": "症状",
    "drug": "药物",
    "examination": "检查",
    "procedure": "治疗操作",
    "body_part": "身体部位",
    "department": "科室",
    "food": "食物",
    "population": "人群",
    "other": "其他",
}
_resources = click.option("--resources", type=click.Path(path_type=Path), help="资源目录：词表、站点模板、权重")


@click.group("lexicon", help="查看词表；添加词条之前先看会改变什么。")
def lexicon() -> None:
    pass


@lexicon.command("show", help="词条数，或一个词的词条、同义词、上位词和相关词。")
@click.argument("word", metavar="[词]", required=False)
@_resources
def show(word: str | None, resources: Path | None) -> int:
    known = read_lexicon(find_resources(load_settings({"resources": resources}).resources))
    if word is None:
        kinds = Counter(term.kind for term in known.terms.values())
        for kind in KINDS:
            click.echo(f"{_KIND_LABELS[kind]} {kinds[kind]}")
        click.echo(f"共 {len(known.terms)} 个词条，{len(known.names)} 个词。")
        return 0
    term = known.term_of(word)
    if term is None:
        click.echo(f"词表中没有“{word}”。", err=True)
        return 1
    click.echo(f"词条：{term.name}（{_KIND_LABELS[term.kind]}）")
    for label, words in (("同义", term.same), ("上位", term.broader), ("相关", term.related)):
        click.echo(f"{label}：{'、'.join(words) or '无'}")
    return 0


@lexicon.command("add", help="试加一份词表，列出切分和检索结果的变化；确认后加 --apply 保存。")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", type=click.Choice(KINDS), default="other", help="没有写明类别的词算哪一类")
@click.option("--apply", "save", is_flag=True, help="保存到资源目录；重建索引后生效")
@click.option("--data", type=click.Path(path_type=Path), help="数据目录（默认 YIWEN_DATA 或 var）")
@click.option("--queries", type=click.Path(path_type=Path, dir_okay=False), help="评判过的问题（默认语料自带的）")
@click.option("--qrels", type=click.Path(path_type=Path, dir_okay=False), help="评判，TREC qrels 格式")
@_resources
def add(
    file: Path,
    kind: str,
    save: bool,
    data: Path | None,
    queries: Path | None,
    qrels: Path | None,
    resources: Path | None,
) -> None:
    if (queries is None) != (qrels is None):
        raise click.UsageError("--queries 与 --qrels 要一起给出。")
    settings = load_settings({"data": data, "resources": resources})
    folder = find_resources(settings.resources)
    target = folder / "lexicon" / f"{file.stem}.tsv"
    if target.exists():
        raise click.ClickException(f"{target} 已存在；请换一个文件名，或直接修改它。")
    judged, judgements = [], {}
    own = folder.parent / "judgements"
    queries, qrels = queries or own / "queries.jsonl", qrels or own / "qrels.tsv"
    if queries.is_file() and qrels.is_file():
        judged, judgements = read_queries(queries), read_qrels(qrels)
    engine = open_engine(settings.data, settings)
    seen = preview(engine, folder, file, kind, judged, judgements)
    for line in preview_lines(seen):
        click.echo(line)
    if not save:
        click.echo("尚未保存；确认后加 --apply。", err=True)
        return
    write_terms(target, seen.added)
    click.echo(f"已保存到 {target}；运行 yiwen build 重建索引后生效。", err=True)


def preview_lines(seen: Preview) -> list[str]:
    """A preview for reading in a terminal."""
    lines = [
        f"新增 {len(seen.added)} 个词条，已收录而跳过 {len(seen.known)} 个。",
        f"{seen.answers} 条答案中有 {len(seen.cut_otherwise)} 条的切分会改变。",
    ]
    alike = Counter((cut.new, cut.gone) for cut in seen.cut_otherwise)
    example = {(cut.new, cut.gone): cut.answer_id for cut in reversed(seen.cut_otherwise)}
    for (new, gone), count in alike.most_common(_SHOWN):
        words = f"增加：{'、'.join(new) or '无'}  减少：{'、'.join(gone) or '无'}"
        lines.append(f"  {count} 条，例如 {example[new, gone]}  {words}")
    if not seen.questions:
        return [*lines, "没有评判过的问题可供比较；可用 --queries 和 --qrels 指定。"]
    better = [change for change in seen.changed if change.after > change.before]
    worse = [change for change in seen.changed if change.after < change.before]
    lines.append(
        f"{seen.questions} 个评判过的问题：nDCG@10 {seen.ndcg_before:.4f} → {seen.ndcg_after:.4f}，"
        f"变好 {len(better)} 个，变差 {len(worse)} 个。"
    )
    ordered = sorted(seen.changed, key=lambda change: change.after - change.before)
    for change in [*ordered[:_SHOWN], *ordered[_SHOWN:][-_SHOWN:]]:
        lines.append(
            f"  {change.text}：{change.before:.3f} → {change.after:.3f}，新进前十 {len(change.gained)} 条，"
            f"退出前十 {len(change.lost)} 条"
        )
    return lines
