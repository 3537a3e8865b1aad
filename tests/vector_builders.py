"""Generations of a few answers with all that vectors are made of, in a fraction of a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from builders import make_answer
from store_builders import write_index

from indexer.meaning.passages import passages_of
from indexer.records import Answer
from indexer.store import generations
from indexer.store.generations import Manifest

_ILLS = ("面肌痉挛", "偏头痛", "失眠", "胃炎", "高血压", "湿疹", "颈椎病", "贫血")


def long_answers(count: int, first: int = 0) -> list[Answer]:
    """Different answers of one to four passages; ids v0, v1, …"""
    return [
        make_answer(
            f"v{number}",
            f"{_ILLS[number % len(_ILLS)]}怎么治",
            f"第{number}个病例：{_ILLS[number % len(_ILLS)]}。"
            + f"第{number}个人多休息，少生气，按时吃药，过一个月复诊。" * (number % 4 * 8),
        )
        for number in range(first, first + count)
    ]


def indexed(data: Path, answers: Iterable[Answer], serve: bool = True) -> str:
    """A generation that holds these answers, sealed and served; gives its name."""
    draft = generations.begin(data)
    write_index(draft.folder, answers)
    facts: dict[str, Any] = {
        "created": "2020-01-01T00:00:00Z",
        "parent": None,
        "corpus": "/语料",
        "counts": {"answers": 1},
        "resources": "0",
        "code_version": "0",
        "objections": [],
        "collected": {},
    }
    manifest: Manifest = generations.seal(draft, facts)
    if serve:
        generations.serve(data, manifest.generation)
    return manifest.generation


def passages(answers: Iterable[Answer]) -> list[str]:
    """All passages of these answers, in order."""
    return [text for answer in answers for text in passages_of(answer.question, answer.text)]


def arrays(data: Path, generation: str) -> dict[str, bytes]:
    """The bytes of each array of a generation's vectors."""
    folder = data / "generations" / generation / "vectors"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.npy"))}
