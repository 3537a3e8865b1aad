"""What readers and programs are told of answers that were found by their meaning, over a fake engine."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from fakes import BARE, FACIAL_SPASM, FakeEngine
from flask.testing import FlaskClient

from indexer.settings import Settings
from webapp import create_app

ASKED = "/search?q=面肌痉挛"
LATE = "来不及按意思查找"


@pytest.fixture
def engine() -> FakeEngine:
    found = FakeEngine([FACIAL_SPASM, BARE])
    found.meaning = "on"
    found.by_meaning = frozenset([BARE.id])
    found.features = {"meaning": 0.64, "coverage": 0.2, "phrase": 0.1, "near": 0.1, "whole": 1.0}
    return found


@pytest.fixture
def client(engine: FakeEngine) -> FlaskClient:
    return create_app(settings=Settings(), engine=engine).test_client()


def test_only_what_was_found_by_its_meaning_says_so(client: FlaskClient) -> None:
    hits = BeautifulSoup(client.get(ASKED).text, "html.parser").select("article.hit")
    assert ["意思相近，用词不同" in hit.text for hit in hits] == [False, True]


def test_likeness_of_meaning_is_the_first_reason_where_it_is_the_reason(client: FlaskClient) -> None:
    hits = BeautifulSoup(client.get(ASKED).text, "html.parser").select("article.hit")
    first = [hit.select(".why li span")[0].text for hit in hits]
    assert first == ["问题要点覆盖", "意思相近"]
    assert "64%" in hits[0].text and "64%" in hits[1].text


def test_the_api_tells_both(client: FlaskClient) -> None:
    reply = client.get("/api/v1/search?q=面肌痉挛").get_json()
    assert reply["meaning"] == "on" and [hit["by_meaning"] for hit in reply["hits"]] == [False, True]


def test_a_late_model_is_told_and_asked_again(client: FlaskClient, engine: FakeEngine) -> None:
    assert LATE not in client.get(ASKED).text
    engine.meaning = "late"
    assert LATE in client.get(ASKED).text and LATE in client.get(ASKED).text
    assert len(engine.queries) == 3, "a result that may be more the next time is not remembered"
    reply = client.get("/api/v1/search?q=面肌痉挛")
    assert reply.get_json()["meaning"] == "late" and "ETag" not in reply.headers


def test_where_it_is_off_nothing_is_said_of_it(client: FlaskClient, engine: FakeEngine) -> None:
    engine.meaning, engine.by_meaning, engine.features = "off", frozenset(), {"coverage": 0.5}
    page = client.get(ASKED).text
    assert "意思" not in page and client.get("/api/v1/search?q=面肌痉挛").get_json()["meaning"] == "off"
