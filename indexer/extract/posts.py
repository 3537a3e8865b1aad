"""Question pages: which elements are posts, and whose: a doctor's, the asker's, another layperson's.

Three ways to know them. A consultation is a row of brothers, of which some are marked as the patient's (label,
picture, class). A doctor's answer is the smallest element around a doctor's byline that also says something. Where no
doctor answered, brothers of one kind with dates are the readers' replies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from indexer.extract.blocks import HEADING_TAGS, is_prose
from indexer.extract.dialogue import Role, is_doctor_byline, label_of
from indexer.extract.html_blocks import HtmlBlocks
from indexer.extract.site_templates import Rules, first_match
from indexer.extract.title import is_question, title_key
from indexer.records import Block

_MIN_SHARE = 0.35  # of the page's running text; comments under an article have less
_MIN_REPLY_CHARS = 4
_DOCTOR_NAMES = frozenset("doctor doc doctors yisheng ys expert dr zhuanjia yishi daifu".split())
_ASKER_NAMES = frozenset("patient patients huanzhe hz asker ask user me self wen tiwen lz louzhu bingren".split())
_LABEL_BLOCKS = 3  # of a post, in which its label may stand


@dataclass(frozen=True)
class Posts:
    """The posts of a question page, by the numbers of their elements, in page order."""

    roles: dict[int, Role]
    is_dialogue: bool = False  #: the doctor's turns are one answer
    bylines: dict[int, tuple[Block, ...]] = field(default_factory=dict)  #: of posts whose byline stands beside them

    @property
    def has_doctor(self) -> bool:
        """Whether a doctor answered."""
        return Role.DOCTOR in self.roles.values()

    @property
    def answers(self) -> list[int]:
        """The doctors' posts; where no doctor answered, the other readers'."""
        doctors = [number for number, role in sorted(self.roles.items()) if role is Role.DOCTOR]
        return doctors or [number for number, role in sorted(self.roles.items()) if role is Role.LAY]


def find_posts(found: HtmlBlocks, kept: Sequence[Block], rules: Rules, title: str | None) -> Posts | None:
    """The page's posts; None where it has none."""
    key = title_key(title or "")
    at = next((position for position, block in enumerate(kept) if key and title_key(block.text) == key), 0)
    page = _Page(found, kept[at:], rules)
    candidates = [posts for posts in (page.dialogue(), page.doctors_answers(is_question(title))) if posts is not None]
    if candidates:
        return max(candidates, key=page.answered_chars)
    return page.replies() if is_question(title) else None


class _Page:
    """The blocks that are left of a page, by the elements they stand in."""

    def __init__(self, found: HtmlBlocks, kept: Sequence[Block], rules: Rules) -> None:
        self._found, self._kept, self._rules = found, kept, rules
        self._inside: defaultdict[int, list[Block]] = defaultdict(list)
        for block in kept:
            for number in block.path:
                self._inside[number].append(block)
        for number in {number for block in kept if block.tag == "h1" for number in block.path}:
            del self._inside[number]  # what holds the title is the page, or its question
        self._children: defaultdict[int | None, list[int]] = defaultdict(list)
        for number in sorted(self._inside):
            self._children[found.elements[number].parent].append(number)
        self._all_prose = sum(len(block.plain) for block in kept if is_prose(block)) or 1

    def answered_chars(self, posts: Posts) -> int:
        """How much running text the doctors' posts hold."""
        return sum(self._prose_in(number) for number in posts.answers)

    def _prose_in(self, number: int) -> int:
        return sum(len(block.plain) for block in self._inside[number] if is_prose(block))

    def dialogue(self) -> Posts | None:
        """Brothers that speak in turn, the outermost ones that do."""
        for parent in sorted(self._children, key=lambda number: -1 if number is None else number):
            family = self._children[parent]
            if len(family) >= 2 and (roles := self._turns(family)):
                return Posts(roles, is_dialogue=True, bylines=self._times_above(roles))
        return None

    def _times_above(self, roles: dict[int, Role]) -> dict[int, tuple[Block, ...]]:
        """The line above the first doctor's turn, where it is nobody's turn: when it was said."""
        first = min(number for number, role in roles.items() if role is Role.DOCTOR)
        start = self._inside[first][0].number
        above = [block for block in self._kept if block.number == start - 1 and roles.keys().isdisjoint(block.path)]
        return {first: tuple(above)}

    def _turns(self, family: Sequence[int]) -> dict[int, Role] | None:
        roles = {number: self._marked_role(number) for number in family}
        if Role.ASKER not in roles.values():
            return None
        by_kind: defaultdict[str, set[Role]] = defaultdict(set)
        for number, role in roles.items():
            if role is not None:
                by_kind[self._found.elements[number].signature].add(role)
        speaker: Role | None = None
        for number, role in roles.items():
            element = self._found.elements[number]
            kinds = by_kind.get(element.signature, set())
            if role is None and len(kinds) == 2:
                roles[number] = speaker  # who speaks goes on, where only labels tell one from the other
            elif role is None and len(kinds) == 1 and len(by_kind) > 1:
                roles[number] = next(iter(kinds))
            elif role is None and not any(Role.DOCTOR in seen for seen in by_kind.values()) and element.has_image:
                roles[number] = Role.DOCTOR
            speaker = roles[number]
        known = {number: role for number, role in roles.items() if role is not None}
        doctors = [number for number, role in known.items() if role is Role.DOCTOR]
        prose = sum(self._prose_in(number) for number in doctors)
        return known if doctors and prose >= _MIN_SHARE / 2 * self._all_prose else None

    def _marked_role(self, number: int) -> Role | None:
        """The speaker by a label, a picture's description, or the element's own name."""
        element = self._found.elements[number]
        for block in self._inside[number][:_LABEL_BLOCKS]:
            if label := label_of(block, self._rules):
                return label[0]
        if element.portrays:
            return Role.ASKER if element.portrays == "asker" else Role.DOCTOR
        if not element.names.isdisjoint(_DOCTOR_NAMES):
            return Role.DOCTOR
        return Role.ASKER if not element.names.isdisjoint(_ASKER_NAMES) else None

    def doctors_answers(self, is_question: bool) -> Posts | None:
        """The smallest elements that hold a doctor's byline and something said, with their brothers of one kind."""
        roles: dict[int, Role] = {}
        beside: dict[int, tuple[Block, ...]] = {}
        names: set[str] = set()
        for position, block in enumerate(self._kept):
            if block.tag in HEADING_TAGS or not is_doctor_byline(block):
                continue
            number = next((n for n in reversed(block.path) if n in self._inside and self._says(n)), None)
            if number is None and (number := self._said_beside(position)) is not None:
                beside[number] = (block,)
            if number is not None:
                roles[number] = Role.DOCTOR
                names.update(name[0] for name in self._rules.person.finditer(block.pieces))
        roles = {number: roles[number] for number in self._outermost(roles)}
        called = any(self._is_called_answer(number) for number in roles)
        prose = sum(self._prose_in(number) for number in roles)
        if not roles or not (is_question or called) or (prose < _MIN_SHARE * self._all_prose and prose and not called):
            return None
        kinds = {(self._found.elements[n].parent, self._found.elements[n].signature) for n in roles}
        for parent, signature in kinds:
            for number in self._children[parent]:
                if self._found.elements[number].signature == signature and not beside:
                    roles.setdefault(number, Role.DOCTOR if self._is_signed(number, names) else Role.LAY)
        return Posts(dict(sorted(roles.items())), bylines=beside)

    def _is_signed(self, number: int, names: set[str]) -> bool:
        """Whether a doctor whose title stands elsewhere is the author: the name alone in a line, or with a date."""
        lines = [block.pieces for block in self._inside[number][:_LABEL_BLOCKS] if not is_prose(block)]
        return any(name in line.split() and "写道" not in line for name in names for line in lines)

    def _said_beside(self, position: int) -> int | None:
        """The element of the sentence right before a byline that closes an answer: no sentence follows it."""
        before = self._kept[position - 1] if position > 0 else None
        after = self._kept[position + 1] if position + 1 < len(self._kept) else None
        if before is None or (after is not None and is_prose(after)):
            return None
        number = before.path[-1] if before.path else None
        return number if number in self._inside and number is not None and self._says(number) else None

    def _says(self, number: int) -> bool:
        """Something that is neither a byline nor a card: a sentence, however short."""
        return any(
            (block.plain[-1] in "。!?" and block.link_share < 0.5 and not first_match(self._rules.card, block.plain))
            or (is_prose(block) and not first_match(self._rules.card, block.plain))
            for block in self._inside[number]
        )

    def _outermost(self, numbers: Iterable[int]) -> Iterator[int]:
        """Elements that stand in no other of them; numbers grow from the outside to the inside."""
        end = 0
        for number in sorted(numbers):
            element = self._found.elements[number]
            if element.start >= end:
                end = element.end
                yield number

    def _is_called_answer(self, number: int) -> bool:
        around: int | None = number
        for _ in range(3):
            if around is None:
                return False
            if not self._found.elements[around].names.isdisjoint(self._rules.answers):
                return True
            around = self._found.elements[around].parent
        return False

    def replies(self) -> Posts | None:
        """Brothers of one kind with a date or a floor in most: what readers reply where no doctor did."""
        families: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)
        for number in sorted(self._inside):
            if sum(len(block.plain) for block in self._inside[number]) >= _MIN_REPLY_CHARS:
                families[self._found.elements[number].parent, self._found.elements[number].signature].append(number)
        for family in families.values():
            prose = sum(self._prose_in(number) for number in family)
            if len(family) < 2 or prose < _MIN_SHARE * self._all_prose or not self._are_dated(family):
                continue
            roles = dict.fromkeys(family, Role.LAY)
            if not any(self._is_called_answer(number) for number in family):
                roles[family[0]] = Role.ASKER  # a thread begins with the question
            return Posts(roles)
        return None

    def _are_dated(self, family: Sequence[int]) -> bool:
        dated = Counter(
            any(first_match(self._rules.post_line, block.pieces) for block in self._inside[number]) for number in family
        )
        return dated[True] > dated[False]
