"""The log of acts: only added to, one line an act whatever is written into it, filters, and cells that run nothing."""

from __future__ import annotations

import csv
import io
import sqlite3
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import StateError
from indexer.store.audit_log import (
    ACTS,
    MAX_DETAIL_CHARS,
    Act,
    ActFilter,
    act_names,
    plain,
    read_acts,
    record_act,
    terminal_actor,
)
from indexer.store.state import write_state
from webapp.audit_pages import HEADINGS, as_csv

FORGED = "a1\n2024-01-01  管理员  删除用户\r\x1b[2J\u2028\u202e倒着\x00"


@pytest.mark.parametrize("statement", ["DELETE FROM acts", "UPDATE acts SET actor = '别人'"])
def test_what_was_logged_stays(tmp_path: Path, statement: str) -> None:
    record_act(tmp_path, "张三", "下架", "a1", "侵权")
    with pytest.raises(StateError, match="only added"), write_state(tmp_path, [ACTS]) as database:
        database.execute(statement)
    assert [act.actor for act in read_acts(tmp_path)] == ["张三"]


def test_nothing_forges_a_line_or_drives_a_terminal(tmp_path: Path) -> None:
    record_act(tmp_path, FORGED, FORGED, FORGED, FORGED)
    [act] = read_acts(tmp_path)
    for text in (act.actor, act.action, act.object, act.detail):
        assert text.startswith("a1 2024-01-01") and text.endswith("倒着")
        assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") for char in text)


@given(st.text(max_size=60), st.integers(1, 40))
def test_any_text_becomes_one_bounded_line(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert len(f"x{line}x".splitlines()) == 1
    assert not any(unicodedata.category(char)[0] == "C" for char in line)
    assert plain(line, limit) == line


def test_long_reasons_are_cut(tmp_path: Path) -> None:
    record_act(tmp_path, "张三", "下架", "a1", "长" * 5_000)
    [act] = read_acts(tmp_path)
    assert act.detail == "长" * (MAX_DETAIL_CHARS - 1) + "…"


def test_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ("2024-05-01T23:59:59Z", "张三", "下架", "https://a.example/1%_x"),
        ("2024-05-02T00:00:00Z", "李四", "下架", "a2"),
        ("2024-05-02T23:59:59Z", "张三", "登录", "张三"),
        ("2024-05-03T00:00:00Z", "", "登录失败", "张三"),
    ]
    with write_state(tmp_path, [ACTS]) as database:
        for row in rows:
            database.execute("INSERT INTO acts (at, actor, action, object, detail) VALUES (?, ?, ?, ?, '')", row)

    def numbers(**wanted: object) -> list[int]:
        return [act.number for act in read_acts(tmp_path, ActFilter(**wanted))]  # type: ignore[arg-type]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(actor="张三") == [3, 1]
    assert numbers(action="下架") == [2, 1]
    assert numbers(object="1%_x") == [1] and numbers(object="%") == [1] and numbers(object="没有") == []
    assert numbers(since="2024-05-02") == [4, 3, 2]
    assert numbers(until="2024-05-02") == [3, 2, 1]
    assert numbers(since="2024-05-02", until="2024-05-02", actor="张三") == [3]
    assert numbers(before=3) == [2, 1]
    assert [act.number for act in read_acts(tmp_path, limit=2)] == [4, 3]
    assert act_names(tmp_path) == (["", "张三", "李四"], ["下架", "登录", "登录失败"])


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", '=cmd|"/c calc"!A1')


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str) -> None:
    text = as_csv([Act(1, "2024-05-01T00:00:00Z", formula, formula, formula, formula)])
    heading, row = csv.reader(io.StringIO(text))
    assert tuple(heading) == HEADINGS
    assert row == ["1", "2024-05-01T00:00:00Z", *[f"'{formula}"] * 4]


@given(st.lists(st.text(alphabet=st.sampled_from("=+-@\"',;\n\r\t 甲a1"), max_size=12), min_size=4, max_size=4))
@settings(max_examples=30)
def test_every_act_is_one_row_of_six_cells(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        record_act(Path(folder), *texts)
        rows = list(csv.reader(io.StringIO(as_csv(read_acts(Path(folder))))))
    assert len(rows) == 2 and len(rows[1]) == 6
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in rows[1])


def test_the_actor_of_the_terminal_is_no_users_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal_actor().startswith("命令行/")

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert terminal_actor().startswith("命令行/")


def test_a_damaged_log_is_no_empty_log(tmp_path: Path) -> None:
    record_act(tmp_path, "张三", "下架", "a1")
    database = sqlite3.connect(tmp_path / "state.sqlite3")
    database.execute("DROP TABLE acts")
    database.commit()
    database.close()
    with pytest.raises(StateError):
        read_acts(tmp_path)
