"""A data directory's own resources: put over those that came with the program, checked, kept with their history."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write_corpus
from store_builders import small_resources, spasm_answers

from indexer.analysis.lexicon import read_lexicon
from indexer.answer.urgency import urgency_card
from indexer.build import build_generation
from indexer.errors import ResourceError
from indexer.own_resources import list_resources, read_resource, resource_history, save_resources
from indexer.resources import effective_resources, find_resources, fingerprint
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.audit_log import read_acts

OWN_TERMS = "面部跳动征\tdisease\t脸皮跳\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_without_own_files_the_shipped_folder_itself_is_used(data: Path) -> None:
    assert effective_resources(data) == find_resources()
    (data / "resources").mkdir()
    assert effective_resources(data) == find_resources()


def test_an_own_file_is_added_kept_and_logged(data: Path) -> None:
    save_resources(data, {"lexicon/own.tsv": OWN_TERMS}, "小王", "患者常这么说")
    merged = effective_resources(data)
    assert read_lexicon(merged).names["脸皮跳"] == "面部跳动征"
    assert "脸皮跳" not in read_lexicon(find_resources()).names
    assert effective_resources(data) == merged  # the same content, the same place
    [change] = resource_history(data, "lexicon/own.tsv")
    assert (change.before, change.after, change.actor, change.reason) == (None, OWN_TERMS, "小王", "患者常这么说")
    assert [(act.action, act.object) for act in read_acts(data)] == [("修改词表或规则", "lexicon/own.tsv")]


def test_an_own_file_stands_in_for_the_shipped_one_until_it_is_taken_away(data: Path) -> None:
    path = "lexicon/regional.toml"
    shipped = read_resource(data, path)
    assert shipped is not None and shipped.is_shipped and not shipped.is_own
    save_resources(data, {path: '[words]\n"攝護腺" = "前列腺"\n'}, "a", "少一些")
    changed = read_resource(data, path)
    assert changed is not None and changed.is_own and changed.is_shipped and changed.text != shipped.text
    assert (effective_resources(data) / path).read_text(encoding="utf-8") == changed.text
    save_resources(data, {path: None}, "a", "还是原来的好")
    assert read_resource(data, path) == shipped
    assert fingerprint(effective_resources(data)) == fingerprint(find_resources())
    assert [change.after is None for change in resource_history(data)] == [True, False]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lexicon/own.tsv": "新病\tdisease\t高血压\n"}, "高血压"),
        ({"lexicon/own.tsv": "新词\tnonsense\n"}, "lexicon/own.tsv 第 1 行"),
        ({"sites/own.toml": "name = "}, "sites/own.toml"),
        ({"lexicon/questions.toml": "particles = ["}, "lexicon/questions.toml"),
        ({"urgency/body.toml": "[[card]]\n"}, "urgency/body.toml"),
        ({"weights/ranking.toml": ""}, "不是可以修改的"),
        ({"lexicon/../../key": "x"}, "不是可以修改的"),
        ({"sites/..toml": "x"}, "不是可以修改的"),
        ({"lexicon/own.tsv": "新\0词\n"}, "不能用的字符"),
        ({"urgency/own.toml": '[words]\nslow = ["/(痛+)+了/"]\n'}, "要算很久"),
        ({"urgency/own.toml": f'[words]\nlong = ["/痛+{"x" * 3000}/"]\n'}, "太长"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_and_nothing_changes(
    data: Path, changes: dict[str, str], sentence: str
) -> None:
    save_resources(data, {"lexicon/own.tsv": OWN_TERMS}, "a", "先有的")
    before = fingerprint(data / "resources")
    with pytest.raises(ResourceError) as refused:
        save_resources(data, changes, "b", "改一下")
    assert sentence in str(refused.value) and "/tmp" not in str(refused.value)
    assert fingerprint(data / "resources") == before and len(resource_history(data)) == 1


def test_a_change_over_somebody_elses_is_refused(data: Path) -> None:
    save_resources(data, {"lexicon/own.tsv": OWN_TERMS}, "a", "一")
    with pytest.raises(ResourceError, match="有人改过"):
        save_resources(data, {"lexicon/own.tsv": "别的词\n"}, "b", "二", seen={"lexicon/own.tsv": None})
    save_resources(data, {"lexicon/own.tsv": "别的词\n"}, "b", "二", seen={"lexicon/own.tsv": OWN_TERMS})
    assert "别的词" in read_lexicon(effective_resources(data)).names


def test_a_build_uses_them_and_carries_them(data: Path, tmp_path: Path) -> None:
    chosen = small_resources()
    corpus = write_corpus(tmp_path / "corpus", spasm_answers(5))
    save_resources(data, {"lexicon/own.tsv": OWN_TERMS}, "a", "试试", chosen)
    manifest = build_generation(corpus, data, Settings(resources=chosen, data=data)).manifest
    folder = generations.folder_of(data, manifest.generation) / "resources"
    assert (folder / "lexicon" / "own.tsv").read_text(encoding="utf-8") == OWN_TERMS
    assert manifest.resources == fingerprint(folder) == fingerprint(effective_resources(data, chosen))


def test_own_urgency_rules_are_told_without_an_index(data: Path) -> None:
    files = {file.path: file for file in list_resources(data)}
    assert "urgency/heart-lungs.toml" in files and not any(path.startswith("weights/") for path in files)
    question = "突然胸口剧痛喘不上气"
    assert urgency_card(question, data=data) == urgency_card(question) is not None
    reworded = files["urgency/heart-lungs.toml"].text.replace("胸", "某")
    save_resources(data, {"urgency/heart-lungs.toml": reworded}, "a", "只为试验")
    assert urgency_card(question, data=data) != urgency_card(question)
