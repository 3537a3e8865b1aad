"""What a change would do is what it does: computed before, then applied, built and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import make_answer, write_corpus, write_jsonl
from store_builders import small_resources

from indexer.analysis.own_terms import OWN_TERMS_PATH
from indexer.build import build_generation
from indexer.engine import Engine
from indexer.errors import ResourceError
from indexer.opened import open_generation
from indexer.own_resources import save_resources
from indexer.quality_gate.evaluate import evaluate_each, read_qrels, read_queries
from indexer.resource_effects import Effects, compute_effects
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.take_downs import take_down

ANSWERS = [
    make_answer("a1", "呱啦麻麻症怎么治", "呱啦麻麻症可以用热敷，几天就好，不用吃药。"),
    make_answer("a2", "头痛怎么办", "头痛先休息，再量体温，喝些温水。"),
    make_answer("a3", "脚上长了呱啦麻麻症吗", "先拍一张照片给皮肤科看，是呱啦麻麻症就涂药膏。"),
    make_answer("a4", "麻麻怪的来历", "麻麻怪是故事里的人物，住在山上。"),
    make_answer("a5", "拿下的一条", "呱啦麻麻症这一条后来下架了。"),
]
QUERIES = [{"id": "q1", "text": "麻麻怪病"}, {"id": "q2", "text": "头痛"}, {"id": "q3", "text": "请问麻麻怪病咋弄"}]
QUERIES.append({"id": "q4", "text": "蓬蓬飞飞"})  # found only as another name
CHANGES = {
    OWN_TERMS_PATH: "呱啦麻麻症\tdisease\t麻麻怪病、蓬蓬飞飞\n",
    "lexicon/own_questions.toml": '[asking]\nadd = ["咋弄"]\n',
}


def made(folder: Path) -> tuple[Path, Settings]:
    """A data directory with a served generation of a judged corpus."""
    corpus = write_corpus(folder / "corpus" / "raw", ANSWERS).parent
    write_jsonl(corpus / "judgements" / "queries.jsonl", QUERIES)
    qrels = "q1 0 a1 2\nq1 0 a3 1\nq2 0 a2 1\nq3 0 a1 1\nq4 0 a1 1\n"
    (corpus / "judgements" / "qrels.tsv").write_text(qrels, encoding="utf-8")
    settings = Settings(resources=small_resources(), data=folder / "data")
    build_generation(corpus, folder / "data", settings)
    return folder / "data", settings


def test_a_preview_is_what_happens_afterwards(tmp_path: Path) -> None:
    data, settings = made(tmp_path)
    take_down(data, "a5", "试", "小王")
    told: list[tuple[int, int]] = []
    seen = compute_effects(data, CHANGES, settings, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
    assert not list((data / "cache").glob("preview-*"))
    assert Effects.of(seen.as_dict()) == seen

    before = open_generation(data, seen.generation)
    save_resources(data, CHANGES, "小王", "试", settings.resources)
    build_generation(tmp_path / "corpus", data, settings)
    name = sorted(path.name for path in (data / "generations").iterdir())[-1]
    after = open_generation(data, name)
    engines = Engine(data, settings, before), Engine(data, settings, after)
    judgements = tmp_path / "corpus" / "judgements"
    queries, qrels = read_queries(judgements / "queries.jsonl"), read_qrels(judgements / "qrels.tsv")
    old, new = (evaluate_each(engine, queries, qrels) for engine in engines)

    assert seen.answers == generations.open_manifest(data, name).counts["answers"] == 4
    cut = {
        answer.id
        for answer in engines[1].answers()
        if any(
            sorted(before.analyzer.terms(text).words) != sorted(after.analyzer.terms(text).words)
            for text in (answer.question, answer.text)
        )
    }
    assert cut == {"a1", "a3"} and seen.cut_otherwise == 2
    assert {id_ for group in seen.groups for id_ in group.examples} == cut
    assert all("呱啦麻麻症" in group.new for group in seen.groups)
    assert seen.ndcg_before == sum(one.ndcg_at_10 for one in old) / 4
    assert seen.ndcg_after == sum(one.ndcg_at_10 for one in new) / 4 > seen.ndcg_before
    by_id = {change.id: change for change in seen.changed}
    assert {one.id for a, one in zip(old, new, strict=True) if a.ndcg_at_10 != one.ndcg_at_10} <= by_id.keys()
    for change in seen.changed:
        first = [[id_ for id_, _ in engine.retrieve(change.text, 10)] for engine in engines]
        assert set(change.gained) == {*first[1]} - {*first[0]} and set(change.lost) == {*first[0]} - {*first[1]}
    assert (
        {reading.text for reading in seen.readings}
        == {
            query.text
            for query in queries
            if before.analyzer.question_terms(query.text) != after.analyzer.question_terms(query.text)
        }
        >= {"麻麻怪病", "请问麻麻怪病咋弄"}
    )


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    data, settings = made(tmp_path)
    seen = compute_effects(data, {"quality/extra.toml": "", "urgency/extra.toml": "[words]\n"}, settings)
    assert (seen.cut_otherwise, seen.cards, seen.worse) == (0, (), 0) and "没有重新清洗" in seen.notes[0]
    with pytest.raises(ResourceError, match=r"own\.tsv 第 1 行"):
        compute_effects(data, {OWN_TERMS_PATH: "词\tnonsense\n"}, settings)
    for file in (data / "cache" / "collected").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(ResourceError, match="没有留在缓存里"):
        compute_effects(data, CHANGES, settings)


def test_a_rule_that_is_gone_shows_the_sentences_that_lose_their_card(tmp_path: Path) -> None:
    data, settings = made(tmp_path)
    seen = compute_effects(data, {"urgency/own.toml": '[[off]]\nid = "stroke"\nreason = "试"\n'}, settings)
    assert seen.weakened == ("stroke",) and seen.answers == 0
    assert any(card.before == "stroke" and card.is_weaker for card in seen.cards)
    assert seen.cards[0].is_weaker and seen.sentences > 90
    assert seen.ndcg_before == seen.ndcg_after and seen.questions == 4
