"""What a page's JSON-LD (schema.org) says of it: QAPage, FAQPage, articles, medical web pages, breadcrumbs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup

from indexer.extract.html_tree import Tag
from indexer.extract.metadata import Facts, parse_date

_DECODER = json.JSONDecoder(strict=False)
_CDATA = re.compile(r"^\s*(?://|/\*)?\s*<!\[CDATA\[(?:\s*\*/)?")
_MAX_DIGITS = 12
_ARTICLE = re.compile(r"(Article|BlogPosting|WebPage|MedicalCondition)$")


@dataclass(frozen=True)
class Text:
    """A text in a page's data, as HTML, with who wrote it and when."""

    html: str
    facts: Facts = field(default_factory=Facts)
    is_answer: bool = False  #: to a question, by the name of the place it stands in


@dataclass(frozen=True)
class Pair:
    """A question and its answer, as HTML."""

    question: str
    answer: str
    date: str | None = None


@dataclass(frozen=True)
class Embedded:
    """What the scripts say; empty where they say nothing."""

    title: str | None = None
    facts: Facts = field(default_factory=Facts)
    texts: tuple[Text, ...] = ()  #: the article, or each answer
    faq: tuple[Pair, ...] = ()  #: the page's own questions
    related: tuple[Pair, ...] = ()  #: questions of other pages
    crumbs: tuple[str, ...] = ()


def json_ld(page: Tag) -> Embedded:
    """The page as its JSON-LD describes it."""
    scripts = (script for script in page.iter("script") if script.get("type", "").lower() == "application/ld+json")
    things = [thing for script in scripts for thing in _things(parsed_json(script.text or ""))]
    known = {thing["@id"]: thing for thing in things if isinstance(thing.get("@id"), str)}
    found = Embedded()
    for thing in things:
        found = _merged(found, _of_type(_with_author(thing, known)))
    return found


def _with_author(thing: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The thing with its author in full, where it only names the author's @id."""
    author = _first(thing.get("author"))
    full = known.get(author["@id"]) if isinstance(author.get("@id"), str) else None
    return {**thing, "author": {**author, **full}} if full else thing


def parsed_json(text: str) -> Any:
    """The JSON value that a script's text begins with, behind comments and the like; None where it is none."""
    text = _CDATA.sub("", text)
    start = re.search(r"[{\[\"]", text[:200])
    if start is None:
        return None
    try:
        return _DECODER.raw_decode(text, start.start())[0]
    except (ValueError, RecursionError):
        return None


def _things(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value[:100]:
            yield from _things(item)
    elif isinstance(value, dict):
        yield value
        yield from _things(value.get("@graph"))


def _of_type(item: dict[str, Any]) -> Embedded:
    types = item.get("@type")
    names = {name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)}
    if names & {"QAPage"}:
        question = _first(item.get("mainEntity"))
        return Embedded(plain_text(question.get("name")), texts=tuple(_answers(question)))
    if names & {"FAQPage"}:
        pairs = (
            Pair(plain_text(question.get("name")) or "", answer.html)
            for question in _things(item.get("mainEntity"))
            for answer in list(_answers(question))[:1]
        )
        return Embedded(plain_text(item.get("headline") or item.get("name")), _facts(item), faq=tuple(pairs))
    if names & {"BreadcrumbList"}:
        entries = (entry for entry in _things(item.get("itemListElement")))
        crumbs = (plain_text(entry.get("name") or _first(entry.get("item")).get("name")) for entry in entries)
        return Embedded(crumbs=tuple(crumb for crumb in crumbs if crumb))
    if any(_ARTICLE.search(name) for name in names):
        body = markup(item.get("articleBody") or item.get("text"))
        title = plain_text(item.get("headline") or item.get("name"))
        return Embedded(title, _facts(item), (Text(body, _facts(item)),) if body else ())
    return Embedded()


def _answers(question: dict[str, Any]) -> Iterator[Text]:
    for key in ("acceptedAnswer", "suggestedAnswer"):
        for answer in _things(question.get(key)):
            if text := markup(answer.get("text")):
                yield Text(text, _facts(answer), is_answer=True)


def _facts(item: dict[str, Any]) -> Facts:
    author = _first(item.get("author"))
    name = author.get("name") if author else item.get("author")
    date = item.get("datePublished") or item.get("dateCreated")
    likes = item.get("upvoteCount") or _interactions(item, "Like")
    views = _interactions(item, "Read") or _interactions(item, "View") or _interactions(item, "Watch")
    place = _first(author.get("affiliation") or author.get("worksFor"))
    title = author.get("jobTitle")
    return Facts(
        author=name if isinstance(name, str) and author.get("@type") != "Organization" else None,
        date=parse_date(date) if isinstance(date, str) else None,
        views=_number(views),
        likes=_number(likes),
        author_title=title if isinstance(title, str) else None,
        hospital=place["name"] if isinstance(place.get("name"), str) else None,
    )


def _interactions(item: dict[str, Any], kind: str) -> Any:
    """How often readers did what an interactionStatistic counts."""
    for counter in _things(item.get("interactionStatistic")):
        if kind in json.dumps(counter.get("interactionType"), ensure_ascii=False):
            return counter.get("userInteractionCount")
    return None


def _number(value: Any) -> int | None:
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def _first(value: Any) -> dict[str, Any]:
    return next(_things(value), {})


def _merged(first: Embedded, second: Embedded) -> Embedded:
    return Embedded(
        first.title or second.title,
        first.facts.filled_from(second.facts),
        first.texts or second.texts,
        first.faq or second.faq,
        first.related or second.related,
        first.crumbs or second.crumbs,
    )


def plain_text(value: Any) -> str | None:
    """A value's words in one line; None where it has none."""
    if not isinstance(value, str):
        return None
    return " ".join(BeautifulSoup(markup(value), "lxml").get_text(" ").split()) or None


def markup(value: Any) -> str:
    """A text of a page's data as HTML: it may be HTML, escaped once more, or plain lines."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if "<" not in text and "&lt;" in text:
        text = html.unescape(text)
    if "<" in text:
        return re.sub(r"\n", " ", text) if re.search(r"<(p|br|div|li|h\d)\b", text, re.IGNORECASE) else text
    return "".join(f"<p>{html.escape(html.unescape(line))}</p>" for line in text.splitlines() if line.strip())
