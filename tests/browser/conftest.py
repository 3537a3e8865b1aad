"""One server and one browser for all browser tests; they are skipped, and say so, where there is no Chromium."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # what stands beside this folder

from browsing import (  # noqa: E402
    ARGUMENTS,
    DESK,
    PHONE,
    WIDE,
    Watched,
    full_site,
    plain_site,
    viewport,
    watch,
)
from fakes import HOSTILE, FakeEngine, many_answers  # noqa: E402
from site_server import served  # noqa: E402
from store_builders import PATIENCE_SECONDS  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

CHROMIUM = shutil.which("chromium")


def _missing() -> str:
    """Why these tests cannot run; empty when they can."""
    if importlib.util.find_spec("playwright") is None:
        return "skipped: playwright is not installed (pip install playwright)"
    return "" if CHROMIUM else "skipped: chromium is not installed (apt-get install chromium)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(bool(_missing()), reason=_missing() or "-"))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of results only."""
    engine = FakeEngine([HOSTILE, WIDE, *many_answers(30)])
    with served(plain_site(engine, tmp_path_factory.mktemp("data"))) as address:
        yield address


@pytest.fixture(scope="session")
def full_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site on which everything stands around the results that can."""
    with served(full_site(tmp_path_factory.mktemp("full"))) as address:
        yield address


def _end_with_whole_pages(locator: type[Locator]) -> None:
    """Let a click end when the page that it led to is whole, as ``goto`` does.

    Playwright returns as soon as the answer's first bytes are there: a question that does not wait, such as
    ``is_visible()`` or ``count()``, would then be put to half a page where the machine is busy.
    """
    for name in ("click", "press", "tap"):
        act = getattr(locator, name)

        @functools.wraps(act)
        def act_and_load(self: Locator, *values: Any, act: Any = act, **options: Any) -> None:
            act(self, *values, **options)
            self.page.wait_for_load_state("domcontentloaded")

        setattr(locator, name, act_and_load)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    from playwright.sync_api import Locator, sync_playwright

    _end_with_whole_pages(Locator)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        open_context = browser.new_context

        def patient(**options: Any) -> BrowserContext:
            context = open_context(**options)
            context.set_default_timeout(PATIENCE_SECONDS * 1000)  # its own 30 s are few where much else runs
            return context

        browser.new_context = patient  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture(params=[PHONE, DESK], ids=["390px", "1280px"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    """A phone's window, and a desk's."""
    chosen: dict[str, int] = request.param
    return chosen


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def watched(browser: Browser, size: dict[str, int], request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page, with and without script."""
    context = browser.new_context(viewport=viewport(size), java_script_enabled=request.param)
    yield watch(context.new_page())
    context.close()


@pytest.fixture
def page(watched: Watched) -> Page:
    """The same, where nobody asks what it sent."""
    return watched.page


@pytest.fixture
def desk(browser: Browser) -> Iterator[Watched]:
    """A page with script in a desk's window."""
    context = browser.new_context(viewport=viewport(DESK))
    yield watch(context.new_page())
    context.close()
