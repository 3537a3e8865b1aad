"""What goes over the line packed, and what must not."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from fakes import FakeEngine, many_answers
from flask.testing import FlaskClient

from indexer.settings import Settings
from webapp import create_app

PAGE, STYLE, CALL = "/search?q=面肌痉挛", "/static/style.css", "/api/v1/search?q=面肌痉挛"
ASKS = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_app(tmp_path, Settings(), FakeEngine(many_answers(12))).test_client()


@pytest.mark.parametrize("address", [PAGE, STYLE, "/about"])
def test_pages_are_packed_for_who_can_unpack(client: FlaskClient, address: str) -> None:
    plain, packed = client.get(address), client.get(address, headers=ASKS)
    assert plain.content_encoding is None and packed.content_encoding == "gzip"
    unmarked = [re.sub(rb"at=[0-9a-f]+-", b"", data) for data in (gzip.decompress(packed.data), plain.data)]
    assert unmarked[0] == unmarked[1]  # but for the mark of the search, another one each time
    assert packed.content_length == len(packed.data) < len(plain.data) / 2
    assert "Accept-Encoding" in packed.vary and "Accept-Encoding" in plain.vary


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0, br"}])
def test_who_does_not_ask_gets_plain_text(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(PAGE, headers=headers).text.startswith("<!doctype html>")


def test_replies_of_the_api_stay_as_their_etags_say(client: FlaskClient) -> None:
    reply = client.get(CALL, headers=ASKS)
    assert reply.content_encoding is None and reply.json
    assert not reply.headers["ETag"].startswith("W/")


def test_a_packed_file_is_not_sent_again(client: FlaskClient) -> None:
    held = client.get(STYLE, headers=ASKS).headers["ETag"]
    assert client.get(STYLE, headers={**ASKS, "If-None-Match": held}).status_code == 304
