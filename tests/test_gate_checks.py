"""Each check of the gate alone: where it lets pass and where it stops; the bounds as they are read; overrides."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from builders import RESOURCES, build_data, built
from hypothesis import given
from hypothesis import strategies as st
from store_builders import sealed, spasm_answers

from indexer.errors import EvaluationError, GenerationRefused, ResourceError
from indexer.extract import load_site_templates
from indexer.quality_gate import checks, gate
from indexer.quality_gate.bounds import FILE, Bounds, read_bounds
from indexer.quality_gate.checks import Facts
from indexer.quality_gate.leaks import Found, leak_in
from indexer.quality_gate.page_facts import PageFacts, SiteFacts, digest_of, page_facts, place_of
from indexer.quality_gate.questions import (
    AskedFact,
    JudgedFact,
    QuestionFacts,
    find_judgements,
    questions_of,
    read_questions,
)
from indexer.store import generations
from indexer.store.overrides import overrides

BOUNDS = read_bounds(RESOURCES)


def facts(leaks: Found | None = None, words: int = 1000, **sites: SiteFacts) -> Facts:
    """Of a generation with these sites, each sample alike."""
    pages = PageFacts(sites=dict(sites))
    return Facts(pages, {site: leaks or Found(looked_at=100, scraped=100) for site in sites}, "2026-01-01", words)


def site(pages: int = 100, answers: int = 100, **counts: int) -> SiteFacts:
    known = {"scraped": pages, "kept_chars": 500 * pages, "removed_chars": 500 * pages}
    return SiteFacts(pages, answers, **{**known, **counts})


@pytest.mark.parametrize(("kept", "passes"), [(60, True), (59, False), (0, False), (1000, True)])
def test_a_site_keeps_so_much(kept: int, passes: bool) -> None:
    before, after = facts(a=site(), b=site()), facts(a=site(), b=site(kept, kept))
    check = checks.check_sites(after, before, BOUNDS)
    assert check.passed is passes
    assert passes or ("b" in check.sentence and "a " not in check.sentence)


@pytest.mark.parametrize(("had", "passes"), [(2, True), (3, False)])
def test_a_small_site_is_judged_only_when_it_vanishes(had: int, passes: bool) -> None:
    before = facts(a=site(), b=site(had, had))
    assert checks.check_sites(facts(a=site()), before, BOUNDS).passed is passes
    assert checks.check_sites(facts(a=site(), b=site(1, 1)), before, BOUNDS).passed


def test_what_was_taken_down_is_no_loss_of_its_site() -> None:
    before, after = facts(a=site()), facts(a=site(40, 40))
    after.pages.taken_down_paths += [f"a/{number}" for number in range(60)]
    assert not checks.check_sites(after, before, BOUNDS).passed  # of other sites
    before.pages.sites_of_paths.update((path, "a") for path in after.pages.taken_down_paths)
    assert checks.check_sites(after, before, BOUNDS).passed
    assert checks.check_answers(after, before, BOUNDS).passed


@pytest.mark.parametrize(("kept", "passes"), [(50, True), (49, False)])
def test_all_sites_together_keep_so_much(kept: int, passes: bool) -> None:
    check = checks.check_answers(facts(a=site(answers=kept)), facts(a=site()), BOUNDS)
    assert check.passed is passes and (check.before, check.after) == (100, kept)


@pytest.mark.parametrize(
    ("counts", "passes"),
    [
        ({}, True),
        ({"removed_chars": 100_000}, True),  # .67 where it was .5, and .15 more would be one too many
        ({"removed_chars": 125_000}, False),
        ({"removed_chars": 20_000}, False),
        ({"kept_chars": 101_000, "removed_chars": 101_000}, False),
        ({"kept_chars": 24_000, "removed_chars": 24_000}, False),
        ({"kept_chars": 27_000, "removed_chars": 27_000}, True),
    ],
)
def test_a_site_loses_the_share_that_it_lost_before(counts: dict[str, int], passes: bool) -> None:
    bounds = replace(BOUNDS, max_removed_share_change=0.17)
    check = checks.check_removal(facts(a=site(**counts)), facts(a=site()), bounds)
    assert check.passed is passes and ("a " in check.sentence) is not passes
    few = facts(a=site(4, **counts)), facts(a=site(4))
    assert checks.check_removal(*few, bounds).passed


@pytest.mark.parametrize(("cut", "passes"), [(30, True), (31, False)])
def test_answers_of_a_site_do_not_break_off_more(cut: int, passes: bool) -> None:
    assert checks.check_cut_off(facts(a=site(cut_off=cut)), facts(a=site(cut_off=20)), BOUNDS).passed is passes


@pytest.mark.parametrize(("doubled", "copies", "passes"), [(5, 10, True), (6, 0, False), (0, 11, False)])
def test_pages_and_answers_are_not_there_twice(doubled: int, copies: int, passes: bool) -> None:
    after = facts(a=site(copies=copies))
    after.pages.doubled = doubled
    assert checks.check_doubles(after, facts(a=site()), BOUNDS).passed is passes


@pytest.mark.parametrize(("failures", "passes"), [(0, True), (2, True), (3, False)])
def test_charset_failures_do_not_rise(failures: int, passes: bool) -> None:
    after = facts(a=site())
    after.pages.rejected = Counter(bad_charset=failures)
    assert checks.check_charsets(after, facts(a=site()), BOUNDS).passed is passes
    assert checks.check_charsets(after, after, BOUNDS).passed


def test_a_broken_archive_is_a_fault_though_it_is_one_file_and_a_broken_page_is_not() -> None:
    before, after = facts(a=site()), facts(a=site())
    after.pages.rejected = Counter(unreadable=1)
    after.pages.unreadable_files = ["x.html"]
    assert checks.check_unreadable(after, before, BOUNDS).passed
    before.pages.pages_of_file["x.html"] = 8
    assert not checks.check_unreadable(after, before, BOUNDS).passed
    before.pages.unreadable_files = ["x.html"]  # it was broken before
    assert checks.check_unreadable(after, before, BOUNDS).passed
    after.pages.rejected = Counter(unreadable=9)
    assert not checks.check_unreadable(after, before, BOUNDS).passed


def leaking(count: int, pages: int = 0) -> Found:
    return Found(
        looked_at=100, scraped=pages and 100, leaking=count, leaking_pages=pages and count, examples=["加微信"]
    )


@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        (None, leaking(2, 1), True),
        (None, leaking(3, 1), False),
        (None, leaking(90), True),  # records are as they are
        (leaking(90), leaking(90), True),
        (leaking(0), leaking(2), True),
        (leaking(0), leaking(3), False),
        (leaking(50), leaking(56), False),
    ],
)
def test_leaks_are_few_and_do_not_rise(before: Found | None, after: Found, passes: bool) -> None:
    served = facts(before, a=site()) if before else None
    check = checks.check_leaks(facts(after, a=site()), served, BOUNDS)
    assert check.passed is passes
    assert passes or "加微信" in check.sentence


def test_garbled_answers_are_few_and_do_not_rise() -> None:
    few, more = (Found(looked_at=100, garbled=n, garbled_examples=["鐥夋尩"]) for n in (2, 3))
    assert checks.check_garbled(facts(few, a=site()), None, BOUNDS).passed
    check = checks.check_garbled(facts(more, a=site()), None, BOUNDS)
    assert not check.passed and "鐥夋尩" in check.sentence
    assert checks.check_garbled(facts(more, a=site()), facts(more, a=site()), BOUNDS).passed


def judged(before: float, after: float, count: int) -> QuestionFacts:
    return QuestionFacts(tuple(JudgedFact(f"q{n}", "头痛", before, after, (), ()) for n in range(count)))


@pytest.mark.parametrize(
    ("before", "after", "count", "passes"),
    [(0.5, 0.5, 40, True), (0.5, 0.49, 40, False), (0.5, 0.6, 40, True), (0.5, 0.0, 19, None)],
)
def test_judged_questions_are_not_significantly_worse(
    before: float, after: float, count: int, passes: bool | None
) -> None:
    check = checks.check_judged(judged(before, after, count), BOUNDS)
    assert (check and check.passed) is passes


def test_a_large_drop_of_a_few_questions_is_a_fault_though_it_may_be_chance() -> None:
    same, worse = judged(0.5, 0.5, 18).judged, judged(1.0, 0.0, 2).judged
    check = checks.check_judged(QuestionFacts((*same, *worse)), replace(BOUNDS, max_judged_drop=0.09))
    assert check is not None and not check.passed
    check = checks.check_judged(QuestionFacts((*same, *worse)), replace(BOUNDS, max_judged_drop=0.11))
    assert check is not None and check.passed


def asked(lost: int, ms_after: float = 5.0) -> QuestionFacts:
    return QuestionFacts((), tuple(AskedFact(f"问题{n}", 1, int(n >= lost), 5.0, ms_after) for n in range(100)))


@pytest.mark.parametrize(("lost", "passes"), [(3, True), (4, False)])
def test_questions_that_find_nothing_do_not_rise(lost: int, passes: bool) -> None:
    check = checks.check_without_result(asked(lost), BOUNDS)
    assert check is not None and check.passed is passes
    assert passes or "“问题0”" in check.sentence


@pytest.mark.parametrize(("ms", "passes"), [(10.0, True), (29.0, True), (30.0, False)])
def test_answers_do_not_take_several_times_as_long(ms: float, passes: bool) -> None:
    check = checks.check_latency(asked(0, ms), BOUNDS)
    assert check is not None and check.passed is passes


def test_the_clock_may_stand_still_but_not_go_back() -> None:
    assert checks.check_clock("2026-01-01T00:00:00Z", None).passed
    assert checks.check_clock("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z").passed
    assert not checks.check_clock("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z").passed


OWN = frozenset({"yiku.example"})


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("头痛时先休息。\n加微信 abc12345 领取免费名额", "加微信"),
        ("详情见 http://shop.example/a?b=1。", "http://shop.example/a?b=1"),
        ("可以看 www.shop.example 的介绍", "www.shop.example"),
        ("见 https://www.yiku.example/a 和 https://m.yiku.example/b。", None),
        ("国家卫健委网站 http://www.nhc.gov.cn/ 有说明。", None),
        ("不要相信祖传秘方，突然胸痛请拨打 120。", None),
        ("邮箱 a@www.example 不是网址", None),
    ],
)
def test_what_leaks(text: str, leak: str | None) -> None:
    found = leak_in(text, OWN, [load_site_templates(RESOURCES).general])
    assert (found is None) is (leak is None) and (leak or "") in (found or "")


@given(st.text(), st.frozensets(st.text(max_size=10), max_size=3))
def test_any_text_can_be_looked_at(text: str, hosts: frozenset[str]) -> None:
    leak_in(text, hosts, [load_site_templates(RESOURCES).general])
    assert 0 <= digest_of(text) < 2**64


def test_where_a_page_without_a_site_lies() -> None:
    assert [place_of(path) for path in ("a/b/c.html", "x.warc:3", "c.html", "a/x.warc:3")] == [
        "a",
        "x.warc",
        "（语料目录）",
        "a",
    ]


def test_the_sample_is_bounded_and_does_not_depend_on_the_order_of_pages(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(30))
    build_data(tmp_path, spasm_answers(30)[::-1])
    bounds = replace(BOUNDS, answers_of_site_sample=7)
    first, second = (page_facts(generations.folder_of(data, f"gen-00000{n}"), bounds) for n in (1, 2))
    [ids] = {tuple(one.id for one in answers) for each in (first, second) for answers in each.sample.values()}
    assert list(ids) == sorted((f"s{n}" for n in range(30)), key=digest_of)[:7]
    assert first.has("s0") and not first.has("s30")
    assert np.array_equal(first.ids, second.ids)


def test_without_questions_those_of_answers_that_both_have_are_asked(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(30))
    build_data(tmp_path, spasm_answers(20))
    after, before = (page_facts(generations.folder_of(data, f"gen-00000{n}"), BOUNDS) for n in (2, 1))
    texts = [query.text for query in questions_of(before, after, 5)]
    assert len(texts) == len(set(texts)) == 5
    assert set(texts) <= {answer.question for answer in spasm_answers(20)}


def test_the_corpus_own_judgements_are_found_and_chosen_ones_come_first(tmp_path: Path) -> None:
    assert find_judgements(None, tmp_path) is None and read_questions(None).queries == ()
    shutil.copytree(RESOURCES.parent / "judgements", tmp_path / "judgements")
    assert find_judgements(None, tmp_path) == tmp_path / "judgements"
    assert find_judgements(tmp_path / "x", tmp_path) == tmp_path / "x"
    found = read_questions(tmp_path / "judgements")
    few = found.judged(100)
    assert len(few) == 100 and few == found.judged(100) and all(query.twin_of is None for query in few)
    (tmp_path / "judgements" / "qrels.tsv").unlink()
    assert read_questions(tmp_path / "judgements").judged(100) == []
    (tmp_path / "judgements" / "queries.jsonl").write_text("", encoding="utf-8")
    for folder in (tmp_path / "judgements", tmp_path / "nowhere"):
        with pytest.raises(EvaluationError, match=folder.name):
            read_questions(folder)


def test_every_bound_is_explained_in_the_file() -> None:
    text = (RESOURCES / FILE).read_text(encoding="utf-8")
    for paragraph in text.split("\n\n")[1:]:
        assert paragraph.startswith("# "), paragraph
    assert all(f"\n{field.name} = " in text for field in fields(Bounds))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("min_found = 3", ""), "没有 min_found"),
        (lambda text: f"{text}\nmax_fun = 3", "不认识的 max_fun"),
        (lambda text: text.replace("min_found = 3", "min_found = 2.5"), "min_found 应是整数"),
        (lambda text: text.replace("min_found = 3", "min_found = true"), "min_found 应是整数"),
        (lambda text: text.replace("max_leaks = 0.02", "max_leaks = '2%'"), "max_leaks 应是数"),
        (lambda text: text.replace("max_leaks = 0.02", "max_leaks = nan"), "max_leaks 不能是"),
        (lambda text: text.replace("max_leaks = 0.02", "max_leaks = -1"), "max_leaks 不能是"),
        (lambda text: text.replace("max_leaks = 0.02", "max_leaks ="), "TOML"),
    ],
)
def test_a_fault_in_the_bounds_is_named(tmp_path: Path, change: Callable[[str], str], words: str) -> None:
    file = tmp_path / FILE
    file.parent.mkdir()
    file.write_text(change((RESOURCES / FILE).read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ResourceError, match=words):
        read_bounds(tmp_path)


def test_a_refused_generation_is_served_only_with_a_reason_which_is_kept(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(10))
    built(tmp_path, spasm_answers(4))
    for reason in (None, "", " \n"):
        with pytest.raises(GenerationRefused, match=r"10 条减少到 4 条.*--override --reason"):
            generations.switch_to(data, "gen-000002", reason)
    assert generations.current(data) == "gen-000001" and overrides(data) == []
    generations.switch_to(data, "gen-000002", "语料本来\n就要缩小")
    assert generations.current(data) == "gen-000002"
    assert [(one.generation, one.reason) for one in overrides(data)] == [("gen-000002", "语料本来 就要缩小")]
    assert generations.roll_back(data).generation == "gen-000001"
    with pytest.raises(GenerationRefused):  # each time anew
        generations.switch_to(data, "gen-000002")
    generations.switch_to(data, "gen-000001", "不需要的原因")
    assert len(overrides(data)) == 1


def test_rolling_back_to_a_refused_one_that_was_served_needs_no_reason_again(tmp_path: Path) -> None:
    data = build_data(tmp_path, spasm_answers(10))
    built(tmp_path, spasm_answers(4))
    generations.switch_to(data, "gen-000002", "语料本来就要缩小")
    assert built(tmp_path, spasm_answers(4)).manifest.parent == "gen-000002"
    assert generations.roll_back(data).generation == "gen-000002"


def test_a_generation_of_before_there_were_reports_has_none(tmp_path: Path) -> None:
    assert gate.read(tmp_path, sealed(tmp_path, {"a": "b"}).generation) is None
    data = build_data(tmp_path / "other", spasm_answers(3))
    report = gate.read(data, "gen-000001")
    assert report is not None and report["passed"] and report["not_compared"] in gate.summary(report)
