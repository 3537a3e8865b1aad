"""Who is locked out, for how long, and who is let in again."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk_accounts import OTHER_PASSWORD, PASSWORD, Clock, accounts, acts, clock, fail, fast_hashes
from hypothesis import given
from hypothesis import strategies as st

from indexer import read_acts
from webapp import login_limits
from webapp.accounts import Accounts, LockedOut, WrongCredentials
from webapp.login_limits import FIRST_WAIT_S, FORGET_S, FREE_FOR_CLIENT, FREE_FOR_NAME, LONGEST_WAIT_S, wait_after
from webapp.roles import Role

__all__ = ["accounts", "clock", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")


@pytest.mark.parametrize("name", ["zhang", "nobody", "no name at all / \x00"])
def test_a_name_is_locked_after_its_free_failures_whether_anybody_has_it(
    accounts: Accounts, clock: Clock, name: str
) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    fail(accounts, name, FREE_FOR_NAME)
    with pytest.raises(LockedOut) as locked:
        accounts.log_in(name, PASSWORD, "another client")
    assert locked.value.wait_s == FIRST_WAIT_S
    clock.now += FIRST_WAIT_S - 1
    with pytest.raises(LockedOut):
        accounts.log_in(name.upper(), PASSWORD, "x")  # a spelling of its own gains nothing
    clock.now += 1
    fail(accounts, name, 1, "y")
    with pytest.raises(LockedOut) as locked:
        accounts.log_in(name, PASSWORD, "x")
    assert locked.value.wait_s == 2 * FIRST_WAIT_S


def test_the_right_password_after_the_wait_forgets_the_failures(
    accounts: Accounts, clock: Clock, tmp_path: Path
) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    fail(accounts, "zhang", FREE_FOR_NAME)
    assert accounts.locked_for_s() == {"zhang": FIRST_WAIT_S}
    clock.now += FIRST_WAIT_S
    accounts.log_in("zhang", PASSWORD, "x")
    assert read_acts(tmp_path)[0].detail == f"此前连续输错 {FREE_FOR_NAME} 次"
    fail(accounts, "zhang", FREE_FOR_NAME - 1)
    accounts.log_in("zhang", PASSWORD, "x")
    assert acts(tmp_path).count(("", "登录失败", "zhang")) == 2 * FREE_FOR_NAME - 1


def test_one_client_is_locked_over_many_names_and_others_are_not(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    for number in range(FREE_FOR_CLIENT):
        fail(accounts, f"name-{number}", 1)
    with pytest.raises(LockedOut):
        accounts.log_in("zhang", PASSWORD, "203.0.113.7")
    assert accounts.log_in("zhang", PASSWORD, "203.0.113.8")
    assert accounts.unknown_logins_today() == FREE_FOR_CLIENT
    clock.now += 86400
    assert accounts.unknown_logins_today() == 0


def test_ones_own_logins_between_do_not_free_a_client(accounts: Accounts) -> None:
    accounts.add("mine", Role.EDITOR, "x", PASSWORD)
    for number in range(FREE_FOR_CLIENT - 1):
        fail(accounts, f"name-{number}", 1)
        accounts.log_in("mine", PASSWORD, "203.0.113.7")
    fail(accounts, "another", 1)
    with pytest.raises(LockedOut):
        accounts.log_in("mine", PASSWORD, "203.0.113.7")


def test_unlocking_and_a_new_password_let_in_at_once(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    fail(accounts, "zhang", FREE_FOR_NAME)
    assert accounts.unlock("Zhang", "guanli") and not accounts.unlock("zhang", "guanli")
    assert accounts.log_in("zhang", PASSWORD, "x")
    assert acts(tmp_path).count(("guanli", "解除锁定", "zhang")) == 1
    fail(accounts, "zhang", FREE_FOR_NAME)
    accounts.set_password("zhang", OTHER_PASSWORD, "guanli")
    assert accounts.log_in("zhang", OTHER_PASSWORD, "x")


def test_knowing_ones_password_is_asked_within_the_same_limits(accounts: Accounts) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    accounts.confirm("zhang", PASSWORD, "x")
    for _ in range(FREE_FOR_NAME):
        with pytest.raises(WrongCredentials):
            accounts.confirm("zhang", "wrong", "x")
    with pytest.raises(LockedOut):
        accounts.confirm("zhang", PASSWORD, "x")


def test_old_failures_are_forgotten_and_a_clock_set_back_locks_nobody(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    fail(accounts, "zhang", FREE_FOR_NAME - 1)
    clock.now += FORGET_S + 1
    fail(accounts, "zhang", FREE_FOR_NAME)
    clock.now -= 86400
    assert accounts.log_in("zhang", PASSWORD, "x")


@given(st.integers(0, 10_000), st.integers(1, 100))
def test_waits_double_and_end(failures: int, free: int) -> None:
    wait_s = wait_after(failures, free)
    assert (wait_s == 0) is (failures < free)
    assert wait_s <= LONGEST_WAIT_S
    assert wait_after(failures + 1, free) == min(LONGEST_WAIT_S, 2 * wait_s) or failures < free


def test_a_key_tells_names_from_clients_and_sites_apart() -> None:
    keys = {
        login_limits.key_of(kind, value, key) for kind in ("name", "client") for value in "ab" for key in (b"1", b"2")
    }
    assert len(keys) == 8
