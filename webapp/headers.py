"""What every response says to the browser about safety, privacy and keeping copies."""

from __future__ import annotations

from functools import partial

from flask import Flask, Response, request

from webapp.origins import Origins, allow, is_call, preflight, read_origins

#: The site has one script, which asks the site itself, and nothing from another host: all else can be refused.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "Server": "yiwen",  # else the server names its own software
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Other hosts are told nothing. "no-referrer" would make browsers send `Origin: null` with our own forms, and over
    # plain http, where there is no Sec-Fetch-Site, that is all `same_site.refuse_cross_site` has to go by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: The longest form is a report with its note: a request with more than this is a mistake or an attack.
MAX_BODY_BYTES = 16 * 1024

#: Addresses of static files carry a hash of their content (`presentation.static_url`).
STATIC_SECONDS = 24 * 60 * 60


def register(app: Flask) -> None:
    """Put the headers on every response of the app and refuse large bodies. Raises SettingError."""
    origins = read_origins(app.extensions["yiwen"].settings.api_origins)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    app.before_request(preflight)
    app.after_request(partial(add_headers, origins=origins))


def allow_larger_body(app: Flask, endpoint: str, max_body_bytes: int) -> None:
    """Let forms of one view be larger than all others."""
    app.extensions.setdefault("yiwen.larger_bodies", {})[endpoint] = max_body_bytes


def add_headers(response: Response, origins: Origins) -> Response:
    """Searches are about someone's health: no copy of them is kept on disk or by anyone on the way.

    A program may keep a reply that has an ETag, for itself, and asks each time whether it still holds.
    """
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)  # a page that shows a scraped one in a frame says it in its own way
    if request.endpoint != "static" or response.status_code >= 400:
        is_tagged = is_call() and "ETag" in response.headers
        response.headers["Cache-Control"] = "private, no-cache" if is_tagged else "private, no-store"
    if is_call():
        allow(response, origins)
    return response
