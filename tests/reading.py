"""What tests of the pages read them with."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient


def page_of(client: FlaskClient, address: str, **query: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(address, query_string=query or None).text, "lxml")


def without_own_script(html: str) -> str:
    """A page without the one script element that is its own, so that any other can be seen."""
    rest, found = re.subn(r'<script src="/static/suggest\.js\?v=[0-9a-f]{8}" defer></script>', "", html)
    assert found == 1
    return rest


def only(page: BeautifulSoup | Tag, selector: str) -> Tag:
    """The one element there is."""
    (found,) = page.select(selector)
    return found


def words(element: BeautifulSoup | Tag) -> str:
    return " ".join(element.get_text().split())


def first_of_main(page: BeautifulSoup) -> Tag:
    found = only(page, "main").find(True)
    assert isinstance(found, Tag)
    return found
