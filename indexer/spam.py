"""What is commercial or unrelated. Facts are measured first, decisions follow from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Protocol

from indexer.records import Block
from indexer.verdicts import Reason


class SpamPatterns(Protocol):
    """Patterns, and one that matches where any of them does."""

    @property
    def either(self) -> re.Pattern[str]: ...

    def __iter__(self) -> Iterator[re.Pattern[str]]: ...


class SpamRules(Protocol):
    """What the rules of a site say about spam; patterns see `Block.plain`."""

    @property
    def advertisement(self) -> SpamPatterns: ...

    @property
    def unrelated_topic(self) -> SpamPatterns: ...


_MIN_FARM_LINKS = 6
_CONTACT = re.compile(r"(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4}|(QQ|qq|微信|VX|vx)\D{0,4}[A-Za-z0-9_]{5,})")
#: said before a sign in the same clause, these warn of it: 不要相信祖传秘方
_WARNING = re.compile(
    r"(不要|不可|(?<![特识分区鉴差个级])别(?!人)|勿|切忌|警惕|谨防|轻信|虚假|骗|所谓|声称|号称|没有|并无|不存在)"
)
#: what is said of an advertisement by one who is none
_EXPOSED = re.compile(
    r"(不可信|不能信|千万别|来路不明|掺了?激素|别信|不要信|多半是|都是骗|骗人|骗局|上当|虚假|不靠谱|没有(科学)?(依据|根据))"
)
_CLAUSE_END = re.compile(r"[,。;!?]")
#: emergency and public help lines; telling of one is advice, however short
_PUBLIC_LINE = re.compile(
    r"((?<!\d)(110|119|120|122|999|12320|12345|12355|12356)(?!\d)|(急诊|急救|报警|求助)(电话|热线))"
)
_SENTENCE = re.compile(r"[^。！？!?；;]*[。！？!?；;]?[”」』）)]?")
_MAX_AD_CHARS = 160  # longer blocks are articles with an unlucky word
_SHORT_AD_CHARS = 60


def title_like_pieces(text: str) -> list[str]:
    """The pieces of a line that reads as titles set side by side; empty when it reads as sentences."""
    pieces = text.split()
    if len(pieces) < _MIN_FARM_LINKS or any("。" in piece or len(piece) > 60 for piece in pieces):
        return []
    long_enough = [piece for piece in pieces if len(piece) >= 5]
    return pieces if len(long_enough) >= 0.8 * len(pieces) else []


def is_link_farm(block: Block, rules: SpamRules, subject: str = "") -> bool:
    """Many titles in one block, as links or laid out side by side, or a link to a subject foreign to all articles
    but the one whose own subject it is.
    """
    if len(title_like_pieces(block.plain)) >= _MIN_FARM_LINKS:
        return True
    if block.links >= _MIN_FARM_LINKS and block.link_share > 0.6:
        return True
    foreign = (match for pattern in rules.unrelated_topic for match in pattern.finditer(block.plain))
    return block.link_share > 0.8 and any(match[0] not in subject for match in foreign)


def advertisement_signs(block: Block, rules: SpamRules) -> int:
    """How many different signs of an advertisement a block shows, a private way to get in touch among them.

    A sign that its own clause warns of does not count.
    """
    if rules.advertisement.either.search(block.plain) is None:
        return int(_CONTACT.search(block.plain) is not None)
    signs = sum(
        any(not _is_warned_of(block.plain, match.start()) for match in pattern.finditer(block.plain))
        for pattern in rules.advertisement
    )
    return signs + bool(_CONTACT.search(block.plain))


def _is_warned_of(text: str, position: int) -> bool:
    clause = _CLAUSE_END.split(text[:position])[-1]
    return _WARNING.search(clause) is not None


def is_advertisement(block: Block, rules: SpamRules) -> bool:
    """Two signs, or one in a short block; never a sentence that names a public help line and no private contact."""
    if block.ad_texts and (len(block.plain) <= _SHORT_AD_CHARS or block.link_share > 0.5):
        return True
    if len(block.plain) > _MAX_AD_CHARS:
        return False
    if _PUBLIC_LINE.search(block.plain) and not _CONTACT.search(block.plain):
        return False
    if _EXPOSED.search(block.plain) and not _CONTACT.search(block.plain):
        return False
    signs = advertisement_signs(block, rules)
    return signs >= 2 or (signs == 1 and len(block.plain) <= _SHORT_AD_CHARS)


def without_advertising_sentences(block: Block, rules: SpamRules) -> tuple[str, list[str]]:
    """A paragraph's text without the sentences that advertise, and these.

    A sentence advertises by its words, or by a link in it that leads to an advertisement.
    """
    if not block.ad_texts and not advertisement_signs(block, rules):
        return block.text, []
    sentences = [match[0] for match in _SENTENCE.finditer(block.text) if match[0]]
    if len(sentences) < 2:
        return block.text, []
    adverts = [_advertises(sentence, block.ad_texts, rules) for sentence in sentences]
    kept = "".join(sentence for sentence, is_advert in zip(sentences, adverts, strict=True) if not is_advert)
    removed = [sentence for sentence, is_advert in zip(sentences, adverts, strict=True) if is_advert]
    return kept.strip(), removed


def _advertises(sentence: str, ad_texts: tuple[str, ...], rules: SpamRules) -> bool:
    plain = unicodedata.normalize("NFKC", sentence).strip()
    return any(text in sentence for text in ad_texts) or is_advertisement(Block(plain, plain), rules)


def commercial_reason(block: Block, rules: SpamRules, subject: str = "") -> Reason | None:
    """Why a block is spam on a page about this subject; None when it is not."""
    if is_link_farm(block, rules, subject):
        return Reason.LINK_FARM
    if is_advertisement(block, rules):
        return Reason.ADVERTISEMENT
    return None


def kinship(text: str, subject: str) -> float:
    """Share of a text's different letter pairs that another text has too, 0 to 1: how near it is to its subject."""
    pairs, known = _letter_pairs(text), _letter_pairs(subject)
    return len(pairs & known) / max(len(pairs), 1)


def _letter_pairs(text: str) -> set[str]:
    letters = "".join(filter(str.isalnum, text))
    return {letters[i : i + 2] for i in range(len(letters) - 1)}
