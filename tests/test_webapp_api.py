"""The JSON interface, over a fake engine."""

from __future__ import annotations

import re
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
    assert response.json == {"related": [], **_plain(engine.search(query).as_dict()), "page": 2, "limit": 2}
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
        ({"q": "面肌", "page": "１"}, "bad_parameter"),
        ({"q": "面肌", "page": "1.0"}, "bad_parameter"),
        ({"q": "面肌", "site": "x" * 254}, "bad_parameter"),
        ({"q": "面肌", "exact": "true"}, "bad_parameter"),
        ({"q": "面肌", "aspect": "八卦"}, "bad_query"),
        ({"q": "面肌", "limt": "5"}, "bad_parameter"),
        ({"q": ["面肌", "面肌"]}, "bad_parameter"),
        ({"q": "面肌", "page": ["1", ""]}, "bad_parameter"),
    ],
)
def test_wrong_parameters(client: FlaskClient, engine: FakeEngine, parameters: dict[str, str], code: str) -> None:
    response = client.get("/api/v1/search", query_string=parameters)
    assert response.status_code == 400
    assert response.json and response.json["error"]["code"] == code
    assert re.search("[\u4e00-\u9fff].*[。？]$|例如", response.json["error"]["message"])
    assert engine.queries == []


def test_a_wrong_parameter_is_named_with_what_it_should_be(client: FlaskClient) -> None:
    def message(query: str) -> str:
        said = client.get(f"/api/v1/search?{query}").json
        assert said
        return str(said["error"]["message"])

    assert message("q=面肌&limt=5") == "这个接口没有参数“limt”；可用的有 q、limit、page、site、aspect、exact。"
    assert message("q=面肌&limit=0") == "参数 limit 应为1 到 100 的整数。"
    assert message("q=面肌&limit=1&limit=2") == "参数 limit 写了 2 次，只能写一次。"
    assert message("limit=5") == "请用参数 q 写明问题，例如 q=面肌痉挛怎么治"
    answer = client.get("/api/v1/answers/bare?q=1").json
    assert answer and answer["error"]["message"] == "这个接口没有参数“q”，它不带参数。"


def test_empty_values_are_as_good_as_none(client: FlaskClient, engine: FakeEngine) -> None:
    assert client.get("/api/v1/search?q=面肌痉挛&limit=&page=&site=%20&aspect=&exact=").status_code == 200
    assert engine.queries == [Query("面肌痉挛")]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/api/v1/answers/nowhere", "没有这条回答，或者它已经下架。"),
        ("/api/v1/topics/nowhere", "没有这个主题，或者没有收录关于它的回答。可以改用搜索。"),
        ("/api/v1/nowhere", "没有这个接口；可用的接口见 /api/openapi.json 或 /about/api。"),
        ("/api/", "没有这个接口；可用的接口见 /api/openapi.json 或 /about/api。"),
    ],
)
def test_what_is_not_there_is_named(client: FlaskClient, address: str, message: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert response.json == {"error": {"code": "not_found", "message": message}}


@pytest.mark.parametrize(("chars", "status"), [(1000, 200), (4000, 414)])
def test_an_address_that_is_too_long_is_refused(client: FlaskClient, chars: int, status: int) -> None:
    response = client.get("/api/v1/search", query_string={"q": "面" * chars})
    assert response.status_code == status
    assert response.json and (status == 200 or response.json["error"]["code"] == "too_long")
    assert client.get("/search", query_string={"q": "面" * chars}).status_code == 200  # a page cuts it


def test_head_is_get_without_a_body(client: FlaskClient) -> None:
    for address in ("/api/v1/search?q=面肌痉挛", "/api/v1/answers/bare", "/api/openapi.json", "/healthz"):
        get, head = client.get(address), client.head(address)
        assert (head.status_code, head.data) == (200, b"")
        for reply in (get, head):
            reply.headers.pop("Date", None)  # the second may have turned
        assert {**head.headers} == {**get.headers}


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
        "source_trust": None,
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
