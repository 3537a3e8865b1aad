"""What the engine makes of a question, step by step, for whoever tunes it.

    python scripts/explain_query.py 面肌痉挛怎么治 [--data DIR] [--limit 5]

Prints what was understood, what is searched for with which weight, and of the first results every feature (0 to 1, as
ranking/features.py has them) with the place that plain retrieval gave them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from indexer import open_engine
from indexer.engine import Engine
from indexer.errors import IndexerError
from indexer.ranking.features import FEATURES
from indexer.records import Hit, SearchResult
from indexer.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--limit", type=int, default=5)
    chosen = parser.parse_args(arguments)
    try:
        engine = open_engine(chosen.data or load_settings({}).data)
        result = engine.search(chosen.question, chosen.limit)
        retrieved = {id_: place for place, (id_, _) in enumerate(engine.retrieve(chosen.question, 1000, plain=True), 1)}
        print("\n".join([*understood(engine, result), *(explained(hit, retrieved) for hit in result.hits)]))
    except IndexerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def understood(engine: Engine, result: SearchResult) -> list[str]:
    """The question as it was read."""
    terms = engine.understood(result.query.text).terms
    weighed = zip(terms.text, terms.weights, strict=True)
    marked = "".join(letter if weight == 1 else f"{letter}({weight:g})" for letter, weight in weighed)
    people, counts = "、".join(terms.populations), result.aspect_counts.items()
    return [
        f"问题        {result.query.text}" + (f"，按“{result.corrected}”搜索" if result.corrected else ""),
        f"各字的权重  {marked}",
        f"主题        {result.entity or '未识别'}；方面 {'、'.join(result.aspects) or '不明'}；人群 {people or '不限'}",
        f"提到的词    {'、'.join(f'{each.surface}={each.name}' for each in terms.mentions) or '无'}",
        f"要点        {'、'.join(terms.content_words)}；没有结果提到：{'、'.join(result.unmatched) or '无'}",
        f"急症卡片    {result.urgency.title if result.urgency else '无'}",
        f"直接答案    {result.answer.text if result.answer else '无'}",
        f"结果        {result.total} 条；{'、'.join(f'{aspect} {count}' for aspect, count in counts)}",
    ]


def explained(hit: Hit, retrieved: Mapping[str, int]) -> str:
    """How a result came to its place."""
    answer = hit.answer
    shown = [f"{one.label} {hit.features[one.name]:.2f}" for one in FEATURES if one.name in hit.features]
    flaws = "、".join(fact.flaw.label for fact in answer.quality)
    return (
        f"\n{hit.rank}. {hit.score:.3f}（检索第 {retrieved.get(answer.id, 0)} 名） {answer.question}\n"
        f"   {answer.id}  {answer.kind.value}  {answer.site or '来源不明'}  {flaws or '无瑕疵'}\n   {'，'.join(shown)}"
    )


if __name__ == "__main__":
    sys.exit(main())
