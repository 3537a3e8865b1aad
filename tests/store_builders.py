"""What tests of the index side need besides `builders`: files, damage, indexes without a corpus, real processes."""

from __future__ import annotations

import atexit
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from builders import RESOURCES, make_answer

from indexer.analysis.analyzer import Analyzer
from indexer.analysis.aspects import load_aspects
from indexer.analysis.lexicon import Term, make_lexicon
from indexer.analysis.question import load_question_rules
from indexer.analysis.segment import Segmenter, make_segmenter
from indexer.indexing import analysis_of
from indexer.records import Answer
from indexer.resources import RankingWeights, read_ranking_weights
from indexer.store import generations
from indexer.store.base import PARTS, TERM_KINDS, field_name
from indexer.store.generations import Manifest
from indexer.store.impact_writer import MAX_DOCUMENTS
from indexer.store.impacts import Impacts, finish
from indexer.store.index_writer import Analysis, IndexWriter, NewAnswer, segment_name, write_arrays
from indexer.store.whoosh_store import WhooshStore

ROOT = Path(__file__).parents[1]
#: only a guard against a process that hangs
PATIENCE_SECONDS = 300
_PLACES = ("眼皮", "嘴角", "脸颊", "下巴", "额头", "鼻翼", "颧骨", "耳前")


def spasm_answers(count: int) -> list[Answer]:
    """Different answers that all hold 面肌痉挛; ids s0, s1, …"""
    return [
        make_answer(
            f"s{number}",
            f"面肌痉挛跳到{_PLACES[number % len(_PLACES)]}了怎么办",
            f"面肌痉挛累及{_PLACES[number % len(_PLACES)]}，病程 {number + 1} 个月时可以复诊。",
        )
        for number in range(count)
    ]


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write these files, text as UTF-8; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def flip_bit(file: Path, position: int = 0) -> None:
    """Change one bit, counted from the start of the file; its size stays."""
    content = bytearray(file.read_bytes())
    content[position // 8] ^= 1 << position % 8
    file.write_bytes(content)


@lru_cache(maxsize=1)
def plain_segmenter() -> Segmenter:
    """jieba with a lexicon of three words."""
    return make_segmenter(make_lexicon([Term("面肌痉挛", same=("面肌抽搐",)), Term("肌痉")]))


@lru_cache(maxsize=1)
def plain_analyzer() -> Analyzer:
    """The analyzer with that lexicon."""
    lexicon = plain_segmenter().lexicon
    return Analyzer(plain_segmenter(), lexicon, load_question_rules(RESOURCES), load_aspects(RESOURCES))


def terms_of(texts: Sequence[tuple[str, str]]) -> list[dict[str, Sequence[str]]]:
    """The terms of each answer by field, as reference.py wants them."""
    return [
        {
            field_name(part, kind): getattr(plain_analyzer().terms(text), kind)
            for part, text in zip(PARTS, both, strict=True)
            for kind in TERM_KINDS
        }
        for both in texts
    ]


def plain_analysis(folder: Path | None = None) -> Analysis:
    """What texts become with that lexicon, wherever."""
    return analysis_of(plain_analyzer())


@contextmanager
def impacts_of(
    texts: Sequence[tuple[str, str]], max_documents: int = MAX_DOCUMENTS, weights: RankingWeights | None = None
) -> Iterator[Impacts]:
    """The arrays of answers with these questions and texts."""
    with tempfile.TemporaryDirectory() as folder:
        names: list[str] = []
        answers = [make_answer(f"a{number}", *both) for number, both in enumerate(texts)]
        for start in range(0, len(texts), max_documents):
            names.append(segment_name(len(names)))
            spool = Path(folder) / "answers"
            with open(spool, "wb") as out:
                for answer in answers[start : start + max_documents]:
                    pickle.dump(NewAnswer(answer, 0), out)
            write_arrays(Path(folder), names[-1], spool, plain_analysis())
        finish(Path(folder), names, weights or read_ranking_weights(RESOURCES))
        yield Impacts(Path(folder))


def write_index(
    folder: Path, answers: Iterable[Answer], max_documents: int = MAX_DOCUMENTS, fold_keys: Sequence[int] = ()
) -> Path:
    """An index of these answers, written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = IndexWriter(folder, plain_analysis, read_ranking_weights(RESOURCES), MAX_DOCUMENTS)
    writer.max_documents = max_documents
    for number, answer in enumerate(answers):
        writer.add(answer, fold_keys[number] if fold_keys else 0)
    writer.commit()
    return folder


def whoosh_store(folder: Path, answers: Iterable[Answer]) -> WhooshStore:
    """The answers of an index, written to `folder` and opened."""
    return WhooshStore(write_index(folder, answers) / "whoosh")


def sealed(data: Path, files: Mapping[str, str | bytes], parent: str | None = None) -> Manifest:
    """A generation of any files, finished but not served."""
    draft = generations.begin(data)
    write_files(draft.folder, files)
    facts: dict[str, Any] = {
        "created": "2020-01-01T00:00:00Z",
        "parent": parent,
        "corpus": "/语料",
        "counts": {"answers": 1},
        "resources": "0",
        "code_version": "0",
        "objections": [],
        "collected": {},
    }
    return generations.seal(draft, facts)


@lru_cache(maxsize=1)
def small_resources() -> Path:
    """The corpus's resources with the first terms of each lexicon file only, which a process loads a second sooner."""
    folder = Path(tempfile.mkdtemp(prefix="yiwen-test-")) / "resources"
    atexit.register(shutil.rmtree, folder.parent)
    shutil.copytree(RESOURCES, folder)
    for file in (folder / "lexicon").glob("*.tsv"):
        file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:200]), encoding="utf-8")
    return folder


def yiwen(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own, untouched by settings of whoever runs the tests."""
    command = Path(sys.executable).with_name("yiwen")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YIWEN_")}
    return subprocess.run(
        [command, *arguments],
        cwd=cwd,
        env={
            **environment,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "YIWEN_RESOURCES": str(small_resources()),
        },
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
