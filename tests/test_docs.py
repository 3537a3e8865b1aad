"""Documents name what is there: every setting, every command, every file they point to."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from indexer.cli import commands
from indexer.settings import SETTINGS

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    file
    for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]
    if not file.is_relative_to(ROOT / ".venv")
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_variable_and_default(setting) -> None:  # type: ignore[no-untyped-def]
    row = next(line for line in OPERATIONS.splitlines() if line.startswith(f"| `{setting.name}` |"))
    assert f"`{setting.variable}`" in row
    assert setting.default is None or str(setting.default) in row


@pytest.mark.parametrize("command", [*(command.name for command in commands), "serve", "logs top", "logs no-result"])
def test_every_command_is_documented(command: str) -> None:
    assert f"`yiwen {command}" in OPERATIONS


@pytest.mark.parametrize("command", commands, ids=lambda command: command.name)
def test_every_command_and_option_has_help_in_chinese(command) -> None:  # type: ignore[no-untyped-def]
    texts = [command.help, *(option.help for option in command.params if isinstance(option, click.Option))]
    assert all(text and re.search("[\u4e00-\u9fff]", text) for text in texts)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert len(text) > 100
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (document.parent / target).exists(), target
    for name in re.findall(r"\b((?:docs|scripts|tests|requirements)/[\w./]+\w)", text):
        assert (ROOT / name).exists(), name


def test_what_is_said_of_safety_names_tests_that_are_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert len(named) > 20
    assert named - there == set()


def test_every_dependency_has_its_line() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = re.findall(r'^ {4}"([a-zA-Z0-9_-]+)[>=]', declared, flags=re.MULTILINE)
    assert {"flask", "whoosh3", "pytest"} <= set(names)
    documented = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert [name for name in names if name not in documented] == []


def test_locks_hold_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text and "index" not in text
