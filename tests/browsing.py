"""What the browser tests share: sites to look at, sizes, and the questions that only a browser can answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from desk_accounts import PASSWORD
from fakes import BARE, FACIAL_SPASM, FakeEngine, make_topic, many_answers
from flask import Flask

from indexer.analysis.suggest import Suggestion
from indexer.records import DirectAnswer, QualityFact, UrgencyCard
from indexer.settings import Settings
from indexer.verdicts import Flaw
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP yiwen.test 127.0.0.1",  # a host that is not this machine's own, over plain http
]

PHONE, TABLET, DESK = {"width": 390, "height": 844}, {"width": 768, "height": 1024}, {"width": 1280, "height": 800}
SMALL, HALF_DESK = {"width": 320, "height": 640}, {"width": 640, "height": 400}

#: Long words without a place to break, which are what pushes a page sideways.
WIDE = replace(
    BARE,
    id="wide",
    question="面肌痉挛" + "A" * 300,
    text="面肌痉挛" + "B" * 3000,
    author="C" * 200,
    author_title="T" * 60,
    hospital="H" * 100,
    site="d" * 200 + ".cn",
    url="https://" + "e" * 60 + ".cn/" + "x" * 200,
    quality=(QualityFact(Flaw.MASKED, "F" * 100), QualityFact(Flaw.COPY, "")),
    copy_of="other",
    views=1234567,
)

#: Everything that a reader can come to on `full_site`.
FULL_PAGES = (
    "/",
    "/?empty=1",
    "/search?q=面肌痉挛",
    "/search?q=面肌痉挛&aspect=治疗&page=2",
    "/search?q=面肌痉挛&page=99",
    "/search?q=没有的病",
    "/answers/wide?q=面肌痉挛",
    f"/answers/{FACIAL_SPASM.id}?thanks=vote",
    "/topics/面肌痉挛",
    "/topics/没有的病",
    "/about",
    "/about/api",
    "/nowhere",
)


class SuggestingEngine(FakeEngine):
    """Offers more than may be shown, and one text that would be markup."""

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """Twelve texts that begin with what was typed."""
        kinds = ["correction", "term", *["question"] * 10]
        return [Suggestion(f"{typed}<b>{place}</b>", kind) for place, kind in enumerate(kinds)]


def plain_site(engine: FakeEngine, data: Path) -> Flask:
    """The site over an engine."""
    return create_app(data, Settings(), engine)


#: Enough for two pages of results, and few enough that every page can be looked at in every way.
FEW = Settings(results_per_page=4)


def full_site(data: Path) -> Flask:
    """A site on which everything stands around the results that can."""
    engine = SuggestingEngine([WIDE, FACIAL_SPASM, *many_answers(5)])
    engine.urgency = UrgencyCard("x", "emergency", "请马上拨打120" + "A" * 90, "不要喂水。" * 20, "指南", "", PHONES)
    engine.direct, engine.entity, engine.topic_name = DirectAnswer(FACIAL_SPASM, 0, 15), "面肌痉挛", "面肌痉挛"
    engine.aspects_of = {answer.id: ("病因", "症状", "检查", "治疗", "饮食", "就医") for answer in engine.answers}
    engine.more, engine.unmatched = (WIDE, *many_answers(2)), ("量子", "C" * 60)
    engine.features = {"entity": 1.0, "aspect": 1.0, "coverage": 0.88, "phrase": 0.2, "near": 0.5, "clean": 0.0}
    engine.topics = {"面肌痉挛": replace(make_topic(answer=WIDE), other_names=("面抽", "D" * 80))}
    engine.related = ("面肌痉挛会自己好吗", "面肌痉挛" + "E" * 90)
    return create_app(data, FEW, engine)


PHONES = ("12356", "120", "110")


@dataclass(frozen=True)
class Watched:
    """A page, with every request it made and every complaint or dialog it raised."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        """Where it sent anything."""
        return {url.split("/")[2] for url in self.requests}


def watch(page: Page) -> Watched:
    """Note what a page does from now on."""
    watched = Watched(page)
    page.on("request", lambda sent: watched.requests.append(sent.url))
    page.on("console", lambda message: watched.complaints.append(message.text))
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    # Playwright closes a dialog by itself only as long as nobody listens for it.
    page.on("dialog", lambda dialog: watched.complaints.append(dialog.message))
    page.on("dialog", lambda dialog: dialog.dismiss())
    return watched


def enter(page: Page, address: str, name: str, path: str = "/desk", password: str = PASSWORD) -> None:
    """Log in on the way to a page of the desk."""
    page.goto(address + path)
    assert page.get_by_role("heading", level=1).inner_text() == "登录"
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(password)
    with page.expect_navigation():  # else what follows may come before the answer
        page.get_by_role("button", name="登录").click()


def viewport(size: dict[str, int]) -> Any:
    """Playwright wants a type of its own here, which cannot be imported without it."""
    return size


def assert_fits(page: Page) -> None:
    """Nothing on the page reaches beyond its window, on either side."""
    too_wide = page.evaluate(TOO_WIDE)
    assert not too_wide, (page.url, too_wide)


TOO_WIDE = """() => [...document.querySelectorAll('body, body *')]
  .filter(e => !e.closest('.skip') && e.checkVisibility())
  .filter(e => !e.parentElement?.closest('pre, .table, .drawing'))  // these scroll by themselves
  .filter(e => { const box = e.getBoundingClientRect();
    return box.right > window.innerWidth + 0.5 || box.left < -0.5; })
  .map(e => e.outerHTML.slice(0, 120))
  .concat(document.documentElement.scrollWidth > window.innerWidth ? ['the page'] : [])"""

#: Texts with less contrast than asked for (WCAG 2.2, "relative luminance").
WEAK_CONTRAST = """wanted => {
  const rgb = css => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const colour = rgb(getComputedStyle(e).backgroundColor);
    if (colour[3] !== 0) return colour; } return [255, 255, 255]; };
  const weak = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.matches('meter, option') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < wanted) weak.push(e.outerHTML.slice(0, 120));
  }
  return weak;
}"""

UNFOLD = "() => document.querySelectorAll('details').forEach(e => { e.open = true; })"

#: What is meant to be tapped and lower than 32 px.
TOO_LOW = """() => [...document.querySelectorAll('a, button, summary, main label:has(input), textarea')]
  .filter(e => !e.matches('.skip') && e.checkVisibility() && e.getBoundingClientRect().height < 32)
  .map(e => e.outerHTML)"""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: What a reader may have switched on, as cookies.
SWITCHED: dict[str, dict[str, str]] = {
    "plain": {},
    "for-the-old": {"type": "large", "contrast": "high"},
}


def violations(page: Page) -> list[str]:
    """Every breach of a rule on the page, with the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    return [
        f"{breach['id']}: {[node['html'][:160] for node in breach['nodes']]}" for breach in found.response["violations"]
    ]


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on what the selector names, as one who has no mouse."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            assert page.locator(":focus").evaluate(
                "e => getComputedStyle(e).outlineStyle !== 'none' || e.closest('.ask') !== null"
            )
            return
    raise AssertionError(f"the keyboard never comes to {wanted}")
