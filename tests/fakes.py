"""An engine of the real one's shape that needs no index, for tests of the web room; and a model of meaning."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.aspects import ASPECTS
from indexer.analysis.suggest import Suggestion
from indexer.errors import BadQuery
from indexer.meaning.embedder import ModelFacts, Rows
from indexer.records import (
    Answer,
    DirectAnswer,
    Hit,
    Kind,
    Query,
    SearchResult,
    Snippet,
    SourceTrust,
    Topic,
    TopicSection,
    UrgencyCard,
)

XSS = "<script>document.title='被改'</script><img src=x onerror=alert(1)>"

FACIAL_SPASM = Answer(
    id="0123456789abcdef",
    question="面肌痉挛怎么治？",
    text="面肌痉挛可以用肉毒素注射治疗。\n效果一般维持 3～6 个月。\n反复发作时可以考虑微血管减压术。",
    kind=Kind.DOCTOR_ANSWER,
    page="a.html",
    author="王医生",
    date="2013-05-06T08:30:00",
    url="https://www.example.com/a.html",
    site="www.example.com",
    topic="神经内科",
)
BARE = Answer(id="bare", question="", text="面肌痉挛是面部肌肉的抽动。", kind=Kind.ARTICLE, page="b.txt")
HOSTILE = Answer(
    id="id/with spaces?#&%中文",
    question=f"面肌痉挛{XSS}",
    text=f"面肌痉挛第一段{XSS}\n第二段</p></main>",
    kind=Kind.QA_EXCERPT,
    page="c.html",
    author='"><b>坏',
    date="昨天",
    url="javascript:alert(1)",
    site="evil.example",
)


class FakeEngine:
    """Finds the answers that hold the whole query, in their order; every occurrence is a highlight."""

    def __init__(
        self, answers: Iterable[Answer] = (FACIAL_SPASM, BARE, HOSTILE), failure: Exception | None = None
    ) -> None:
        self.answers = tuple(answers)
        self.failure = failure  #: raised by every call, as when a generation vanishes
        self.copies = 0
        self.partial = False
        self.corrected: str | None = None
        self.alternatives: tuple[str, ...] = ()
        self.entity: str | None = None
        self.topic_name: str | None = None
        self.asked_aspects: tuple[str, ...] = ()
        self.aspects_of: Mapping[str, tuple[str, ...]] = {}  #: aspects by the answers' ids
        self.direct: DirectAnswer | None = None
        self.urgency: UrgencyCard | None = None
        self.unmatched: tuple[str, ...] = ()
        self.related: tuple[str, ...] = ()
        self.more: tuple[Answer, ...] = ()
        self.features: Mapping[str, float] = {}
        self.topics: Mapping[str, Topic] = {}  #: by every name
        self.queries: list[Query] = []
        self.pinned: frozenset[str] = frozenset()
        self.by_meaning: frozenset[str] = frozenset()
        self.meaning = "off"
        self.trust: Mapping[str, SourceTrust] = {}  #: by site
        self.taken_down = ""  #: changes with what is taken down

    @property
    def generation(self) -> str:
        """The name of a generation."""
        return "gen-000003"

    @property
    def state(self) -> str:
        """Another as soon as a test changes anything about this engine."""
        if self.failure:
            raise self.failure
        return self.generation + repr({name: value for name, value in vars(self).items() if name != "queries"})

    @property
    def problems(self) -> tuple[str, ...]:
        """Nothing is wrong."""
        return ()

    def warm(self) -> None:
        """Nothing to load."""

    def look_after_meaning(self) -> None:
        """No model to open."""

    def search(self, query: Query) -> SearchResult:
        """Note the query and answer it."""
        if self.failure:
            raise self.failure
        if not re.search(r"\w", query.text):
            raise BadQuery("问题里没有可以搜索的字，请写几个字再搜。")
        self.queries.append(replace(query, time_budget_ms=None))  # what was asked; the site gives all the same time
        found = [answer for answer in self.answers if query.text in answer.question + answer.text]
        found = [answer for answer in found if query.site in (None, answer.site)]
        counts = Counter(aspect for answer in found for aspect in self.aspects_of.get(answer.id, ()))
        if query.aspect is not None:
            if query.aspect not in ASPECTS:
                raise BadQuery(f"没有“{query.aspect}”这个方面；可选的有 {'、'.join(ASPECTS)}。")
            found = [answer for answer in found if query.aspect in self.aspects_of.get(answer.id, ())]
        first = (query.page - 1) * query.limit
        hits = tuple(
            self._hit(rank, answer, query.text)
            for rank, answer in enumerate(found[first : first + query.limit], first + 1)
        )
        return SearchResult(
            query,
            self.generation,
            len(found),
            hits,
            latency_ms=12.34,
            partial=self.partial,
            meaning=self.meaning,
            corrected=None if query.as_typed else self.corrected,
            alternatives=self.alternatives,
            aspects=self.asked_aspects,
            entity=self.entity,
            topic=self.topic_name,
            answer=self.direct if query.page == 1 else None,
            urgency=self.urgency,
            aspect_counts={aspect: counts[aspect] for aspect in ASPECTS if counts[aspect]},
            unmatched=self.unmatched,
            related=self.related if query.page == 1 else (),
        )

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """Titles that begin so."""
        found = [answer.question for answer in self.answers if typed and answer.question.startswith(typed)]
        return [Suggestion(text, "question") for text in found[:limit]]

    def topic(self, name: str) -> Topic | None:
        """The topic of that name."""
        if self.failure:
            raise self.failure
        return self.topics.get(name)

    def answer(self, answer_id: str) -> Answer | None:
        """The answer of that id."""
        if self.failure:
            raise self.failure
        return next((answer for answer in self.answers if answer.id == answer_id), None)

    def retrieve(self, text: str, depth: int) -> list[tuple[str, float]]:
        """All answers, whatever is asked."""
        return [(answer.id, 0.01) for answer in self.answers][:depth]

    def count_of(self, key: str) -> int:
        """How many answers have this id or address."""
        return sum(key in (answer.id, answer.url) for answer in self.answers)

    def search_with(self, query: Query, rules: Iterable[object]) -> SearchResult:
        """No rule changes anything."""
        return self.search(query)

    def source_trust(self, site: str | None) -> SourceTrust | None:
        """What a test says of the site."""
        return self.trust.get(site or "")

    def site_counts(self) -> Mapping[str, int]:
        """Of all answers."""
        return Counter(answer.site for answer in self.answers if answer.site)

    def entity_named(self, word: str) -> str | None:
        """Every word is a term."""
        return word

    def _hit(self, rank: int, answer: Answer, text: str) -> Hit:
        return Hit(
            rank=rank,
            score=1 / rank,
            answer=answer,
            snippet=Snippet(answer.text[:200], occurrences(text, answer.text[:200])),
            question_highlights=occurrences(text, answer.question),
            copies=self.copies,
            more=self.more,
            more_copies=(0,) * len(self.more),
            features=self.features,
            pinned=answer.id in self.pinned,
            by_meaning=answer.id in self.by_meaning,
            trust=self.trust.get(answer.site or ""),
        )


def occurrences(needle: str, text: str) -> tuple[tuple[int, int], ...]:
    """Where `needle` stands in `text`."""
    return tuple(match.span() for match in re.finditer(re.escape(needle), text))


def make_topic(
    name: str = "面肌痉挛", aspects: Iterable[str] = ("症状", "治疗"), answer: Answer = FACIAL_SPASM
) -> Topic:
    """A topic with one result in each aspect."""
    hit = Hit(1, 1.0, answer, Snippet(answer.text[:200], occurrences(name, answer.text[:200])))
    sections = tuple(TopicSection(aspect, 1, (hit,)) for aspect in aspects)
    return Topic(name, ("面抽", "脸抽筋"), len(sections), sections, "gen-000003")


def many_answers(count: int, answer: Answer = FACIAL_SPASM) -> tuple[Answer, ...]:
    """As many different answers as wanted, all to one question."""
    return tuple(replace(answer, id=f"{number:016x}", author=f"医生{number}") for number in range(1, count + 1))


@dataclass
class FakeEmbedder:
    """Pairs of characters, each in a place of its own by its hash: the same text has the same vector in any process."""

    name: str = "假模型"
    dimension: int = 48
    given: int = 0  #: dimension of what it gives, where that is another
    before: Callable[[], object] = int  #: called before each batch
    embedded: list[str] = field(default_factory=list)  #: all texts, in order
    batches: list[int] = field(default_factory=list)

    @property
    def facts(self) -> ModelFacts:
        """As a model of this name and dimension has them."""
        fingerprint = hashlib.sha256(f"{self.name} {self.dimension}".encode()).hexdigest()
        return ModelFacts(self.name, self.dimension, fingerprint)

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """As answers."""
        return np.array([self._vector(text) for text in texts], np.float32)

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension)."""
        self.before()
        self.embedded += texts
        self.batches.append(len(texts))
        return self.embed_questions(texts)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.given or self.dimension, 0.01, np.float32)
        for pair in pairwise(text):
            vector[zlib.crc32("".join(pair).encode()) % len(vector)] += 1
        return np.asarray(vector / np.linalg.norm(vector), np.float32)
