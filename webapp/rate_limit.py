"""How often one client may ask, without keeping who it is.

The generic cell rate algorithm (ITU-T I.371): for each client one number is kept, the time at which all that it has
asked for would have been due. Numbers stand in an array at a place that a keyed hash of the address gives; the key is
made when the site starts and lives in memory only, so that no address can be read from it. Two clients that share a
place share a limit, which is rare and harmless. The array is anonymous shared memory: workers forked later see one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import mmap
import os
import time
from collections.abc import Callable

from flask import Flask, request
from werkzeug.exceptions import TooManyRequests

_PLACES = 1 << 17
_BYTES = 8  # of a double
_ROUNDING_S = 1e-6

#: What a request counts for where it is not 1. A suggestion comes with every few letters; what is not listed with a
#: number here and is no page of its own (static files, checks of health) is free.
COSTS = {"api.suggest": 0.2, "static": 0.0, "api.alive": 0.0, "api.ready": 0.0, "metrics.metrics": 0.0}


class RateLimit:
    """One limit for each client. Safe to use from processes forked after it was made; a lost race lets one more by."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`burst` requests at once, then `per_minute`. `clock` gives seconds, the same to all processes."""
        self._interval_s = 60 / per_minute
        self._tolerance_s = self._interval_s * burst
        self._clock = clock
        self._key = os.urandom(16)
        self._due = memoryview(mmap.mmap(-1, _PLACES * _BYTES)).cast("d")

    def wait_s(self, client: str, cost: float = 1.0) -> float:
        """Count a request and give 0 when it may be answered, else the seconds after which it may be, uncounted."""
        digest = hashlib.blake2b(client.encode("utf-8", "replace"), digest_size=8, key=self._key).digest()
        place = int.from_bytes(digest, "little") % _PLACES
        now = self._clock()
        due = max(self._due[place], now) + cost * self._interval_s
        wait_s = due - now - self._tolerance_s
        if wait_s > _ROUNDING_S:
            return wait_s
        self._due[place] = due
        return 0.0


def client_of(address: str | None) -> str | None:
    """Who counts as one client: an IPv4 address, or the network of an IPv6 one, of which a household has 2**64. None
    for this machine itself, where proxies and tests ask from, and where there is no address (a Unix socket).
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback:
        return None
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def register(app: Flask) -> None:
    """Refuse what a client asks beyond its limit, before anything is done for it."""
    settings = app.extensions["yiwen"].settings
    limit = RateLimit(settings.requests_per_minute, settings.requests_at_once)

    def refuse_floods() -> None:
        cost = COSTS.get(request.endpoint or "", 1.0)
        client = client_of(request.remote_addr)
        if cost and client is not None:
            refuse_after(limit.wait_s(client, cost))

    app.before_request(refuse_floods)


def refuse_after(wait_s: float) -> None:
    """End a request with 429 unless there is nothing to wait for. Raises TooManyRequests."""
    if wait_s > 0:
        raise TooManyRequests(retry_after=int(wait_s) + 1)
