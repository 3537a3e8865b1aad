"""Lines that a site repeats: out of the answers they go, and what only looks like them stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from builders import make_answer

from indexer.records import Answer, Page, Rejected, RemovedBlock
from indexer.repetition import LineCounter
from indexer.verdicts import Reason

SLOGAN = "好医生网，陪伴您的每一次问诊。"
TOPICS = ("面瘫", "头痛", "失眠", "耳鸣", "胃痛", "鼻炎", "咳嗽", "腰痛", "皮疹", "眩晕")


def own_lines(number: int) -> list[str]:
    """Two lines that no other page has."""
    topic = TOPICS[number % len(TOPICS)]
    return [
        f"{topic}的第 {number} 种情况可以先在家里观察两三天，按时作息，记下每天的变化，不必着急吃药。",
        f"如果{topic}一周以后还没有好转，或者越来越重，就到医院的专科门诊去检查第 {number} 项。",
    ]


def page(number: int, extra: Sequence[str] = (SLOGAN,), site: str | None = "甲站", is_record: bool = False) -> Page:
    """A page with one answer of its own lines and these."""
    text = "\n".join([*own_lines(number), *extra])
    answer = make_answer(f"{site}{number}", TOPICS[number % len(TOPICS)], text, site=site)
    return Page(f"{site}/{number}.html", "标题", text, "utf-8", site=site, answers=(answer,), is_record=is_record)


def stripped(pages: Iterable[Page | Rejected]) -> list[Page | Rejected]:
    pages = list(pages)
    counter = LineCounter()
    for item in pages:
        if isinstance(item, Page) and not item.is_record:  # as build.py counts
            counter.add(item)
    return list(counter.repeated().strip(pages))


def texts(items: Iterable[Page | Rejected]) -> list[str]:
    return [answer.text for item in items if isinstance(item, Page) for answer in item.answers]


def test_a_line_on_five_pages_of_a_site_goes_and_is_kept_on_record() -> None:
    earlier = RemovedBlock(Reason.FOOTER, "版权所有")
    pages = [replace(page(number), removed=(earlier,)) for number in range(5)]
    for number, (before, after) in enumerate(zip(pages, stripped(pages), strict=True)):
        assert isinstance(after, Page)
        assert [answer.text for answer in after.answers] == ["\n".join(own_lines(number))]
        assert after.removed == (earlier, RemovedBlock(Reason.REPEATED, SLOGAN))
        assert after.text == "\n".join(own_lines(number))
        assert replace(after, text=before.text, answers=before.answers, removed=before.removed) == before


@pytest.mark.parametrize("place", [0, 1, 2])
def test_it_goes_wherever_in_the_answer_it_stands(place: int) -> None:
    pages = []
    for number in range(5):
        lines = own_lines(number)
        lines.insert(place, SLOGAN)
        whole = page(number)
        pages.append(replace(whole, answers=(replace(whole.answers[0], text="\n".join(lines)),)))
    assert texts(stripped(pages)) == ["\n".join(own_lines(number)) for number in range(5)]


def test_a_line_on_four_pages_stays() -> None:
    pages = [*(page(number) for number in range(4)), page(4, ())]
    assert stripped(pages) == pages


def test_a_line_counts_once_on_each_page() -> None:
    """Twice in one answer, and in two answers of the page."""
    pages = [page(number, (SLOGAN, SLOGAN)) for number in range(3)]
    pages = [replace(one, answers=one.answers * 2) for one in pages]
    assert stripped(pages) == pages


@pytest.mark.parametrize(("pages", "goes"), [(250, True), (251, False)])
def test_it_must_stand_on_a_fiftieth_of_the_pages(pages: int, goes: bool) -> None:
    found = texts(stripped(page(number, (SLOGAN,) if number < 5 else ()) for number in range(pages)))
    assert (SLOGAN in found[0]) is not goes
    assert found[5:] == ["\n".join(own_lines(number)) for number in range(5, pages)]


def test_the_same_line_on_another_site_stays() -> None:
    pages = [page(number) for number in range(5)]
    others = [page(number, site="乙站") for number in range(4)]
    nowhere = [page(9, site=None)]
    found = stripped([*others, *pages, *nowhere])
    assert [*found[:4], found[-1]] == [*others, *nowhere]
    assert [SLOGAN in text for text in texts(found[4:-1])] == [False] * 5


def test_pages_of_different_sites_are_not_counted_together() -> None:
    pages = [page(number, site=f"站{number}") for number in range(9)]
    assert stripped(pages) == pages


@pytest.mark.parametrize(("line", "goes"), [("怎么预防这种病呢？其一", False), ("怎么预防这种病呢？其一二", True)])
def test_headings_of_less_than_12_characters_stay(line: str, goes: bool) -> None:
    assert len(line) == (12 if goes else 11)
    found = texts(stripped(page(number, (line,)) for number in range(6)))
    assert [line in text for text in found] == [not goes] * 6


def test_records_stay_as_they_are() -> None:
    records = [page(number, is_record=True) for number in range(6)]
    pages = [page(number) for number in range(6)]
    assert stripped(records) == records
    assert stripped([*records, *pages])[:6] == records


def test_rejections_pass_by_in_their_place() -> None:
    rejected = Rejected("甲站/空.html", Reason.EMPTY)
    pages: list[Page | Rejected] = [page(number) for number in range(5)]
    pages.insert(2, rejected)
    found = stripped(pages)
    assert found[2] is rejected
    assert len(texts(found)) == 5


def test_an_answer_that_is_mostly_such_lines_is_left_to_the_search_for_copies() -> None:
    shared = own_lines(0)
    pages = [page(number, shared) for number in range(1, 7)]
    assert stripped(pages) == pages


def answer_with(repeated: int, own: int) -> Answer:
    """100 characters: so many of the repeated line, a line end, and so many others."""
    return make_answer("x", "", "复" * repeated + "\n" + "自" * own, site="甲站")


@pytest.mark.parametrize(("repeated", "goes"), [(30, True), (31, False)])
def test_up_to_three_tenths_of_an_answer_may_go(repeated: int, goes: bool) -> None:
    pages = [page(number, ("复" * repeated,)) for number in range(5)]
    answer = answer_with(repeated, 99 - repeated)
    found = stripped([*pages, Page("甲站/x.html", "", answer.text, "utf-8", site="甲站", answers=(answer,))])
    assert texts(found)[-1] == ("自" * 69 if goes else answer.text)


def test_of_two_answers_on_a_page_each_is_judged_alone() -> None:
    mostly, hardly = answer_with(40, 59), answer_with(40, 400)
    both = Page("甲站/x.html", "", "", "utf-8", site="甲站", answers=(mostly, hardly))
    *_, found = stripped([*(page(number, ("复" * 40,)) for number in range(5)), both])
    assert isinstance(found, Page)
    assert [answer.text for answer in found.answers] == [mostly.text, "自" * 400]
    assert found.removed == (RemovedBlock(Reason.REPEATED, "复" * 40),)


def test_nothing_counted_removes_nothing() -> None:
    assert stripped([]) == []
    assert [*LineCounter().repeated().strip([page(1)])] == [page(1)]
