"""The API against its own document, over a real index: every call that the document allows, and many it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from builders import THREE_TEXTS, build_data, make_answer
from flask import Flask
from hypothesis import settings

from indexer.settings import Settings
from webapp import create_app
from webapp.api_pages import example_address
from webapp.openapi import document
from webapp.operations import ANSWER, OPERATIONS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: the answer that the document gives as an example
HELD = ANSWER.part.example if ANSWER.part else ""

CONFIG = {
    "checks": {
        # Whether words say what they are about, and whether a name is held, no schema can tell.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "400", "404"]},
    },
}


class Asked:
    """Stands for the site, which is made only when a test needs it."""

    site: Flask

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.site(environ, start_response)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The site over a real index."""
    answers = [
        make_answer(f"a{place}" if place else HELD, question, text, site="jiankang.example")
        for place, (question, text) in enumerate(THREE_TEXTS.items())
    ]
    site = create_app(build_data(tmp_path_factory.mktemp("conformance"), answers), Settings())
    asked.site = site
    return site


#: made of the declarations alone; the site that is asked comes with `site`
described = schemathesis.openapi.from_dict(document(""), config=schemathesis.Config.from_dict(CONFIG))
described.app = asked = Asked()


def check(case: schemathesis.Case[Any]) -> None:
    """Make the call. What the document allows is refused only for what its words say."""
    response = case.call_and_validate()
    is_allowed = case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    if is_allowed and response.status_code == 400:
        assert response.json()["error"]["code"] == "bad_query"


def test_examples_of_the_document_are_held(site: Flask) -> None:
    """So that the calls above also meet replies that are no errors."""
    client = site.test_client()
    for operation in OPERATIONS:
        assert client.get(example_address("", operation)).status_code == 200, operation.id


def test_the_document_is_valid() -> None:
    described.validate()


@described.parametrize()
@settings(max_examples=60)
def test_every_call_is_as_the_document_says(case: schemathesis.Case[Any], site: Flask) -> None:
    check(case)


@pytest.mark.long
@described.parametrize()
@settings(max_examples=3000)
def test_very_many_calls_are_as_the_document_says(case: schemathesis.Case[Any], site: Flask) -> None:
    check(case)
