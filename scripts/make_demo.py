#!/usr/bin/env python3
"""Make the demonstration's data directory: the index of corpus/, some weeks of made-up searches that the engine
really answers, and an account. What is there stays; a directory with other data is refused.

Usage: scripts/make_demo.py [--data DIR] [--port N]    (scripts/run --demo calls it, and then serves the directory)
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from simulate_traffic import Traffic, simulate

from indexer import Query, open_engine, terminal_actor
from indexer.errors import IndexerError
from indexer.settings import Settings, load_settings
from webapp.accounts import LINK_SECONDS, Accounts
from webapp.cli import main as yiwen
from webapp.demonstration import REMARK, is_demonstration, mark_demonstration
from webapp.log_store.databases import address_of, open_log, rewrite
from webapp.query_log import Event, QueryLog
from webapp.roles import Role

ROOT = Path(__file__).parent.parent
WEEKS, SEARCHES, SEED = 6, 12_000, 1
ACCOUNT = "demo"
REWRITE_TIMEOUT_S = 30.0
_UNFINISHED = "making-log-"


def main() -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=Path("var-demo"))
    parser.add_argument("--port", type=int)
    options, _ = parser.parse_known_args()  # the rest is for `yiwen serve`
    data = options.data
    if not is_demonstration(data) and data.is_dir() and any(data.iterdir()):
        print(f"{data} 里已有别的数据，演示数据不与它混在一起；请用 --data 另指定一个空目录。", file=sys.stderr)
        return 1
    settings = load_settings({"data": data, "port": options.port})
    try:
        mark_demonstration(data)
        if status := yiwen(["build", "--if-missing", "--corpus", str(ROOT / "corpus"), "--data", str(data)]):
            return status
        fill_log(data, settings, datetime.now(UTC).date())
        told = account(settings)
    except IndexerError as error:
        print(error, file=sys.stderr)
        return 1
    address = f"http://127.0.0.1:{settings.port}"
    print(
        f"{REMARK}\n数据目录：{data}（删掉它就重新来过）\n网站启动后可以打开：\n"
        f"  {address}/  搜索\n  {address}/desk/logs  查询分析：{WEEKS} 周模拟的搜索\n  {address}/desk/  编辑台\n{told}"
    )
    return 0


def fill_log(data: Path, settings: Settings, today: date) -> None:
    """Some weeks of searches until yesterday; nothing when there is a log. All of it or nothing: made beside its place.

    Raises IndexerError, OSError.
    """
    log = QueryLog(data)
    if log.path.exists():
        return
    print(f"模拟 {WEEKS} 周的搜索，约一分钟", file=sys.stderr)
    for left in data.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left)
    days = WEEKS * 7
    traffic = Traffic(SEED, today - timedelta(days), days, SEARCHES, ask=asker(data, settings))
    with tempfile.TemporaryDirectory(dir=data, prefix=_UNFINISHED) as folder:
        made = QueryLog(Path(folder))
        simulate(made, traffic)
        with made.reader(settings.log_min_sessions):
            pass  # its days are counted
        rewrite(open_log(address_of(made.path.parent), REWRITE_TIMEOUT_S, writes=True))  # no write-ahead log beside it
        os.replace(made.path, log.path)


def asker(data: Path, settings: Settings) -> Callable[[str], Event]:
    """What the index of this directory answers, each question asked once."""
    engine = open_engine(data, settings)

    @cache
    def ask(question: str) -> Event:
        return Event.of(engine.search(Query(question)), "page")

    return ask


def account(settings: Settings) -> str:
    """An editor, made when there is none; how to log in, in Chinese: a link as long as no password was chosen."""
    accounts = Accounts(settings.data, settings.session_idle_minutes * 60, settings.session_hours * 3600)
    found = {user.name: user for user in accounts.users()}
    if ACCOUNT not in found:
        accounts.add(ACCOUNT, Role.EDITOR, terminal_actor())
    elif found[ACCOUNT].has_password:
        return f"编辑台的用户名是 {ACCOUNT}，密码是您设置的那一个。"
    token = accounts.make_link(ACCOUNT, terminal_actor())
    return (
        f"编辑台的用户是 {ACCOUNT}（编辑），没有预设密码。请在 {LINK_SECONDS // 60} 分钟内打开这个只能用一次的链接，"
        f"设置密码：\n  http://127.0.0.1:{settings.port}/desk/link/{token}"
    )


if __name__ == "__main__":
    sys.exit(main())
