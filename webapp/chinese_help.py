"""click's help texts and usage errors, in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

_HEADINGS = {"Options": "选项", "Commands": "命令", "Positional arguments": "参数"}


class ChineseFormatter(click.HelpFormatter):
    """Lays out help with Chinese headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows how to call."""
        super().write_usage(prog, args.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 …"), "用法：")

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(f"{'':>{self.current_indent}}{_HEADINGS.get(heading, heading)}：\n")


class ChineseContext(click.Context):
    """The context whose help is Chinese."""

    formatter_class = ChineseFormatter


def speak_chinese(commands: Iterable[click.Command]) -> None:
    """Give commands, and the commands inside groups, Chinese help. Doing so twice changes nothing."""
    for command in commands:
        command.context_class = ChineseContext
        if command.add_help_option:
            command.add_help_option = False
            click.help_option("--help", help="显示这段帮助")(command)
        if isinstance(command, click.Group):
            speak_chinese(command.commands.values())


def usage_sentence(error: click.UsageError) -> str:
    """What was wrong with the call, and where to read more."""
    where = error.ctx.command_path if error.ctx else "yiwen"
    return f"{_what(error)}用法见 {where} --help。"


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}{_instead(error.possibilities)}"
    if isinstance(error, click.MissingParameter):
        return f"缺少{_name(error.param)}。"
    if isinstance(error, click.BadParameter):
        return f"{_name(error.param)} 的值不能用：{_expected(error)}。"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} {'后面不能带值' if 'not take' in error.message else '后面缺一个值'}。"
    if unknown := re.search(r"[Nn]o such command '(.*?)'", error.message):
        return f"没有命令 {unknown[1]}{_instead(getattr(error, 'possibilities', None))}"
    if extra := re.search(r"unexpected extra arguments? \((.*)\)", error.message):
        return f"多出了参数 {extra[1]}。"
    if error.message.startswith("Missing command"):
        return "缺少命令。"
    return f"{error.message.rstrip('。')}。" if _is_chinese(error.message) else "命令写得不完整或不对。"


def _name(param: click.Parameter | None) -> str:
    if isinstance(param, click.Option):
        return f"选项 {param.opts[-1]}"
    return f"参数 {param.human_readable_name}" if param else "参数"


def _expected(error: click.BadParameter) -> str:
    """What the value should have been. click says so in English, so its type is asked instead."""
    if _is_chinese(error.message):
        return error.message.rstrip("。")
    kind = error.param.type if error.param else None
    if isinstance(kind, click.IntRange) and kind.min is not None:
        return f"应为 {kind.min} 到 {kind.max} 的整数" if kind.max is not None else f"应为不小于 {kind.min} 的整数"
    if isinstance(kind, click.types.IntParamType):
        return "应为整数"
    if isinstance(kind, click.Choice):
        return f"应为 {'、'.join(map(str, kind.choices))} 之一"
    if isinstance(kind, click.DateTime):
        return "应写成 2024-05-01 这样的日期"
    if isinstance(kind, click.Path):
        return "路径不存在、类型不对或无法读取"
    return error.message.rstrip(".")


def _instead(possibilities: Iterable[str] | None) -> str:
    close = "、".join(possibilities or ())
    return f"，是不是 {close}？" if close else "。"


def _is_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None
