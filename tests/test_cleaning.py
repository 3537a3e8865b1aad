"""Pages are cleaned side by side; what one of them does to its worker costs that page only."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from store_builders import write_files

from indexer import cleaning
from indexer.cleaning import clean, clean_page
from indexer.extract import load_site_templates
from indexer.quality import load_quality_rules
from indexer.read import find_files
from indexer.records import Page, Rejected, SavedPage
from indexer.rule_cases import RuleCase, check_cases
from indexer.settings import Settings

RESOURCES = Path(__file__).parent.parent / "corpus" / "resources"
PAGE = "<html><title>口腔溃疡怎么办</title><body><h1>口腔溃疡怎么办</h1><p>多数一到两周自己愈合，避免辛辣。</p>"


def ill_behaved(work: object, several: list[SavedPage]) -> list[Page | Rejected]:
    """Stands in for the cleaning of one page; runs in a worker."""
    [saved] = several
    if saved.path.startswith("crash"):
        os._exit(41)
    if saved.path.startswith("sleep"):
        time.sleep(60)
    return [clean_page(saved, load_site_templates(RESOURCES), load_quality_rules(RESOURCES))]


def outcome(folder: Path, settings: Settings) -> list[tuple[str, str]]:
    items = [cleaned.item for cleaned in clean(find_files([folder]), RESOURCES, settings)]
    return [(item.path, item.reason.value if isinstance(item, Rejected) else "kept") for item in items if item]


def test_a_worker_that_dies_or_never_ends_loses_its_page_only_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "_work_on_pages", ill_behaved)
    names = ["a.html", "b.html", "crash.html", "d.html", "sleep.html", "t.html"]
    write_files(tmp_path, dict.fromkeys(names, PAGE))
    settings = replace(Settings(), workers=2, max_page_seconds=3)
    assert outcome(tmp_path, settings) == [
        ("a.html", "kept"),
        ("b.html", "kept"),
        ("crash.html", "crashed"),
        ("d.html", "kept"),
        ("sleep.html", "too_slow"),
        ("t.html", "kept"),
    ]


def test_a_case_whose_page_never_ends_or_kills_its_worker_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "_work_on_pages", ill_behaved)
    cases = [
        RuleCase(number, SavedPage(path, "html", PAGE.encode()), (), ("广告",), "", "", "", "", "", "", "")
        for number, path in enumerate(["a.html", "crash.html", "sleep.html"], 1)
    ]
    found = check_cases(cases, RESOURCES, replace(Settings(), workers=2, max_page_seconds=3))
    assert [(each.number, each.sentence) for each in found.broken] == [
        (2, "用例 2（crash.html）：清洗这一页的进程中途退出（退出码 41）"),
        (3, "用例 3（sleep.html）：清洗用时超过上限 max_page_seconds（3 秒）"),
    ]


def test_results_keep_the_order_of_the_files_however_many_workers_there_are(tmp_path: Path) -> None:
    names = [f"{number:03}.html" for number in range(90)]
    write_files(tmp_path, {name: PAGE * (1 + 30 * (number % 7 == 0)) for number, name in enumerate(names)})
    assert [path for path, _ in outcome(tmp_path, replace(Settings(), workers=3))] == names


def test_whoever_stops_listening_stops_the_workers(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{number}.html": PAGE for number in range(200)})
    items = (cleaned.item for cleaned in clean(find_files([tmp_path]), RESOURCES, replace(Settings(), workers=1)))
    first = next(items)
    items.close()
    assert isinstance(first, Page) and list(items) == []


def test_what_fails_in_a_page_is_its_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError("层数太多")

    monkeypatch.setattr(cleaning, "extract_page", fail)
    saved = SavedPage("a.html", "html", PAGE.encode())
    rejected = clean_page(saved, load_site_templates(RESOURCES), load_quality_rules(RESOURCES))
    assert isinstance(rejected, Rejected)
    assert (rejected.path, rejected.reason.value) == ("a.html", "unreadable")
    assert "RecursionError" in rejected.detail and "层数太多" in rejected.detail
