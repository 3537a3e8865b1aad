"""How the database of the query log is opened, prepared and written anew: all that is SQLite's or PostgreSQL's own."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from webapp.log_store.tables import METADATA

FILE_NAME = "querylog.sqlite3"
_REWRITE_TIMEOUT_S = 30.0
_WAL_ATTEMPTS, _WAL_PAUSE_S = 10, 0.025
#: whoever makes tables or counts days holds this lock of the database until the end of its transaction
_ADVISORY_LOCK = 0x7969_7765_6E


def address_of(data_dir: Path) -> str:
    """The address of a data directory's log, as SQLAlchemy has it."""
    return f"sqlite:///{data_dir / FILE_NAME}"


def open_log(address: str, timeout_s: float, writes: bool) -> Engine:
    """The log at an address; nothing is connected yet, and no connection is kept. Writers wait `timeout_s` for one
    another; who only reads sees one state of the database in all that it reads at once. Raises ArgumentError.
    """
    is_sqlite = address.startswith("sqlite")
    try:
        if is_sqlite:
            engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": timeout_s})
        else:
            level = "READ COMMITTED" if writes else "REPEATABLE READ"
            arguments = {"connect_timeout": max(2, round(timeout_s)), "options": f"-c lock_timeout={timeout_s:g}s"}
            engine = create_engine(address, poolclass=NullPool, isolation_level=level, connect_args=arguments)
    except ImportError as error:
        raise ArgumentError(
            f"缺少连接它的软件包（{error.name}）；PostgreSQL 请安装 requirements/postgres.txt"
        ) from None
    if is_sqlite:
        _prepare_sqlite(engine, writes)
    return engine


def _prepare_sqlite(engine: Engine, writes: bool) -> None:
    """Transactions as we say (SQLAlchemy's documentation, "Serializable isolation / Savepoints / Transactional DDL"),
    and what is deleted is overwritten.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last second, never the file
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def make_tables(engine: Engine) -> None:
    """Make what is not there yet, and take over what an earlier version of the program wrote. Safe at any time, also
    when another process does the same.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        assert engine.url.database is not None
        file = Path(engine.url.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # for its owner only
        _turn_on_wal(file)
    elif is_prepared(engine):
        return  # the lock is not wanted for each batch of rows
    with engine.begin() as connection:
        take_turns(connection)
        METADATA.create_all(connection)
        if is_sqlite and inspect(connection).has_table("events"):
            _take_over(connection)


def is_prepared(engine: Engine) -> bool:
    """Whether all tables are there, and nothing of an earlier version. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
    return there.issuperset(METADATA.tables) and not (engine.dialect.name == "sqlite" and "events" in there)


def take_turns(connection: Connection) -> None:
    """Wait until nobody else makes tables or counts, and keep them waiting until this transaction ends. In SQLite the
    transaction itself does that.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})


def rewrite(engine: Engine) -> None:
    """Write the tables anew, so that nothing that was deleted is left in them. In SQLite what waits in the write-ahead
    log too; that of a PostgreSQL server is its own affair, like its backups.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in METADATA.sorted_tables:
                connection.execute(text(f"VACUUM FULL {connection.dialect.identifier_preparer.format_table(table)}"))
    elif engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        file = engine.url.database
        with closing(sqlite3.connect(file, timeout=_REWRITE_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _turn_on_wal(file: Path) -> None:
    """Needs the file alone for a moment, and SQLite does not wait for that lock."""
    for attempt in range(_WAL_ATTEMPTS):
        try:
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_WAL_PAUSE_S)


def _take_over(connection: Connection) -> None:
    """The events of version 1: no sessions, nothing of what was shown. A negative token is nobody's."""
    connection.execute(
        text(
            "INSERT INTO searches (token, at, day, surface, page, query, words, aspects, exact, total, shown,"
            " generation, partial, remembered, latency_ms, stages_ms)"
            " SELECT -rowid, time, date(time, 'unixepoch'), surface, page, query, '[]', '[]', 0, total, '[]',"
            " generation, 0, 0, latency_ms, '{}' FROM events"
        )
    )
    connection.execute(text("DROP TABLE events"))
