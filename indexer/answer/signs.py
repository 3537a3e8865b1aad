"""Signs in a question: words, near each other or anywhere, as `urgency/*.toml` writes them.

    嘴歪|口角歪斜            one of these words
    {mouth} ~ {crooked}      in this order, a few characters between, in one clause
    {leg} & {swollen}        in any order, not far from each other
    {pregnant} + {bleeding}  both, anywhere in the question
    {face} - {limbs}         the one, and the other nowhere
    /3[89]度/                a regular expression, a whole entry of a word group

A word group may be made of other groups. Characters that mean the same (痛 and 疼) are read as one, in words as in
questions; regular expressions see what is typed. Words are also found where they are typed with characters that only
sound so (血鸭 for 血压): at most half of a word's characters, never a word of one character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import accumulate, chain
from typing import Any, NamedTuple

from indexer.analysis.pinyin import syllables

_NEAR = 6  #: characters between two parts joined by ~
_AROUND = 16  #: characters between two parts joined by &
_BREAKS = frozenset(",.;!?。、:")  #: what ~ does not reach over (in normalised text, full width folded)
_GROUP = re.compile(r"\{([^{}]*)\}")
HARMLESS = "harmless"  #: the group of words that hide what stands inside them
_NO_WORD = re.compile(r"[\s{}~&+/*?()\[\]\\.]|^-|-$")  #: marks of this language, and of regular expressions
_END = ""  #: key of a trie's node under which the words that end there stand


class SignError(ValueError):
    """A sign that cannot be read, as a sentence."""


class Found(NamedTuple):
    """One place of a question where a sign, or a part of one, stands."""

    start: int
    end: int
    size: int  #: characters of the words themselves
    first: int  #: number of the clause in which it begins
    last: int  #: and ends
    denied: tuple[int, int] | None = None  #: where the word stands that denies it


@dataclass(frozen=True)
class Sign:
    """One entry of a word group or of a rule's list: parts that must all be there, and what must not."""

    text: str  #: as it is written
    chains: Sequence[Sequence[tuple[str, int]]]  #: each: joints ("", "~" or "&") with numbers of groups
    without: Sequence[int]
    needed: int  #: bits of the groups that must be present

    def groups(self) -> list[int]:
        """Numbers of the groups that must be present."""
        return [group for joints in self.chains for _, group in joints]

    def parts(self, contexts: Container[int]) -> int:
        """How many things it says: parts that stand apart, without those that are only of these groups."""
        return sum(any(group not in contexts for _, group in joints) for joints in self.chains)

    def places(self, groups: Mapping[int, Sequence[Found]]) -> list[Found]:
        """Where it stands, given where its groups stand; several parts that stand apart make one long place."""
        if any(not found.denied for group in self.without for found in groups.get(group, ())):
            return []
        parts = [_chain_places(joints, groups) for joints in self.chains]
        if len(parts) == 1:
            return parts[0]
        firmly = [[found for found in part if not found.denied] for part in parts]
        if not all(firmly):
            return []
        best = [max(part, key=lambda found: found.size) for part in firmly]
        first, last = min(best), max(best, key=lambda found: found.end)
        return [Found(first.start, last.end, sum(found.size for found in best), first.first, last.last)]


def _chain_places(joints: Sequence[tuple[str, int]], groups: Mapping[int, Sequence[Found]]) -> list[Found]:
    places = list(groups.get(joints[0][1], ()))
    for joint, group in joints[1:]:
        places = [
            joined
            for one in places
            for other in groups.get(group, ())
            if (joined := _joined(one, other, joint)) is not None
        ]
    return places


def _joined(one: Found, other: Found, joint: str) -> Found | None:
    gap = other.start - one.end
    if gap < 0 and joint == "&" and other.end <= one.start:
        one, other, gap = other, one, one.start - other.end
    if not 0 <= gap <= (_NEAR if joint == "~" else _AROUND) or (joint == "~" and one.last != other.first):
        return None
    # 没有胎动: what denies the second part is itself a part, so nothing is denied
    denied = other.denied if other.denied and other.denied[0] >= one.end else None
    return Found(one.start, other.end, one.size + other.size, one.first, other.last, one.denied or denied)


@dataclass
class SignBook:
    """All word groups with their signs, compiled; made once by `read_groups`, then only read."""

    numbers: dict[str, int] = field(default_factory=dict)  #: of a group by its name, or of a list of words
    same: dict[int, str] = field(default_factory=dict)  #: what a character is read as (痛 as 疼), for str.translate
    words: dict[str, list[int]] = field(default_factory=dict)  #: groups that a word belongs to, by how it is read
    written: dict[str, list[int]] = field(default_factory=dict)  #: the same by how it is written
    patterns: list[tuple[re.Pattern[str], int]] = field(default_factory=list)
    signs: list[tuple[int, Sign]] = field(default_factory=list)  #: of groups, parts before what is made of them

    @staticmethod
    def named_in(entries: Iterable[str]) -> list[str]:
        """Names of the groups that entries are made of."""
        return [name for entry in entries for name in _GROUP.findall(entry) if entry[0] != "/"]

    def sign(self, text: str) -> Sign:
        """Compile one entry. Raises SignError."""
        wanted, *unwanted = re.split(r" - ", text.strip())
        chains = [self._joints(part) for part in wanted.split(" + ")]
        without = [self._group(part) for part in unwanted]
        needed = _bits(group for joints in chains for _, group in joints)
        return Sign(text, chains, without, needed)

    def _joints(self, text: str) -> list[tuple[str, int]]:
        pieces = re.split(r" ([~&]) ", text)
        joints = ["", *pieces[1::2]]
        return [(joint, self._group(piece)) for joint, piece in zip(joints, pieces[::2], strict=True)]

    def _group(self, text: str) -> int:
        text = text.strip()
        if match := _GROUP.fullmatch(text):
            if match[1] not in self.numbers:
                raise SignError(f"词组“{match[1]}”没有定义")
            return self.numbers[match[1]]
        if "|" + text not in self.numbers:
            self._add_choice(text)
        return self.numbers["|" + text]

    def _add_choice(self, text: str) -> None:
        """A group without a name: words and groups, any of them, or a regular expression."""
        number = self.numbers["|" + text] = len(self.numbers)
        if is_pattern(text):
            self.patterns.append((compiled(text[1:-1]), number))
            return
        for word in text.split("|"):
            if _GROUP.fullmatch(word):
                group = self._group(word)
                self.signs.append((number, Sign(word, [[("", group)]], (), 1 << group)))
            elif not word or _NO_WORD.search(word):
                raise SignError(f"“{text}”写法不对")
            else:
                self._add_word(word, number)

    def _add_word(self, word: str, number: int) -> None:
        for words, spelling in ((self.words, word.translate(self.same)), (self.written, word)):
            numbers = words.setdefault(spelling, [])
            if number not in numbers:
                numbers.append(number)

    def add_group(self, name: str, entries: Sequence[str]) -> None:
        """Raises SignError for an entry that cannot be read; groups that it names must be there already."""
        number = self.numbers.setdefault(name, len(self.numbers))
        for entry in entries:
            if is_pattern(entry):
                self.patterns.append((compiled(entry[1:-1]), number))
            elif re.search(r"[{}~&+/]| - ", entry):
                self.signs.append((number, self.sign(entry)))
            elif not entry or "|" in entry or _NO_WORD.search(entry):
                raise SignError(f"“{entry}”写法不对")
            else:
                self._add_word(entry, number)

    def find(self, text: str, alike: bool, deny: Callable[[Found], Found | None]) -> tuple[dict[int, list[Found]], int]:
        """Where each group stands in a normalised text, and the bits of those that do.

        `alike`: also words that only sound so. `deny` may mark a place as denied, or drop it.
        """
        groups: dict[int, list[Found]] = {}
        present = 0
        clauses = list(accumulate(map(int, map(_BREAKS.__contains__, text)), initial=0))
        read = text.translate(self.same)
        words = self._alike_words(read) if alike else self._words(read)
        masked = self._harmless_places(read)
        for start, end, numbers in chain(words, self._matches(text)):
            if masked and any(masked_start <= start and end <= masked_end for masked_start, masked_end in masked):
                continue
            place = deny(Found(start, end, end - start, clauses[start], clauses[end - 1]))
            if place is not None:
                for number in numbers:
                    groups.setdefault(number, []).append(place)
                    present |= 1 << number
        for number, sign in self.signs:
            if sign.needed & ~present == 0 and (places := sign.places(groups)):
                groups.setdefault(number, []).extend(places)
                present |= 1 << number
        return groups, present

    def _harmless_places(self, text: str) -> list[tuple[int, int]]:
        """Where a word stands that only looks like a sign: 骨折价, 抗病毒药."""
        harmless = self.numbers.get(HARMLESS)
        return [(start, end) for start, end, numbers in self._words(text) if harmless in numbers]

    def _matches(self, text: str) -> Iterator[tuple[int, int, list[int]]]:
        for pattern, number in self.patterns:
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    yield match.start(), match.end(), [number]

    def _words(self, text: str) -> Iterator[tuple[int, int, list[int]]]:
        for start in range(len(text)):
            node = self._trie
            for end in range(start, len(text)):
                if text[end] not in node:
                    break
                node = node[text[end]]
                if _END in node:
                    yield start, end + 1, node[_END]

    def _alike_words(self, text: str) -> Iterator[tuple[int, int, list[int]]]:
        sounds = list(map(_sound, text))
        for start in range(len(text)):
            node = self._sound_trie
            for end in range(start, len(text)):
                if sounds[end] not in node:
                    break
                node = node[sounds[end]]
                written = text[start : end + 1]
                if written in self.words:  # what is a word itself is no slip
                    yield start, end + 1, self.words[written]
                    continue
                for word, numbers in node.get(_END, ()):
                    wrong = sum(a != b for a, b in zip(word, written, strict=True))
                    if wrong <= len(word) // 2:
                        yield start, end + 1, numbers

    @cached_property
    def _trie(self) -> dict[str, Any]:
        root: dict[str, Any] = {}
        for word, numbers in self.words.items():
            _node(root, word)[_END] = numbers
        return root

    @cached_property
    def _sound_trie(self) -> dict[str, Any]:
        """Takes a third of a second, most of it to load pinyin; so only the first question that needs it waits."""
        root: dict[str, Any] = {}
        for word, numbers in (self.written | self.words).items():
            _node(root, [_sound(character) for character in word]).setdefault(_END, []).append((word, numbers))
        return root


def is_pattern(entry: str) -> bool:
    """Whether an entry is a regular expression between slashes."""
    return len(entry) > 2 and entry[0] == entry[-1] == "/"


def compiled(pattern: str) -> re.Pattern[str]:
    """Raises SignError when it is no regular expression, or one that matches nothing at all."""
    try:
        made = re.compile(pattern)
    except re.error as error:
        raise SignError(f"正则表达式“{pattern}”写错：{error}") from error
    if made.match(""):
        raise SignError(f"正则表达式“{pattern}”什么都能匹配")
    return made


def _bits(numbers: Iterable[int]) -> int:
    return reduce(lambda bits, number: bits | 1 << number, numbers, 0)


def _node(root: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    for key in keys:
        root = root.setdefault(key, {})
    return root


def _sound(character: str) -> str:
    return syllables(character)[0] if "\u4e00" <= character <= "\u9fff" else character
