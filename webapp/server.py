"""The web server around the app."""

from __future__ import annotations

from typing import Any

from flask import Flask

from webapp.headers import MAX_BODY_BYTES

#: Room for a pasted question of some thousand characters, nine bytes each in an address; it is cut, not refused.
MAX_HEADER_BYTES = 128 * 1024


def bind(app: Flask, host: str, port: int, threads: int) -> Any:
    """A waitress server that has its port and waits for `run()`. Raises OSError when the port cannot be had."""
    from waitress.server import create_server

    return create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        ident=None,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
    )
