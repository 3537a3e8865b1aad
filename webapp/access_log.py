"""One line for each request, for whoever runs the site: method, endpoint, status, milliseconds, bytes.

No address, no path, no question: a path may name an illness, and an address with a time would tell whose it is.
"""

from __future__ import annotations

import logging
import sys
import time

from flask import Flask, Response, g, request

_log = logging.getLogger("yiwen.access")


def register(app: Flask) -> None:
    """Write the lines to standard error. Does nothing where the setting is off."""
    if not app.extensions["yiwen"].settings.access_log:
        return
    _log.setLevel(logging.INFO)
    _log.propagate = False
    if not _log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
        _log.addHandler(handler)
    app.after_request(_note)


def _note(response: Response) -> Response:
    size = response.calculate_content_length()
    _log.info(
        "%s %s %d %.1fms %s",
        request.method,
        request.endpoint or "-",
        response.status_code,
        (time.perf_counter() - g.started) * 1000,
        "-" if size is None else f"{size}B",
    )
    return response
