"""What every store of answers promises (indexer/store/base.py), kept by the one on Whoosh."""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders import make_answer
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import PATIENCE_SECONDS, spasm_answers, whoosh_store, write_index

from indexer.records import Answer
from indexer.store.impacts import Impacts
from indexer.store.whoosh_store import WhooshStore
from indexer.store.word_counts import word_counts

SITE = "健康之家·问答"
URL = "https://www.example.com/问答/a.html?id=1&page=2#答案"
#: more than one of Whoosh's blocks of postings, which hold 128
MANY = 400

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


#: postings of each word
Expected = dict[str, list[tuple[int, float]]]


def postings_of(store: WhooshStore, word: str) -> list[tuple[int, float]]:
    found = store.postings("answer_words", word)
    return list(zip(found.documents.tolist(), found.frequencies.tolist(), strict=True))


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can, so that they meet inside of whatever they share."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture(scope="module")
def documents() -> list[Answer]:
    return spasm_answers(MANY)


@pytest.fixture
def store(documents: list[Answer], tmp_path: Path) -> WhooshStore:
    """A store of several segments that has read nothing yet."""
    return WhooshStore(write_index(tmp_path / "index", documents, max_documents=150) / "whoosh")


@pytest.fixture(scope="module")
def expected(documents: list[Answer], tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """Each word of the answers with its postings as the arrays have them."""
    arrays = Impacts(write_index(tmp_path_factory.mktemp("expected"), documents) / "impacts")
    found = {word: arrays.postings("answer_words", word) for word in word_counts(arrays.segments, [], 1)}
    return {
        word: list(zip(each.documents.tolist(), each.frequencies.tolist(), strict=True)) for word, each in found.items()
    }


def test_ids_stand_in_the_order_of_the_documents(tmp_path: Path) -> None:
    store = whoosh_store(tmp_path / "index", map(make_answer, "丙甲丁乙"))
    assert store.document_count == 4
    assert store.ids([0, 1, 2, 3]) == ["丙", "甲", "丁", "乙"]
    assert store.ids([2, 0]) == ["丁", "丙"]


def test_fold_keys_and_sites_stand_in_the_order_of_the_documents(tmp_path: Path) -> None:
    keys, sites = [7, 0, 2**64 - 1, 7], ["甲", None, "乙", "甲"]
    documents = [make_answer(f"a{number}", site=site) for number, site in enumerate(sites)]
    arrays = Impacts(write_index(tmp_path / "index", documents, 2, keys) / "impacts")
    assert arrays.fold_keys.tolist() == keys
    assert arrays.of_site("甲").tolist() == [True, False, False, True]
    assert arrays.of_site("丙").tolist() == [False] * 4


@given(answers)
@settings(max_examples=40, deadline=None)
def test_an_answer_comes_back_as_it_was_and_is_found_by_its_exact_values(answers: list[Answer]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = whoosh_store(Path(folder) / "index", answers)
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
    store = whoosh_store(tmp_path / "index", [answer])
    assert store.documents_with(field, getattr(answer, field)).tolist() == [0]
    assert store.documents_with(field, part_of_value).tolist() == []


@pytest.mark.usefixtures("restless")
def test_many_threads_that_share_a_store_read_what_one_reads(
    store: WhooshStore, documents: list[Answer], expected: Expected
) -> None:
    together = threading.Barrier(8)

    def read(seed: int) -> int:
        order = random.Random(seed).sample(sorted(expected), len(expected))
        together.wait(PATIENCE_SECONDS)
        for number, word in enumerate(order):
            assert postings_of(store, word) == expected[word]
            answer = documents[number % MANY]
            assert store.documents_with("id", answer.id).tolist() == [number % MANY]
            assert store.answer(number % MANY) == answer
        return len(order)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [len(expected)] * 8


def test_processes_forked_from_one_that_has_read_all_go_on_reading(
    store: WhooshStore, documents: list[Answer], expected: Expected
) -> None:
    assert store.answer(0) == documents[0]
    fork = multiprocessing.get_context("fork")
    wrong = fork.Queue()

    def faults(seed: int) -> list[str]:
        try:
            words = random.Random(seed).sample(sorted(expected), len(expected))
            return [word for word in words if postings_of(store, word) != expected[word]]
        except Exception as error:
            return [repr(error)]

    children = [fork.Process(target=lambda seed: wrong.put(faults(seed)), args=(seed,)) for seed in range(4)]
    for child in children:
        child.start()
    assert faults(seed=4) == []
    assert [wrong.get(timeout=PATIENCE_SECONDS) for _ in children] == [[]] * 4
    for child in children:
        child.join(PATIENCE_SECONDS)
