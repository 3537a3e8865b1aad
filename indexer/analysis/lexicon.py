"""The lexicon: medical terms, their kinds, and the other words that people use for them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from indexer.analysis.normalize import Normalized, normalize
from indexer.errors import ResourceError
from indexer.resources import numbered_lines, read_lines, read_toml

KINDS = (
    "disease",
    "symptom",
    "drug",
    "examination",
    "procedure",
    "body_part",
    "department",
    "food",
    "population",
    "other",
)
LIST_MARK = "、"
#: in `lexicon/own.tsv` only: the shipped term of that name is not used
REMOVED = "removed"
OWN_TERMS = "own.tsv"


@dataclass(frozen=True)
class Term:
    """One line of a lexicon file, as it is written there."""

    name: str
    kind: str = "other"
    same: tuple[str, ...] = ()  #: words for exactly the same
    broader: tuple[str, ...] = ()  #: what this is a kind of
    related: tuple[str, ...] = ()  #: near, but not the same


@dataclass(frozen=True)
class Mention:
    """A place of a normalised text where a term stands, under its own name or another."""

    start: int
    end: int
    surface: str  #: what stands there
    name: str  #: the term's name, normalised


class Lexicon:
    """All terms, by their normalised names. Safe to share between threads."""

    def __init__(self, terms: Mapping[str, Term], names: Mapping[str, str], regional: Mapping[str, str]) -> None:
        """`terms` by their names, `names` of the terms of all words, `regional` words and what they are read as; all
        normalised. `make_lexicon` makes these.
        """
        self.terms = terms
        self.names = names  #: every word, normalised -> name of its term
        self._regional = regional
        self._regional_words = re.compile("|".join(map(re.escape, sorted(regional, key=len, reverse=True))) or "(?!)")

    @cached_property
    def _surfaces(self) -> Mapping[str, tuple[str, ...]]:
        return _inverted(self.names.items())

    @cached_property
    def _narrower(self) -> Mapping[str, tuple[str, ...]]:
        broader = ((name, self.normal(word)) for name, term in self.terms.items() for word in term.broader)
        return _inverted((name, self.names.get(word, word)) for name, word in broader)

    def normalized(self, text: str) -> Normalized:
        """The one form in which texts are indexed, questions asked and terms known."""
        return normalize(text).replaced(self._regional_words, self._regional)

    def normal(self, word: str) -> str:
        """The same, only the text."""
        return self.normalized(word).text

    def surfaces(self, name: str) -> tuple[str, ...]:
        """All words for a term, its name among them; the word itself where the lexicon does not have it."""
        return self._surfaces.get(name, (name,))

    def term_of(self, word: str) -> Term | None:
        """The term that a word means, under whatever name."""
        return self.terms.get(self.names.get(self.normal(word), ""))

    def with_surfaces(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Weights of names, given to every word for them."""
        return {surface: weight for name, weight in weights.items() for surface in self.surfaces(name)}

    def near(self, name: str) -> tuple[str, ...]:
        """Names of narrower and related terms, which never stand in for the term itself."""
        term = self.terms.get(name)
        related = [self.names.get(self.normal(word), self.normal(word)) for word in term.related] if term else []
        return tuple(other for other in dict.fromkeys([*self._narrower.get(name, ()), *related]) if other != name)

    @cached_property
    def _endings(self) -> Mapping[str, tuple[str, ...]]:
        return _inverted((name, name[-2:]) for name, term in self.terms.items() if term.kind in ("disease", "symptom"))

    def confusable(self, name: str) -> tuple[str, ...]:
        """Names of other illnesses and complaints that end alike: 面肌痉挛 is no 肠痉挛. None that is near, holds the
        name, or is held by it.
        """
        near = {*self.near(name), *(other for word in self.near(name) for other in self.near(word))}
        return tuple(
            other
            for other in self._endings.get(name[-2:], ())
            if other not in name and name not in other and other not in near and name not in self.near(other)
        )

    def save(self, file: Path) -> None:
        """Write it as `open_lexicon` reads it."""
        content = {
            "terms": {name: list(astuple(term)) for name, term in self.terms.items()},
            "names": dict(self.names),
            "regional": dict(self._regional),
        }
        file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def open_lexicon(file: Path) -> Lexicon:
    """What `Lexicon.save` wrote. Raises OSError, ValueError, KeyError or TypeError for anything else."""
    content = json.loads(file.read_text(encoding="utf-8"))
    terms = {name: Term(word, kind, *map(tuple, words)) for name, (word, kind, *words) in content["terms"].items()}
    return Lexicon(terms, content["names"], content["regional"])


def make_lexicon(terms: Iterable[Term], regional: Mapping[str, str] = MappingProxyType({})) -> Lexicon:
    """`regional`: words of other regions, normalised, and what they are read as.

    Raises ResourceError when a word belongs to two terms.
    """
    normal = Lexicon({}, {}, regional).normal
    by_name: dict[str, Term] = {}
    names: dict[str, str] = {}
    for term in terms:
        name = normal(term.name)
        if name in by_name:
            raise ResourceError(f"词条“{term.name}”重复。")
        by_name[name] = term
    for name, term in by_name.items():
        for word in (term.name, *term.same):
            if (other := names.setdefault(normal(word), name)) != name:
                raise ResourceError(f"“{word}”既属于词条“{by_name[other].name}”，又属于“{term.name}”；请删去一处。")
    return Lexicon(MappingProxyType(by_name), MappingProxyType(names), regional)


def read_lexicon(resources: Path) -> Lexicon:
    """The lexicon of `lexicon/*.tsv`, own.tsv last: a term there stands in for the one of its name, or takes it away.

    Raises ResourceError naming file and line.
    """
    regional = read_regional(resources)
    normal = Lexicon({}, {}, regional).normal
    own_file = resources / "lexicon" / OWN_TERMS
    own = read_terms(own_file) if own_file.is_file() else []
    replaced = {normal(term.name) for term in own}
    shipped = [term for term in read_shipped_terms(resources) if normal(term.name) not in replaced]
    return make_lexicon([*shipped, *(term for term in own if term.kind != REMOVED)], regional)


def read_shipped_terms(resources: Path) -> list[Term]:
    """The terms of all files but own.tsv. Raises ResourceError naming file and line."""
    files = sorted(file for file in (resources / "lexicon").glob("*.tsv") if file.name != OWN_TERMS)
    return [term for file in files for term in read_terms(file)]


def read_regional(resources: Path) -> dict[str, str]:
    """`lexicon/regional.toml`: normalised words of other regions -> what they are read as. Raises ResourceError."""
    file = resources / "lexicon" / "regional.toml"
    words = read_toml(file).get("words")
    if not isinstance(words, dict) or not all(isinstance(word, str) and word for word in words.values()):
        raise ResourceError(f"地区用词 {file} 应有一个 [words] 表，每项是“词 = 读作的词”。")
    return {_normal(word): _normal(read_as) for word, read_as in words.items()}


def read_terms(file: Path) -> list[Term]:
    """The terms of one file: name, kind, same, broader and related, parted by tabs; only the name must be there.

    Only own.tsv may hold terms of the kind `removed`. Raises ResourceError naming the line.
    """
    return _terms_of(file, read_lines(file))


def parse_terms(file: Path, text: str) -> list[Term]:
    """The same of a text that a file of that name would hold."""
    return _terms_of(file, numbered_lines(text))


def _terms_of(file: Path, lines: Iterable[tuple[int, str]]) -> list[Term]:
    kinds = (*KINDS, REMOVED) if file.name == OWN_TERMS else KINDS
    terms = []
    for number, line in lines:
        columns = [column.strip() for column in line.split("\t")]
        name, kind, *words = (*columns, *[""] * (5 - len(columns)))
        if len(columns) > 5 or not name or any(len(word.split()) != 1 for word in _words([name, *words])):
            raise ResourceError(
                f"词表 {file} 第 {number} 行应是“词条、类别、同义、上位、相关”，以制表符分隔，词中没有空白：{line}"
            )
        if kind and kind not in kinds:
            raise ResourceError(f"词表 {file} 第 {number} 行的类别“{kind}”未知；可用的有 {'、'.join(kinds)}。")
        terms.append(Term(name, kind or "other", *(tuple(_words([column])) for column in words)))
    return terms


def _words(columns: Sequence[str]) -> list[str]:
    return [word for column in columns if column for word in column.split(LIST_MARK)]


def _normal(word: str) -> str:
    return normalize(word).text


def _inverted(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for value, key in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}
