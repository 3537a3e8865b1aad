"""Names, home addresses and accounts go from what is kept; illnesses and places of the body stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.query_log import without_persons
from webapp.scrubbing_words import ACCOUNT, NAME, PLACE, scrub_words

GONE = (
    ("我叫张三丰今年45岁面肌痉挛怎么治", "我叫〔姓名〕今年45岁面肌痉挛怎么治"),
    ("患者李小明，血压高", "患者〔姓名〕，血压高"),
    ("姓名：欧阳娜 失眠", "姓名：〔姓名〕 失眠"),
    ("我是王丽，头疼", "我是〔姓名〕，头疼"),
    ("孩子叫王浩宇发烧", "孩子叫〔姓名〕发烧"),
    ("联系人王五", "联系人〔姓名〕"),
    ("协和医院张建国主任怎么样", "协和医院〔姓名〕主任怎么样"),
    ("家住北京市海淀区中关村大街1号院3号楼402室 咳嗽", "家住〔地址〕 咳嗽"),
    ("寄到朝阳区建国路88号", "寄到〔地址〕"),
    ("我在幸福小区5号楼2单元301室，漏尿", "我在〔地址〕，漏尿"),
    ("加微信 abc12345 问", "加微信 〔账号〕 问"),
    ("qq号123456789 失眠", "qq号〔账号〕 失眠"),
)
STAYS = (
    "我是高血压患者",
    "高血压医生",
    "马凡综合征主任",
    "住在上海 湿疹",
    "我住院了怎么办",
    "住在潮湿的地方会得风湿吗",
    "3号染色体异常",
    "13号楼",
    "5号病床",
    "宝宝叫什么名字好",
    "胃窦炎张力高",
    "张力性头痛医生",
    "何种医生看",
    "单纯疱疹看什么医生",
    "金黄色葡萄球菌",
    "余毒未清",
    "血管造影路径",
    "足三里穴位",
    "涌泉穴在哪里",
    "老公叫我去医院",
    "孩子叫不醒怎么办",
    "病人安静时心率",
    "病人白细胞高",
    "患者任何药都不吃",
    "患者方便的时候疼",
    "本人金属过敏",
    "江南大学附属医院好吗",
    "微信上说吃蒜能治病",
)


@pytest.mark.parametrize(("text", "kept"), GONE)
def test_what_tells_of_a_person_is_replaced(text: str, kept: str) -> None:
    assert scrub_words(text) == kept


@pytest.mark.parametrize("text", STAYS)
def test_what_does_not_stays(text: str) -> None:
    assert scrub_words(text) == text


@pytest.mark.parametrize(("text", "word"), [("找白癜风医生", "白癜风"), ("白内障大夫哪个好", "白内障")])
def test_a_word_of_the_lexicon_is_nobodys_name(text: str, word: str) -> None:
    assert NAME in scrub_words(text)
    assert scrub_words(text, [word]) == text


def test_a_known_word_elsewhere_saves_nobody() -> None:
    assert without_persons("我叫张三丰，白癜风，家住幸福路3号2单元", ["白癜风"]) == "我叫〔姓名〕,白癜风,家住〔地址〕"


@given(
    st.sampled_from(["我叫", "姓名：", "患者姓名 ", "孩子名字叫"]),
    st.sampled_from("王李张刘陈"),
    st.text(alphabet="伟芳娜敏静丽强磊洋勇艳杰娟涛明超秀兰霞平", min_size=1, max_size=2),
    st.sampled_from(["", "，头痛", " 失眠怎么办", "今年30岁"]),
)
def test_a_name_after_its_cue_is_never_kept(cue: str, surname: str, given_name: str, rest: str) -> None:
    kept = scrub_words(f"{cue}{surname}{given_name}{rest}")
    assert surname + given_name not in kept and NAME in kept


@given(st.integers(1, 999), st.integers(1, 30), st.sampled_from(["号楼", "栋", "幢"]), st.integers(101, 3305))
def test_an_address_with_its_house_is_never_kept(street: int, house: int, kind: str, room: int) -> None:
    kept = scrub_words(f"我在和平路{street}号{house}{kind}{room}室，胃疼")
    assert str(room) not in kept and PLACE in kept and kept.endswith("，胃疼")


@given(st.text(alphabet="我叫张三住在号路12微信ab：， 医生高血压", max_size=60))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = scrub_words(text)
    assert scrub_words(once) == once


def test_the_marks_are_no_cues() -> None:
    assert scrub_words(f"我叫{NAME}，家住{PLACE}，微信{ACCOUNT}") == f"我叫{NAME}，家住{PLACE}，微信{ACCOUNT}"


def test_a_long_text_is_quick() -> None:
    begin = time.thread_time()
    for text in ("我住" * 10_000, "路" * 20_000, "1号" * 10_000, "姓名" * 10_000, "省市区县" * 5_000, "王张李" * 7_000):
        scrub_words(text[:2_000])
    assert time.thread_time() - begin < 2
