"""Reads corpus/source/*.yaml and refuses wrong data with one sentence that names file and page."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

DUMP_SITES = ("voice-qa", "zhuanti", "kepu")
QUESTION_SITES = ("html-qa", "forum", "mobile")  #: a patient's question with doctors' answers
FAQ_SITES = ("faq",)  #: embedded questions and answers, and nothing besides
HTML_SITES = ("html-article", "encyclopedia", "leaflet", *QUESTION_SITES, *FAQ_SITES)
SITES = DUMP_SITES + HTML_SITES
#: the invented host that each template's pages were collected from; the raw folder is called so
HOSTS = {
    "voice-qa": "tingyi.example",
    "zhuanti": "jibing.example",
    "kepu": "yuyin.example",
    "html-article": "jiankang.example",
    "encyclopedia": "yiku.example",
    "leaflet": "cihe.example",
    "html-qa": "wenyi.example",
    "forum": "luntan.example",
    "mobile": "m.zhangyi.example",
    "faq": "changjian.example",
}

SITES_WITH_AUTHOR = ("voice-qa", "html-article", "leaflet")
SITES_WITH_DATE = (*SITES_WITH_AUTHOR, "encyclopedia", *FAQ_SITES)
SITES_WITH_VIEWS = ("voice-qa", "kepu", "html-article", *FAQ_SITES)
SITES_WITH_DATED_PAIRS = ("voice-qa",)
_FILE_FIELDS = {"topic", "department", "pages"}
_PAGE_FIELDS = {"id", "site", "title", "author", "date", "views", "body", "related", "asked", "asked_date", "answers"}
_RELATED_FIELDS = {"question", "answer", "date"}
_ANSWER_FIELDS = {"author", "author_title", "date", "likes", "text"}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?")


class SourceError(Exception):
    """The source of the corpus is wrong; the message is one sentence for whoever wrote it."""


@dataclass(frozen=True)
class Block:
    """A paragraph or a heading of an article."""

    text: str
    is_heading: bool = False


@dataclass(frozen=True)
class Related:
    """A question and its answer that stand on a page about something else."""

    question: str
    answer: str
    date: str | None = None  #: YYYY-MM-DD; shown by voice-qa only
    dirt: str | None = None  #: "copy" or "stock_answer" where dirt.py put it here
    of: str | None = None  #: id of the page that a copy was taken from


@dataclass(frozen=True)
class DoctorAnswer:
    """One doctor's answer to a patient's question."""

    author: str
    author_title: str
    date: str
    likes: int
    text: str


@dataclass(frozen=True)
class SourcePage:
    """One page of the source. What its site does not have is None or empty."""

    id: str
    site: str
    topic: str
    department: str
    title: str
    file: str = ""  #: name of its source file, without the ending
    author: str | None = None
    date: str | None = None  #: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS
    views: int | None = None
    body: tuple[Block, ...] = ()
    related: tuple[Related, ...] = ()
    asked: str | None = None
    asked_date: str | None = None
    answers: tuple[DoctorAnswer, ...] = ()
    dirt: str | None = None  #: "copy", "spun" or "masked" where dirt.py made the page from another
    of: str | None = None  #: id of that other page
    neighbours: tuple[str, ...] = ()  #: titles and questions of the other pages of its file, for lists of links


def read_source(folder: Path, reserved_ids: Collection[str] = ()) -> list[SourcePage]:
    """All pages of all source files, in file order; no page may use one of `reserved_ids`."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise SourceError(f"There is no source file *.yaml in {folder}.")
    pages: list[SourcePage] = []
    file_of_id: dict[str, str] = {}
    for file in files:
        for page in _read_file(file):
            if page.id in reserved_ids:
                raise SourceError(f"{file.name}, page {page.id}: this id belongs to a page the script itself makes.")
            if page.id in file_of_id:
                raise SourceError(f"{file.name}, page {page.id}: the id is used already in {file_of_id[page.id]}.")
            file_of_id[page.id] = file.name
            pages.append(page)
    return pages


def _read_file(file: Path) -> list[SourcePage]:
    """The pages of one file, each knowing its neighbours."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"{file.name} is not valid YAML: {' '.join(str(error).split())}.") from error
    fields = Fields(file.name, data, _FILE_FIELDS)
    topic, department = fields.line("topic"), fields.line("department")
    pages = [
        _read_page(file.name, number, item, topic, department)
        for number, item in enumerate(fields.items("pages"), start=1)
    ]
    return [replace(page, file=file.stem, neighbours=_neighbours(page, pages)) for page in pages]


def _neighbours(page: SourcePage, pages: list[SourcePage]) -> tuple[str, ...]:
    """Titles and embedded questions of the other pages, each once."""
    others = [other for other in pages if other is not page]
    titles = [other.title for other in others]
    questions = [related.question for other in others for related in other.related]
    return tuple(title for title in dict.fromkeys(titles + questions) if title != page.title)


def _read_page(file_name: str, number: int, data: object, topic: str, department: str) -> SourcePage:
    """One page, every field checked."""
    page_id = data.get("id") if isinstance(data, dict) else None
    if page_id is None:
        raise SourceError(f'{file_name}, page number {number}: field "id" is missing.')
    fields = Fields(f"{file_name}, page {page_id}", data, _PAGE_FIELDS)
    if not _ID.fullmatch(str(page_id)):
        raise fields.refusal("the id must be lower-case ASCII letters and digits with hyphens")
    site = fields.line("site")
    if site not in SITES:
        raise fields.refusal(f'site "{site}" is unknown; it must be one of {", ".join(SITES)}')
    page = SourcePage(fields.line("id"), site, topic, department, fields.line("title"))
    if site in QUESTION_SITES:
        return replace(
            page, asked=fields.line("asked"), asked_date=fields.date("asked_date"), answers=_read_answers(fields)
        )
    return replace(
        page,
        author=fields.line("author") if site in SITES_WITH_AUTHOR else None,
        date=fields.date("date") if site in SITES_WITH_DATE else None,
        views=fields.number("views") if site in SITES_WITH_VIEWS else None,
        body=() if site in FAQ_SITES else _read_body(fields),
        related=() if site == "leaflet" else _read_related(fields, dated=site in SITES_WITH_DATED_PAIRS),
    )


def _read_body(fields: Fields) -> tuple[Block, ...]:
    """Paragraphs are strings, headings are mappings with the one key "h"."""
    blocks = []
    for number, item in enumerate(fields.items("body"), start=1):
        if isinstance(item, dict):
            heading = Fields(f"{fields.where}, body block {number}", item, {"h"})
            blocks.append(Block(heading.line("h"), is_heading=True))
        else:
            blocks.append(Block(fields.checked_line(f"body block {number}", item)))
    if all(block.is_heading for block in blocks):
        raise fields.refusal("the body has headings but no paragraph")
    return tuple(blocks)


def _read_related(fields: Fields, *, dated: bool) -> tuple[Related, ...]:
    """The embedded questions; only some sites show their dates."""
    pairs = []
    for number, item in enumerate(fields.items("related"), start=1):
        pair = Fields(f"{fields.where}, related {number}", item, _RELATED_FIELDS)
        date = pair.date("date", with_time=False) if dated else None
        pairs.append(Related(pair.line("question"), pair.line("answer"), date))
    return tuple(pairs)


def _read_answers(fields: Fields) -> tuple[DoctorAnswer, ...]:
    """The doctors' answers of an html-qa page."""
    answers = []
    for number, item in enumerate(fields.items("answers"), start=1):
        answer = Fields(f"{fields.where}, answer {number}", item, _ANSWER_FIELDS)
        answers.append(
            DoctorAnswer(
                author=answer.line("author"),
                author_title=answer.line("author_title"),
                date=answer.date("date"),
                likes=answer.number("likes"),
                text=answer.line("text"),
            )
        )
    return tuple(answers)


class Fields:
    """A mapping of the source whose values are checked as they are taken out."""

    def __init__(self, where: str, data: object, known: set[str]) -> None:
        self.where = where  #: file, page and part, as a refusal names them
        if not isinstance(data, dict):
            raise self.refusal("a mapping of fields was expected here")
        unknown = sorted(str(name) for name in data if name not in known)
        if unknown:
            raise self.refusal(f'field "{unknown[0]}" is unknown')
        self._data: dict[str, Any] = data

    def refusal(self, reason: str) -> SourceError:
        """The error to raise, as a sentence."""
        return SourceError(f"{self.where}: {reason}.")

    def line(self, name: str) -> str:
        """A text of one line."""
        return self.checked_line(f'field "{name}"', self.value(name))

    def checked_line(self, what: str, value: object) -> str:
        """The value, if it is a text of one line without space around it."""
        if not isinstance(value, str):
            raise self.refusal(f"{what} must be text, not {value!r}")
        if not value.strip():
            raise self.refusal(f"{what} is empty")
        if value != value.strip() or len(value.splitlines()) > 1:
            raise self.refusal(f"{what} must be one line without space around it")
        return value

    def number(self, name: str) -> int:
        """A whole number, not negative."""
        value = self.value(name)
        if type(value) is not int or value < 0:
            raise self.refusal(f'field "{name}" must be a whole number, not {value!r}')
        return value

    def date(self, name: str, *, with_time: bool = True) -> str:
        """A quoted date that exists in the calendar."""
        value = self.value(name)
        pattern, form = (_DATE_AND_TIME, "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS") if with_time else (_DATE, "YYYY-MM-DD")
        if not isinstance(value, str) or not pattern.fullmatch(value) or not _exists(value):
            raise self.refusal(f'field "{name}" must be a quoted date {form}, not {str(value)!r}')
        return value

    def items(self, name: str) -> list[Any]:
        """A list that has something in it."""
        value = self.value(name)
        if not isinstance(value, list) or not value:
            raise self.refusal(f'field "{name}" must be a list that is not empty')
        return value

    def optional_items(self, name: str) -> list[Any]:
        """The same, or nothing where the field is not there."""
        return self.items(name) if name in self._data else []

    def value(self, name: str) -> Any:
        """What stands there, whatever it is."""
        if self._data.get(name) is None:
            raise self.refusal(f'field "{name}" is missing')
        return self._data[name]


def _exists(date: str) -> bool:
    """Whether the calendar and the clock know this moment."""
    try:
        datetime.fromisoformat(date)
    except ValueError:
        return False
    return True
