"""The calls of the API, each declared once: from here come its address, what it reads, its document and its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from indexer import ASPECTS
from webapp.api_types import AliveReply, AnswerReply, ReadyReply, SearchReply, SuggestReply, TopicReply
from webapp.parameters import Choice, Number, Parameter, Switch, Text

#: A domain name has at most this many characters (RFC 1035).
MAX_SITE_CHARS = 253
MAX_LIMIT = 100
MAX_PAGE = 1000
MAX_SUGGESTIONS = 20

QUESTION = Text(
    "q",
    "",
    "问题或关键词，用平常的话写。控制字符算作空格；超出长度上限（默认 200 字）的部分不参与搜索。",
    "面肌痉挛怎么治",
    required=True,
)
LIMIT = Number("limit", 10, "每页最多几条结果。", "5", highest=MAX_LIMIT)
PAGE = Number("page", 1, "第几页。超出最后一页时没有结果，不是错误。", "1", highest=MAX_PAGE)
SITE = Text(
    "site", "", "只要这个网站的回答，写法同结果中的 site。空值表示不限。", "jiankang.example", max_chars=MAX_SITE_CHARS
)
ASPECT = Choice("aspect", None, "只要关于这个方面的回答。空值表示不限。", "治疗", choices=ASPECTS, noun="方面")
EXACT = Switch("exact", False, "照原样搜索，不改正错字和拼音。", "0")
TYPED = Text("q", "", "已输入的文字，可以是拼音。空值没有联想，不是错误。", "mianji")
SUGGESTION_LIMIT = Number("limit", 8, "最多几条联想。", "8", highest=MAX_SUGGESTIONS)


@dataclass(frozen=True)
class PathPart:
    """What stands in the path of an address; it may hold slashes, written as %2F or as they are."""

    name: str
    description: str
    example: str

    def as_dict(self) -> dict[str, Any]:
        """The parameter object of OpenAPI 3.1."""
        return {
            "name": self.name,
            "in": "path",
            "required": True,
            "description": self.description,
            "schema": {"type": "string", "minLength": 1},
            "example": self.example,
        }


@dataclass(frozen=True)
class Operation:
    """One call."""

    id: str  #: operationId, and the endpoint in the site: `api.<id>`
    path: str  #: with the part in braces that the caller writes
    tag: str
    summary: str
    description: str
    reply: type
    errors: tuple[int, ...]  #: statuses besides 200 that are its own; those of every call are not here
    parameters: tuple[Parameter[Any], ...] = ()
    part: PathPart | None = None
    is_versioned: bool = True  #: false for what watches over the site: no ETag, and any parameter is passed over

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return re.sub(r"\{(\w+)\}", r"<path:\1>", self.path)


SEARCH = Operation(
    id="search",
    path="/api/v1/search",
    tag="搜索",
    summary="搜索",
    description="从已收录的文章和问答里找回答，最好的在前。内容相同的合并为一条，同一网页上的其他回答在 more 里。",
    reply=SearchReply,
    errors=(400, 414, 503),
    parameters=(QUESTION, LIMIT, PAGE, SITE, ASPECT, EXACT),
)
SUGGEST = Operation(
    id="suggest",
    path="/api/v1/suggest",
    tag="搜索",
    summary="输入联想",
    description="已输入的文字可能要问什么。已输入的文字不会记入查询日志。",
    reply=SuggestReply,
    errors=(400, 414, 503),
    parameters=(TYPED, SUGGESTION_LIMIT),
)
ANSWER = Operation(
    id="answer",
    path="/api/v1/answers/{answer_id}",
    tag="内容",
    summary="一条回答",
    description="一条回答的全文和出处。",
    reply=AnswerReply,
    errors=(400, 404, 414, 503),
    part=PathPart("answer_id", "回答的编号，即结果中的 id", "0123456789abcdef"),
)
TOPIC = Operation(
    id="topic",
    path="/api/v1/topics/{name}",
    tag="内容",
    summary="一个主题",
    description="一种疾病、症状、药物等在各个方面的收录情况，每个方面给出最好的几条。",
    reply=TopicReply,
    errors=(400, 404, 414, 503),
    part=PathPart("name", "主题的任一名称，例如结果中的 topic", "面肌痉挛"),
)
ALIVE = Operation(
    id="alive",
    path="/healthz",
    tag="运维",
    summary="程序是否在运行",
    description="只要程序在运行就是 200，与索引无关。",
    reply=AliveReply,
    errors=(),
    is_versioned=False,
)
READY = Operation(
    id="ready",
    path="/readyz",
    tag="运维",
    summary="是否可以搜索",
    description="能够搜索时是 200，并给出正在使用的一代索引；否则是 503 和原因。",
    reply=ReadyReply,
    errors=(503,),
    is_versioned=False,
)
OPERATIONS = (SEARCH, SUGGEST, ANSWER, TOPIC, ALIVE, READY)
