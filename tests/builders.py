"""Small makers of the values that tests need: answers, records, a corpus folder, a generation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.build import BuildReport, build_generation
from indexer.records import Answer, Kind
from indexer.store.base import Postings

#: the resources that are kept with the corpus
RESOURCES = Path(__file__).parents[1] / "corpus" / "resources"


#: three questions and answers, two of them about one illness, for sites of the API's tests
THREE_TEXTS = {
    "面肌痉挛怎么治": "面肌痉挛可以用肉毒素注射治疗，效果一般维持三到六个月。",
    "面肌痉挛有哪些症状": "面肌痉挛的症状是一侧眼皮和嘴角不自主地抽动。",
    "失眠怎么办": "失眠的人睡前不要看手机，定时起床。",
}


def make_answer(id: str = "a1", question: str = "", text: str = "", **known: Any) -> Answer:
    """An answer, as a JSONL record of the same fields gives it; `known` are any further fields of Answer."""
    defaults: dict[str, Any] = {"kind": Kind.DOCTOR_ANSWER if known.get("author") else Kind.ARTICLE, "page": "a.jsonl"}
    return Answer(id=id, question=question, text=text, **{**defaults, **known})


def record_of(answer: Answer) -> dict[str, Any]:
    """The answer as a JSONL record; what is not known is left out."""
    record = {
        "id": answer.id,
        "question": answer.question,
        "answer": answer.text,
        "author": answer.author,
        "date": answer.date,
        "url": answer.url,
        "site": answer.site,
        "topic": answer.topic,
    }
    return {key: value for key, value in record.items() if value is not None}


def write_jsonl(file: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records, one JSON object a line; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(dict(record), ensure_ascii=False) for record in records]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def write_corpus(folder: Path, answers: Iterable[Answer], name: str = "answers.jsonl") -> Path:
    """A corpus folder of one JSONL file that holds these answers; gives the folder."""
    write_jsonl(folder / name, map(record_of, answers))
    return folder


def build_data(folder: Path, answers: Iterable[Answer]) -> Path:
    """A data directory with one more generation, served, of exactly these answers; gives the data directory.

    The corpus stands in `folder`/corpus, the data directory in `folder`/data.
    """
    built(folder, answers)
    return folder / "data"


def built(folder: Path, answers: Iterable[Answer]) -> BuildReport:
    """As `build_data`; gives the build's report."""
    return build_generation(write_corpus(folder / "corpus", answers), folder / "data")


class MemoryStore:
    """A source of terms in plain dictionaries, of documents given as field -> terms."""

    def __init__(self, documents: Sequence[Mapping[str, Sequence[str]]]) -> None:
        self._documents = documents
        self.document_count = len(documents)

    def postings(self, field: str, term: str) -> Postings:
        """Where the term stands."""
        counts = [Counter(document.get(field, ()))[term] for document in self._documents]
        holders = [number for number, count in enumerate(counts) if count]
        return Postings(np.array(holders, np.int32), np.array([counts[number] for number in holders], np.float32))

    def lengths(self, field: str) -> NDArray[np.int32]:
        """Number of terms in the field."""
        return np.array([len(document.get(field, ())) for document in self._documents], np.int32)
