"""Flaws of an answer: each with texts that show it, and with ones that only look like it."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import RESOURCES, make_answer
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ResourceError
from indexer.quality import load_quality_rules, quality_of, with_quality
from indexer.records import Page
from indexer.verdicts import Flaw

RULES = load_quality_rules(RESOURCES)
RUNNING = "面肌痉挛多从下眼睑开始。几个月后会扩展到嘴角。"
LAST = "症状明显的时候会影响看书和开车，这时可以到神经内科去做一次肌电图检查再决定要不要"


def flaws(text: str) -> dict[Flaw, str]:
    return {fact.flaw: fact.evidence for fact in quality_of(text, RULES)}


@pytest.mark.parametrize("text", ["", " \n", "面肌痉挛可以打肉毒素。", RUNNING, "可以吃，但要适量", "多喝水；少熬夜！"])
def test_an_ordinary_answer_has_no_flaw(text: str) -> None:
    assert flaws(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "面肌痉挛的治疗方法有……",
        "可以先吃药，效果不好再...",
        "可以先吃药。。。",
        "（治疗要点见下文…）",
        "常用的药有：",
        "早期症状轻，",
        "有三种办法、",
        "病因还不清楚（",
        "医生常说“",
        f"{RUNNING}{LAST}",
    ],
)
def test_a_text_that_stops_in_mid_sentence_is_cut_off(text: str) -> None:
    assert list(flaws(text)) == [Flaw.CUT_OFF]
    assert unicodedata.normalize("NFKC", text).endswith(flaws(text)[Flaw.CUT_OFF])


@pytest.mark.parametrize(
    "text",
    [
        "抽动……有时会自己停下来。",
        "可以先吃药(卡马西平)",
        "祝您早日康复~",
        f"{RUNNING}祝早日康复",  # a short last line needs no full stop
        f"{RUNNING}\n注意事项",
        f"{RUNNING}\n祝早日康复，一切顺利",
        f"{RUNNING}祝早日康复，一切顺利",
        f"面肌痉挛多从下眼睑开始。{LAST}",  # one full stop is no habit
        f"{RUNNING}{LAST}。",
        LAST,  # whoever writes no full stops
    ],
)
def test_a_text_that_ends_as_its_writer_ended_it_is_not_cut_off(text: str) -> None:
    assert flaws(text) == {}


@pytest.mark.parametrize(
    ("text", "starred"),
    [
        ("面瘫以后可以**吗？医生说要等一等。", "可以**吗"),
        ("坚持治疗就能减轻***。", "减轻***"),
        ("早期**疗效比较好。", "早期**疗效"),
        ("**治疗要坚持。", "**治疗"),
        ("这种药会影响** 生活。", "影响** 生活"),
        ("全角的＊＊也是，可以＊＊吗。", "可以**吗"),
    ],
)
def test_starred_out_words_are_masked(text: str, starred: str) -> None:
    assert list(flaws(text)) == [Flaw.MASKED]
    assert starred in flaws(text)[Flaw.MASKED]


@pytest.mark.parametrize(
    "text",
    [
        "**治疗方法** 可以打肉毒素。",
        "**一、病因**\n血管压迫面神经。\n**二、治疗**\n可以打肉毒素。",
        "* 少熬夜\n* 少喝咖啡",
        "剂量是 2*3 片。",
        "******\n以下是正文。",
    ],
)
def test_bold_lists_and_rules_of_stars_are_not_masked(text: str) -> None:
    assert Flaw.MASKED not in flaws(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("面部肌肉不无限制地抽动。", ["不无限制（不自主）"]),
        ("要改变糊口习惯，提高抵御力。", ["抵御力（抵抗力）", "糊口习惯（生活习惯）"]),
        ("及时救治，多歇息，别的情况要先剔除。", ["救治（治疗）", "剔除（排除）", "歇息（休息）"]),
        ("留意饮食，留意睡眠，留意情绪。", ["留意（注意）"]),
    ],
)
def test_swapped_words_are_spun(text: str, words: list[str]) -> None:
    assert list(flaws(text)) == [Flaw.SPUN]
    assert sorted(flaws(text)[Flaw.SPUN].split("、")) == sorted(words)


@pytest.mark.parametrize(
    "text",
    [
        "中毒的病人要马上救治。",
        "饭后歇息一会儿，留意血压的变化。",
        "留意饮食，留意睡眠，留意情绪，也要注意保暖。",
    ],
)
def test_a_seldom_word_or_two_are_not_spun(text: str) -> None:
    assert flaws(text) == {}


@pytest.mark.parametrize(
    ("text", "syllable"),
    [
        ("面部zhen挛要早看。", "zhen"),
        ("早点治liao比较好。", "liao"),
        ("这种bìng不难看。", "bìng"),
        ("眼皮tiào个不停。", "tiào"),
        ("先吃yà药再看。", "yà"),
        ("手ma脚ma要去看看。", "ma"),
    ],
)
def test_syllables_in_the_place_of_characters_are_inline_pinyin(text: str, syllable: str) -> None:
    assert list(flaws(text)) == [Flaw.INLINE_PINYIN]
    assert syllable in flaws(text)[Flaw.INLINE_PINYIN]


@pytest.mark.parametrize(
    "text",
    [
        "先做CT再说，必要时做MRI检查。",
        "用手机app预约，再用wifi看报告。",
        "肝胆B超和肺部X光都要做。",
        "查一下pH值和ph试纸。",
        "面部 zhen 挛",
        "打A型肉毒素，补维生素D和B族。",
        "贴一块pad就行。",
        "他用了ma一次。",  # one syllable of two letters may be anything
        "和gene有关，和men无关。",
    ],
)
def test_latin_words_in_chinese_text_are_no_pinyin(text: str) -> None:
    assert flaws(text) == {}


@pytest.mark.parametrize(
    ("text", "promise"),
    [
        ("本方三个月彻底治愈面瘫，请放心。", "本方三个月彻底治愈面瘫,"),
        ("这个办法永不复发！", "这个办法永不复发!"),
        ("先检查。中药可以根治。", "中药可以根治。"),
        ("这里的治愈率高达九成。", "这里的治愈率高达九成。"),
        ("１００％有效。", "100%有效。"),
        ("祖传秘方，三代行医。", "祖传秘方,"),
        ("包治各种面瘫", "包治各种面瘫"),
        ("不能拖，我们能一次性根治，", "我们能一次性根治,"),
    ],
)
def test_a_promise_of_a_cure_is_found_with_its_clause(text: str, promise: str) -> None:
    assert flaws(text)[Flaw.CURE_PROMISE] == promise


@pytest.mark.parametrize(
    "text",
    [
        "面肌痉挛目前不能根治。",
        "这种病很难彻底治愈，要长期服药。",
        "早期可以做根治性手术。",
        "胃癌根治术以后要少吃多餐。",
        "根治幽门螺杆菌要吃两周药。",
        "面瘫能根治吗？",
        "这种病能否根治，要看原因。",
        "不要相信包治百病的广告。",
        "谨防祖传秘方的骗局。",
        "声称永不复发的都要小心。",
        "治愈以后也要复查。",
        "治愈率和年龄有关。",
    ],
)
def test_denials_questions_and_operations_promise_nothing(text: str) -> None:
    assert flaws(text) == {}


@pytest.mark.parametrize(
    "text", ["怎样才能根治？", "如何彻底治愈面瘫？", "怎么根治面瘫", "能根治么？", "哪里能彻底治好？"]
)
def test_other_questions_promise_nothing_either(text: str) -> None:
    assert flaws(text) == {}


def test_a_denial_counts_in_its_own_clause_only() -> None:
    assert flaws("别的医院不能根治，我们可以根治。")[Flaw.CURE_PROMISE] == "我们可以根治。"


def test_several_flaws_are_all_found_in_a_fixed_order() -> None:
    text = "面部zhen挛可以**吗？不无限制的抽动，我们彻底治愈，"
    assert list(flaws(text)) == [Flaw.CUT_OFF, Flaw.MASKED, Flaw.SPUN, Flaw.INLINE_PINYIN, Flaw.CURE_PROMISE]


def test_each_answer_of_a_page_gets_its_own_flaws_and_the_page_stays_as_it_is() -> None:
    answers = make_answer("a", text="面瘫能治好，"), make_answer("b", text=RUNNING)
    page = Page("a.html", "标题", "正文……", "utf-8", answers=answers)
    marked = with_quality(page, RULES)
    assert [[fact.flaw for fact in answer.quality] for answer in marked.answers] == [[Flaw.CUT_OFF], []]
    assert [answer.text for answer in marked.answers] == [answer.text for answer in answers]
    assert (marked.title, marked.text) == (page.title, page.text)


#: pieces of which rules are made, so that texts of chance often match
WORDS = "** *** …… 。 ， （ ~ zhen lǜ ma 彻底治愈 根治 吗 不能 100% 救治 歇息 剔除 不无限制 面肌痉挛 ＊＊ ㎎ ﬁ"
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\0", "\ud800", "a\u0301"])
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map("".join))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\n", " ")


@given(TEXTS)
def test_no_text_raises_and_each_flaw_is_told_once_with_evidence(text: str) -> None:
    found = quality_of(text, RULES)
    assert len({fact.flaw for fact in found}) == len(found)
    assert all(fact.evidence for fact in found)


@given(TEXTS)
def test_evidence_is_a_piece_of_the_text(text: str) -> None:
    for flaw, evidence in flaws(text).items():
        if flaw is Flaw.SPUN:
            assert all(pair.partition("（")[0] in folded(text) for pair in evidence.split("、"))
        elif flaw is not Flaw.MASKED or not RULES.bold.search(folded(text)):
            assert evidence in folded(text)


def test_evidence_is_a_piece_of_the_text_also_beside_bold_words() -> None:
    text = "1. **病因**：血管压迫，**要早治。"
    assert flaws(text)[Flaw.MASKED] in folded(text)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda rules: rules.replace("bold = ", "bald = "), "缺少 bold"),
        (lambda rules: rules.replace("[spun.never]", "[spun.nie]"), "缺少 never"),
        (lambda rules: rules.replace("cut_off = ['", "cut_off = ['("), "正则表达式"),
    ],
)
def test_faulty_rules_are_named(tmp_path: Path, damage: Callable[[str], str], complaint: str) -> None:
    shutil.copytree(RESOURCES / "quality", tmp_path / "quality")
    file = tmp_path / "quality" / "rules.toml"
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ResourceError, match=complaint) as caught:
        load_quality_rules(tmp_path)
    assert str(file) in str(caught.value)
