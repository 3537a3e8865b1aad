"""The arrays of a generation: what questions are scored by, written when it is built and mapped into memory to be read.

impacts/
    index.json             the segments in the order of their documents, and the average lengths of texts
    <segment>/*.npy        one array each: terms, postings and impacts of words and bigrams, characters, lengths, texts
    <segment>/removed/     which of its documents updates have removed, and the terms that these held

Whoosh has segments of the same answers in the same order. Processes that map the same files share the memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.dictionary import codes_of, mapped
from indexer.errors import GenerationDamaged
from indexer.resources import RankingWeights
from indexer.store import counting, postings
from indexer.store.answer_facts import ANSWER_FACTS
from indexer.store.base import PARTS, TERM_KINDS, Postings, field_name
from indexer.store.directory import count_characters, directory_of, locate
from indexer.store.impact_writer import CountedSegment
from indexer.store.postings import Norms, TermPostings

FOLDER = "impacts"
REMOVED = "removed"
_INDEX = "index.json"
#: kinds with postings; characters are counted in the texts themselves
POSTED_KINDS = ("words", "bigrams")
_FIELDS = {field_name(part, kind): (number, kind) for number, part in enumerate(PARTS) for kind in TERM_KINDS}


@dataclass(frozen=True)
class Removed:
    """Documents of a segment that are no longer in the index, and how many of them hold each of their terms."""

    documents: NDArray[np.int32]  #: ascending
    keys: Mapping[str, NDArray[np.uint64]]  #: by kind, ascending
    answers: Mapping[str, NDArray[np.int32]]
    questions: NDArray[np.int32]  #: of the words: how many in their question

    def answers_with(self, kind: str, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """How many removed answers hold each term: shape (keys,)."""
        return _looked_up(self.keys[kind], self.answers[kind], keys)

    def questions_with(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """How many of their questions hold each word: shape (keys,)."""
        return _looked_up(self.keys["words"], self.questions, keys)


@dataclass(frozen=True)
class Segment:
    """Up to 65,536 answers; documents are numbered from 0 in each."""

    name: str
    base: int  #: number of its first document in the generation
    document_count: int
    terms: Mapping[str, TermPostings]  #: words and bigrams
    lengths: NDArray[np.int32]  #: shape (kinds, documents, parts)
    units: NDArray[np.uint16]  #: questions and texts as sequences of characters (counting.next_character)
    unit_ends: NDArray[np.int64]  #: shape (2 * documents,)
    character_keys: NDArray[np.uint64]  #: ascending
    character_numbers: NDArray[np.int32]  #: of these in the sequences
    character_answers: NDArray[np.int32]  #: how many answers hold each
    word_codes: NDArray[np.uint32]
    word_ends: NDArray[np.int64]
    fold_keys: NDArray[np.uint64]
    facts: NDArray[np.void]  #: rows of ANSWER_FACTS
    sites: NDArray[np.int32]  #: number of each answer's site in `site_names`
    site_names: Sequence[str]
    removed: Removed | None


class Impacts:
    """All segments of a generation. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        """Map the arrays. Raises GenerationDamaged."""
        try:
            index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
            all_arrays = [_arrays(folder / name) for name in index["segments"]]
            self.segments = list(_segments(folder, index["segments"], all_arrays))
            #: where kernels find all arrays; the segments hold them
            self.directory = directory_of(all_arrays)
            self._arrays = all_arrays
            #: length of texts that are in the index: shape (kinds, parts)
            self.averages = np.array(index["averages"])
            #: the averages that each segment's impacts were computed with
            self.impacts_at = {name: np.array(averages) for name, averages in index["impacts_at"].items()}
            #: how many updates have added to the index
            self.updates: int = index["updates"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GenerationDamaged(
                f"索引 {folder.parent.name} 的 {FOLDER} 数组读不出来（{type(error).__name__}）；"
                "请用 yiwen roll-back 回到上一代，或用 yiwen build 重建。"
            ) from error
        self.folder = folder
        self.document_count = sum(segment.document_count for segment in self.segments)

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        """Which documents are in the index, shape (document_count,): all that no update has removed."""
        alive = np.ones(self.document_count, np.bool_)
        for segment in self.segments:
            if segment.removed:
                alive[segment.base + segment.removed.documents] = False
        return alive

    @cached_property
    def answer_count(self) -> int:
        """How many documents are in the index."""
        return int(self.alive.sum())

    @property
    def next_segment(self) -> int:
        """Number for the next segment that is added."""
        return max((int(segment.name.rpartition("-")[2]) for segment in self.segments), default=0)

    def allowed(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Which documents may be found: those of the chosen ones that are in the index; an empty array when all may."""
        if self.answer_count == self.document_count:
            return np.empty(0, np.bool_) if chosen is None else chosen
        return self.alive if chosen is None else self.alive & chosen

    def extents(self, kind: str, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """[start, end) of the postings of each word or bigram: shape (segments, keys, 2); empty for an unknown one."""
        found = np.empty((len(self.segments), len(keys), 2), np.int64)
        locate(self.directory, POSTED_KINDS.index(kind), keys, found)
        return found

    def answers_with(
        self, kind: str, keys: NDArray[np.uint64], found: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """How many answers hold each term, in question or text: shape (keys,). `found`: their extents, where these are
        known.
        """
        if kind in POSTED_KINDS:
            found = self.extents(kind, keys) if found is None else found
            total: NDArray[np.int64] = (found[:, :, 1] - found[:, :, 0]).sum(axis=0)
        else:
            total = np.zeros(len(keys), np.int64)
            count_characters(self.directory, keys, total)
        for segment in self.segments:
            if segment.removed:
                total -= segment.removed.answers_with(kind, keys)
        return total

    def documents_with(self, kind: str, term: str) -> NDArray[np.int32]:
        """Documents that hold a word or a bigram in question or text, ascending."""
        found = [np.empty(0, np.int32)]
        for segment in self.segments:
            start, end = _extent(segment, kind, term)
            found.append(segment.terms[kind].documents[start:end].astype(np.int32) + np.int32(segment.base))
        documents = np.concatenate(found)
        return documents[self.alive[documents]]

    def postings(self, field: str, term: str) -> Postings:
        """Postings of one part, as they were counted."""
        documents, frequencies = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
        part, kind = _FIELDS.get(field, (0, ""))
        for segment in self.segments if kind else ():
            here = _counted(segment, part, term) if kind == "characters" else _posted(segment, part, kind, term)
            documents.append(here.documents + np.int32(segment.base))
            frequencies.append(here.frequencies)
        found = Postings(np.concatenate(documents), np.concatenate(frequencies))
        alive = self.alive[found.documents]
        return Postings(found.documents[alive], found.frequencies[alive])

    def lengths(self, field: str) -> NDArray[np.int32]:
        """Exact number of terms in each document: shape (document_count,)."""
        part, kind = _FIELDS[field]
        lengths = (segment.lengths[TERM_KINDS.index(kind), :, part] for segment in self.segments)
        return np.concatenate([np.empty(0, np.int32), *lengths])

    @cached_property
    def fold_keys(self) -> NDArray[np.uint64]:
        """Equal for an original and its copies: shape (document_count,)."""
        return np.concatenate([np.empty(0, np.uint64), *(segment.fold_keys for segment in self.segments)])

    def facts_of(self, documents: NDArray[np.int64]) -> NDArray[np.void]:
        """Rows of ANSWER_FACTS of these documents."""
        found = np.zeros(len(documents), ANSWER_FACTS)
        for segment, here, numbers in self._by_segment(documents):
            found[here] = self.segments[segment].facts[numbers]
        return found

    def sites_of(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of their sites, equal for one site; those without a site have each its own, below 0."""
        found = -1 - documents
        for segment, here, numbers in self._by_segment(documents):
            sites = self._site_numbers[segment][self.segments[segment].sites[numbers]]
            found[here] = np.where(sites >= 0, sites, found[here])
        return found

    def _by_segment(self, documents: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.int64]]]:
        """For each segment that has some of the documents: its place, where these stand, and their numbers in it."""
        bases = np.array([segment.base for segment in self.segments], np.int64)
        owners = np.searchsorted(bases, documents, side="right") - 1
        for segment in np.unique(owners).tolist():
            here = np.flatnonzero(owners == segment)
            yield segment, here, documents[here] - bases[segment]

    @cached_property
    def site_names(self) -> list[str]:
        """The names of the sites that `sites_of` numbers, in the order of their numbers."""
        names = (name for segment in self.segments for name in segment.site_names)
        return list(dict.fromkeys(name for name in names if name is not None))

    @cached_property
    def _site_numbers(self) -> list[NDArray[np.int64]]:
        """For each segment the number of each of its sites in the generation; -1 for none."""
        numbers: dict[str | None, int] = {None: -1}
        for segment in self.segments:
            for name in segment.site_names:
                numbers.setdefault(name, len(numbers) - 1)
        return [np.array([numbers[name] for name in segment.site_names], np.int64) for segment in self.segments]

    def of_site(self, site: str) -> NDArray[np.bool_]:
        """Which documents are of a site: shape (document_count,)."""
        return np.concatenate(
            [
                np.empty(0, np.bool_),
                *(
                    segment.sites == (segment.site_names.index(site) if site in segment.site_names else -2)
                    for segment in self.segments
                ),
            ]
        )


def keys_of(terms: Sequence[str]) -> NDArray[np.uint64]:
    """Keys by which terms of any kind are known: shape (terms,)."""
    keys = np.empty(len(terms), np.uint64)
    counting.keys_of(codes_of("".join(terms)), np.cumsum([len(term) for term in terms], dtype=np.int64), keys)
    return keys


def _extent(segment: Segment, kind: str, term: str) -> tuple[int, int]:
    """[start, end) of a term's postings; empty for a term that is not there."""
    terms = segment.terms[kind]
    place = postings.find(terms.keys, keys_of([term])[0])
    return (int(terms.starts[place]), int(terms.starts[place + 1])) if place >= 0 else (0, 0)


def norms_of(lengths: NDArray[np.int32], averages: NDArray[np.float64], kind: str, weights: RankingWeights) -> Norms:
    """`lengths` of shape (kinds, documents, parts), `averages` of shape (kinds, parts)."""
    place = TERM_KINDS.index(kind)
    return Norms(
        lengths[place],
        averages[place],
        np.array([weights.question, weights.answer], np.float64),
        np.array([weights.k1, weights.b], np.float64),
    )


def finish(
    folder: Path,
    names: Sequence[str],
    weights: RankingWeights,
    impacts_at: Mapping[str, NDArray[np.float64]] = MappingProxyType({}),
    updates: int = 0,
) -> None:
    """Write the impacts of segments that were counted, and the index that makes them one.

    `impacts_at`: segments that have impacts, with the averages that these were computed with.
    """
    arrays = {name: _arrays(folder / name, except_for="_impacts") for name in names}
    averages = average_lengths([_lengths(folder / name, arrays[name]["lengths"]) for name in names])
    for name in names:
        if name in impacts_at:
            continue
        for kind in POSTED_KINDS:
            impacts = np.empty(len(arrays[name][f"{kind}_documents"]), np.uint8)
            terms = _terms(kind, {**arrays[name], f"{kind}_impacts": impacts})
            postings.write_impacts(terms, norms_of(arrays[name]["lengths"], averages, kind, weights))
            np.save(folder / name / f"{kind}_impacts.npy", impacts)
    index = {
        "segments": list(names),
        "averages": averages.tolist(),
        "impacts_at": {name: np.asarray(impacts_at.get(name, averages)).tolist() for name in names},
        "updates": updates,
    }
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def save_removed(folder: Path, documents: Sequence[int], counted: CountedSegment) -> None:
    """Write which documents of a segment are removed, with what was counted in them."""
    (folder / REMOVED).mkdir(parents=True)
    arrays: dict[str, NDArray[Any]] = {"documents": np.array(documents, np.int32)}
    for kind, terms in counted.terms.items():
        arrays[f"{kind}_keys"] = terms.keys
        arrays[f"{kind}_answers"] = np.diff(terms.starts).astype(np.int32)
    words = counted.terms["words"]
    asked = words.in_question > 0
    arrays["questions"] = (
        np.add.reduceat(asked, words.starts[:-1], dtype=np.int32) if len(asked) else np.empty(0, np.int32)
    )
    for name, values in arrays.items():
        np.save(folder / REMOVED / f"{name}.npy", values)


def average_lengths(lengths: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    """Of each kind and part, over the documents that have it: shape (kinds, parts); 1 where none has."""
    none = np.zeros((len(TERM_KINDS), len(PARTS)), np.int64)
    totals = sum((values.sum(axis=1, dtype=np.int64) for values in lengths), none)
    present = sum(((values > 0).sum(axis=1) for values in lengths), none)
    return np.where(present > 0, totals / np.maximum(present, 1), 1.0)


def _lengths(folder: Path, lengths: NDArray[np.int32]) -> NDArray[np.int32]:
    """Lengths of the documents of a segment that are in the index."""
    removed = _removed(folder)
    return np.delete(lengths, removed.documents, axis=1) if removed else lengths


def _removed(folder: Path) -> Removed | None:
    if not (folder / REMOVED).is_dir():
        return None
    arrays = _arrays(folder / REMOVED)
    keys = {kind: arrays[f"{kind}_keys"] for kind in TERM_KINDS}
    answers = {kind: arrays[f"{kind}_answers"] for kind in TERM_KINDS}
    return Removed(arrays["documents"], keys, answers, arrays["questions"])


def _looked_up(keys: NDArray[np.uint64], values: NDArray[np.int32], wanted: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Values of the wanted keys among ascending ones; 0 for a key that is not there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int32)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def _segments(
    folder: Path, names: Sequence[str], all_arrays: Sequence[Mapping[str, NDArray[Any]]]
) -> Iterator[Segment]:
    base = 0
    for name, arrays in zip(names, all_arrays, strict=True):
        documents = arrays["lengths"].shape[1]
        yield Segment(
            name=name,
            base=base,
            document_count=documents,
            terms={kind: _terms(kind, arrays) for kind in POSTED_KINDS},
            lengths=arrays["lengths"],
            units=arrays["units"],
            unit_ends=arrays["unit_ends"],
            character_keys=arrays["characters_keys"],
            character_numbers=arrays["characters_numbers"],
            character_answers=arrays["characters_answers"],
            word_codes=arrays["word_codes"],
            word_ends=arrays["word_ends"],
            fold_keys=arrays["fold_keys"],
            facts=arrays["facts"],
            sites=arrays["sites"],
            site_names=json.loads((folder / name / "sites.json").read_text(encoding="utf-8")),
            removed=_removed(folder / name),
        )
        base += documents


def _arrays(folder: Path, except_for: str = "?") -> dict[str, NDArray[Any]]:
    return {file.stem: mapped(file) for file in folder.glob("*.npy") if not file.stem.endswith(except_for)}


def _terms(kind: str, arrays: Mapping[str, NDArray[Any]]) -> TermPostings:
    return TermPostings(*(arrays[f"{kind}_{name}"] for name in TermPostings._fields))


def _posted(segment: Segment, part: int, kind: str, term: str) -> Postings:
    start, end = _extent(segment, kind, term)
    documents, frequencies = np.empty(end - start, np.int32), np.empty(end - start, np.float32)
    n = postings.decode(segment.terms[kind], start, end, part, documents, frequencies)
    return Postings(documents[:n], frequencies[:n])


def _counted(segment: Segment, part: int, term: str) -> Postings:
    """Postings of a character, by reading all texts: for tests and tools, not for questions."""
    at = postings.find(segment.character_keys, keys_of([term])[0])
    if at < 0:
        return Postings(np.empty(0, np.int32), np.empty(0, np.float32))
    frequencies = np.zeros(segment.document_count, np.float32)
    counting.count_character(segment.units, segment.unit_ends, part, segment.character_numbers[at], frequencies)
    documents = np.flatnonzero(frequencies)
    return Postings(documents.astype(np.int32), frequencies[documents])
