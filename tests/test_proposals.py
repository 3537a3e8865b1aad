"""Proposals: kept until they are adopted or dropped, and previewed by a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import make_answer, write_corpus
from store_builders import small_resources

from indexer.build import build_generation
from indexer.errors import ResourceError
from indexer.jobs import Job
from indexer.own_resources import own_text, save_resources
from indexer.preview_job import run
from indexer.proposals import (
    adopt,
    drop,
    effects_are_current,
    find_proposal,
    keep_effects,
    list_proposals,
    propose,
    proposed_text,
)
from indexer.resource_effects import compute_effects
from indexer.settings import Settings
from indexer.store.audit_log import read_acts

PATH = "lexicon/own.tsv"


def job(number: int) -> Job:
    return Job(1, "preview", f"修改 {number}", False, "a", "", "", "running", 0, 0, "", "")


def change(data: Path, text: str, onto: int | None = None, title: str = "试") -> int:
    return propose(data, {PATH: text}, title, "小王", "原因", small_resources(), onto).number


def test_a_preview_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    chosen = small_resources()
    data, settings = tmp_path / "data", Settings(resources=chosen, data=tmp_path / "data")
    build_generation(write_corpus(tmp_path / "corpus", [make_answer("a1", "头痛", "头痛先休息。")]), data, settings)
    number = change(data, "呱啦麻麻症\n")
    assert "已经算出" in run(data, job(number), lambda done, total: None).sentence
    found = find_proposal(data, number)
    assert found.effects is not None and found.effects.answers == 1
    assert effects_are_current(data, found, "gen-000001", chosen)
    assert not effects_are_current(data, found, "gen-000002", chosen)
    save_resources(data, {"lexicon/other.tsv": "别的新词\n"}, "小李", "", chosen)
    assert not effects_are_current(data, found, "gen-000001", chosen)

    change(data, "呱啦麻麻症\n呱啦病\n", number)
    later = find_proposal(data, number)
    assert later.effects is None and later.title == "试；试"
    assert not keep_effects(data, found, compute_effects(data, found.changes, settings))  # of what it was
    assert adopt(data, number, "小李", chosen).state == "adopted"
    assert not keep_effects(data, later, found.effects)


def test_what_is_added_to_stays_what_was_seen(tmp_path: Path) -> None:
    number = change(tmp_path, "新词甲\n")
    assert proposed_text(tmp_path, PATH, number) == "新词甲\n" and proposed_text(tmp_path, PATH) is None
    save_resources(tmp_path, {PATH: "新词乙\n"}, "小李", "", small_resources())
    change(tmp_path, "新词甲\n新词丙\n", number)
    with pytest.raises(ResourceError, match="有人改过"):
        adopt(tmp_path, number, "小王", small_resources())
    assert own_text(tmp_path, PATH) == "新词乙\n" and find_proposal(tmp_path, number).state == "open"
    assert drop(tmp_path, number, "小王").ended_by == "小王"
    with pytest.raises(ResourceError, match="已放弃"):
        adopt(tmp_path, number, "小王", small_resources())
    with pytest.raises(ResourceError, match="已放弃"):
        drop(tmp_path, number, "小王")
    with pytest.raises(ResourceError, match="已放弃"):
        change(tmp_path, "新词丁\n", number)
    assert [act.action for act in read_acts(tmp_path)] == ["放弃修改", "补充修改", "修改词表或规则", "提出修改"]


def test_what_cannot_be_or_changes_nothing_is_not_kept(tmp_path: Path) -> None:
    for text, sentence in (("词\tnonsense\n", "nonsense"), ("", "没有可改的")):
        with pytest.raises(ResourceError, match=sentence):
            change(tmp_path, text)
    with pytest.raises(ResourceError, match="请写明改什么"):
        change(tmp_path, "新词甲\n", title=" ")
    with pytest.raises(ResourceError, match="没有编号为 7"):
        change(tmp_path, "新词甲\n", 7)
    assert list_proposals(tmp_path) == []
    assert list_proposals(tmp_path, "open") == []
