"""The article or the answers in the data that a page's own programs start from (__NEXT_DATA__, __INITIAL_STATE__ ...).

Such data has no standard, so it is searched: for values that are called content, answer or the like, beside a title,
a name and a date; and for who wrote them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from indexer.extract.dialogue import Role
from indexer.extract.embedded import Embedded, Pair, Text, markup, parsed_json, plain_text
from indexer.extract.html_tree import Tag
from indexer.extract.metadata import Facts, moment_of, parse_date

_STATE = re.compile(
    r"\b(?:__\w{1,60}__|\w{0,40}(?:state|data|store|props)\w{0,40})\s*=\s*(?:JSON\.parse\()?(?=[{\"'\[])", re.IGNORECASE
)
_CONTENT_KEY = re.compile(r"(content|body|html|text|answer|detail|reply|article|msg|message)", re.IGNORECASE)
_TITLE_KEY = re.compile(r"^(title|headline|subject|question|\w*title|name)$", re.IGNORECASE)
_RELATED_KEY = re.compile(r"(recommend|relate|similar|guess|hot|also)", re.IGNORECASE)
_ASIDE_KEY = re.compile(
    r"(rank|ads?$|banner|side|nav|menu|footer|header|comment|config|seo|setting|dict|tags?$|channel|promo|disclaimer|"
    r"statement|copyright|bio|intro|profile|skill|good_?at|good$|notice|tips?$|modal|app$)",
    re.IGNORECASE,
)
_CRUMB_KEY = re.compile(r"(crumb|^path$|bread)", re.IGNORECASE)
_ASKER_KEY = re.compile(r"(question|ask|patient|describe|desc)", re.IGNORECASE)
_ANSWER_KEY = re.compile(r"(answer|reply|replies|huida|huifu)", re.IGNORECASE)
_ROLE_KEY = re.compile(r"(role|sender|from|identity|user_?type|author_?type|is_?doctor)", re.IGNORECASE)
_DATE_KEY = re.compile(r"(date|time|created|published|at$)", re.IGNORECASE)
_NAME_KEY = re.compile(r"^(name|(doctor|author|nick|real|user)_?name|author)$", re.IGNORECASE)
_LIKES_KEY = re.compile(r"(like|praise|agree|zan|thank|useful|up_?vote|up_?count)", re.IGNORECASE)
_VIEWS_KEY = re.compile(r"(view|read|^pv$|hits|browse|click)", re.IGNORECASE)
_TITLE_OF_DOCTOR = re.compile(r"^\S{0,6}(医师|药师|教授|主任|技师|营养师)$")
_HOSPITAL = re.compile(r"^\S{2,24}(医院|保健院|卫生院|医学中心|诊所|门诊部)$")
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.){40,}"')
_HAN = re.compile("[\u4e00-\u9fff]")
_MIN_HAN = 30  # of all texts together
_MAX_STATE_CHARS = 5_000_000
_MAX_VALUES = 100_000
_MAX_DEPTH = 40


def state(page: Tag) -> Embedded:
    """What the page's data holds; empty where it holds no article and no answer."""
    values = [value for value in _values(page) if isinstance(value, dict | list)]
    for value in values:
        search = _Search()
        search.walk(value, (), _Context())
        if (found := search.result()) is not None:
            return found
    return Embedded() if values else _literals(page)


def _literals(page: Tag) -> Embedded:
    """The texts among the strings of the page's programs, where these are no JSON: __NUXT__=(function(a,b){...})."""
    found = []
    for script in page.iter("script"):
        text = script.text or ""
        for literal in _LITERAL.findall(text) if len(text) <= _MAX_STATE_CHARS and not script.get("src") else ():
            value = parsed_json(literal)
            if isinstance(value, str) and len(_HAN.findall(value)) >= _MIN_HAN:
                found.append(value)
    marked = [value for value in found if re.search(r"<(p|div|br|li)\b|&lt;p", value)]
    return Embedded(texts=tuple(Text(markup(value)) for value in (marked or sorted(found, key=len)[-1:])))


def _values(page: Tag) -> Iterator[Any]:
    for script in page.iter("script"):
        text = script.text or ""
        if len(text) > _MAX_STATE_CHARS or script.get("src") or script.get("type") == "application/ld+json":
            continue
        if script.get("type") in ("application/json", "text/json"):
            yield parsed_json(text)
            continue
        for match in _STATE.finditer(text):
            value = parsed_json(text[match.end() :])
            yield parsed_json(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class _Context:
    """What the values around one say of it."""

    title: str | None = None
    role: Role | None = None
    facts: Facts = Facts()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class _Found:
    text: Text
    context: _Context
    of_asker: bool


class _Search:
    """Walks through a value and keeps the texts in it, by the place they stand in."""

    def __init__(self) -> None:
        self._texts: defaultdict[tuple[str, ...], list[_Found]] = defaultdict(list)
        self._related: list[Pair] = []
        self._crumbs: tuple[str, ...] = ()
        self._left = _MAX_VALUES

    def walk(self, value: Any, path: tuple[str, ...], context: _Context) -> None:
        """Look at a value and all that is in it."""
        self._left -= 1
        if self._left < 0 or len(path) > _MAX_DEPTH:
            return
        if isinstance(value, list):
            for item in value:
                self.walk(item, path, context)
        elif isinstance(value, dict):
            context = _within(value, context)
            self._take(value, path, context)
            for key, item in value.items():
                if not isinstance(item, dict | list) or _ASIDE_KEY.search(key):
                    continue
                if _CRUMB_KEY.search(key):
                    self._crumbs = self._crumbs or tuple(_names_in(item))
                elif _RELATED_KEY.search(key):
                    self._related.extend(_pairs_in(item))
                else:
                    self.walk(item, (*path, key), context)

    def _take(self, item: dict[str, Any], path: tuple[str, ...], context: _Context) -> None:
        texts = [
            (key, value)
            for key, value in item.items()
            if isinstance(value, str) and _CONTENT_KEY.search(key) and not _ASIDE_KEY.search(key) and _HAN.search(value)
        ]
        if texts:
            key, longest = max(texts, key=lambda pair: len(pair[1]))
            last = path[-1] if path else ""
            asks = bool(_ASKER_KEY.search(key) or (_ASKER_KEY.search(last) and "answer" not in last.lower()))
            answers = any(_ANSWER_KEY.search(part) for part in path)
            text = Text(markup(longest), _facts_of(item, context), is_answer=answers)
            self._texts[path].append(_Found(text, context, asks))

    def result(self) -> Embedded | None:
        """The place with the most text that is no asker's; of it the doctors' texts, where there are any."""
        places = [[one for one in texts if not one.of_asker] or texts for texts in self._texts.values()]
        places = [[one for one in texts if one.context.role is not Role.ASKER] for texts in places]
        places = [texts for texts in places if texts]
        best = max(places, key=_han_chars, default=None)
        if best is None or _han_chars(best) < _MIN_HAN:
            return None
        if any(one.context.role is Role.DOCTOR for one in best):
            best = [one for one in best if one.context.role is Role.DOCTOR]
        title = next((one.context.title for one in best if one.context.title), None)
        facts = best[0].text.facts.filled_from(best[0].context.facts)
        return Embedded(
            title, facts, tuple(one.text for one in best), related=tuple(self._related), crumbs=self._crumbs
        )


def _han_chars(texts: list[_Found]) -> int:
    return sum(len(_HAN.findall(one.text.html)) for one in texts)


def _within(item: dict[str, Any], context: _Context) -> _Context:
    own = [v for k, v in item.items() if _TITLE_KEY.match(k) and isinstance(v, str)]
    title = next((v for v in own if len(v) >= 6 and not _TITLE_OF_DOCTOR.match(v) and not _HOSPITAL.match(v)), None)
    facts = _facts_of(item, context) if title else replace(context.facts, date=_date_in(item) or context.facts.date)
    return _Context(title or context.title, _role_of(item) or context.role, facts)


def _role_of(item: dict[str, Any]) -> Role | None:
    for key, value in item.items():
        if _ROLE_KEY.search(key):
            if key.lower().replace("_", "") == "isdoctor":
                return Role.DOCTOR if value else Role.LAY
            if isinstance(value, str) and re.search(r"(doctor|expert|医)", value, re.IGNORECASE):
                return Role.DOCTOR
            if isinstance(value, str) and re.search(r"(user|patient|asker|患者|system|notice)", value, re.IGNORECASE):
                return Role.ASKER
    near = [part for part in item.values() if isinstance(part, dict)]
    words = [v for part in near for v in part.values() if isinstance(v, str)]
    return Role.DOCTOR if any(_TITLE_OF_DOCTOR.match(word) for word in words) else None


def _facts_of(item: dict[str, Any], context: _Context) -> Facts:
    """What stands beside a text, or one level below it."""
    people = [value for key, value in item.items() if isinstance(value, dict) and key != "patient"]
    near = [item, *people]
    names = (v for part in reversed(near) for k, v in part.items() if _NAME_KEY.match(k) and isinstance(v, str))
    counts = {k: v for k, v in item.items() if isinstance(v, int) and not isinstance(v, bool)}
    words = [v for part in near for v in part.values() if isinstance(v, str) and len(v) <= 30]
    found = Facts(
        author=next((name for name in names if 2 <= len(name) <= 12), None),
        date=_date_in(item),
        views=next((v for k, v in counts.items() if _VIEWS_KEY.search(k)), None),
        likes=next((v for k, v in counts.items() if _LIKES_KEY.search(k)), None),
        author_title=next((word for word in words if _TITLE_OF_DOCTOR.match(word)), None),
        hospital=next((word for word in words if _HOSPITAL.match(word)), None),
    )
    return found.filled_from(context.facts)


def _date_in(item: dict[str, Any]) -> str | None:
    """The first date of an item: as text, or in seconds or milliseconds since 1970, China's time."""
    for key, value in item.items():
        if not _DATE_KEY.search(key) or isinstance(value, bool):
            continue
        if isinstance(value, str) and (date := parse_date(value)):
            return date
        if isinstance(value, int) and len(str(value)) in (10, 13):
            return moment_of(value if len(str(value)) == 10 else value // 1000)
    return None


def _names_in(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else []:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from [v for v in item.values() if isinstance(v, str) and _HAN.search(v)][:1]


def _pairs_in(value: Any) -> Iterator[Pair]:
    """Questions with the starts of their answers, in a list of related ones."""
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            continue
        words = {k.lower(): v for k, v in item.items() if isinstance(v, str) and _HAN.search(v)}
        question = next((v for k, v in words.items() if re.search(r"(question|title|name|^q$|subject)", k)), None)
        answer = next(
            (v for k, v in words.items() if re.search(r"(answer|content|summary|abstract|excerpt|^a$|reply|desc)", k)),
            None,
        )
        date = next(
            (d for k, v in item.items() if _DATE_KEY.search(k) and isinstance(v, str) and (d := parse_date(v))), None
        )
        if question and answer:
            yield Pair(plain_text(question) or "", markup(answer), date[:10] if date else None)
