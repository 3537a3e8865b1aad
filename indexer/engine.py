"""Recipe: query to result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.aspects import ASPECTS
from indexer.analysis.suggest import Suggestion
from indexer.deadline import Deadline
from indexer.errors import BadQuery, GenerationMissing
from indexer.native import give_back_memory
from indexer.opened import OpenGeneration, open_best
from indexer.ranking.ranker import Candidate
from indexer.records import Answer, Query, SearchResult, Topic
from indexer.results import Relevant, direct_answer_of, hits_of, related, topic_of, unmatched
from indexer.settings import Settings, load_settings
from indexer.store import generations
from indexer.store.base import Store
from indexer.store.take_downs import TakeDowns
from indexer.understanding import Asked

#: so many answers are looked at for a topic's page
_TOPIC_DEPTH = 500
_WARMING = ("面肌痉挛怎么治", "小孩发烧 39 度怎么办")


class Engine:
    """Answers questions from the current generation of a data directory. Safe to use from many threads."""

    def __init__(self, data: Path, settings: Settings, only: OpenGeneration | None = None) -> None:
        """`only`: answer from this generation, whatever is served."""
        self._data = data
        self._only = only
        self._settings = settings
        self._take_downs = TakeDowns(data)
        self._lock = threading.Lock()
        self._open: OpenGeneration | None = None
        self._asked_for: str | None = None  #: what CURRENT named when `_open` was chosen
        self._hidden_cache: tuple[Store, frozenset[str], NDArray[np.int32]] | None = None
        self._passed_over: tuple[str, ...] = ()  #: sentences about generations that could not be opened
        self._without_current: tuple[str, ...] = ()  #: the sentence about a CURRENT that cannot be read
        self._warmed: OpenGeneration | None = None
        self._generation()

    @property
    def generation(self) -> str:
        """Name of the generation that is served."""
        return self._generation().name

    @property
    def state(self) -> str:
        """Stands for all that answers come from, whatever is asked: as long as it is the same, they are. Another
        generation changes it, and a take-down does at once.
        """
        generation = self._generation()
        return f"{generation.name} {generation.fingerprint} {self._take_downs.revision}"

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
        started = time.perf_counter()
        if isinstance(query, str):
            query = Query(query, limit=limit)
        deadline = Deadline(query.time_budget_ms)
        if query.limit < 1 or query.page < 1:
            raise BadQuery(f"页码和每页条数都应大于 0，却是第 {query.page} 页、每页 {query.limit} 条。")
        if query.aspect is not None and query.aspect not in ASPECTS:
            raise BadQuery(f"没有“{query.aspect}”这个方面；可选的有{'、'.join(ASPECTS)}。")
        generation = self._generation()
        asked = self._ask(generation, query.text, query.as_typed)
        if not asked.terms.content_words:
            raise BadQuery(f"“{query.text}”没有说是哪种病或什么不舒服；请写上疾病或症状的名称，例如：面肌痉挛怎么治。")
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        depth = generation.weights.pool_size
        candidates = self._candidates(generation, asked, word_weights, depth, query.site, is_late=deadline.is_over)
        relevant = Relevant.of(candidates, asked.terms, generation)
        results, entity = relevant.results(query), asked.terms.entity
        hits = hits_of(results, query, generation, word_weights)
        in_time = query.page == 1 and not deadline.is_over()
        return SearchResult(
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
            partial=deadline.cut_short,
            latency_ms=(time.perf_counter() - started) * 1000,
        )

    def understood(self, text: str) -> Asked:
        """What a question is taken to mean. Raises BadQuery."""
        return self._ask(self._generation(), text)

    def retrieve(self, text: str, depth: int, plain: bool = False) -> list[tuple[str, float]]:
        """Ids and scores of the best `depth` answers, nothing folded and no threshold: for evaluation. `plain` leaves
        out what was learned.
        """
        generation = self._generation()
        asked = self._ask(generation, text)
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        candidates = self._candidates(generation, asked, word_weights, depth, None, plain)
        ids = generation.store.ids([candidate.document for candidate in candidates])
        return [(id_, candidate.score) for id_, candidate in zip(ids, candidates, strict=True)]

    def features(self, text: str) -> tuple[list[str], NDArray[np.float32]]:
        """Ids and features (ranking.features.FEATURES) of what is ordered by them, as retrieval orders it."""
        generation = self._generation()
        asked = self._ask(generation, text)
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        documents, values = generation.ranker.features(
            asked.terms, word_weights, self._allowed(generation, None), generation.understanding.holding(asked.typed)
        )
        return generation.store.ids(documents.tolist()), values

    def _candidates(
        self,
        generation: OpenGeneration,
        asked: Asked,
        word_weights: Mapping[str, float],
        depth: int,
        site: str | None,
        plain: bool = False,
        is_late: Callable[[], bool] = bool,
    ) -> list[Candidate]:
        allowed = self._allowed(generation, site)
        typed = generation.understanding.holding(asked.typed)
        return generation.ranker.rank(asked.terms, word_weights, depth, allowed, typed, plain, is_late)

    def topic(self, name: str) -> Topic | None:
        """What is held about an illness or another term of the lexicon, under any of its names; None for anything
        else, and where nothing is held.
        """
        generation = self._generation()
        lexicon = generation.analyzer.lexicon
        known = lexicon.names.get(lexicon.normal(name))
        if known is None:
            return None
        candidates = self._candidates(
            generation, Asked(generation.analyzer.question_terms(known)), {known: 1.0}, _TOPIC_DEPTH, None
        )
        return topic_of(known, candidates, generation)

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """What a question may become while it is typed, likeliest first."""
        return self._generation().understanding.suggest(typed[: self._settings.max_query_chars], limit)

    def answer(self, answer_id: str) -> Answer | None:
        """The answer with this id; None when there is none or it was taken down."""
        generation = self._generation()
        store, allowed = generation.store, self._allowed(generation, None)
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

    def _ask(self, generation: OpenGeneration, text: str, as_typed: bool = False) -> Asked:
        return generation.understanding.ask(text[: self._settings.max_query_chars], as_typed)

    def _allowed(self, generation: OpenGeneration, site: str | None) -> NDArray[np.bool_] | None:
        """Documents that may be found, shape (document_count,); None when all may."""
        hidden = self._hidden(generation.store)
        if site is None and not len(hidden):
            return None
        everything = np.ones(generation.store.document_count, np.bool_)
        allowed = everything if site is None else generation.impacts.of_site(site)
        allowed[hidden] = False
        return allowed

    def _hidden(self, store: Store) -> NDArray[np.int32]:
        """Documents taken down, looked up again only when the take-downs or the store have changed."""
        keys = self._take_downs.keys()
        cached = self._hidden_cache
        if cached is None or cached[0] is not store or cached[1] is not keys:
            found = [store.documents_with(field, key) for key in keys for field in ("id", "url")]
            documents = np.unique(np.concatenate(found)) if found else np.empty(0, np.int32)
            cached = self._hidden_cache = (store, keys, documents)
        return cached[2]

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


def open_engine(data_dir: str | Path | None = None, settings: Settings | None = None) -> Engine:
    """The engine over a data directory.

    Raises GenerationMissing when it holds no index, GenerationDamaged when none of its generations is whole.
    """
    settings = settings or load_settings({"data": data_dir})
    return Engine(Path(data_dir) if data_dir is not None else settings.data, settings)
