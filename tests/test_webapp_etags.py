"""Replies that a program holds already: told so without a search, never when what they depend on has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_data, make_answer
from fakes import FACIAL_SPASM, FakeEngine, make_topic
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.errors import GenerationMissing
from indexer.records import Query, SearchResult
from indexer.settings import Settings
from indexer.store.take_downs import put_back, take_down
from webapp import create_app, etags

SEARCH = "/api/v1/search?q=面肌痉挛"
TAGGED = [
    SEARCH,
    "/api/v1/suggest?q=面肌",
    f"/api/v1/answers/{FACIAL_SPASM.id}",
    "/api/v1/topics/面抽",
    "/api/openapi.json",
]


@pytest.fixture(autouse=True)
def with_topic(engine: FakeEngine) -> None:
    engine.topics = {"面抽": make_topic()}


def tag(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.headers["ETag"]


def again(client: FlaskClient, address: str, held: str) -> TestResponse:
    return client.get(address, headers={"If-None-Match": held})


@pytest.mark.parametrize("address", TAGGED)
def test_what_is_held_is_not_sent_again(client: FlaskClient, address: str) -> None:
    first = client.get(address)
    held = first.headers["ETag"]
    assert held.startswith('"') and first.headers["Cache-Control"] == "private, no-cache"
    for said in (held, f"W/{held}", f'"other", {held}'):
        response = again(client, address, said)
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == held
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert again(client, address, '"other"').status_code == 200
    head = client.head(address, headers={"If-None-Match": held})
    assert head.status_code == 304 and head.headers["ETag"] == held


def test_nothing_is_searched_for_what_is_held_nor_logged(client: FlaskClient, engine: FakeEngine) -> None:
    first = client.get(SEARCH)
    first.close()
    again(client, SEARCH, first.headers["ETag"]).close()
    assert len(engine.queries) == len(client.application.extensions["yiwen"].query_log.read_events()) == 1


def test_another_request_is_another_tag(client: FlaskClient) -> None:
    addresses = [
        *TAGGED,
        *(f"{SEARCH}&{more}" for more in ("limit=9", "page=2", "site=a.cn", "aspect=治疗", "exact=1")),
        "/api/v1/search?q=面肌",
        "/api/v1/suggest?q=面肌&limit=2",
        "/api/v1/suggest?q=面肌痉挛",
        "/api/v1/answers/bare",
    ]
    assert len({tag(client, address) for address in addresses}) == len(addresses)


def test_the_same_request_in_other_words_is_the_same(client: FlaskClient) -> None:
    held = tag(client, SEARCH)
    assert again(client, "/api/v1/search?limit=10&q=%20面肌痉挛%09&page=1&site=", held).status_code == 304


def test_each_thing_that_a_reply_depends_on_changes_the_tag(
    client: FlaskClient, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = [tag(client, SEARCH)]
    engine.taken_down = "a1"
    tags.append(tag(client, SEARCH))
    monkeypatch.setattr(FakeEngine, "generation", "gen-000004")
    tags.append(tag(client, SEARCH))
    monkeypatch.setattr(etags, "program_fingerprint", lambda: "another program")
    tags.append(tag(client, SEARCH))
    other_settings = create_app(tmp_path, Settings(max_query_chars=100), engine).test_client()
    tags.append(tag(other_settings, SEARCH))
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    "address", ["/api/v1/search?q=" + "面" * 201, "/api/v1/search?q=%20", "/api/v1/nowhere", "/readyz"]
)
def test_other_replies_have_none_and_are_not_kept(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    assert "ETag" not in headers and headers["Cache-Control"] == "private, no-store"


def test_what_time_cut_short_is_not_kept(client: FlaskClient, engine: FakeEngine) -> None:
    engine.partial = True
    assert "ETag" not in client.get(SEARCH).headers


def test_any_reply_means_one_that_there_is(client: FlaskClient) -> None:
    assert again(client, SEARCH, "*").status_code == 304
    assert again(client, "/api/v1/answers/nowhere", "*").status_code == 404


def test_a_failure_is_not_hidden_by_what_is_held(client: FlaskClient, engine: FakeEngine) -> None:
    held = tag(client, SEARCH)
    engine.failure = GenerationMissing("还没有索引。")
    assert again(client, SEARCH, held).status_code == 503


def test_a_switch_in_the_middle_of_a_search_is_seen_by_the_next(app: Flask, engine: FakeEngine) -> None:
    """The tag is taken before the search, so a reply never stands under a tag that is newer than itself."""

    class Switching(FakeEngine):
        def search(self, query: Query) -> SearchResult:
            result = super().search(query)
            self.taken_down += "x"
            return result

    switching = Switching()
    client = create_app(app.extensions["yiwen"].data_dir, Settings(), switching).test_client()
    assert again(client, SEARCH, tag(client, SEARCH)).status_code == 200


def test_the_program_is_told_by_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.py").write_text("1\n")
    fingerprints = []
    for source in ("1\n", "2\n", "1\n"):
        (tmp_path / "one.py").write_text(source)
        monkeypatch.setattr(etags, "_sources", lambda: iter([tmp_path / "one.py"]))
        etags.program_fingerprint.cache_clear()
        fingerprints.append(etags.program_fingerprint())
    etags.program_fingerprint.cache_clear()
    assert fingerprints[0] == fingerprints[2] != fingerprints[1]
    monkeypatch.undo()
    names = {file.name for file in etags._sources()}
    assert {"engine.py", "json_api.py", "take_downs.py"} <= names


def test_over_a_real_index_a_take_down_counts_at_once(tmp_path: Path) -> None:
    data = build_data(
        tmp_path,
        [
            make_answer("a1", "面肌痉挛怎么治", "面肌痉挛可以打肉毒素。"),
            make_answer("a2", "面肌痉挛会自己好吗", "面肌痉挛很少自己好。"),
        ],
    )
    client = create_app(data, Settings(time_budget_ms=60_000)).test_client()  # a partial reply has no tag
    held = tag(client, SEARCH)
    assert again(client, SEARCH, held).status_code == 304
    take_down(data, "a1", "作者要求")
    without = again(client, SEARCH, held)
    assert without.status_code == 200 and without.json and [hit["id"] for hit in without.json["hits"]] == ["a2"]
    put_back(data, "a1")
    assert again(client, SEARCH, held).status_code == 304
    build_data(tmp_path, [make_answer("a3", "面肌痉挛要手术吗", "面肌痉挛打针无效时可以手术。")])
    after = again(client, SEARCH, held)
    assert after.status_code == 200 and after.json and after.json["generation"] == "gen-000002"
