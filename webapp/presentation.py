"""How values become what templates show: marks, words for absent facts, addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, current_app, request, url_for
from markupsafe import Markup, escape
from werkzeug.urls import uri_to_iri

from indexer import Answer
from webapp.urgent import PHONE_NAMES, callable_phones, level_label

KIND_LABELS = {"article": "网页文章", "doctor_answer": "医生回答", "reader_reply": "网友回复", "qa_excerpt": "问答摘录"}

UNKNOWN = "未注明"

#: A scraped "question" can be a whole letter; the rest of it is on the answer's own page.
MAX_TITLE_CHARS = 120

#: Snippets are the engine's, and short; this holds even if one is not.
MAX_SNIPPET_CHARS = 400
MAX_QUOTE_CHARS = 400

#: The further answers of a page are links, one line or two on a phone.
MAX_OTHER_CHARS = 48


_TO_ENCODE = re.compile(r"[^0-9A-Za-z\u4e00-\u9fff]+")


def register(app: Flask) -> None:
    """Give the filters and globals to the app's templates and make JSON readable."""
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    # An answer's id may hold any character, slashes too.
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(highlight)
    app.add_template_filter(clip)
    app.add_template_filter(day)
    app.add_template_filter(web_address)
    app.add_template_filter(kind_label)
    app.add_template_filter(paragraphs)
    app.add_template_filter(level_label)
    app.add_template_filter(callable_phones)
    app.add_template_filter(titled)
    app.add_template_global(link_to)
    versions = {path.name: _version(path) for path in Path(app.static_folder or "").iterdir()}
    app.add_template_global(partial(static_url, versions), "static_url")
    app.jinja_env.globals.update(
        UNKNOWN=UNKNOWN,
        MAX_TITLE_CHARS=MAX_TITLE_CHARS,
        MAX_SNIPPET_CHARS=MAX_SNIPPET_CHARS,
        MAX_QUOTE_CHARS=MAX_QUOTE_CHARS,
        MAX_OTHER_CHARS=MAX_OTHER_CHARS,
        PHONE_NAMES=PHONE_NAMES,
    )


def highlight(text: str, spans: Iterable[tuple[int, int]] = ()) -> Markup:
    """`text` escaped, with <mark> around the spans ([start, end) in characters of `text`).

    Spans may overlap, stand in any order or reach beyond the text, as they do after a clip.
    """
    parts: list[Markup] = []
    done = 0
    for start, end in _merged(spans, len(text)):
        parts += [escape(text[done:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        done = end
    parts.append(escape(text[done:]))
    return Markup("").join(parts)


def _merged(spans: Iterable[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    last_start, last_end = 0, 0
    for start, end in sorted((max(start, 0), min(end, length)) for start, end in spans):
        if start >= end:
            continue
        if start <= last_end and last_end > 0:
            last_end = max(last_end, end)
            continue
        if last_end:
            yield last_start, last_end
        last_start, last_end = start, end
    if last_end:
        yield last_start, last_end


def clip(text: str, length: int) -> str:
    """`text` with at most `length` characters, an ellipsis in place of the rest."""
    return text if len(text) <= length else text[: length - 1] + "…"


def day(date: str | None) -> str:
    """The day of a date with or without time; a date in another form stays as the source has it."""
    if not date:
        return UNKNOWN
    return date[:10] if re.match(r"\d{4}-\d{2}-\d{2}(T|$)", date) else date


def web_address(url: str | None) -> str | None:
    """`url` if a browser may be sent there, else None: scraped addresses can be `javascript:` and the like."""
    if not url or re.search(r"[\x00-\x20\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def kind_label(kind: str) -> str:
    """What sort of text it is, for people."""
    return KIND_LABELS[str(kind)]


def paragraphs(text: str) -> list[str]:
    """The blocks of an answer's text, one a line, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def titled(answer: Answer, beside: str = "") -> str:
    """What an answer is called in a list: its question; where that stands `beside` it already, how it begins."""
    begins = " ".join(answer.text[: 2 * MAX_OTHER_CHARS].split())
    return clip(answer.question if answer.question not in ("", beside) else begins, MAX_OTHER_CHARS)


def link_to(endpoint: str, **values: Any) -> str:
    """The address of a page, with Chinese characters as they are: a third of the bytes, and readable.

    A page of results has some thirty: `url_for` alone would take a third of the time that the page takes.
    """
    arguments = next(current_app.url_map.iter_rules(endpoint)).arguments
    if arguments:
        path = uri_to_iri(url_for(endpoint, **{name: values.pop(name) for name in arguments}))
    else:
        path = _path(endpoint, request.script_root)
    asked = "&".join(f"{name}={_encoded(str(value))}" for name, value in values.items() if value is not None)
    return path + (f"?{asked}" if asked else "")


@cache
def _path(endpoint: str, script_root: str) -> str:
    """`script_root` is where a proxy has put the site; it tells addresses that are kept apart."""
    return uri_to_iri(url_for(endpoint))


def _encoded(text: str) -> str:
    """Percent-encoded (RFC 3986) but for letters, digits and Han characters."""
    return _TO_ENCODE.sub(lambda found: quote(found[0], safe="", errors="replace"), text)


def static_url(versions: dict[str, str], filename: str) -> str:
    """The address of a static file, which changes with its content so that browsers may keep it."""
    return url_for("static", filename=filename, v=versions[filename])


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
