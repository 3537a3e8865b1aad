"""The judged sets whose quality is held, and how all of them are measured: for check_quality.py and pin_quality.py.

The own sets are the judgements of the demonstration corpus, as typed and in each other spelling. The public sets are
research data that is no part of the repository; they are measured where ../shared/eval holds them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from indexer.build import build_generation
from indexer.engine import open_engine
from indexer.errors import EvaluationError, cause_of
from indexer.quality_gate.evaluate import JudgedQuery, QueryScore, average, evaluate_each, read_qrels, read_queries
from indexer.quality_gate.floors import Floor, read_floors
from indexer.quality_gate.release import DECIMALS, Release, read_release
from indexer.quality_gate.significance import Comparison, compare
from indexer.resources import find_resources, fingerprint
from indexer.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"
EVAL = ROOT.parent / "shared" / "eval"
WORK = ROOT / "var" / "quality"
FLOORS = CORPUS / "judgements" / "floors.toml"
RELEASE = CORPUS / "judgements" / "release.tsv"
SPELLINGS = ("colloquial", "traditional", "misspelt", "pinyin")
PUBLIC = ("patient_questions", "long_questions", "web_queries", "title_queries")


@dataclass(frozen=True)
class JudgedSet:
    """Questions over one corpus, of one spelling."""

    name: str
    corpus: Path
    queries: Path
    qrels: Path
    spelling: str | None = None
    measures: tuple[str, ...] = ("ndcg_at_10",)  #: those with a floor

    def questions(self) -> list[JudgedQuery]:
        """Those of its spelling."""
        return [query for query in read_queries(self.queries) if query.spelling == self.spelling]


@dataclass(frozen=True)
class Measured:
    """What a set scored: question -> nDCG@10, in the decimals of release.tsv, and the means of the exact values."""

    scores: Mapping[str, float]
    means: Mapping[str, float]


def own_sets() -> list[JudgedSet]:
    """Over the demonstration corpus. P@1 has a floor here only: elsewhere too few answers are judged."""

    def own(name: str, folder: Path, spelling: str | None = None) -> JudgedSet:
        queries, qrels = folder / "queries.jsonl", folder / "qrels.tsv"
        return JudgedSet(name, CORPUS, queries, qrels, spelling, ("ndcg_at_10", "p_at_1"))

    judgements = CORPUS / "judgements"
    twins = [own(f"own_{spelling}", judgements, spelling) for spelling in SPELLINGS]
    return [own("own", judgements), *twins, own("own_held_out", judgements / "held_out")]


def public_sets(folder: Path) -> tuple[list[JudgedSet], list[str]]:
    """Those that are there, and a sentence for each that is not."""
    found, missing = [], []
    for name in PUBLIC:
        corpus, queries, qrels = (folder / name / file for file in ("corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"))
        absent = next((file for file in (corpus, queries, qrels) if not file.is_file()), None)
        if absent is None:
            found.append(JudgedSet(name, corpus, queries, qrels))
        else:
            missing.append(f"跳过 {name}：没有 {absent}。")
    return found, missing


def pinned_floors_and_release() -> tuple[dict[str, Floor], Release]:
    """What the checkout holds; nothing where nothing was pinned yet."""
    floors = read_floors(FLOORS) if FLOORS.exists() else {}
    release = read_release(RELEASE) if RELEASE.exists() else Release("0", "", {})
    return floors, release


def measured_sets(sets: Sequence[JudgedSet], work: Path, jobs: int) -> dict[str, Measured]:
    """Build each corpus once and ask all its questions; what comes out is kept in `work` for `measured_before`.

    Corpora are measured side by side, since a measurement is one process that waits for nothing.
    """
    corpora = list(dict.fromkeys(one.corpus for one in sets))
    measured: dict[str, Measured] = {}
    work.mkdir(parents=True, exist_ok=True)
    keys = {one.name: key_of(one) for one in sets}
    # Spawned, not forked: a fork would copy locks of whatever threads the caller has.
    with ProcessPoolExecutor(min(jobs, len(corpora)) or 1, get_context("spawn")) as pool:
        futures = [
            pool.submit(measured_corpus, corpus, [one for one in sets if one.corpus == corpus], work, jobs)
            for corpus in corpora
        ]
        for future in futures:
            found = future.result()
            print(f"已测量：{'、'.join(found)}。", file=sys.stderr)
            measured |= found
    _keep(work, keys, measured)
    return {one.name: measured[one.name] for one in sets}


def measured_corpus(corpus: Path, sets: Sequence[JudgedSet], work: Path, jobs: int) -> dict[str, Measured]:
    """One corpus, built in a folder that goes when its sets are measured."""
    settings = Settings(workers=1 if jobs > 1 else 0)
    with TemporaryDirectory(dir=work) as folder:
        build_generation(corpus, Path(folder), settings)
        engine = open_engine(folder, settings)
        return {one.name: _measured(evaluate_each(engine, one.questions(), read_qrels(one.qrels))) for one in sets}


def _measured(rows: Sequence[QueryScore]) -> Measured:
    means = average(rows)
    scores = {row.id: round(row.ndcg_at_10, DECIMALS) for row in rows}
    return Measured(scores, {"ndcg_at_10": means.ndcg_at_10, "p_at_1": means.p_at_1})


def key_of(one: JudgedSet) -> str:
    """SHA-256 over what its figures follow from: engine, this file, locked dependencies, resources, data."""
    pages = (one.corpus / "raw").rglob("*") if one.corpus.is_dir() else [one.corpus]
    digest = hashlib.sha256(fingerprint(find_resources()).encode())
    program = [*(ROOT / "indexer").rglob("*.py"), Path(__file__).resolve(), ROOT / "requirements" / "run.txt"]
    files = [*program, *pages, one.queries, one.qrels]
    for file in sorted(file for file in files if file.is_file()):
        digest.update(f"{file}\0{one.spelling}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def measured_before(sets: Iterable[JudgedSet], work: Path) -> dict[str, Measured]:
    """What the last measurements in `work` found of those sets for which nothing has changed since."""
    kept = _kept(work)
    return {
        one.name: Measured(kept[one.name]["scores"], kept[one.name]["means"])
        for one in sets
        if one.name in kept and kept[one.name]["key"] == key_of(one)
    }


def _kept(work: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads((work / "measured.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or it was cut off: measure anew
        return {}
    return kept


def _keep(work: Path, keys: Mapping[str, str], measured: Mapping[str, Measured]) -> None:
    new = {name: {"key": keys[name], **asdict(found)} for name, found in measured.items()}
    write_whole(work / "measured.json", json.dumps(_kept(work) | new))


def write_whole(file: Path, text: str) -> None:
    """All of it or nothing."""
    try:
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, file)
    except OSError as error:
        raise EvaluationError(f"{file} 无法写入：{cause_of(error)}。") from error


def compared(measured: Measured, released: Mapping[str, float]) -> Comparison | None:
    """With the release, over the questions that both have; None when there is none."""
    common = [question for question in measured.scores if question in released]
    if not common:
        return None
    return compare([measured.scores[each] for each in common], [released[each] for each in common])


def worse_than_release(name: str, comparison: Comparison, measured: Measured, release: Release) -> str:
    """The sentence about a set that is significantly worse."""
    now = measured.means["ndcg_at_10"]
    return (
        f"{name} 的 nDCG@10 比 {release.version}（{release.date}）显著变差：现为 {now:.4f}，"
        f"平均相差 {comparison.difference:+.4f}（95 % 区间 {comparison.low:+.4f} 至 {comparison.high:+.4f}，"
        f"p = {comparison.p:.4f}），{comparison.wins} 个问题变好，{comparison.losses} 个变差。"
    )


def parser(description: str) -> argparse.ArgumentParser:
    """With the options that both scripts have."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--eval", type=Path, default=EVAL, help="folder of the public sets (default ../shared/eval)")
    options.add_argument("--work", type=Path, default=WORK, help="where indexes lie while they are measured")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="corpora measured side by side")
    return options
