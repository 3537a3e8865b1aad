"""Users, sessions, links and lock-out on the database itself, with several processes at once."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from desk_accounts import OTHER_PASSWORD, PASSWORD, Clock, accounts, acts, clock, fast_hashes, make_accounts
from store_builders import PATIENCE_SECONDS

from webapp import passwords
from webapp.accounts import LINK_SECONDS, Accounts, BadCredential, LockedOut, RefusedChange, WrongCredentials
from webapp.login_limits import FREE_FOR_NAME
from webapp.roles import Role

__all__ = ["accounts", "clock", "fast_hashes"]

pytestmark = pytest.mark.usefixtures("fast_hashes")


# users


def test_a_user_is_found_by_any_spelling_and_the_log_says_who_added_them(accounts: Accounts, tmp_path: Path) -> None:
    user = accounts.add("Ｚhang.San", Role.EDITOR, "guanli", PASSWORD)
    assert (user.name, user.role, user.has_password) == ("zhang.san", Role.EDITOR, True)
    assert accounts.session(accounts.log_in("ZHANG.san", PASSWORD, "x")) is not None
    with pytest.raises(RefusedChange, match="已经有"):
        accounts.add("zhang.SAN", Role.ADMIN, "guanli", PASSWORD)
    assert acts(tmp_path)[0] == ("guanli", "添加用户", "zhang.san")
    assert [user.name for user in accounts.users()] == ["zhang.san"]


def test_a_refused_password_adds_nobody(accounts: Accounts, tmp_path: Path) -> None:
    with pytest.raises(BadCredential):
        accounts.add("zhang", Role.EDITOR, "guanli", "short")
    assert accounts.users() == [] and acts(tmp_path) == []


def test_the_last_admin_who_can_log_in_stays(accounts: Accounts) -> None:
    accounts.add("first", Role.ADMIN, "x", PASSWORD)
    accounts.add("waiting", Role.ADMIN, "x")  # has no password yet
    accounts.add("editor", Role.EDITOR, "x", PASSWORD)
    with pytest.raises(RefusedChange, match="最后一位"):
        accounts.remove("first", "first")
    with pytest.raises(RefusedChange, match="最后一位"):
        accounts.set_role("first", Role.EDITOR, "first")
    accounts.set_role("editor", Role.ADMIN, "first")
    accounts.remove("first", "editor")
    accounts.remove("waiting", "editor")
    assert [(user.name, user.role) for user in accounts.users()] == [("editor", Role.ADMIN)]


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.remove("nobody", "x"),
        lambda accounts: accounts.set_role("nobody", Role.ADMIN, "x"),
        lambda accounts: accounts.set_password("nobody", PASSWORD, "x"),
        lambda accounts: accounts.unlock("nobody", "x"),
        lambda accounts: accounts.make_link("nobody", "x"),
    ],
)
def test_nobody_cannot_be_changed(accounts: Accounts, tmp_path: Path, change: Callable[[Accounts], Any]) -> None:
    with pytest.raises(RefusedChange, match="没有叫“nobody”"):
        change(accounts)
    assert acts(tmp_path) == []


def test_nothing_that_gives_access_is_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("zhang", Role.ADMIN, "x", PASSWORD)
    session, link = accounts.log_in("zhang", PASSWORD, "203.0.113.7"), accounts.make_link("zhang", "x")
    with pytest.raises(WrongCredentials):
        accounts.log_in("hunter2-typed-in-the-wrong-field", "wrong", "203.0.113.7")
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (PASSWORD, session, link, "203.0.113.7", "hunter2-typed"):
        assert secret.encode() not in held
    assert b"zhang" in held
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in (session, link)) and session != link  # 256 bits


# sessions


def test_each_login_has_a_token_of_its_own(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    one = accounts.log_in("zhang", PASSWORD, "x")
    clock.now += 100
    other = accounts.log_in("zhang", PASSWORD, "x")
    assert one != other
    first, second = accounts.session(one), accounts.session(other)
    assert first and second and first.previous_login is None and second.previous_login == int(clock.now) - 100
    assert accounts.session("") is None and accounts.session(one[:-1]) is None
    accounts.log_out(one)
    assert accounts.session(one) is None and accounts.session(other) is not None


def test_a_session_ends_when_it_is_not_used(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    token = accounts.log_in("zhang", PASSWORD, "x")
    for _ in range(3):
        clock.now += 3599
        assert accounts.session(token) is not None  # using it counts
    clock.now += 3600
    assert accounts.session(token) is None


def test_a_session_ends_after_its_time_whatever_is_done(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    token = accounts.log_in("zhang", PASSWORD, "x")
    begun = clock.now
    while clock.now < begun + 43200 - 1800:
        clock.now += 1800
        assert (accounts.session(token) is not None) is (clock.now < begun + 43200)
    clock.now = begun + 43199
    assert accounts.session(token) is not None
    clock.now = begun + 43200
    assert accounts.session(token) is None


ENDINGS: dict[str, Callable[[Accounts], Any]] = {
    "password": lambda accounts: accounts.set_password("zhang", OTHER_PASSWORD, "x"),
    "role": lambda accounts: accounts.set_role("zhang", Role.ANALYST, "x"),
    "higher role": lambda accounts: accounts.set_role("zhang", Role.ADMIN, "x"),
    "removed": lambda accounts: accounts.remove("zhang", "x"),
    "link used": lambda accounts: accounts.use_link(accounts.make_link("zhang", "x"), OTHER_PASSWORD),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_what_ends_sessions_ends_them_at_once_and_nobody_elses(
    accounts: Accounts, tmp_path: Path, clock: Clock, ending: Callable[[Accounts], Any]
) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    accounts.add("li", Role.EDITOR, "x", PASSWORD)
    tokens = [accounts.log_in("zhang", PASSWORD, "x") for _ in range(2)]
    kept = accounts.log_in("li", PASSWORD, "x")
    ending(make_accounts(tmp_path, clock))  # another process
    assert [accounts.session(token) for token in tokens] == [None, None]
    assert accounts.session(kept) is not None


def test_a_name_that_is_given_again_opens_no_old_session(accounts: Accounts) -> None:
    accounts.add("zhang", Role.ADMIN, "x", PASSWORD)
    accounts.add("li", Role.ADMIN, "x", PASSWORD)
    token, link = accounts.log_in("zhang", PASSWORD, "x"), accounts.make_link("zhang", "x")
    accounts.remove("zhang", "li")
    accounts.add("zhang", Role.ADMIN, "li", OTHER_PASSWORD)
    assert accounts.session(token) is None and accounts.link_user(link) is None


def test_the_same_role_again_changes_nothing(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    token = accounts.log_in("zhang", PASSWORD, "x")
    before = acts(tmp_path)
    accounts.set_role("zhang", Role.EDITOR, "x")
    assert accounts.session(token) is not None and acts(tmp_path) == before


def test_logging_out_elsewhere(accounts: Accounts) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    here, there = (accounts.log_in("zhang", PASSWORD, "x") for _ in range(2))
    assert accounts.other_sessions(here) == 1
    assert accounts.log_out_others(here) == 1
    assert accounts.session(there) is None and accounts.session(here) is not None
    assert accounts.other_sessions(here) == 0


def test_a_hash_with_other_parameters_is_made_anew_at_the_next_login(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    made: list[str] = []
    real = passwords.hash_password

    def noted(password: str) -> str:
        made.append(password)
        return real(password)

    monkeypatch.setattr("webapp.accounts.hash_password", noted)
    accounts.log_in("zhang", PASSWORD, "x")
    assert made == []
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    accounts.log_in("zhang", PASSWORD, "x")
    accounts.log_in("zhang", PASSWORD, "x")
    assert made == [PASSWORD]  # once


# one-time links


def test_a_link_sets_the_password_once(accounts: Accounts) -> None:
    accounts.add("zhang", Role.EDITOR, "x")
    with pytest.raises(WrongCredentials):
        accounts.log_in("zhang", "", "x")
    link = accounts.make_link("zhang", "x")
    assert accounts.link_user(link) and accounts.link_user(link)  # looking uses nothing up
    with pytest.raises(BadCredential):
        accounts.use_link(link, "short")
    session = accounts.use_link(link, PASSWORD)
    assert session and accounts.session(session)
    assert accounts.use_link(link, OTHER_PASSWORD) is None and accounts.link_user(link) is None
    assert accounts.log_in("zhang", PASSWORD, "x")


def test_a_link_ends_after_an_hour_and_with_the_next(accounts: Accounts, clock: Clock) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    old, new = accounts.make_link("zhang", "x"), accounts.make_link("zhang", "x")
    assert accounts.link_user(old) is None and accounts.link_user(new) is not None
    clock.now += LINK_SECONDS - 1
    assert accounts.link_user(new) is not None
    clock.now += 1
    assert accounts.link_user(new) is None and accounts.use_link(new, PASSWORD) is None


def in_processes(work: Callable[..., Any], *arguments: tuple[Any, ...]) -> list[Any]:
    """What the function gives for each of the arguments, called at the same time in a process each."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(len(arguments)), context.Queue()
    workers = [context.Process(target=at_once, args=(barrier, answers, work, each)) for each in arguments]
    for worker in workers:
        worker.start()
    found = [answers.get(timeout=PATIENCE_SECONDS) for _ in workers]
    for worker in workers:
        worker.join()
    return found


def at_once(barrier: Any, answers: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """One process of `in_processes`."""
    from desk_accounts import FAST

    passwords._hasher = FAST
    barrier.wait(60)
    answers.put(work(*arguments))


def try_link(data: Path, token: str) -> bool:
    return make_accounts(data).use_link(token, PASSWORD) is not None


def try_first(data: Path, name: str) -> bool:
    try:
        return bool(make_accounts(data).add_first(name, PASSWORD))
    except RefusedChange:
        return False


def try_logins(data: Path, times: int) -> int:
    """How many of so many logins had their password looked at."""
    looked_at = 0
    for _ in range(times):
        try:
            make_accounts(data).log_in("zhang", "wrong", f"client {os.getpid()}")
        except WrongCredentials:
            looked_at += 1
        except LockedOut:
            continue
    return looked_at


def test_of_many_who_use_a_link_at_once_one_does(tmp_path: Path, accounts: Accounts) -> None:
    accounts.add("zhang", Role.EDITOR, "x")
    link = accounts.make_link("zhang", "x")
    assert sorted(in_processes(try_link, *[(tmp_path, link)] * 4)) == [False, False, False, True]


def test_a_link_that_was_good_when_it_was_looked_at_is_looked_at_again(
    tmp_path: Path, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.add("zhang", Role.EDITOR, "x")
    link, barrier = accounts.make_link("zhang", "x"), threading.Barrier(4)

    def hashed_by_all_at_once(password: str) -> str:
        barrier.wait(30)
        return passwords.hash_password(password)

    monkeypatch.setattr("webapp.accounts.hash_password", hashed_by_all_at_once)
    with ThreadPoolExecutor(4) as pool:
        sessions = list(pool.map(lambda _: accounts.use_link(link, PASSWORD), range(4)))
    assert len([session for session in sessions if session]) == 1


def test_of_many_first_admins_there_is_one(tmp_path: Path, accounts: Accounts) -> None:
    assert sorted(in_processes(try_first, *[(tmp_path, f"admin-{n}") for n in range(4)])) == [False] * 3 + [True]
    [user] = accounts.users()
    assert user.role is Role.ADMIN


def test_guessing_from_many_processes_at_once_gains_nothing(tmp_path: Path, accounts: Accounts) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    assert sum(in_processes(try_logins, *[(tmp_path, 5)] * 4)) == FREE_FOR_NAME


def test_a_forked_child_uses_the_same_accounts(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("zhang", Role.EDITOR, "x", PASSWORD)
    token = accounts.log_in("zhang", PASSWORD, "x")
    child = os.fork()
    if not child:
        try:
            held = accounts.session(token) is not None
            accounts.log_out(token)
            os._exit(0 if held else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert accounts.session(token) is None
