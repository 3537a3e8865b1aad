"""From candidates to what is shown of them: results, counts, hits and the direct answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import QuestionTerms
from indexer.analysis.aspects import ASPECTS
from indexer.analysis.question import found_in
from indexer.answer.direct import Offer, direct_answer
from indexer.answer.snippet import highlights, make_snippet
from indexer.curating import Orders, apart, arranged, placed
from indexer.opened import OpenGeneration
from indexer.ranking.features import ALL_FEATURES
from indexer.ranking.folding import Result, Traits, at, count, fold, mixed
from indexer.ranking.ranker import Candidate, relevant
from indexer.records import Answer, DirectAnswer, Hit, Query, SourceTrust, Topic, TopicSection
from indexer.store.answer_facts import aspect_bits, aspects_of, name_key, population_bits

#: so many of the best results may be quoted above the list
_OFFERED = 3
#: and so many of an aspect stand on a topic's page
_SHOWN_OF_ASPECT = 3
_MAX_MORE = 5  # answers of the same page that a result names
#: related questions: how many results are looked at for them, how many are told, and how long they are
_LOOKED_AT, _MAX_RELATED = 24, 6
_MIN_RELATED_CHARS, _MAX_RELATED_CHARS = 5, 30
#: where some name what was asked about, others are results from this score on (子痫前期 to 面肌痉挛 has .007)
_MIN_SCORE_OF_OTHERS = 0.05
_FEATURE_NAMES = tuple(feature.name for feature in ALL_FEATURES)
_ENTITY = _FEATURE_NAMES.index("entity")


#: what editors say of a site
TrustOf = Callable[[str | None], SourceTrust | None]


@dataclass(frozen=True)
class Relevant:
    """The candidates that count as results, before folding."""

    candidates: Sequence[Candidate]
    traits: Traits
    entities: NDArray[np.uint64]  #: keys of what each is about, shape (candidates, MAX_ENTITIES)
    pins: tuple[int, ...] = ()  #: documents that editors put first, in their order
    heads: tuple[int, ...] = ()  #: documents that editors want as results of their own

    @classmethod
    def of(cls, candidates: Sequence[Candidate], asked: QuestionTerms, generation: OpenGeneration) -> Relevant:
        """Those above the threshold; to a name alone those that name it, under any of its names, if there are any."""
        found = relevant(candidates, generation.weights, asked.is_medical)
        if asked.is_bare:
            naming = [each for each in found if each.coverage == 1 or _names_entity(each)]
            found = naming or found
        elif asked.entity is not None and any(map(_names_entity, found)):
            found = [each for each in found if _names_entity(each) or each.score >= _MIN_SCORE_OF_OTHERS]
        return cls.all_of(found, generation)

    @classmethod
    def all_of(cls, relevant: Sequence[Candidate], generation: OpenGeneration) -> Relevant:
        """These, with what folding looks at."""
        documents = np.array([candidate.document for candidate in relevant], np.int64)
        facts = generation.impacts.facts_of(documents)
        sites = generation.impacts.sites_of(documents)
        traits = Traits(generation.impacts.fold_keys[documents], facts["page"], sites, facts["aspects"])
        return cls(relevant, traits, facts["entities"])

    def curated(self, orders: Orders, known: Mapping[int, Candidate], generation: OpenGeneration) -> Relevant:
        """The same under the orders of editors. `known`: candidates that only these bring in."""
        if not orders:
            return self
        fold_keys = generation.impacts.fold_keys
        candidates = arranged(self.candidates, orders, lambda document: int(fold_keys[document]), known)
        found = Relevant.all_of(candidates, generation)
        return replace(
            found, traits=apart(candidates, found.traits, orders.wanted), pins=orders.pins, heads=orders.wanted
        )

    def about(self, places: NDArray[np.intp]) -> Relevant:
        """Some of them."""
        candidates = [self.candidates[place] for place in places.tolist()]
        return replace(self, candidates=candidates, traits=at(self.traits, places), entities=self.entities[places])

    def about_entity(self, name: str) -> Relevant:
        """Those whose question or topic names it."""
        return self.about(np.flatnonzero((self.entities == np.uint64(name_key(name))).any(axis=1)))

    def results(self, query: Query) -> list[Result]:
        """What is shown to a query, on all its pages."""
        if query.aspect is not None:
            chosen = self.about(np.flatnonzero(self.traits.aspects & aspect_bits([query.aspect])))
            return chosen.results(replace(query, aspect=None))
        if not query.fold:
            return placed([Result(candidate) for candidate in self.candidates], self.pins)
        results = fold(self.candidates, self.traits, self.heads)
        if query.site is None:
            documents = (candidate.document for candidate in self.candidates)
            results = mixed(results, dict(zip(documents, self.traits.sites.tolist(), strict=True)))
        return placed(results, self.pins)

    def aspect_counts(self) -> dict[str, int]:
        """How many results each aspect has."""
        return count(self.candidates, self.traits, self.heads)


def _names_entity(candidate: Candidate) -> bool:
    return bool(candidate.features) and candidate.features[_ENTITY] > 0


def hits_of(
    results: Sequence[Result],
    query: Query,
    generation: OpenGeneration,
    words: Mapping[str, float],
    pins: Collection[int],
    trust_of: TrustOf,
) -> tuple[Hit, ...]:
    """What is shown on one page."""
    first = (query.page - 1) * query.limit
    surfaces = generation.analyzer.lexicon.with_surfaces(words)
    return tuple(
        _hit(generation, first + offset + 1, result, surfaces, result.candidate.document in pins, trust_of)
        for offset, result in enumerate(results[first : first + query.limit])
    )


def _hit(
    generation: OpenGeneration,
    rank: int,
    result: Result,
    surfaces: Mapping[str, float],
    pinned: bool,
    trust_of: TrustOf,
) -> Hit:
    candidate = result.candidate
    answer = generation.store.answer(candidate.document)
    words = partial(generation.analyzer.words, among=surfaces)
    return Hit(
        rank=rank,
        score=candidate.score,
        answer=answer,
        snippet=make_snippet(answer.text, words, surfaces),
        question_highlights=highlights(words(answer.question), surfaces),
        copies=result.copies,
        more=tuple(generation.store.answer(document) for document, _ in result.more[:_MAX_MORE]),
        more_copies=tuple(copies for _, copies in result.more[:_MAX_MORE]),
        features=dict(zip(_FEATURE_NAMES, candidate.features, strict=False)),
        pinned=pinned,
        trust=trust_of(answer.site),
        by_meaning=candidate.only_by_meaning,
    )


def direct_answer_of(
    results: Sequence[Result], asked: QuestionTerms, generation: OpenGeneration, words: Mapping[str, float]
) -> DirectAnswer | None:
    """Quoted from one of the first results, if one is sure enough; by its meaning alone only if it is very near."""
    first = [each.candidate for each in results[:_OFFERED]]
    near = generation.weights.direct_closeness
    sure = [each for each in first if not each.only_by_meaning or each.closeness >= near]
    offers = (_offer(each, asked, generation) for each in sure)
    lexicon = generation.analyzer.lexicon
    return direct_answer(asked, words, lexicon.with_surfaces, offers, generation.direct_rules)


def _offer(candidate: Candidate, asked: QuestionTerms, generation: OpenGeneration) -> Offer:
    answer: Answer = generation.store.answer(candidate.document)
    facts = generation.impacts.facts_of(np.array([candidate.document]))[0]
    wanted, meant = population_bits(asked.populations), int(facts["populations"])
    return Offer(
        answer=answer,
        score=_sure_score(candidate, generation),
        is_about_entity=asked.entity is not None and name_key(asked.entity) in facts["entities"].tolist(),
        aspects=frozenset(aspects_of(int(facts["aspects"]))),
        populations=not meant or bool(meant & wanted),
    )


def _sure_score(candidate: Candidate, generation: OpenGeneration) -> float:
    """By its words, also where the meaning is known: being near in meaning makes nothing sure enough to be quoted.
    With the other score more quotations said too little (docs/quality.md, "Likeness of meaning").
    """
    if len(candidate.features) < len(ALL_FEATURES):
        return candidate.score
    return generation.ranker.score_by_words(candidate.features)


def related(
    results: Sequence[Result], query: Query, asked: QuestionTerms, generation: OpenGeneration
) -> tuple[str, ...]:
    """Questions of results behind the first page and of those folded on it, letter for letter: such as ask about other
    aspects come first.
    """
    if query.page > 1:
        return ()
    further = [each.candidate.document for each in results[query.limit :]]
    folded = [document for each in results[: query.limit] for document, _ in each.more]
    documents = np.array([*further, *folded][:_LOOKED_AT], np.int64)
    facts = generation.impacts.facts_of(documents)
    about = (
        np.ones(len(documents), np.bool_)
        if asked.entity is None
        else (facts["entities"] == np.uint64(name_key(asked.entity))).any(axis=1)
    )
    asked_bits = aspect_bits(asked.aspects if query.aspect is None else [query.aspect])
    other = (facts["aspects"] & ~np.uint16(asked_bits)) > 0
    found: dict[str, str] = {_letters(query.text): ""}
    for place in np.lexsort((np.arange(len(documents)), ~other)).tolist():
        question = generation.store.answer(int(documents[place])).question if about[place] else ""
        if _MIN_RELATED_CHARS <= len(question) <= _MAX_RELATED_CHARS:
            found.setdefault(_letters(question), question)
        if len(found) > _MAX_RELATED:
            break
    return tuple(found.values())[1:]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def unmatched(
    results: Sequence[Result], query: Query, generation: OpenGeneration, words: Mapping[str, float]
) -> tuple[str, ...]:
    """Words of the question that no result of this page holds.

    A character alone (治, 好) is told only where it is a term of the lexicon: as a rule it asks, and names nothing.
    """
    first = (query.page - 1) * query.limit
    shown = [result.candidate.document for result in results[first : first + query.limit]]
    held = generation.ranker.held(list(words), shown)
    people = generation.analyzer.rules.populations  # who is ill says nothing of what is held: 我妈
    names = generation.analyzer.lexicon.names
    missing = [
        word
        for number, word in enumerate(words)
        if not held[:, number].any() and not found_in(people, word) and (len(word) > 1 or word in names)
    ]
    return tuple(word for word in missing if not any(word in other and word != other for other in missing))


def topic_of(
    name: str,
    candidates: Sequence[Candidate],
    generation: OpenGeneration,
    curated: Callable[[Relevant, Sequence[str]], Relevant],
    trust_of: TrustOf,
) -> Topic | None:
    """What is held about a term of the lexicon, by aspect; None when nothing is.

    `candidates` are what retrieval found for its name, `curated` what editors make of results about these aspects.
    """
    relevant = Relevant.all_of(candidates, generation).about_entity(name)
    words = generation.ranker.word_weights((name,))
    sections = []
    for aspect in ASPECTS:
        of_aspect = curated(relevant, (aspect,))
        results = of_aspect.results(Query(name, aspect=aspect))
        if results:
            page = Query(name, limit=_SHOWN_OF_ASPECT)
            hits = hits_of(results, page, generation, words, of_aspect.pins, trust_of)
            sections.append(TopicSection(aspect, len(results), hits))
    total = len(curated(relevant, ()).results(Query(name)))
    surfaces = generation.analyzer.lexicon.with_surfaces({name: 1.0})
    others = tuple(word for word in surfaces if word != name)
    return Topic(name, others, total, tuple(sections), generation.name) if total else None
