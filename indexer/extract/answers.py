"""The answers that a page holds; their ids come later (identify.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from indexer.extract.main_content import DoctorAnswer
from indexer.records import Answer, Kind, Page


def answers_of(page: Page, kind: Kind, doctor_answers: Iterable[DoctorAnswer]) -> Page:
    """The page with its answers: the article itself or each doctor's answer, then each embedded Q&A."""
    main = Answer(
        id="",
        question=page.title or "",
        text=page.text,
        kind=kind,
        page=page.path,
        author=page.author,
        date=page.date,
        url=page.url,
        site=page.site,
        topic=page.topic,
        views=page.views,
        likes=page.likes,
    )
    from_doctors = [
        replace(
            main,
            text=answer.text,
            kind=Kind.DOCTOR_ANSWER,
            author=answer.facts.author,
            date=answer.facts.date,
            likes=answer.facts.likes,
        )
        for answer in doctor_answers
    ]
    excerpts = [
        replace(
            main,
            question=pair.question,
            text=pair.answer,
            kind=Kind.QA_EXCERPT,
            author=None,
            date=pair.date,
            views=None,
            likes=None,
        )
        for pair in page.qa_pairs
    ]
    return replace(page, answers=(*(from_doctors or [main]), *excerpts))
