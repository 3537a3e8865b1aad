"""Users and their sessions, in the data directory's state.sqlite3. Safe for many processes, also after a fork.

What gives access is never kept as it is: of a password its Argon2id hash, of a session's and a one-time link's 256
random bits their SHA-256. Every change is written together with its line in the log of acts.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer import ACTS, Part, add_act, read_state, write_state
from webapp import login_limits
from webapp.login_limits import LockedOut
from webapp.passwords import (
    BadCredential,
    attempted_name,
    check_password,
    hash_password,
    is_password,
    needs_rehash,
    normal_name,
)
from webapp.roles import Role, User

__all__ = ["Accounts", "BadCredential", "LockedOut", "RefusedChange", "Session", "WrongCredentials"]

TOKEN_BYTES = 32  # 256 bits
LINK_SECONDS = 60 * 60
#: how much a session's last use may lag behind, so that not every page writes
TOUCH_SECONDS = 60

ACCOUNTS = Part(
    "accounts",
    (
        "CREATE TABLE users (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
        " password TEXT, created INTEGER NOT NULL, last_login INTEGER)",
        "CREATE TABLE sessions (token BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
        " created INTEGER NOT NULL, used INTEGER NOT NULL, previous_login INTEGER)",
        "CREATE TABLE links (token BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
        " expires INTEGER NOT NULL)",
        login_limits.STEP,
        "CREATE TABLE account_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL)",
        "INSERT INTO account_key VALUES (1, randomblob(32))",
        "CREATE TABLE unknown_logins (day TEXT PRIMARY KEY, tries INTEGER NOT NULL)",
    ),
)

_USER = "number, name, role, created, password IS NOT NULL, last_login"


class WrongCredentials(Exception):
    """Name or password; which of them is not said."""


class RefusedChange(ValueError):
    """A change that cannot be made; the message is for the person who asked for it."""


@dataclass(frozen=True)
class Session:
    """A login that is still good."""

    user: User
    created: int  #: seconds since 1970
    previous_login: int | None  #: when the user had logged in before; None for the first time


class Accounts:
    """The users of one data directory."""

    def __init__(
        self, data: Path, idle_s: int, absolute_s: int, clock: Callable[[], float] = time.time, client_key: bytes = b""
    ) -> None:
        """A session ends `idle_s` after its last use and `absolute_s` after its login. `clock`: seconds since 1970.
        `client_key` hashes clients; the same for all workers of a site, which fork after it was made.
        """
        self._data = data
        self._idle_s, self._absolute_s = idle_s, absolute_s
        self._clock = clock
        self._client_key = client_key or secrets.token_bytes(32)

    # users

    def users(self) -> list[User]:
        """All, by name. Raises StateError, as everything here."""
        with read_state(self._data, ACCOUNTS) as database:
            if database is None:
                return []
            return [_user(row) for row in database.execute(f"SELECT {_USER} FROM users ORDER BY name")]

    def add(self, name: str, role: Role, actor: str, password: str | None = None) -> User:
        """A new user; without a password until a link is used. Raises BadCredential, RefusedChange."""
        name = normal_name(name)
        if password is not None:
            check_password(password, name)
        hashed = None if password is None else hash_password(password)
        with self._write() as database:
            return self._insert(database, name, role, hashed, actor)

    def add_first(self, name: str, password: str) -> str:
        """The first admin, logged in: the token of the session. Raises BadCredential; RefusedChange when there is a
        user already.
        """
        name = normal_name(name)
        check_password(password, name)
        hashed = hash_password(password)
        with self._write() as database:
            if database.execute("SELECT 1 FROM users").fetchone():
                raise RefusedChange("已经有用户了，这个链接不再有效。请登录，或请管理员添加您。")
            user = self._insert(database, name, Role.ADMIN, hashed, name)
            return self._start(database, user)

    def set_role(self, name: str, role: Role, actor: str) -> None:
        """Give another role and end the user's sessions. Raises RefusedChange for unknown users and the last admin."""
        with self._write() as database:
            user = _known(database, name)
            if user.role is role:
                return
            _keep_an_admin(database, user)
            database.execute("UPDATE users SET role = ? WHERE number = ?", (role.code, user.number))
            _end_sessions(database, user)
            add_act(database, actor, "更改角色", user.name, f"{user.role.label} → {role.label}")

    def remove(self, name: str, actor: str) -> None:
        """Remove a user with all sessions and links. Raises RefusedChange for unknown users and the last admin."""
        with self._write() as database:
            user = _known(database, name)
            _keep_an_admin(database, user)
            database.execute("DELETE FROM users WHERE number = ?", (user.number,))
            add_act(database, actor, "删除用户", user.name, user.role.label)

    def set_password(self, name: str, password: str, actor: str) -> None:
        """Set a password, end all sessions and links, forget failures. Raises BadCredential, RefusedChange."""
        check_password(password, attempted_name(name))
        hashed = hash_password(password)
        with self._write() as database:
            self._give_password(database, _known(database, name), hashed, actor)

    def unlock(self, name: str, actor: str) -> bool:
        """Forget a name's failed logins; false when there were none."""
        with self._write() as database:
            user = _known(database, name)
            had_failures = login_limits.unlock(database, _name_key(database, user.name))
            if had_failures:
                add_act(database, actor, "解除锁定", user.name)
            return had_failures

    def locked_for_s(self) -> dict[str, int]:
        """The names that are locked, and for how long."""
        with read_state(self._data, ACCOUNTS) as database:
            if database is None:
                return {}
            names = [name for (name,) in database.execute("SELECT name FROM users")]
            now = self._now()
            waits = {name: login_limits.locked_for_s(database, _name_key(database, name), now) for name in names}
        return {name: wait_s for name, wait_s in waits.items() if wait_s}

    def unknown_logins_today(self) -> int:
        """How often a login was tried today (UTC) under names that no user has."""
        with read_state(self._data, ACCOUNTS) as database:
            row = database and database.execute("SELECT tries FROM unknown_logins WHERE day = ?", (self._day(),))
            found = row.fetchone() if row else None
        return found[0] if found else 0

    # one-time links

    def make_link(self, name: str, actor: str) -> str:
        """The token of a link by which the user sets a password, once, within an hour; older ones end."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._write() as database:
            user = _known(database, name)
            database.execute("DELETE FROM links WHERE user = ? OR expires <= ?", (user.number, self._now()))
            values = (_digest(token), user.number, self._now() + LINK_SECONDS)
            database.execute("INSERT INTO links VALUES (?, ?, ?)", values)
            add_act(database, actor, "发出一次性链接", user.name)
        return token

    def link_user(self, token: str) -> User | None:
        """Whose link it is; None when it is not good, or not any more. Looking does not use it up."""
        with read_state(self._data, ACCOUNTS) as database:
            return None if database is None else self._linked(database, token)

    def use_link(self, token: str, password: str) -> str | None:
        """Set the password and log in: the token of the session; None for a link that is not good. Raises
        BadCredential, which leaves the link as it was.
        """
        user = self.link_user(token)
        if user is None:
            return None
        check_password(password, user.name)
        hashed = hash_password(password)
        with self._write() as database:
            user = self._linked(database, token)  # another may have used it in the meantime
            if user is None:
                return None
            self._give_password(database, user, hashed, user.name)
            return self._start(database, user)

    # sessions

    def log_in(self, name: str, password: str, client: str) -> str:
        """The token of a new session. `client` is whoever asks, as `rate_limit.client_of` says.

        Raises WrongCredentials, LockedOut. For a name that no user has the same work is done.
        """
        user, hashed, counted = self._tried(name, password, client)
        fresh = hash_password(password) if needs_rehash(hashed) else hashed
        with self._write() as database:
            changed = database.execute(
                "UPDATE users SET password = ? WHERE number = ? AND password = ?", (fresh, user.number, hashed)
            )
            if not changed.rowcount:  # removed, or given another password, since it was looked at
                raise WrongCredentials
            login_limits.forgive(database, counted)
            detail = f"此前连续输错 {counted.failures_before} 次" if counted.failures_before else ""
            return self._start(database, _known(database, user.name), detail)

    def confirm(self, name: str, password: str, client: str) -> None:
        """Whether someone who is logged in knows the password. Raises WrongCredentials, LockedOut as `log_in`."""
        _, _, counted = self._tried(name, password, client)
        with self._write() as database:
            login_limits.forgive(database, counted)

    def session(self, token: str) -> Session | None:
        """The session of a token; None when there is none or it has ended."""
        with read_state(self._data, ACCOUNTS) as database:
            if database is None:
                return None
            row = database.execute(
                f"SELECT sessions.created, used, previous_login, {_USER_OF_SESSION} FROM sessions"
                " JOIN users ON users.number = sessions.user WHERE token = ?",
                (_digest(token),),
            ).fetchone()
        if row is None:
            return None
        created, used, previous_login, *user = row
        now = self._now()
        if now - used >= self._idle_s or now - created >= self._absolute_s:
            return None
        if now - used >= min(TOUCH_SECONDS, self._idle_s / 2):
            with write_state(self._data, [ACCOUNTS]) as database:
                database.execute("UPDATE sessions SET used = ? WHERE token = ?", (now, _digest(token)))
        return Session(_user(user), created, previous_login)

    def log_out(self, token: str) -> None:
        """End a session."""
        session = self.session(token)
        with self._write() as database:
            database.execute("DELETE FROM sessions WHERE token = ?", (_digest(token),))
            if session is not None:
                add_act(database, session.user.name, "退出", session.user.name)

    def log_out_others(self, token: str) -> int:
        """End all other sessions of this session's user; gives how many there were."""
        session = self.session(token)
        if session is None:
            return 0
        with self._write() as database:
            ended = database.execute(
                "DELETE FROM sessions WHERE user = ? AND token != ?", (session.user.number, _digest(token))
            ).rowcount
            add_act(database, session.user.name, "退出其他登录", session.user.name, f"{ended} 个")
            return ended

    def other_sessions(self, token: str) -> int:
        """How many more sessions the user of this one has."""
        with read_state(self._data, ACCOUNTS) as database:
            if database is None:
                return 0
            now, digest = self._now(), _digest(token)
            (count,) = database.execute(
                "SELECT count(*) FROM sessions WHERE token != ? AND used > ? AND created > ?"
                " AND user = (SELECT user FROM sessions WHERE token = ?)",
                (digest, now - self._idle_s, now - self._absolute_s, digest),
            ).fetchone()
            return int(count)

    # parts of the above

    def _now(self) -> int:
        return int(self._clock())

    def _day(self) -> str:
        return time.strftime("%Y-%m-%d", time.gmtime(self._now()))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with write_state(self._data, [ACCOUNTS, ACTS]) as database:
            yield database

    def _insert(self, database: sqlite3.Connection, name: str, role: Role, hashed: str | None, actor: str) -> User:
        if database.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
            raise RefusedChange(f"已经有叫“{name}”的用户。")
        database.execute(
            "INSERT INTO users (name, role, password, created) VALUES (?, ?, ?, ?)",
            (name, role.code, hashed, self._now()),
        )
        add_act(database, actor, "添加用户", name, role.label)
        return _known(database, name)

    def _give_password(self, database: sqlite3.Connection, user: User, hashed: str, actor: str) -> None:
        database.execute("UPDATE users SET password = ? WHERE number = ?", (hashed, user.number))
        database.execute("DELETE FROM links WHERE user = ?", (user.number,))
        _end_sessions(database, user)
        login_limits.unlock(database, _name_key(database, user.name))
        add_act(database, actor, "设置密码", user.name)

    def _start(self, database: sqlite3.Connection, user: User, detail: str = "") -> str:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._now()
        over = (now - self._idle_s, now - self._absolute_s)
        database.execute("DELETE FROM sessions WHERE used <= ? OR created <= ?", over)
        values = (_digest(token), user.number, now, now, user.last_login)
        database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", values)
        database.execute("UPDATE users SET last_login = ? WHERE number = ?", (now, user.number))
        add_act(database, user.name, "登录", user.name, detail)
        return token

    def _tried(self, name: str, password: str, client: str) -> tuple[User, str, login_limits.Counted]:
        """The user whose password it is, its hash, and what to forgive. Raises WrongCredentials, LockedOut."""
        name = attempted_name(name)
        with self._write() as database:
            keys = _name_key(database, name), login_limits.key_of("client", client, self._client_key)
            counted = login_limits.count(database, *keys, self._now())
            row = database.execute(f"SELECT password, {_USER} FROM users WHERE name = ?", (name,)).fetchone()
        hashed = row[0] if row else None
        if is_password(password, hashed) and hashed is not None:
            return _user(row[1:]), hashed, counted
        with self._write() as database:  # one write whoever it was, so that the time tells nothing
            if row is not None:
                add_act(database, "", "登录失败", name, "之后须等待" if counted.locks else "")
            else:
                database.execute(
                    "INSERT INTO unknown_logins VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET tries = tries + 1",
                    (self._day(),),
                )
        raise WrongCredentials

    def _linked(self, database: sqlite3.Connection, token: str) -> User | None:
        row = database.execute(
            f"SELECT {_USER_OF_SESSION} FROM links JOIN users ON users.number = links.user"
            " WHERE token = ? AND expires > ?",
            (_digest(token), self._now()),
        ).fetchone()
        return _user(row) if row else None


_USER_OF_SESSION = "number, name, role, users.created, password IS NOT NULL, last_login"


def _user(row: tuple[object, ...] | list[object]) -> User:
    number, name, role, created, has_password, last_login = row
    assert isinstance(number, int) and isinstance(created, int) and isinstance(last_login, int | None)
    return User(number, str(name), Role.of(str(role)), created, bool(has_password), last_login)


def _known(database: sqlite3.Connection, name: str) -> User:
    row = database.execute(f"SELECT {_USER} FROM users WHERE name = ?", (attempted_name(name),)).fetchone()
    if row is None:
        raise RefusedChange(f"没有叫“{attempted_name(name)[:40]}”的用户。")
    return _user(row)


def _keep_an_admin(database: sqlite3.Connection, user: User) -> None:
    """Raises RefusedChange when no admin who can log in would be left."""
    others = database.execute(
        "SELECT 1 FROM users WHERE role = ? AND password IS NOT NULL AND number != ?", (Role.ADMIN.code, user.number)
    ).fetchone()
    if user.role is Role.ADMIN and user.has_password and not others:
        raise RefusedChange("这是最后一位能登录的管理员，不能删除，也不能改成别的角色；请先添加另一位管理员。")


def _end_sessions(database: sqlite3.Connection, user: User) -> None:
    database.execute("DELETE FROM sessions WHERE user = ?", (user.number,))


def _name_key(database: sqlite3.Connection, name: str) -> bytes:
    (key,) = database.execute("SELECT key FROM account_key").fetchone()
    return login_limits.key_of("name", name, key)


def _digest(token: str) -> bytes:
    """What is kept of a token. One pass is enough: 256 random bits cannot be guessed (unlike passwords)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
