"""The demonstration corpus as a user finds it: asked in Python and on the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from page_templates.source import read_source

from indexer import open_engine
from indexer.engine import Engine
from indexer.opened import open_generation
from webapp import create_app

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def engine(demonstration: Path) -> Engine:
    return open_engine(demonstration)


def test_the_first_three_answers_are_about_the_treatment_asked_for(engine: Engine) -> None:
    questions = [hit.answer.question for hit in engine.search("面肌痉挛怎么治", limit=3).hits]
    assert len(questions) == 3
    assert all("面肌痉挛" in question and "治" in question for question in questions)


def test_the_site_shows_the_same_three(demonstration: Path, engine: Engine) -> None:
    page = BeautifulSoup(create_app(demonstration).test_client().get("/search?q=面肌痉挛怎么治").text, "lxml")
    shown = [heading.get_text() for heading in page.select("article h2")][:3]
    assert shown == [hit.answer.question for hit in engine.search("面肌痉挛怎么治", limit=3).hits]


@pytest.mark.parametrize("question", ["今天天气怎么样", "股票怎么买", "怎么做红烧肉"])
def test_what_the_corpus_knows_nothing_of_finds_nothing(engine: Engine, question: str) -> None:
    assert engine.search(question).total == 0


def test_every_topic_is_found_by_its_name(engine: Engine) -> None:
    pages = read_source(ROOT / "corpus" / "source")
    topic_of_page = {page.id: page.topic for page in pages}
    missed = []
    for topic in sorted(set(topic_of_page.values())):
        first = [hit.answer for hit in engine.search(topic, limit=3).hits]
        named = any(topic in answer.question + answer.text for answer in first)
        if not named and topic not in {topic_of_page.get(Path(answer.page).stem) for answer in first}:
            missed.append(topic)
    assert missed == []


def test_no_answer_carries_spam(demonstration: Path, engine: Engine) -> None:
    store = open_generation(demonstration, engine.generation).store
    texts = [store.answer(document).text for document in range(store.document_count)]
    assert len(texts) > 1800
    spam = ("亲子鉴定", "丰胸", "贷款", "彩票", "白癜风医院", "免责声明", "温馨提示", "加微信", "400-")
    assert not [text for text in texts if any(word in text for word in spam)]
