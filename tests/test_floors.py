"""Floors of quality: what is read and refused, what falls below, how they are pinned, and the check as it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import check_quality
import pin_quality
import pytest
import quality_sets
from builders import write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from quality_sets import JudgedSet, Measured, key_of, measured_before, measured_sets, own_sets, public_sets

from indexer.errors import EvaluationError
from indexer.quality_gate.evaluate import read_qrels
from indexer.quality_gate.floors import MEASURES, Floor, Lowered, read_floors, shortfalls
from indexer.quality_gate.release import Release, formatted, read_release

shares = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
names = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
printed = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
notes = st.builds(Lowered, st.sampled_from([*MEASURES, "release"]), shares, shares, st.just("2026-11-22"), printed)
floors = st.builds(
    lambda ndcg, more, lowered: Floor({"ndcg_at_10": ndcg} | more, tuple(lowered)),
    shares,
    st.dictionaries(st.just("p_at_1"), shares),
    st.lists(notes, max_size=3),
)
questions = st.dictionaries(
    st.text("abc-0123", min_size=1), st.integers(0, 10_000).map(lambda n: n / 10_000), min_size=1
)


@given(st.dictionaries(names, floors))
def test_floors_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, Floor]
) -> None:
    file = tmp_path_factory.mktemp("floors") / "floors.toml"
    file.write_text(pin_quality.formatted_floors(written), encoding="utf-8")
    assert read_floors(file) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[own", "TOML"),
        ("own = 0.5", r"\[own\]"),
        ("[own]\np_at_1 = 0.5", "ndcg_at_10"),
        ("[own]\nndcg_at_10 = 0.5\nmrr = 0.5", "mrr"),
        ("[own]\nndcg_at_10 = 1.5", "1.5"),
        ("[own]\nndcg_at_10 = nan", "nan"),
        ("[own]\nndcg_at_10 = true", "True"),
        ('[own]\nndcg_at_10 = "0.5"', "'0.5'"),
        ("[own]\nndcg_at_10 = 0.5\n[[own.lowered]]\nmeasure = 'ndcg_at_10'\nwas = 0.6\nto = 0.5", r"\[own\]"),
        ("[own]\nndcg_at_10 = 0.5\nlowered = 3", r"\[own\]"),
        (
            "[own]\nndcg_at_10 = 0.5\n[[own.lowered]]\nmeasure = 'ndcg_at_10'\nwas = 0.6\nto = 0.5\n"
            "date = '2026-11-22'\nreason = ' '",
            "reason",
        ),
    ],
)
def test_a_fault_in_the_floors_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "floors.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=words):
        read_floors(file)


@pytest.mark.parametrize("read", [read_floors, read_release])
def test_files_that_are_not_there_or_no_text_are_named(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(EvaluationError, match="missing"):
        read(tmp_path / "missing")
    (tmp_path / "gbk").write_bytes("失眠\n头痛\n".encode("gbk"))
    with pytest.raises(EvaluationError, match="gbk"):
        read(tmp_path / "gbk")


def test_what_is_below_its_floor_is_said_with_set_floor_and_figure() -> None:
    floor = Floor({"ndcg_at_10": 0.658, "p_at_1": 0.5})
    assert shortfalls("own", floor, {"ndcg_at_10": 0.658, "p_at_1": 0.5}) == []
    assert shortfalls("own", floor, {"ndcg_at_10": 0.65, "p_at_1": 0.5}) == [
        "own 的 nDCG@10 低于下限：下限 0.658，测得 0.6500，低 0.0080。"
    ]
    assert len(shortfalls("own", floor, {"ndcg_at_10": 0.0, "p_at_1": math.nan})) == 2
    assert "没有测得" in shortfalls("own", floor, {"ndcg_at_10": 0.7})[0]


@given(st.dictionaries(names, questions))
def test_a_release_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, dict[str, float]]
) -> None:
    file = tmp_path_factory.mktemp("release") / "release.tsv"
    written = Release("0.1.0", "2026-11-22", scores)
    file.write_text(formatted(written), encoding="utf-8")
    assert read_release(file) == written


@pytest.mark.parametrize("line", ["own\tq2", "own\tq2\thigh", "own\tq2\tnan", "own\tq2\t1.5", "own\tq1\t0.5"])
def test_a_line_of_the_release_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "release.tsv"
    file.write_text(formatted(Release("0.1.0", "2026-11-22", {"own": {"q1": 0.5}})) + line, encoding="utf-8")
    with pytest.raises(EvaluationError, match="第 4 行"):
        read_release(file)


@pytest.mark.parametrize("text", ["", "own\tq1\t0.5\n", "# scores\nset\tquestion\tndcg_at_10\n"])
def test_a_release_says_its_version_and_date(tmp_path: Path, text: str) -> None:
    (tmp_path / "release.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match="表头"):
        read_release(tmp_path / "release.tsv")


def test_every_set_has_its_floors_and_every_own_question_its_score_in_the_release() -> None:
    pinned, release = quality_sets.pinned_floors_and_release()
    expected = {one.name: set(one.measures) for one in own_sets()} | {n: {"ndcg_at_10"} for n in quality_sets.PUBLIC}
    assert {name: set(floor.least) for name, floor in pinned.items()} == expected
    assert set(release.scores) == set(expected)
    for one in own_sets():
        qrels = read_qrels(one.qrels)
        judged = {q.id for q in one.questions() if any(grade > 0 for grade in qrels.get(q.judged_as, {}).values())}
        assert set(release.scores[one.name]) == judged


def test_public_sets_that_are_not_whole_are_skipped_with_a_reason(tmp_path: Path) -> None:
    for name in ("web_queries", "long_questions"):
        (tmp_path / name).mkdir()
        for file in ("corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"):
            (tmp_path / name / file).touch()
    (tmp_path / "long_questions" / "qrels.tsv").unlink()
    found, missing = public_sets(tmp_path)
    assert [one.name for one in found] == ["web_queries"]
    assert len(missing) == 3
    assert any("long_questions" in sentence and "qrels.tsv" in sentence for sentence in missing)


# Pinning and checking, with measurements that the test prepares.


def measured(scores: Sequence[float], p_at_1: float = 0.5) -> Measured:
    """Of questions q0, q1, ..."""
    means = {"ndcg_at_10": sum(scores) / len(scores), "p_at_1": p_at_1}
    return Measured({f"q{number}": round(score, 4) for number, score in enumerate(scores)}, means)


class Sets:
    """Two sets, `own` and `public`, over files of the test's own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.floors, self.release = folder / "floors.toml", folder / "release.tsv"
        self.now: Mapping[str, Measured] = {}
        nowhere = folder / "nowhere"
        own = JudgedSet("own", nowhere, nowhere, nowhere, None, ("ndcg_at_10", "p_at_1"))
        public = JudgedSet("public", nowhere, nowhere, nowhere)
        monkeypatch.setattr(quality_sets, "FLOORS", self.floors)
        monkeypatch.setattr(quality_sets, "RELEASE", self.release)
        monkeypatch.setattr(quality_sets, "PUBLIC", ("public",))
        monkeypatch.setattr(quality_sets, "own_sets", lambda: [own])
        self.missing: list[str] = []
        monkeypatch.setattr(
            quality_sets, "public_sets", lambda _: ([], self.missing) if self.missing else ([public], [])
        )
        monkeypatch.setattr(quality_sets, "measured_before", lambda sets, work: {})
        monkeypatch.setattr(
            quality_sets, "measured_sets", lambda sets, *_: {one.name: self.now[one.name] for one in sets}
        )

    def score(self, own: Sequence[float], public: Sequence[float] = (0.5,) * 40, p_at_1: float = 0.5) -> None:
        """What will be measured from now on."""
        self.now = {"own": measured(own, p_at_1), "public": measured(public)}

    def pin(self, *arguments: str) -> int:
        return pin_quality.main(arguments)

    def check(self, *arguments: str) -> int:
        return check_quality.main(arguments)


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sets:
    """Pinned at .5 nDCG@10 and .5 P@1 over 40 questions."""
    made = Sets(tmp_path, monkeypatch)
    made.score([0.5] * 40)
    assert made.pin() == 0
    return made


def test_floors_lie_a_margin_below_what_is_measured(sets: Sets) -> None:
    assert read_floors(sets.floors) == {
        "own": Floor({"ndcg_at_10": 0.495, "p_at_1": 0.48}),
        "public": Floor({"ndcg_at_10": 0.495}),
    }
    assert read_release(sets.release).scores == {name: {f"q{n}": 0.5 for n in range(40)} for name in ("own", "public")}


@given(st.floats(0, 1))
def test_what_was_just_measured_holds_its_floor(value: float) -> None:
    for measure in MEASURES:
        assert 0 <= pin_quality.below(measure, value) <= value


def test_what_was_pinned_passes(sets: Sets, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert sets.check() == 0
    out, err = capsys.readouterr()
    header, _, *rows = out.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(header.strip("|").split("|")) == len(cells[0]) == len(check_quality.HEADINGS)
    ours = ["own", "40", "0.5000", "0.5000", "+0.0000", "+0.0000 to +0.0000", "1.0000", "0/0/40"]
    assert cells[0] == [*ours, "0.495", "0.5000", "0.480", "holds"]
    assert cells[1][:3] == ["public", "40", "0.5000"] and cells[1][-4:] == ["0.495", "0.5000", "", "holds"]
    assert err == ""


def test_a_set_below_its_floor_fails_the_check(sets: Sets, capsys: pytest.CaptureFixture[str]) -> None:
    sets.score([0.5] * 39 + [0.2])  # one question alone is not significant
    assert sets.check() == 1
    out, err = capsys.readouterr()
    assert err == "own 的 nDCG@10 低于下限：下限 0.495，测得 0.4925，低 0.0025。\n"
    assert [row.split("|")[-2].strip() for row in out.splitlines()[-2:]] == ["fails", "holds"]
    sets.score([0.5] * 40, p_at_1=0.4)
    assert sets.check() == 1
    assert "P@1" in capsys.readouterr().err


def test_a_set_that_is_a_little_worse_at_many_questions_fails_the_check(
    sets: Sets, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.score([0.496] * 40)  # above its floor
    assert sets.check() == 1
    out, err = capsys.readouterr()
    assert "显著变差" in err and "40 个变差" in err and "低于下限" not in err
    assert "fails, worse" in out
    sets.score([0.504] * 40)
    assert sets.check() == 0
    assert "holds, better" in capsys.readouterr().out


def test_what_was_never_pinned_fails_the_check(sets: Sets, capsys: pytest.CaptureFixture[str]) -> None:
    sets.score([0.5] * 41)  # a question more
    assert sets.check() == 1
    assert "1 个问题不在上一版本" in capsys.readouterr().err
    sets.floors.write_text("[gone]\nndcg_at_10 = 0.5\n", encoding="utf-8")
    sets.release.unlink()
    assert sets.check() == 1
    err = capsys.readouterr().err
    assert "gone" in err and "own 没有 nDCG@10 的下限" in err and "own 没有 P@1 的下限" in err
    assert err.count("pin_quality.py") == 5  # three floors, two sets of scores
    sets.floors.write_text("[own", encoding="utf-8")
    assert sets.check() == 1
    assert "TOML" in capsys.readouterr().err


def test_skipped_sets_are_named_and_the_others_checked(sets: Sets, capsys: pytest.CaptureFixture[str]) -> None:
    sets.missing = ["跳过 public：没有 corpus.jsonl.gz。"]
    capsys.readouterr()
    assert sets.check() == 0
    out, err = capsys.readouterr()
    assert err == sets.missing[0] + "\n" and len(out.splitlines()) == 3
    assert sets.check("--own-only") == 0
    assert "--own-only" in capsys.readouterr().err


def test_nothing_is_pinned_while_a_set_is_missing(sets: Sets, capsys: pytest.CaptureFixture[str]) -> None:
    before = sets.release.read_text(encoding="utf-8")
    sets.score([0.9] * 40)
    sets.missing = ["跳过 public：没有 corpus.jsonl.gz。"]
    assert sets.pin() == 1
    assert "没有固定" in capsys.readouterr().err
    assert sets.release.read_text(encoding="utf-8") == before


def test_floors_rise_with_what_is_measured_and_never_fall_while_they_hold(sets: Sets) -> None:
    sets.score([0.6] * 40)
    assert sets.pin() == 0
    assert read_floors(sets.floors)["own"].least["ndcg_at_10"] == 0.595
    sets.score([0.6] * 39 + [0.5])  # .5975: holds, and would have a lower floor of its own
    assert sets.pin() == 0
    assert read_floors(sets.floors)["own"] == Floor({"ndcg_at_10": 0.595, "p_at_1": 0.48})


@pytest.mark.parametrize(
    ("own", "words"),
    [([0.5] * 39 + [0.2], "低于下限"), ([0.497] * 40, "显著变差"), ([0.4] * 40, "显著变差")],
    ids=["below its floor", "significantly worse", "both"],
)
def test_a_floor_or_the_release_falls_only_with_a_reason_that_stands_beside_it(
    sets: Sets, capsys: pytest.CaptureFixture[str], own: list[float], words: str
) -> None:
    before = (sets.floors.read_text(encoding="utf-8"), sets.release.read_text(encoding="utf-8"))
    sets.score(own)
    assert sets.pin() == 1
    err = capsys.readouterr().err
    assert words in err and "--lower-on-purpose" in err
    assert (sets.floors.read_text(encoding="utf-8"), sets.release.read_text(encoding="utf-8")) == before
    with pytest.raises(SystemExit):
        sets.pin("--lower-on-purpose", "\t ")

    reason = '更好的 "理由"，见 \\ issue 8'
    assert sets.pin("--lower-on-purpose", f" {reason}\n\x7f") == 0
    lowered = read_floors(sets.floors)["own"].lowered
    assert lowered and {note.reason for note in lowered} == {reason}
    assert all(note.to < note.was for note in lowered)
    assert read_floors(sets.floors)["public"].lowered == ()
    assert sets.check() == 0


def test_a_reason_goes_when_the_floor_is_back_where_it_was(sets: Sets) -> None:
    sets.score([0.4] * 40)
    assert sets.pin("--lower-on-purpose", "一") == 0
    sets.score([0.3] * 40)
    assert sets.pin("--lower-on-purpose", "二") == 0
    notes = [(note.measure, note.was, note.reason) for note in read_floors(sets.floors)["own"].lowered]
    assert notes == [
        ("ndcg_at_10", 0.495, "一"),
        ("release", 0.5, "一"),
        ("ndcg_at_10", 0.395, "二"),
        ("release", 0.4, "二"),
    ]
    sets.score([0.45] * 40)
    assert sets.pin() == 0
    assert [note.reason for note in read_floors(sets.floors)["own"].lowered] == ["一", "一"]
    sets.score([0.5] * 40)
    assert sets.pin() == 0
    assert read_floors(sets.floors)["own"] == Floor({"ndcg_at_10": 0.495, "p_at_1": 0.48})


def test_a_reason_is_not_written_beside_what_did_not_fall(sets: Sets) -> None:
    sets.score([0.6] * 40)
    assert sets.pin("--lower-on-purpose", "不需要") == 0
    assert read_floors(sets.floors)["own"].lowered == ()


def test_sets_are_measured_by_spelling_and_what_was_measured_is_kept_until_something_changes(tmp_path: Path) -> None:
    answers = {"a1": "失眠怎么办", "a2": "头痛怎么办", "a3": "湿疹怎么办"}
    corpus, queries, qrels = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    write_jsonl(corpus, [{"id": id, "question": text, "answer": text * 3} for id, text in answers.items()])
    asked = [{"id": "q1", "text": "失眠"}, {"id": "q1-t", "text": "頭痛", "twin_of": "q1", "spelling": "traditional"}]
    write_jsonl(queries, asked)
    qrels.write_text("q1 0 a1 3\n", encoding="utf-8")
    sets = [JudgedSet("typed", corpus, queries, qrels), JudgedSet("twins", corpus, queries, qrels, "traditional")]
    work = tmp_path / "work"
    assert measured_before(sets, work) == {}
    found = measured_sets(sets, work, 1)
    assert found["typed"] == Measured({"q1": 1.0}, {"ndcg_at_10": 1.0, "p_at_1": 1.0})
    assert list(found["twins"].scores) == ["q1-t"] and found["twins"].means["p_at_1"] == 0
    assert [file.name for file in work.iterdir()] == ["measured.json"]
    assert measured_before(sets, work) == found
    before = key_of(sets[0])
    qrels.write_text("q1 0 a1 2\n", encoding="utf-8")
    assert key_of(sets[0]) != before
    assert measured_before(sets, work) == {}
    (work / "measured.json").write_text("{", encoding="utf-8")
    assert measured_before(sets, work) == {}
