"""The pages in a real browser, from a real server: what only a browser can tell."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes import BARE, FACIAL_SPASM, HOSTILE, FakeEngine, make_topic, many_answers
from site_server import served

from indexer.records import DirectAnswer, UrgencyCard
from indexer.settings import Settings
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")


def _missing() -> str:
    """Why these tests cannot run; empty when they can."""
    if importlib.util.find_spec("playwright") is None:
        return "skipped: playwright is not installed (pip install playwright)"
    return "" if CHROMIUM else "skipped: chromium is not installed (apt-get install chromium)"


pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(_missing()), reason=_missing() or "-")]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}

#: Long words without a place to break, which are what pushes a page sideways.
WIDE = replace(
    BARE,
    id="wide",
    question="面肌痉挛" + "A" * 300,
    text="面肌痉挛" + "B" * 3000,
    author="C" * 200,
    site="d" * 200 + ".cn",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(FakeEngine([HOSTILE, WIDE, *many_answers(30)]), tmp_path_factory.mktemp("data")) as address:
        yield address


@pytest.fixture(scope="module")
def full_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site on which everything stands around the results that can."""
    engine = FakeEngine([WIDE, *many_answers(12)])
    engine.urgency = UrgencyCard("x", "emergency", "请马上拨打120" + "A" * 90, "不要喂水。" * 20, "指南", "", PHONES)
    engine.direct, engine.entity = DirectAnswer(FACIAL_SPASM, 0, 15), "面肌痉挛"
    engine.aspects_of = {answer.id: ("病因", "症状", "检查", "治疗", "饮食", "就医") for answer in engine.answers}
    engine.more, engine.unmatched = (WIDE, *many_answers(2)), ("量子", "C" * 60)
    engine.features = {"entity": 1.0, "aspect": 1.0, "coverage": 0.88, "phrase": 0.2, "near": 0.5, "clean": 0.0}
    engine.topics = {"面肌痉挛": replace(make_topic(answer=WIDE), other_names=("面抽", "D" * 80))}
    with serving(engine, tmp_path_factory.mktemp("full")) as address:
        yield address


PHONES = ("12356", "120", "110")


@contextmanager
def serving(engine: FakeEngine, data: Path) -> Iterator[str]:
    with served(create_app(data, Settings(), engine)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=[PHONE, DESK], ids=["390px", "1280px"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    chosen: dict[str, int] = request.param
    return chosen


@dataclass(frozen=True)
class Watched:
    """A page, with every request it made and every complaint or dialog it raised."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def watched(browser: Browser, size: dict[str, int], request: pytest.FixtureRequest) -> Iterator[Watched]:
    context = browser.new_context(viewport=viewport(size), java_script_enabled=request.param)
    watched = Watched(context.new_page())
    watched.page.on("request", lambda sent: watched.requests.append(sent.url))
    watched.page.on("console", lambda message: watched.complaints.append(message.text))
    # Playwright closes a dialog by itself only as long as nobody listens for it.
    watched.page.on("dialog", lambda dialog: watched.complaints.append(dialog.message))
    watched.page.on("dialog", lambda dialog: dialog.dismiss())
    yield watched
    context.close()


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page


def viewport(size: dict[str, int]) -> Any:
    """Playwright wants a type of its own here, which cannot be imported without it."""
    return size


def assert_fits(page: Page) -> None:
    """Nothing on the page reaches beyond its window."""
    assert page.evaluate(TOO_WIDE) == []


TOO_WIDE = """() => [...document.querySelectorAll('body, body *')]
  .filter(e => !e.closest('.skip') && e.getBoundingClientRect().right > window.innerWidth + 0.5)
  .map(e => e.outerHTML.slice(0, 120))"""


def test_from_home_to_an_answer_and_back(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(address)
    assert_fits(page)
    page.get_by_label("想问的健康问题").fill("面肌痉挛")
    page.get_by_label("想问的健康问题").press("Enter")
    assert page.get_by_role("heading", level=1).inner_text().startswith("找到 32 条回答")
    assert "面肌痉挛" not in page.title()
    assert_fits(page)

    page.get_by_role("navigation", name="翻页").get_by_text("下一页").click()
    results = page.url
    assert "page=2" in results
    assert page.locator("ol.hits > li").count() == 10
    page.get_by_role("link", name="面肌痉挛怎么治？").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "面肌痉挛怎么治？"
    assert_fits(page)

    page.get_by_role("link", name="返回搜索结果").click()
    assert page.get_by_role("navigation", name="翻页").locator("[aria-current=page]").inner_text() == "2"
    assert page.get_by_label("想问的健康问题").input_value() == "面肌痉挛"
    page.go_back()
    assert "/answers/" in page.url

    hosts = {url.split("/")[2] for url in watched.requests}
    assert hosts == {address.split("/")[2]}
    assert watched.complaints == []


def test_scripts_in_an_answer_are_text(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/search?q=面肌痉挛")
    assert "<script>document.title='被改'</script>" in page.locator(".hit").first.inner_text()
    page.locator(".hit h2 a").first.click()
    assert "<img src=x onerror=alert(1)>" in page.locator(".text").inner_text()
    assert page.locator("main script, main img").count() == 0
    assert page.title() == "回答全文 · 医问"
    assert watched.complaints == []


def test_no_page_scrolls_sideways(page: Page, address: str) -> None:
    for path in ("/?empty=1", "/search?q=面肌痉挛", "/search?q=没有的病", "/search?q=面肌痉挛&page=99", "/answers/wide",
                 f"/search?q={'A' * 200}&site={'b' * 250}", "/nowhere"):  # fmt: skip
        page.goto(address + path)
        assert_fits(page)


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    page.goto(f"{address}/search?q=面肌痉挛")
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().bottom < 0")
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().top >= 0")
    assert page.locator(":focus").inner_text() == "跳到正文"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("e => e.closest('.hit') !== null")
    assert page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_what_is_tapped_is_large_enough(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=viewport(PHONE))
    page = context.new_page()
    for path in ("/", "/search?q=面肌痉挛&page=2", "/answers/wide?q=面肌痉挛"):
        page.goto(address + path)
        for target in page.locator("main a, main button, header a, header button").all():
            box: Any = target.bounding_box()
            assert box["height"] >= 32, target.evaluate("e => e.outerHTML")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Browser, address: str, scheme: Any) -> None:
    context = browser.new_context(viewport=viewport(PHONE), color_scheme=scheme)
    page = context.new_page()
    for path in ("/?empty=1", "/search?q=面肌痉挛&page=2&site=www.example.com", "/answers/wide?q=面肌", "/nowhere"):
        page.goto(address + path)
        weak = page.evaluate(WEAK_CONTRAST)
        assert weak == []
    context.close()


#: Texts with less than 4.5:1 (WCAG AA), by the formula of WCAG 2.2, "relative luminance".
WEAK_CONTRAST = """() => {
  const rgb = css => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const colour = rgb(getComputedStyle(e).backgroundColor);
    if (colour[3] !== 0) return colour; } return [255, 255, 255]; };
  const weak = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) weak.push(e.outerHTML.slice(0, 120));
  }
  return weak;
}"""


def test_paper_gets_no_controls(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/search?q=面肌痉挛")
    assert page.locator(".ask").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".ask").is_visible()
    assert page.locator(".snippet").first.is_visible()
    page.close()


FULL_PAGES = ("/search?q=面肌痉挛", "/search?q=面肌痉挛&aspect=治疗&page=2", "/search?q=没有的病", "/topics/面肌痉挛")


def test_the_way_to_help_comes_first(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("href") == "tel:12356"
    card = page.get_by_role("region", name="请马上拨打120")
    assert card.get_by_role("heading", level=2).is_visible()
    box: Any = card.bounding_box()
    assert box["y"] < page.locator("h1").bounding_box()["y"]  # type: ignore[index]
    assert watched.complaints == []


def test_what_is_folded_opens_by_keyboard(watched: Watched, full_address: str) -> None:
    page = watched.page
    page.goto(f"{full_address}/search?q=面肌痉挛")
    why = page.locator(".why").first
    assert not why.locator("meter").first.is_visible()
    why.locator("summary").focus()
    page.keyboard.press("Enter")
    assert why.locator("meter").first.is_visible()
    assert why.get_by_role("meter", name="问题要点覆盖").is_visible()
    assert watched.complaints == []


def test_full_pages_fit_and_can_be_tapped_and_read(browser: Browser, full_address: str) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport=viewport(PHONE), color_scheme=scheme)
        page = context.new_page()
        for path in FULL_PAGES:
            page.goto(full_address + path)
            page.evaluate("() => document.querySelectorAll('details').forEach(e => { e.open = true; })")
            assert_fits(page)
            assert page.evaluate(WEAK_CONTRAST) == []
            for target in page.locator("main a, main button, main summary").all():
                box: Any = target.bounding_box()
                assert box["height"] >= 32, target.evaluate("e => e.outerHTML")
        context.close()
