"""Recipe: query to result."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import Analyzer, open_analyzer
from indexer.analysis.suggest import Suggestion
from indexer.answer.snippet import highlights, make_snippet
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing, ResourceError
from indexer.ranking.ranker import Candidate, Ranker, is_relevant
from indexer.ranking.trees import load_ranking
from indexer.records import Answer, Hit, Query, SearchResult
from indexer.resources import RankingWeights, read_ranking_weights
from indexer.settings import Settings, load_settings
from indexer.store import generations, impacts, whoosh_store
from indexer.store.base import TERM_KINDS, Store
from indexer.store.impacts import Impacts
from indexer.store.take_downs import TakeDowns
from indexer.store.whoosh_store import WhooshStore
from indexer.understanding import Asked, Understanding

#: up to here every byte is checked on opening (0.2 s at 1.5 GB/s); a larger index by its sizes, and by `yiwen check`
_MAX_BYTES_HASHED_ON_OPENING = 300_000_000


@dataclass(frozen=True)
class OpenGeneration:
    """One generation, ready to be asked; a search keeps the same one to its end."""

    name: str
    store: Store
    impacts: Impacts
    analyzer: Analyzer
    understanding: Understanding
    ranker: Ranker
    weights: RankingWeights


class Engine:
    """Answers questions from the current generation of a data directory. Safe to use from many threads."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self._data = data
        self._settings = settings
        self._take_downs = TakeDowns(data)
        self._lock = threading.Lock()
        self._open: OpenGeneration | None = None
        self._asked_for: str | None = None  #: what CURRENT named when `_open` was chosen
        self._hidden_cache: tuple[Store, frozenset[str], NDArray[np.int32]] | None = None
        self._passed_over: tuple[str, ...] = ()  #: sentences about generations that could not be opened
        self._without_current: tuple[str, ...] = ()  #: the sentence about a CURRENT that cannot be read
        self._generation()

    @property
    def generation(self) -> str:
        """Name of the generation that is served."""
        return self._generation().name

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about why the generation that is served is not the one that should be; empty when all is well."""
        self._generation()
        return self._without_current + self._passed_over

    def search(self, query: str | Query, limit: int = 10) -> SearchResult:
        """Ranked answers. Raises BadQuery for a question without a word, GenerationMissing without an index."""
        started = time.perf_counter()
        if isinstance(query, str):
            query = Query(query, limit=limit)
        if query.limit < 1 or query.page < 1:
            raise BadQuery(f"页码和每页条数都应大于 0，却是第 {query.page} 页、每页 {query.limit} 条。")
        generation = self._generation()
        asked = self._ask(generation, query.text, query.as_typed)
        if not asked.terms.content_words:
            raise BadQuery(f"“{query.text}”没有说是哪种病或什么不舒服；请写上疾病或症状的名称，例如：面肌痉挛怎么治。")
        word_weights = generation.ranker.word_weights(asked.terms.content_words)
        candidates = self._candidates(generation, asked, word_weights, generation.weights.pool_size, query.site)
        relevant = [candidate for candidate in candidates if is_relevant(candidate, generation.weights)]
        results = fold(relevant, generation.impacts) if query.fold else [Result(each, 0) for each in relevant]
        first = (query.page - 1) * query.limit
        shown_weights = generation.analyzer.lexicon.with_surfaces(word_weights)
        hits = [
            make_hit(generation, first + offset + 1, result, shown_weights)
            for offset, result in enumerate(results[first : first + query.limit])
        ]
        latency_ms = (time.perf_counter() - started) * 1000
        return SearchResult(
            query,
            generation.name,
            len(results),
            tuple(hits),
            latency_ms,
            aspects=asked.terms.aspects,
            entity=asked.terms.entity,
            corrected=asked.corrected,
            alternatives=asked.others,
        )

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
    ) -> list[Candidate]:
        allowed = self._allowed(generation, site)
        typed = generation.understanding.holding(asked.typed)
        return generation.ranker.rank(asked.terms, word_weights, depth, allowed, typed, plain)

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

    def _generation(self) -> OpenGeneration:
        """The open generation, after following a switch of CURRENT; it goes on being served when that cannot be."""
        try:
            name = generations.current(self._data)
        except GenerationMissing as error:
            if self._open is None:
                raise
            self._without_current = (str(error),)
            return self._open
        self._without_current = ()
        if self._open is None or name != self._asked_for:
            with self._lock:
                if self._open is None or name != self._asked_for:
                    self._open, self._passed_over = open_best(self._data, name, self._open)
                    self._asked_for = name
        return self._open


@dataclass(frozen=True)
class Result:
    """A candidate with the number of further candidates that have the same text."""

    candidate: Candidate
    copies: int


def open_engine(data_dir: str | Path | None = None, settings: Settings | None = None) -> Engine:
    """The engine over a data directory.

    Raises GenerationMissing when it holds no index, GenerationDamaged when none of its generations is whole.
    """
    settings = settings or load_settings({"data": data_dir})
    return Engine(Path(data_dir) if data_dir is not None else settings.data, settings)


def open_best(
    data: Path, name: str, already_open: OpenGeneration | None = None
) -> tuple[OpenGeneration, tuple[str, ...]]:
    """The named generation; else the one that is open already, else the best substitute. A sentence for each that was
    passed over.
    """
    problems: list[str] = []
    for candidate in [name, *generations.substitutes(data, name)]:
        try:
            return open_generation(data, candidate), tuple(problems)
        except (GenerationMissing, GenerationDamaged) as error:
            problems.append(str(error))
            if already_open is not None:
                return already_open, tuple(problems)
    raise GenerationDamaged(problems[0])


def open_generation(data: Path, name: str) -> OpenGeneration:
    """Verify and open one generation; raises GenerationMissing or GenerationDamaged."""
    manifest = generations.open_manifest(data, name)
    if sum(facts["bytes"] for facts in manifest.files.values()) <= _MAX_BYTES_HASHED_ON_OPENING:
        generations.verify_hashes(data, manifest)
    folder = generations.folder_of(data, name)
    try:
        weights = read_ranking_weights(folder / "resources")
        learned = load_ranking(folder / "resources")
        analyzer = open_analyzer(folder, data / "cache")
    except ResourceError as error:
        raise GenerationDamaged(
            f"索引 {name} 是另一版本的程序建立的，现在读不了（{error}）；请用 yiwen build 重建。"
        ) from error
    store = WhooshStore(folder / whoosh_store.FOLDER)
    arrays = Impacts(folder / impacts.FOLDER)
    understanding = Understanding(folder, analyzer, store, arrays)
    return OpenGeneration(name, store, arrays, analyzer, understanding, Ranker(arrays, weights, learned), weights)


def fold(candidates: Sequence[Candidate], arrays: Impacts) -> list[Result]:
    """Candidates with the same text become one result, at the place of the best."""
    keys = arrays.fold_keys
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(int(keys[candidate.document]), []).append(candidate)
    return [Result(group[0], len(group) - 1) for group in groups.values()]


def make_hit(generation: OpenGeneration, rank: int, result: Result, word_weights: Mapping[str, float]) -> Hit:
    """What is shown of one result."""
    answer = generation.store.answer(result.candidate.document)
    words = generation.analyzer.words
    return Hit(
        rank=rank,
        score=result.candidate.score,
        answer=answer,
        snippet=make_snippet(answer.text, words, word_weights),
        question_highlights=highlights(words(answer.question), word_weights),
        copies=result.copies,
        features={
            **dict(zip(TERM_KINDS, result.candidate.parts, strict=True)),
            "coverage": result.candidate.coverage,
        },
    )
