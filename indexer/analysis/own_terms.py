"""Changes of a site's own terms (`lexicon/own.tsv`), as texts: a term set, taken away, given another word. What would
not fit is told in sentences, with what one can do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from indexer.analysis.lexicon import (
    KINDS,
    LIST_MARK,
    OWN_TERMS,
    REMOVED,
    Lexicon,
    Term,
    parse_terms,
    read_regional,
    read_terms,
)
from indexer.errors import ResourceError

OWN_TERMS_PATH = f"lexicon/{OWN_TERMS}"
MAX_WORD_CHARS = 40
MAX_WORDS = 100  #: in one column of a term
KIND_LABELS: Mapping[str, str] = {
    "disease": "疾病",
    "symptom": "症状",
    "drug": "药物",
    "examination": "检查",
    "procedure": "治疗操作",
    "body_part": "身体部位",
    "department": "科室",
    "food": "食物",
    "population": "人群",
    "other": "其他",
}


@dataclass(frozen=True)
class KnownTerm:
    """A term, and where it comes from."""

    term: Term
    file: str  #: below the resources, such as lexicon/diseases.tsv
    is_own: bool
    shipped: Term | None  #: what own.tsv replaces or takes away; None for a term that only the site has
    is_removed: bool = False

    @property
    def kind_label(self) -> str:
        """Its kind, in Chinese."""
        return KIND_LABELS[self.term.kind]


@dataclass(frozen=True)
class TermDesk:
    """All terms as they are with one text of own.tsv."""

    shipped: Mapping[str, tuple[Term, str]]  #: by normalised name, with the file
    text: str  #: of own.tsv
    regional: Mapping[str, str]

    @cached_property
    def _empty(self) -> Lexicon:
        return Lexicon({}, {}, self.regional)

    def normal(self, word: str) -> str:
        """A word as the lexicon compares it."""
        return self._empty.normal(word)

    @cached_property
    def own(self) -> dict[str, Term]:
        """The terms of own.tsv by their normalised names, those that are taken away too."""
        return {self.normal(term.name): term for term in parse_terms(Path(OWN_TERMS_PATH), self.text)}

    @cached_property
    def terms(self) -> dict[str, Term]:
        """What a build would use."""
        shipped = {name: term for name, (term, _) in self.shipped.items() if name not in self.own}
        return shipped | {name: term for name, term in self.own.items() if term.kind != REMOVED}

    @cached_property
    def names(self) -> dict[str, str]:
        """Every word, normalised -> name of its term."""
        return {self.normal(word): name for name, term in self.terms.items() for word in (term.name, *term.same)}

    def find(self, word: str) -> KnownTerm | None:
        """The term that a word means; one that was taken away by its name."""
        normal = self.normal(word)
        name = self.names.get(normal, normal)
        shipped = self.shipped.get(name)
        own = self.own.get(name)
        if own is not None and own.kind != REMOVED:
            return KnownTerm(own, OWN_TERMS_PATH, True, shipped[0] if shipped else None)
        if shipped is None:
            return None
        return KnownTerm(shipped[0], shipped[1], own is not None, shipped[0], own is not None)

    def owned(self) -> list[KnownTerm]:
        """All that own.tsv says, in its order."""
        return [found for name in self.own if (found := self._own_entry(name))]

    def _own_entry(self, name: str) -> KnownTerm | None:
        term, shipped = self.own[name], self.shipped.get(name)
        if term.kind == REMOVED:  # a term that no file has any more is still in own.tsv
            gone = shipped[0] if shipped else Term(term.name)
            return KnownTerm(gone, shipped[1] if shipped else OWN_TERMS_PATH, True, gone, True)
        return KnownTerm(term, OWN_TERMS_PATH, True, shipped[0] if shipped else None)


def open_terms(resources: Path, text: str | None) -> TermDesk:
    """The terms of all files, with this text of own.tsv. Raises ResourceError."""
    regional = read_regional(resources)
    normal = Lexicon({}, {}, regional).normal
    files = sorted(file for file in (resources / "lexicon").glob("*.tsv") if file.name != OWN_TERMS)
    shipped = {normal(term.name): (term, f"lexicon/{file.name}") for file in files for term in read_terms(file)}
    return TermDesk(shipped, text or "", regional)


def objections(desk: TermDesk, term: Term) -> list[str]:
    """Sentences on what keeps a term from being set; empty when nothing does."""
    told: list[str] = []
    words = (term.name, *term.same, *term.broader, *term.related)
    if not term.name:
        return ["请写明词条。"]
    if term.kind not in KINDS:
        told.append(f"类别“{term.kind}”未知；可用的有 {'、'.join(KINDS)}。")
    for word in dict.fromkeys(words):
        if (
            len(word) > MAX_WORD_CHARS
            or word.startswith("#")
            or any(c.isspace() or c in f"{LIST_MARK}\0" for c in word)
        ):
            told.append(
                f"“{word[:MAX_WORD_CHARS]}”不能用：一个词最多 {MAX_WORD_CHARS} 个字，中间没有空白和顿号，不以 # 开头。"
            )
    if max(map(len, (term.same, term.broader, term.related))) > MAX_WORDS:
        told.append(f"同义、上位、相关的词各最多 {MAX_WORDS} 个。")
    name = desk.normal(term.name)
    for word in dict.fromkeys((term.name, *term.same)):
        if len(desk.normal(word)) < 2 and desk.normal(word) not in desk.names:  # some came with the program: 疖
            told.append(f"“{word}”只有一个字，会出现在太多别的词里；请写完整。")
        other = desk.names.get(desk.normal(word), name)
        if other != name:
            told.append(_taken(desk, word, term.name, other))
    return told


def _taken(desk: TermDesk, word: str, wanted: str, other: str) -> str:
    owner = desk.terms[other]
    found = desk.find(owner.name)
    where = f"（{found.kind_label}，{found.file}）" if found else ""
    if desk.normal(word) == other:
        return f"“{word}”本身就是一个词条{where}，不能再归“{wanted}”；如果两者是一回事，请选择合并，否则写到“相关”里。"
    return f"“{word}”已是词条“{owner.name}”的同义词{where}；如果它更应归“{wanted}”，请选择移过来，否则换一个词。"


def set_term(desk: TermDesk, term: Term, take_over: bool = False) -> str:
    """The text of own.tsv with this term, in the place of any other of its name. `take_over`: words that other terms
    have are taken from them, and a term whose name is among the words is merged into this one.

    Raises ResourceError with all objections.
    """
    if take_over:
        desk, term = _taken_over(desk, term)
    if told := objections(desk, term):
        raise ResourceError(" ".join(told))
    return _with_line(desk, term)


def _taken_over(desk: TermDesk, term: Term) -> tuple[TermDesk, Term]:
    """The other terms without the words that this one takes; what is merged brings its words along."""
    name, same = desk.normal(term.name), list(term.same)
    for word in (term.name, *term.same):
        other = desk.names.get(desk.normal(word), name)
        if other == name:
            continue
        owner = desk.terms[other]
        if desk.normal(word) == other:
            same += [owner.name, *owner.same]
            desk = replace(desk, text=remove_term(desk, owner.name))
        else:
            rest = tuple(one for one in owner.same if desk.normal(one) != desk.normal(word))
            desk = replace(desk, text=_with_line(desk, replace(owner, same=rest)))
    different = {desk.normal(word): word for word in same if desk.normal(word) != name}
    return desk, replace(term, same=tuple(different.values()))


def add_synonym(desk: TermDesk, name: str, word: str, take_over: bool = False) -> str:
    """The text of own.tsv in which a term has one more word. Raises ResourceError."""
    found = desk.find(name)
    if found is None or found.is_removed:
        raise ResourceError(f"词表中没有“{name}”；请先添加这个词条。")
    if desk.names.get(desk.normal(word)) == desk.normal(found.term.name):
        raise ResourceError(f"“{word}”已经属于词条“{found.term.name}”。")
    return set_term(desk, replace(found.term, same=(*found.term.same, word)), take_over)


def remove_term(desk: TermDesk, name: str) -> str:
    """The text of own.tsv by which a term is no longer used. Raises ResourceError when there is none."""
    found = desk.find(name)
    if found is None or found.is_removed:
        raise ResourceError(f"词表中没有“{name}”。")
    if desk.normal(found.term.name) not in desk.shipped:
        return _without_line(desk, found.term.name)
    return _with_line(desk, Term(found.term.name, REMOVED))


def restore_term(desk: TermDesk, name: str) -> str:
    """The text of own.tsv that says nothing of a term any more. Raises ResourceError when it says nothing now."""
    if desk.normal(name) not in desk.own:
        raise ResourceError(f"本站没有改过“{name}”。")
    return _without_line(desk, name)


def add_list(desk: TermDesk, terms: Iterable[Term], kind: str) -> tuple[str, list[Term], list[str]]:
    """The text with a list of terms: those that are not known are added, a bare word as `kind`. Also gives what is
    new, and the words that were known. Raises ResourceError when nothing is new, or two terms claim one word.
    """
    added: dict[str, Term] = {}
    known: list[str] = []
    names = dict(desk.names)
    gone: set[str] = set()  #: what own.tsv takes away, and the list brings back
    for term in terms:
        name = desk.normal(term.name)
        if name in names:
            known.append(term.name)
            continue
        free = tuple(word for word in term.same if desk.normal(word) not in names)
        new = replace(term, kind=kind if term.kind == "other" else term.kind, same=free)
        if told := objections(desk, new):
            raise ResourceError(" ".join(told))
        added[name] = new
        names |= {desk.normal(word): name for word in (new.name, *new.same)}
        gone |= {name} & desk.own.keys()
    if not added:
        raise ResourceError(f"其中的 {len(known)} 个词都已收录，没有可添加的。")
    lines = [line for line in desk.text.splitlines() if not any(_names(desk, line, name) for name in gone)]
    lines += map(line_of, added.values())
    return "".join(f"{line}\n" for line in lines), list(added.values()), known


def line_of(term: Term) -> str:
    """A term as a line of a list."""
    columns = (term.name, term.kind, *(LIST_MARK.join(words) for words in (term.same, term.broader, term.related)))
    return "\t".join(columns).rstrip("\t")


def split_words(text: str) -> tuple[str, ...]:
    """Words as people part them in a form: by 、, commas, blanks or lines; none twice."""
    for mark in "，,;；\t\r\n \u3000":
        text = text.replace(mark, LIST_MARK)
    return tuple(dict.fromkeys(word for word in text.split(LIST_MARK) if word))


def _with_line(desk: TermDesk, term: Term) -> str:
    """Where the term stands as it came with the program, own.tsv need not say anything."""
    if term == desk.shipped.get(desk.normal(term.name), (None, ""))[0]:
        return _without_line(desk, term.name)
    lines = desk.text.splitlines()
    places = [number for number, line in enumerate(lines) if _names(desk, line, term.name)]
    if places:
        lines[places[0]] = line_of(term)
    else:
        lines.append(line_of(term))
    return "".join(f"{line}\n" for line in lines)


def _without_line(desk: TermDesk, name: str) -> str:
    lines = (line for line in desk.text.splitlines() if not _names(desk, line, name))
    return "".join(f"{line}\n" for line in lines)


def _names(desk: TermDesk, line: str, name: str) -> bool:
    written = line.split("\t")[0].strip()
    return bool(written) and not line.startswith("#") and desk.normal(written) == desk.normal(name)
