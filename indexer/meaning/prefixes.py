"""What families of models want before a text. Where a folder says so itself, that counts; an address says nothing."""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """How the models of one family are asked, as their authors' cards say."""

    question_prefix: str = ""
    answer_prefix: str = ""
    pooling: str = "mean"  #: how the vectors of characters become one: "mean", "cls" or "lasttoken"


#: the first whose key stands in a model's name, in lower case
_FAMILIES = {
    "multilingual-e5": Family("query: ", "passage: "),
    "e5-": Family("query: ", "passage: "),
    "bge-m3": Family(pooling="cls"),
    "bge-": Family("为这个句子生成表示以用于检索相关文章：", pooling="cls"),
    "gte-": Family(pooling="cls"),
    "qwen3-embedding": Family(
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
        pooling="lasttoken",
    ),
}


def family_of(name: str) -> Family:
    """Of a model by its name; one that is not known wants nothing."""
    lower = name.lower()
    return next((family for key, family in _FAMILIES.items() if key in lower), Family())
