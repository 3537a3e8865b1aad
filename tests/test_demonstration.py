"""The demonstration corpus as a user finds it: asked in Python and on the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from indexer import open_engine
from indexer.build import build_generation
from indexer.engine import Engine, open_generation
from webapp import create_app

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demonstration")
    build_generation(ROOT / "corpus", folder)
    return folder


@pytest.fixture(scope="module")
def engine(data: Path) -> Engine:
    return open_engine(data)


def test_the_first_three_answers_are_about_the_treatment_asked_for(engine: Engine) -> None:
    questions = [hit.answer.question for hit in engine.search("面肌痉挛怎么治", limit=3).hits]
    assert len(questions) == 3
    assert all("面肌痉挛" in question and "治" in question for question in questions)


def test_the_site_shows_the_same_three(data: Path, engine: Engine) -> None:
    page = BeautifulSoup(create_app(data).test_client().get("/search?q=面肌痉挛怎么治").text, "lxml")
    shown = [heading.get_text() for heading in page.select("article h2")][:3]
    assert shown == [hit.answer.question for hit in engine.search("面肌痉挛怎么治", limit=3).hits]


@pytest.mark.parametrize("question", ["今天天气怎么样", "股票怎么买", "怎么做红烧肉"])
def test_what_the_corpus_knows_nothing_of_finds_nothing(engine: Engine, question: str) -> None:
    assert engine.search(question).total == 0


def test_every_topic_is_found_by_its_name(engine: Engine) -> None:
    topics = {
        line.split("topic: ")[1].strip()
        for file in (ROOT / "corpus" / "source").glob("*.yaml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("topic: ")
    }
    assert len(topics) >= 10
    for topic in topics:
        assert topic in engine.search(topic, limit=1).hits[0].answer.question + engine.search(topic).hits[0].answer.text


def test_no_answer_carries_spam(data: Path, engine: Engine) -> None:
    store = open_generation(data, engine.generation).store
    texts = [store.answer(document).text for document in range(store.document_count)]
    assert len(texts) > 200
    spam = ("亲子鉴定", "丰胸", "贷款", "彩票", "白癜风医院", "免责声明", "温馨提示", "加微信", "400-")
    assert not [text for text in texts if any(word in text for word in spam)]
