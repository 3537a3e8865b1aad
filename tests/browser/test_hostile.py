"""Twenty pages written to do harm, indexed and shown: in a browser they run, fetch and break nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from browsing import PHONE, assert_fits, viewport, watch
from site_server import served

from indexer import Engine, Query, build_generation, open_engine
from indexer.settings import Settings
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = Path(__file__).parents[1] / "cases" / "hostile"
#: what a page would have if something of a text had become part of it
INTRUDERS = """() => [...document.querySelectorAll(
  "script:not([src^='/static/']), style, iframe, object, embed, svg, base, main img, meta[http-equiv], [style]")]
  .concat([...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))))
  .concat([...document.querySelectorAll("[href], [action], [src]")].filter(e =>
    new URL(e.href || e.action || e.src, location).origin !== location.origin && e.protocol !== "tel:"))
  .map(e => e.outerHTML.slice(0, 100))"""
#: parts of the page around the texts, which must stand where they always do
FRAME = """() => [document.querySelectorAll("main").length, document.querySelectorAll("footer").length,
  getComputedStyle(document.body).display !== "none", document.title.endsWith("医问")]"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    data = tmp_path_factory.mktemp("hostile")
    build_generation(PAGES, data)
    return open_engine(data)


@pytest.fixture(scope="module")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(create_app(tmp_path_factory.mktemp("log"), Settings(), engine)) as address:
        yield address


def test_hostile_pages_run_nothing_and_break_nothing(site: str, engine: Engine, browser: Browser) -> None:
    answers = {answer.page: answer for answer in engine.answers()}
    assert set(answers) == {file.name for file in PAGES.glob("*.html")} and len(answers) == 20
    shown = {hit.answer.page for hit in engine.search(Query("面肌痉挛", limit=50, fold=False)).hits}
    assert len(shown) >= 18  # what is not found cannot be seen to be harmless
    addresses = [f"/search?q={quote('面肌痉挛')}&page={page}" for page in (1, 2)]
    addresses += [f"/answers/{quote(answer.id)}?q={quote(answer.question)}" for answer in answers.values()]
    addresses += [f"/search?q={quote(answer.question)}" for answer in answers.values()]
    addresses += [f"/topics/{quote('面肌痉挛')}"]
    context = browser.new_context(viewport=viewport(PHONE))
    watched = watch(context.new_page())
    for address in addresses:
        response = watched.page.goto(site + address)
        assert response and response.status == 200, address
        assert watched.page.evaluate(INTRUDERS) == [], address
        assert watched.page.evaluate(FRAME) == [1, 1, True, True], address
        assert_fits(watched.page)
    context.close()
    assert watched.complaints == []
    assert watched.hosts == {site.removeprefix("http://")}


def test_a_text_that_is_markup_is_read_as_it_was_written(site: str, engine: Engine, browser: Browser) -> None:
    written = next(answer for answer in engine.answers() if answer.page.startswith("01_"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/answers/{written.id}")
    assert written.question == "面肌痉挛怎么治<script>alert(1)</script>"
    assert page.inner_text("h1") == written.question
    context.close()
