"""Which searches one visitor makes in one day, without keeping who: numbers that nobody can make again.

A number is a keyed hash of the address and the browser's name. The key lives in memory only; it is made before the
workers fork, so that they agree, and is replaced by its own hash each day (a ratchet): tomorrow nobody, not even this
program, can tell which number an address had today.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import date, datetime

_BYTES = 8  #: of a number; it must fit a signed 64-bit column


@dataclass(frozen=True)
class Visitor:
    """Who asks, as far as that day's reports need it."""

    session: int  #: of the address and the browser
    origin: int  #: of the address alone: somebody who changes browsers is not several people


class SessionNumbers:
    """Of one app, and of the workers that are forked from it. Cannot be pickled or printed."""

    def __init__(self, today: date) -> None:
        self._lock = threading.Lock()
        self._day = today
        self._key = secrets.token_bytes(32)

    def visitor(self, address: str, browser: str, now: datetime) -> Visitor:
        """The numbers for today; `now` in UTC. A clock that goes back a little keeps the later day's."""
        key = self._key_of(now.date())
        origin = address.encode()
        return Visitor(_number(key, b"session", origin + b"\0" + browser.encode()), _number(key, b"origin", origin))

    def _key_of(self, day: date) -> bytes:
        with self._lock:
            while self._day < day:
                self._key = hashlib.sha256(b"yiwen next day" + self._key).digest()
                self._day = date.fromordinal(self._day.toordinal() + 1)
            return self._key

    def __repr__(self) -> str:
        return "SessionNumbers(…)"

    def __reduce__(self) -> str:
        raise TypeError("the key of sessions never leaves memory")


def _number(key: bytes, purpose: bytes, value: bytes) -> int:
    digest = hmac.digest(key, purpose + b"\0" + value, "sha256")
    return int.from_bytes(digest[:_BYTES], "big", signed=True)
