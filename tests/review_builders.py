"""A generation of made-up pages for tests of the quality desk: flaws as cleaning writes them, without a build."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from store_builders import sealed

from indexer.store.generations import serve


def fact(flaw: str, evidence: str) -> dict[str, str]:
    """A flaw of an answer."""
    return {"flaw": flaw, "evidence": evidence}


def answer(id: str, question: str = "面肌痉挛怎么治", text: str = "去看神经内科。", **known: Any) -> dict[str, Any]:
    """An answer as `pages.jsonl` has it."""
    return {"id": id, "question": question, "text": text, "site": "a.example", "quality": [], **known}


def page(path: str, answers: Iterable[Mapping[str, Any]], **known: Any) -> dict[str, Any]:
    """A page as `pages.jsonl` has it."""
    return {
        "path": path,
        "title": "面肌痉挛",
        "text": "去看神经内科。",
        "is_record": True,
        "removed": [],
        "answers": [*answers],
        **known,
    }


def generation_of(data: Path, pages: Iterable[Mapping[str, Any]]) -> str:
    """Seal and serve a generation of nothing but these pages; gives its name."""
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in pages)
    name = sealed(data, {"pages.jsonl": lines}).generation
    serve(data, name)
    return name
