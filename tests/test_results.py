"""What a searcher gets: counts that hold, quotations letter by letter, topics, cards, and no filler."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import make_answer
from store_builders import small_resources, write_files
from test_build import records

from indexer import Engine, Query, build_generation, open_engine
from indexer.analysis.aspects import ASPECTS
from indexer.errors import BadQuery
from indexer.settings import Settings
from indexer.verdicts import Flaw

JUDGEMENTS = Path(__file__).parent.parent / "corpus" / "judgements"
QUESTIONS = ("面肌痉挛怎么治", "湿疹反复发作怎么办", "高血压能不能喝酒", "孩子发烧怎么护理", "乙肝会传染吗")


@pytest.fixture(scope="module")
def engine(demonstration: Path) -> Engine:
    return open_engine(demonstration)


def texts(file: str) -> list[str]:
    return [json.loads(line)["text"] for line in (JUDGEMENTS / file).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_chip_leads_to_as_many_results_as_it_says_and_to_none_that_is_empty(engine: Engine, question: str) -> None:
    counts = engine.search(question).aspect_counts
    assert counts
    for aspect in ASPECTS:
        found = engine.search(Query(question, limit=100, aspect=aspect))
        assert found.total == counts.get(aspect, 0) == len(found.hits)
        assert found.aspect_counts == counts
    assert 0 not in counts.values()


def test_an_unknown_aspect_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(BadQuery, match="星座"):
        engine.search(Query("面肌痉挛怎么治", aspect="星座"))


def test_direct_answers_are_letter_by_letter_and_only_on_the_first_question_that_they_fit(engine: Engine) -> None:
    quoted = 0
    for text in texts("queries.jsonl")[::2]:
        try:
            answer = engine.search(text).answer
        except BadQuery:
            continue
        if answer is not None:
            quoted += 1
            assert answer.text and answer.text in answer.answer.text
            assert answer.text[-1] in "。！？”』」）"
            assert 10 <= len(answer.text) <= 180
    assert quoted >= 10


def test_other_matters_are_never_quoted_to_and_nearly_never_found(engine: Engine) -> None:
    found = 0
    questions = texts("off_topic.jsonl")
    for text in questions:
        try:
            result = engine.search(text)
        except BadQuery:
            continue
        assert result.answer is None, text
        found += result.total > 0
    assert found <= 0.1 * len(questions)


def test_treatment_comes_first_when_it_is_asked_for(engine: Engine) -> None:
    first = engine.search("面肌痉挛怎么治").hits[0].answer
    assert "治" in first.question


def test_no_page_and_no_text_stands_twice_among_the_results(engine: Engine) -> None:
    hits = engine.search(Query("面肌痉挛", limit=100)).hits
    pages = [hit.answer.page for hit in hits]
    assert len(pages) == len(set(pages)) > 3
    assert any(hit.more for hit in hits)
    assert all(len(hit.more) == len(hit.more_copies) for hit in hits)


def test_a_topic_collects_its_aspects_under_any_of_its_names(engine: Engine) -> None:
    topic = engine.topic("半面痉挛")
    assert topic is not None and topic == engine.topic("面肌痉挛")
    assert topic.name == "面肌痉挛" and "半面痉挛" in topic.other_names
    assert [section.aspect for section in topic.sections] == [
        aspect for aspect in ASPECTS if aspect in {section.aspect for section in topic.sections}
    ]
    assert all(1 <= len(section.hits) <= section.count <= topic.total for section in topic.sections)
    assert engine.search("面肌痉挛怎么治").topic == "面肌痉挛"


@pytest.mark.parametrize("name", ["", "不存在的病", "今天", "🙂"])
def test_what_is_no_term_has_no_topic(engine: Engine, name: str) -> None:
    assert engine.topic(name) is None


def test_a_card_stands_with_and_without_results(engine: Engine) -> None:
    urgent = engine.search("我妈突然嘴歪了胳膊抬不起来")
    assert urgent.urgency is not None and urgent.urgency.level == "emergency"
    assert engine.search("面瘫怎么治").urgency is None
    assert engine.search("喝了百草枯怎么办").urgency is not None


def test_words_that_nothing_holds_are_told(engine: Engine) -> None:
    assert "火星" in "".join(engine.search("面肌痉挛在火星上怎么治").unmatched)
    assert engine.search("面肌痉挛怎么治").unmatched == ()
    assert engine.search("面肌痉挛的人煮").unmatched == ()  # one character alone names nothing
    assert "我妈" not in engine.search("我妈面肌痉挛怎么治").unmatched


def test_honest_answers_stand_before_masked_and_promising_ones(tmp_path: Path) -> None:
    text = "面肌痉挛的治疗有口服药物、注射和手术三种，要看轻重选择，由医生和病人一起决定"
    written = {
        "masked": f"{text}，可以**治好。",
        "promise": f"{text}，保证根治，无效退款。",
        "sound": f"{text}，定期复查。",
    }
    answers = [make_answer(name, "面肌痉挛怎么治", each) for name, each in written.items()]
    corpus = write_files(tmp_path / "corpus", {"a.jsonl": records(answers)})
    build_generation(corpus, tmp_path / "data", Settings(resources=small_resources()))
    hits = open_engine(tmp_path / "data").search(Query("面肌痉挛怎么治", fold=False)).hits
    flaws = {hit.answer.id: {fact.flaw for fact in hit.answer.quality} for hit in hits}
    assert Flaw.MASKED in flaws["masked"] and Flaw.CURE_PROMISE in flaws["promise"]
    assert flaws["sound"] <= {Flaw.COPY}
    assert hits[0].answer.id == "sound"


def test_related_questions_are_held_and_ask_something_else(engine: Engine) -> None:
    result = engine.search(Query("面肌痉挛怎么治", limit=2))
    held = {each.question for each in engine.answers()} - {hit.answer.question for hit in result.hits}
    assert result.related and set(result.related) <= held - {"面肌痉挛怎么治"} - {
        h.answer.question for h in result.hits
    }
    assert len(set(result.related)) == len(result.related)
    assert engine.search(Query("面肌痉挛怎么治", limit=2, page=2)).related == ()
    first = engine.search(result.related[0])
    assert first.total > 0 and first.entity == "面肌痉挛"
