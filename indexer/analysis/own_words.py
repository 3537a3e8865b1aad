"""Changes of a site's own asking words and stop words (`lexicon/own_questions.toml`), as texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.analysis.normalize import normalize
from indexer.analysis.question import OWN_QUESTIONS, WORD_LISTS, OwnWords, own_words_of, shipped_words
from indexer.errors import ResourceError
from indexer.resources import toml_value

OWN_WORDS_PATH = f"lexicon/{OWN_QUESTIONS}"
MAX_WORD_CHARS = 20
_HEAD = (
    "# 本站加减的提问用词；由编辑台写成，也可以手工修改。每个列表可有 add（加上的词）和 remove（去掉的随程序的词）。\n"
)


@dataclass(frozen=True)
class WordList:
    """One list of words, as it came with the program and with the site's own."""

    name: str  #: as own_questions.toml names it: asking, population.小儿
    label: str  #: in Chinese
    shipped: tuple[str, ...]  #: some of politeness, population, side and duration are regular expressions
    own: OwnWords

    @property
    def is_changed(self) -> bool:
        """Whether the site has words of its own."""
        return self.own != OwnWords()


def word_lists(resources: Path, text: str | None) -> list[WordList]:
    """All lists, with this text of own_questions.toml. Raises ResourceError."""
    own = _parsed(text)
    return [
        WordList(name, label_of(name), words, own.get(name, OwnWords()))
        for name, words in shipped_words(resources).items()
    ]


def label_of(name: str) -> str:
    """A list's name for people: 人群：小儿."""
    table, _, part = name.partition(".")
    return f"{WORD_LISTS.get(table, table)}{f'：{part}' if part else ''}"


def change_words(resources: Path, text: str | None, name: str, word: str, add: bool) -> str:
    """The text with a word added to a list, or taken from it. Adding one that was taken away puts it back, and taking
    away one that was added forgets it. Raises ResourceError.
    """
    lists = {one.name: one for one in word_lists(resources, text)}
    if name not in lists:
        raise ResourceError(f"没有“{name}”这个列表；可用的有 {'、'.join(lists)}。")
    found = lists[name]
    changed = _added(found, word) if add else _taken(found, word)
    return _text({one.name: one.own for one in lists.values()} | {name: changed})


def _added(found: WordList, word: str) -> OwnWords:
    if word in found.own.remove:
        return replace(found.own, remove=tuple(one for one in found.own.remove if one != word))
    normal = normalize(word).text
    if not normal or len(word) > MAX_WORD_CHARS or any(c.isspace() or not c.isprintable() for c in word):
        raise ResourceError(f"请写一个词，最多 {MAX_WORD_CHARS} 个字，中间没有空白。")
    if normal in found.shipped or normal in found.own.add:
        raise ResourceError(f"“{word}”已在“{found.label}”中。")
    return replace(found.own, add=(*found.own.add, normal))


def _taken(found: WordList, word: str) -> OwnWords:
    if word in found.own.add:
        return replace(found.own, add=tuple(one for one in found.own.add if one != word))
    if word not in found.shipped or word in found.own.remove:
        raise ResourceError(f"“{word[:MAX_WORD_CHARS]}”不在“{found.label}”中。")
    if set(found.shipped) - {*found.own.remove, word} == set() and not found.own.add:
        raise ResourceError(f"“{found.label}”不能一个词都没有。")
    return replace(found.own, remove=(*found.own.remove, word))


def _parsed(text: str | None) -> dict[str, OwnWords]:
    try:
        return own_words_of(Path(OWN_WORDS_PATH), tomllib.loads(text or ""))
    except tomllib.TOMLDecodeError as error:
        raise ResourceError(f"提问用词 {OWN_WORDS_PATH} 不是有效的 TOML：{error}") from error


def _text(lists: Mapping[str, OwnWords]) -> str:
    parts = [_HEAD]
    for name, words in lists.items():
        if words == OwnWords():
            continue
        table, _, part = name.partition(".")
        parts.append(f"\n[{table}{f'.{toml_value(part)}' if part else ''}]\n")
        parts += [f"{key} = {toml_value(own)}\n" for key, own in (("add", words.add), ("remove", words.remove)) if own]
    return "".join(parts)
