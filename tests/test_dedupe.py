"""Copies: which answers are found to be the same text, which of them is the original, and what never is."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from builders import make_answer
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.dedupe import Copies, CopyFinder, fold_key, with_copies
from indexer.records import Answer, Page, QualityFact, Rejected
from indexer.verdicts import Flaw, Reason

SPASM = (
    "面肌痉挛是一侧面部的肌肉不由自主地抽动，多数从下眼睑开始，几个月到几年以后扩展到嘴角。"
    "轻的时候可以先观察，影响生活时可以打肉毒素，一般能维持三到六个月；药物和针剂都不理想，再考虑微血管减压手术。"
)
MIGRAINE = (
    "偏头痛发作时尽早用止痛药，在安静的暗房间里休息；每个月发作超过四天的人，要和医生商量预防用药。"
    "同时记下每次发作前吃了什么、睡了多久，慢慢找出自己的诱因，比反复换药更有用。"
)
HAN = "一不人大小上中下天地水火木金土日月左右前后面手足口耳目心肝肺胃肾骨血气药针片热冷痛痒麻酸红肿早晚春夏秋冬"


def text_of_chance(seed: int, length: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice(HAN) for _ in range(length))


def compared(answers: Iterable[Answer]) -> Copies:
    finder = CopyFinder()
    for answer in answers:
        finder.add(answer)
    return finder.copies()


def originals(*answers: Answer) -> dict[str, str]:
    """Copy -> original."""
    return {copy: original for copy, (original, _) in compared(answers).originals.items()}


def test_nothing_has_no_copies() -> None:
    assert compared([]) == Copies({}, {})


@pytest.mark.parametrize(
    "copy",
    [
        SPASM,
        SPASM.replace("，", ", ").replace("。", "\n"),
        f"　{SPASM}！！！",
        SPASM.replace("多数", "大多"),
    ],
)
def test_a_copy_points_at_its_original_and_says_how_alike_they_are(copy: str) -> None:
    found = compared([make_answer("a", "问一", SPASM), make_answer("b", "问二", copy), make_answer("c", "", MIGRAINE)])
    [(id, (original, similarity))] = found.originals.items()
    assert (id, original) == ("b", "a")
    assert similarity == 1 if "大多" not in copy else 0.8 <= similarity < 1


@pytest.mark.parametrize(
    ("dates", "original"),
    [
        (("2016-05-01", "2015-03-02", "2017-01-01"), "b"),
        (("2016-05-01T08:00:00", "2016-05-01T07:59:59", None), "b"),
        ((None, "2020-01-01", None), "b"),
        ((None, None, None), "a"),
        (("2016-05-01", "2016-05-01", "2016-05-01"), "a"),
        ((None, None, "2024-12-31"), "c"),
    ],
)
def test_the_earliest_is_the_original_and_what_has_no_date_comes_last(
    dates: tuple[str | None, ...], original: str
) -> None:
    answers = [make_answer(id, f"问题{id}", SPASM, date=date) for id, date in zip("abc", dates, strict=True)]
    assert originals(*answers) == dict.fromkeys(set("abc") - {original}, original)


def test_among_answers_of_one_date_the_first_read_is_the_original() -> None:
    answers = [make_answer(id, "", SPASM, date="2016-05-01") for id in ("z", "m", "a")]
    assert originals(*answers) == {"m": "z", "a": "z"}


@pytest.mark.parametrize(("length", "found"), [(24, {"b": "a"}), (23, {})])
def test_texts_of_less_than_24_letters_are_no_copies(length: int, found: dict[str, str]) -> None:
    text = "，".join(text_of_chance(1, length))  # marks do not count
    assert originals(make_answer("a", "", text), make_answer("b", "", text)) == found


@pytest.mark.parametrize("other", [MIGRAINE, "", SPASM[: len(SPASM) // 2], SPASM + MIGRAINE])
def test_texts_that_differ_in_half_or_more_are_no_copies(other: str) -> None:
    assert originals(make_answer("a", "同一个问题", SPASM), make_answer("b", "同一个问题", other)) == {}


def test_an_excerpt_is_a_copy_of_the_whole_though_it_is_older() -> None:
    whole = make_answer("whole", "面肌痉挛怎么治", SPASM, date="2020-01-01")
    older = make_answer("older", "面肌痉挛怎么办", SPASM[:70] + "...", date="2015-01-01")
    found = compared([older, whole, make_answer("c", "", MIGRAINE)])
    assert {copy: original for copy, (original, _) in found.originals.items()} == {"older": "whole"}
    [marked] = (item for item in with_copies([page_of(older)], found) if isinstance(item, Page))
    assert [(fact.flaw, fact.evidence) for fact in marked.answers[0].quality] == [(Flaw.COPY, "与 whole 开头相同")]
    assert fold_key(marked.answers[0]) == fold_key(whole) != fold_key(older)


@pytest.mark.parametrize(
    ("short", "is_copy"),
    [
        (SPASM[:70] + "……", True),
        (SPASM[:70], True),  # cut without a mark
        (SPASM[: SPASM.index("。") + 1], False),  # ends as a sentence does: it says less, but all that it says
        (SPASM[:40] + "...", False),  # so short a beginning may be anybody's
        (SPASM[:60] + text_of_chance(5, 20) + "...", False),
    ],
)
def test_only_what_stops_in_mid_sentence_is_an_excerpt(short: str, is_copy: bool) -> None:
    found = originals(make_answer("a", "", SPASM), make_answer("b", "", short))
    assert found == ({"b": "a"} if is_copy else {})


def test_copies_of_copies_all_point_at_the_earliest() -> None:
    """Each differs a little from the one before it; the last and the first alone are not alike."""
    text = text_of_chance(2, 300)
    versions = [text]
    for step in range(6):
        versions.append(versions[-1][: 50 * step] + text_of_chance(100 + step, 12) + versions[-1][50 * step + 12 :])
    chain = [make_answer(f"v{step}", "", text, date=f"20{20 - step}-01-01") for step, text in enumerate(versions)]
    assert originals(chain[0], chain[-1]) == {}
    assert originals(*chain) == dict.fromkeys([f"v{step}" for step in range(6)], "v6")


def test_groups_do_not_mix() -> None:
    answers = [make_answer(f"{name}{n}", "", text) for n in range(3) for name, text in (("s", SPASM), ("m", MIGRAINE))]
    assert originals(*answers) == {"s1": "s0", "s2": "s0", "m1": "m0", "m2": "m0"}


def test_two_runs_find_the_same() -> None:
    texts = [text_of_chance(seed % 7, 120)[seed % 3 :] for seed in range(40)]
    answers = [make_answer(f"a{number}", f"问题{number}", text) for number, text in enumerate(texts)]
    first = compared(answers)
    assert first == compared(answers)
    assert len(first.originals) == 33


def test_the_order_of_reading_does_not_change_the_groups() -> None:
    answers = [make_answer(f"a{n}", "", text_of_chance(n % 5, 90), date=f"2015-01-{n + 1:02}") for n in range(20)]
    shuffled = random.Random(3).sample(answers, len(answers))
    assert originals(*answers) == originals(*shuffled)
    assert set(originals(*answers).values()) == {f"a{n}" for n in range(5)}


@given(
    st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 399), st.sampled_from(HAN + "，。 ")), max_size=4),
)
def test_a_text_of_400_characters_with_few_of_them_changed_is_found(seed: int, changes: list[tuple[int, str]]) -> None:
    text = text_of_chance(seed, 400)
    copy = list(text)
    for place, character in changes:
        copy[place] = character
    assert originals(make_answer("a", "", text), make_answer("b", "", "".join(copy))) == {"b": "a"}


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 120))
def test_texts_that_share_less_than_a_third_are_never_found(one: int, other: int, shared: int) -> None:
    assume(one != other)
    start = text_of_chance(one, 400)
    assert (
        originals(make_answer("a", "", start), make_answer("b", "", start[:shared] + text_of_chance(other, 400))) == {}
    )


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=5), st.sampled_from([None, "2015", "2016"]))))
def test_any_texts_can_be_compared(items: list[tuple[str, str, str | None]]) -> None:
    answers = [
        make_answer(str(n), question, text, date=date)
        for n, (text, question, date) in enumerate(items)
        if max(text + question, default="") < "\ud800" or max(text + question, default="") > "\udfff"
    ]
    found = compared(answers)
    ids = {answer.id for answer in answers}
    assert found.originals.keys() <= ids
    assert {original for original, _ in found.originals.values()} <= ids - found.originals.keys()


@pytest.mark.parametrize(
    ("questions", "stock"),
    [
        (["面瘫怎么办", "头痛怎么办", "失眠怎么办"], 3),
        (["面瘫怎么办", "头痛怎么办", "失眠怎么办", "耳鸣怎么办"], 4),
        (["面瘫怎么办", "头痛怎么办"], None),
        (["面瘫怎么办", "面瘫怎么办？", " 面瘫，怎么办！"], None),  # one question
    ],
)
def test_a_text_beneath_three_different_questions_is_a_stock_answer(questions: list[str], stock: int | None) -> None:
    answers = [make_answer(str(n), question, "建议到医院检查。") for n, question in enumerate(questions)]
    other = make_answer("other", "胃痛怎么办", "少吃多餐。")
    found = compared([*answers, other])
    [page] = with_copies([page_of(*answers, other)], found)
    assert isinstance(page, Page)
    *marked, untouched = page.answers
    evidence = (QualityFact(Flaw.STOCK_ANSWER, f"同样的文字用在 {stock} 个问题下"),) if stock else ()
    assert {answer.quality for answer in marked} == {evidence}
    assert untouched == other


def page_of(*answers: Answer) -> Page:
    return Page("a.html", "标题", "正文", "utf-8", answers=answers)


def test_copies_are_marked_and_all_else_stays() -> None:
    cut = QualityFact(Flaw.CUT_OFF, "……")
    answers = make_answer("a", "问一", SPASM), make_answer("b", "问二", SPASM, quality=(cut,), author="王医生")
    rejected = Rejected("b.html", Reason.EMPTY)
    page, same = with_copies([page_of(*answers), rejected], compared(answers))
    assert isinstance(page, Page)
    original, copy = page.answers
    assert same is rejected
    assert original == answers[0]
    assert (copy.copy_of, copy.author, copy.text) == ("a", "王医生", SPASM)
    assert copy.quality == (cut, QualityFact(Flaw.COPY, "与 a 相似度 1.00"))


def test_a_copy_beneath_three_questions_has_both_flaws() -> None:
    answers = [make_answer(id, f"问题{id}", SPASM) for id in "abc"]
    [page] = with_copies([page_of(*answers)], compared(answers))
    assert isinstance(page, Page)
    assert [[fact.flaw for fact in answer.quality] for answer in page.answers] == [
        [Flaw.STOCK_ANSWER],
        [Flaw.STOCK_ANSWER, Flaw.COPY],
        [Flaw.STOCK_ANSWER, Flaw.COPY],
    ]
