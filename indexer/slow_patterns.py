"""Regular expressions that somebody wrote, tried on hostile texts in a process that can be stopped: `re` has no limit
of time, and one pattern such as (a+)+$ would hold every search for hours.

Patterns of site rules run in RE2, which has that limit and no need of this. The resource files cannot: one in twelve of
the shipped patterns looks ahead or behind, or writes \\u, which RE2 does not take.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator

from indexer.errors import ResourceError

MAX_PATTERN_CHARS = 2_000
#: each pattern is tried on texts of the length of a question, made of the characters that it is made of
_TEXT_CHARS = 300
_MAX_CHARACTERS = 30
_TIMEOUT_S = 5.0
_TRY = """
import json, re, sys
for pattern, texts in json.load(sys.stdin):
    print(json.dumps(pattern), flush=True)
    compiled = re.compile(pattern)
    for text in texts:
        compiled.search(text)
print("null", flush=True)
"""
_REPEATS = re.compile(r"[*+{]")


def refuse_slow_patterns(path: str, text: str, known: str) -> None:
    """Raises ResourceError naming a pattern of a TOML file that is too long, or that takes too long. `known`: a text
    whose patterns are not tried again.
    """
    before = set(_strings(known))
    patterns = [one for one in dict.fromkeys(_strings(text)) if one not in before and _REPEATS.search(one)]
    patterns = [one for one in map(_without_slashes, patterns) if _is_pattern(one)]
    if too_long := [one for one in patterns if len(one) > MAX_PATTERN_CHARS]:
        raise ResourceError(f"{path} 的正则表达式“{too_long[0][:40]}……”太长：最多 {MAX_PATTERN_CHARS} 个字符。")
    if patterns and (slow := _slow_one(patterns)) is not None:
        raise ResourceError(
            f"{path} 的正则表达式“{slow[:200]}”在有的文字上要算很久，会拖住检索；请改写，少用套着的 * 和 +。"
        )


def _slow_one(patterns: Iterable[str]) -> str | None:
    """The pattern at which the process had to be stopped."""
    tried = json.dumps([(pattern, list(_hostile(pattern))) for pattern in patterns])
    command = [sys.executable, "-I", "-S", "-c", _TRY]
    try:
        done = subprocess.run(command, input=tried, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as stopped:
        said = stopped.stdout or b""
        lines = (said.decode() if isinstance(said, bytes) else said).splitlines()
        return str(json.loads(lines[-1])) if lines else next(iter(patterns))
    lines = done.stdout.splitlines()
    last = json.loads(lines[-1]) if lines else None
    return str(last) if last is not None else None


def _hostile(pattern: str) -> Iterator[str]:
    """Texts that come near to a match many times and never end in one."""
    letters = [c for c in dict.fromkeys(pattern) if c.isalnum()][:_MAX_CHARACTERS]
    for letter in [*letters, "一", "1", " ", "a"]:
        yield letter * _TEXT_CHARS + "\0"
    yield "".join(letters * (_TEXT_CHARS // max(len(letters), 1))) + "\0"


def _without_slashes(text: str) -> str:
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == "/" else text


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _strings(text: str) -> Iterator[str]:
    """All texts of a TOML file; none of one that is wrong, which its reader names."""
    try:
        values: list[object] = [tomllib.loads(text)]
    except tomllib.TOMLDecodeError:
        return
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
