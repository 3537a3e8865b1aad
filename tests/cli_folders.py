"""A corpus and two generations built by the command, for tests of the engine's commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from builders import make_answer, write_corpus
from store_builders import yiwen

URL = "https://example.com/a/1.html"


ANSWERS = [
    make_answer(
        "a1", "面肌痉挛怎么治", "面肌痉挛可以打肉毒素。", author="王医生", date="2016-01-02", url=URL, site="甲站"
    ),
    make_answer("a2", "偏头痛吃什么药", "偏头痛发作时可以用布洛芬。", url=URL),
    make_answer("a3", "失眠怎么调理", "固定起床时间，睡前不看手机。"),
    make_answer("a4", "面肌痉挛能好吗", "面肌痉挛可以打肉毒素。"),
]


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, and two generations built from it by the command."""
    folder = tmp_path_factory.mktemp("cli")
    write_corpus(folder / "corpus", ANSWERS)
    for _ in range(2):
        assert yiwen("build", "--corpus", "corpus", "--data", "data", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def folder(built_once: Path, tmp_path: Path) -> Path:
    """A copy of `built_once` that the test may spoil."""
    return shutil.copytree(built_once, tmp_path / "copy")


def assert_one_chinese_sentence(process: CompletedProcess[str], status: int, *words: str) -> None:
    assert process.returncode == status
    assert process.stdout == ""
    [sentence] = process.stderr.splitlines()
    assert re.search("[一-龥]", sentence) and sentence.endswith("。")
    assert [word for word in words if word not in sentence] == []
