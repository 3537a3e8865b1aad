"""What tests of the editors' desk share: passwords that are hashed in no time, users, and a browser's forms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fakes import FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer import read_acts
from indexer.settings import Settings
from webapp import create_app, passwords
from webapp.accounts import Accounts, WrongCredentials
from webapp.roles import Role

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "蓝色的茶壶会唱歌吗今天"
#: so little work that hundreds of logins take no time; test_passwords.py looks at the real parameters
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def fast_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with next to no work."""
    monkeypatch.setattr(passwords, "_hasher", FAST)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def make_accounts(data: Path, clock: Clock | None = None, idle_s: int = 3600, absolute_s: int = 43200) -> Accounts:
    """The accounts of a data directory, as an app has them."""
    return Accounts(data, idle_s, absolute_s, clock or Clock())


def with_users(data: Path) -> None:
    """One user of each role, all with PASSWORD."""
    accounts = Accounts(data, 3600, 43200)
    for name, role in (("guanli", Role.ADMIN), ("bianji", Role.EDITOR), ("fenxi", Role.ANALYST)):
        accounts.add(name, role, "命令行/test", PASSWORD)


def token_in(page: TestResponse) -> str:
    """The token of the forms on a page."""
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def send(client: FlaskClient, address: str, form_on: str | None = None, **fields: Any) -> TestResponse:
    """A form, sent from the page it stands on (`address`, unless said otherwise)."""
    page = client.get(form_on or address)
    return client.post(address, data={"token": token_in(page), **fields})


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, **fields: Any) -> TestResponse:
    """A login through the page."""
    return send(client, "/desk/login", name=name, password=password, **fields)


@pytest.fixture
def clock() -> Clock:
    """Of the accounts."""
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    """With nobody in them."""
    return make_accounts(tmp_path, clock)


def acts(data: Path) -> list[tuple[str, str, str]]:
    """Actor, action, object of all acts, oldest first."""
    return [(act.actor, act.action, act.object) for act in reversed(read_acts(data))]


def fail(accounts: Accounts, name: str, times: int, client: str = "203.0.113.7") -> None:
    """Wrong logins."""
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            accounts.log_in(name, "wrong", client)


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """A site over a made-up engine, with one user of each role."""
    with_users(tmp_path)
    return create_app(tmp_path, Settings(), FakeEngine())


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    """An editor who is logged in."""
    client = app.test_client()
    assert log_in(client, "bianji").status_code == 303
    return client
