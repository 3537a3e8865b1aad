"""The page that shows programmers how to call the API: with real code for this site's own address."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from flask import Blueprint, render_template, request
from werkzeug.urls import uri_to_iri

from webapp.api_examples import REPLIES
from webapp.openapi import ADDRESS, ERRORS, document
from webapp.operations import OPERATIONS, SEARCH, Operation
from webapp.parameters import Parameter
from webapp.services import services

blueprint = Blueprint("api_pages", __name__)

#: the call that the page shows how to make
_SHOWN = {"q": SEARCH.parameters[0].example, "limit": "5"}


@dataclass(frozen=True)
class Field:
    """One field of a reply, for the tables."""

    name: str
    kind: str  #: in Chinese
    description: str


@dataclass(frozen=True)
class Table:
    """The fields of one type."""

    name: str
    about: str
    fields: tuple[Field, ...]


@blueprint.get("/about/api")
def api() -> str:
    """How to call the API."""
    site = request.url_root.rstrip("/")
    return render_template(
        "api.html",
        site=site,
        codes=calls(f"{site}{SEARCH.path}"),
        operations=OPERATIONS,
        examples={operation.id: example_address(site, operation) for operation in OPERATIONS},
        reply=indented(REPLIES[SEARCH.id]),
        tables=tables(),
        errors=ERRORS,
        document=f"{site}{ADDRESS}",
        max_query_chars=services().settings.max_query_chars,
        shown_default=shown_default,
    )


def calls(address: str) -> dict[str, str]:
    """A search in three languages, ready to be copied; `address` is that of the search without its parameters."""
    return {
        "curl": "\n".join(
            (
                f"curl --get {shlex.quote(address)} \\",
                *(f"  --data-urlencode {shlex.quote(f'{name}={value}')} \\" for name, value in _SHOWN.items()),
                "  --silent --show-error",
            )
        ),
        "Python（标准库）": f"""\
import json
import urllib.parse
import urllib.request

address = {indented(address)}
question = urllib.parse.urlencode({{"q": "{_SHOWN["q"]}", "limit": {_SHOWN["limit"]}}})
with urllib.request.urlopen(f"{{address}}?{{question}}", timeout=10) as reply:
    result = json.load(reply)

if result["urgency"]:
    print(result["urgency"]["title"], result["urgency"]["text"])
for hit in result["hits"]:
    print(hit["rank"], hit["question"], hit["snippet"], hit["url"] or "")""",
        "JavaScript（fetch）": f"""\
const address = new URL({indented(address)});
address.search = new URLSearchParams({{ q: "{_SHOWN["q"]}", limit: {_SHOWN["limit"]} }});
const reply = await fetch(address);
const result = await reply.json();
if (!reply.ok) throw new Error(result.error.message);

if (result.urgency) console.log(result.urgency.title, result.urgency.text);
for (const hit of result.hits) console.log(hit.rank, hit.question, hit.snippet);""",
    }


def example_address(site: str, operation: Operation) -> str:
    """A call of an operation, as it stands in the address bar."""
    part = operation.part
    path = operation.path if part is None else operation.path.replace(f"{{{part.name}}}", quote(part.example, safe=""))
    given = {parameter.name: parameter.example for parameter in operation.parameters if parameter.required}
    if operation.parameters and not given:
        given = {operation.parameters[0].name: operation.parameters[0].example}
    return uri_to_iri(f"{site}{path}{'?' if given else ''}{urlencode(given)}")


def shown_default(parameter: Parameter[Any]) -> str:
    """What counts when a parameter is not given, for a table."""
    if parameter.required:
        return "必填"
    return str(int(parameter.default)) if isinstance(parameter.default, int) else parameter.default or "空"


def tables() -> tuple[Table, ...]:
    """The fields of every type of reply, in the order in which one meets them."""
    return tuple(
        Table(name, schema["description"], tuple(_fields(schema)))
        for name, schema in document("")["components"]["schemas"].items()
        if any("description" in field for field in schema["properties"].values())
    )


def _fields(schema: dict[str, Any]) -> Iterator[Field]:
    schemas = document("")["components"]["schemas"]
    for name, field in schema["properties"].items():
        told = field.get("description") or schemas.get(_referred(field), {}).get("description", "")
        yield Field(name, _kind(field), told)


_KINDS = {"string": "文字", "integer": "整数", "number": "数", "boolean": "true 或 false", "null": "null"}


def _kind(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " 或 ".join(map(_kind, field["anyOf"]))
    if "$ref" in field:
        return _referred(field)
    if "enum" in field:
        return "文字"
    if field["type"] == "array":
        return f"{_kind(field['items'])}的列表"
    if field["type"] == "object":
        return f"对象（值为{_kind(field['additionalProperties'])}）"
    return _KINDS[field["type"]]


def _referred(field: dict[str, Any]) -> str:
    return str(field.get("$ref", "")).rpartition("/")[2]


def indented(value: Any) -> str:
    """JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
