"""What should not stand in an answer: advertisements, link farms, addresses of other sites, characters read wrongly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.decode import is_garbled
from indexer.errors import ResourceError
from indexer.extract import load_site_templates
from indexer.extract.site_templates import plain
from indexer.quality_gate.page_facts import PageFacts, Sampled
from indexer.records import Block, host_of
from indexer.spam import SpamRules, is_advertisement, is_link_farm

_ADDRESS = re.compile(
    r"https?://[^\s\u4e00-\u9fff，。；、）)】\"'<>]+|(?<![\w.@/])www\.[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)
#: of public bodies, which an answer may well send its readers to
_PUBLIC_HOST = re.compile(r"(^|\.)(gov|edu|org|who)(\.[a-z]{2,3})?$")
_EXAMPLES = 3


@dataclass
class Found:
    """What was found in the answers of one site; filled while they are read, then left alone."""

    looked_at: int = 0
    leaking: int = 0
    leaking_pages: int = 0  #: of scraped pages
    scraped: int = 0
    garbled: int = 0
    examples: list[str] = field(default_factory=list)  #: the words that leak
    garbled_examples: list[str] = field(default_factory=list)


def load_rules(resources: Sequence[Path]) -> list[SpamRules]:
    """The spam rules of each folder of resources that can be read."""
    rules: list[SpamRules] = []
    for folder in resources:
        try:
            rules.append(load_site_templates(folder).general)
        except ResourceError:
            if folder == resources[0]:
                raise
    return rules


def leaks_of(facts: PageFacts, rules: Sequence[SpamRules]) -> Mapping[str, Found]:
    """By site, of the sample."""
    found: dict[str, Found] = {}
    for site, answers in facts.sample.items():
        here = found[site] = Found()
        for answer in answers:
            _look_at(answer, rules, here)
    return found


def _look_at(answer: Sampled, rules: Sequence[SpamRules], found: Found) -> None:
    found.looked_at += 1
    found.scraped += not answer.is_record
    if leak := leak_in(answer.text, answer.hosts, rules):
        found.leaking += 1
        found.leaking_pages += not answer.is_record
        if len(found.examples) < _EXAMPLES:
            found.examples.append(leak)
    if is_garbled(f"{answer.question}\n{answer.text}"):
        found.garbled += 1
        if len(found.garbled_examples) < _EXAMPLES:
            found.garbled_examples.append(answer.text[:20])


def leak_in(text: str, own_hosts: frozenset[str], rules: Sequence[SpamRules]) -> str | None:
    """The first line of an answer that advertises or farms links by any of the rules, or the first address of another
    site; None when there is none.
    """
    for line in text.split("\n"):
        block = Block(line, plain(line))
        if any(is_advertisement(block, each) or is_link_farm(block, each) for each in rules):
            return line.strip()[:40]
    for address in _ADDRESS.findall(text):
        host = host_of(address if "//" in address else f"//{address}") or ""
        if not any(_same_site(host, own) for own in own_hosts) and not _PUBLIC_HOST.search(host):
            return str(address)[:60]
    return None


def _same_site(host: str, own: str) -> bool:
    host, own = host.removeprefix("www."), own.removeprefix("www.").removeprefix("m.")
    return host == own or host.endswith(f".{own}")
