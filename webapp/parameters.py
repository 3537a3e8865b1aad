"""The parameters of addresses: each is declared once, and read, documented and tested by its declaration."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from werkzeug.datastructures import MultiDict

from indexer.errors import BadQuery

#: so much of what was written wrongly is repeated in a message
MAX_SHOWN_CHARS = 40

Value = TypeVar("Value")

#: digits that any bound here has room in; more are too many whatever they say
_MAX_DIGITS = 9


class BadParameter(ValueError):
    """A parameter of the address that cannot be used; the message is for the person who wrote it."""


@dataclass(frozen=True)
class Parameter(Generic[Value]):
    """What an address may say. `read` and `schema` are the two sides of the same declaration."""

    name: str
    default: Value  #: what counts when the address does not say it, or says it with an empty value
    description: str  #: in Chinese, for the document and the page about the API
    example: str  #: as it stands in an address
    required: bool = False

    def read(self, args: Mapping[str, str]) -> Value:
        """The value in an address. Raises BadParameter."""
        given = args.get(self.name, "")
        return self.parse(given) if given else self.default

    def parse(self, given: str) -> Value:
        """The value that was written, which is not empty. Raises BadParameter."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the value."""
        raise NotImplementedError

    @property
    def bounds(self) -> str:
        """What may be written, in Chinese."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """The parameter object of OpenAPI 3.1."""
        return {
            "name": self.name,
            "in": "query",
            "required": self.required,
            **({} if self.required else {"allowEmptyValue": True}),
            "description": self.description,
            "schema": self.schema(),
            "example": self._example(),
        }

    def _example(self) -> Any:
        return self.parse(self.example)


@dataclass(frozen=True)
class Text(Parameter[str]):
    """Words. Control characters count as blanks, and blanks at both ends as nothing."""

    max_chars: int | None = None  #: None: more is accepted, and the description says what becomes of it

    def read(self, args: Mapping[str, str]) -> str:
        """The words in an address. Raises BadParameter."""
        given = without_controls(args.get(self.name, ""))
        return self.parse(given) if given else self.default

    def parse(self, given: str) -> str:
        """The words. Raises BadParameter when there are too many."""
        if self.max_chars is not None and len(given) > self.max_chars:
            raise BadParameter(f"参数 {self.name} 太长：最多 {self.max_chars} 个字符。")
        return given

    def schema(self) -> dict[str, Any]:
        """A string with its length."""
        longest = {} if self.max_chars is None else {"maxLength": self.max_chars}
        return {"type": "string", **({"minLength": 1} if self.required else {}), **longest}

    @property
    def bounds(self) -> str:
        """How long it may be."""
        return "文字" if self.max_chars is None else f"最多 {self.max_chars} 个字符"


@dataclass(frozen=True)
class Choice(Parameter[str | None]):
    """One of a few words, or none."""

    choices: tuple[str, ...] = ()
    noun: str = ""  #: what they are, in Chinese

    def parse(self, given: str) -> str:
        """The chosen word. Raises BadQuery for any other, as the engine does."""
        if given not in self.choices:
            raise BadQuery(f"没有“{given[:MAX_SHOWN_CHARS]}”这个{self.noun}；可选的有{'、'.join(self.choices)}。")
        return given

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"type": "string", "enum": list(self.choices)}

    @property
    def bounds(self) -> str:
        """The words."""
        return "、".join(self.choices)


@dataclass(frozen=True)
class Number(Parameter[int]):
    """A counting number, from 1."""

    highest: int | None = None  #: None: as high as anybody likes

    def parse(self, given: str) -> int:
        """The number. Raises BadParameter for any other, and for what is none."""
        if re.fullmatch(rf"[0-9]{{1,{_MAX_DIGITS}}}", given):
            number = int(given)
            if number >= 1 and (self.highest is None or number <= self.highest):
                return number
        raise BadParameter(f"参数 {self.name} 应为{self.bounds}。")

    def schema(self) -> dict[str, Any]:
        """An integer with its bounds."""
        highest = {} if self.highest is None else {"maximum": self.highest}
        return {"type": "integer", "minimum": 1, **highest, "default": self.default}

    @property
    def bounds(self) -> str:
        """From where to where."""
        return "1 或更大的整数" if self.highest is None else f"1 到 {self.highest} 的整数"


@dataclass(frozen=True)
class Switch(Parameter[bool]):
    """On (1) or off (0)."""

    def parse(self, given: str) -> bool:
        """Whether it is on. Raises BadParameter."""
        if given not in ("0", "1"):
            raise BadParameter(f"参数 {self.name} 应为{self.bounds}。")
        return given == "1"

    def schema(self) -> dict[str, Any]:
        """The two numbers."""
        return {"type": "integer", "enum": [0, 1], "default": int(self.default)}

    @property
    def bounds(self) -> str:
        """The two values."""
        return "1（开）或 0（关）"

    def _example(self) -> Any:
        return int(self.example)


def read_strictly(parameters: Iterable[Parameter[Any]], args: MultiDict[str, str]) -> dict[str, Any]:
    """The values of all parameters, by name, for programs: what a program writes by mistake is not passed over.

    Raises BadParameter also for a parameter that is not declared, or stands there twice, and BadQuery where the one
    that is required says nothing.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name, values in args.lists():
        if name not in known:
            raise BadParameter(_unknown(name, list(known)))
        if len(values) > 1:
            raise BadParameter(f"参数 {name} 写了 {len(values)} 次，只能写一次。")
    values_by_name = {name: parameter.read(args) for name, parameter in known.items()}
    for name, parameter in known.items():
        if parameter.required and not values_by_name[name]:
            raise BadQuery(f"请用参数 {name} 写明问题，例如 {name}={parameter.example}")
    return values_by_name


def _unknown(name: str, known: list[str]) -> str:
    shown = without_controls(name)[:MAX_SHOWN_CHARS]
    if not known:
        return f"这个接口没有参数“{shown}”，它不带参数。"
    return f"这个接口没有参数“{shown}”；可用的有 {'、'.join(known)}。"


def without_controls(text: str) -> str:
    """The text with control characters as blanks, and none of them at its ends."""
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text).strip()
