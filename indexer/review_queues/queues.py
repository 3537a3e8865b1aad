"""Which queues there are, and what an item of one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True)
class Queue:
    """One list of things to look through."""

    name: str  #: in addresses and commands
    label: str  #: in Chinese, a few characters
    what: str  #: a sentence: what is in it
    order: str  #: a sentence: how it is ordered
    is_of_pages: bool = True  #: made from a generation's pages; else from the query log


_FLAWED_ORDER = "毛病多的在前；一样多时，浏览数大的在前。"
QUEUES: Mapping[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue("copies", "近似重复", "文字几乎相同的答案，原文和副本放在一起。", "份数多的在前。"),
        Queue("spun", "改写或屏蔽", "疑似机器改写、词被屏蔽，或用拼音代字的答案。", _FLAWED_ORDER),
        Queue("cures", "承诺疗效", "承诺治好、根治或疗效的答案。", _FLAWED_ORDER),
        Queue("cut_off", "文字不完整", "话没有说完就断了的答案。", _FLAWED_ORDER),
        Queue("stock", "套话", "同样的文字用在三个或更多问题下。", "问题多的在前。"),
        Queue(
            "removal",
            "清洗异常",
            "清洗时去掉的文字，比同一站点的其他页面多得多或少得多的页面。",
            "偏离本站中位数最远的在前。",
        ),
        Queue(
            "gaps",
            "缺少内容",
            "多次有人搜索，最近一次却没有结果或结果很少的问题。",
            "没有结果的在前；再按搜索的次数，多的在前。",
            is_of_pages=False,
        ),
    )
}


class ReviewText(msgspec.Struct, frozen=True):
    """An answer that an item is about."""

    id: str
    question: str
    text: str  #: clipped to MAX_TEXT_CHARS
    site: str
    url: str | None = None
    date: str | None = None


class ReviewItem(msgspec.Struct, frozen=True):
    """One thing to look at."""

    queue: str  #: a name of QUEUES
    key: str  #: stays the same when the text changes
    digest: str  #: of the texts: another when they change
    title: str
    evidence: tuple[str, ...]  #: the words and figures that show it, in Chinese
    count: int  #: answers that it is about
    texts: tuple[ReviewText, ...]  #: the original first, then the first of the others
    page: str | None = None  #: path, where it is about a whole page


MAX_TEXT_CHARS = 2_000
#: so many answers of an item are kept with their texts
MAX_TEXTS = 20
