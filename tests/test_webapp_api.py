"""The JSON interface, over a fake engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FACIAL_SPASM, FakeEngine, many_answers
from flask.testing import FlaskClient

from indexer.errors import GenerationMissing
from indexer.records import Query
from indexer.settings import Settings
from webapp import create_app


def test_search_gives_the_result_with_page_and_limit(client: FlaskClient, engine: FakeEngine) -> None:
    response = client.get("/api/v1/search?q=面肌痉挛&limit=2&page=2&site=")
    query = Query("面肌痉挛", limit=2, page=2)
    assert engine.queries == [query]
    assert response.json == {**_plain(engine.search(query).as_dict()), "page": 2, "limit": 2}
    assert response.json["total"] == 3 and [hit["rank"] for hit in response.json["hits"]] == [3]
    assert response.mimetype == "application/json"
    assert "面肌痉挛" in response.data.decode("utf-8")


def _plain(value: object) -> dict[str, object]:
    """As JSON brings it back."""
    import json

    plain: dict[str, object] = json.loads(json.dumps(value))
    return plain


def test_defaults_and_site(client: FlaskClient, engine: FakeEngine) -> None:
    client.get("/api/v1/search?q=面肌痉挛&site=a.cn")
    assert engine.queries == [Query("面肌痉挛", limit=10, page=1, site="a.cn")]


def test_no_hit_is_no_error(client: FlaskClient) -> None:
    response = client.get("/api/v1/search?q=没有的病")
    assert response.status_code == 200
    assert response.json and (response.json["total"], response.json["hits"]) == (0, [])


@pytest.mark.parametrize("limit", [1, 100])
def test_limits_within_bounds(client: FlaskClient, engine: FakeEngine, limit: int) -> None:
    engine.answers = many_answers(150)
    response = client.get(f"/api/v1/search?q=面肌痉挛&limit={limit}")
    assert response.json and len(response.json["hits"]) == limit


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "bad_query"),
        ({"q": "  "}, "bad_query"),
        ({"q": "？！"}, "bad_query"),
        ({"q": "面肌", "limit": "0"}, "bad_parameter"),
        ({"q": "面肌", "limit": "101"}, "bad_parameter"),
        ({"q": "面肌", "limit": "x"}, "bad_parameter"),
        ({"q": "面肌", "page": "0"}, "bad_parameter"),
        ({"q": "面肌", "page": "1001"}, "bad_parameter"),
        ({"q": "面肌", "page": "9" * 5000}, "bad_parameter"),
        ({"q": "面肌", "site": "x" * 254}, "bad_parameter"),
    ],
)
def test_wrong_parameters(client: FlaskClient, parameters: dict[str, str], code: str) -> None:
    response = client.get("/api/v1/search", query_string=parameters)
    assert response.status_code == 400
    assert response.json and response.json["error"]["code"] == code


def test_an_answer_in_full(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1/answers/{FACIAL_SPASM.id}").json
    assert answer == {
        "id": FACIAL_SPASM.id,
        "kind": "doctor_answer",
        "question": "面肌痉挛怎么治？",
        "answer": FACIAL_SPASM.text,
        "author": "王医生",
        "date": "2013-05-06T08:30:00",
        "url": "https://www.example.com/a.html",
        "site": "www.example.com",
        "topic": "神经内科",
        "views": None,
        "likes": None,
    }


def test_ready_and_alive(client: FlaskClient, engine: FakeEngine) -> None:
    assert client.get("/readyz").json == {"status": "ready", "generation": "gen-000003", "problems": []}
    assert client.get("/healthz").json == {"status": "ok"}


def test_not_ready_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_engine(data_dir: Path, settings: Settings | None = None) -> FakeEngine:
        raise GenerationMissing("还没有索引。")

    monkeypatch.setattr("indexer.open_engine", open_engine, raising=False)
    client = create_app(tmp_path, Settings()).test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json == {"error": {"code": "no_index", "message": "还没有索引。"}}
    assert client.get("/healthz").status_code == 200


def test_suggestions_are_given_for_what_was_typed(client: FlaskClient) -> None:
    response = client.get("/api/v1/suggest?q=面肌痉挛怎&limit=3")
    assert response.json == {"query": "面肌痉挛怎", "suggestions": [{"text": "面肌痉挛怎么治？", "kind": "question"}]}
    assert client.get("/api/v1/suggest?q=").json == {"query": "", "suggestions": []}
    assert client.get("/api/v1/suggest?q=x&limit=100").status_code == 400


def test_a_question_can_be_searched_as_typed(client: FlaskClient, engine: FakeEngine) -> None:
    client.get("/api/v1/search?q=面肌痉挛&exact=1")
    assert engine.queries[-1].as_typed
