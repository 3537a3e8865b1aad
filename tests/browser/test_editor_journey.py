"""An editor's whole way in a browser, with and without script: bring in 200 pages, mend their site, add a synonym after
seeing what it does, build, compare, go back and forth between generations.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import DESK, viewport, watch
from builders import make_answer, write_corpus, write_jsonl
from desk_accounts import PASSWORD, fast_hashes, with_users
from inbox_builders import zip_of
from site_server import served
from store_builders import small_resources

from indexer import build_generation, read_acts
from indexer.settings import load_settings
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["fast_hashes"]
PAGES = 200
PROMOTION = "本院周年庆期间洗牙半价，欢迎到前台登记领取礼品。"
ANSWERS = [
    make_answer("a1", "腰椎不舒服怎么办", "腰椎不舒服时先平躺，少弯腰，过几天再看。"),
    make_answer("a2", "头痛怎么办", "头痛先休息，再量体温。"),
]
PARTS = ("上牙", "下牙", "门牙", "磨牙", "犬牙", "智齿", "牙龈", "牙根", "牙冠", "牙缝")
TIMES = ("早上", "中午", "晚上", "饭后", "睡前")
SIGNS = ("酸痛", "肿胀", "出血", "松动")


CAUSES = (
    "牙菌斑没有刷净，软垢钙化成牙结石，边缘一直受到刺激",
    "咬到骨头或果核，牙面出现细小的裂纹",
    "长期偏用一侧咀嚼，这一侧负担过重",
    "夜里磨牙，早晨起来咀嚼肌发紧",
    "补过的材料边缘有缝，冷热水渗进去",
    "换了偏硬的牙刷，横着用力来回拉锯",
    "近来熬夜、吃得辛辣，又很少喝水",
    "食物嵌在缝里，两三天没有剔出来",
    "正畸加力后的头几天，牙周膜还没有适应",
    "怀孕或青春期激素变化，小血管容易充血",
    "服用某些降压药或抗癫痫药，组织慢慢增生",
)
ADVICE = (
    "先用温盐水含漱，一天三四次",
    "改用软毛牙刷，每次刷够两分钟",
    "用牙线把相邻两颗之间刮干净",
    "暂时不吃冰的、烫的和过酸的",
    "约一次洗牙，顺便拍片看牙槽骨",
    "戴夜间咬合垫，一个月后复查",
    "把松脱的填充物交给牙医重做",
    "疼得厉害可以短期服布洛芬，有胃病的先问医生",
    "脸肿、发热或张口困难，当天就去急诊",
    "孕妇告诉医生孕周，多数治疗放在孕中期做",
    "血糖高的人先把血糖控制下来，伤口才长得好",
    "三天后没有好转，带上正在吃的药去口腔科",
    "儿童由家长帮着刷，含氟牙膏只挤米粒大小",
)


def article(number: int) -> str:
    """A page of a site that puts its promotion into every article's text."""
    part, rest = PARTS[number % 10], number // 10
    topic = f"{TIMES[rest % 5]}{part}{SIGNS[rest // 5]}"
    drawn = random.Random(number)
    causes = "；".join(drawn.sample(CAUSES, 3))
    advice = drawn.sample(ADVICE, 3)
    return f"""<!doctype html><html><head><meta charset="utf-8"><title>{topic}怎么办</title></head><body>
<div class="nav"><a href="/">首页</a><a href="/kq">口腔科</a></div>
<article><h1>{topic}怎么办</h1>
<p>{topic}可能的原因：{causes}。</p>
<p>{PROMOTION}</p>
<p>{advice[0]}。{advice[1]}。{part}一带{advice[2]}。</p>
</article></body></html>"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_hashes: None) -> Path:
    """A directory with an index of two answers, one judged question, and users."""
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    corpus = write_corpus(tmp_path / "corpus" / "raw", ANSWERS).parent
    write_jsonl(corpus / "judgements" / "queries.jsonl", [{"id": "q1", "text": "咕噜骨"}])
    (corpus / "judgements" / "qrels.tsv").write_text("q1 0 a1 1\n", encoding="utf-8")
    settings = load_settings({"data": tmp_path / "data"})
    build_generation(corpus, tmp_path / "data", settings)
    with_users(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def site(data: Path) -> Iterator[str]:
    with served(create_app(data, load_settings({"data": data}))) as address:
        yield address


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_from_two_hundred_pages_to_a_generation_and_back(
    site: str, data: Path, tmp_path: Path, browser: Browser, script: bool
) -> None:
    context = browser.new_context(viewport=viewport(DESK), java_script_enabled=script)
    watched = watch(context.new_page())
    page = watched.page
    main = page.locator("main")
    archive = tmp_path / "口腔.zip"
    archive.write_bytes(zip_of({f"yake.example/{number:03}.html": article(number) for number in range(PAGES)}))

    page.goto(f"{site}/desk/login?next=/desk/inbox")
    page.get_by_label("用户名").fill("bianji")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()

    # bring in 200 pages
    page.get_by_label("文件，可以选多个").set_input_files(archive)
    page.get_by_role("button", name="上传").click()
    page.wait_for_selector(f"text={PAGES} 个页面，{PAGES} 条答案")
    batch = page.url

    # mend their site
    page.locator("#pages-title ~ ul a").first.click()
    promotion = page.locator(".block", has_text=PROMOTION)
    assert "保留" in promotion.locator(".fate").inner_text()
    promotion.get_by_role("button", name="整个网站都去掉…").click()
    page.get_by_role("button", name="看看会改变什么").click()
    page.wait_for_selector(f"text={PAGES} 个页面会改变")
    assert page.locator("del").first.inner_text() == PROMOTION
    page.get_by_label("原因").fill("院方的促销，不是答案")
    page.get_by_role("button", name="保存").click()
    page.goto(f"{batch}/1")
    assert "去掉" in page.locator(".block", has_text=PROMOTION).locator(".fate").inner_text()
    page.goto(batch)
    page.get_by_role("button", name="收进这一批").click()

    # a synonym, after seeing what it does
    page.goto(f"{site}/desk/lexicon?q=腰骨")
    form = page.locator("form[aria-label='加同义词']")
    form.locator("[name=word]").fill("咕噜骨")
    form.locator("button").click()
    page.wait_for_selector("text=nDCG@10 0.0000 → 1.0000")
    page.click("form[aria-label='采用'] button")

    # build; what passes the gate is published
    page.goto(f"{site}/desk/builds")
    page.click("main form button:has-text('开始')")
    page.wait_for_selector(f"text=gen-000002：{PAGES + 2} 条答案")
    assert "已启用" in main.inner_text()
    page.goto(f"{site}/search?q=早上上牙酸痛怎么办")
    assert "早上上牙酸痛怎么办" in main.inner_text() and "周年庆" not in main.inner_text()
    page.goto(f"{site}/search?q=咕噜骨")
    assert "腰椎不舒服怎么办" in main.inner_text()

    # compare
    page.goto(f"{site}/desk/generations/compare?a=gen-000001&b=gen-000002")
    page.wait_for_selector("text=咕噜骨")
    assert "yake.example" in main.inner_text()

    # roll back, and publish again
    page.goto(f"{site}/desk/generations")
    page.click("form[action='/desk/generations/roll-back'] button")
    page.wait_for_selector("text=现在使用的是 gen-000001")
    page.goto(f"{site}/search?q=咕噜骨")
    assert "腰椎不舒服怎么办" not in main.inner_text()
    page.goto(f"{site}/desk/generations")
    page.locator("li", has_text="gen-000002").locator("form[action='/desk/generations/switch'] button").click()
    page.wait_for_selector("text=现在使用的是 gen-000002")
    page.goto(f"{site}/search?q=咕噜骨")
    assert "腰椎不舒服怎么办" in main.inner_text()

    assert watched.complaints == []
    acts = [act.action for act in read_acts(data)]
    assert acts[:2] == ["启用索引", "回到上一代"] and "建立索引" in acts and "修改词表或规则" in acts
    context.close()
