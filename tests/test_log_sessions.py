"""Numbers of sessions: one a day for one visitor, alike in all workers, and made again by nobody."""

from __future__ import annotations

import multiprocessing
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.log_store.sessions import SessionNumbers

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_visitor_has_one_number_for_one_day() -> None:
    numbers = SessionNumbers(NOON.date())
    morning = numbers.visitor("198.51.100.7", "Firefox", NOON)
    assert numbers.visitor("198.51.100.7", "Firefox", NOON + timedelta(hours=11)) == morning
    assert numbers.visitor("198.51.100.7", "Firefox", NOON + timedelta(days=1)) != morning


def test_another_browser_is_another_session_of_the_same_origin() -> None:
    numbers = SessionNumbers(NOON.date())
    one, other = (numbers.visitor("198.51.100.7", browser, NOON) for browser in ("Firefox", "Chromium"))
    assert one.session != other.session and one.origin == other.origin
    assert numbers.visitor("198.51.100.8", "Firefox", NOON).origin != one.origin


def test_yesterdays_numbers_cannot_be_made_today() -> None:
    numbers = SessionNumbers(NOON.date())
    yesterday = numbers.visitor("198.51.100.7", "Firefox", NOON)
    numbers.visitor("198.51.100.7", "Firefox", NOON + timedelta(days=1))
    assert numbers.visitor("198.51.100.7", "Firefox", NOON) != yesterday  # the key of that day is gone


def test_every_program_has_numbers_of_its_own() -> None:
    assert len({SessionNumbers(NOON.date()).visitor("198.51.100.7", "Firefox", NOON).session for _ in range(5)}) == 5


def test_workers_agree_also_on_the_days_to_come() -> None:
    numbers = SessionNumbers(NOON.date())
    later = NOON + timedelta(days=40)
    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()
    child = context.Process(target=lambda: found.put(numbers.visitor("198.51.100.7", "Firefox", later)))
    child.start()
    child.join(30)
    assert found.get() == numbers.visitor("198.51.100.7", "Firefox", later)


def test_the_key_does_not_leave_memory() -> None:
    numbers = SessionNumbers(NOON.date())
    with pytest.raises(TypeError):
        pickle.dumps(numbers)
    assert numbers._key.hex() not in repr(numbers) and repr(numbers._key) not in repr(numbers)


@given(st.text(max_size=40), st.text(max_size=400))
def test_a_number_fits_the_column_and_shows_nothing_of_its_origin(address: str, browser: str) -> None:
    visitor = SessionNumbers(NOON.date()).visitor(address, browser, NOON)
    assert all(-(2**63) <= number < 2**63 for number in (visitor.session, visitor.origin))
    assert visitor.session != visitor.origin
