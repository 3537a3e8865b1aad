"""Which other sites may call the API from a browser (CORS, fetch.spec.whatwg.org, 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response, request

from indexer.errors import SettingError

#: how long a browser may go by the answer to its preflight
PREFLIGHT_SECONDS = 3600
ALLOWED_METHODS = "GET, HEAD"
#: what a page may send besides what it always may
ALLOWED_HEADERS = "If-None-Match"
#: what it may read of a reply besides what it always may
EXPOSED_HEADERS = "ETag, Retry-After"

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Origins:
    """Those that are allowed; none by default."""

    listed: frozenset[str] = frozenset()
    everybody: bool = False

    def answer_to(self, origin: str | None) -> str | None:
        """What Access-Control-Allow-Origin says to this origin; None: nothing."""
        if self.everybody:
            return "*"
        return origin if origin in self.listed else None


def read_origins(text: str) -> Origins:
    """The setting `api_origins`. Raises SettingError for what no browser would ever call its origin."""
    listed = text.lower().split()
    for origin in listed:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise SettingError(
                f"设置 api_origins 中的“{origin}”不是网站来源；应如 https://www.example.com，不带路径，或写 *。"
            )
    return Origins(frozenset(listed) - {"*"}, "*" in listed)


def preflight() -> Response | None:
    """The answer to a browser that asks before it calls; None to everything else."""
    is_preflight = (
        request.method == "OPTIONS"
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )
    return Response(status=204) if is_preflight and is_call() else None


def is_call() -> bool:
    """Whether this request is to the API."""
    return request.path.startswith("/api/")


def allow(response: Response, origins: Origins) -> None:
    """Say on a reply of the API who may read it. Never with credentials: there are none."""
    if not origins.everybody and origins.listed:
        response.vary.add("Origin")  # to others it says something else
    allowed = origins.answer_to(request.headers.get("Origin"))
    if allowed is None:
        return
    response.headers["Access-Control-Allow-Origin"] = allowed
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
