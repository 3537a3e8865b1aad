"""The answers that a page holds; their ids come later (identify.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from indexer.extract.parts import DoctorAnswer
from indexer.records import Answer, Kind, Page


def answers_of(page: Page, kind: Kind, doctor_answers: Iterable[DoctorAnswer], is_faq: bool) -> Page:
    """The page with its answers: the article itself or each doctor's answer, then each embedded Q&A.

    The article of a FAQ is its questions and answers, so these alone are its answers.
    """
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
        author_title=page.author_title,
        hospital=page.hospital,
    )
    from_doctors = [
        replace(
            main,
            text=answer.text,
            kind=answer.kind,
            author=answer.facts.author,
            date=answer.facts.date,
            likes=answer.facts.likes,
            author_title=answer.facts.author_title,
            hospital=answer.facts.hospital,
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
            author_title=None,
            hospital=None,
        )
        for pair in page.qa_pairs
    ]
    return replace(page, answers=(*(from_doctors or ([] if is_faq else [main])), *excerpts))
