"""From the pages of a generation to the items of each queue, worst first."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from indexer.dedupe import letters
from indexer.quality_gate.page_facts import PAGES, place_of, stored_lines
from indexer.records import host_of
from indexer.review_queues.odd_pages import OddRemoval, Removal, odd_removals
from indexer.review_queues.queues import MAX_TEXT_CHARS, MAX_TEXTS, ReviewItem, ReviewText
from indexer.verdicts import Flaw, Reason

_DIGEST_BYTES = 8
_FLAWS_OF: dict[str, tuple[Flaw, ...]] = {
    "spun": (Flaw.SPUN, Flaw.MASKED, Flaw.INLINE_PINYIN),
    "cures": (Flaw.CURE_PROMISE,),
    "cut_off": (Flaw.CUT_OFF,),
}
_PAGES_A_STEP = 500
_EXCERPT_CHARS = 200


class _Fact(msgspec.Struct):
    flaw: Flaw
    evidence: str


class _Removed(msgspec.Struct):
    reason: Reason
    text: str


class _Answer(msgspec.Struct):
    id: str
    question: str
    text: str
    site: str | None = None
    url: str | None = None
    date: str | None = None
    views: int | None = None
    copy_of: str | None = None
    quality: list[_Fact] = []


class _Page(msgspec.Struct):
    path: str
    text: str
    title: str | None = None
    site: str | None = None
    url: str | None = None
    is_record: bool = False
    removed: list[_Removed] = []
    answers: list[_Answer] = []

    def site_of(self, answer: _Answer | None) -> str:
        """Of an answer; where nobody noted one, the folder or archive that the page lies in."""
        of_answer = answer.site if answer else None
        return of_answer or self.site or host_of(self.url) or place_of(self.path)


class Member(msgspec.Struct, frozen=True):
    """An answer that an item is about, by what takes it down."""

    id: str
    url: str | None
    site: str


@dataclass(frozen=True)
class Found:
    """An item with all that it is about."""

    item: ReviewItem
    members: tuple[Member, ...]
    least: int  #: of the members must be shown still, or nothing is left to be looked at


@dataclass
class _Group:
    """Answers that belong together; filled while pages are read."""

    members: list[Member] = field(default_factory=list)
    texts: list[ReviewText] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)

    def add(self, page: _Page, answer: _Answer) -> None:
        """One answer more."""
        self.members.append(_member(page, answer))
        self.digests.append(f"{answer.id} {digest_of(answer.question, answer.text)}")
        self.questions.add(letters(answer.question))
        if len(self.texts) < MAX_TEXTS:
            self.texts.append(_text(page, answer))


def find_items(folder: Path, told: Callable[[int], None]) -> Iterator[Found]:
    """The items of a generation's folder, queue by queue, the worst of each first. `told` hears how many pages have
    been read; they are read twice, for an original may stand before its copies. Raises GenerationDamaged.
    """
    flawed: dict[str, list[tuple[tuple[float, ...], Found]]] = {queue: [] for queue in _FLAWS_OF}
    copies: dict[str, _Group] = {}
    stock: dict[str, _Group] = {}
    removals: list[Removal] = []
    pages_read = 0
    for number, page in enumerate(stored_lines(folder / PAGES, _Page)):
        pages_read = _step(number, told)
        for answer in page.answers:
            if answer.copy_of is not None:
                copies.setdefault(answer.copy_of, _Group()).add(page, answer)
            if any(fact.flaw is Flaw.STOCK_ANSWER for fact in answer.quality):
                stock.setdefault(letters(answer.text), _Group()).add(page, answer)
            for queue, flaws in _FLAWS_OF.items():
                if facts := [fact for fact in answer.quality if fact.flaw in flaws]:
                    flawed[queue].append(_flawed(queue, page, answer, facts))
        if not page.is_record:
            removed = sum(len(block.text) for block in page.removed)
            share = removed / max(removed + len(page.text), 1)
            removals.append(Removal(number, page.site_of(page.answers[0] if page.answers else None), share))
    odd = {found.removal.page: found for found in odd_removals(removals)}
    originals: dict[str, _Group] = {}
    of_pages: list[tuple[tuple[float, ...], Found]] = []
    for number, page in enumerate(stored_lines(folder / PAGES, _Page)):
        _step(pages_read + number, told)
        for answer in page.answers:
            if answer.id in copies:
                originals.setdefault(answer.id, _Group()).add(page, answer)
        if number in odd:
            of_pages.append(((abs(odd[number].distance),), _odd_page(page, odd[number])))
    yield from _clusters(copies, originals)
    for queue in _FLAWS_OF:
        yield from _worst_first(flawed[queue])
    yield from _stock_answers(stock)
    yield from _worst_first(of_pages)


def digest_of(*texts: str) -> str:
    """16 hex digits that stand for some texts."""
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=_DIGEST_BYTES).hexdigest()


def _step(number: int, told: Callable[[int], None]) -> int:
    if number % _PAGES_A_STEP == 0:
        told(number)
    return number + 1


def _worst_first(items: Sequence[tuple[tuple[float, ...], Found]]) -> Iterator[Found]:
    """Largest first; among equals in the order of reading."""
    return (found for _, found in sorted(items, key=lambda pair: pair[0], reverse=True))


def _flawed(queue: str, page: _Page, answer: _Answer, facts: Sequence[_Fact]) -> tuple[tuple[float, ...], Found]:
    item = ReviewItem(
        queue=queue,
        key=answer.id,
        digest=digest_of(answer.question, answer.text),
        title=answer.question,
        evidence=tuple(f"{fact.flaw.label}：{fact.evidence}" for fact in facts),
        count=1,
        texts=(_text(page, answer),),
    )
    return (len(answer.quality), answer.views or 0), Found(item, (_member(page, answer),), 1)


def _clusters(copies: dict[str, _Group], originals: dict[str, _Group]) -> Iterator[Found]:
    """Of each original with its copies; one that was taken out since is left out."""
    clusters = [(original, originals.get(original, _Group()), group) for original, group in copies.items()]
    clusters.sort(key=lambda cluster: -len(cluster[2].members))
    for original, first, group in clusters:
        members = (*first.members, *group.members)
        texts = (*first.texts, *group.texts)[:MAX_TEXTS]
        sites = Counter(member.site for member in members)
        spread = "、".join(f"{site} {count} 条" for site, count in sites.most_common(5))
        more = f"等 {len(sites)} 个站点" if len(sites) > 5 else ""
        item = ReviewItem(
            queue="copies",
            key=original,
            digest=digest_of(*sorted([*first.digests, *group.digests])),
            title=texts[0].question,
            evidence=(f"共 {len(members)} 份：{spread}{more}",),
            count=len(members),
            texts=texts,
        )
        yield Found(item, members, 2)


def _stock_answers(stock: dict[str, _Group]) -> Iterator[Found]:
    for text, group in sorted(stock.items(), key=lambda pair: -len(pair[1].questions)):
        item = ReviewItem(
            queue="stock",
            key=digest_of(text),
            digest=digest_of(*sorted(group.digests)),
            title=group.texts[0].text,
            evidence=(f"同样的文字用在 {len(group.questions)} 个问题下",),
            count=len(group.members),
            texts=tuple(group.texts),
        )
        yield Found(item, tuple(group.members), 3)


def _odd_page(page: _Page, odd: OddRemoval) -> Found:
    reasons = Counter[Reason]()
    for block in page.removed:
        reasons[block.reason] += len(block.text)
    taken = "、".join(f"{reason.label} {count} 字" for reason, count in reasons.most_common(4))
    direction = "多" if odd.distance > 0 else "少"
    evidence: tuple[str, ...] = (
        f"去掉 {odd.removal.share:.0%}，比本站其他页面{direction}：中位数 {odd.median:.0%}，"
        f"绝对中位差 {odd.deviation:.1%}，稳健 z 值 {odd.distance:+.1f}（本站 {odd.pages} 页）",
        f"去掉的：{taken or '没有'}；留下 {len(page.text)} 字",
    )
    if odd.distance > 0 and page.removed:
        longest = max(page.removed, key=lambda block: len(block.text))
        evidence += (f"去掉的最长一段（{longest.reason.label}）：{longest.text[:_EXCERPT_CHARS]}",)
    members = tuple(_member(page, answer) for answer in page.answers)
    item = ReviewItem(
        queue="removal",
        key=page.path,
        digest=digest_of(page.title or "", page.text, str(sum(reasons.values()))),
        title=page.title or "（无标题）",
        evidence=evidence,
        count=len(members),
        texts=tuple(_text(page, answer) for answer in page.answers[:MAX_TEXTS]),
        page=page.path,
    )
    return Found(item, members, min(len(members), 1))


def _member(page: _Page, answer: _Answer) -> Member:
    return Member(answer.id, answer.url, page.site_of(answer))


def _text(page: _Page, answer: _Answer) -> ReviewText:
    return ReviewText(
        answer.id, answer.question, answer.text[:MAX_TEXT_CHARS], page.site_of(answer), answer.url, answer.date
    )
