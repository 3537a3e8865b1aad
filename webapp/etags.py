"""ETags of replies, known before a reply is made: a program that has it already is told so without any search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flask import Response, request

import indexer
import webapp
from webapp.services import services

#: 128 bits: two replies that share a tag by accident are not to be expected
_TAG_DIGITS = 32


@cache
def program_version() -> str:
    """The release of this program."""
    try:
        return version("yiwen")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"


@cache
def program_fingerprint() -> str:
    """SHA-256 over the source of the running program: what replies look like may change with any line of it."""
    digest = hashlib.sha256(program_version().encode())
    for file in _sources():
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for package in (indexer, webapp):
        for folder in package.__path__:
            yield from sorted(Path(folder).rglob("*.py"))


def tag_of(operation: str, given: dict[str, Any]) -> str:
    """The ETag of a reply: of the program, its settings, what answers come from now, and what is asked.

    Taken before the search, so that a tag is never newer than the reply it stands on. Raises what keeps the engine
    from opening.
    """
    held = services()
    asked = json.dumps([operation, given], sort_keys=True)
    parts = (program_fingerprint(), repr(held.settings), held.engine.get().state, asked)
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()[:_TAG_DIGITS]


def is_held(tag: str) -> bool:
    """Whether the caller says that it has this reply. `*`, any reply, says so only when there is one: `tagged`."""
    return request.if_none_match.contains_weak(tag) and not request.if_none_match.star_tag


def unchanged(tag: str) -> Response:
    """The reply to a caller that has it (RFC 9110, section 15.4.5)."""
    response = Response(status=304)
    response.set_etag(tag)
    return response


def tagged(response: Response, tag: str) -> Response:
    """The reply with its tag."""
    response.set_etag(tag)
    response.make_conditional(request)
    return response
