"""What tests of the index side need besides `builders`: files, damage, indexes without a corpus, real processes."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from builders import RESOURCES, make_answer

from indexer.analysis.analyzer import Terms
from indexer.records import Answer
from indexer.store import generations
from indexer.store.base import AnalyzedAnswer
from indexer.store.generations import Manifest
from indexer.store.whoosh_store import WhooshStore, WhooshWriter

ROOT = Path(__file__).parents[1]
#: only a guard against a process that hangs
PATIENCE_SECONDS = 120
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


def analyzed_answer(
    answer: Answer, question: Terms | None = None, text: Terms | None = None, fold_key: int = 0
) -> AnalyzedAnswer:
    """An answer with terms chosen freely."""
    nothing = Terms((), (), ())
    return AnalyzedAnswer(answer, question or nothing, text or nothing, fold_key)


def whoosh_store(folder: Path, documents: Iterable[AnalyzedAnswer]) -> WhooshStore:
    """A Whoosh index of these documents, written to `folder` and opened."""
    writer = WhooshWriter(folder)
    for document in documents:
        writer.add(document)
    writer.commit()
    return WhooshStore(folder)


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
