"""A generation that is open: all that answering a question needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from indexer.analysis.analyzer import Analyzer, open_analyzer
from indexer.answer.direct import DirectRules
from indexer.answer.passages import load_passage_rules
from indexer.answer.urgency import Urgency, load_urgency
from indexer.errors import GenerationDamaged, GenerationMissing, ResourceError
from indexer.ranking.ranker import Ranker
from indexer.ranking.trees import load_ranking, load_ranking_with_meaning
from indexer.resources import RankingWeights, read_ranking_weights
from indexer.store import generations, impacts, whoosh_store
from indexer.store.base import Store
from indexer.store.impacts import Impacts
from indexer.store.whoosh_store import WhooshStore
from indexer.understanding import Understanding

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
    direct_rules: DirectRules
    urgency: Urgency
    fingerprint: str  #: SHA-256 over the hashes of its files: another index of the same name has another


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
    return open_folder(generations.folder_of(data, name), name, data / "cache", manifest.fingerprint)


def open_folder(folder: Path, name: str, cache: Path, fingerprint: str = "") -> OpenGeneration:
    """Open the files of a generation that is known to be ours, or of a draft. Raises GenerationDamaged."""
    try:
        weights = read_ranking_weights(folder / "resources")
        learned = load_ranking(folder / "resources"), load_ranking_with_meaning(folder / "resources")
        urgency = load_urgency(folder / "resources")
        passages = load_passage_rules(folder / "resources")
        analyzer = open_analyzer(folder, cache)
    except ResourceError as error:
        raise GenerationDamaged(
            f"索引 {name} 是另一版本的程序建立的，现在读不了（{error}）；请用 yiwen build 重建。"
        ) from error
    store = WhooshStore(folder / whoosh_store.FOLDER)
    arrays = Impacts(folder / impacts.FOLDER)
    understanding = Understanding(folder, analyzer, store, arrays)
    return OpenGeneration(
        name=name,
        store=store,
        impacts=arrays,
        analyzer=analyzer,
        understanding=understanding,
        ranker=Ranker(arrays, weights, *learned),
        weights=weights,
        direct_rules=DirectRules(
            min_score=weights.direct_score,
            same_question=weights.direct_same_question,
            sure_score=weights.direct_sure_score,
            min_known=weights.direct_known,
            passages=passages,
        ),
        urgency=urgency,
        fingerprint=fingerprint,
    )
