"""What cleaning can say of a page, a block or an answer: reasons and flaws, with their Chinese labels."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why a block or a page did not become text to search. The value is stable; the label is for people."""

    # blocks taken out of a page that is kept
    NAVIGATION = "navigation"
    RELATED_LIST = "related_list"
    LINK_FARM = "link_farm"
    ADVERTISEMENT = "advertisement"
    DISCLAIMER = "disclaimer"
    FOOTER = "footer"
    METADATA = "metadata"
    HIDDEN = "hidden"
    OWN_TITLE = "own_title"
    COMMENT = "comment"
    REPEATED = "repeated"
    EDITOR = "editor"
    # whole pages
    EMPTY = "empty"
    NO_CONTENT = "no_content"
    UNREADABLE = "unreadable"
    BAD_CHARSET = "bad_charset"
    BAD_RECORD = "bad_record"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_SLOW = "too_slow"
    CRASHED = "crashed"
    DUPLICATE_ID = "duplicate_id"
    TAKEN_DOWN = "taken_down"
    LEFT_OUT = "left_out"

    @property
    def label(self) -> str:
        """The reason in Chinese, as an editor reads it."""
        return _REASON_LABELS[self]


_REASON_LABELS: Mapping[Reason, str] = {
    Reason.NAVIGATION: "导航",
    Reason.RELATED_LIST: "相关列表",
    Reason.LINK_FARM: "链接农场",
    Reason.ADVERTISEMENT: "广告",
    Reason.DISCLAIMER: "免责声明",
    Reason.FOOTER: "页脚",
    Reason.METADATA: "页面信息",
    Reason.HIDDEN: "隐藏文字",
    Reason.OWN_TITLE: "与本页标题重复",
    Reason.COMMENT: "网友评论",
    Reason.REPEATED: "同站多页重复",
    Reason.EDITOR: "编辑标为广告或无关",
    Reason.EMPTY: "空页面",
    Reason.NO_CONTENT: "没有正文",
    Reason.UNREADABLE: "无法读取",
    Reason.BAD_CHARSET: "编码无法识别",
    Reason.BAD_RECORD: "记录格式错误",
    Reason.TOO_LARGE: "超过大小上限",
    Reason.TOO_DEEP: "嵌套过深",
    Reason.TOO_SLOW: "清洗超时",
    Reason.CRASHED: "清洗进程退出",
    Reason.DUPLICATE_ID: "编号重复",
    Reason.TAKEN_DOWN: "已下架",
    Reason.LEFT_OUT: "编辑留出",
}


class Flaw(StrEnum):
    """What a reader of an answer should know, and a ranker may count against it."""

    CUT_OFF = "cut_off"
    MASKED = "masked"
    SPUN = "spun"
    INLINE_PINYIN = "inline_pinyin"
    CURE_PROMISE = "cure_promise"
    STOCK_ANSWER = "stock_answer"
    COPY = "copy"

    @property
    def label(self) -> str:
        """The flaw in Chinese, as an editor reads it."""
        return _FLAW_LABELS[self]


_FLAW_LABELS: Mapping[Flaw, str] = {
    Flaw.CUT_OFF: "文字不完整",
    Flaw.MASKED: "有被屏蔽的词",
    Flaw.SPUN: "疑似机器改写",
    Flaw.INLINE_PINYIN: "夹杂拼音",
    Flaw.CURE_PROMISE: "承诺疗效",
    Flaw.STOCK_ANSWER: "同一回答用于多个问题",
    Flaw.COPY: "与其他答案雷同",
}
