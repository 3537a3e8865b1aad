"""Dates and counts as pages write them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract import load_site_templates
from indexer.extract.metadata import Facts, parse_date, read_facts

RULES = load_site_templates(Path(__file__).parent.parent / "corpus" / "resources").general


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-05-14", "2023-05-14"),
        ("2023年5月4日", "2023-05-04"),
        ("2023/5/4 9:05", "2023-05-04T09:05:00"),
        ("2023.12.31 23:59:58", "2023-12-31T23:59:58"),
        ("2023-02-30", None),
        ("1949-10-01", None),
        ((date.today() + timedelta(days=2)).isoformat(), None),
        ("5-14", None),
    ],
)
def test_dates(written: str, read: str | None) -> None:
    assert parse_date(written) == read


@given(st.dates(min_value=date(1990, 1, 1), max_value=date.today()), st.sampled_from(["-", "/", "."]))
def test_every_date_of_the_chinese_web_is_read(day: date, mark: str) -> None:
    assert parse_date(f"{day.year}{mark}{day.month}{mark}{day.day}") == day.isoformat()


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("韩念真 2019-11-03 07:18:42 17", Facts("韩念真", "2019-11-03T07:18:42", 17)),
        ("作者:韩念真 来源:某站 2020-01-02 阅读(3,456)", Facts("韩念真", "2020-01-02", 3456)),
        ("2690次浏览", Facts(views=2690)),
        ("韩念真 副主任医师", Facts("韩念真", author_title="副主任医师")),
        ("有用(12) 回复", Facts(likes=12)),
        ("每天喝水8次", Facts()),
    ],
)
def test_facts_of_a_line(line: str, facts: Facts) -> None:
    assert read_facts(line, RULES) == facts
