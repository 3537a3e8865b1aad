"""Refusing forms that another site sends in a reader's name."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, request

#: What a browser says when the page that sends is ours, or when a person typed the address.
_OWN = frozenset({"same-origin", "none"})


def refuse_cross_site() -> None:
    """End a request with 403 when a browser says that another site made it; call it before anything is changed.

    The method of Go 1.25's `net/http.CrossOriginProtection`: `Sec-Fetch-Site` decides where it is sent; without it
    (older browsers, and every browser where the site is served over plain http) the host of `Origin` must be the
    request's own. A request with neither header comes from no browser, so nobody's cookies come with it. No token
    is needed, so no cookie is either.

    Raises werkzeug.exceptions.Forbidden.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site", "")
    if fetch_site:
        if fetch_site not in _OWN:
            abort(403)
        return
    origin = request.headers.get("Origin", "")
    if origin and _host(origin) != request.host.lower():
        abort(403)


def _host(origin: str) -> str:
    """Host and port of an origin; "" for `null` and for what is no origin, which no request's host is."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.netloc.lower().removesuffix(default_port) if default_port else ""
