"""Which aspects a question asks about: the main one by a small linear model, further ones by their words.

The model: features that the resources define, the kinds of terms that are mentioned, and n-grams of the question with
its terms replaced by their kinds (weights learned on questions that we wrote), joined by a second linear layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.analysis.lexicon import KINDS, Lexicon, Mention
from indexer.errors import ResourceError, cause_of
from indexer.resources import read_toml

#: in the order in which they are told
ASPECTS = ("病因", "症状", "检查", "诊断", "治疗", "用药", "饮食", "护理", "预防", "预后", "就医", "费用")
MODEL = "weights/aspects.npz"
NGRAMS = (1, 4)  #: shortest and longest
#: one private character for each kind of term
_KIND_MARKS = {kind: chr(0xE000 + place) for place, kind in enumerate(KINDS)}
_ASKS = re.compile(r"什么|怎|如何|吗|么|嘛|多少|几|哪|咋|为|啥|吧|呢|\?")
_ENDS_ASKING = re.compile(r"[吗么嘛?]\W*$")
_MARK = re.compile(r"[,.;。]")


@dataclass(frozen=True)
class AspectRules:
    """`lexicon/aspects.toml`."""

    features: Mapping[str, re.Pattern[str]]
    together: Sequence[tuple[str, str]]
    also: Mapping[str, re.Pattern[str]]


@dataclass(frozen=True)
class AspectModel:
    """`weights/aspects.npz`, as scripts/train_aspects.py writes it."""

    classes: tuple[str, ...]  #: aspects; "" for none
    ngrams: Mapping[str, int]
    ngram_idf: NDArray[np.float32]  #: shape (ngrams,)
    ngram_weights: NDArray[np.float32]  #: shape (ngrams, classes)
    ngram_bias: NDArray[np.float32]  #: shape (classes,)
    features: Mapping[str, int]
    weights: NDArray[np.float32]  #: shape (features + classes, classes): the second layer, n-gram scores last
    bias: NDArray[np.float32]  #: shape (classes,)


class Aspects:
    """Safe to share between threads."""

    def __init__(self, rules: AspectRules, model: AspectModel) -> None:
        self._rules = rules
        self._model = model

    def find(self, text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> tuple[str, ...]:
        """Aspects that a normalised question asks about: the main one, if any, then others in the order of ASPECTS."""
        shown = features(self._rules, text, mentions, lexicon)
        model = self._model
        scores = (
            np.log(self._ngram_shares(abstracted(text, mentions, lexicon)) + 1e-3)
            @ model.weights[len(model.features) :]
        )
        known = [model.features[name] for name in shown if name in model.features]
        scores = scores + model.bias + model.weights[known].sum(axis=0)
        main = model.classes[int(np.argmax(scores))]
        also = self.named(text)
        if main == "护理":  # what the model calls so is care in the widest sense
            main = next((aspect for aspect in ("饮食", "预防") if aspect in also), main)
        return tuple(dict.fromkeys(filter(None, [main, *also])))

    def named(self, text: str) -> list[str]:
        """Aspects that a normalised text names in so many words, in the order of ASPECTS."""
        return [aspect for aspect in ASPECTS if aspect in self._rules.also and self._rules.also[aspect].search(text)]

    def _ngram_shares(self, text: str) -> NDArray[np.float64]:
        """Likelihood of each class by the n-grams of a text alone, shape (classes,)."""
        model = self._model
        counts: dict[int, int] = {}
        for gram in ngrams(text):
            number = model.ngrams.get(gram)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
        numbers = np.fromiter(counts, np.intp, len(counts))
        weights = (1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))) * model.ngram_idf[numbers]
        norm = float(np.sqrt(np.sum(weights**2))) or 1.0
        scores = (weights / norm) @ model.ngram_weights[numbers] + model.ngram_bias
        shares = np.exp(scores - scores.max())
        return np.asarray(shares / shares.sum(), np.float64)


def features(rules: AspectRules, text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> list[str]:
    """Names of what a normalised question shows."""
    found = {name for name, pattern in rules.features.items() if pattern.search(text)}
    kinds = [lexicon.terms[mention.name].kind for mention in mentions]
    found.update(f"k_{kind}" for kind in kinds)
    found.update(f"shorter_than_{length}" for length in (6, 10, 16) if len(text) < length)
    found.update(f"longer_than_{length}" for length in (30, 60) if len(text) > length)
    if mentions:
        found.add(f"first_{kinds[0]}")
        if mentions[-1].end == len(text):
            found.add(f"ends_{kinds[-1]}")
        if mentions[0].end - mentions[0].start >= len(text) - 1:
            found.add("bare")
    else:
        found.add("no_mention")
    if _ENDS_ASKING.search(text):
        found.add("ends_asking")
    if not _ASKS.search(text):
        found.add("asks_nothing")
    if len(_MARK.findall(text)) >= 2:
        found.add("many_parts")
    found.update(f"{one}&{other}" for one, other in rules.together if one in found and other in found)
    return sorted(found)


def abstracted(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> str:
    """The wording: the question with each term replaced by a mark for its kind."""
    parts, place = ["^"], 0
    for mention in mentions:
        parts += [text[place : mention.start], _KIND_MARKS[lexicon.terms[mention.name].kind]]
        place = mention.end
    return "".join([*parts, text[place:], "$"])


def ngrams(text: str) -> list[str]:
    """All runs of one to four characters."""
    shortest, longest = NGRAMS
    return [text[i : i + n] for n in range(shortest, longest + 1) for i in range(len(text) - n + 1)]


def load_aspects(resources: Path) -> Aspects:
    """Raises ResourceError when rules or model are missing or wrong."""
    return Aspects(load_rules(resources), _load_model(resources / MODEL))


def load_rules(resources: Path) -> AspectRules:
    """Read `lexicon/aspects.toml`. Raises ResourceError for a pattern that is none, or an aspect that is unknown."""
    file = resources / "lexicon" / "aspects.toml"
    rules = read_toml(file)
    try:
        also = {aspect: re.compile(pattern) for aspect, pattern in rules["also"].items()}
        shown = {name: re.compile(pattern) for name, pattern in rules["features"].items()}
        together = [(one, other) for one, other in rules["together"]]
    except (re.error, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ResourceError(f"方面规则 {file} 缺少一项，或有正则表达式写错：{error}") from error
    if unknown := [aspect for aspect in also if aspect not in ASPECTS]:
        raise ResourceError(f"方面规则 {file} 中的方面“{unknown[0]}”未知；可用的有 {'、'.join(ASPECTS)}。")
    return AspectRules(shown, together, also)


def _load_model(file: Path) -> AspectModel:
    try:
        with np.load(file, allow_pickle=False) as stored:
            return AspectModel(
                classes=tuple(map(str, stored["classes"])),
                ngrams={gram: number for number, gram in enumerate(str(stored["ngrams"]).split("\n"))},
                ngram_idf=stored["ngram_idf"].astype(np.float32),
                ngram_weights=stored["ngram_weights"].astype(np.float32),
                ngram_bias=stored["ngram_bias"],
                features={name: number for number, name in enumerate(str(stored["features"]).split("\n"))},
                weights=stored["weights"],
                bias=stored["bias"],
            )
    except OSError as error:
        raise ResourceError(f"方面模型 {file} 无法读取：{cause_of(error)}。") from error
    except (ValueError, KeyError) as error:
        raise ResourceError(f"方面模型 {file} 与程序不符：{error}；可用 scripts/train_aspects.py 重新生成。") from error
