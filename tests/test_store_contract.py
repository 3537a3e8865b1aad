"""What every store promises (indexer/store/base.py), kept by the one on Whoosh."""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from builders import make_answer
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import PATIENCE_SECONDS, analyzed_answer, spasm_answers, whoosh_store

from indexer.analysis.analyzer import Terms
from indexer.records import Answer
from indexer.store.base import PARTS, TERM_KINDS, AnalyzedAnswer, Store, field_name

FIELDS = {field_name(part, kind): (part, kind) for part in PARTS for kind in TERM_KINDS}
SITE = "健康之家·问答"
URL = "https://www.example.com/问答/a.html?id=1&page=2#答案"
#: more than one of Whoosh's blocks of postings, which hold 128
MANY = 400

terms = st.lists(st.sampled_from(["面肌", "痉挛", "ct", "39.5", "两 词"]) | st.text(min_size=1, max_size=3), max_size=6)
analysed = st.builds(Terms, *(terms.map(tuple) for _ in TERM_KINDS))
filled = st.text(min_size=1, max_size=12)
answers = st.lists(
    st.builds(
        Answer,
        id=filled,
        author=...,
        date=...,
        url=st.none() | st.sampled_from([URL, URL[:-1], "http://a/"]) | filled,
        site=st.none() | st.sampled_from([SITE, "健康之家", "问答"]) | filled,
        topic=...,
        views=...,
        likes=...,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda answer: answer.id,
)


def terms_of(document: AnalyzedAnswer, field: str) -> Sequence[str]:
    part, kind = FIELDS[field]
    found: Sequence[str] = getattr(document.question if part == "question" else document.text, kind)
    return found


def counted(documents: Sequence[AnalyzedAnswer], field: str, term: str) -> list[tuple[int, int]]:
    """What postings should be, counted the plain way."""
    counts = [(number, Counter(terms_of(document, field))[term]) for number, document in enumerate(documents)]
    return [(number, count) for number, count in counts if count]


def postings_of(store: Store, field: str, term: str) -> list[tuple[int, int]]:
    found = store.postings(field, term)
    return list(zip(found.documents.tolist(), found.frequencies.tolist(), strict=True))


def random_documents(count: int) -> list[AnalyzedAnswer]:
    rng = random.Random(20)
    vocabulary = [chr(ord("一") + number) * length for number in range(300) for length in (1, 2)]
    return [
        analyzed_answer(answer, text=Terms(tuple(rng.choices(vocabulary, k=60)), (), ()))
        for answer in spasm_answers(count)
    ]


def words_of(documents: Sequence[AnalyzedAnswer]) -> dict[str, list[tuple[int, int]]]:
    """Each word with its postings, counted the plain way."""
    expected: dict[str, list[tuple[int, int]]] = {}
    for number, document in enumerate(documents):
        for word, count in Counter(document.text.words).items():
            expected.setdefault(word, []).append((number, count))
    return expected


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can, so that they meet inside of whatever they share."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture(scope="module")
def documents() -> list[AnalyzedAnswer]:
    return random_documents(MANY)


@pytest.fixture
def store(documents: list[AnalyzedAnswer], tmp_path: Path) -> Store:
    """A store that has read nothing yet."""
    return whoosh_store(tmp_path / "index", documents)


@given(st.lists(st.tuples(analysed, analysed), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_postings_and_lengths_are_a_plain_count_of_the_terms(drawn: list[tuple[Terms, Terms]]) -> None:
    documents = [
        analyzed_answer(make_answer(f"a{number}"), question, text) for number, (question, text) in enumerate(drawn)
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = whoosh_store(Path(folder) / "index", documents)
        for field in FIELDS:
            vocabulary = {term for document in documents for term in terms_of(document, field)}
            for term in {*vocabulary, "面肌", "没有的词"}:
                assert postings_of(store, field, term) == counted(documents, field, term)
            assert store.lengths(field).tolist() == [len(terms_of(document, field)) for document in documents]


def test_a_term_in_every_one_of_many_documents_is_found_in_each(tmp_path: Path) -> None:
    documents = [
        analyzed_answer(answer, text=Terms(("面肌",) * (number % 7 + 1), (), ()))
        for number, answer in enumerate(spasm_answers(MANY))
    ]
    store = whoosh_store(tmp_path / "index", documents)
    assert postings_of(store, "answer_words", "面肌") == [(number, number % 7 + 1) for number in range(MANY)]


@pytest.mark.parametrize("length", [0, 1, 127, 255, 256, 1000, 70_000])
def test_a_length_is_exact_however_long_the_text(tmp_path: Path, length: int) -> None:
    documents = [
        analyzed_answer(make_answer("a1"), text=Terms((), (), ("痛",) * length)),
        analyzed_answer(make_answer("a2"), text=Terms((), (), ("痛",) * (length + 1))),
    ]
    store = whoosh_store(tmp_path / "index", documents)
    assert store.lengths("answer_characters").tolist() == [length, length + 1]
    assert store.postings("answer_characters", "痛").frequencies.tolist() == [n for n in (length, length + 1) if n]


def test_a_term_or_a_field_that_is_not_there_has_no_postings(store: Store) -> None:
    assert postings_of(store, "answer_words", "没有这个词") == []
    assert postings_of(store, "no_such_field", "一") == []


def test_a_term_of_one_field_is_not_found_in_another(tmp_path: Path) -> None:
    store = whoosh_store(tmp_path / "index", [analyzed_answer(make_answer("a1"), question=Terms(("头痛",), (), ()))])
    found = {field for field in FIELDS if postings_of(store, field, "头痛")}
    assert found == {"question_words"}


def test_ids_and_fold_keys_stand_in_the_order_of_the_documents(tmp_path: Path) -> None:
    keys = [7, 0, 2**64 - 1, 7]
    documents = [analyzed_answer(make_answer(id), fold_key=key) for id, key in zip("丙甲丁乙", keys, strict=True)]
    store = whoosh_store(tmp_path / "index", documents)
    assert store.document_count == 4
    assert list(store.ids()) == ["丙", "甲", "丁", "乙"]
    assert store.fold_keys().tolist() == keys and store.fold_keys().dtype == np.uint64


@given(answers)
@settings(max_examples=40, deadline=None)
def test_an_answer_comes_back_as_it_was_and_is_found_by_its_exact_values(answers: list[Answer]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = whoosh_store(Path(folder) / "index", map(analyzed_answer, answers))
        assert [store.answer(number) for number in range(store.document_count)] == answers
        for field in ("id", "url", "site"):
            values = [getattr(answer, field) for answer in answers]
            for value in {value for value in values if value is not None}:
                equal = [number for number, other in enumerate(values) if other == value]
                assert store.documents_with(field, value).tolist() == equal


@pytest.mark.parametrize(
    ("field", "part_of_value"),
    [("site", "健康之家"), ("site", "问答"), ("site", SITE + " "), ("url", URL[:-1]), ("url", "example"), ("id", "A1")],
)
def test_a_part_of_a_value_or_another_case_finds_nothing(tmp_path: Path, field: str, part_of_value: str) -> None:
    answer = make_answer("a1", url=URL, site=SITE)
    store = whoosh_store(tmp_path / "index", [analyzed_answer(answer)])
    assert store.documents_with(field, getattr(answer, field)).tolist() == [0]
    assert store.documents_with(field, part_of_value).tolist() == []


@pytest.mark.usefixtures("restless")
def test_many_threads_that_share_a_store_read_what_one_reads(store: Store, documents: list[AnalyzedAnswer]) -> None:
    expected = words_of(documents)
    together = threading.Barrier(8)

    def read(seed: int) -> int:
        order = random.Random(seed).sample(sorted(expected), len(expected))
        together.wait(PATIENCE_SECONDS)
        for number, word in enumerate(order):
            assert postings_of(store, "answer_words", word) == expected[word]
            answer = documents[number % MANY].answer
            assert store.documents_with("id", answer.id).tolist() == [number % MANY]
            assert store.answer(number % MANY) == answer
        return len(order)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [len(expected)] * 8


def test_processes_forked_from_one_that_has_read_all_go_on_reading(
    store: Store, documents: list[AnalyzedAnswer]
) -> None:
    expected = words_of(documents)
    assert store.answer(0) == documents[0].answer
    fork = multiprocessing.get_context("fork")
    wrong = fork.Queue()

    def faults(seed: int) -> list[str]:
        try:
            words = random.Random(seed).sample(sorted(expected), len(expected))
            return [word for word in words if postings_of(store, "answer_words", word) != expected[word]]
        except Exception as error:
            return [repr(error)]

    children = [fork.Process(target=lambda seed: wrong.put(faults(seed)), args=(seed,)) for seed in range(4)]
    for child in children:
        child.start()
    assert faults(seed=4) == []
    assert [wrong.get(timeout=PATIENCE_SECONDS) for _ in children] == [[]] * 4
    for child in children:
        child.join(PATIENCE_SECONDS)
