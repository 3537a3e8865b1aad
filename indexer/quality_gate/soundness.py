"""Whether the files of a generation hang together, whatever it says: resources, lexicon, weights, arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.analyzer import open_analyzer
from indexer.analysis.dictionary import mapped
from indexer.analysis.lexicon import read_lexicon
from indexer.errors import GenerationDamaged, ResourceError
from indexer.ranking.trees import load_ranking
from indexer.resources import fingerprint, read_ranking_weights
from indexer.store import impacts, whoosh_store
from indexer.store.directory import COLUMNS
from indexer.store.impacts import POSTED_KINDS, Impacts
from indexer.store.whoosh_store import WhooshStore

_ALL_ARRAYS = (*COLUMNS, "word_codes", "word_ends", "fold_keys", "facts", "sites")
_INDEX, _SITES = "index.json", "sites.json"


@dataclass(frozen=True)
class Soundness:
    """What was found."""

    resources: str  #: fingerprint of the copy that the generation carries
    lexicon_words: int  #: of that copy
    lexicon_faults: tuple[str, ...]
    weight_faults: tuple[str, ...]
    array_faults: tuple[str, ...]


def soundness(folder: Path, answers: int, cache: Path) -> Soundness:
    """Of a generation's folder that should hold so many answers."""
    resources = folder / "resources"
    words, faults = _lexicon(folder, cache)
    return Soundness(
        fingerprint(resources), words, faults, tuple(weight_faults(resources)), tuple(array_faults(folder, answers))
    )


def lexicon_words(resources: Path) -> int:
    """How many words the lexicon has; 0 when it cannot be read."""
    try:
        return len(read_lexicon(resources).names)
    except ResourceError:
        return 0


def _lexicon(folder: Path, cache: Path) -> tuple[int, tuple[str, ...]]:
    """Number of its words, and whether texts were cut with the same ones."""
    try:
        names = read_lexicon(folder / "resources").names
        cut_with = open_analyzer(folder, cache).lexicon.names
    except (ResourceError, GenerationDamaged) as error:
        return 0, (str(error),)
    except (OSError, ValueError, KeyError) as error:
        return 0, (f"切分文字用的词典读不出来（{type(error).__name__}）。",)
    if names != cut_with:
        return len(names), (f"词表有 {len(names)} 个词，切分文字用的词典却是另一份（{len(cut_with)} 个词）。",)
    return len(names), ()


def weight_faults(resources: Path) -> Iterator[str]:
    """What makes an order by these weights and trees one by chance."""
    try:
        weights = read_ranking_weights(resources)
    except ResourceError as error:
        yield str(error)
    else:
        numbers = asdict(weights)
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                yield f"ranking.toml 中的 {name} 是 {value!r}，应是不小于 0 的数。"
                return
        for names in (("words", "bigrams", "characters"), ("question", "answer"), ("pool_size",), ("k1",)):
            if not any(numbers[name] for name in names):
                yield f"ranking.toml 中的 {'、'.join(names)} {'全' if len(names) > 1 else ''}为 0，排序没有依据。"
    try:
        learned = load_ranking(resources)
    except ResourceError as error:
        yield str(error)
        return
    trees = learned.trees
    leaves = trees.thresholds[trees.features < 0]
    if not len(trees.roots):
        yield "排序模型 weights/ranker.npz 中一棵树也没有。"
    elif not np.isfinite(trees.thresholds).all():
        yield "排序模型 weights/ranker.npz 中有不是数的值。"
    elif np.ptp(leaves) == 0:
        yield "排序模型 weights/ranker.npz 的所有叶子同为一个值，排序没有依据。"


def array_faults(folder: Path, answers: int) -> Iterator[str]:
    """Arrays that are missing, cut off or do not belong together; and a disagreement with Whoosh or the count."""
    try:
        names = json.loads((folder / impacts.FOLDER / _INDEX).read_text(encoding="utf-8"))["segments"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"{impacts.FOLDER}/{_INDEX} 缺失或读不出来（{type(error).__name__}）。"
        return
    sizes = []
    for name in names:
        faults = list(_segment_faults(folder / impacts.FOLDER / name))
        yield from (f"{impacts.FOLDER}/{name}/{fault}" for fault in faults)
        if faults:
            return
        sizes.append(mapped(folder / impacts.FOLDER / name / "lengths.npy").shape[1])
    try:
        of_whoosh = WhooshStore(folder / whoosh_store.FOLDER).segment_sizes()
        alive = Impacts(folder / impacts.FOLDER).answer_count
    except GenerationDamaged as error:
        yield str(error)
        return
    if sizes != of_whoosh:
        yield f"数组各段的答案数（{_listed(sizes)}）与 Whoosh 的（{_listed(of_whoosh)}）不一致。"
    if alive != answers:
        yield f"索引中有 {alive} 条答案，清洗得到的却是 {answers} 条。"


def _segment_faults(folder: Path) -> Iterator[str]:
    """Of one segment, without reading more of the arrays than their sizes and ends."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in _ALL_ARRAYS:
        try:
            arrays[name] = mapped(folder / f"{name}.npy")
        except FileNotFoundError:
            yield f"{name}.npy 缺失。"
        except (OSError, ValueError) as error:
            yield f"{name}.npy 读不出来或不完整（{type(error).__name__}）。"
    if not (folder / _SITES).is_file():
        yield f"{_SITES} 缺失。"
    if len(arrays) < len(_ALL_ARRAYS):
        return
    for name, size, expected in _sizes(arrays):
        if size != expected:
            yield f"{name}.npy 应有 {expected} 项，实有 {size} 项。"
    for kind in POSTED_KINDS:
        if len(arrays[f"{kind}_impacts"]) and not arrays[f"{kind}_impacts"].any():
            yield f"{kind}_impacts.npy 全为 0，检索没有依据。"


def _sizes(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, int, int]]:
    """Name, size and what it should be."""
    documents = arrays["lengths"].shape[1]
    for name, expected in (("unit_ends", 2 * documents), ("fold_keys", documents), ("facts", documents)):
        yield name, len(arrays[name]), expected
    yield "sites", len(arrays["sites"]), documents
    yield "units", len(arrays["units"]), _last(arrays["unit_ends"])
    yield "word_ends", len(arrays["word_ends"]), len(arrays["words_keys"]) + 1
    yield "word_codes", len(arrays["word_codes"]), _last(arrays["word_ends"])
    for name in ("characters_numbers", "characters_answers"):
        yield name, len(arrays[name]), len(arrays["characters_keys"])
    for kind in POSTED_KINDS:
        yield f"{kind}_starts", len(arrays[f"{kind}_starts"]), len(arrays[f"{kind}_keys"]) + 1
        for name in ("documents", "frequencies", "impacts"):
            yield f"{kind}_{name}", len(arrays[f"{kind}_{name}"]), _last(arrays[f"{kind}_starts"])


def _last(ends: NDArray[Any]) -> int:
    return int(ends[-1]) if len(ends) else 0


def _listed(sizes: list[int]) -> str:
    return "、".join(map(str, sizes)) or "无"
