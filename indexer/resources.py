"""Where lexicon, site templates and weights come from, and how they are read."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import ResourceError, cause_of

_CHECKOUT_COPY = Path(__file__).parent.parent / "corpus" / "resources"
_PACKAGED_COPY = Path(__file__).parent / "packaged_resources"


def find_resources(chosen: Path | None = None) -> Path:
    """The resources folder: the chosen one, else the checkout's, else the copy in the wheel."""
    candidates = [chosen] if chosen else [_CHECKOUT_COPY, _PACKAGED_COPY]
    for folder in candidates:
        if (folder / "weights" / "ranking.toml").is_file():
            return folder
    raise ResourceError(
        f"资源目录 {candidates[0]} 不存在或不完整（缺少 weights/ranking.toml）；请用 --resources 指定。"
    )


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
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ResourceError(f"词表 {file} 无法读取：{cause_of(error)}。") from error
    except UnicodeDecodeError as error:
        raise ResourceError(f"词表 {file} 不是 UTF-8 文本：{error}") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


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
