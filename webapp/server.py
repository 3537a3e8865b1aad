"""The web server around the app."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from webapp.headers import MAX_BODY_BYTES

#: Room for a pasted question of some thousand characters, nine bytes each in an address; it is cut, not refused.
MAX_HEADER_BYTES = 128 * 1024

_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def bind(app: Flask, host: str, port: int, threads: int) -> Any:
    """A waitress server that has its port and waits for `run()`. Raises OSError when the port cannot be had."""
    from waitress.channel import HTTPChannel
    from waitress.parser import HTTPRequestParser
    from waitress.server import MultiSocketServer, create_server

    class Parser(HTTPRequestParser):  # type: ignore[misc]
        """Takes addresses in which Chinese stands as it is: curl sends them so, waitress alone refuses them."""

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(with_ascii_address(header_plus))

    class Channel(HTTPChannel):  # type: ignore[misc]
        parser_class = Parser

    server = create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        ident=None,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
    )
    for listener in server.map.values() if isinstance(server, MultiSocketServer) else [server]:
        listener.channel_class = Channel
    return server


def with_ascii_address(header: bytes) -> bytes:
    """A request's head with the bytes above ASCII of its first line percent-encoded (RFC 3986, section 2.1)."""
    first_line, newline, rest = header.partition(b"\n")
    return _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], first_line) + newline + rest
