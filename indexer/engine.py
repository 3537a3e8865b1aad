"""Recipe: query to result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.aspects import ASPECTS
from indexer.analysis.suggest import Suggestion
from indexer.curating import Rulebook, orders_of, scoreless
from indexer.deadline import Deadline, Stages
from indexer.errors import BadQuery, GenerationMissing
from indexer.in_force import InForce, in_force
from indexer.native import give_back_memory
from indexer.opened import OpenGeneration, open_best
from indexer.ranking.meant import AskMeant, nothing_meant
from indexer.ranking.ranker import Candidate
from indexer.records import Answer, Query, SearchResult, SourceTrust, Topic
from indexer.results import Relevant, direct_answer_of, hits_of, related, topic_of, unmatched
from indexer.settings import Settings, load_settings
from indexer.store import generations
from indexer.store.curation import Rule
from indexer.store.decisions import watch_decisions
from indexer.understanding import Asked

if TYPE_CHECKING:
    from indexer.meaning.serving import AskedMeaning, Meaning

#: so many answers are looked at for a topic's page
_TOPIC_DEPTH = 500
_WARMING = ("面肌痉挛怎么治", "小孩发烧 39 度怎么办")


@dataclass(frozen=True)
class _Search:
    """What one search is made with, to its end."""

    generation: OpenGeneration
    force: InForce
    asked: Asked
    word_weights: Mapping[str, float]
    allowed: NDArray[np.bool_] | None  #: documents that may be found; None when all may
    meant: AskMeant = nothing_meant


class Engine:
    """Answers questions from the current generation of a data directory. Safe to use from many threads."""

    def __init__(
        self,
        data: Path,
        settings: Settings,
        only: OpenGeneration | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`only`: answer from this generation, whatever is served. `clock`: seconds since 1970; rules run out by it."""
        self._data = data
        self._only = only
        self._settings = settings
        self._decisions = watch_decisions(data)
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OpenGeneration | None = None
        self._asked_for: str | None = None  #: what CURRENT named when `_open` was chosen
        self._in_force: InForce | None = None
        self._passed_over: tuple[str, ...] = ()  #: sentences about generations that could not be opened
        self._without_current: tuple[str, ...] = ()  #: the sentence about a CURRENT that cannot be read
        self._warmed: OpenGeneration | None = None
        self._meaning = _open_meaning(data, settings) if settings.meaning_model else None
        self._generation()

    @property
    def generation(self) -> str:
        """Name of the generation that is served."""
        return self._generation().name

    @property
    def state(self) -> str:
        """Stands for all that answers come from, whatever is asked: as long as it is the same, they are. Another
        generation changes it, and a take-down, a rule of editors, its end or what they say of a site does at once.
        """
        generation = self._generation()
        meaning = self._meaning.revision(generation.name) if self._meaning else ""
        return f"{generation.name} {generation.fingerprint} {self._force(generation).revision} {meaning}".rstrip()

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about why the generation that is served is not the one that should be; empty when all is well."""
        self._generation()
        return self._without_current + self._passed_over

    def warm(self) -> None:
        """Load what first questions would wait for, a second or two; of another generation before it is served.

        Cheap when there is nothing to load. Raises GenerationMissing, GenerationDamaged.
        """
        generation = self._generation(warm=True)
        if generation is not self._warmed:
            generation.understanding.warm()
            for question in _WARMING:  # compiled code is loaded when it is first called
                self.search(question)
            self._warmed = generation
            give_back_memory()

    def search(self, query: str | Query, limit: int = 10) -> SearchResult:
        """Ranked answers. Raises BadQuery for a question without a word, GenerationMissing without an index."""
        return self._search(Query(query, limit=limit) if isinstance(query, str) else query)

    def search_with(self, query: Query, rules: Iterable[Rule]) -> SearchResult:
        """As `search`, were these the editors' rules in force: to see what one would do before it is made."""
        return self._search(query, rules)

    def _search(self, query: Query, instead: Iterable[Rule] | None = None) -> SearchResult:
        started = time.perf_counter()
        deadline, stages = Deadline(query.time_budget_ms), Stages()
        if query.limit < 1 or query.page < 1:
            raise BadQuery(f"页码和每页条数都应大于 0，却是第 {query.page} 页、每页 {query.limit} 条。")
        if query.aspect is not None and query.aspect not in ASPECTS:
            raise BadQuery(f"没有“{query.aspect}”这个方面；可选的有{'、'.join(ASPECTS)}。")
        generation = self._generation()
        asked = self._ask(generation, query.text, query.as_typed)
        if not asked.terms.content_words:
            raise BadQuery(f"“{query.text}”没有说是哪种病或什么不舒服；请写上疾病或症状的名称，例如：面肌痉挛怎么治。")
        stages.end("understand")
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        force = self._force(generation)
        if instead is not None:
            force = replace(force, rules=Rulebook(instead, generation.analyzer.lexicon))
        meaning = self._begin_meaning(generation, asked, query.text, deadline.left_s)
        meant = meaning.get if meaning else nothing_meant
        search = _Search(generation, force, asked, word_weights, self._allowed(force, query.site), meant)
        candidates = self._candidates(search, generation.weights.pool_size, is_late=deadline.is_over)
        stages.end("retrieve and rank")
        relevant, entity = Relevant.of(candidates, asked.terms, generation), asked.terms.entity
        texts = (query.text[: self._settings.max_query_chars], asked.terms.text)
        relevant = self._curated(relevant, search, force.rules.rules_for(texts, entity, asked.terms.aspects))
        results = relevant.results(query)
        stages.end("fold")
        hits = hits_of(results, query, generation, word_weights, relevant.pins, force.trust_of)
        stages.end("snippets")
        in_time = query.page == 1 and not deadline.is_over()
        found = SearchResult(
            query,
            generation.name,
            len(results),
            hits,
            aspects=asked.terms.aspects,
            entity=entity,
            corrected=asked.corrected,
            alternatives=asked.others,
            answer=direct_answer_of(results, asked.terms, generation, word_weights) if in_time else None,
            urgency=generation.urgency.card(query.text) or generation.urgency.card(asked.corrected or ""),
            topic=entity if entity and relevant.about_entity(entity).candidates else None,
            aspect_counts=relevant.aspect_counts(),
            unmatched=unmatched(results, query, generation, word_weights),
            related=related(results, query, asked.terms, generation) if in_time else (),
            words=asked.terms.content_words,
            terms=tuple(mention.surface for mention in asked.terms.mentions),
            partial=deadline.cut_short,
            latency_ms=(time.perf_counter() - started) * 1000,
            stages_ms=stages.ms,
            meaning=meaning.state if meaning else "off",
        )
        stages.end("answer")  # and all else that was worked out while the result was put together
        return found

    def understood(self, text: str) -> Asked:
        """What a question is taken to mean. Raises BadQuery."""
        return self._ask(self._generation(), text)

    def retrieve(self, text: str, depth: int, plain: bool = False, trusting: bool = False) -> list[tuple[str, float]]:
        """Ids and scores of the best `depth` answers, nothing folded, no threshold and no rules of editors: for
        evaluation. `plain` leaves out what was learned; only with `trusting` the editors' trust in sites counts.
        """
        generation = self._generation()
        asked = self._ask(generation, text)
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        force = self._force(generation)
        if not trusting:
            force = replace(force, trust=None)
        meaning = self._begin_meaning(generation, asked, text)
        meant = meaning.get if meaning else nothing_meant
        search = _Search(generation, force, asked, word_weights, self._allowed(force, None), meant)
        candidates = self._candidates(search, depth, plain)
        ids = generation.store.ids([candidate.document for candidate in candidates])
        return [(id_, candidate.score) for id_, candidate in zip(ids, candidates, strict=True)]

    def features(self, text: str) -> tuple[list[str], NDArray[np.float32]]:
        """Ids and features (ranking.features.FEATURES, or ALL_FEATURES where the meaning is known) of what is ordered
        by them, as retrieval orders it.
        """
        generation = self._generation()
        asked = self._ask(generation, text)
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        meaning = self._begin_meaning(generation, asked, text, is_learning=True)
        documents, values = generation.ranker.features(
            asked.terms,
            word_weights,
            self._allowed(self._force(generation), None),
            generation.understanding.holding(asked.typed),
            meaning.get if meaning else nothing_meant,
        )
        return generation.store.ids(documents.tolist()), values

    def _candidates(
        self, search: _Search, depth: int, plain: bool = False, is_late: Callable[[], bool] = bool
    ) -> list[Candidate]:
        typed = search.generation.understanding.holding(search.asked.typed)
        asked, ranker = search.asked.terms, search.generation.ranker
        weights, trust = search.word_weights, search.force.trust
        return ranker.rank(asked, weights, depth, search.allowed, typed, plain, is_late, trust, search.meant)

    def _begin_meaning(
        self,
        generation: OpenGeneration,
        asked: Asked,
        text: str,
        left_s: Callable[[], float | None] = lambda: None,
        is_learning: bool = False,
    ) -> AskedMeaning | None:
        """Have a question's meaning worked out while its words are looked up; None where that is off."""
        if self._meaning is None or not (generation.ranker.weighs_meaning or is_learning):
            return None
        return self._meaning.ask(generation.name, asked.corrected or text[: self._settings.max_query_chars], left_s)

    def look_after_meaning(self) -> None:
        """What a process that serves does now and then: open the model before it is asked. Cheap when it is open."""
        if self._meaning is not None:
            self._meaning.look_after()

    def _curated(self, relevant: Relevant, search: _Search, rules: Sequence[Rule]) -> Relevant:
        """The same under rules of editors. An answer that only a rule brings in is ranked with the others."""
        if not rules:
            return relevant
        store, impacts, allowed = search.generation.store, search.generation.impacts, search.allowed

        orders = orders_of(
            rules,
            lambda id_: store.documents_with("id", id_).tolist(),
            lambda document: allowed is None or bool(allowed[document]),
            impacts.fold_keys,
        )
        present = [candidate.document for candidate in relevant.candidates]
        missing = [document for document in orders.wanted if document not in set(present)]
        known = {document: scoreless(document) for document in missing}
        if missing:
            among = np.zeros(store.document_count, np.bool_)
            among[[*present, *missing]] = True
            ranked = self._candidates(replace(search, allowed=among), len(present) + len(missing))
            known.update((each.document, each) for each in ranked if each.document in known)
        return relevant.curated(orders, known, search.generation)

    def topic(self, name: str) -> Topic | None:
        """What is held about an illness or another term of the lexicon, under any of its names; None for anything
        else, and where nothing is held.
        """
        generation = self._generation()
        lexicon = generation.analyzer.lexicon
        known = lexicon.names.get(lexicon.normal(name))
        if known is None:
            return None
        asked, force = Asked(generation.analyzer.question_terms(known)), self._force(generation)
        search = _Search(generation, force, asked, {known: 1.0}, self._allowed(force, None))

        def curated(relevant: Relevant, aspects: Sequence[str]) -> Relevant:
            return self._curated(relevant, search, force.rules.rules_for((), known, aspects))

        return topic_of(known, self._candidates(search, _TOPIC_DEPTH), generation, curated, force.trust_of)

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """What a question may become while it is typed, likeliest first."""
        return self._generation().understanding.suggest(typed[: self._settings.max_query_chars], limit)

    def answer(self, answer_id: str) -> Answer | None:
        """The answer with this id; None when there is none or it was taken down."""
        generation = self._generation()
        store, allowed = generation.store, self._allowed(self._force(generation), None)
        documents = [d for d in store.documents_with("id", answer_id) if allowed is None or allowed[d]]
        return store.answer(int(documents[0])) if documents else None

    def answers(self) -> Iterator[Answer]:
        """Every answer of the served generation, taken down or not."""
        generation = self._generation()
        return map(generation.store.answer, np.flatnonzero(generation.impacts.alive).tolist())

    def count_of(self, key: str) -> int:
        """How many answers of the current generation have this id or address, shown or taken down."""
        store = self._generation().store
        return len(np.union1d(store.documents_with("id", key), store.documents_with("url", key)))

    def source_trust(self, site: str | None) -> SourceTrust | None:
        """What editors say of a site; None where they have said nothing of it and of the domains above it."""
        return self._force(self._generation()).trust_of(site)

    def site_counts(self) -> dict[str, int]:
        """How many answers of the current generation each site has, shown or not."""
        impacts = self._generation().impacts
        sites = impacts.sites_of(np.flatnonzero(impacts.alive))
        counts = np.bincount(sites[sites >= 0], minlength=len(impacts.site_names))
        return {name: count for name, count in zip(impacts.site_names, counts.tolist(), strict=True) if count}

    def entity_named(self, word: str) -> str | None:
        """Name of the term of the lexicon that a word means; None when it has none."""
        lexicon = self._generation().analyzer.lexicon
        return lexicon.names.get(lexicon.normal(word))

    def _ask(self, generation: OpenGeneration, text: str, as_typed: bool = False) -> Asked:
        return generation.understanding.ask(text[: self._settings.max_query_chars], as_typed)

    def _allowed(self, force: InForce, site: str | None) -> NDArray[np.bool_] | None:
        """Documents that may be found, shape (document_count,); None when all may."""
        generation = force.generation
        if site is None and not len(force.hidden):
            return None
        everything = np.ones(generation.store.document_count, np.bool_)
        allowed = everything if site is None else generation.impacts.of_site(site)
        allowed[force.hidden] = False
        return allowed

    def _force(self, generation: OpenGeneration) -> InForce:
        """What people decided, as it holds now."""
        decisions, day = self._decisions.value(), time.strftime("%Y-%m-%d", time.gmtime(self._clock()))
        held = self._in_force
        if held is None or held.generation is not generation or held.decisions is not decisions or held.day != day:
            held = self._in_force = in_force(generation, decisions, day)
        return held

    def _generation(self, warm: bool = False) -> OpenGeneration:
        """The open generation, after following a switch of CURRENT; it goes on being served when that cannot be.

        One thread opens another generation, the others go on with what is open.
        """
        if self._only is not None:
            return self._only
        try:
            name = generations.current(self._data)
        except GenerationMissing as error:
            if self._open is None:
                raise
            self._without_current = (str(error),)
            return self._open
        self._without_current = ()
        if (self._open is None or name != self._asked_for) and self._lock.acquire(blocking=self._open is None):
            try:
                if self._open is None or name != self._asked_for:
                    opened, self._passed_over = open_best(self._data, name, self._open)
                    if warm:
                        opened.understanding.warm()
                    self._open, self._asked_for = opened, name
            finally:
                self._lock.release()
        assert self._open is not None
        return self._open


def _open_meaning(data: Path, settings: Settings) -> Meaning:
    """An extra: nothing of it is loaded before."""
    from indexer.meaning.serving import Meaning

    return Meaning(data, settings)


def open_engine(data_dir: str | Path | None = None, settings: Settings | None = None) -> Engine:
    """The engine over a data directory.

    Raises GenerationMissing when it holds no index, GenerationDamaged when none of its generations is whole.
    """
    settings = settings or load_settings({"data": data_dir})
    return Engine(Path(data_dir) if data_dir is not None else settings.data, settings)
