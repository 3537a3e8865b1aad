"""Rules of editors over a small real index: kept, obeyed at once on every page, run out, and told of when stale."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import build_data, make_answer

from indexer import Engine, Query, list_rules
from indexer.curation_check import preview, stale_rules
from indexer.errors import StateError
from indexer.settings import Settings
from indexer.store.curation import (
    Action,
    NewRule,
    add_rule,
    end_rule,
    extend_rule,
    rule_from,
    utc_day,
)
from indexer.store.take_downs import put_back, take_down
from webapp.cli import main

ASKED = "面肌痉挛怎么治"
TEXT = "面肌痉挛可以打肉毒素，效果一般维持三到六个月，反复发作时考虑手术。"
ANSWERS = [
    make_answer("a1", ASKED, TEXT, url="https://a.example.com/1.html"),
    make_answer("a2", ASKED, TEXT, url="https://b.example.com/2.html"),  # a copy
    make_answer("a3", "面肌痉挛要手术吗", "面肌痉挛打针无效时可以手术治疗。", url="https://a.example.com/3.html"),
    make_answer("a4", "面肌痉挛要忌口吗", "面肌痉挛不必忌口，少喝浓茶，睡够觉。", url="https://c.example.com/4.html"),
    make_answer("a5", "面肌痉挛会自己好吗", "面肌痉挛很少自己好，会慢慢加重。", url="https://c.example.com/5.html"),
    make_answer("a6", "湿疹反复发作怎么办", "湿疹要保湿，少用热水洗。", url="https://d.example.com/6.html"),
]
DAY_S = 86_400


class Clock:
    """A clock that a test moves on."""

    days = 0

    def __call__(self) -> float:
        midnight = date.fromisoformat(utc_day()) + timedelta(days=self.days)
        return (midnight - date(1970, 1, 1)).days * DAY_S + 3600.0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_data(tmp_path_factory.mktemp("curation"), ANSWERS)


@pytest.fixture
def data(built: Path) -> Path:
    for name in ("state.sqlite3", "state.sqlite3-journal"):
        (built / name).unlink(missing_ok=True)
    return built


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(data: Path, clock: Clock) -> Engine:
    return Engine(data, Settings(), clock=clock)


def ids(engine: Engine, question: str = ASKED, **asked: Any) -> list[str]:
    """What is shown on the first page."""
    return [hit.answer.id for hit in engine.search(Query(question, **asked)).hits]


def rule(data: Path, action: str, answer: str, query: str = ASKED, **more: str) -> int:
    new = NewRule(Action(action), answer, "理由", query=query, **more)
    return add_rule(data, new, "bianji").number


def test_a_pin_is_first_and_told_and_changes_nothing_else(engine: Engine, data: Path) -> None:
    before, state = engine.search(ASKED), engine.state
    first, last = before.hits[0].answer.id, before.hits[-1].answer.id
    assert first != last and not any(hit.pinned for hit in before.hits)
    rule(data, "pin", last)
    assert engine.state != state
    after = engine.search(ASKED)
    others = [hit.answer.id for hit in before.hits if hit.answer.id != last]
    assert [hit.answer.id for hit in after.hits] == [last, *others]
    assert [hit.pinned for hit in after.hits] == [True] + [False] * len(others)
    assert after.total == before.total and after.aspect_counts == before.aspect_counts
    assert after.as_dict()["hits"][0]["pinned"] is True and after.as_dict()["hits"][1]["pinned"] is False


def test_a_pin_brings_in_what_no_search_finds_on_exactly_one_page(engine: Engine, data: Path) -> None:
    before = engine.search(ASKED)
    assert "a6" not in ids(engine)
    rule(data, "pin", "a6")
    seen = []
    for page in range(1, before.total + 3):
        result = engine.search(Query(ASKED, limit=1, page=page))
        assert result.total == before.total + 1
        seen += [hit.answer.id for hit in result.hits]
    assert seen == ["a6", *(hit.answer.id for hit in before.hits)]
    pinned = engine.search(ASKED).hits[0]
    assert pinned.features.keys() == before.hits[0].features.keys()  # it was compared like all others
    assert 0 < pinned.score < min(hit.score for hit in before.hits)
    answer = engine.search(ASKED).answer
    assert answer is not None and answer.answer.id != "a6"  # pinned, but it does not answer the question


@pytest.mark.parametrize(
    "typed", ["面肌痉挛怎么治？", " 面肌 痉挛怎么治 ", "面肌痙攣怎麼治", "面肌痉挛怎么治？！。", "面肌痉挛怎么治…"]
)
def test_the_same_question_in_another_dress_is_the_same(engine: Engine, data: Path, typed: str) -> None:
    rule(data, "pin", "a6")
    assert ids(engine, typed)[0] == "a6"
    assert "a6" not in ids(engine, "面肌痉挛怎么治好")


def test_a_rule_holds_for_a_slip_that_is_read_as_its_question(engine: Engine, data: Path) -> None:
    rule(data, "pin", "a6")
    slip = "面机痉挛怎么治"
    assert engine.search(slip).corrected == ASKED
    assert ids(engine, slip)[0] == "a6"
    assert "a6" not in ids(engine, slip, as_typed=True)


def test_hiding_hides_the_answer_with_its_copies_everywhere(engine: Engine, data: Path) -> None:
    quoted = engine.search(ASKED).answer
    assert quoted is not None and quoted.answer.id in ("a1", "a2")
    before = engine.search(ASKED)
    rule(data, "hide", "a2")
    after = engine.search(ASKED)
    assert {"a1", "a2"}.isdisjoint(hit.answer.id for hit in after.hits)
    assert after.total == before.total - 1 == len(after.hits)
    assert after.answer is None or after.answer.answer.id not in ("a1", "a2")
    assert {"a1", "a2"}.isdisjoint(ids(engine, site="a.example.com") + ids(engine, site="b.example.com"))
    assert "a1" in ids(engine, "面肌痉挛打肉毒素")  # another question
    assert engine.answer("a2") is not None  # it is hidden from a question, not taken down


def test_filters_hold_for_pins_too_and_chips_count_right(engine: Engine, data: Path) -> None:
    rule(data, "pin", "a5")
    assert ids(engine, site="c.example.com")[0] == "a5"
    assert "a5" not in ids(engine, site="a.example.com")
    counts = engine.search(ASKED).aspect_counts
    assert counts
    for aspect, count in counts.items():
        found = engine.search(Query(ASKED, aspect=aspect))
        assert found.total == count == len(found.hits)


def test_a_replacement_stands_where_the_other_stood(engine: Engine, data: Path) -> None:
    before = ids(engine)
    place = before.index("a3")
    rule(data, "replace", "a3", replacement="a6")
    after = ids(engine)
    assert after == [*before[:place], "a6", *before[place + 1 :]]
    assert not engine.search(ASKED).hits[place].pinned


def test_a_rule_for_an_illness_holds_under_all_its_names(engine: Engine, data: Path) -> None:
    rule(data, "pin", "a6", query="", entity="面抽")
    for question in (ASKED, "面肌痉挛要忌口吗", "面肌抽搐会好吗", "面肌痉挛"):
        assert ids(engine, question)[0] == "a6", question
    assert "a6" not in ids(engine, "偏头痛怎么缓解")


def test_a_rule_for_an_aspect_holds_where_that_is_asked(engine: Engine, data: Path) -> None:
    rule(data, "pin", "a6", query="", entity="面肌痉挛", aspect="治疗")
    assert ids(engine)[0] == "a6"
    assert "a6" not in ids(engine, "面肌痉挛要忌口吗") + ids(engine, "面肌痉挛")


def test_the_topic_obeys_rules_for_its_illness(engine: Engine, data: Path) -> None:
    before = engine.topic("面肌痉挛")
    assert before is not None
    rule(data, "hide", "a4", query="", entity="面肌痉挛")
    after = engine.topic("面肌痉挛")
    assert after is not None and after.total == before.total - 1
    assert "a4" in {hit.answer.id for section in before.sections for hit in section.hits}
    assert "a4" not in {hit.answer.id for section in after.sections for hit in section.hits}


def test_no_rule_brings_back_what_was_taken_down(engine: Engine, data: Path) -> None:
    rule(data, "pin", "a5")
    rule(data, "replace", "a3", replacement="a4")
    assert ids(engine)[0] == "a5"
    take_down(data, "a5", "侵权")
    take_down(data, "a4", "侵权")
    assert {"a3", "a4", "a5"}.isdisjoint(ids(engine))
    put_back(data, "a5")
    assert ids(engine)[0] == "a5"


def test_a_rule_runs_out_by_the_day_and_the_state_with_it(engine: Engine, data: Path, clock: Clock) -> None:
    without = engine.state
    until = (date.fromisoformat(utc_day()) + timedelta(days=3)).isoformat()
    number = rule(data, "pin", "a6", expires=until)
    held = engine.state
    clock.days = 3
    assert ids(engine)[0] == "a6" and engine.state == held != without
    clock.days = 4
    assert "a6" not in ids(engine) and engine.state == without
    extend_rule(data, number, (date.fromisoformat(until) + timedelta(days=9)).isoformat(), "bianji")
    assert ids(engine)[0] == "a6"
    end_rule(data, number, "bianji", "不需要了")
    assert "a6" not in ids(engine) and engine.state == without


def test_evaluation_knows_no_rules(engine: Engine, data: Path) -> None:
    before = engine.retrieve(ASKED, 10)
    rule(data, "pin", "a6")
    rule(data, "hide", "a1")
    assert engine.retrieve(ASKED, 10) == before


# stale rules and previews


def reasons(engine: Engine, data: Path, day: str = "") -> dict[int, str]:
    found = stale_rules(engine, list(reversed(list_rules(data))), day or utc_day())
    return {each.rule.number: "".join(each.reasons) for each in found}


def test_stale_rules_are_told_with_the_cause(engine: Engine, data: Path) -> None:
    fresh = rule(data, "pin", "a6")
    assert reasons(engine, data) == {}
    soon = (date.fromisoformat(utc_day()) + timedelta(days=14)).isoformat()
    ending = rule(data, "hide", "a5", expires=soon)
    gone = rule(data, "pin", "a99")
    down = rule(data, "replace", "a3", replacement="a4")
    unknown = rule(data, "pin", "a1", query="", entity="不存在的病")
    take_down(data, "a4", "侵权")
    found = reasons(engine, data)
    assert fresh not in found
    assert found == {
        ending: f"将在 {soon} 到期。",
        gone: "当前一代中没有答案 a99。",
        down: "答案 a4 已下架，或其来源不收录。",
        unknown: "词库里没有“不存在的病”。",
    }
    later = (date.fromisoformat(soon) + timedelta(days=1)).isoformat()
    assert reasons(engine, data, later)[ending] == f"已在 {soon} 到期。"
    end_rule(data, ending, "bianji", "够了")
    assert ending not in reasons(engine, data, later)


def test_a_pin_that_the_search_needs_no_more_is_told(engine: Engine, data: Path) -> None:
    first = ids(engine)[0]
    number = rule(data, "pin", first)
    assert reasons(engine, data) == {number: "没有这条规则，它也排在第 1 位。"}
    rule(data, "pin", "a6")
    assert reasons(engine, data) == {}  # without it the other pin would come first, and it second


def test_a_preview_shows_both_and_keeps_nothing(engine: Engine, data: Path) -> None:
    pin = NewRule(Action.PIN, "a1", "理由", query=ASKED)
    new = rule_from(replace(pin, answer="a6"))
    before = ids(engine)
    found = preview(engine, new, [], utc_day())
    assert [hit.answer.id for hit in found.before] == before
    assert [hit.answer.id for hit in found.after] == ["a6", *before] and found.remarks == ()
    assert list_rules(data) == [] and ids(engine) == before
    same = preview(engine, rule_from(replace(pin, answer=before[0])), [], utc_day())
    assert same.is_same and same.remarks == ("前十条没有变化。",)
    hidden = preview(engine, rule_from(replace(pin, action=Action.HIDE, answer="a6")), [], utc_day())
    assert hidden.remarks == ("前十条没有变化。",)
    missing = preview(engine, rule_from(replace(pin, answer="a99")), [], utc_day())
    assert missing.remarks == ("当前一代中没有答案 a99。",)


# the command line


def test_the_command_line_does_the_same(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--data", str(data)]
    asked = ["pin", "a6", "--query", ASKED]
    assert main(["curation", "preview", *asked, "--json", *at]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [hit["id"] for hit in shown["after"]] == ["a6", *(hit["id"] for hit in shown["before"])]
    assert main(["curation", "add", *asked, "--reason", "试", *at]) == 0
    assert main(["curation", "list", "--json", *at]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["number"], listed["action"], listed["answer"], listed["reason"]) == (1, "pin", "a6", "试")
    assert listed["owner"].startswith("命令行/")
    soon = (date.fromisoformat(utc_day()) + timedelta(days=2)).isoformat()
    assert main(["curation", "extend", "1", "--expires", soon, *at]) == 0
    capsys.readouterr()
    assert main(["curation", "stale", *at]) == 0
    assert f"将在 {soon} 到期" in capsys.readouterr().out
    assert main(["curation", "stale", "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out)[0]["reasons"] == [f"将在 {soon} 到期。"]
    assert main(["search", ASKED, "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out)["hits"][0]["pinned"] is True
    assert main(["curation", "end", "1", "--reason", "够了", *at]) == 0
    capsys.readouterr()
    assert main(["curation", "list", *at]) == 0
    assert capsys.readouterr().out == ""
    assert main(["curation", "list", "--all", *at]) == 0
    assert "结束（够了）" in capsys.readouterr().out
    assert main(["curation", "end", "1", "--reason", "够了", *at]) == 1
    assert main(["curation", "add", "pin", "a1", "--reason", "试", *at]) == 1
    assert "两者只写一样" in capsys.readouterr().err


def test_a_data_directory_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curation", "add", "pin", "a1", "--query", "x", "--reason", "y", "--data", str(tmp_path / "no")]) == 1
    assert "不存在" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_a_spoilt_state_is_a_sentence(engine: Engine, data: Path) -> None:
    (data / "state.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(StateError, match=r"state\.sqlite3 无法读写"):
        engine.search(ASKED)
