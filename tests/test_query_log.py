"""The query log: what it keeps, what it must never keep, and that it never stands in the way."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import Query, SearchResult
from webapp.query_log import Event, QueryLog, normalise, scrub

NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


def event(query: str = "面肌痉挛怎么治", time: datetime = NOON, total: int = 3, page: int = 1) -> Event:
    return Event(time, query, total, 12.3, "gen-000003", "page", page)


def wide(text: str) -> str:
    """ASCII in full width."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


MOBILES = (
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "1380 013 8000",
    "+8613800138000",
    "+86 138 0013 8000",
    "+86-138-0013-8000",
    "8613800138000",
    "008613800138000",
    "(+86)13800138000",
    "1 3 8 0 0 1 3 8 0 0 0",
    "138\u200b0013\u200b8000",
)
LANDLINES = ("010-65123456", "01065123456", "(010)65123456", "0755-22345678", "0571-8234567", "021 6512 3456")
ID_CARDS = ("110101199003074578", "11010119900307457X", "11010119900307457x", "110101900307457", "110101 19900307 4578")
EMAILS = ("zhang.san@qq.com", "a_b-c+d@mail.example.com.cn", "zhang @ qq.com")
LONG_NUMBERS = ("12345678901", "6222021234567890123", "6222 0212 3456 7890 123", "99999999999999999999999")
KEPT = (
    "血压140/90正常吗",
    "孩子39.5度怎么办",
    "阿莫西林 0.5g 每日3次",
    "2023年新冠",
    "20230101 检查结果",
    "2019-2020-2021-2022",
    "2019 2020 2021 2022 体检",
    "血糖 7.8 11.1 6.5",
    "血压 120 80 130 85 140 90",
    "血压 135 85 132 80 128 79",
    "白细胞3.5×10^9/L",
    "血小板 100-300",
    "心理援助热线12356和120",
    "HPV16/18 阳性",
    "vitamin B12@home",
    "1.5-2.0cm结节",
)


@pytest.mark.parametrize("number", MOBILES + LANDLINES)
@pytest.mark.parametrize("write", [str, wide])
def test_phone_numbers_are_replaced(number: str, write: type) -> None:
    assert scrub(f"电话{write(number)}，失眠") == "电话〔电话〕，失眠"


@pytest.mark.parametrize("number", ID_CARDS)
@pytest.mark.parametrize("write", [str, wide])
def test_id_cards_are_replaced(number: str, write: type) -> None:
    assert scrub(f"身份证{write(number)}报销") == "身份证〔证件号〕报销"


@pytest.mark.parametrize("address", EMAILS)
@pytest.mark.parametrize("write", [str, wide])
def test_addresses_are_replaced(address: str, write: type) -> None:
    assert scrub(f"请发到{write(address)}谢谢") == "请发到〔邮箱〕谢谢"


@pytest.mark.parametrize("number", LONG_NUMBERS)
def test_other_long_numbers_are_replaced(number: str) -> None:
    assert scrub(f"卡号{number}。") == "卡号〔号码〕。"


@pytest.mark.parametrize("text", KEPT)
def test_medical_numbers_stay(text: str) -> None:
    assert scrub(text) == text
    assert scrub(wide(text)) == wide(text)


def test_several_numbers_in_one_text_all_go() -> None:
    assert scrub("13800138000或13900139000，a@b.cn") == "〔电话〕或〔电话〕，〔邮箱〕"


@given(st.text(alphabet="0123456789０１９٣xX @.-+年度a/〔〕\u200b号", max_size=60))
def test_no_long_run_of_digits_survives(text: str) -> None:
    digits = [char.isdecimal() for char in scrub(text)]
    assert not any(all(digits[start : start + 11]) for start in range(len(digits) - 10))


@given(st.text(max_size=80))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Nd"], exclude_characters="@＠"), max_size=80))
def test_text_without_digits_or_at_sign_stays(text: str) -> None:
    assert scrub(text) == text


@given(st.integers(0, 10**8 - 1), st.sampled_from(["", "-", " "]), st.text(alphabet="头痛怎么办，", max_size=10))
def test_every_mobile_number_is_found(rest: int, gap: str, around: str) -> None:
    digits = f"{rest:08}"
    assert scrub(f"{around}139{gap}{digits[:4]}{gap}{digits[4:]}{around}") == f"{around}〔电话〕{around}"


def test_scrubbing_a_long_text_is_quick() -> None:
    begin = time.perf_counter()
    for text in ("1 " * 20_000, "a." * 20_000, "0-" * 20_000, "110101 1990 03 07 " * 2_000):
        scrub(text)
    assert time.perf_counter() - begin < 2


@pytest.mark.parametrize("text", ["面肌痉挛怎么治", " 面肌痉挛怎么治？ ", "面肌痉挛怎么治?!", "\x00面肌痉挛怎么治\n"])
def test_spellings_of_one_question_are_one(text: str) -> None:
    assert normalise(text) == "面肌痉挛怎么治"


def test_normalising_folds_width_case_and_blanks() -> None:
    assert normalise("ＨＰＶ\u3000１６  Type\n2") == "hpv 16 type 2"


def test_an_event_holds_facts_only() -> None:
    result = SearchResult(Query("电话１３８００１３８０００ 失眠？", page=2), "gen-000003", 41, (), latency_ms=12.345)
    kept = Event.of(result, "api", NOON + timedelta(microseconds=7))
    assert kept == Event(NOON, "电话〔电话〕 失眠", 41, 12.3, "gen-000003", "api", 2)


def test_events_come_back_as_written(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    written = [event("旧", NOON - timedelta(days=2)), event("中", total=0), event("新", NOON + timedelta(1), page=2)]
    for one in reversed(written):
        log.record(one)
    assert log.read_events() == written
    assert log.read_events(NOON) == written[1:]
    assert QueryLog(tmp_path).read_events() == written
    assert log.lost_events == 0


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert QueryLog(tmp_path / "nowhere").read_events() == []
    assert not list(tmp_path.iterdir())


def test_the_file_is_private_and_deletes_for_good(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    log.record(event("不该留下的话"))
    assert log.path.stat().st_mode & 0o077 == 0
    connection = log._writer()
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.execute("delete from events")
    connection.execute("pragma wal_checkpoint(truncate)")
    assert "不该留下的话".encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_locked_file_costs_the_event_not_the_search(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = QueryLog(tmp_path)
    log.record(event())
    blocker = sqlite3.connect(log.path, isolation_level=None)
    blocker.execute("begin exclusive")
    begin = time.perf_counter()
    with caplog.at_level(logging.WARNING):
        log.record(event())
        log.record(event())
    assert time.perf_counter() - begin < 2
    blocker.execute("rollback")
    blocker.close()
    assert log.lost_events == 2
    assert len(caplog.records) == 1
    log.record(event())
    assert len(log.read_events()) == 2


def test_a_file_that_is_no_database_is_survived(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    log.path.write_text("这不是数据库" * 1000, encoding="utf-8")
    log.record(event())
    assert log.lost_events == 1
    with pytest.raises(sqlite3.Error):
        log.read_events()


def test_a_place_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = QueryLog(tmp_path / "file")
    log.record(event())
    assert log.lost_events == 1


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)

    def write_fifty() -> None:
        for _ in range(50):
            log.record(event())

    threads = [threading.Thread(target=write_fifty) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (log.lost_events, len(log.read_events())) == (0, 400)


def _write_fifty(folder: Path) -> int:
    log = QueryLog(folder)
    for _ in range(50):
        log.record(event())
    return log.lost_events


def test_many_processes_lose_nothing(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(_write_fifty, [tmp_path] * 4) == [0, 0, 0, 0]
    assert len(QueryLog(tmp_path).read_events()) == 200


def test_a_forked_child_writes_too(tmp_path: Path) -> None:
    log = QueryLog(tmp_path)
    log.record(event("父"))
    child = multiprocessing.get_context("fork").Process(target=log.record, args=(event("子"),))
    child.start()
    child.join(10)
    log.record(event("父"))
    assert sorted(one.query for one in log.read_events()) == ["子", "父", "父"]
