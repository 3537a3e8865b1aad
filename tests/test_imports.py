"""Rooms import each other only along the arrows of docs/design.md."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import indexer
from indexer.native import KERNEL_FILES

ROOT = Path(__file__).parent.parent

#: what every room of the engine may import, and what imports nothing of ours but each other
SHARED = {"records", "verdicts", "errors", "settings", "resources"}
ARROWS = {
    "records": {"verdicts"},
    "verdicts": set(),
    "errors": set(),
    "settings": {"errors"},
    "resources": {"errors"},
    "native": set(),
    "decode": SHARED,
    "spam": SHARED,
    "analysis": SHARED | {"native"},
    "read": SHARED | {"decode"},
    "extract": SHARED | {"spam"},
    "identify": SHARED | {"analysis"},
    "store": SHARED | {"analysis", "native"},
    "ranking": SHARED | {"analysis", "native", "store"},
    "answer": SHARED | {"analysis"},
    "meaning": SHARED | {"jobs", "native", "store"},
    "opened": SHARED | {"analysis", "answer", "ranking", "store", "understanding"},
    "curating": SHARED | {"analysis", "ranking", "store"},
    "in_force": SHARED | {"analysis", "curating", "opened", "store"},
    "curation_check": SHARED | {"store"},
    "curation_commands": SHARED | {"analysis", "curation_check", "engine", "store"},
    "trust_commands": SHARED | {"engine", "store"},
    "results": SHARED | {"analysis", "answer", "curating", "opened", "ranking", "store"},
    "deadline": set(),
    "quality_gate": SHARED
    | {"analysis", "decode", "engine", "extract", "opened", "ranking", "rule_cases", "spam", "store", "text_changes"},
    "comparisons": SHARED | {"jobs", "quality_gate", "store"},
    "engine": SHARED
    | {
        "analysis",
        "curating",
        "deadline",
        "in_force",
        "meaning",
        "native",
        "opened",
        "ranking",
        "results",
        "store",
        "understanding",
    },
    "compare_commands": SHARED | {"quality_gate", "store"},
    "quality": SHARED,
    "dedupe": SHARED | {"analysis"},
    "repetition": SHARED,
    "cleaning": SHARED | {"read", "extract", "identify", "quality"},
    "understanding": SHARED | {"analysis", "store"},
    "replaying": SHARED | {"engine", "jobs", "native", "opened", "store"},
    "resource_effects": SHARED
    | {
        "build",
        "analysis",
        "answer",
        "cleaning",
        "collecting",
        "engine",
        "indexing",
        "opened",
        "own_resources",
        "quality_gate",
        "store",
    },
    "slow_patterns": SHARED,
    "proposals": SHARED | {"answer", "jobs", "own_resources", "resource_effects", "store"},
    "preview_job": SHARED | {"cleaning", "jobs", "proposals", "resource_effects"},
    "lexicon_commands": SHARED
    | {"analysis", "proposals", "quality_gate", "resource_commands", "resource_effects", "store"},
    "resource_commands": SHARED | {"answer", "own_resources", "proposals", "resource_effects", "store"},
    "admission": SHARED,
    "collecting": SHARED | {"dedupe", "repetition"},
    "indexing": SHARED | {"analysis", "collecting", "dedupe", "store"},
    "build": SHARED
    | {"admission", "analysis", "cleaning", "collecting", "indexing", "native", "quality_gate", "read", "store"},
    "jobs": SHARED | {"store"},
    "inbox": SHARED | {"build", "cleaning", "extract", "inspected", "jobs", "quality", "read", "store"},
    "inbox_commands": SHARED | {"inbox", "store"},
    "inspected": SHARED | {"extract", "identify", "quality", "read"},
    "own_resources": SHARED | {"analysis", "answer", "extract", "quality", "quality_gate", "store", "slow_patterns"},
    "site_rules": SHARED | {"extract", "own_resources", "store"},
    "rule_cases": SHARED | {"cleaning", "store"},
    "rule_saving": SHARED | {"own_resources", "rule_cases", "site_rules"},
    "rule_effects": SHARED
    | {"build", "cleaning", "extract", "inspected", "jobs", "own_resources", "quality", "read", "store"},
    "rule_commands": SHARED | {"read", "rule_cases", "rule_effects", "rule_saving", "site_rules", "store"},
    "build_job": SHARED | {"build", "cleaning", "jobs", "meaning", "store"},
    "job_commands": SHARED | {"build_job", "jobs", "store"},
    "text_changes": set(),
    "review_queues": SHARED | {"dedupe", "jobs", "quality_gate", "store"},
    "health": SHARED | {"build", "engine", "inbox", "jobs", "meaning", "read", "store"},
    "command_acts": SHARED | {"store"},
    "generation_commands": SHARED | {"command_acts", "store"},
    "vectors_commands": SHARED | {"generation_commands", "meaning", "store"},
    "maintenance_commands": SHARED | {"command_acts", "health", "store"},
    "cli": SHARED
    | {
        "answer",
        "build",
        "cleaning",
        "command_acts",
        "compare_commands",
        "curation_commands",
        "engine",
        "extract",
        "generation_commands",
        "inbox_commands",
        "job_commands",
        "lexicon_commands",
        "maintenance_commands",
        "meaning",
        "quality_gate",
        "read",
        "resource_commands",
        "rule_commands",
        "store",
        "trust_commands",
        "vectors_commands",
    },
    "__init__": set(),  # __init__.pyi names the front door
}
#: the site sees the front door and the shared values; only its command line collects the engine's commands
WEBAPP_SEES = {"", "errors", "settings"}


def imports_of(file: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            yield node.module or ""


def room(module: str) -> str:
    """The part after `indexer.`, down to its first dot; "" for the front door."""
    return module.removeprefix("indexer").removeprefix(".").split(".")[0]


def files_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def forbidden(file: Path) -> list[str]:
    """Imports of our own that a file of the engine must not make."""
    own_room = file.relative_to(ROOT / "indexer").parts[0].removesuffix(".py")
    allowed = ARROWS[own_room] | {own_room}
    ours = [module for module in imports_of(file) if module.split(".")[0] in ("indexer", "webapp", "corpus")]
    return [module for module in ours if not module.startswith("indexer.") or room(module) not in allowed]


@pytest.mark.parametrize("file", files_of("indexer"), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_room_of_the_engine_imports_only_along_the_arrows(file: Path) -> None:
    assert forbidden(file) == []


@pytest.mark.parametrize("file", files_of("webapp"), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_the_site_imports_the_front_door_only(file: Path) -> None:
    seen = {room(module) for module in imports_of(file) if module.split(".")[0] == "indexer"}
    assert seen - WEBAPP_SEES <= ({"cli"} if file.name == "cli.py" else set())


def test_a_wrong_arrow_would_be_seen() -> None:
    assert "engine" not in ARROWS["store"]
    assert room("indexer.store.generations") == "store"
    assert list(imports_of(ROOT / "indexer" / "engine.py")) != []


def test_compiled_code_is_kept_by_every_file_that_has_some() -> None:
    with_kernels = {
        file.relative_to(ROOT / "indexer").as_posix()
        for file in files_of("indexer")
        if "indexer.native" in imports_of(file) and "@kernel" in file.read_text(encoding="utf-8")
    }
    assert with_kernels == set(KERNEL_FILES)


def test_the_wheel_has_every_package() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    told = set(pyproject["tool"]["setuptools"]["packages"]) - {"indexer.packaged_resources"}
    there = {
        file.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for room in ("indexer", "webapp")
        for file in (ROOT / room).rglob("__init__.py")
    }
    assert told == there


def test_the_front_door_has_what_it_names() -> None:
    names = dir(indexer)
    assert {"Engine", "build_generation", "open_engine"} <= set(names)
    assert [name for name in names if not hasattr(indexer, name)] == []
