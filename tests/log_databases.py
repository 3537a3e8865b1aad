"""Where tests keep a query log: a file of SQLite's, or a PostgreSQL server that is started for them on loopback."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from webapp.log_store.databases import address_of
from webapp.query_log import QueryLog

#: never root's, which the server refuses
OWNER = "postgres" if os.geteuid() == 0 else None
PATIENCE_S = 120


@dataclass(frozen=True)
class Kept:
    """A place for one log."""

    folder: Path
    elsewhere: str = ""  #: the address of a database that is no file of the folder

    @property
    def is_file(self) -> bool:
        return not self.elsewhere

    def log(self) -> QueryLog:
        """As a process of its own would open it."""
        return QueryLog(self.folder, self.elsewhere)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What any program would see in the database."""
        engine = create_engine(self.elsewhere or address_of(self.folder), poolclass=NullPool)
        with engine.begin() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that trusts whoever reaches it, which is this machine."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def address(self, database: str) -> str:
        return f"postgresql+psycopg://yiwen@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """On the database that is always there."""
        engine = create_engine(self.address("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))

    def new_database(self) -> str:
        """The address of an empty one."""
        name = f"log_{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} STRATEGY file_copy")
        return self.address(name)


def binaries() -> Path | None:
    """The folder of the newest server that Debian installed, or of the one in the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    in_path = shutil.which("initdb")
    return found[-1].parent if found else Path(in_path).parent if in_path else None


def missing() -> str:
    """Why there can be no server; empty when there can."""
    if binaries() is None:
        return "skipped: no PostgreSQL server is installed (apt-get install postgresql)"
    if OWNER and OWNER not in {user.pw_name for user in pwd.getpwall()}:
        return "skipped: root cannot run PostgreSQL, and there is no user postgres"
    return "" if importlib.util.find_spec("psycopg") else "skipped: psycopg is not installed"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Started once for a process of tests, stopped by its process id."""
    if missing():
        pytest.skip(missing())
    folder = Path(tempfile.mkdtemp(prefix="yiwen-postgresql-"))  # pytest's own folders let nobody else in
    if OWNER:
        shutil.chown(folder, OWNER, OWNER)
    tools = binaries()
    own: dict[str, Any] = {"user": OWNER, "group": OWNER, "extra_groups": []} if OWNER else {}
    assert tools is not None
    make: Any = ["-D", folder / "data", "-U", "yiwen", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([tools / "initdb", *make], check=True, capture_output=True, cwd=folder, **own)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve: Any = ["-D", folder / "data", "-h", "127.0.0.1", "-k", folder, "-p", str(port), "-F"]
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen([tools / "postgres", *serve], stdout=output, stderr=output, cwd=folder, **own)
    server = Server(folder, port, process)
    try:
        _wait_for(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # ends connections, then itself
        process.wait(PATIENCE_S)
        shutil.rmtree(folder)


def _wait_for(server: Server) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return server.run("SELECT 1")
        except OperationalError:
            if server.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((server.folder / "log").read_text()) from None
            time.sleep(0.1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="session")
def database(request: pytest.FixtureRequest) -> Server | None:
    """The server, or None for files."""
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else None


@pytest.fixture
def kept(database: Server | None, tmp_path: Path) -> Kept:
    """An empty place, in each database."""
    return Kept(tmp_path, database.new_database() if database else "")
