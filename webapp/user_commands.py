"""`yiwen users` and `yiwen audit`: what admins do at the desk, from the command line of the machine itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer import ActFilter, read_acts, terminal_actor
from indexer.settings import Settings, load_settings

if TYPE_CHECKING:
    from webapp.accounts import Accounts
    from webapp.roles import Role

ROLES = ("analyst", "editor", "admin")

_data = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="目录", help="数据目录（默认 var）"
)
_name = click.argument("name", metavar="用户名")
_role = click.option(
    "--role", "code", type=click.Choice(ROLES), required=True, help="analyst 分析员、editor 编辑、admin 管理员"
)


def _link_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--address", metavar="网址", help="链接用的网站地址（默认 http://127.0.0.1:端口）"),
        click.option("--link", "with_link", is_flag=True, help="不输入密码，而是打印一次性链接，由本人设置"),
    ):
        command = option(command)
    return command


@click.group(no_args_is_help=False)
def users() -> None:
    """编辑台的用户：添加、删除、角色、密码、解锁。"""


@users.command()
@_name
@_role
@_link_options
@_data
def add(name: str, code: str, with_link: bool, address: str | None, data: Path | None) -> None:
    """添加一位用户，并在终端输入密码。"""
    with _accounts(data) as (settings, accounts):
        if with_link:
            user = accounts.add(name, _role_of(code), terminal_actor())
            _print_link(accounts, user.name, address, settings)
        else:
            user = accounts.add(name, _role_of(code), terminal_actor(), _new_password())
        click.echo(f"已添加{user.role.label} {user.name}。", err=True)


@users.command("list")
@_data
def list_users(data: Path | None) -> None:
    """列出用户、角色和上次登录的时间。"""
    from webapp.editor_console import moment

    with _accounts(data) as (_, accounts):
        found, locked = accounts.users(), accounts.locked_for_s()
        for user in found:
            remarks = [] if user.has_password else ["还没有设置密码"]
            if user.name in locked:
                remarks.append(f"锁定中，还有 {locked[user.name]} 秒")
            last_login = f"上次登录 {moment(user.last_login)}"
            click.echo("  ".join([user.name, f"{user.role.code}（{user.role.label}）", last_login, *remarks]))
        if not found:
            click.echo("还没有用户；用 yiwen users add 添加，或启动网站后打开它给出的链接。", err=True)


@users.command()
@_name
@click.argument("code", metavar="角色", type=click.Choice(ROLES))
@_data
def role(name: str, code: str, data: Path | None) -> None:
    """更改角色；这位用户须重新登录。"""
    with _accounts(data) as (_, accounts):
        accounts.set_role(name, _role_of(code), terminal_actor())
        click.echo(f"{name} 现在是{_role_of(code).label}。", err=True)


@users.command()
@_name
@_data
def remove(name: str, data: Path | None) -> None:
    """删除一位用户，立即退出其所有登录。"""
    with _accounts(data) as (_, accounts):
        accounts.remove(name, terminal_actor())
        click.echo(f"已删除用户 {name}。", err=True)


@users.command()
@_name
@_link_options
@_data
def password(name: str, with_link: bool, address: str | None, data: Path | None) -> None:
    """重新设置密码，立即退出其所有登录。"""
    with _accounts(data) as (settings, accounts):
        if with_link:
            _print_link(accounts, name, address, settings)
            return
        accounts.set_password(name, _new_password(), terminal_actor())
        click.echo(f"{name} 的密码已经设置。", err=True)


@users.command()
@_name
@_data
def unlock(name: str, data: Path | None) -> None:
    """解除因连续输错密码而来的锁定。"""
    with _accounts(data) as (_, accounts):
        was_locked = accounts.unlock(name, terminal_actor())
        click.echo(f"{name} 可以马上再登录。" if was_locked else f"{name} 没有被锁定。", err=True)


@click.command()
@click.option("--actor", default="", metavar="用户名", help="只看这位操作人")
@click.option("--action", default="", metavar="操作", help="只看这种操作，如 下架")
@click.option("--object", "object_", default="", metavar="文字", help="只看对象里有这段文字的")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="日期", help="从哪天起（UTC），如 2024-05-01")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="日期", help="到哪天为止（UTC）")
@click.option("--limit", type=click.IntRange(min=1), default=50, metavar="行数", help="最多列出几行（默认 50）")
@click.option("--csv", "as_csv", is_flag=True, help="输出 CSV")
@_data
def audit(
    actor: str, action: str, object_: str, since: Any, until: Any, limit: int, as_csv: bool, data: Path | None
) -> None:
    """操作记录：谁在什么时候对什么做了什么，新的在前。"""
    from webapp.audit_pages import as_csv as csv_of
    from webapp.editor_console import moment

    first, last = (f"{day:%Y-%m-%d}" if day else "" for day in (since, until))
    acts = read_acts(load_settings({"data": data}).data, ActFilter(actor, action, object_, first, last), limit)
    if as_csv:
        click.echo(csv_of(acts).replace("\r\n", "\n"), nl=False)
        return
    for act in acts:
        click.echo(f"{moment(act.at)}  {act.actor or '（程序）'}  {act.action}  {act.object}  {act.detail}".rstrip())
    if not acts:
        click.echo("没有符合的操作记录。", err=True)


@contextmanager
def _accounts(data: Path | None) -> Iterator[tuple[Settings, Accounts]]:
    """The users of a data directory; refusals become the sentence that the command ends with."""
    from webapp.accounts import Accounts, BadCredential, RefusedChange

    settings = load_settings({"data": data})
    if not settings.data.is_dir():
        raise click.ClickException(f"数据目录 {settings.data} 不存在；请检查 --data。")
    try:
        yield settings, Accounts(settings.data, settings.session_idle_minutes * 60, settings.session_hours * 3600)
    except (BadCredential, RefusedChange) as refused:
        raise click.ClickException(str(refused)) from refused


def _role_of(code: str) -> Role:
    from webapp.roles import Role

    return Role.of(code)


def _new_password() -> str:
    """Asked for twice on a terminal without being shown; else one line of standard input, for programs."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    new: str = click.prompt("新密码", hide_input=True, prompt_suffix="：", err=True)
    again: str = click.prompt("再输一次", hide_input=True, prompt_suffix="：", err=True)
    if new != again:
        raise click.ClickException("两次输入的密码不一样，什么都没有改。")
    return new


def _print_link(accounts: Accounts, name: str, address: str | None, settings: Settings) -> None:
    from webapp.accounts import LINK_SECONDS

    token = accounts.make_link(name, terminal_actor())
    click.echo(f"{(address or f'http://127.0.0.1:{settings.port}').rstrip('/')}/desk/link/{token}")
    click.echo(f"请交给本人，{LINK_SECONDS // 60} 分钟内有效，只能用一次。", err=True)
