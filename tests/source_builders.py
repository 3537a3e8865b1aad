"""Sources of the demonstration corpus for tests, and runs of scripts/make_corpus.py over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import make_corpus
import pytest
import yaml

PARAGRAPHS = ["示例病的第一段。", {"h": "一、小标题："}, "示例病的第二段。"]


def article(site: str, page_id: str = "sample-page", **changes: Any) -> dict[str, Any]:
    """The source of an article page."""
    related = [
        {"question": "问题一？", "answer": "回答一。", "date": "2023-05-14"},
        {"question": "问题二？", "answer": "回答二。", "date": "2023-05-15"},
    ]
    shown = {"author": "林示例", "date": "2023-05-14T09:12:40", "views": 128, "body": PARAGRAPHS, "related": related}
    return {"id": page_id, "site": site, "title": "示例病怎么办？"} | shown | changes


def question(page_id: str = "sample-question", **changes: Any) -> dict[str, Any]:
    """The source of a consultation page."""
    answers = [
        {"author": "周甲", "author_title": "主治医师", "date": "2021-03-02T20:15:00", "likes": 6, "text": "甲的回答。"},
        {"author": "郑乙", "author_title": "主任医师", "date": "2021-03-03", "likes": 9, "text": "乙的回答。"},
    ]
    asked = {"asked": "不舒服三天了。请问怎么办？", "asked_date": "2021-03-02", "answers": answers}
    return {"id": page_id, "site": "html-qa", "title": "示例病挂什么科？"} | asked | changes


def write_source(corpus: Path, *pages: dict[str, Any], file: str = "sample.yaml") -> Path:
    """Writes one source file and returns the corpus folder."""
    (corpus / "source").mkdir(parents=True, exist_ok=True)
    data = {"topic": "示例病", "department": "示例科", "pages": list(pages)}
    (corpus / "source" / file).write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return corpus


def run(corpus: Path, *options: str) -> int:
    """The script's exit status."""
    return make_corpus.main(["--corpus", str(corpus), *options])


def labels(corpus: Path) -> list[dict[str, Any]]:
    """All labels, in file order."""
    return [json.loads(line) for line in (corpus / "labels.jsonl").read_text(encoding="utf-8").splitlines()]


def made(corpus: Path, page_id: str) -> tuple[dict[str, Any], str]:
    """Label and decoded text of one page, after a run."""
    assert run(corpus) == 0
    label = next(label for label in labels(corpus) if Path(label["path"]).stem == page_id)
    return label, (corpus / label["path"]).read_bytes().decode(label["encoding"])


def refusal(corpus: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the script says when it refuses the source; it must not have written anything."""
    assert run(corpus) == 1
    assert not (corpus / "raw").exists()
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1 and message.endswith(".")
    return message
