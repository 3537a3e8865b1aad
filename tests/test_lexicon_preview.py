"""`yiwen lexicon add`: what a list of terms changes is seen before it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import make_answer, write_corpus
from store_builders import small_resources, yiwen

from indexer.analysis.lexicon import Term, read_lexicon, read_terms
from indexer.build import build_generation
from indexer.engine import open_engine
from indexer.errors import ResourceError
from indexer.lexicon_preview import new_terms, preview, write_terms
from indexer.quality_gate.evaluate import JudgedQuery
from indexer.settings import Settings

ANSWERS = [
    make_answer("a1", "呱啦麻麻症怎么治", "呱啦麻麻症可以用热敷，几天就好。"),
    make_answer("a2", "头痛怎么办", "头痛先休息，再量体温。"),
]


def listed(folder: Path, *lines: str) -> Path:
    file = folder / "rare.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def test_new_words_are_told_from_known_ones(tmp_path: Path) -> None:
    lexicon = read_lexicon(small_resources())
    added, known = new_terms(listed(tmp_path, "呱啦麻麻症", "头痛", "呱啦麻麻症"), lexicon, "disease")
    assert (added, known) == ([Term("呱啦麻麻症", "disease")], ["头痛", "呱啦麻麻症"])
    with pytest.raises(ResourceError, match="都已收录"):
        new_terms(listed(tmp_path, "头痛"), lexicon, "disease")


def test_a_preview_is_what_happens_afterwards(tmp_path: Path) -> None:
    settings = Settings(resources=small_resources())
    build_generation(write_corpus(tmp_path / "corpus", ANSWERS), tmp_path / "data", settings)
    engine = open_engine(tmp_path / "data", settings)
    file = listed(tmp_path, "呱啦麻麻症\tdisease\t麻麻怪病")
    judged = [JudgedQuery("q1", "麻麻怪病"), JudgedQuery("q2", "头痛")]
    seen = preview(engine, small_resources(), file, "other", judged, {"q1": {"a1": 1}, "q2": {"a2": 1}})
    assert [(cut.answer_id, cut.new) for cut in seen.cut_otherwise] == [("a1", ("呱啦麻麻症",))]
    assert (seen.answers, seen.questions) == (2, 2)
    assert seen.ndcg_after >= seen.ndcg_before
    assert {change.text for change in seen.changed} <= {"麻麻怪病"}
    assert not list(small_resources().rglob("rare*"))


def test_terms_are_read_back_as_they_were_written_and_never_over_others(tmp_path: Path) -> None:
    terms = [Term("面肌痉挛", "disease", ("面肌抽搐", "HFS"), ("运动障碍",)), Term("头痛", "symptom")]
    write_terms(tmp_path / "new.tsv", terms)
    assert read_terms(tmp_path / "new.tsv") == terms
    with pytest.raises(FileExistsError):
        write_terms(tmp_path / "new.tsv", terms)


def test_the_command_shows_and_keeps_what_it_shows_to_itself(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", ANSWERS)
    assert yiwen("build", "--corpus", "corpus", "--data", "data", cwd=tmp_path).returncode == 0
    listed(tmp_path, "呱啦麻麻症")
    seen = yiwen("lexicon", "add", "rare.txt", "--kind", "disease", "--data", "data", cwd=tmp_path)
    assert seen.returncode == 0
    assert "新增 1 个词条" in seen.stdout and "2 条答案中有 1 条的切分会改变" in seen.stdout
    assert "尚未保存" in seen.stderr
    assert not list(small_resources().rglob("rare*"))


def test_a_word_is_shown_with_its_term(tmp_path: Path) -> None:
    shown = yiwen("lexicon", "show", "脑袋疼", cwd=tmp_path)
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "词条：头痛（症状）")
    unknown = yiwen("lexicon", "show", "呱啦麻麻症", cwd=tmp_path)
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (1, "", "词表中没有“呱啦麻麻症”。\n")
