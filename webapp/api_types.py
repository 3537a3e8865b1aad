"""What the API replies, as types: the schemas of its document, and what its tests compare the replies with.

Every field is always there, unless it has a default here. Replies only gain fields. The docstrings of types are what
readers of the document see, and so in Chinese, like all descriptions.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Count = Annotated[int, Meta(ge=0)]
#: [start, end) in characters of a text
Span = Annotated[list[Count], Meta(min_length=2, max_length=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Kind = Annotated[
    Literal["article", "doctor_answer", "reader_reply", "qa_excerpt"],
    Meta(description="类型：article 网页文章，doctor_answer 医生回答，reader_reply 网友回复，qa_excerpt 问答摘录"),
]

_ID = Meta(description="回答的编号，用于 /api/v1/answers/{answer_id}")
_AUTHOR = Meta(description="作者；原文没有写明时为 null")
_DATE = Meta(description="日期，YYYY-MM-DD 或带时间；原文没有写明时为 null，写法不规范时照录")
_URL = Meta(description="原文地址；不知道时为 null。照录原文，打开前请确认是 http 或 https")
_SITE = Meta(description="原文所在的网站；不知道时为 null")
_COPIES = Meta(description="另有几条回答与它内容相同，已合并")
_TRUST = Meta(description="编辑对来源的评定；没有评定时为 null")
_GENERATION = Meta(description="给出结果的这一代索引的名称")


class UrgencyCard(Struct, kw_only=True):
    """急症提示：问题说的情况可能危急时出现，请放在所有结果之前。"""

    id: Annotated[str, Meta(description="这条提示的编号")]
    level: Annotated[
        Literal["emergency", "today", "watch"],
        Meta(description="紧急程度：emergency 立即拨打 120，today 今天就去医院，watch 尽快看医生"),
    ]
    title: Annotated[str, Meta(description="标题")]
    text: Annotated[str, Meta(description="现在该做什么")]
    source: Annotated[str, Meta(description="所依据的公开指南")]
    source_url: Annotated[str | None, Meta(description="指南的地址")]
    reviewed_by: Annotated[str | None, Meta(description="审阅的医生；尚未审阅时为 null")]
    phones: Annotated[list[str], Meta(description="该拨打的电话，最要紧的在前")]


class DirectAnswer(Struct, kw_only=True):
    """直接答案：从一条回答里逐字摘出的句子。"""

    id: Annotated[str, _ID]
    text: Annotated[str, Meta(description="摘出的原话")]
    start: Annotated[Count, Meta(description="原话在回答全文中的起点（第几个字符，从 0 数起）")]
    end: Annotated[Count, Meta(description="原话在回答全文中的终点（不含）")]
    question: Annotated[str, Meta(description="这条回答所答的问题；没有时为空")]
    author: Annotated[str | None, _AUTHOR]
    date: Annotated[str | None, _DATE]
    url: Annotated[str | None, _URL]
    site: Annotated[str | None, _SITE]


class Sibling(Struct, kw_only=True):
    """同一网页上的另一条回答。"""

    id: Annotated[str, _ID]
    question: Annotated[str, Meta(description="它所答的问题；没有时为空")]
    copies: Annotated[Count, _COPIES]


class SourceTrust(Struct, kw_only=True):
    """编辑对一个来源的评定。"""

    site: Annotated[str, Meta(description="评定的网站，或它的上级域名")]
    state: Annotated[
        Literal["trusted", "normal", "doubtful", "excluded"],
        Meta(description="评定：trusted 可靠，normal 一般，doubtful 存疑，excluded 不收录"),
    ]
    evidence: Annotated[str, Meta(description="评定的依据")]
    link: Annotated[str | None, Meta(description="依据所在的网页，https 地址；没有时为 null")]


class Hit(Struct, kw_only=True):
    """一条结果。"""

    rank: Annotated[int, Meta(ge=1, description="名次，从 1 数起，各页连续")]
    id: Annotated[str, _ID]
    score: Annotated[float, Meta(description="排序的分数，只能在同一次搜索之内比较")]
    kind: Kind
    question: Annotated[str, Meta(description="所答的问题，或文章的标题；没有时为空")]
    answer: Annotated[str, Meta(description="回答全文，每段一行")]
    snippet: Annotated[str, Meta(description="全文中与问题最有关的一段")]
    highlights: Annotated[list[Span], Meta(description="snippet 中该标出的字：[起点, 终点)，按字符数")]
    author: Annotated[str | None, _AUTHOR]
    date: Annotated[str | None, _DATE]
    url: Annotated[str | None, _URL]
    site: Annotated[str | None, _SITE]
    topic: Annotated[str | None, Meta(description="原文的栏目或科室；不知道时为 null")]
    copies: Annotated[Count, _COPIES]
    more: Annotated[list[Sibling], Meta(description="同一网页上也相关的其他回答")]
    features: Annotated[dict[str, Share], Meta(description="排序所用的各项依据，0 到 1；名称和含义见 docs/quality.md")]
    pinned: Annotated[bool, Meta(description="true 表示由编辑置顶，不按分数排列")]
    by_meaning: Annotated[bool, Meta(description="true 表示用词不同，因意思相近而找到")]
    source_trust: Annotated[SourceTrust | None, _TRUST]


class SearchReply(Struct, kw_only=True):
    """一次搜索的结果。"""

    query: Annotated[str, Meta(description="参与搜索的问题；太长的部分不在内")]
    corrected: Annotated[
        str | None, Meta(description="实际搜索的文字：问题里有错字、拼音等时与 query 不同，否则为 null")
    ]
    alternatives: Annotated[list[str], Meta(description="问题的其他可能读法，最可能的在前")]
    aspects: Annotated[list[str], Meta(description="问的是哪些方面，主要的在前")]
    entity: Annotated[str | None, Meta(description="问的主要是哪种疾病、症状或药物（规范名称）")]
    generation: Annotated[str, _GENERATION]
    total: Annotated[Count, Meta(description="共有多少条结果；没有结果是 0，不是错误")]
    partial: Annotated[bool, Meta(description="true 表示时间不够，没有看完全部候选")]
    meaning: Annotated[
        Literal["on", "late", "off"],
        Meta(description="是否也按意思查找：on 是，late 这次没来得及，off 没有启用或还没有向量"),
    ]
    answer: Annotated[DirectAnswer | None, Meta(description="直接答案；没有足够把握时为 null，第 2 页起也为 null")]
    urgency: Annotated[UrgencyCard | None, Meta(description="急症提示；没有时为 null")]
    topic: Annotated[str | None, Meta(description="可用于 /api/v1/topics/{name} 的主题；没有时为 null")]
    aspect_counts: Annotated[dict[str, Count], Meta(description="各方面的结果数；没有结果的方面不在内")]
    unmatched: Annotated[list[str], Meta(description="问题中本页没有一条结果提到的词")]
    related: Annotated[list[str], Meta(description="相关的问题")]
    hits: Annotated[list[Hit], Meta(description="这一页的结果，最好的在前")]
    page: Annotated[int, Meta(ge=1, description="第几页")]
    limit: Annotated[int, Meta(ge=1, description="每页最多几条")]


class Suggestion(Struct, kw_only=True):
    """一条联想。"""

    text: Annotated[str, Meta(description="可以搜索的文字")]
    kind: Annotated[
        Literal["term", "question", "correction"],
        Meta(description="类型：term 疾病、症状等名称，question 已收录的问题，correction 改正了错字的写法"),
    ]


class SuggestReply(Struct, kw_only=True):
    """输入联想。"""

    query: Annotated[str, Meta(description="已输入的文字")]
    suggestions: Annotated[list[Suggestion], Meta(description="联想，最可能的在前；没有时为空")]


class AnswerReply(Struct, kw_only=True):
    """一条回答的全文。"""

    id: Annotated[str, _ID]
    kind: Kind
    question: Annotated[str, Meta(description="所答的问题，或文章的标题；没有时为空")]
    answer: Annotated[str, Meta(description="回答全文，每段一行")]
    author: Annotated[str | None, _AUTHOR]
    date: Annotated[str | None, _DATE]
    url: Annotated[str | None, _URL]
    site: Annotated[str | None, _SITE]
    topic: Annotated[str | None, Meta(description="原文的栏目或科室；不知道时为 null")]
    views: Annotated[int | None, Meta(description="原文写明的浏览数；不知道时为 null")]
    likes: Annotated[int | None, Meta(description="原文写明的点赞数；不知道时为 null")]
    source_trust: Annotated[SourceTrust | None, _TRUST]


class TopicSection(Struct, kw_only=True):
    """一个主题的一个方面。"""

    aspect: Annotated[str, Meta(description="方面，如 治疗")]
    count: Annotated[Count, Meta(description="这个方面共有多少条结果")]
    hits: Annotated[list[Hit], Meta(description="其中最好的几条")]


class TopicReply(Struct, kw_only=True):
    """一个主题（疾病、症状、药物等）的收录情况。"""

    topic: Annotated[str, Meta(description="主题的规范名称")]
    other_names: Annotated[list[str], Meta(description="它的其他名称，用任一名称都能找到它")]
    total: Annotated[Count, Meta(description="共有多少条结果，不分方面")]
    generation: Annotated[str, _GENERATION]
    sections: Annotated[list[TopicSection], Meta(description="各个方面，没有结果的不在内")]


class AliveReply(Struct, kw_only=True):
    """程序在运行。"""

    status: Annotated[Literal["ok"], Meta(description="总是 ok")]


class ReadyReply(Struct, kw_only=True):
    """可以搜索。"""

    status: Annotated[Literal["ready"], Meta(description="总是 ready")]
    generation: Annotated[str, _GENERATION]
    problems: Annotated[list[str], Meta(description="使用的不是最新一代索引时的原因；一切正常时为空")]


class Error(Struct, kw_only=True):
    """出了什么错。"""

    code: Annotated[str, Meta(description="错误的代码，不会改变含义，供程序判断")]
    message: Annotated[str, Meta(description="错误的说明，供人阅读，文字可能会改")]


class ErrorReply(Struct, kw_only=True):
    """所有错误的格式。"""

    error: Error
    urgency: Annotated[
        UrgencyCard | UnsetType,
        Meta(description="出了错也应显示的急症提示；没有时不出现"),
    ] = UNSET
