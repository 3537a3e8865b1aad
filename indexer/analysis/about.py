"""What an answer is about, found once when it is indexed: facts that ranking compares with what a question asks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.analysis.analyzer import Analyzer, outermost
from indexer.analysis.question import found_in
from indexer.records import Answer

#: of the terms that an answer's head names, so many are kept
MAX_ENTITIES = 4
_MAX_HEAD_CHARS = 60
#: a text no longer than this is a title that stands alone
_MAX_TITLE_CHARS = 40
_MAX_HEADING_CHARS = 24
_SENTENCE = re.compile(r"[^。！？!?；;\n]*")
_ENDS_SENTENCE = re.compile(r"[。；;，,：:]$")


@dataclass(frozen=True)
class About:
    """Of one answer. Its head is its question, or without one the first sentence of its text."""

    entities: tuple[str, ...]  #: names of the illnesses and complaints in its head, in their order, then of its topic
    aspects: tuple[str, ...]  #: that its question asks about, or its headings name
    populations: tuple[str, ...]  #: that its head names


def about(answer: Answer, analyzer: Analyzer) -> About:
    """What an answer is about."""
    head = analyzer.normalized(answer.question or _first_sentence(answer.text)).text
    mentions = list(outermost(analyzer.segmenter.mentions(head)))
    terms = analyzer.lexicon.terms
    of_topic = outermost(analyzer.segmenter.mentions(analyzer.normalized(answer.topic or "").text))
    named_terms = [*mentions, *of_topic]
    entities = dict.fromkeys(each.name for each in named_terms if terms[each.name].kind in ("disease", "symptom"))
    is_title = bool(answer.question) or len(answer.text) <= _MAX_TITLE_CHARS
    named = analyzer.aspects.find(head, mentions, analyzer.lexicon) if is_title else analyzer.aspects.named(head)
    headed = analyzer.aspects.named("\n".join(map(analyzer.lexicon.normal, _headings(answer.text))))
    return About(
        entities=tuple(entities)[:MAX_ENTITIES],
        aspects=tuple(dict.fromkeys([*named, *headed])),
        populations=found_in(analyzer.rules.populations, head),
    )


def _first_sentence(text: str) -> str:
    found = _SENTENCE.match(text.lstrip())
    return found[0][:_MAX_HEAD_CHARS] if found else ""


def _headings(text: str) -> list[str]:
    """Lines that are no sentences; none in a text of one line."""
    lines = text.splitlines() if "\n" in text else []
    return [line for line in lines if 1 < len(line) <= _MAX_HEADING_CHARS and not _ENDS_SENTENCE.search(line)]
