"""Questions with their answers, as a page sets them out: definition lists, folding panels, 问：/答： lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from indexer.extract.blocks import is_prose
from indexer.extract.html_blocks import HtmlBlocks
from indexer.records import Block, QaPair

_ASKS = re.compile(r"^(问|提问|Q\d*|问题\d*)\s*[:：.、]\s*", re.IGNORECASE)
_ANSWERS = re.compile(r"^(答|回答|A\d*|解答)\s*[:：.、]\s*", re.IGNORECASE)
_NUMBER = re.compile(r"^(\d{1,2}|[一二三四五六七八九十]{1,3}|Q\d{1,2})[、.．:：]\s*")
_IS_QUESTION = re.compile(r"([?]|吗|呢|么|怎么办|如何|多久|多少|什么|哪些|为什么)$")
_QUESTION_CHARS = 80
_MIN_PAIRS = 2
_MIN_BARE = 3  # of bare lines; articles have headings that ask
_FAQ_TITLE = re.compile(r"(问答|问题|疑问|答疑|解答|百问|FAQ|须知|释疑|\d+问)", re.IGNORECASE)


def faq_pairs(body: Sequence[Block], found: HtmlBlocks | None = None, title: str | None = None) -> tuple[QaPair, ...]:
    """The pairs of a page that is a list of questions with answers; empty when it is none."""
    pairs = _labelled(body)
    if not pairs and found is not None:
        pairs = _listed(body, found) or _boxed(body, found)
    if not pairs and title is not None and _FAQ_TITLE.search(title):
        pairs = _in_turn(body)
    return tuple(pairs) if len(pairs) >= _MIN_PAIRS else ()


def question_text(block: Block) -> str:
    """A question without its label or number."""
    return _NUMBER.sub("", _ASKS.sub("", block.text))


def _pair(question: Block, answer: Sequence[Block]) -> QaPair:
    lines = [_ANSWERS.sub("", answer[0].text), *(block.text for block in answer[1:])]
    return QaPair(question_text(question), "\n".join(line for line in lines if line))


def _labelled(body: Sequence[Block]) -> list[QaPair]:
    """问： and 答： in turn."""
    pairs: list[QaPair] = []
    question: Block | None = None
    answer: list[Block] = []
    for block in [*body, None]:
        if block is None or _ASKS.match(block.plain):
            if question and answer:
                pairs.append(_pair(question, answer))
            question, answer = block, []
        elif question is not None and (answer or _ANSWERS.match(block.plain)):
            answer.append(block)
        elif question is not None:
            question = None
    return pairs


def _in_turn(body: Sequence[Block]) -> list[QaPair]:
    """Bare lines: a question, its answer, the next question."""
    starts = [position for position, block in enumerate(body) if block.plain[-1] == "?" and _asks(block)]
    ends = [*starts[1:], len(body)][: len(starts)]
    held = [(start, end) for start, end in zip(starts, ends, strict=True) if any(map(is_prose, body[start + 1 : end]))]
    return [_pair(body[start], body[start + 1 : end]) for start, end in held] if len(held) >= _MIN_BARE else []


def _listed(body: Sequence[Block], found: HtmlBlocks) -> list[QaPair]:
    """dt and dd, summary and the rest of its details."""
    held: list[tuple[Block, list[Block]]] = []
    question: Block | None = None
    answer: list[Block] = []
    for block in [*body, None]:
        tags = {found.elements[number].tag for number in block.path} if block is not None else set()
        if block is None or tags & {"dt", "summary"}:
            if question and answer:
                held.append((question, answer))
            question, answer = block, []
        elif question is not None and tags & {"dd", "details"}:
            answer.append(block)
        elif question is not None and not tags & {"dl", "details"}:
            if answer:
                held.append((question, answer))
            question, answer = None, []
    asking = sum(_asks(question) for question, _ in held)
    if asking < _MIN_PAIRS:
        return []
    mostly = asking * 3 >= len(held) * 2  # then the others ask too, as people do: 眼白上一片血红，吓死我了！
    return [_pair(question, answer) for question, answer in held if mostly or _asks(question)]


def _boxed(body: Sequence[Block], found: HtmlBlocks) -> list[QaPair]:
    """Brothers of one kind, each a question and its answer; two of three of them at least."""
    inside: defaultdict[int, list[Block]] = defaultdict(list)
    for block in body:
        for number in block.path:
            inside[number].append(block)
    families: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)
    for number in inside:
        families[found.elements[number].parent, found.elements[number].signature].append(number)
    for family in families.values():
        asked = [number for number in family if _is_pair(inside[number])]
        if len(asked) >= _MIN_PAIRS and len(asked) * 3 >= len(family) * 2:
            return [_pair(inside[number][0], inside[number][1:]) for number in asked]
    return []


def _is_pair(blocks: Sequence[Block]) -> bool:
    return len(blocks) >= 2 and _asks(blocks[0]) and any(is_prose(block) for block in blocks[1:])


def _asks(block: Block) -> bool:
    plain = _NUMBER.sub("", block.plain)
    return len(plain) <= _QUESTION_CHARS and bool(_IS_QUESTION.search(plain) or _ASKS.match(block.plain))
