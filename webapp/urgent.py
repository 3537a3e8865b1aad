"""What to do now, for questions that tell of an emergency: without an index, and never in the way of a page."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import indexer
from indexer import UrgencyCard

LEVELS = {"today": "今天就去医院", "watch": "尽快看医生"}
#: what a number is, for those who do not know it by heart
PHONE_NAMES = {"120": "急救", "110": "报警", "119": "火警", "12356": "心理援助热线", "12320": "卫生热线"}

_log = logging.getLogger(__name__)


def urgency_of(question: str, resources: Path | None = None, data: Path | None = None) -> UrgencyCard | None:
    """The card that a question calls for, whatever has become of the engine; None also when that cannot be said."""
    if not question:
        return None
    try:
        return indexer.urgency_card(question, resources, data)
    except Exception as error:  # a rule that cannot be read must not cost anybody the page
        # The error's own words may hold the question, which no log may.
        _log.error("急症规则没有起作用：%s", type(error).__name__)
        return None


def level_label(card: UrgencyCard) -> str:
    """What stands at the head of a card. An emergency names the number that is to be called first."""
    if card.level != "emergency":
        return LEVELS.get(card.level, LEVELS["watch"])
    return f"立即拨打{next(iter(callable_phones(card.phones)), '120')}"


def callable_phones(phones: Sequence[str]) -> list[str]:
    """Those that a `tel:` link can dial."""
    return [phone for phone in phones if re.fullmatch(r"[0-9]{3,8}|[0-9][0-9-]{5,15}", phone)]
