"""Who speaks: labels such as 医生： and 患者：, 追问 and 追答, on lines of their own or before the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from indexer.extract.site_templates import Rules, first_match, plain
from indexer.records import Block

_TIME = re.compile(r"^[\s:：]*(?:\d{2,4}[-/.年]\d{1,2}[-/.月](?:\d{1,2}日?)?)?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?[\s:：]*")
_ONLY_TIME = re.compile(r"^(?:\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?$")
_TITLE = re.compile(
    r"(医师|药师|护师|护士长|技师|主任|教授|治疗师|营养师|[\u4e00-\u9fff]{2,4}\s+(医生|大夫)(\s|$)"
    r"|(认证|签约|坐诊|值班|特邀)(医生|专家))"
)
SURE_TITLE = re.compile(r"(主任|主治|住院|执业|主管|副)(中|中西医结合)?(医师|药师|护师|技师|教授)")
_NO_DOCTOR = re.compile(
    r"(请|找|问|看|挂|哪|推荐|附近|咨询|预约|建议|遵|类似)[^\s]{0,4}(医师|医生|主任|教授|专家|大夫)"
)
_NAME_LABEL = re.compile(r"^(?P<name>[^\s:。]{2,12}(?: \S{2,6})?) : ?")
_BYLINE_CHARS = 60
_DOCTOR_LABEL = "医生:"


class Role(Enum):
    """Who speaks."""

    DOCTOR = "doctor"
    ASKER = "asker"
    LAY = "lay"


@dataclass(frozen=True)
class Turn:
    """A block with its speaker; the label is no part of it."""

    role: Role
    block: Block


def label_of(block: Block, rules: Rules) -> tuple[Role, str] | None:
    """The speaker that a block names at its beginning, and what it says after that ("" when it is a label only)."""
    for role, patterns in ((Role.ASKER, rules.asker_says), (Role.DOCTOR, rules.doctor_says)):
        if match := first_match(patterns, block.pieces):
            said = _TIME.sub("", block.pieces[match.end() :])
            return role, _tail(block.text, len(_letters(said)))
    return None


def _tail(text: str, letters: int) -> str:
    """The end of a text that has so many letters, from the first of them on."""
    if not letters:
        return ""
    left = len(_letters(text)) - letters
    for position, character in enumerate(text):
        if left <= 0 and (character.isalnum() or character in '（(“"《'):
            return text[position:]
        left -= character.isalnum()
    return ""


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def turns(blocks: Iterable[Block], rules: Rules, speaker: Role | None = None, doctor: str | None = None) -> list[Turn]:
    """Each block with its speaker, from the first label on.

    `speaker` is who speaks before it, if anybody; `doctor` the name by which replies to a post may call the doctor.
    """
    found: list[Turn] = []
    for block in blocks:
        if first_match(rules.system_says, block.plain) or _ONLY_TIME.match(block.plain):
            continue
        label = label_of(block, rules) or (_named_speaker(block, doctor) if doctor else None)
        if label is not None:
            speaker, said = label
            if said:
                found.append(Turn(speaker, replace(block, text=said, plain=plain(said))))
        elif speaker is not None:
            found.append(Turn(speaker, block))
    return found


def _named_speaker(block: Block, doctor: str) -> tuple[Role, str] | None:
    """A reply that begins with its author's name, set off from the colon after it."""
    match = _NAME_LABEL.match(block.pieces)
    if match is None:
        return None
    said = _tail(block.text, len(_letters(block.pieces[match.end() :])))
    return (Role.DOCTOR if doctor in match["name"] else Role.LAY), said


def doctor_turns(blocks: Sequence[Block], rules: Rules, doctor: str | None = None) -> list[Block]:
    """What the doctor says in a dialogue; empty where it is none, with labels of both.

    `doctor` is a name that labels the doctor's turns too, on a line of its own.
    """
    named = [replace(b, pieces=_DOCTOR_LABEL) if doctor and b.plain == doctor else b for b in blocks]
    roles = Counter(label[0] for block in named if (label := label_of(block, rules)))
    if not roles[Role.DOCTOR] or not roles[Role.ASKER] or (doctor and roles[Role.DOCTOR] + roles[Role.ASKER] < 3):
        return []
    return [turn.block for turn in turns(named, rules) if turn.role is Role.DOCTOR]


def is_doctor_byline(block: Block) -> bool:
    """A short line with a doctor's title; no sentence, and no heading such as 什么时候要看医生."""
    if len(block.plain) > _BYLINE_CHARS or block.plain[-1] in "。?!;,":
        return False
    if SURE_TITLE.search(block.pieces):
        return True
    return _TITLE.search(block.pieces) is not None and _NO_DOCTOR.search(block.pieces) is None
