"""The API's document: valid, whole, and what the API really gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from builders import THREE_TEXTS, build_data, make_answer
from fakes import FACIAL_SPASM, FakeEngine, make_topic
from flask import Flask
from flask.testing import FlaskClient

from indexer import open_engine
from indexer.engine import Engine
from indexer.records import DirectAnswer, UrgencyCard
from indexer.settings import Settings
from webapp import api_types, create_app, errors
from webapp.api_examples import REPLIES
from webapp.openapi import ADDRESS, ERRORS, document
from webapp.operations import ANSWER, OPERATIONS, SEARCH, SUGGEST, TOPIC, Operation

CARD = UrgencyCard("x", "emergency", "请马上拨打120", "不要喂水。", "某指南", "", ("120", "110"))


def strictly(body: Any, reply: type) -> None:
    """The body is of the type, and holds nothing that the type does not tell of."""
    assert msgspec.to_builtins(msgspec.convert(body, reply, strict=True)) == body


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    answers = [
        make_answer(f"a{place}", question, text, site=f"{place % 2}.example", date="2013-05-06", author="王医生")
        for place, (question, text) in enumerate(THREE_TEXTS.items())
    ]
    return open_engine(build_data(tmp_path_factory.mktemp("openapi"), answers))


@pytest.fixture(scope="module")
def real_client(real: Engine, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return create_app(tmp_path_factory.mktemp("site"), Settings(), real).test_client()


def test_the_document_is_one_of_openapi(client: FlaskClient) -> None:
    response = client.get(ADDRESS)
    assert response.mimetype == "application/json" and response.json == document("")
    said = response.json
    assert said["openapi"].startswith("3.1.") and said["info"]["version"] == version("yiwen")
    for schema in said["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": said["jsonSchemaDialect"], **schema})


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "$ref")
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_somewhere() -> None:
    whole = document("")
    found = set(references(whole))
    assert len(found) > 10
    for reference in found:
        place = whole
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def test_the_site_may_lie_below_a_path(app: Flask) -> None:
    said = app.test_client().get(ADDRESS, base_url="http://a.example/medical").json
    assert said and said["servers"][0]["url"] == "/medical"


def test_every_address_of_the_api_is_in_the_document(app: Flask) -> None:
    rules = {
        re.sub(r"<path:(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(errors.JSON_PREFIXES)
    }
    assert rules - {ADDRESS} == set(document("")["paths"])


def test_everything_is_told_in_chinese() -> None:
    whole = document("")
    operations = [path["get"] for path in whole["paths"].values()]
    texts = [whole["info"]["description"], *(tag["description"] for tag in whole["tags"])]
    for operation in operations:
        texts += [operation["summary"], operation["description"]]
        texts += [each["description"] for each in operation["parameters"] if "$ref" not in each]
    for schema in whole["components"]["schemas"].values():
        texts += [schema["description"]]
        texts += [
            field.get("description", "") for field in schema["properties"].values() if _says_nothing_itself(field)
        ]
    assert [text for text in texts if not re.search("[\u4e00-\u9fff]", text)] == []
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(OPERATIONS)


def _says_nothing_itself(field: dict[str, Any]) -> bool:
    """A constant, and a reference to what is described, need no words."""
    return "$ref" not in field and len(field.get("enum", ("", ""))) > 1


def test_every_error_of_the_site_is_described() -> None:
    problems = {value for value in vars(errors).values() if isinstance(value, errors.Problem)}
    problems = {problem for problem in problems if problem.status not in (401, 403)}  # of the desk and of forms
    assert len(problems) > 5
    for problem in problems:
        assert problem.code in ERRORS[problem.status], problem


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_examples_are_of_the_type(operation: Operation) -> None:
    strictly(REPLIES[operation.id], operation.reply)
    quoted = REPLIES["search"]["answer"]
    assert REPLIES["search"]["hits"][0]["answer"][quoted["start"] : quoted["end"]] == quoted["text"]


@pytest.mark.parametrize(
    "question", ["面肌痉挛怎么治", "面肌", "mianji jingluan", "房贷", "胸口压榨样疼，出冷汗，喘不上气"]
)
@pytest.mark.parametrize("more", ["", "&page=2", "&limit=1&aspect=治疗", "&site=0.example&exact=1"])
def test_a_real_search_is_as_told(real_client: FlaskClient, question: str, more: str) -> None:
    body = real_client.get(f"{SEARCH.path}?q={question}{more}").json
    strictly(body, SEARCH.reply)


def test_what_the_engine_gives_is_what_the_api_gives(real: Engine, real_client: FlaskClient) -> None:
    told = {field.name for field in msgspec.structs.fields(api_types.SearchReply)}
    given = real.search("面肌痉挛怎么治").as_dict()
    assert set(given) | {"page", "limit", "related"} == told
    body = real_client.get(f"{SEARCH.path}?q=面肌痉挛怎么治").json
    assert (
        body
        and body["hits"]
        and body["answer"]
        and {name: body[name] for name in given} == json.loads(json.dumps(given))
    )


def test_the_rarer_parts_of_a_result_are_as_told(client: FlaskClient, engine: FakeEngine) -> None:
    engine.urgency, engine.direct = CARD, DirectAnswer(FACIAL_SPASM, 0, 4)
    engine.more, engine.copies, engine.features = (FACIAL_SPASM,), 2, {"entity": 0.5}
    engine.corrected, engine.alternatives, engine.unmatched = "面肌痉挛", ("面部痉挛",), ("中药",)
    body = client.get(f"{SEARCH.path}?q=面肌痉挛").json
    assert body and body["urgency"] and body["answer"] and body["hits"][0]["more"]
    strictly(body, SEARCH.reply)


def test_answers_topics_and_suggestions_are_as_told(real_client: FlaskClient) -> None:
    for operation, address in (
        (ANSWER, "/api/v1/answers/a0"),
        (TOPIC, "/api/v1/topics/面肌痉挛"),
        (SUGGEST, f"{SUGGEST.path}?q=面肌"),
    ):
        response = real_client.get(address)
        assert response.status_code == 200, address
        strictly(response.json, operation.reply)


def test_every_field_of_a_card_is_told() -> None:
    assert {field.name for field in fields(UrgencyCard)} == set(api_types.UrgencyCard.__struct_fields__)


@pytest.mark.parametrize("address", ["/api/v1/search", "/api/v1/search?q=胸痛喘不上气&limit=0", "/api/x"])
def test_errors_are_as_told(client: FlaskClient, address: str) -> None:
    strictly(client.get(address).json, api_types.ErrorReply)


def test_a_topic_of_the_fake_engine_is_as_told(client: FlaskClient, engine: FakeEngine) -> None:
    engine.topics = {"面抽": make_topic()}
    strictly(client.get("/api/v1/topics/面抽").json, TOPIC.reply)


def test_what_is_not_as_told_is_seen(real: Engine) -> None:
    body = {**REPLIES["search"], "new": 1}
    with pytest.raises(AssertionError):
        strictly(body, SEARCH.reply)
    for name in REPLIES["search"]:
        with pytest.raises(msgspec.ValidationError):
            strictly({key: value for key, value in REPLIES["search"].items() if key != name}, SEARCH.reply)
