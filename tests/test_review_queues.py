"""What the queues of the quality desk hold, in which order, and what makes an item go and come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_builders import answer, fact, generation_of, page

from indexer.errors import DiskFault, GenerationDamaged, GenerationMissing, ReviewError
from indexer.jobs import list_jobs
from indexer.review_queues.item_file import FOLDER
from indexer.review_queues.making import make_reviews
from indexer.review_queues.marks import mark_reviewed, reopen_review, review_marks
from indexer.review_queues.odd_pages import Removal, odd_removals
from indexer.review_queues.open_items import find_review, review_counts, review_page
from indexer.store.audit_log import read_acts
from indexer.store.take_downs import put_back, take_down
from indexer.text_changes import changed_parts

CURE = fact("cure_promise", "保证根治，")
PAGES = [
    page("a/1.html", [answer("original", text="原来的文字。", site="a.example")]),
    page("b/1.html", [answer("copy1", text="原来的文字！", site="b.example", copy_of="original")]),
    page("c/1.html", [answer("copy2", text="原来的文字", site="c.example", copy_of="original")]),
    page("c/2.html", [answer("other-copy", site="c.example", copy_of="later")]),
    page("d/1.html", [answer("later", site="d.example")]),
    page("a/2.html", [answer("mild", quality=[CURE], views=900)]),
    page("a/3.html", [answer("worst", quality=[CURE, fact("spun", "病症（症状）")], views=1)]),
    page("b/2.html", [answer("read", quality=[CURE], views=5000, site="b.example", url="https://b.example/2")]),
    *(
        page(f"s/{n}.html", [answer(f"stock{n}", f"问题{n}怎么办", quality=[fact("stock_answer", "3 个")])])
        for n in range(3)
    ),
]


def kept(data: Path, generation: str, queue: str, **asked: Any) -> list[str]:
    found = review_page(data, generation, queue, 0, 100, **asked)
    assert found is not None and found.total == len(found.items)
    return [each.item.key for each in found.items]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str]:
    generation = generation_of(tmp_path, PAGES)
    make_reviews(tmp_path, generation)
    return tmp_path, generation


def test_each_queue_has_its_items_worst_first(made: tuple[Path, str]) -> None:
    assert kept(*made, "copies") == ["original", "later"]  # three, then two
    assert kept(*made, "cures") == ["worst", "read", "mild"]  # more flaws, then more readers
    assert kept(*made, "spun") == ["worst"]
    assert review_counts(*made) == {"copies": 2, "spun": 1, "cures": 3, "cut_off": 0, "stock": 1, "removal": 0}


def test_a_cluster_has_its_original_first_wherever_it_stood(made: tuple[Path, str]) -> None:
    for key, ids in (("original", ["original", "copy1", "copy2"]), ("later", ["later", "other-copy"])):
        item = find_review(*made, "copies", key).item
        assert [text.id for text in item.texts] == ids and item.count == len(ids)
    assert "a.example 1 条" in find_review(*made, "copies", "original").item.evidence[0]


def test_evidence_is_told_with_the_flaw(made: tuple[Path, str]) -> None:
    assert find_review(*made, "cures", "worst").item.evidence == ("承诺疗效：保证根治，",)
    assert find_review(*made, "spun", "worst").item.evidence == ("疑似机器改写：病症（症状）",)
    [key] = kept(*made, "stock")
    assert find_review(*made, "stock", key).item.evidence == ("同样的文字用在 3 个问题下",)


def test_a_queue_is_read_by_site_and_in_parts(made: tuple[Path, str]) -> None:
    assert kept(*made, "cures", site="b.example") == ["read"]
    assert kept(*made, "copies", site="c.example") == ["original", "later"]  # of any of its answers
    found = review_page(*made, "cures", 1, 1)
    assert found is not None and found.total == 3 and [each.item.key for each in found.items] == ["read"]
    assert found.sites == (("a.example", 2), ("b.example", 1))


def test_what_was_seen_goes_comes_back_when_the_text_changes_and_when_reopened(made: tuple[Path, str]) -> None:
    data, generation = made
    digest = find_review(*made, "cures", "worst").item.digest
    mark_reviewed(data, "cures", "worst", digest, "引的是别人的话", "小王")
    assert kept(*made, "cures") == ["read", "mild"] and kept(*made, "cures", seen=True) == ["worst"]
    assert kept(*made, "spun") == ["worst"]  # another queue has its own marks
    counts = review_counts(*made)
    assert counts is not None and counts["cures"] == 2
    listed = find_review(*made, "cures", "worst")
    assert listed.is_seen and listed.mark is not None and listed.mark.note == "引的是别人的话"

    changed = [page("a/3.html", [answer("worst", text="改过的文字。", quality=[CURE])]), PAGES[5]]
    later = generation_of(data, changed)
    make_reviews(data, later)
    assert kept(data, later, "cures") == ["mild", "worst"]
    again = find_review(data, later, "cures", "worst")
    assert again.mark is not None and not again.is_seen
    assert kept(data, generation, "cures") == ["read", "mild"]  # rolled back, it is the text that was seen

    assert reopen_review(data, "cures", "worst", "小李") and not reopen_review(data, "cures", "worst", "小李")
    assert kept(data, generation, "cures") == ["worst", "read", "mild"] and review_marks(data, "cures") == {}
    acts = [(act.actor, act.action, act.object, act.detail) for act in read_acts(data)]
    assert acts == [("小李", "重新打开", "承诺疗效：worst", ""), ("小王", "看过", "承诺疗效：worst", "引的是别人的话")]


def test_a_cluster_comes_back_with_another_copy(made: tuple[Path, str]) -> None:
    data, _ = made
    mark_reviewed(data, "copies", "later", find_review(*made, "copies", "later").item.digest, "", "a")
    assert kept(*made, "copies") == ["original"]
    more = generation_of(data, [*PAGES, page("e/1.html", [answer("third-copy", copy_of="later")])])
    make_reviews(data, more)
    assert sorted(kept(data, more, "copies")) == ["later", "original"]


def test_what_is_taken_down_needs_no_look(made: tuple[Path, str]) -> None:
    data, _ = made
    take_down(data, "mild", "侵权")
    take_down(data, "https://b.example/2", "侵权")
    assert kept(*made, "cures") == ["worst"]
    take_down(data, "copy1", "副本")
    assert kept(*made, "copies") == ["original", "later"]  # two are left
    assert find_review(*made, "copies", "original").hidden == {"copy1"}
    take_down(data, "original", "侵权")
    assert kept(*made, "copies") == ["later"]
    put_back(data, "mild")
    assert kept(*made, "cures") == ["worst", "mild"]


def test_lists_are_made_once_and_those_of_generations_that_are_gone_removed(made: tuple[Path, str]) -> None:
    data, generation = made
    told: list[tuple[int, int]] = []
    assert make_reviews(data, generation, lambda *both: told.append(both)) == 0 and told == []
    [first] = (data / "cache" / FOLDER).iterdir()
    assert review_counts(data, generation_of(data, PAGES[:2])) is None
    (data / "generations" / generation).rename(data / "gone")
    assert make_reviews(data, "gen-000002", lambda *both: told.append(both)) == 1
    assert told[0] == (0, 1)
    assert [file.name.split("-")[1] for file in (data / "cache" / FOLDER).iterdir()] == ["000002"]
    assert first.exists() is False and list_jobs(data) == []


def test_what_is_not_there_is_a_sentence(made: tuple[Path, str]) -> None:
    data, generation = made
    with pytest.raises(ReviewError, match="没有“nothing”这个清单"):
        review_page(data, generation, "nothing", 0, 1)
    with pytest.raises(ReviewError, match="没有 nobody"):
        find_review(data, generation, "cures", "nobody")
    with pytest.raises(GenerationMissing):
        review_counts(data, "gen-000009")
    for queue, key, digest, note in (
        ("nothing", "a", "b", ""),
        ("cures", "", "b", ""),
        ("cures", "a", "", ""),
        ("cures", "a", "b", "长" * 501),
        ("cures", "a" * 2001, "b", ""),
    ):
        with pytest.raises(ReviewError):
            mark_reviewed(data, queue, key, digest, note, "小王")
    assert read_acts(data) == []


def test_a_damaged_page_leaves_no_half_of_a_list(tmp_path: Path) -> None:
    from store_builders import sealed

    name = sealed(tmp_path, {"pages.jsonl": '{"path": "a"'}).generation
    with pytest.raises(GenerationDamaged):
        make_reviews(tmp_path, name)
    assert list((tmp_path / "cache" / FOLDER).iterdir()) == []


@pytest.mark.parametrize("spoil", [lambda content: b"no database" * 500, lambda content: content[:9000]])
def test_a_list_that_is_damaged_is_made_again(made: tuple[Path, str], spoil: Callable[[bytes], bytes]) -> None:
    [file] = (made[0] / "cache" / FOLDER).iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DiskFault, match="请再试一次"):
        kept(*made, "cures")
    assert review_counts(*made) is None and make_reviews(*made) > 0
    assert kept(*made, "cures") == ["worst", "read", "mild"]


# pages of which more or less was taken out than of the others


def odd(shares: list[float], site: str = "a.example") -> dict[int, float]:
    removals = [Removal(number, site, share) for number, share in enumerate(shares)]
    return {found.removal.page: found.distance for found in odd_removals(removals)}


def test_a_page_far_from_its_sites_median_is_odd_in_either_direction() -> None:
    usual = [0.40, 0.42, 0.44, 0.41, 0.43, 0.42, 0.40, 0.44]
    found = odd([*usual, 0.95, 0.02])
    assert set(found) == {8, 9} and found[8] > 3.5 and found[9] < -3.5
    assert found[8] == pytest.approx(0.6745 * (0.95 - 0.42) / 0.02)


def test_small_sites_wide_sites_and_small_differences_are_not_odd() -> None:
    assert odd([0.4] * 6 + [0.9]) == {}  # too few pages to say what is usual
    assert odd([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95]) == {}
    assert odd([0.4] * 20 + [0.52]) == {}


def test_each_site_has_its_own_median() -> None:
    many = [Removal(number, "many.example", 0.9) for number in range(20)]
    few = [Removal(number, "few.example", 0.1) for number in range(20, 30)]
    assert list(odd_removals([*many, *few])) == []


def test_an_odd_page_is_listed_with_its_figures(tmp_path: Path) -> None:
    def scraped(number: int, removed: int) -> dict[str, Any]:
        block = {"reason": "advertisement", "text": "广" * removed}
        return page(f"a/{number}.html", [answer(f"p{number}")], is_record=False, text="文" * 100, removed=[block])

    generation = generation_of(tmp_path, [*(scraped(n, 100) for n in range(9)), scraped(9, 900)])
    make_reviews(tmp_path, generation)
    [listed] = review_page(tmp_path, generation, "removal", 0, 9).items  # type: ignore[union-attr]
    assert listed.item.key == listed.item.page == "a/9.html"
    assert "去掉 90%，比本站其他页面多：中位数 50%" in listed.item.evidence[0]
    assert "+13.5" in listed.item.evidence[0] and "本站 10 页" in listed.item.evidence[0]
    assert listed.item.evidence[1:] == (
        "去掉的：广告 900 字；留下 100 字",
        f"去掉的最长一段（广告）：{'广' * 200}",
    )
    take_down(tmp_path, "p9", "侵权")
    assert kept(tmp_path, generation, "removal") == []


# side by side

TEXTS = st.text(alphabet="面肌痉挛，。；ab\n 【】", max_size=40) | st.text(max_size=20).map(lambda text: text * 60)


@given(TEXTS, TEXTS)
def test_the_parts_of_two_texts_are_the_texts_again(before: str, after: str) -> None:
    for text, parts in zip((before, after), changed_parts(before, after), strict=True):
        assert "".join(part.text for part in parts) == text
    same = ["".join(part.text for part in parts if not part.is_changed) for parts in changed_parts(before, after)]
    assert same[0] == same[1]


def test_what_differs_is_marked_letter_by_letter_or_in_long_texts_by_clause() -> None:
    def changed(before: str, after: str) -> list[list[str]]:
        return [[part.text for part in parts if part.is_changed] for parts in changed_parts(before, after)]

    assert changed("睡前不看手机。", "睡前不看电视。") == [["手机"], ["电视"]]
    long = "".join(f"第{n}条，按时复诊。" for n in range(200))
    assert changed(f"{long}睡前不看手机。", f"{long}睡前不看电视。") == [["睡前不看手机。"], ["睡前不看电视。"]]
    assert changed(long, long) == [[], []]
