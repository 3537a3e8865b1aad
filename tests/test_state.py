"""state.sqlite3: transactions, versions, several processes, and that what hides answers is seen in either journal."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from indexer.errors import StateError
from indexer.store.audit_log import ACTS, ActFilter, add_act, read_acts, record_act
from indexer.store.state import Part, read_state, write_state
from indexer.store.take_downs import TAKE_DOWNS, TakeDowns, list_take_downs, put_back, take_down

FIRST = Part("things", ("CREATE TABLE things (name TEXT)",))
SECOND = Part("things", (*FIRST.steps, "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7"))


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with read_state(tmp_path / "nowhere", FIRST) as database:
        assert database is None
    assert read_acts(tmp_path) == [] and list_take_downs(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    take_down(tmp_path, "a1", "侵权")

    def begin_and_fail() -> None:
        with write_state(tmp_path, [TAKE_DOWNS, ACTS]) as database:
            database.execute("DELETE FROM take_downs")
            add_act(database, "张三", "试", "a1")
            raise KeyError

    with pytest.raises(KeyError):
        begin_and_fail()
    assert [entry.key for entry in list_take_downs(tmp_path)] == ["a1"]
    assert [act.action for act in read_acts(tmp_path)] == ["下架"]


def test_from_its_first_look_on_a_writer_is_alone(tmp_path: Path) -> None:
    record_act(tmp_path, "", "试", "")
    with (
        write_state(tmp_path, [ACTS]) as database,
        closing(sqlite3.connect(tmp_path / "state.sqlite3", timeout=0, isolation_level=None)) as other,
    ):
        assert database.execute("SELECT count(*) FROM acts").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    record_act(tmp_path, "", "试", "")


def test_tables_are_brought_up_and_never_down(tmp_path: Path) -> None:
    with write_state(tmp_path, [FIRST]) as database:
        database.execute("INSERT INTO things VALUES ('甲')")
    with read_state(tmp_path, SECOND) as reading:
        assert reading and reading.execute("SELECT * FROM things").fetchall() == [("甲", 7)]
    with pytest.raises(StateError, match="更新的版本"), write_state(tmp_path, [FIRST]):
        pass
    with pytest.raises(StateError, match="更新的版本"), read_state(tmp_path, FIRST):
        pass


def test_take_downs_of_an_earlier_version_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as database, database:
        database.execute("CREATE TABLE take_downs (key TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL)")
        database.execute("INSERT INTO take_downs VALUES ('a1', '侵权', '2024-05-01T00:00:00Z')")
    watch = TakeDowns(tmp_path)
    assert watch.keys() == {"a1"}
    take_down(tmp_path, "a2", "作者要求", "张三")
    assert watch.keys() == {"a1", "a2"}
    assert [(entry.key, entry.actor) for entry in list_take_downs(tmp_path)] == [("a2", "张三"), ("a1", "")]


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").touch(mode=0o644)
    os.chmod(tmp_path / "state.sqlite3", 0o644)
    record_act(tmp_path, "", "试", "")
    record_act(tmp_path / "new", "", "试", "")
    for folder in (tmp_path, tmp_path / "new"):
        assert stat.S_IMODE((folder / "state.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_each_take_down_is_seen_at_once_in_either_journal(tmp_path: Path, journal: str) -> None:
    take_down(tmp_path, "a0", "侵权")
    file = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(file)) as held:  # open, so that a write-ahead log stays
        assert held.execute(f"PRAGMA journal_mode = {journal}").fetchone() == (journal,)
        held.execute("SELECT * FROM take_downs").fetchall()
        watch = TakeDowns(tmp_path)
        for number in range(1, 6):
            take_down(tmp_path, f"a{number}", "侵权")
            for name in ("state.sqlite3", "state.sqlite3-wal"):
                if (tmp_path / name).exists():
                    os.utime(tmp_path / name, ns=(0, 0))  # the clock tells nothing
            assert f"a{number}" in watch.keys()  # noqa: SIM118
        assert put_back(tmp_path, "a3")
        assert watch.keys() == {"a0", "a1", "a2", "a4", "a5"}


def test_what_else_changes_in_the_state_leaves_the_keys_as_they_are(tmp_path: Path) -> None:
    take_down(tmp_path, "a1", "侵权")
    watch = TakeDowns(tmp_path)
    before = watch.keys()
    record_act(tmp_path, "张三", "试", "别的")
    assert watch.keys() is before  # the engine looks documents up again only for other keys


def test_a_take_down_and_its_line_in_the_log_are_one(tmp_path: Path) -> None:
    take_down(tmp_path, "a1", "侵权", "张三")
    assert put_back(tmp_path, "a1", "李四", "查清了")
    assert not put_back(tmp_path, "a1", "李四", "再来")
    acts = [(act.actor, act.action, act.object, act.detail) for act in read_acts(tmp_path)]
    assert acts == [("李四", "恢复", "a1", "查清了（原下架原因：侵权）"), ("张三", "下架", "a1", "侵权")]


def add_many(data: Path, actor: str, count: int) -> None:
    for number in range(count):
        record_act(data, actor, "试", str(number))


def test_many_processes_write_and_none_loses_a_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    names = [f"进程{number}" for number in range(4)]
    workers = [context.Process(target=add_many, args=(tmp_path, name, 25)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(read_acts(tmp_path, limit=1000)) == 100
    for name in names:
        own = read_acts(tmp_path, ActFilter(actor=name), 1000)
        assert [act.object for act in own] == [str(number) for number in reversed(range(25))]


def test_a_state_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(StateError, match=r"state\.sqlite3 无法读写"):
        record_act(tmp_path, "", "试", "")
    with pytest.raises(StateError, match=r"state\.sqlite3 无法读写"):
        read_acts(tmp_path)
