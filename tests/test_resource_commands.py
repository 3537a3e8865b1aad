"""`yiwen lexicon` and `yiwen resources`: what the desk can do, the command line can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import make_answer, write_corpus
from click import UsageError
from click.testing import CliRunner
from store_builders import small_resources

from indexer.analysis.lexicon import read_lexicon
from indexer.build import build_generation
from indexer.cli import commands
from indexer.errors import IndexerError
from indexer.own_resources import own_text
from indexer.resources import effective_resources
from indexer.settings import Settings
from indexer.store.audit_log import read_acts
from webapp.cli import build_group


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    monkeypatch.setenv("YIWEN_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


def run(*arguments: str) -> str:
    """What a command prints; raises what it fails with."""
    done = CliRunner().invoke(build_group(commands), arguments, catch_exceptions=False, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.output


def asked(*arguments: str) -> Any:
    """The same, as JSON."""
    return json.loads(run(*arguments, "--json"))


def names(data: Path) -> dict[str, str]:
    return dict(read_lexicon(effective_resources(data, small_resources())).names)


def test_terms_are_set_shown_and_removed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "词条：头痛（症状）" in run("lexicon", "show", "脑袋疼")
    assert "修改 1" in run("lexicon", "synonym", "头痛", "脑壳嗡嗡", "--reason", "方言")
    run("lexicon", "set", "呱啦麻麻症", "--kind", "disease", "--same", "麻麻病，怪麻病", "--onto", "1")
    run("lexicon", "remove", "腰椎", "--onto", "1")
    assert own_text(data, "lexicon/own.tsv") is None
    [found] = asked("resources", "list", "--proposals")
    assert (found["state"], found["actor"][:4]) == ("open", "命令行/") and "+腰椎\tremoved" not in found["title"]
    run("resources", "adopt", "1")
    assert names(data)["怪麻病"] == "呱啦麻麻症" and "腰椎" not in names(data) and names(data)["脑壳嗡嗡"] == "头痛"
    assert {term["name"]: term["is_removed"] for term in asked("lexicon", "own")} == {
        "头痛": False,
        "呱啦麻麻症": False,
        "腰椎": True,
    }
    run("lexicon", "remove", "腰椎", "--restore", "--apply")
    assert "腰椎" in names(data) and asked("lexicon", "show", "腰椎")["is_own"] is False
    assert [act.action for act in read_acts(data, limit=3)] == ["修改词表或规则", "采用修改", "提出修改"]
    with pytest.raises(IndexerError, match="已是词条“膝关节”"):
        run("lexicon", "synonym", "腰椎", "膝盖")


def test_files_are_listed_shown_compared_proposed_and_dropped(tmp_path: Path) -> None:
    path = "lexicon/regional.toml"
    assert path in {file["path"] for file in asked("resources", "list")}
    (tmp_path / "new.toml").write_text('[words]\n"攝護腺" = "前列腺"\n', encoding="utf-8")
    assert asked("resources", "propose", path, "new.toml")[0]["changes"] == {path: '[words]\n"攝護腺" = "前列腺"\n'}
    run("resources", "drop", "1")
    with pytest.raises(IndexerError, match="已放弃"):
        run("resources", "adopt", "1")
    run("resources", "propose", path, "new.toml", "--reason", "少一些")
    run("resources", "adopt", "2")
    assert run("resources", "show", path) == '[words]\n"攝護腺" = "前列腺"\n'
    assert "-" in run("resources", "diff", path) and run("resources", "diff", path, "--change", "1")
    [change] = asked("resources", "history", path)
    assert change["path"] == path and "少一些" in change["reason"]
    run("resources", "propose", path)
    run("resources", "adopt", "3")
    assert own_text(tmp_path / "data", path) is None
    run("resources", "check")
    (tmp_path / "bad.tsv").write_text("词\tnonsense\n", encoding="utf-8")
    with pytest.raises(IndexerError, match="nonsense"):
        run("resources", "check", "lexicon/own.tsv", "bad.tsv")


def test_an_emergency_is_weakened_only_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[off]]\nid = "stroke"\nreason = "试"\n', encoding="utf-8")
    run("resources", "propose", "urgency/own.toml", "own.toml")
    with pytest.raises(Exception, match="--weaken"):
        run("resources", "adopt", "1")
    with pytest.raises(IndexerError, match="写明原因"):
        run("resources", "adopt", "1", "--weaken")
    assert own_text(tmp_path / "data", "urgency/own.toml") is None
    run("resources", "adopt", "1", "--weaken", "--reason", "换一条")
    assert "stroke" in (own_text(tmp_path / "data", "urgency/own.toml") or "")


def test_words_cards_and_rules(tmp_path: Path) -> None:
    run("lexicon", "words", "asking", "咋弄")
    run("lexicon", "words", "particles", "吗", "--remove", "--onto", "1")
    run("resources", "adopt", "1")
    lists = {one["name"]: one["own"] for one in asked("lexicon", "words")}
    assert lists["asking"]["add"] == ["咋弄"] and lists["particles"]["remove"] == ["吗"]
    assert "本站加上：咋弄" in run("lexicon", "words", "asking")
    sentence = "我妈突然嘴歪了，右手抬不起来，说话含糊"
    assert asked("resources", "cards", sentence) == [{"sentence": sentence, "before": "stroke", "after": "stroke"}]
    run("resources", "rule", "stroke", "--off", "--reason", "试")
    [tried] = asked("resources", "cards", sentence, "--with", "2")
    assert tried["before"] == "stroke" != tried["after"]
    with pytest.raises(UsageError, match="--reason"):
        run("resources", "rule", "burns", "--off")


def test_a_list_is_previewed_and_added_to_the_own_terms(tmp_path: Path) -> None:
    corpus = write_corpus(
        tmp_path / "corpus", [make_answer("a1", "呱啦麻麻症怎么治", "呱啦麻麻症可以用热敷，几天就好。")]
    )
    build_generation(corpus, tmp_path / "data", Settings(resources=small_resources(), data=tmp_path / "data"))
    (tmp_path / "rare.txt").write_text("呱啦麻麻症\n头痛\n", encoding="utf-8")
    seen = run("lexicon", "add", "rare.txt", "--kind", "disease")
    assert "新增 1 个词条，已收录而跳过 1 个" in seen and "1 条答案中有 1 条的切分会改变" in seen and "尚未保存" in seen
    assert own_text(tmp_path / "data", "lexicon/own.tsv") is None
    run("lexicon", "add", "rare.txt", "--kind", "disease", "--apply")
    assert own_text(tmp_path / "data", "lexicon/own.tsv") == "呱啦麻麻症\tdisease\n"
    assert not list(small_resources().rglob("rare*"))
    run("lexicon", "remove", "头痛")
    assert asked("resources", "preview", "2")["answers"] == 1
    assert "已预览" in run("resources", "list", "--proposals")
