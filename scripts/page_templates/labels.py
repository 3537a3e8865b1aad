"""The right extraction of every raw page, known because the page was made from it."""

from __future__ import annotations

from typing import Any

from page_templates.addresses import address_of, encoding_of
from page_templates.contexts import has_question_marks, thread_views
from page_templates.layout_dumps import embedded_pairs
from page_templates.rejected import RejectedPage
from page_templates.source import DUMP_SITES, FAQ_SITES, HOSTS, QUESTION_SITES, SourcePage

_SITES_THAT_SHOW_THE_TOPIC = ("zhuanti", "html-article", "html-qa", "encyclopedia", "forum", "faq")


def label_of(page: SourcePage, path: str) -> dict[str, Any]:
    """What a page says, as far as the raw page shows it."""
    label = _blank(path) | {"keep": True, "title": page.title}
    if page.site in _SITES_THAT_SHOW_THE_TOPIC:
        label["topic"] = page.department if page.title == page.topic else page.topic  # what the path shows above it
    if page.site not in DUMP_SITES:
        encoding = encoding_of(page)
        label |= {"url": address_of(page), "encoding": encoding.codec, "declared_encoding": encoding.declared}
    label |= _answers_part(page) if page.site in QUESTION_SITES else _article_part(page)
    return label | {"dirt": _dirt(page)}


def path_of(page: SourcePage) -> str:
    """Where the raw page lies in the corpus."""
    return f"raw/{HOSTS[page.site]}/{page.id}{'.txt' if page.site in DUMP_SITES else '.html'}"


def _dirt(page: SourcePage) -> list[dict[str, str | None]]:
    """Which answers of the page dirt.py put there: question, what it is, and the page of the original."""
    found: list[dict[str, str | None]] = []
    if page.dirt:
        found.append({"question": page.title, "dirt": page.dirt, "of": page.of})
    for pair in page.related:
        if pair.dirt:
            found.append({"question": pair.question, "dirt": pair.dirt, "of": pair.of})
    return found


def rejected_label_of(page: RejectedPage, path: str) -> dict[str, Any]:
    """A page of which nothing is kept."""
    return _blank(path) | {"encoding": page.codec, "declared_encoding": page.declared, "dirt": [{"dirt": page.dirt}]}


def _blank(path: str) -> dict[str, Any]:
    """A label with all its keys, nothing known yet."""
    return {
        "path": path,
        "keep": False,
        "title": None,
        "text": "",
        "headings": [],
        "author": None,
        "date": None,
        "views": None,
        "likes": None,
        "topic": None,
        "url": None,
        "qa_pairs": [],
        "encoding": "utf-8",
        "declared_encoding": None,
    }


def _article_part(page: SourcePage) -> dict[str, Any]:
    """Main text and embedded questions of a page that is an article."""
    return {
        "text": "\n".join(_faq_lines(page) if page.site in FAQ_SITES else [block.text for block in page.body]),
        "headings": [block.text for block in page.body if block.is_heading],
        "author": page.author,
        "date": page.date,
        "views": page.views,
        "qa_pairs": embedded_pairs(page),
    }


def _faq_lines(page: SourcePage) -> list[str]:
    ask, answer = ("问：", "答：") if has_question_marks(page) else ("", "")
    return [line for pair in page.related for line in (ask + pair.question, answer + pair.answer)]


def _answers_part(page: SourcePage) -> dict[str, Any]:
    """The doctors' answers; the first stands for the page."""
    first = page.answers[0]
    return {
        "text": "\n".join(answer.text for answer in page.answers),
        "author": first.author,
        "date": first.date,
        "likes": first.likes,
        "views": thread_views(page) if page.site == "forum" else None,
        "doctor_answers": [
            {"author": answer.author, "date": answer.date, "likes": answer.likes, "text": answer.text}
            for answer in page.answers
        ],
    }
