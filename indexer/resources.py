"""Where lexicon, site templates and weights come from, and how they are read.

They come with the program. A data directory may hold files of its own in its `resources` folder: one of the same path
stands in for what came with the program, any other is added to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import ResourceError, cause_of

_CHECKOUT_COPY = Path(__file__).parent.parent / "corpus" / "resources"
_PACKAGED_COPY = Path(__file__).parent / "packaged_resources"
OWN_FOLDER = "resources"  #: of a data directory
#: merged folders that are kept: a process may still read the last one
_KEPT_MERGED = 4


def find_resources(chosen: Path | None = None) -> Path:
    """The resources folder: the chosen one, else the checkout's, else the copy in the wheel."""
    candidates = [chosen] if chosen else [_CHECKOUT_COPY, _PACKAGED_COPY]
    for folder in candidates:
        if (folder / "weights" / "ranking.toml").is_file():
            return folder
    raise ResourceError(
        f"资源目录 {candidates[0]} 不存在或不完整（缺少 weights/ranking.toml）；请用 --resources 指定。"
    )


def effective_resources(data: Path, chosen: Path | None = None) -> Path:
    """The resources that a build of this data directory uses: `find_resources`, with the directory's own files put in.

    A merged folder lies in the cache under a name made of its content, and never changes. Raises ResourceError.
    """
    shipped, own = find_resources(chosen), data / OWN_FOLDER
    if not own.is_dir() or not any(own.iterdir()):
        return shipped
    place = data / "cache" / "resources"
    content = hashlib.sha256(f"{fingerprint(shipped)} {fingerprint(own)}".encode()).hexdigest()[:16]
    try:
        if not (place / content).is_dir():
            place.mkdir(parents=True, exist_ok=True)
            for old in sorted(place.iterdir(), key=os.path.getmtime)[: -_KEPT_MERGED or None]:
                shutil.rmtree(old, ignore_errors=True)
            made = Path(tempfile.mkdtemp(prefix="new-", dir=place))
            merge_resources(shipped, own, made)
            os.replace(made, place / content)
    except OSError as error:
        if not (place / content).is_dir():  # else another process was a moment faster
            cause = cause_of(error)
            raise ResourceError(f"本站自己的资源 {own} 无法并入：{cause}；请检查磁盘空间和权限。") from error
    return place / content


def merge_resources(shipped: Path, own: Path, into: Path, changes: Mapping[str, str | None] = {}) -> None:
    """Copy both into a folder, the own files over the shipped ones, then `changes` over these: path -> text, or None
    for an own file that is taken away. Raises OSError.
    """
    shutil.copytree(shipped, into, dirs_exist_ok=True)
    for file in own.rglob("*"):
        path = file.relative_to(own)
        if file.is_file() and path.as_posix() not in changes:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, into / path)
    for name, text in changes.items():
        if text is not None:
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text, encoding="utf-8")


def read_toml(file: Path) -> dict[str, Any]:
    """Read one TOML file of the resources; a fault names the file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResourceError(f"资源文件 {file} 无法读取：{cause_of(error)}。") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ResourceError(f"资源文件 {file} 不是有效的 TOML：{error}") from error


def read_lines(file: Path) -> list[tuple[int, str]]:
    """Lines of a word list with their numbers, without blank ones and comments."""
    try:
        return numbered_lines(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ResourceError(f"词表 {file} 无法读取：{cause_of(error)}。") from error
    except UnicodeDecodeError as error:
        raise ResourceError(f"词表 {file} 不是 UTF-8 文本：{error}") from error


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """The same of a text."""
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]


def toml_value(value: str | Sequence[str]) -> str:
    """A text, or a list of texts, one a line, as TOML has it (toml.io, 1.0: a basic string escapes as JSON does, and
    U+007F as well).
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + "".join(f"\n  {toml_value(one)}," for one in value) + ("\n]" if value else "]")


@dataclass(frozen=True)
class RankingWeights:
    """`weights/ranking.toml`; the file says where each number comes from."""

    k1: float
    b: float
    question: float  #: weight of a term in the question
    answer: float  #: weight of a term in the answer's text
    words: float
    bigrams: float
    characters: float
    pool_size: int  #: candidates kept of retrieval
    min_coverage: float  #: share of the question's content weight that makes an answer a result, 0 to 1
    min_covered_weight: float  #: or so much of that weight
    min_coverage_off_topic: float  #: the share where a question names nothing medical
    cut_off_penalty: float  #: what a flaw takes from the learned score, before it is squashed to 0 to 1
    unclean_penalty: float  #: masked words, spun text, promised cures
    copy_penalty: float  #: copies and stock answers
    confused_penalty: float  #: an illness whose name only ends alike
    direct_score: float  #: what an answer to the same question must reach to be quoted above the list, 0 to 1
    direct_same_question: float  #: share of the question's content words that makes its question the same
    direct_sure_score: float  #: what any other answer must reach
    direct_known: float  #: and what share of the content words its question and the passage must hold
    # of generations built before these were known, too
    trusted_gain: float = 0.2  #: what the learned score gains on a site that editors call reliable
    doubtful_penalty: float = 0.4  #: and loses on one that they doubt
    min_closeness: float = 1.3  #: of meaning, that makes an answer without the words a result (`Meant.closeness`)
    min_closeness_off_topic: float = 1.7  #: the same where a question names nothing medical
    direct_closeness: float = 2.2  #: what such an answer must reach to be quoted above the list


def read_ranking_weights(resources: Path) -> RankingWeights:
    """Raises ResourceError when a number is missing or unknown."""
    file = resources / "weights" / "ranking.toml"
    try:
        return RankingWeights(**read_toml(file))
    except TypeError as error:
        raise ResourceError(f"权重文件 {file} 与程序不符：{error}") from error


def fingerprint(resources: Path) -> str:
    """SHA-256 over names and contents of all files below `resources`."""
    digest = hashlib.sha256()
    for file in sorted(path for path in resources.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(resources).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
