"""The page about the API and docs/api.md: what they show is what there is, and the code runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from bs4 import BeautifulSoup
from fakes import FakeEngine
from flask.testing import FlaskClient
from reading import page_of, words
from site_server import served
from store_builders import PATIENCE_SECONDS

from webapp import api_types, create_app
from webapp.api_pages import shown_default
from webapp.openapi import ERRORS
from webapp.operations import OPERATIONS, Operation
from webapp.parameters import Choice, Number, Parameter, Switch, Text

PAGE = "/about/api"
DOCUMENT = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
REPLY_TYPES = [
    value
    for value in vars(api_types).values()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a real server whose engine finds one answer."""
    with served(create_app(tmp_path, engine=FakeEngine())) as address:
        yield address


def code_of(site: str, client: FlaskClient) -> list[str]:
    """The pieces of code that the page shows under this address."""
    page = BeautifulSoup(client.get(PAGE, base_url=site).text, "lxml")
    return [piece.get_text() for piece in page.select("pre code")]


def test_the_code_is_for_this_site_and_runs(site: str, client: FlaskClient) -> None:
    curl, python, javascript, reply = code_of(site, client)
    assert all(f"{site}/api/v1/search" in code for code in (curl, python, javascript))
    run = subprocess.run(
        [sys.executable, "-c", python], capture_output=True, encoding="utf-8", timeout=PATIENCE_SECONDS
    )
    assert run.stdout.startswith("1 面肌痉挛怎么治"), run.stderr
    if shutil.which("curl"):
        run = subprocess.run(["bash", "-c", curl], capture_output=True, encoding="utf-8", timeout=PATIENCE_SECONDS)
        assert run.stdout.startswith('{"query":"面肌痉挛怎么治"'), run.stderr
    assert set(msgspec.json.decode(reply)) == set(api_types.SearchReply.__struct_fields__)


def test_an_address_cannot_break_out_of_the_code(client: FlaskClient) -> None:
    for host in ("a.cn';id;'", 'a.cn"+x+"', "a.cn<b>"):
        response = client.get(PAGE, headers={"Host": host})
        assert response.status_code in (200, 400)
        assert "<b>" not in response.text and "';id;'/" not in response.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_parameter_stands_on_the_page(client: FlaskClient, operation: Operation) -> None:
    page = page_of(client, PAGE)
    table = page.select_one(f"[aria-labelledby=call-{operation.id}] table")
    rows = [[words(cell) for cell in row.select("th, td")] for row in table.select("tbody tr")] if table else []
    declared = [[each.name, each.description, each.bounds, shown_default(each)] for each in operation.parameters]
    if operation.part:
        declared.insert(0, [operation.part.name, operation.part.description, "文字，写在地址里", "必填"])
    assert rows == declared
    heading = page.select_one(f"#call-{operation.id}")
    assert heading and words(heading) == operation.summary


def test_every_field_and_error_stands_on_the_page(client: FlaskClient) -> None:
    page = page_of(client, PAGE)
    for reply in (api_types.SearchReply, api_types.Hit, api_types.ErrorReply, api_types.TopicReply):
        names = [words(cell) for cell in page.select(f"[aria-labelledby=type-{reply.__name__}] tbody th")]
        assert names == list(reply.__struct_fields__)
    explained = page.select("[aria-labelledby=fields] td, [aria-labelledby=errors] td")
    assert len(explained) > 100 and all(words(cell) for cell in explained)
    codes = [words(cell) for cell in page.select("[aria-labelledby=errors] td code")]
    assert codes == [code for codes in ERRORS.values() for code in codes]
    links = [str(link["href"]) for link in page.select("main a[href^=http]")]
    assert len(links) >= len(OPERATIONS)
    assert all(client.get(link).status_code in (200, 404) for link in links)


# The same for developers


def rows_below(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of docs/api.md, without marks."""
    below = DOCUMENT.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in below.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_english(parameter: Parameter) -> str:  # type: ignore[type-arg]
    """What may be written, as the document says it."""
    match parameter:
        case Number():
            return f"1 to {parameter.highest}"
        case Switch():
            return "1 or 0"
        case Choice():
            return "、".join(parameter.choices)
        case Text():
            return "text" if parameter.max_chars is None else f"up to {parameter.max_chars} characters"
    raise AssertionError(parameter)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.parameters], ids=lambda each: each.id)
def test_the_tables_of_the_document_are_the_declarations(operation: Operation) -> None:
    declared = [
        [each.name, in_english(each), shown_default(each).replace("必填", "required").replace("空", "none")]
        for each in operation.parameters
    ]
    rows = rows_below(f"### `GET {operation.path}`")
    assert [row[:3] for row in rows] == declared
    assert all(len(row) == 4 and row[3] for row in rows)


@pytest.mark.parametrize("reply", REPLY_TYPES, ids=lambda reply: reply.__name__)
def test_the_document_explains_every_field(reply: type[msgspec.Struct]) -> None:
    rows = rows_below(f"### `{reply.__name__}`")
    assert [row[0] for row in rows] == list(reply.__struct_fields__)
    assert all(row[1] for row in rows)


def test_the_document_names_every_call_and_error() -> None:
    assert re.findall(r"### `GET (\S+)`", DOCUMENT) == [operation.path for operation in OPERATIONS]
    errors = [(int(row[0]), row[1]) for row in rows_below("## Errors")]
    assert errors == [(status, code) for status, codes in ERRORS.items() for code in codes]
