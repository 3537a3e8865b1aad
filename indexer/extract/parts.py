"""The parts of a page, HTML or dump, from which its `Page` is made."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.extract.metadata import Facts
from indexer.extract.sections import Sections
from indexer.records import KeptBlock, Kind, QaPair


@dataclass(frozen=True)
class DoctorAnswer:
    """One doctor's answer on a question page; `kind` says so where it is a layperson's, or nobody knows whose."""

    text: str
    facts: Facts
    kind: Kind = Kind.DOCTOR_ANSWER


@dataclass(frozen=True)
class PageParts:
    """The parts of a page."""

    sections: Sections
    url: str | None = None
    doctor_answers: tuple[DoctorAnswer, ...] = ()  #: empty when the page is an article
    asked: str | None = None  #: what the patient wrote beneath the question, on a question page
    faq: tuple[QaPair, ...] = ()  #: the page's own questions and answers
    related: tuple[QaPair, ...] = ()  #: questions of other pages, beside those in `sections`
    kept: tuple[KeptBlock, ...] = ()  #: what editors' rules keep
