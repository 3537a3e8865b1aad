"""Spam: facts are measured, decisions follow; each limit is shown from both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.extract import load_site_templates
from indexer.extract.site_templates import plain
from indexer.records import Block
from indexer.spam import commercial_reason, is_advertisement, is_link_farm
from indexer.verdicts import Reason

RULES = load_site_templates(Path(__file__).parent.parent / "corpus" / "resources").general


def block(text: str, links: int = 0, link_chars: int = 0) -> Block:
    return Block(text, plain(text), "p", link_chars, links)


@pytest.mark.parametrize(("titles", "farm"), [(6, True), (5, False)])
def test_titles_side_by_side_are_a_link_farm_from_six_on(titles: int, farm: bool) -> None:
    assert is_link_farm(block(" ".join(f"某县第{number}家机构名录" for number in range(titles))), RULES) is farm


@pytest.mark.parametrize(("links", "farm"), [(6, True), (5, False)])
def test_a_block_of_links_is_a_link_farm_from_six_on(links: int, farm: bool) -> None:
    text = "、".join(["健康小常识"] * links)
    assert is_link_farm(block(text, links, 5 * links), RULES) is farm


def test_sentences_with_blanks_between_them_are_no_link_farm() -> None:
    text = " ".join(f"第{number}天要多喝水。" for number in range(8))
    assert not is_link_farm(block(text), RULES)


def test_one_link_to_a_foreign_subject_is_enough() -> None:
    text = "某市亲子鉴定中心地址"
    assert is_link_farm(block(text, 1, len(text)), RULES)
    assert not is_link_farm(block(text), RULES)
    assert not is_link_farm(block("背上这块白的是白癜风吗", 1, 11), RULES, "白癜风的早期表现")
    assert is_link_farm(block("背上这块白的是白癜风吗", 1, 11), RULES, "面肌痉挛的早期表现")


@pytest.mark.parametrize(
    "text",
    [
        "专家提醒您：点击在线咨询，免费解答",
        "咨询热线：400-123-4567",
        "想了解更多请加微信：abc12345",
        "【限时】名医一对一解答，马上预约",
        "面肌痉挛不能拖，马上加微信 abc12345 咨询张专家，免费领方案！",
        "没有治不好的面瘫，热线：400-888-9999",
        "不要犹豫，点击在线咨询专家，限时优惠",
        "特别提醒：点击咨询在线专家",
        "为避免延误病情请点击咨询专家",
    ],
)
def test_invitations_are_advertisements(text: str) -> None:
    assert commercial_reason(block(text), RULES) is Reason.ADVERTISEMENT


@pytest.mark.parametrize(
    "text",
    [
        "出现胸痛不缓解，立即拨打120，不要自己开车去医院。",
        "路上可以按急救电话指导先侧躺，别喂水。",
        "耳朵里嗡嗡响，没有三天见效的偏方。",
        "网上吹嘘包好的针剂不少，多半掺了激素。",
        "枕头太高会把脖子折起来，打鼾反而更重。",
        "先租一个月试试，买的时候留好发票。",
        "不要轻信包治百病、无效退款的广告。",
        "别加陌生人的微信买药。",
        "出现手脚无力时，应马上到急诊挂号就诊。",
        "如果出现呼吸困难，应立即咨询医生。",
        "胸痛持续不缓解，要立即预约心内科。",
        "不要相信街边广告里的祖传秘方，更不要加微信买药。",
        "可以拨打12356心理援助热线，说出自己的感受。",
        "拨打12320健康热线可以问到附近的接种点。",
        "服药期间每三个月复查一次肝功能，结果异常要和医生联系。",
    ],
)
def test_advice_is_no_advertisement(text: str) -> None:
    assert commercial_reason(block(text), RULES) is None


def test_a_long_paragraph_with_one_unlucky_word_stays() -> None:
    paragraph = "注射之后的前两天不要揉搓注射的地方，也不要做剧烈运动。" * 4 + "咨询电话可以写在病历的第一页。"
    assert not is_advertisement(block(paragraph), RULES)
    assert is_advertisement(block("咨询电话：12345678"), RULES)
