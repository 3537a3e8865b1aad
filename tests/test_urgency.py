"""Urgency cards: what raises one, what does not, and rules that cannot be used."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from builders import RESOURCES
from hypothesis import example, given, settings
from hypothesis import strategies as st
from measure_urgency import figures
from opencc import OpenCC

from indexer.answer.urgency import CATCH_ALL, LEVELS, Urgency, load_urgency
from indexer.errors import ResourceError

JUDGEMENTS = RESOURCES.parent / "judgements"
URGENCY = load_urgency(RESOURCES)
CASES = Path(__file__).parent / "cases" / "urgency"
TUNED = JUDGEMENTS / "urgency.jsonl"
HELD_OUT = JUDGEMENTS / "held_out" / "urgency.jsonl"

RULE = """
[[rules]]
id = "test"
level = "today"
title = "标题"
text = "正文。"
source = "来源（2020）"
reviewed_by = ""
signs = ["流鼻血"]
"""


def records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def raised(question: str) -> str | None:
    card = URGENCY.card(question)
    return card.id if card else None


# --- what raises a card ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "card"),
    [
        ("我妈突然嘴歪了胳膊抬不起来", "stroke"),
        ("喝了农药怎么办", "poisoning"),
        ("被蛇咬了怎么办", "snake-bite"),
        ("不想活了", "self-harm"),
        ("我爸胸口疼出冷汗半小时了", "heart-attack"),
        ("老公怎么叫都叫不醒", "unconscious"),
        ("以前得过肺结核，刚才咳了一大口血", "hemoptysis"),
        ("五年前中过风，今天早上右手又没力气了", "stroke"),
        ("没有发烧，突然左边身子动不了", "stroke"),
        ("从早上到现在没有胎动，怀孕三十五周", "fetal-movement"),
    ],
)
def test_a_present_danger_raises_its_card(question: str, card: str) -> None:
    assert raised(question) == card


@pytest.mark.parametrize(
    "question",
    [
        "",
        "？",
        "如何预防中风",
        "没有胸痛",
        "面瘫怎么治",
        "中风的后遗症有哪些",
        "心梗能活几年",
        "溺水急救知识",
        "去年中风过 现在怎么康复",
        "没有胸痛、呼吸困难，就是偶尔打嗝",
        "如果被蛇咬了应该怎么做",
        "小说里的面瘫男主推荐几本",
        "护理查房 急性心梗 PPT怎么写",
        "小三阳需要吃抗病毒药吗",
        "面肌痉挛怎么治",
    ],
)
def test_what_is_asked_in_general_raises_none(question: str) -> None:
    assert raised(question) is None


@pytest.mark.parametrize(
    ("with_sign", "denied"),
    [
        ("孩子突然抽搐", "孩子没有抽搐"),
        ("我爸吐血了", "我爸没吐血"),
        ("我被狗咬了", "我没被狗咬"),
        ("我突然胸痛出冷汗", "我不胸痛也不出冷汗"),
        ("孩子高烧、抽搐了", "孩子没有高烧、抽搐"),
        ("刚才吐血了", "去年吐血了"),
        ("刚才吐血了", "要是吐血了"),
    ],
)
def test_what_is_denied_past_or_supposed_does_not_count(with_sign: str, denied: str) -> None:
    assert raised(with_sign)
    assert raised(denied) is None


def test_the_most_urgent_card_stands() -> None:
    assert raised("被狗咬了") == "rabies"
    assert raised("被狗咬了，血流不止，人叫不醒") in {"bleeding", "unconscious"}


def test_words_typed_with_characters_of_the_same_sound_are_read() -> None:
    assert raised("我爷爷血鸭一百九，头云心慌") == raised("我爷爷血压一百九，头晕心慌") == "high-blood-pressure"
    assert raised("被银环舌咬了") == "snake-bite"


def test_what_is_a_word_itself_is_no_slip() -> None:
    assert raised("我今天量血糖") is None  # 血痰 sounds nearly so


def test_traditional_and_full_width_questions_raise_the_same_card() -> None:
    traditional = OpenCC("s2t")
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    for record in records(TUNED):
        text = record["text"]
        assert raised(traditional.convert(text)) == raised(text)
        assert raised(text.translate(wide)) == raised(text)


# --- how well, over the judgements ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "recall", "level", "card", "false_alarms"),
    [(TUNED, 0.98, 0.95, 0.90, 0.02), (HELD_OUT, 0.90, 0.80, 0.70, 0.08)],
    ids=["tuned", "held out"],
)
def test_floors_over_the_judgements(file: Path, recall: float, level: float, card: float, false_alarms: float) -> None:
    told = figures([(record, URGENCY.card(record["text"])) for record in records(file)])
    assert told.recall >= recall
    assert told.level >= level
    assert told.card >= card
    assert told.false_alarms <= false_alarms


def test_questions_that_the_rules_were_made_with() -> None:
    """Written while the rules were, to see what words they lacked; not a measure of how they generalise."""
    urgent, calm = ((CASES / name).read_text(encoding="utf-8").splitlines() for name in ("urgent.txt", "calm.txt"))
    assert min(len(urgent), len(calm)) > 500
    assert sum(raised(question) is not None for question in urgent) >= 0.98 * len(urgent)
    assert sum(raised(question) is not None for question in calm) <= 0.02 * len(calm)


def test_questions_about_other_things_raise_none() -> None:
    questions = [record["text"] for record in records(JUDGEMENTS / "off_topic.jsonl")]
    assert [question for question in questions if raised(question)] == []


def test_a_question_takes_no_time() -> None:
    questions = [record["text"] for record in records(TUNED)]
    raised("先读一次拼音")
    best = min(_seconds(questions) for _ in range(3))
    assert best / len(questions) < 0.001  # a third of it; of this thread's own time, whatever else runs


def _seconds(questions: list[str]) -> float:
    started = time.thread_time()
    for question in questions:
        raised(question)
    return time.thread_time() - started


@settings(deadline=None, max_examples=300)
@example("\u0301" * 50)
@example("突然" * 400)
@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from("我爸突然胸痛没不了嘴歪血，。 吐晕倒过3840度"), max_size=60).map("".join)
    )
)
def test_no_text_raises_an_error(text: str) -> None:
    card = URGENCY.card(text)
    assert card is None or card.level in LEVELS


# --- the rules themselves -------------------------------------------------------------------------------------------


def test_every_rule_is_whole() -> None:
    assert len(URGENCY.rules) >= 40
    for rule in URGENCY.rules:
        assert rule.card.level in LEVELS
        assert any(year in rule.card.source for year in ("20", "19")) or "共识" in rule.card.source, rule.card.id
        assert 40 <= len(rule.card.text) <= 260, rule.card.id
        assert set(rule.card.phones) <= {"120", "110", "119", "12320", "12356"}, rule.card.id
        assert rule.card.level != "emergency" or {"120", "110"} & set(rule.card.phones), rule.card.id
    assert len({rule.card.id for rule in URGENCY.rules}) == len(URGENCY.rules)


@pytest.mark.parametrize("file", [TUNED, HELD_OUT], ids=["tuned", "held out"])
def test_every_judged_card_has_a_rule_of_its_level(file: Path) -> None:
    levels = {rule.card.id: rule.card.level for rule in URGENCY.rules}
    for record in records(file):
        assert record["card"] is None or levels[record["card"]] == record["level"]


def test_whoever_speaks_of_death_is_met_with_a_person_to_talk_to() -> None:
    card = URGENCY.card("活着没意思，想跳楼")
    assert card and card.phones[0] == "12356"
    assert "不必一个人" in card.text


def test_the_rule_for_everything_else_stands_behind_all_others() -> None:
    assert CATCH_ALL in {rule.card.id for rule in URGENCY.rules}
    assert raised("擦屁股纸上有血，今天头也晕") != CATCH_ALL


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    (tmp_path / "urgency").mkdir()
    shutil.copy(RESOURCES / "urgency" / "happening.toml", tmp_path / "urgency")
    happening = tmp_path / "urgency" / "happening.toml"
    lines = happening.read_text(encoding="utf-8").splitlines()
    kept = ["contexts = []" if line.startswith("contexts") else line for line in lines]
    happening.write_text("\n".join(kept), encoding="utf-8")
    return tmp_path


def load(resources: Path, content: str) -> Urgency:
    (resources / "urgency" / "nose.toml").write_text(content, encoding="utf-8")
    return load_urgency(resources)


def test_a_small_file_of_rules_is_enough(resources: Path) -> None:
    urgency = load(resources, RULE)
    assert urgency.card("流鼻血") and not urgency.card("流眼泪")


@pytest.mark.parametrize(
    ("sign", "yes", "no"),
    [
        ("流鼻血|鼻出血", "鼻出血了", "流鼻涕了"),
        ("鼻 ~ 血", "鼻子出血了", "鼻子痒，手上有血"),
        ("血 & 鼻", "鼻子，有血", "鼻" + "子" * 30 + "血"),
        ("血 + 鼻", "鼻" + "子" * 30 + "血", "鼻子"),
        ("鼻血 - 碰", "流鼻血", "碰了一下流鼻血"),
        ("/鼻.血/", "鼻出血", "鼻血"),
    ],
)
def test_how_signs_are_written(resources: Path, sign: str, yes: str, no: str) -> None:
    urgency = load(resources, RULE.replace("流鼻血", sign))
    assert urgency.card(yes)
    assert urgency.card(no) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RULE.replace("today", "soon"), "level“soon”未知"),
        (RULE.replace('source = "来源（2020）"\n', ""), "缺少 source"),
        (RULE.replace("来源（2020）", " "), "source 要写成文字"),
        (RULE.replace("流鼻血", "{nose}"), "词组“nose”没有定义"),
        (RULE.replace("流鼻血", "/(/"), "正则表达式"),
        (RULE.replace("流鼻血", "/x*/"), "什么都能匹配"),
        (RULE.replace("流鼻血", "鼻 ~"), "写法不对"),
        (RULE.replace("流鼻血", "鼻.*血"), "写法不对"),
        (RULE.replace('["流鼻血"]', "[]"), "没有 signs"),
        (RULE.replace('["流鼻血"]', '"流鼻血"'), "文字的列表"),
        (RULE + RULE, "重复"),
        (RULE + 'colour = "red"\n', "未知的项目“colour”"),
        (RULE + "[other]\n", "未知的部分“other”"),
        ('[words]\na = ["{b}"]\nb = ["{a}"]\n' + RULE, "由它自己组成"),
        ('[words]\na = ["鼻 血"]\n' + RULE, "写法不对"),
        ("[words]\na = 1\n" + RULE, "文字的列表"),
        ("rules = 1\n", r"\[\[rules\]\]"),
        ("", "没有规则"),
        ("[[rules]\n", "TOML"),
    ],
)
def test_rules_that_cannot_be_used_are_named(resources: Path, content: str, reason: str) -> None:
    with pytest.raises(ResourceError, match=reason) as error:
        load(resources, content)
    assert "nose.toml" in str(error.value) or "没有规则" in reason


def test_a_group_in_two_files_is_named(resources: Path) -> None:
    (resources / "urgency" / "first.toml").write_text('[words]\na = ["甲"]\n', encoding="utf-8")
    with pytest.raises(ResourceError, match=r"first\.toml 中已有"):
        load(resources, '[words]\na = ["甲"]\n' + RULE)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("threshold = 1", "", "threshold"),
        ("threshold = 1", 'threshold = "1"', "不是整数"),
        ("[cues.measured]\nweight = 1", '[cues.measured]\nweight = "1"', "不是整数"),
        ('been = ["', 'been = ["(', "正则表达式"),
        ("contexts = []", 'contexts = ["nobody"]', "nobody"),
    ],
)
def test_cues_that_cannot_be_used_are_named(resources: Path, old: str, new: str, reason: str) -> None:
    file = resources / "urgency" / "happening.toml"
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(ResourceError, match=reason) as error:
        load(resources, RULE)
    assert "happening.toml" in str(error.value)


def test_an_address_of_the_source_reaches_the_card(resources: Path) -> None:
    urgency = load(resources, RULE + 'source_url = "https://example.org/a"\n')
    assert urgency.rules[0].card.source_url == "https://example.org/a"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"happening\.toml 无法读取"):
        load_urgency(tmp_path)
