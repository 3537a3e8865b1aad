"""What is written at native speed is an index of Whoosh's own: its bytes, read, searched and changed by it alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import RESOURCES, make_answer
from store_builders import plain_analyzer, write_index
from whoosh import index, query, scoring
from whoosh.fields import Schema

from indexer.opened import open_generation
from indexer.ranking.fast_bm25 import FastBm25
from indexer.records import Answer
from indexer.resources import read_ranking_weights
from indexer.store.impacts import Impacts
from indexer.store.whoosh_store import WhooshStore
from indexer.store.whoosh_writer import EXACT_FIELDS, WORD_FIELDS, record_of, schema

#: more than one of Whoosh's blocks of postings, which hold 128; different lengths, frequencies, sites and addresses
ANSWERS = [
    make_answer(
        f"s{number}",
        f"面肌痉挛{'怎么办' * (number % 3)}",
        "面肌痉挛，" * (number % 40 + 1) + f"病程{number}个月" + ("，ct检查正常" if number % 2 else ""),
        url=f"http://a.example/{number // 3}" if number % 5 else None,
        site=("甲", "乙", None)[number % 3],
    )
    for number in range(400)
]


def by_whoosh_itself(folder: Path, answers: Iterable[Answer]) -> Path:
    """The same index, written by Whoosh's own writer document by document."""
    folder.mkdir()
    made: Schema = schema()
    writer = index.create_in(str(folder), made).writer(compound=False)
    for answer in answers:
        words = {
            field: list(plain_analyzer().terms(text).words)
            for field, text in zip(WORD_FIELDS, (answer.question, answer.text), strict=True)
        }
        exact = {name: getattr(answer, name) for name in EXACT_FIELDS}
        writer.add_document(record=record_of(answer), **exact, **words)
    writer.commit()
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_index(tmp_path_factory.mktemp("written"), ANSWERS) / "whoosh"


def test_every_file_has_the_bytes_that_whoosh_would_have_written(written: Path, tmp_path: Path) -> None:
    own = by_whoosh_itself(tmp_path / "own", ANSWERS)

    def contents(folder: Path) -> dict[str, bytes]:
        """By the names without the segment's random part; the table of contents names that part inside."""
        return {file.name.split(".", 1)[1]: file.read_bytes() for file in folder.glob("MAIN_*.*")}

    assert len(contents(own)) >= 5
    assert contents(written) == contents(own)


def test_whoosh_finds_deletes_and_adds_in_it_by_itself(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "index", ANSWERS, max_documents=150) / "whoosh"
    opened = index.open_dir(str(folder))
    with opened.searcher() as searcher:
        assert len(searcher.search(query.Term("answer_words", "ct"), limit=None)) == 200
        assert "病程17个月" in searcher.document(id="s17")["record"]
    writer = opened.writer()
    assert writer.delete_by_term("id", "s17") == 1
    writer.add_document(id="new", record="{}", answer_words=["ct", "面肌痉挛"])
    writer.commit(optimize=True)
    with opened.searcher() as searcher:
        assert len(searcher.search(query.Term("answer_words", "ct"), limit=None)) == 200
        assert searcher.document(id="s17") is None and searcher.document(id="new") is not None
        assert searcher.doc_count() == 400


def test_the_postings_are_those_of_the_arrays(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "index", ANSWERS, max_documents=150)
    whoosh, arrays = WhooshStore(folder / "whoosh"), Impacts(folder / "impacts")
    for field in WORD_FIELDS:
        words = [text.decode() for text in index.open_dir(str(folder / "whoosh")).reader().lexicon(field)]
        assert len(words) >= 5
        for word in words:
            mine, theirs = arrays.postings(field, word), whoosh.postings(field, word)
            assert mine.documents.tolist() == theirs.documents.tolist()
            assert mine.frequencies.tolist() == theirs.frequencies.tolist()


class _WhooshLengths(Impacts):
    """The arrays of one generation with the field lengths that Whoosh reads back from one byte each."""

    def __init__(self, folder: Path, lengths: Sequence[np.ndarray]) -> None:
        super().__init__(folder)
        (segment,) = self.segments
        segment.lengths[0] = np.column_stack(lengths)


@pytest.mark.parametrize("part", [0, 1])
def test_with_whooshs_lengths_the_scores_are_those_of_its_own_bm25f(demonstration: Path, part: int) -> None:
    """Whoosh's BM25F sums over fields one by one, so each is asked alone; its idf is its own too."""
    name = (demonstration / "CURRENT").read_text(encoding="utf-8").strip()
    folder = demonstration / "generations" / name
    store = WhooshStore(folder / "whoosh")
    field, k1, b = WORD_FIELDS[part], 1.2, 0.75
    reader = index.open_dir(str(folder / "whoosh")).reader()
    arrays = _WhooshLengths(folder / "impacts", [store.lengths(each) for each in WORD_FIELDS])
    weights = replace(read_ranking_weights(RESOURCES), k1=k1, b=b, question=1.0 - part, answer=1.0 * part)
    arrays.averages[0] = reader.field_length(field) / reader.doc_count_all()
    fast = FastBm25(arrays, weights)
    analyzer = open_generation(demonstration, name).analyzer
    with index.open_dir(str(folder / "whoosh")).searcher(weighting=scoring.BM25F(B=b, K1=k1)) as searcher:
        for question in ("面肌痉挛怎么治", "高血压 饮食", "孩子发烧39度抽搐怎么办", "失眠吃什么药"):
            words = list(dict.fromkeys(analyzer.terms(question).words))
            weighed = fast.weigh("words", dict.fromkeys(words, 1.0))
            for i, word in enumerate(words):  # Whoosh's idf, of one field: ln(N / (n + 1)) + 1
                n = reader.doc_frequency(field, word)
                weighed.weights[i] = math.log(reader.doc_count_all() / (n + 1)) + 1 if n else 0.0
            scores = fast.scored({"words": weighed}, np.arange(arrays.document_count)).parts[:, 0]
            found = list(searcher.search(query.Or([query.Term(field, word) for word in words]), limit=20))
            assert len(found) == 20
            best = np.lexsort((np.arange(len(scores)), -scores))[:20]
            assert [hit.score for hit in found] == pytest.approx(scores[best].tolist(), rel=1e-6)
            assert [scores[hit.docnum] for hit in found] == pytest.approx(scores[best].tolist(), rel=1e-6)


def test_the_answers_come_back(written: Path) -> None:
    store = WhooshStore(written)
    assert [store.answer(number) for number in (0, 17, 399)] == [ANSWERS[number] for number in (0, 17, 399)]
