"""An editor's journey in a browser: add a synonym, see what it does, adopt, build, find it by search; with and without
script.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PHONE, assert_fits, viewport, watch
from builders import make_answer, write_corpus, write_jsonl
from desk_accounts import PASSWORD, fast_hashes, with_users
from site_server import served
from store_builders import small_resources

from indexer import build_generation
from indexer.settings import load_settings
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["fast_hashes"]
ANSWERS = [
    make_answer("a1", "腰椎不舒服怎么办", "腰椎不舒服时先平躺，少弯腰，过几天再看。"),
    make_answer("a2", "头痛怎么办", "头痛先休息，再量体温。"),
]
#: pages that axe looks at besides those of the journey
OTHERS = (
    "/desk/lexicon/words",
    "/desk/urgency?level=emergency&sentences=我妈突然嘴歪了，右手抬不起来，说话含糊",
    "/desk/urgency/stroke",
    "/desk/urgency/new",
    "/desk/resources",
    "/desk/resources/file?path=lexicon/own.tsv",
    "/desk/proposals",
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_hashes: None) -> Iterator[str]:
    """The address of a site with an index of two answers and one judged question."""
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    data = tmp_path / "data"
    corpus = write_corpus(tmp_path / "corpus" / "raw", ANSWERS).parent
    write_jsonl(corpus / "judgements" / "queries.jsonl", [{"id": "q1", "text": "咕噜骨"}])
    (corpus / "judgements" / "qrels.tsv").write_text("q1 0 a1 1\n", encoding="utf-8")
    settings = load_settings({"data": data})
    build_generation(corpus, data, settings)
    with_users(data)
    with served(create_app(data, settings)) as address:
        yield address


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_synonym_from_the_form_to_the_search(site: str, browser: Browser, script: bool) -> None:
    context = browser.new_context(viewport=viewport(PHONE), java_script_enabled=script)
    watched = watch(context.new_page())
    page = watched.page
    page.goto(f"{site}/search?q=咕噜骨")
    assert "腰椎不舒服怎么办" not in page.inner_text("main")

    page.goto(f"{site}/desk/login?next=/desk/lexicon")
    page.fill("[name=name]", "bianji")
    page.fill("[name=password]", PASSWORD)
    page.click("form[aria-label] button:has-text('登录')")
    page.fill("#q", "腰骨")
    page.click("button:has-text('查词')")
    page.wait_for_selector("h2:has-text('腰椎')")
    looked_at(page, script)
    form = page.locator("form[aria-label='加同义词']")
    form.locator("[name=word]").fill("咕噜骨")
    form.locator("button").click()
    page.wait_for_selector("text=nDCG@10 0.0000 → 1.0000")
    assert "变好 1 个" in page.inner_text("main") and "咕噜骨：" in page.inner_text("main")
    looked_at(page, script)
    page.click("form[aria-label='采用'] button")
    page.wait_for_selector("text=已采用；下次建立索引后")
    page.click("main a:has-text('建立索引')")
    page.click("main form button:has-text('开始')")
    page.wait_for_selector("text=已启用")
    page.goto(f"{site}/search?q=咕噜骨")
    assert "腰椎不舒服怎么办" in page.inner_text("main")
    if script:
        for path in OTHERS:
            page.goto(f"{site}{path}")
            looked_at(page, script)
    assert watched.complaints == []
    context.close()


def looked_at(page: Page, script: bool) -> None:
    """It fits a phone, and axe finds nothing."""
    assert_fits(page)
    if script:
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} {found.generate_report()[:1500]}"
