"""The command `yiwen`: serving, reading the query log, and the engine's own commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from flask import Flask

from indexer.errors import IndexerError, cause_of
from webapp.chinese_help import speak_chinese, usage_sentence
from webapp.judgement_commands import judgements, replay
from webapp.log_commands import logs
from webapp.review_commands import review
from webapp.user_commands import audit, users


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 wrong usage, or the command's own."""
    from indexer.cli import commands

    return run(build_group(commands), argv)


def build_group(engine_commands: Iterable[click.Command]) -> click.Group:
    """The command with all its commands."""
    group = click.Group("yiwen", help="医问：中文医学问答搜索。", no_args_is_help=False)
    for command in (serve, logs, replay, judgements, users, audit, review, *engine_commands):
        group.add_command(command)
    speak_chinese([group])
    return group


def run(group: click.Group, argv: Sequence[str] | None = None) -> int:
    """Run the group, and put what went wrong on standard error in one sentence.

    When whoever reads our output (`head`) has had enough, click ends the program quietly.
    """
    try:
        outcome = group.main(None if argv is None else list(argv), prog_name="yiwen", standalone_mode=False)
    except click.UsageError as error:
        return _fail(usage_sentence(error), 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except IndexerError as error:
        return _fail(str(error), 1)
    except click.Abort:
        return _fail("已中断。", 1)
    except OSError as error:
        return _fail(f"读写{f' {error.filename} ' if error.filename else ''}失败：{cause_of(error)}。", 1)
    return outcome if isinstance(outcome, int) else 0


def _fail(sentence: str, status: int) -> int:
    click.echo(sentence, err=True)
    return status


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), metavar="端口", help="监听的端口（默认 8000）")
@click.option("--host", default="127.0.0.1", metavar="地址", help="监听的地址（默认 127.0.0.1，只有本机能访问）")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), metavar="目录", help="数据目录（默认 var）")
def serve(port: int | None, host: str, data: Path | None) -> None:
    """启动网站。"""
    from indexer.settings import load_settings
    from webapp import access_log, auth, create_app, server
    from webapp.services import warm_up

    settings = load_settings({"port": port, "data": data})
    try:
        server.check_port(host, settings.port)
    except (OSError, OverflowError) as error:
        raise click.ClickException(_why_not_bound(error, host, settings.port)) from error

    remarks: list[str] = []
    address = f"http://{_in_address(host)}:{settings.port}"

    def make_app() -> Flask:
        app = create_app(settings=settings)
        access_log.register(app)
        warm_up(app)
        try:
            if first := auth.offer_first_admin(app):
                remarks.append(f"还没有用户。一小时内打开这个链接，建立第一位管理员（只能用一次）：{address}{first}")
        except IndexerError as error:  # the site goes on without its desk
            remarks.append(str(error))
        return app

    def started() -> None:
        click.echo(f"医问已启动：{address}/ （按 Ctrl+C 停止）", err=True)
        for remark in remarks:
            click.echo(remark, err=True)

    server.serve(make_app, host, settings.port, settings.site_workers, started)


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _why_not_bound(error: Exception, host: str, port: int) -> str:
    import errno
    import socket

    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"端口 {port} 已被占用；请停掉占用它的程序，或用 --port 换一个端口。"
    if code == errno.EACCES:
        return f"没有权限使用端口 {port}；请用 --port 换一个 1024 以上的端口。"
    if isinstance(error, socket.gaierror) or code == errno.EADDRNOTAVAIL:
        return f"地址 {host} 不是本机的地址；请检查 --host，本机使用可写 127.0.0.1。"
    return f"无法监听 {host}:{port}：{error}。请换一个地址或端口。"
