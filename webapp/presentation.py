"""How values become what templates show: marks, words for absent facts, addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date as Date
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

#: What a reader should know of a text before believing it; `indexer.verdicts.Flaw` by its values.
FLAW_NOTES = {
    "cut_off": "文字不完整，后面的内容没有收录到。",
    "masked": "有些词在收录的网页里被星号遮住了。",
    "spun": "有些词句像是机器改写的，读起来可能别扭，意思也可能走样。",
    "inline_pinyin": "文字里夹着拼音或乱码。",
    "cure_promise": "含有保证治好一类的说法，请不要轻信。",
    "stock_answer": "同一段文字被用来回答了好几个不同的问题，不一定针对这一个。",
    "copy": "和另一条回答的文字相同或几乎相同。",
}
#: Those whose evidence is words of the text itself, short enough to be quoted.
QUOTED_FLAWS = {"masked", "cure_promise"}

#: Characters that simplified Chinese does not use, and those they became: enough of daily text to tell the script.
TRADITIONAL = frozenset("醫療與這個們來時國說對過還會麼發經為門問間頭體實點現開關藥腦應該無學邊後壓飲隨")
SIMPLIFIED = frozenset("医疗与这个们来时国说对过还会么发经为门问间头体实点现开关药脑应该无学边后压饮随") - TRADITIONAL

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
    app.add_template_filter(host)
    app.add_template_filter(real_date)
    app.add_template_filter(script_of)
    app.add_template_filter(flaw_notes)
    app.add_template_global(link_to)
    app.add_template_global(source_link)
    app.add_template_global(Date.today, "today")
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


def host(url: str) -> str:
    """The host of an address that `web_address` let pass, as a reader is told where a link leads."""
    return urlsplit(url).hostname or ""


def source_link(answer: Answer, at: str | None = None) -> str | None:
    """Where the link to an answer's original leads; None when its address is not one for browsers. `at`: where in which
    results it stands (clicks.py).

    The site's own address that counts and redirects where the app has it, else the original's.
    """
    address = web_address(answer.url)
    if address is None or "clicks.source" not in current_app.view_functions:
        return address
    return link_to("clicks.source", answer_id=answer.id, at=at)


def real_date(date: str | None) -> str | None:
    """The day of a date as YYYY-MM-DD if the calendar has it, for machines; None for all else."""
    try:
        real = Date.fromisoformat(day(date)).isoformat()
    except ValueError:
        return None
    return real if real == day(date) else None  # the same day written otherwise stays as the source has it


def script_of(text: str) -> str | None:
    """`zh-Hant` for text in traditional characters, so that it is drawn and read as such; None for all other."""
    traditional = sum(char in TRADITIONAL for char in text)
    return "zh-Hant" if traditional > 1 and traditional > 2 * sum(char in SIMPLIFIED for char in text) else None


def flaw_notes(answer: Answer) -> list[tuple[str, str]]:
    """What a reader should know of an answer's text: each a sentence, with the words that show it or ""."""
    facts = {str(fact.flaw): fact.evidence for fact in answer.quality}
    return [
        (note, " ".join(facts[flaw].split()) if flaw in QUOTED_FLAWS else "")
        for flaw, note in FLAW_NOTES.items()
        if flaw in facts
    ]


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
