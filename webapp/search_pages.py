"""The pages that searchers see: the search box, results, and one answer in full."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from indexer import Answer, Query, SearchResult
from indexer.errors import IndexerError
from webapp.asking import ask, read_aspect, read_flag, read_number, read_question, read_site
from webapp.clicks import note_click
from webapp.reasons import reasons
from webapp.services import services

blueprint = Blueprint("pages", __name__)

#: Nobody reads further; the ranker looks at 200 candidates, which is 20 pages of the usual 10.
MAX_PAGES = 20

#: How many page numbers stand on each side of the current one.
PAGE_WINDOW = 2

#: How many other answers stand below one.
MAX_KIN = 5

EXAMPLES = ("面肌痉挛怎么治", "血压正常了能停药吗", "偏头痛发作时怎么缓解", "湿疹反复发作怎么办")


@dataclass(frozen=True)
class Kin:
    """What is held beside one answer."""

    topic: str | None = None  #: the term it is about, where `/topics/` has it
    answers: tuple[Answer, ...] = ()  #: others that answer the same or nearly the same


@dataclass(frozen=True)
class Paging:
    """Which pages there are around the one shown."""

    page: int
    pages: int  #: 0 when there is no result

    @property
    def past_end(self) -> bool:
        """True when someone asks for a page that does not exist although there are results."""
        return self.pages > 0 and self.page > self.pages

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """The page numbers to show, in order; None stands for numbers left out."""
        near = range(self.page - PAGE_WINDOW, self.page + PAGE_WINDOW + 1)
        shown = sorted({1, self.pages, *near} & set(range(1, self.pages + 1)))
        numbers: list[int | None] = []
        for before, number in zip([0, *shown], shown, strict=False):
            if number - before == 2:
                numbers.append(number - 1)  # a gap of one page is no shorter than the page's number
            elif number - before > 2:
                numbers.append(None)
            numbers.append(number)
        return tuple(numbers)


def paging_of(result: SearchResult) -> Paging:
    """The pages of a result, as many as are shown at most."""
    return Paging(result.query.page, min(math.ceil(result.total / result.query.limit), MAX_PAGES))


@blueprint.get("/")
def home() -> str:
    """The search box. `?empty=1` is where a search for nothing ends."""
    return render_template("home.html", examples=EXAMPLES, nothing_asked=bool(request.args.get("empty")))


@blueprint.get("/search")
def search() -> str | Response:
    """One page of results."""
    question = read_question(request.args)
    if not question.text:
        return redirect(url_for("pages.home", empty=1))
    query = Query(
        text=question.text,
        limit=services().settings.results_per_page,
        page=read_number(request.args, "page", default=1),
        site=read_site(request.args),
        as_typed=read_flag(request.args, "exact"),
        aspect=read_aspect(request.args),
    )
    result = ask(query, "page", question)
    return render_template(
        "results.html",
        result=result,
        query=query,
        question=query.text,
        cut=question.cut,
        paging=paging_of(result),
        title_question=query.text if services().settings.query_in_title else None,
        reasons=partial(reasons, result=result),
    )


@blueprint.get("/answers/<path:answer_id>")
def answer(answer_id: str) -> str:
    """One answer in full, with a way back to the results it was found in.

    `?thanks=vote` or `report` is where a form of the page ends; `at` says which results it was opened from.
    """
    engine = services().engine.get()
    found: Answer | None = engine.answer(answer_id)
    if found is None:
        abort(404)
    note_click(answer_id, "answer")
    return render_template(
        "answer.html",
        answer=found,
        trust=engine.source_trust(found.site),
        kin=kin_of(found),
        question=read_question(request.args).text,
        page=read_number(request.args, "page", default=1),
        site=read_site(request.args),
        exact="1" if read_flag(request.args, "exact") else None,
        aspect=read_aspect(request.args),
        thanks=request.args.get("thanks", ""),
    )


def kin_of(answer: Answer) -> Kin:
    """What is held beside an answer, found by asking its own question; nothing of it is noted in the log."""
    if not answer.question:
        return Kin()
    settings = services().settings
    query = Query(answer.question[: settings.max_query_chars], limit=MAX_KIN + 2)  # itself and its original go
    try:
        result = services().engine.get().search(query)
    except IndexerError:
        return Kin()  # the question cannot be asked, or the index is being changed: the answer stands without it
    own = {answer.id, answer.copy_of}
    near = [hit for hit in result.hits if hit.features.get("entity", 1.0) == 1.0]
    answers = [hit.answer for hit in near if hit.answer.id not in own and hit.answer.copy_of != answer.id]
    return Kin(result.topic, tuple(answers[:MAX_KIN]))
