"""From the address of a search to its result: what pages and API do alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Response, after_this_request, g, request
from werkzeug.exceptions import NotFound

from indexer import Query, SearchResult
from webapp.log_store.sessions import Visitor
from webapp.metrics import metrics
from webapp.operations import QUESTION, SITE
from webapp.parameters import BadParameter, Number, without_controls
from webapp.query_log import Event, Surface
from webapp.rate_limit import client_of
from webapp.services import services
from webapp.urgent import urgency_of

__all__ = [
    "BadParameter",
    "NotHeld",
    "Question",
    "after_response",
    "ask",
    "asked_page",
    "number_in",
    "question_of",
    "read_aspect",
    "read_flag",
    "read_name",
    "read_number",
    "read_question",
    "read_site",
]

#: Far more than the name of any aspect or topic has.
MAX_NAME_CHARS = 40
#: of what a browser calls itself
MAX_BROWSER_CHARS = 400
#: of a number, whatever it counts
MAX_DIGITS = 15


class NotHeld(NotFound):
    """Something named in the address is not in the index; the description is for people."""


@dataclass(frozen=True)
class Question:
    """A question as it will be searched."""

    text: str  #: "" when nothing was asked
    cut: bool  #: true when the end was dropped because it was too long
    whole: str = ""  #: as typed, the end too


def read_question(args: Mapping[str, str]) -> Question:
    """The question in the address: control characters become blanks, a too long end goes."""
    return question_of(QUESTION.read(args))


def question_of(text: str) -> Question:
    """The question as it will be searched."""
    limit = services().settings.max_query_chars
    return Question(text[:limit].strip(), len(text) > limit, text)


def read_site(args: Mapping[str, str]) -> str | None:
    """The site to stay on, or None for all."""
    return SITE.read(args) or None


def read_aspect(args: Mapping[str, str]) -> str | None:
    """The aspect to stay with, or None for all. Which ones there are is for the engine to say."""
    aspect = without_controls(args.get("aspect", ""))
    if len(aspect) > MAX_NAME_CHARS:
        raise BadParameter(f"aspect 太长：最多 {MAX_NAME_CHARS} 个字符。")
    return aspect or None


def read_name(name: str) -> str | None:
    """The name of a topic as it stands in a path; None for what no topic can be called."""
    name = without_controls(name)
    return name if 0 < len(name) <= MAX_NAME_CHARS else None


def read_number(args: Mapping[str, str], name: str, default: int, highest: int | None = None) -> int:
    """A counting number in the address, from 1; `highest` None means no limit."""
    return Number(name, default, "", "1", highest=highest).read(args)


def number_in(given: str) -> int | None:
    """A counting number, from 1, as an address or a form has it; None for all else, and what no database could hold."""
    return int(given) or None if given.isascii() and given.isdecimal() and len(given) <= MAX_DIGITS else None


def asked_page(name: str = "page", last: int | None = None) -> int:
    """Which page of a list an address asks for. What is no number is the first; none lies beyond `last`."""
    number = number_in(request.args.get(name, "")) or 1
    return number if last is None else min(number, last)


def read_flag(args: Mapping[str, str], name: str) -> bool:
    """Whether a switch in the address is on."""
    return args.get(name, "") == "1"


def ask(query: Query, surface: Surface, question: Question) -> SearchResult:
    """Search, and note the question in the log once the answer is out.

    An emergency may be told at the end of a long story: what is too long to be searched is still looked at for it.
    """
    query = replace(query, time_budget_ms=services().settings.time_budget_ms)
    result, was_known = services().results.search(services().engine.get(), query)
    metrics().count_search(result, was_known)
    if question.cut and result.urgency is None:
        result = replace(result, urgency=urgency_of(question.whole, services().settings.resources, services().data_dir))
    now = datetime.now(UTC)
    event = Event.of(result, surface, now, _visitor(now), was_known)
    query_log = services().query_log
    if request.method == "GET":
        g.search_token = event.token
        after_response(lambda: query_log.record(event))
    return result


def _visitor(now: datetime) -> Visitor:
    """Who asks, as a number of today (log_store/sessions.py)."""
    address = client_of(request.remote_addr) or "local"
    return services().sessions.visitor(address, request.user_agent.string[:MAX_BROWSER_CHARS], now)


def after_response(action: Callable[[], None]) -> None:
    """Run `action` when the response has been handed over, so that nobody waits for it."""

    def attach(response: Response) -> Response:
        response.call_on_close(action)
        return response

    after_this_request(attach)
