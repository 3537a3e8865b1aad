"""Every value that passes between rooms. All of them are frozen; a stage returns a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from indexer.verdicts import Flaw, Reason


class Kind(StrEnum):
    """What sort of text an answer is."""

    ARTICLE = "article"
    DOCTOR_ANSWER = "doctor_answer"
    READER_REPLY = "reader_reply"  #: a layperson's, where no doctor answered
    QA_EXCERPT = "qa_excerpt"  #: a question with the start of its answer, found on another page


#: first part of the paths of pages that came in by the editors' inbox: desk/<batch>/<path in the batch>
BATCHES_PATH = "desk"


def collected_path(path: str) -> str:
    """A page's path without the batch of the inbox by which it came."""
    first, _, rest = path.partition("/")
    number, _, inside = rest.partition("/")
    return inside if first == BATCHES_PATH and number.isdecimal() and inside else path


def host_of(url: str | None) -> str | None:
    """The host of an address, which stands for the site; None when it has none."""
    try:
        return urlsplit(url or "").hostname
    except ValueError:
        return None


class TrustState(StrEnum):
    """How far editors trust a site."""

    TRUSTED = "trusted"
    NORMAL = "normal"
    DOUBTFUL = "doubtful"
    EXCLUDED = "excluded"  #: nothing of it is shown

    @property
    def label(self) -> str:
        """In Chinese."""
        return {"trusted": "可靠", "normal": "一般", "doubtful": "存疑", "excluded": "不收录"}[self.value]


@dataclass(frozen=True)
class SourceTrust:
    """What editors say of a site, for readers."""

    site: str  #: the site, or the domain above it, that was judged
    state: TrustState
    evidence: str
    link: str | None = None  #: https, what the evidence can be read at

    def as_dict(self) -> dict[str, Any]:
        """As the API prints it."""
        return {"site": self.site, "state": self.state.value, "evidence": self.evidence, "link": self.link}


@dataclass(frozen=True)
class SavedPage:
    """A page or record as it lay in a file or archive: bytes, and what was noted when they were fetched."""

    path: str  #: relative to the corpus, with forward slashes; in an archive with the record's number
    media: str  #: "html", "text" (a layout dump) or "record" (a line of JSONL, an answer already)
    data: bytes
    charset: str | None = None  #: of the HTTP header
    url: str | None = None  #: the address it was fetched from


@dataclass(frozen=True)
class RawPage:
    """A page as it was read: decoded, nothing yet taken out."""

    path: str  #: relative to the corpus, with forward slashes
    media: str  #: "html" or "text" (a layout dump)
    text: str
    charset: str  #: the one decode.py chose, e.g. "utf-8"
    declared_charset: str | None = None  #: what the page says of itself; None when it says nothing
    url: str | None = None  #: the address it was fetched from; None when nobody noted it


@dataclass(frozen=True)
class Block:
    """One line of a dump, or one paragraph, heading or list item of an HTML page."""

    text: str  #: as the page has it, trimmed
    plain: str  #: as patterns see it
    tag: str = "line"  #: lower-case HTML tag; "line" in a dump
    link_chars: int = 0  #: how many characters of it are links
    links: int = 0
    path: tuple[int, ...] = ()  #: numbers of the elements around it, outermost first; () in a dump
    unlinked: str = ""  #: `plain` without the text of its links: the heading itself in "相关问答 我也要问"
    pieces: str = ""  #: `plain` with a blank between elements in line: "王立新 主治医师" where the page has none
    link_texts: tuple[str, ...] = ()  #: of each link, in order
    ad_texts: tuple[str, ...] = ()  #: of links whose address is an advertisement's
    number: int = -1  #: its place among the page's blocks, from 0
    is_kept: bool = False  #: an editor's rule keeps it, whatever any other rule says

    @property
    def link_share(self) -> float:
        """Share of its characters that are links, 0 to 1."""
        return self.link_chars / max(len(self.text), 1)


@dataclass(frozen=True)
class RemovedBlock:
    """A piece of a page that is not searched, kept so that an editor can see it."""

    reason: Reason
    text: str
    rule: str = ""  #: what decided it: a list of sites/general.toml, an element's name, what was measured
    number: int | None = None  #: of the block in the page, from 0; None for what never became a block


@dataclass(frozen=True)
class KeptBlock:
    """A block that an editor's rule keeps."""

    text: str
    rule: str  #: the rule, for people
    number: int  #: of the block in the page, from 0


@dataclass(frozen=True)
class QualityFact:
    """One flaw of an answer, with the words that show it."""

    flaw: Flaw
    evidence: str


@dataclass(frozen=True)
class QaPair:
    """A question with an answer or the start of one, embedded in a page about something else."""

    question: str
    answer: str
    date: str | None = None  #: YYYY-MM-DD


@dataclass(frozen=True)
class Answer:
    """The unit of search: one text that answers one question."""

    id: str  #: a JSONL record's own id, else 16 hex digits that survive re-indexing
    question: str  #: title or question as asked; "" when the source has none
    text: str
    kind: Kind
    page: str  #: path of the page it stands on, relative to the corpus
    author: str | None = None
    date: str | None = None  #: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS
    url: str | None = None
    site: str | None = None
    topic: str | None = None
    views: int | None = None
    likes: int | None = None
    author_title: str | None = None  #: 主任医师, 副教授
    hospital: str | None = None
    quality: tuple[QualityFact, ...] = ()
    copy_of: str | None = None  #: id of the original when this is a near-duplicate


@dataclass(frozen=True)
class Page:
    """A cleaned page: its main text, what else it holds, and what was taken out of it."""

    path: str
    title: str | None
    text: str  #: the main answer, headings included, one block a line
    charset: str
    url: str | None = None
    site: str | None = None
    headings: tuple[str, ...] = ()
    author: str | None = None
    date: str | None = None
    views: int | None = None
    likes: int | None = None
    author_title: str | None = None
    hospital: str | None = None
    answer_count: int | None = None  #: how many answers a question page holds; None on other pages
    topic: str | None = None
    qa_pairs: tuple[QaPair, ...] = ()
    asked: str | None = None  #: what a patient wrote beneath the question, on a question page
    disclaimers: tuple[str, ...] = ()
    removed: tuple[RemovedBlock, ...] = ()
    answers: tuple[Answer, ...] = ()  #: in page order
    is_record: bool = False  #: came as an answer (JSONL) and is indexed as it is
    kept: tuple[KeptBlock, ...] = ()  #: what editors' rules keep


@dataclass(frozen=True)
class Rejected:
    """A page or record that is not indexed, and why."""

    path: str
    reason: Reason
    detail: str = ""  #: one sentence in Chinese, for the editor
    removed: tuple[RemovedBlock, ...] = ()
    charset: str | None = None


@dataclass(frozen=True)
class Token:
    """One index term and where it stands in the original text."""

    text: str
    start: int  #: offset in characters of the original text
    end: int


@dataclass(frozen=True)
class Query:
    """A question to the engine."""

    text: str
    limit: int = 10  #: results a page
    page: int = 1  #: 1-based
    site: str | None = None  #: only answers of this site
    fold: bool = True  #: show copies of one text as one result
    as_typed: bool = False  #: search for what was typed, slips and all
    aspect: str | None = None  #: only answers about this aspect
    time_budget_ms: float | None = None  #: what is not done by then is left out, and the result says so; None: no end


@dataclass(frozen=True)
class Snippet:
    """A slice of an answer. Marks are offsets, so that whoever shows the text escapes it first."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()  #: [start, end) in characters of `text`, in order
    cut_before: bool = False  #: the answer has text before it
    cut_after: bool = False


@dataclass(frozen=True)
class Hit:
    """One result."""

    rank: int  #: 1-based over all pages of the result
    score: float
    answer: Answer
    snippet: Snippet
    question_highlights: tuple[tuple[int, int], ...] = ()
    copies: int = 0  #: how many further answers have the same text, folded into this one
    more: tuple[Answer, ...] = ()  #: further answers of the same page, best first
    more_copies: tuple[int, ...] = ()  #: how many further answers have the same text as each of them
    features: Mapping[str, float] = field(default_factory=dict)  #: what spoke for it, each 0 to 1, by name
    pinned: bool = False  #: an editor put it here
    trust: SourceTrust | None = None  #: what editors say of its site, where they have said something
    by_meaning: bool = False  #: found by what it means: it holds too few of the question's words to count by them

    def as_dict(self) -> dict[str, Any]:
        """The hit as the command line and the API print it."""
        answer = self.answer
        return {
            "rank": self.rank,
            "id": answer.id,
            "score": round(self.score, 6),
            "kind": answer.kind.value,
            "question": answer.question,
            "answer": answer.text,
            "snippet": self.snippet.text,
            "highlights": [list(span) for span in self.snippet.highlights],
            "author": answer.author,
            "date": answer.date,
            "url": answer.url,
            "site": answer.site,
            "topic": answer.topic,
            "copies": self.copies,
            "more": [
                {"id": each.id, "question": each.question, "copies": copies}
                for each, copies in zip(self.more, self.more_copies, strict=True)
            ],
            "features": {name: round(value, 4) for name, value in self.features.items()},
            "pinned": self.pinned,
            "by_meaning": self.by_meaning,
            "source_trust": self.trust.as_dict() if self.trust else None,
        }


@dataclass(frozen=True)
class DirectAnswer:
    """Sentences of one answer that answer the question, as they stand there."""

    answer: Answer
    start: int  #: in characters of the answer's text
    end: int

    @property
    def text(self) -> str:
        """The sentences, letter by letter."""
        return self.answer.text[self.start : self.end]

    def as_dict(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        answer = self.answer
        return {
            "id": answer.id,
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "question": answer.question,
            "author": answer.author,
            "date": answer.date,
            "url": answer.url,
            "site": answer.site,
        }


@dataclass(frozen=True)
class TopicSection:
    """What is held about one aspect of a topic."""

    aspect: str
    count: int  #: results that the aspect has, on all pages
    hits: tuple[Hit, ...]  #: the best of them


@dataclass(frozen=True)
class Topic:
    """A term of the lexicon, with what the generation holds about it."""

    name: str
    other_names: tuple[str, ...]
    total: int  #: results about it, whatever the aspect
    sections: tuple[TopicSection, ...]  #: in the order in which aspects are told, none empty
    generation: str

    def as_dict(self) -> dict[str, Any]:
        """As the API prints it."""
        return {
            "topic": self.name,
            "other_names": list(self.other_names),
            "total": self.total,
            "generation": self.generation,
            "sections": [
                {"aspect": each.aspect, "count": each.count, "hits": [hit.as_dict() for hit in each.hits]}
                for each in self.sections
            ],
        }


@dataclass(frozen=True)
class UrgencyCard:
    """What stands before all answers when a question describes an emergency."""

    id: str
    level: str  #: "emergency" (120 now), "today" (to a hospital) or "watch"
    title: str
    text: str
    source: str  #: the public guideline that it follows
    reviewed_by: str  #: empty until a doctor has read it
    phones: tuple[str, ...]
    source_url: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        return {
            "id": self.id,
            "level": self.level,
            "title": self.title,
            "text": self.text,
            "source": self.source,
            "source_url": self.source_url or None,
            "reviewed_by": self.reviewed_by or None,
            "phones": list(self.phones),
        }


@dataclass(frozen=True)
class SearchResult:
    """What the engine says to a question."""

    query: Query
    generation: str
    total: int  #: results on all pages, copies folded
    hits: tuple[Hit, ...]
    latency_ms: float
    aspects: tuple[str, ...] = ()  #: what the question asks about its subject, e.g. ("治疗",); empty when unclear
    partial: bool = False  #: true when time ran out and something was left out
    entity: str | None = None  #: the term that the question is mainly about, by its name
    corrected: str | None = None  #: what was searched instead of what was typed
    alternatives: tuple[str, ...] = ()  #: what else it may mean, likeliest first
    answer: DirectAnswer | None = None
    urgency: UrgencyCard | None = None
    topic: str | None = None  #: the entity, where a result is about it, so that `Engine.topic` finds it
    aspect_counts: Mapping[str, int] = field(default_factory=dict)  #: results about each aspect, none with 0
    unmatched: tuple[str, ...] = ()  #: words of the question that no result of this page holds
    related: tuple[str, ...] = ()  #: questions that the corpus holds and that go on from this one
    words: tuple[str, ...] = ()  #: what is looked for: the content words of the question
    terms: tuple[str, ...] = ()  #: the words of the lexicon that stand in the question, normalised
    stages_ms: Mapping[str, float] = field(default_factory=dict)  #: where the time went, by stage
    meaning: str = "off"  #: "on": looked for by meaning too; "late": that was not done in time; "off": by words

    @property
    def may_be_more(self) -> bool:
        """Whether the same question may find more a moment later: time ran out, or the model of meaning was late."""
        return self.partial or self.meaning == "late"

    def as_dict(self) -> dict[str, Any]:
        """The result as the command line and the API print it."""
        return {
            "query": self.query.text,
            "corrected": self.corrected,
            "alternatives": list(self.alternatives),
            "aspects": list(self.aspects),
            "entity": self.entity,
            "generation": self.generation,
            "total": self.total,
            "partial": self.partial,
            "meaning": self.meaning,
            "answer": self.answer.as_dict() if self.answer else None,
            "urgency": self.urgency.as_dict() if self.urgency else None,
            "topic": self.topic,
            "aspect_counts": dict(self.aspect_counts),
            "unmatched": list(self.unmatched),
            "related": list(self.related),
            "hits": [hit.as_dict() for hit in self.hits],
        }
