"""How often a login may be tried: for each name, and for each client, with waits that double.

An attempt is counted before its password is looked at, in one transaction, so that many at once gain nothing. Names are
kept as keyed hashes (one may have typed a password there), clients under a key that lives in memory only, as in
`rate_limit.py`: no address can be read from the file. A name that no user has is locked like any other.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

#: so many failures in a row are free; for a client more, for many people may share one address
FREE_FOR_NAME, FREE_FOR_CLIENT = 5, 20
FIRST_WAIT_S, LONGEST_WAIT_S = 30, 15 * 60
#: after so long without a failure, all is forgotten
FORGET_S = 24 * 60 * 60

STEP = (
    "CREATE TABLE login_attempts (key BLOB PRIMARY KEY, failures INTEGER NOT NULL, last INTEGER NOT NULL,"
    " locked_until INTEGER NOT NULL)"
)


@dataclass(frozen=True)
class Counted:
    """An attempt that may go on."""

    name_key: bytes
    client_key: bytes
    failures_before: int  #: of this name, in a row
    locks: bool  #: whether it locks the name or the client, should it fail


class LockedOut(Exception):
    """Too many failures; nothing was counted and no password looked at."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


def key_of(kind: str, value: str, key: bytes) -> bytes:
    """What stands for a name or a client."""
    return hashlib.blake2b(f"{kind} {value}".encode("utf-8", "replace"), digest_size=16, key=key).digest()


def count(database: sqlite3.Connection, name_key: bytes, client_key: bytes, now: int) -> Counted:
    """Count an attempt as failed until `forgive` says otherwise. Raises LockedOut."""
    database.execute("DELETE FROM login_attempts WHERE last < ?", (now - FORGET_S,))
    found = {key: _found(database, key) for key in (name_key, client_key)}
    wait_s = max(_left_s(locked_until, now) for _, locked_until in found.values())
    if wait_s:
        raise LockedOut(wait_s)
    locks = False
    for key, free in ((name_key, FREE_FOR_NAME), (client_key, FREE_FOR_CLIENT)):
        failures = found[key][0] + 1
        wait_s = wait_after(failures, free)
        locks = locks or wait_s > 0
        database.execute(
            "INSERT OR REPLACE INTO login_attempts VALUES (?, ?, ?, ?)",
            (key, failures, now, now + wait_s if wait_s else 0),
        )
    return Counted(name_key, client_key, found[name_key][0], locks)


def forgive(database: sqlite3.Connection, counted: Counted) -> None:
    """The attempt was right: its name starts anew, its client has one failure less (else a user of this site could
    guess at others' passwords without end, logging in between).
    """
    unlock(database, counted.name_key)
    database.execute(
        "UPDATE login_attempts SET failures = failures - 1, locked_until = 0 WHERE key = ?", (counted.client_key,)
    )


def unlock(database: sqlite3.Connection, name_key: bytes) -> bool:
    """Forget a name's failures; false when there were none."""
    return database.execute("DELETE FROM login_attempts WHERE key = ?", (name_key,)).rowcount > 0


def locked_for_s(database: sqlite3.Connection, name_key: bytes, now: int) -> int:
    """How long a name is still locked, 0 when it is not."""
    return _left_s(_found(database, name_key)[1], now)


def wait_after(failures: int, free: int) -> int:
    """Seconds to wait after so many failures in a row."""
    over = failures - free
    return 0 if over < 0 else min(FIRST_WAIT_S << min(over, 10), LONGEST_WAIT_S)


def _left_s(locked_until: int, now: int) -> int:
    """Nothing where it would be longer than any wait: then the clock was set back."""
    return locked_until - now if 0 < locked_until - now <= LONGEST_WAIT_S else 0


def _found(database: sqlite3.Connection, key: bytes) -> tuple[int, int]:
    row = database.execute("SELECT failures, locked_until FROM login_attempts WHERE key = ?", (key,)).fetchone()
    return row or (0, 0)
