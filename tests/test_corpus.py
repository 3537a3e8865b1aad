"""The demonstration corpus keeps its promises: what it holds, whose words it is in, and that cleaning sees its dirt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import check_originality
import pytest
from page_templates.source import read_source

from indexer import open_engine
from indexer.dedupe import fold_key
from indexer.opened import open_generation
from indexer.quality_gate.evaluate import read_qrels, read_queries
from indexer.records import Answer
from indexer.verdicts import Flaw

CORPUS = Path(__file__).parent.parent / "corpus"
JUDGEMENTS = CORPUS / "judgements"
HELD_OUT = JUDGEMENTS / "held_out"
LABELS = [json.loads(line) for line in (CORPUS / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
SEEDS = CORPUS.parent.parent / "shared" / "seeds"
SPELLINGS = {"colloquial", "traditional", "misspelt", "pinyin"}


@pytest.fixture(scope="module")
def answers(demonstration: Path) -> dict[str, Answer]:
    """Every answer of the built corpus, by id."""
    engine = open_engine(demonstration)
    store = open_generation(demonstration, engine.generation).store
    return {answer.id: answer for answer in map(store.answer, range(store.document_count))}


def records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def dirt(*kinds: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The labels' entries of some kinds of dirt, each with the label it stands in."""
    return [(label, entry) for label in LABELS if label["keep"] for entry in label["dirt"] if entry["dirt"] in kinds]


def test_it_is_large_enough_to_ask_ones_own_question() -> None:
    pages = read_source(CORPUS / "source")
    texts = check_originality.answers_of(pages).values()
    assert len({page.topic for page in pages}) >= 120
    assert len({page.department for page in pages}) >= 15
    assert len(pages) >= 200
    assert len(set(texts)) >= 1000


def test_no_answer_repeats_another() -> None:
    texts = check_originality.answers_of(read_source(CORPUS / "source"))
    assert len(check_originality.repetitions(texts)) < 0.02 * len(texts)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the real pages (../shared/seeds) are not part of a user's clone")
def test_no_text_is_taken_from_a_real_page() -> None:
    texts = check_originality.answers_of(read_source(CORPUS / "source"))
    assert check_originality.foreign_runs(texts, [SEEDS]) == {}


def test_pages_come_from_many_sites_in_the_encodings_that_sites_use() -> None:
    kept = [label for label in LABELS if label["keep"]]
    assert len({Path(label["path"]).parent for label in kept}) >= 8
    assert {Path(label["path"]).suffix for label in kept} == {".txt", ".html"}
    found = {(label["encoding"], label["declared_encoding"]) for label in kept}
    assert found >= {("gbk", "gbk"), ("gb18030", "gb2312"), ("utf-8", "utf-8"), ("big5", "big5"), ("utf-8", None)}
    years = {label["date"][:4] for label in kept if label["date"]}
    assert years == {str(year) for year in range(2012, 2026)}


def test_every_page_with_an_answer_is_kept_and_no_other(answers: dict[str, Answer]) -> None:
    assert {f"raw/{answer.page}" for answer in answers.values()} == {label["path"] for label in LABELS if label["keep"]}


def test_what_is_served_is_what_the_labels_hold(answers: dict[str, Answer]) -> None:
    right = {label["path"]: _letters(label["text"]) + "".join(_pairs(label)) for label in LABELS}
    strange = [answer for answer in answers.values() if _letters(answer.text) not in right[f"raw/{answer.page}"]]
    assert strange == []


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _pairs(label: dict[str, Any]) -> list[str]:
    return [_letters(pair["answer"]) for pair in label["qa_pairs"]]


def test_copies_are_folded_with_their_originals(answers: dict[str, Answer]) -> None:
    entries = dirt("copy")
    assert len(entries) >= 40
    folded = 0
    for label, entry in entries:
        of_page = [answer for answer in answers.values() if answer.page == label["path"].removeprefix("raw/")]
        copy = next(answer for answer in of_page if answer.question == entry["question"])
        originals = [answer for answer in answers.values() if Path(answer.page).stem == entry["of"]]
        folded += fold_key(copy) in {fold_key(answer) for answer in originals}
    assert folded >= 0.98 * len(entries)


@pytest.mark.parametrize(
    ("kind", "flaw"), [("stock_answer", Flaw.STOCK_ANSWER), ("spun", Flaw.SPUN), ("masked", Flaw.MASKED)]
)
def test_other_dirt_is_seen_and_nothing_else_is_called_so(kind: str, flaw: Flaw, answers: dict[str, Answer]) -> None:
    labelled = {(label["path"].removeprefix("raw/"), entry["question"]) for label, entry in dirt(kind)}
    flagged = {
        (answer.page, answer.question)
        for answer in answers.values()
        if any(fact.flaw is flaw for fact in answer.quality)
    }
    assert labelled
    assert labelled == flagged


def test_there_are_enough_judged_questions_and_a_third_is_held_out() -> None:
    counts = Counter(
        folder.name
        for folder in (JUDGEMENTS, HELD_OUT)
        for query in records(folder / "queries.jsonl")
        if "twin_of" not in query
    )
    assert counts.total() >= 300
    assert counts["held_out"] * 3 == counts.total()


@pytest.mark.parametrize("folder", [JUDGEMENTS, HELD_OUT], ids=lambda folder: folder.name)
def test_judgements_hang_on_questions_and_answers_that_exist(folder: Path, answers: dict[str, Answer]) -> None:
    queries = records(folder / "queries.jsonl")
    qrels = read_qrels(folder / "qrels.tsv")
    plain = [query for query in queries if "twin_of" not in query]
    assert [query["id"] for query in plain] == [
        query.id for query in read_queries(folder / "queries.jsonl") if not query.twin_of
    ]
    assert qrels.keys() == {query["id"] for query in plain}
    assert {answer for grades in qrels.values() for answer in grades} <= answers.keys()
    assert {grade for grades in qrels.values() for grade in grades.values()} == {0, 1, 2, 3}
    topics = {page.topic for page in read_source(CORPUS / "source")}
    assert {query["topic"] for query in plain} <= topics
    twins = [query for query in queries if "twin_of" in query]
    assert {query["twin_of"] for query in twins} == qrels.keys()
    assert {query["spelling"] for query in twins} == SPELLINGS


def test_a_copy_is_judged_as_its_original(answers: dict[str, Answer]) -> None:
    for folder in (JUDGEMENTS, HELD_OUT):
        for grades in read_qrels(folder / "qrels.tsv").values():
            for id_, grade in grades.items():
                original = answers[id_].copy_of
                assert original is None or grades[original] - grade in (0, 1)


@pytest.mark.parametrize("name", ["urgency.jsonl", "off_topic.jsonl"])
def test_no_question_about_urgency_or_something_else_stands_twice_or_in_both_parts(name: str) -> None:
    tuned, held_out = ([record["text"] for record in records(folder / name)] for folder in (JUDGEMENTS, HELD_OUT))
    assert len(set(tuned + held_out)) == len(tuned) + len(held_out)
    assert len(held_out) * 3 == len(tuned) + len(held_out)


def test_urgent_and_calm_questions_are_judged_with_level_and_card() -> None:
    judged = records(JUDGEMENTS / "urgency.jsonl") + records(HELD_OUT / "urgency.jsonl")
    urgent = [record for record in judged if record["card"]]
    levels = {record["card"]: record["level"] for record in urgent}
    assert all(levels[record["card"]] == record["level"] for record in urgent)  # a card has one level
    assert set(levels.values()) == {"emergency", "today", "watch"}
    assert all(record["level"] is None for record in judged if not record["card"])
    assert (len(urgent), len(judged) - len(urgent)) == (300, 600)
